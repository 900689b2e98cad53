//! Contract arithmetic against worked examples, and against its definition in big integers.

mod definition;
mod fees;
mod margins;
mod prices;

use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::market::Bracket;
use crate::market::Side;
use crate::portfolio::{Execution, Position};
use crate::units::{ONE, Usd};

fn usd(text: &str) -> UsdSum {
    UsdSum::parse(text.as_bytes()).unwrap()
}

fn wallet(text: &str) -> Usd {
    Usd::parse(text.as_bytes()).unwrap()
}

fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::parse(text.as_bytes()).unwrap()
}

/// Rows of (cap, rate, auxiliary, leverage) as the exchange prints them.
fn rows(table: &[(&str, &str, &str, i64)]) -> Vec<Bracket> {
    let mut floor = UsdSum::ZERO;
    let mut rows = Vec::new();
    for (number, &(cap, mmr, auxiliary, leverage_max)) in (1..).zip(table) {
        rows.push(Bracket {
            number,
            notional_floor: floor,
            notional_cap: usd(cap),
            maintenance_rate: rate(mmr),
            auxiliary: usd(auxiliary),
            leverage_min: 1,
            leverage_max,
        });
        floor = usd(cap);
    }
    rows
}

fn brackets(table: &[(&str, &str, &str, i64)]) -> Brackets {
    Brackets::new(&rows(table)).unwrap()
}

/// One bracket that holds everything.
fn flat(mmr: &str) -> Brackets {
    brackets(&[("1000000000000", mmr, "0", 20)])
}

/// BTCUSDT as in the exchange's example of its liquidation formula (2021).
fn btc_2021() -> Brackets {
    brackets(&[
        ("50000", "0.004", "0", 125),
        ("250000", "0.005", "50", 100),
        ("1000000", "0.01", "1300", 50),
        ("10000000", "0.025", "16300", 20),
        ("20000000", "0.05", "266300", 10),
    ])
}

/// ETHUSDT as in the same example.
fn eth_2021() -> Brackets {
    brackets(&[
        ("10000", "0.005", "0", 100),
        ("100000", "0.0065", "15", 75),
        ("500000", "0.01", "365", 50),
        ("1000000", "0.02", "5365", 25),
        ("2000000", "0.05", "35365", 10),
        ("5000000", "0.1", "135365", 5),
        ("10000000", "0.125", "260365", 4),
    ])
}

fn isolated(text: &str) -> Collateral {
    Collateral::Isolated { wallet: wallet(text) }
}

fn cross(balance: &str, maintenance: &str, unrealized: &str) -> Collateral {
    Collateral::Cross {
        wallet: wallet(balance),
        other_maintenance: usd(maintenance),
        other_unrealized: usd(unrealized),
    }
}

fn liquidated(
    size: &str,
    entry: &str,
    collateral: &Collateral,
    brackets: &Brackets,
) -> Result<Liquidation, OutOfRange> {
    liquidation(&Holding::at(px(entry), qty(size)), collateral, brackets)
}

fn at(text: &str) -> Result<Liquidation, OutOfRange> {
    Ok(Liquidation::At(px(text)))
}

/// Numbers of all lengths, so that some products fit and some do not.
fn any_size() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}
