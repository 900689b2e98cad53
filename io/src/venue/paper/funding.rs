//! Funding: each symbol has a boundary of its own, which its marks name together with the rate (S0-35). What is
//! held at that moment pays or receives, by the last mark price and the last rate before it.

use fusewire_core::event::{self, Mark, Origin};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::AccountReason;
use fusewire_core::units::{Nanos, Px, Qty, Rate, Round, Usd, div_round};

use super::desk::At;
use super::money::Charge;
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// Price and quantity at 1e-8 and a rate at 1e-12, to an amount at 1e-8.
const SCALE: i128 = 10_i128.pow(8 + 12);

/// How far what is told of a boundary may lie behind the boundary itself: the exchange gives its time as the moment of
/// the charge, some milliseconds to seconds late, and no two boundaries are less than an hour apart.
const SAME_BOUNDARY: Nanos = Nanos(60 * Nanos::SECOND);

/// The boundaries that every interval of the exchange (8, 4, 1 h) has: 00:00, 08:00 and 16:00 UTC.
const GRID: u64 = 8 * 3_600 * Nanos::SECOND;

/// What the marks of one symbol said last.
#[derive(Clone, Copy, Debug, Default)]
struct Rated {
    rate: Option<Rate>,
    /// The rate comes from the assumption set.
    is_assumed: bool,
    /// It was told what was really charged: marks no longer count.
    is_recorded: bool,
    /// The next boundary.
    next: Option<Nanos>,
    /// The last one that was settled.
    settled: Nanos,
    /// What was paid then.
    paid: Option<Paid>,
    /// Something was held at the last boundary of the grid, and no charge of it was seen.
    is_owed: bool,
}

/// One charge.
#[derive(Clone, Copy, Debug)]
struct Paid {
    qty: Qty,
    price: Px,
    rate: Rate,
}

/// What a real charge is to what was settled so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charged {
    /// Of a boundary that was not settled.
    News,
    /// Of one that was.
    Settled,
}

/// Marks and boundaries by symbol.
#[derive(Debug)]
pub(super) struct Funding {
    symbols: Vec<Rated>,
    /// The earliest of the boundaries; the end of time without one.
    earliest: Nanos,
    /// The next boundary of the grid; 0 before the first event.
    grid: u64,
    /// The one before it was so short a time ago that its charges may still be told.
    is_recent: bool,
}

impl Funding {
    pub(super) fn new(symbols: usize) -> Self {
        Self {
            symbols: vec![Rated::default(); symbols],
            earliest: Nanos(u64::MAX),
            grid: 0,
            is_recent: false,
        }
    }

    /// Takes what a mark says of rate and boundary.
    pub(super) fn note(&mut self, id: InstrumentId, mark: &Mark) {
        let symbol = &mut self.symbols[id.index()];
        if symbol.is_recorded {
            return;
        }
        if mark.funding_rate.is_some() {
            (symbol.rate, symbol.is_assumed) = (mark.funding_rate, mark.origin == Origin::Assumed);
        }
        let next = mark.next_funding.filter(|next| *next > symbol.settled).or(symbol.next);
        // It changes once in hours, and a mark comes each second.
        if next != symbol.next {
            symbol.next = next;
            self.find_earliest();
        }
    }

    /// Takes what was really charged. What marks say of it from now on no longer counts.
    fn note_charged(&mut self, id: InstrumentId, charged: &event::Funding) -> Charged {
        let symbol = &mut self.symbols[id.index()];
        (symbol.rate, symbol.is_assumed) = (Some(charged.rate), false);
        (symbol.is_recorded, symbol.next) = (true, None);
        let is_again = charged.at.since(symbol.settled) <= i128::from(SAME_BOUNDARY.0);
        self.find_earliest();
        if is_again { Charged::Settled } else { Charged::News }
    }

    /// Boundaries of the grid since it was asked last.
    fn passed(&mut self, now: Nanos) -> u64 {
        if now.0 < self.grid {
            return 0;
        }
        let next = (now.0 / GRID).saturating_add(1).saturating_mul(GRID);
        let passed = if self.grid == 0 { 0 } else { (next - self.grid) / GRID };
        self.grid = next;
        passed
    }

