//! What the venue charges beside fills, and how the wallets compare.

use fusewire_core::event::Event;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::order::{AccountReason, AccountUpdate, Leg, StrategyId};
use fusewire_core::portfolio::Execution;
use fusewire_core::units::{Qty, Usd, UsdSum};

use super::{
    Ledger, Posting, PostingKind, ReconcileOutcome, Reconciled, Reconciliation, Row, Told,
};

impl Ledger {
    /// Takes what the venue says of the account beside fills, and compares the wallets.
    pub(super) fn account(
        &mut self,
        event: &Event,
        instrument: Option<InstrumentId>,
        update: &AccountUpdate,
        out: &mut impl FnMut(Row),
    ) {
        self.line = 0;
        let symbols = self.instruments + 1;
        let place = instrument.map_or(self.instruments, InstrumentId::index);
        let slot =
            (update.reason as usize * symbols + place) * Leg::ALL.len() + update.leg as usize;
        let told = &mut self.told[slot];
        if update.n <= told.n {
            return;
        }
        // The increase over what is known, so that a lost update is made up for by the next.
        let change = i128::from(update.total.0) - i128::from(told.total.0);
        *told = Told { n: update.n, total: update.total };
        let kind = match update.reason {
            AccountReason::Funding => Some(PostingKind::Funding),
            AccountReason::LiquidationFee => Some(PostingKind::LiquidationFee),
            AccountReason::Insurance => Some(PostingKind::Insurance),
            AccountReason::Transfer => Some(PostingKind::Transfer),
            AccountReason::Snapshot => None,
        };
        if let Some(kind) = kind
            && change != 0
        {
            self.charge(event, instrument, update, (kind, change), out);
        }
        // A balance from behind it was compared already, and knew of it.
        if update.n < self.reconciled.n {
            self.reconciled.since.0 += change;
        }
        if update.is_repeat() {
            // The balance comes behind the last of what is told again.
            self.newest = self.newest.max(update.n);
        } else {
            self.reconcile(event, update, out);
        }
    }

    /// Posts a charge, of those who hold the position as far as there are such.
    fn charge(
        &mut self,
        event: &Event,
        instrument: Option<InstrumentId>,
        update: &AccountUpdate,
        (kind, change): (PostingKind, i128),
        out: &mut impl FnMut(Row),
    ) {
        let incident = matches!(kind, PostingKind::LiquidationFee | PostingKind::Insurance);
        let line = |ledger: &Self, seat: Option<usize>, kind, amount| Posting {
            seq: event.seq,
            line: ledger.line,
            ts: event.ts,
            kind,
            strategy: seat.map(|seat| ledger.seats[seat]),
            instrument,
            leg: update.leg,
            order: None,
            amount: UsdSum(amount),
            incident,
        };
        let mut left = change;
        let of_position = matches!(kind, PostingKind::Funding | PostingKind::LiquidationFee);
        if let Some(id) = instrument.filter(|_| of_position) {
            let held = |ledger: &Self, seat| {
                let cell = ledger.cell(seat, id, update.leg);
                i128::from(ledger.cells[cell].position.qty.0)
            };
            let all: i128 = (0..self.seats.len()).map(|seat| held(self, seat)).sum();
            let mut exit = exit(all);
            for seat in 0..self.seats.len() {
                let qty = if kind == PostingKind::LiquidationFee {
                    // Of those whose position the exit is going to close.
                    let cell = &self.cells[self.cell(seat, id, update.leg)];
                    let part = exit.take_of(StrategyId::VENUE, (self.seats[seat], &cell.position));
                    part.map_or(0, |part| i128::from(part.qty.0) * all.signum())
                } else {
                    held(self, seat)
                };
                let share = match change.checked_mul(qty) {
                    Some(product) if all != 0 => product / all,
                    Some(_) | None => 0,
                };
                if share == 0 {
                    continue;
                }
                left -= share;
                let index = self.cell(seat, id, update.leg);
                let cell = &mut self.cells[index];
                cell.sums[kind as usize].0 += share;
                if let Some(life) = &mut cell.life {
                    life.charge(kind, UsdSum(share));
                }
                let posting = line(self, Some(seat), kind, share);
                self.enter(posting, out);
            }
        }
        if left != 0 {
            let posting = line(self, None, kind, left);
            self.enter(posting, out);
        }
        self.wallet.0 += change;
        let posting = line(self, None, PostingKind::Wallet, -change);
        self.enter(posting, out);
        self.assert_conserved();
    }

    /// Compares the wallets (S0-36).
    fn reconcile(&mut self, event: &Event, update: &AccountUpdate, out: &mut impl FnMut(Row)) {
        // The fee of a liquidation comes before its fills, of the same moment.
        let after_fills =
            update.reason == AccountReason::LiquidationFee && update.at == self.executed_at;
        let late = update.n < self.newest || update.at < self.executed_at || after_fills;
        self.newest = self.newest.max(update.n);
        let venue = UsdSum(i128::from(update.wallet.0));
        let drift = (self.wallet.0 - venue.0).unsigned_abs();
        let above = |limit: Usd| drift > u128::from(limit.0.unsigned_abs());
        let outcome = if late {
            ReconcileOutcome::Late
        } else if above(self.drift_block) {
            ReconcileOutcome::Blocks
        } else if above(self.drift_alert) {
            ReconcileOutcome::Drifts
        } else {
            ReconcileOutcome::Agrees
        };
        let (seq, ts, at, ledger) = (event.seq, event.ts, update.at, self.wallet);
        let reconciliation = Reconciliation { seq, ts, at, ledger, venue, outcome };
        self.reconciled.outcomes[outcome as usize] += 1;
        if !late {
            let outcomes = self.reconciled.outcomes;
            let (last, since, n) = (Some(reconciliation), UsdSum::ZERO, update.n);
            self.reconciled = Reconciled { outcomes, last, since, n };
        }
        out(Row::Reconciliation(reconciliation));
    }
}

/// The venue's exit from so much.
fn exit(held: i128) -> Execution {
    let side = if held > 0 { Side::Sell } else { Side::Buy };
    let qty = Qty(i64::try_from(held.unsigned_abs()).unwrap_or(i64::MAX));
    Execution { side, qty, quote: Usd::ZERO, fee: Usd::ZERO }
}
