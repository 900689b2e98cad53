//! Brackets to assume while the venue's own are not known.
//!
//! BTCUSDT and ETHUSDT are the exchange's own brackets as of 2024-10-24. All other symbols get a scale
//! that needs at least the margin, and allows at most the leverage, of each of the 318 USDT-margined
//! perpetuals of that day. Auxiliary amounts follow from the rates.

use super::brackets::{Brackets, auxiliary};
use crate::market::Bracket;
use crate::units::{ONE, Rate, UsdSum};

/// Cap in USD, maintenance rate in units of 0.01 %, highest leverage.
type Row = (i64, i64, i64);

const BTCUSDT: [Row; 12] = [
    (50_000, 40, 125),
    (600_000, 50, 100),
    (3_000_000, 65, 75),
    (12_000_000, 100, 50),
    (70_000_000, 200, 25),
    (100_000_000, 250, 20),
    (230_000_000, 500, 10),
    (480_000_000, 1_000, 5),
    (600_000_000, 1_250, 4),
    (800_000_000, 1_500, 3),
    (1_200_000_000, 2_500, 2),
    (1_800_000_000, 5_000, 1),
];

const ETHUSDT: [Row; 12] = [
    (50_000, 40, 125),
    (600_000, 50, 100),
    (3_000_000, 65, 75),
    (12_000_000, 100, 50),
    (50_000_000, 200, 25),
    (65_000_000, 250, 20),
    (150_000_000, 500, 10),
    (320_000_000, 1_000, 5),
    (400_000_000, 1_250, 4),
    (530_000_000, 1_500, 3),
    (800_000_000, 2_500, 2),
    (1_200_000_000, 5_000, 1),
];

const OTHER: [Row; 6] = [
    (5_000, 300, 8),
    (25_000, 500, 6),
    (100_000, 1_000, 5),
    (200_000, 1_250, 4),
    (500_000, 2_500, 2),
    (1_500_000, 5_000, 1),
];

/// The brackets assumed for a USD-M symbol.
#[must_use]
pub fn assumed(symbol: &str) -> Brackets {
    match symbol {
        "BTCUSDT" => build(&BTCUSDT),
        "ETHUSDT" => build(&ETHUSDT),
        _ => build(&OTHER),
    }
}

fn build(table: &[Row]) -> Brackets {
    let mut rows: Vec<Bracket> = Vec::with_capacity(table.len());
    for (number, &(cap, rate, leverage_max)) in (1..).zip(table) {
        let below = rows.last().copied().unwrap_or_default();
        let mut row = Bracket {
            number,
            notional_floor: below.notional_cap,
            notional_cap: UsdSum(i128::from(cap) * i128::from(ONE)),
            maintenance_rate: Rate(rate * 100_000_000),
            auxiliary: UsdSum::ZERO,
            leverage_min: 1,
            leverage_max,
        };
        row.auxiliary = auxiliary(&row, &below).expect("the tables above hold small numbers");
        rows.push(row);
    }
    Brackets::new(&rows).expect("the tables above rise and are joined by the line before")
}
