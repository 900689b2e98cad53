//! Executions: on the account as the venue nets them, on those whose they are, and line by line.

use fusewire_core::market::Side;
use fusewire_core::order::{Leg, Liquidity};
use fusewire_core::portfolio::{Execution, Position};
use fusewire_core::units::{ONE, Qty, RATE_DECIMALS, Rate, Round, UsdSum, div_round};

use super::{Booking, ClosedPosition, Exposure, Ledger, Posting, PostingKind, Row, TradeRow, life};

/// One, as a raw `Rate`.
const RATE_ONE: i128 = 10_i128.pow(RATE_DECIMALS);

impl Ledger {
    /// Books an execution: on the account as the venue nets it, and on those whose it is.
    pub(super) fn execute(&mut self, booking: &Booking, out: &mut impl FnMut(Row)) {
        self.line = 0;
        let Booking { instrument, leg, execution, .. } = *booking;
        let place = instrument.index() * Leg::ALL.len() + leg as usize;
        let before = self.account[place];
        self.share(booking);
        let fits = |(seat, part): &(usize, Execution)| {
            self.cells[self.cell(*seat, instrument, leg)].position.booked(part).is_some()
        };
        let all_fit = self.parts.iter().all(fits);
        let Some(after) = before.booked(&execution).filter(|_| all_fit) else {
            // Nothing of it is booked: the ledger is off, and who watches its faults stops new risk.
            self.faults += 1;
            return;
        };
        self.account[place] = after;
        self.tapes[instrument.index()].hold(after.qty);
        let mut told = UsdSum::ZERO;
        let parts = std::mem::take(&mut self.parts);
        for &(seat, part) in &parts {
            told.0 += self.book_part(&booking.of_seat(self.seats[seat]), seat, &part, out).0;
        }
        self.parts = parts;
        let realized = UsdSum(after.realized.0 - before.realized.0);
        let netting = UsdSum(realized.0 - told.0);
        self.post(booking, PostingKind::Netting, None, netting, out);
        let change = UsdSum(realized.0 - i128::from(execution.fee.0));
        self.close_sum(booking, change, out);
        self.note_exposure();
        // The balance that it was compared with already knew of this one.
        if self.reconciled.last.is_some_and(|last| booking.at < last.at) {
            self.reconciled.since.0 += change.0;
        }
        let cost = after.cost.0 - before.cost.0;
        // A clock that runs ahead must not make every later balance too old to compare.
        self.executed_at = self.executed_at.max(booking.at.min(booking.moment.ts));
        self.assert_conserved();
        // Cash is what was paid, whatever was made of it.
        let signed = match execution.side {
            Side::Buy => -i128::from(execution.quote.0),
            Side::Sell => i128::from(execution.quote.0),
        };
        assert_eq!(realized.0 - cost, signed, "realised less cost is the cash of an execution");
    }

    /// Whose an execution is: its sender's, but exits by risk and venue are those of the holders, by seat, and a fill
    /// that comes behind the exit that closed it is that of the exit.
    fn share(&mut self, booking: &Booking) {
        self.parts.clear();
        let strategy = booking.order.strategy();
        let own = self.seat(strategy).unwrap_or(self.seats.len() - 1);
        let mut left = booking.execution;
        for seat in 0..self.seats.len() {
            let cell = self.cell(seat, booking.instrument, booking.leg);
            let part = left.take_of(strategy, (self.seats[seat], &self.cells[cell].position));
            self.parts.extend(part.map(|part| (seat, part)));
        }
        if left.qty > Qty::ZERO {
            self.parts.push((own, left));
        }
    }

    /// Books the part of one seat; returns what it realised.
    fn book_part(
        &mut self,
        booking: &Booking,
        seat: usize,
        part: &Execution,
        out: &mut impl FnMut(Row),
    ) -> UsdSum {
        let Booking { moment, instrument, leg, liquidity, incident, .. } = *booking;
        let index = self.cell(seat, instrument, leg);
        let before = self.cells[index].position;
        let after = before.booked(part).expect("all parts were tried before");
        self.cells[index].position = after;
        self.slip(booking, index, part);
        let realized = UsdSum(after.realized.0 - before.realized.0);
        let strategy = self.seats[seat];
        out(Row::Trade(TradeRow {
            seq: moment.seq,
            ts: moment.ts,
            at: booking.at,
            order: booking.order,
            strategy,
            instrument,
            leg,
            side: part.side,
            qty: part.qty,
            quote: part.quote,
            fee: part.fee,
            liquidity,
            payer: booking.payer,
            realized,
            incident,
        }));
        self.post(booking, PostingKind::Realized, Some(seat), realized, out);
        let kind = match liquidity {
            Liquidity::Maker => PostingKind::FeeMaker,
            Liquidity::Taker => PostingKind::FeeTaker,
        };
        self.post(booking, kind, Some(seat), UsdSum(-i128::from(part.fee.0)), out);
        self.live(booking, index, (&before, &after), part, out);
        realized
    }

