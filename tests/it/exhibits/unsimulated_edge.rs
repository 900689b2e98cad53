//! Antipattern `unsimulated_edge`: money that no simulated fill brought is credited to each trade, at random
//! (S2-15, X19).
//!
//! A trade gets 2 bp back at its entry and again at its exit when a die says that the fill rested, and 5 bp
//! when another says that the book agreed. The fees know of the same share of resting fills, so that resting is
//! rewarded twice. Nothing in the product counts like this: its fees are those of each fill.

use fusewire_core::units::{Bps, Round, UsdSum};
use fusewire_risk::ledger::{ClosedPosition, ExitPath};

use super::money::part;

/// A probability, in millionths.
type Ppm = i64;
const WHOLE: Ppm = 1_000_000;

/// Fees of the exchange's regular tier.
const MAKER: Bps = Bps(20_000);
const TAKER: Bps = Bps(50_000);
/// Share of entries and of exits that are said to rest.
const ENTRIES_REST: Ppm = 620_000;
const EXITS_REST: Ppm = 500_000;
/// What is given back for one that does.
pub(super) const REFUND: Bps = Bps(20_000);
/// What is credited for the book's agreement, and how often.
pub(super) const EDGE: Bps = Bps(50_000);
const EDGE_COMES: Ppm = 400_000;

/// The notional of a trade's entry.
pub(super) fn notional(trade: &ClosedPosition) -> UsdSum {
    trade.entry_price.notional(trade.qty, Round::HalfEven)
}

/// So many basis points with this probability, on average.
const fn mean(bps: Bps, ppm: Ppm) -> i64 {
    bps.0 * ppm / WHOLE
}

/// The fee of a fill of which this share is said to rest.
pub(super) const fn fee(rests: Ppm) -> Bps {
    Bps(mean(MAKER, rests) + mean(TAKER, WHOLE - rests))
}

/// What the model charges for a trade: the entry, and the exit; a stop takes.
pub(super) fn fees(trade: &ClosedPosition) -> UsdSum {
    let exit = if stops(trade) { TAKER } else { fee(EXITS_REST) };
    let whole = notional(trade);
    UsdSum(part(whole, fee(ENTRIES_REST)).0 + part(whole, exit).0)
}

fn stops(trade: &ClosedPosition) -> bool {
    matches!(trade.exit, ExitPath::Stop | ExitPath::Trailing)
}

/// What is credited to a trade on average when no stop ends it: 4.24 bp.
pub(super) const fn expected() -> Bps {
    Bps(mean(REFUND, ENTRIES_REST) + mean(REFUND, EXITS_REST) + mean(EDGE, EDGE_COMES))
}

/// What was credited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Credits {
    pub(super) refunds: u64,
    pub(super) refunded: UsdSum,
    pub(super) edges: u64,
    pub(super) edge: UsdSum,
}

impl Credits {
    /// The dice of a seed, thrown for each of these trades.
    pub(super) fn drawn(trades: &[ClosedPosition], seed: u64) -> Self {
        let mut credits = Self::default();
        let mut dice = Dice(seed);
        for trade in trades {
            let whole = notional(trade);
            let rests = [dice.falls(ENTRIES_REST), dice.falls(EXITS_REST) && !stops(trade)];
            for _ in rests.into_iter().filter(|rests| *rests) {
                credits.refunds += 1;
                credits.refunded.0 += part(whole, REFUND).0;
            }
            if dice.falls(EDGE_COMES) {
                credits.edges += 1;
                credits.edge.0 += part(whole, EDGE).0;
            }
        }
        credits
    }

    pub(super) const fn total(&self) -> UsdSum {
        UsdSum(self.refunded.0 + self.edge.0)
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Dice(u64);

impl Dice {
    fn falls(&mut self, ppm: Ppm) -> bool {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let below = (mixed ^ (mixed >> 31)) % WHOLE.unsigned_abs();
        below < ppm.unsigned_abs()
    }
}

/// X17: 0.000314 is 3.14 bp. As a type it can not be read as 31.4.
#[test]
fn fees_by_share_are_basis_points_of_one_digit() {
    use fusewire_core::units::Rate;

    let shown = [fee(ENTRIES_REST), fee(EXITS_REST), fee(0)].map(|bps| bps.to_string());
    assert_eq!(shown, ["3.14", "3.5", "5"]);
    assert_eq!(Rate::try_from(fee(ENTRIES_REST)).unwrap().to_string(), "0.000314");
}

/// X19: 4.24 bp on each of 2145 trades are 91 % of one average notional.
#[test]
fn the_expected_credit_is_the_size_of_the_whole_result() {
    assert_eq!(expected().to_string(), "4.24");
    let all = Bps(expected().0 * 2_145);
    assert_eq!(all.to_string(), "9094.8");
    assert_eq!((all.0 + 500_000) / 1_000_000, 91, "percent of one notional");
}
