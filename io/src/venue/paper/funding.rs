//! Funding: each symbol has a boundary of its own, which its marks name together with the rate (S0-35). What is
//! held at that moment pays or receives, by the last mark price and the last rate before it.

use fusewire_core::event::Mark;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::AccountReason;
use fusewire_core::units::{Nanos, Px, Qty, Rate, Round, Usd, div_round};

use super::desk::At;
use super::money::Charge;
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// Price and quantity at 1e-8 and a rate at 1e-12, to an amount at 1e-8.
const SCALE: i128 = 10_i128.pow(8 + 12);

/// The boundaries that every interval of the exchange (8, 4, 1 h) has: 00:00, 08:00 and 16:00 UTC.
const GRID: u64 = 8 * 3_600 * Nanos::SECOND;

/// What the marks of one symbol said last.
#[derive(Clone, Copy, Debug, Default)]
struct Rated {
    rate: Option<Rate>,
    /// The next boundary.
    next: Option<Nanos>,
    /// The last one that was settled.
    settled: Nanos,
}

/// Marks and boundaries by symbol.
#[derive(Debug)]
pub(super) struct Funding {
    symbols: Vec<Rated>,
    /// The earliest of the boundaries; the end of time without one.
    earliest: Nanos,
    /// The next boundary of the grid; 0 before the first event.
    grid: u64,
}

impl Funding {
    pub(super) fn new(symbols: usize) -> Self {
        Self { symbols: vec![Rated::default(); symbols], earliest: Nanos(u64::MAX), grid: 0 }
    }

    /// Takes what a mark says of rate and boundary.
    pub(super) fn note(&mut self, id: InstrumentId, mark: &Mark) {
        let symbol = &mut self.symbols[id.index()];
        symbol.rate = mark.funding_rate.or(symbol.rate);
        let next = mark.next_funding.filter(|next| *next > symbol.settled).or(symbol.next);
        // It changes once in hours, and a mark comes each second.
        if next != symbol.next {
            symbol.next = next;
            self.find_earliest();
        }
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

    /// What should be charged is counted by the clock, and not by the marks that say when it is.
    fn count_held(&mut self, boundaries: u64) {
        let is_held = |id| self.desk.portfolio.position(id).qty != Qty::ZERO;
        let held = self.universe.iter().filter(|(id, _)| is_held(*id)).count();
        self.desk.stats.boundaries_held += boundaries * held as u64;
    }

    fn pay_funding(&mut self, at: At, id: InstrumentId, boundary: Nanos, out: &mut Feedbacks) {
        let qty = self.desk.portfolio.position(id).qty;
        if qty == Qty::ZERO {
            return;
        }
        let known = self.mark(id).zip(self.funding.symbols[id.index()].rate);
        let paid = known.and_then(|(mark, rate)| Some((mark, rate, funding(qty, mark, rate)?)));
        let Some((price, rate, change)) = paid else {
            self.desk.stats.funding_unknown += 1;
            return;
        };
        let charge = Charge {
            reason: AccountReason::Funding,
            instrument: Some(id),
            change,
            qty,
            price,
            rate,
            when: boundary,
        };
        self.desk.charge(at, &charge, out);
        self.desk.stats.boundaries_charged += u64::from(boundary.0.is_multiple_of(GRID));
        self.told_at = boundary;
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