    /// What a fill cost beyond the mid at which it was decided.
    fn slip(&mut self, booking: &Booking, index: usize, part: &Execution) {
        let slipped = &mut self.cells[index].slipped;
        let arrived = booking.twice_mid.and_then(|mid| mid.checked_mul(part.qty.0.into()));
        let Some(arrived) = arrived.and_then(|raw| div_round(raw, ONE.into(), Round::HalfEven))
        else {
            slipped.unknown += 1;
            return;
        };
        let beyond = 2 * i128::from(part.quote.0) - arrived;
        slipped.twice[booking.liquidity as usize] += match part.side {
            Side::Buy => beyond,
            Side::Sell => -beyond,
        };
    }

    /// Keeps the largest exposure, measured against what was in the wallet then.
    fn note_exposure(&mut self) {
        let cost: i128 = self.account.iter().map(|position| position.cost.0.saturating_abs()).sum();
        let over = match self.wallet.0 {
            wallet if wallet > 0 => cost.checked_mul(RATE_ONE).map(|scaled| scaled / wallet),
            _ => None,
        };
        let over = over.and_then(|over| i64::try_from(over).ok()).unwrap_or(i64::MAX);
        if cost > 0 && Rate(over) > self.exposure.over_wallet {
            self.exposure = Exposure { cost: UsdSum(cost), over_wallet: Rate(over) };
        }
    }

    /// Moves the life of a position on, and tells of it when it ends.
    fn live(
        &mut self,
        booking: &Booking,
        index: usize,
        (before, after): (&Position, &Position),
        part: &Execution,
        out: &mut impl FnMut(Row),
    ) {
        let bar = self.quotes[booking.instrument.index()].bar;
        let filled = life::Filled {
            moment: booking.moment,
            at: booking.at,
            bar: bar.filter(|bar| bar.seq == booking.payer),
            part: *part,
            before: *before,
            after: *after,
            twice_mid: booking.twice_mid,
            incident: booking.incident,
        };
        let life = self.cells[index].life.take();
        let was_open = life.is_some();
        let (ended, next) = life::step(life, &filled);
        match next.is_some() {
            true if !was_open => self.open.push((booking.instrument, index)),
            false => self.open.retain(|(_, open)| *open != index),
            true => {}
        }
        self.cells[index].life = next;
        let Some(ended) = ended else { return };
        self.closed += 1;
        let strategy = self.seats[index / (self.instruments * Leg::ALL.len())];
        let row = ended.row(self.closed, strategy, booking.instrument, booking.leg, booking.exit);
        self.note_exit(&row);
        out(Row::Closed(row));
    }

    fn note_exit(&mut self, row: &ClosedPosition) {
        let exits = &mut self.exits[row.exit as usize];
        exits.count += 1;
        exits.wins += u64::from(row.won());
        exits.realized.0 += row.realized.0;
        exits.adverse += i128::from(row.max_adverse.0);
        exits.favorable += i128::from(row.max_favorable.0);
    }

    /// Posts a line, if there is something to post.
    fn post(
        &mut self,
        booking: &Booking,
        kind: PostingKind,
        seat: Option<usize>,
        amount: UsdSum,
        out: &mut impl FnMut(Row),
    ) {
        if amount == UsdSum::ZERO {
            return;
        }
        if let Some(seat) = seat {
            let index = self.cell(seat, booking.instrument, booking.leg);
            self.cells[index].sums[kind as usize].0 += amount.0;
        }
        let posting = Posting {
            seq: booking.moment.seq,
            line: self.line,
            ts: booking.moment.ts,
            kind,
            strategy: seat.map(|seat| self.seats[seat]),
            instrument: Some(booking.instrument),
            leg: booking.leg,
            order: Some(booking.order),
            amount,
            incident: booking.incident,
        };
        self.enter(posting, out);
    }

    /// Counts and tells a line.
    pub(super) fn enter(&mut self, posting: Posting, out: &mut impl FnMut(Row)) {
        self.totals[posting.kind as usize].0 += posting.amount.0;
        if posting.incident && posting.kind != PostingKind::Wallet {
            self.incident.0 += posting.amount.0;
        }
        self.line += 1;
        out(Row::Posting(posting));
    }

    /// The wallet's own line of an execution.
    fn close_sum(&mut self, booking: &Booking, change: UsdSum, out: &mut impl FnMut(Row)) {
        self.wallet.0 += change.0;
        self.post(booking, PostingKind::Wallet, None, UsdSum(-change.0), out);
    }
}
