//! `docs/exhibits/smart-trend.md`: the same strategy on the same bars, with fills by crossing bars and by the venue
//! (S0-03, S0-05).

use std::fmt::Write;

use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::{ClosedPosition, ExitPath};
use fusewire_tests::{json, shared};

use super::books::Books;
use super::money::cents;
use super::{crossing, klines, page};
use crate::journal::arg;

/// 95 % of a normal distribution lie within so many standard deviations.
const Z: f64 = 1.959_963_984_540_054;

/// What trades came to.
struct Figures {
    trades: u64,
    wins: u64,
    before: UsdSum,
    fees: UsdSum,
    after: UsdSum,
    stops: u64,
}

impl Figures {
    fn of(closed: &[ClosedPosition]) -> Self {
        let sum = |of: &dyn Fn(&ClosedPosition) -> i128| UsdSum(closed.iter().map(of).sum());
        let net = |one: &ClosedPosition| one.realized.0 - one.fees.0 + one.funding.0;
        let count = |which: &dyn Fn(&ClosedPosition) -> bool| {
            closed.iter().filter(|one| which(one)).count() as u64
        };
        Self {
            trades: closed.len() as u64,
            wins: count(&|one| net(one) > 0),
            before: sum(&|one| one.realized.0),
            fees: sum(&|one| one.fees.0),
            after: sum(&net),
            stops: count(&|one| one.exit == ExitPath::Stop),
        }
    }

    fn rate(&self) -> f64 {
        self.wins as f64 / self.trades as f64
    }
}

/// Wilson's interval of a proportion (1927).
fn wilson(wins: u64, trades: u64) -> [f64; 2] {
    let (n, z2) = (trades as f64, Z * Z);
    let p = wins as f64 / n;
    let (middle, half) = (p + z2 / (2.0 * n), Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt());
    [middle - half, middle + half].map(|bound| bound / (1.0 + z2 / n))
}

#[test]
fn s0_03_s0_05_the_same_trend_strategy_by_crossing_bars_and_by_the_venue() {
    let Some(shared) = shared("s0_03_s0_05_the_same_trend_strategy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let rows = shared.join("captures/klines_1m/usdm_16sym_1m_20250504_20250524.csv.zst");
    let (capture, bars, symbols) = klines::capture(folder.path(), &rows);
    let config = page::file("smart-trend.toml");
    let journal = folder.path().join("journal");
    let how = ["--strategy", "smart-trend", "--config", arg(&config), "--journal", arg(&journal)];
    let report = json(&[&["replay", "--json", arg(&capture)][..], &how].concat());
    let (venue, crossed) = (Books::of(folder.path()), crossing::again(&journal));
    let [by_venue, by_crossing] =
        [&venue, &crossed.books].map(|books| Figures::of(&books.closed()));
    for f in [&by_crossing, &by_venue] {
        eprintln!(
            "{} {} {:.4} {:?} before {} fees {} after {} stops {}",
            f.trades,
            f.wins,
            f.rate(),
            wilson(f.wins, f.trades),
            cents(f.before),
            cents(f.fees),
            cents(f.after),
            f.stops
        );
    }
    eprintln!("{} crossed", crossed.crossed);
}