    /// True when the charges of the last boundary of the grid were told, if ever.
    fn is_over(&self, now: Nanos) -> bool {
        now.0.saturating_add(GRID) > self.grid.saturating_add(SAME_BOUNDARY.0)
    }

    fn find_earliest(&mut self) {
        let next = self.symbols.iter().filter_map(|symbol| symbol.next).min();
        self.earliest = next.unwrap_or(Nanos(u64::MAX));
    }

    /// A symbol whose boundary has come, the earliest first.
    fn due(&self, now: Nanos) -> Option<(InstrumentId, Nanos)> {
        if now < self.earliest {
            return None;
        }
        let index = self.symbols.iter().position(|symbol| symbol.next == Some(self.earliest))?;
        Some((InstrumentId(u16::try_from(index).ok()?), self.earliest))
    }

    /// Settles a charge when there is room.
    fn put_off(&mut self, id: InstrumentId, boundary: Nanos) {
        self.symbols[id.index()].next = Some(boundary);
        self.find_earliest();
    }

    fn settled(&mut self, id: InstrumentId, boundary: Nanos) {
        let symbol = &mut self.symbols[id.index()];
        (symbol.next, symbol.settled) = (None, boundary);
        self.find_earliest();
    }
}

impl PaperVenue {
    /// Settles what is due. Nothing was held since that was not held at the boundary: requests that are in wake the
    /// venue at their time. A boundary at which nobody is charged tells the balance all the same, so that the ledger
    /// is compared with it once an interval (S0-36).
    pub(super) fn settle_funding(&mut self, at: At, out: &mut Feedbacks) {
        let passed = self.funding.passed(at.ts);
        if passed > 0 {
            self.count_held(passed);
        } else if self.funding.is_recent && self.funding.is_over(at.ts) {
            self.count_owed();
        }
        while let Some((id, boundary)) = self.funding.due(at.ts) {
            if out.room() < COPIES {
                self.desk.stats.put_off += 1;
                return;
            }
            self.funding.settled(id, boundary);
            self.pay_funding(at, id, boundary, out);
            if self.funding.earliest > boundary && self.told_at != boundary {
                let none = Charge::of_account(AccountReason::Snapshot, Usd::ZERO, boundary);
                self.desk.charge(at, &none, out);
            }
        }
    }

    /// Charges what was really charged, at the moment at which it was. A boundary that was settled before, by what a mark
    /// or the assumption said, is put right.
    pub(super) fn charge_funding(
        &mut self,
        at: At,
        id: InstrumentId,
        charged: &event::Funding,
        out: &mut Feedbacks,
    ) {
        let known = self.funding.note_charged(id, charged);
        if out.room() < COPIES {
            self.desk.stats.put_off += 1;
            // It is settled when there is room; one that was settled stays as it is.
            if known == Charged::News {
                self.funding.put_off(id, charged.at);
            }
            return;
        }
        match known {
            Charged::News => {
                self.funding.settled(id, charged.at);
                self.pay_funding(at, id, charged.at, out);
            }
            Charged::Settled => self.put_right(at, id, charged, out),
        }
    }

    /// Charges by how much a boundary that is settled was charged otherwise.
    fn put_right(
        &mut self,
        at: At,
        id: InstrumentId,
        charged: &event::Funding,
        out: &mut Feedbacks,
    ) {
        let Some(paid) = self.funding.symbols[id.index()].paid.take() else { return };
        let Paid { qty, price, rate } = paid;
        let both = funding(qty, price, charged.rate).zip(funding(qty, price, rate));
        let change = both.and_then(|(is, was)| is.0.checked_sub(was.0)).unwrap_or(0);
        if change != 0 {
            self.charge(at, id, (paid, charged.rate, Usd(change)), charged.at, out);
        }
    }

    fn charge(
        &mut self,
        at: At,
        id: InstrumentId,
        (Paid { qty, price, .. }, rate, change): (Paid, Rate, Usd),
        when: Nanos,
        out: &mut Feedbacks,
    ) {
        let instrument = Some(id);
        let reason = AccountReason::Funding;
        let charge = Charge { reason, instrument, change, qty, price, rate, when };
        self.desk.charge(at, &charge, out);
    }

