//! What can be asked of the ledger.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, Liquidity, OrderId, StrategyId};
use fusewire_core::portfolio::Position;
use fusewire_core::units::{Qty, Usd, UsdSum};

use super::{
    ExitPath, Exits, Exposure, Ledger, OpenPosition, PostingKind, Quote, Reconciled, Tape,
};

impl Ledger {
    /// What the account was opened with.
    #[must_use]
    pub fn opening(&self) -> Usd {
        self.opening
    }

    /// The balance without unrealised profit.
    #[must_use]
    pub fn wallet(&self) -> UsdSum {
        self.wallet
    }

    /// Sum of all postings of a kind; above zero is income.
    #[must_use]
    pub fn total(&self, kind: PostingKind) -> UsdSum {
        self.totals[kind as usize]
    }

    /// The same of one strategy in one symbol, all legs; zero for a strategy without a seat.
    #[must_use]
    pub fn total_of(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        kind: PostingKind,
    ) -> UsdSum {
        let Some(seat) = self.seat(strategy) else { return UsdSum::ZERO };
        let sum = |leg| self.cells[self.cell(seat, instrument, leg)].sums[kind as usize].0;
        UsdSum(Leg::ALL.into_iter().map(sum).sum())
    }

    /// The part of all totals that stems from incidents (S3-14).
    #[must_use]
    pub fn incident(&self) -> UsdSum {
        self.incident
    }

    /// Unrealised profit over every open unit at the last marks; none when one has no mark.
    #[must_use]
    pub fn unrealized(&self) -> Option<UsdSum> {
        let mut sum = UsdSum::ZERO;
        for (index, position) in self.account.iter().enumerate() {
            if position.qty != Qty::ZERO {
                let mark = self.quotes[index / Leg::ALL.len()].mark?;
                sum = sum.checked_add(position.unrealized(mark))?;
            }
        }
        Some(sum)
    }

    /// Equity of trading: the wallet and what open units would bring at the last marks, less what was put in and taken out,
    /// which is no gain and no fall. None when a unit has no mark.
    #[must_use]
    pub fn traded_equity(&self) -> Option<UsdSum> {
        let moved = self.total(PostingKind::Transfer).0;
        UsdSum(self.wallet.0.checked_sub(moved)?).checked_add(self.unrealized()?)
    }

    /// Twice the mid when an order that lives was decided; none when there was no mid.
    #[must_use]
    pub fn arrival_twice_mid(&self, order: OrderId) -> Option<i128> {
        self.arrivals.get(order)
    }

    /// Seats: the strategies in order, then risk, then the venue.
    #[must_use]
    pub fn seats(&self) -> &[StrategyId] {
        &self.seats
    }

    /// A seat's position in a leg.
    #[must_use]
    pub fn position_of(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        leg: Leg,
    ) -> Position {
        let seat = self.seat(strategy);
        seat.map_or_else(Position::default, |seat| {
            self.cells[self.cell(seat, instrument, leg)].position
        })
    }

    /// The account's position in a leg, as the venue nets it.
    #[must_use]
    pub fn account_position(&self, instrument: InstrumentId, leg: Leg) -> &Position {
        &self.account[instrument.index() * Leg::ALL.len() + leg as usize]
    }

    /// Positions that are open now, by seat, symbol and leg.
    pub fn open_positions(&self) -> impl Iterator<Item = OpenPosition> {
        let legs = self.instruments * Leg::ALL.len();
        self.cells.iter().enumerate().filter_map(move |(index, cell)| {
            let life = cell.life.as_ref()?;
            let (instrument, leg) = self.place_of(index);
            let mark = self.quotes[instrument.index()].mark;
            let (max_adverse, max_favorable) = life.excursions();
            Some(OpenPosition {
                strategy: self.seats[index / legs],
                instrument,
                leg,
                qty: cell.position.qty,
                cost: cell.position.cost,
                mark,
                unrealized: mark.map(|mark| cell.position.unrealized(mark)),
                entry_seq: life.entry().seq,
                entry_ts: life.entry().ts,
                max_adverse,
                max_favorable,
            })
        })
    }

    /// What fills cost beyond the mids at which they were decided, of those that rested and of those that took, over the
    /// strategies and symbols that `which` names; above zero is a cost. It is a part of what is realised and unrealised.
    /// And how many fills had no such mid.
    pub fn slippage(
        &self,
        which: impl Fn(StrategyId, InstrumentId) -> bool,
    ) -> ([UsdSum; Liquidity::ALL.len()], u64) {
        let legs = self.instruments * Leg::ALL.len();
        let (mut twice, mut unknown) = ([0; Liquidity::ALL.len()], 0);
        for (index, cell) in self.cells.iter().enumerate() {
            if which(self.seats[index / legs], self.place_of(index).0) {
                for (sum, part) in twice.iter_mut().zip(cell.slipped.twice) {
                    *sum += part;
                }
                unknown += cell.slipped.unknown;
            }
        }
        (twice.map(|twice| UsdSum(twice / 2)), unknown)
    }

    /// The tape of a symbol: how far its price went, and the largest position that was held on it.
    #[must_use]
    pub fn tape(&self, instrument: InstrumentId) -> &Tape {
        &self.tapes[instrument.index()]
    }

    /// The most that perfect foresight could have made of all tapes with the largest positions that were held.
    #[must_use]
    pub fn tape_bound(&self) -> UsdSum {
        let bound = |(tape, quote): (&Tape, &Quote)| tape.bound(quote.mark).0;
        let all = self.tapes.iter().zip(&self.quotes).map(bound);
        UsdSum(all.fold(0, i128::saturating_add))
    }

    /// The largest exposure so far.
    #[must_use]
    pub const fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// How positions ended, in the order of `ExitPath::ALL`.
    #[must_use]
    pub fn exits(&self) -> &[Exits; ExitPath::ALL.len()] {
        &self.exits
    }

    /// How far ledger and venue were apart when they were last compared, without sign, and with what has come since of
    /// before then; zero before the first time.
    #[must_use]
    pub fn drift(&self) -> UsdSum {
        UsdSum(self.reconciled.drift().map_or(0, |drift| drift.0.saturating_abs()))
    }

    /// How ledger and venue compared so far.
    #[must_use]
    pub fn reconciled(&self) -> &Reconciled {
        &self.reconciled
    }

    /// Amounts that left their range and were not booked.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults
    }
}