    /// What should be charged is counted by the clock, and not by the marks that say when it is. The last boundary counts
    /// when it was charged, or when it is over: data that end with it may lack the charge.
    fn count_held(&mut self, boundaries: u64) {
        if self.funding.is_recent {
            self.count_owed();
        }
        for (id, _) in self.universe.iter() {
            let is_held = self.desk.portfolio.position(id).qty != Qty::ZERO;
            self.funding.symbols[id.index()].is_owed = is_held;
            self.desk.stats.boundaries_held += if is_held { boundaries - 1 } else { 0 };
        }
        self.funding.is_recent = true;
    }

    /// The last boundary is over: what was held at it and not charged counts as held.
    fn count_owed(&mut self) {
        let owed = self.funding.symbols.iter().filter(|symbol| symbol.is_owed).count();
        self.desk.stats.boundaries_held += owed as u64;
        self.funding.is_recent = false;
    }

    fn pay_funding(&mut self, at: At, id: InstrumentId, boundary: Nanos, out: &mut Feedbacks) {
        let qty = self.desk.portfolio.position(id).qty;
        let symbol = self.funding.symbols[id.index()];
        self.funding.symbols[id.index()].paid = None;
        if qty != Qty::ZERO {
            let known = self.mark(id).zip(symbol.rate);
            let paid = known.and_then(|(mark, rate)| Some((mark, rate, funding(qty, mark, rate)?)));
            let Some((price, rate, change)) = paid else {
                self.desk.stats.funding_unknown += 1;
                return;
            };
            let paid = Paid { qty, price, rate };
            self.funding.symbols[id.index()].paid = Some(paid);
            self.charge(at, id, (paid, rate, change), boundary, out);
            self.told_at = boundary;
        }
        // What was held at the boundary may be gone by the time at which it is told: it was charged all the same.
        let is_charge = !symbol.is_assumed || symbol.rate.is_some_and(|rate| rate != Rate::ZERO);
        if symbol.is_owed && is_charge && boundary.0 % GRID <= SAME_BOUNDARY.0 {
            self.desk.stats.boundaries_charged += 1;
            self.desk.stats.boundaries_held += u64::from(self.funding.is_recent);
            self.funding.symbols[id.index()].is_owed = false;
        }
    }
}

/// What funding brings a position: minus quantity times mark times rate, rounded against the account. None when it
/// leaves its range.
fn funding(qty: Qty, mark: Px, rate: Rate) -> Option<Usd> {
    let notional = i128::from(qty.0) * i128::from(mark.0);
    let paid = match notional.checked_mul(i128::from(rate.0)) {
        Some(product) => div_round(product, SCALE, Round::Up)?,
        // Beyond 17 digits of USD and rate: the notional is rounded first.
        None => mark.notional(qty, Round::Up).times(rate, Round::Up)?.0,
    };
    i64::try_from(-paid).ok().map(Usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 0.123 x 28,000.5 x 0.0001 = 0.34440615, and what does not come out even goes against the account.
    #[test]
    fn s0_35_funding_is_rounded_against_the_account() {
        let (mark, rate) = (Px(2_800_050_000_000), Rate(100_000_000));
        assert_eq!(funding(Qty(12_300_000), mark, rate), Some(Usd(-34_440_615)));
        assert_eq!(funding(Qty(-12_300_000), mark, rate), Some(Usd(34_440_615)));
        assert_eq!(funding(Qty(12_300_000), mark, Rate(-100_000_000)), Some(Usd(34_440_615)));
        assert_eq!(funding(Qty(1), mark, rate), Some(Usd(-3)), "0.0000000280005 is paid as 3e-8");
        assert_eq!(funding(Qty(-1), mark, rate), Some(Usd(2)), "and received as 2e-8");
        assert_eq!(funding(Qty(i64::MAX), Px(i64::MAX), Rate(i64::MAX)), None);
    }
}
