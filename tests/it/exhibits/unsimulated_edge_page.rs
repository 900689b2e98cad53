//! `docs/exhibits/unsimulated-edge.md`: the same trades with what their fills cost, and with what a die gave
//! them (S2-15, X19).

use std::fmt::Write;

use fusewire_core::units::{Bps, UsdSum};
use fusewire_risk::ledger::{ClosedPosition, PostingKind};

use super::books::{Books, Exhibit};
use super::money::{bp_of, cents, part};
use super::page;
use super::unsimulated_edge::{Credits, expected, fees, notional};

const EXHIBIT: Exhibit = Exhibit {
    scenario: "burst",
    minutes: "10",
    symbols: "BTCUSDT,ETHUSDT",
    strategy: "taker",
    config: "unsimulated-edge.toml",
    reconcile: "599",
};
/// The seed of the dice.
const SEED: u64 = 42;
/// Seeds over which the mean is taken.
const SEEDS: u64 = 1_000;
/// The run that the model came from: trades.
const THEIRS: i64 = 2_145;

fn sum(trades: &[ClosedPosition], of: impl Fn(&ClosedPosition) -> UsdSum) -> UsdSum {
    UsdSum(trades.iter().map(|trade| of(trade).0).sum())
}

/// Smallest, mean and largest credit over many seeds.
fn spread(trades: &[ClosedPosition]) -> [UsdSum; 3] {
    let all: Vec<i128> = (1..=SEEDS).map(|seed| Credits::drawn(trades, seed).total().0).collect();
    let mean = all.iter().sum::<i128>() / i128::from(SEEDS);
    [*all.iter().min().unwrap(), mean, *all.iter().max().unwrap()].map(UsdSum)
}

#[test]
fn random_credits_are_worth_more_than_the_trades_and_the_formula_says_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let report = EXHIBIT.run(folder.path());
    let books = Books::of(folder.path());
    let trades = books.closed();
    assert!(trades.len() > 100, "{} trades", trades.len());
    page::check("unsimulated-edge.md", &block(&trades));

    // The trades are all that happened.
    let closed = sum(&trades, |trade| UsdSum(trade.realized.0 - trade.fees.0));
    assert_eq!(books.keeper.ledger().open_positions().count(), 0);
    assert_eq!(closed, books.total());
    assert_eq!(report["pnl"]["total"], closed.to_string());
    let traded = sum(&trades, notional);
    let formula = part(traded, expected());
    let [low, mean, high] = spread(&trades);
    assert!((mean.0 - formula.0).abs() < formula.0 / 100, "{mean} and {formula}");
    assert!(low < mean && mean < high);
    let credits = Credits::drawn(&trades, SEED);
    assert_eq!(credits, Credits::drawn(&trades, SEED), "the same dice fall alike");
    assert!((low..=high).contains(&credits.total()));
    // Not one of the fills that get a refund rested.
    let maker = books.total_of(&[PostingKind::FeeMaker]);
    assert_eq!(maker, UsdSum::ZERO);
}

/// What stands on the page.
fn block(trades: &[ClosedPosition]) -> String {
    let traded = sum(trades, notional);
    let realized = sum(trades, |trade| trade.realized);
    let [booked, modelled] = [sum(trades, |trade| trade.fees), sum(trades, fees)];
    let credits = Credits::drawn(trades, SEED);
    let without = UsdSum(realized.0 - booked.0);
    let by_share = UsdSum(realized.0 - modelled.0);
    let with = UsdSum(by_share.0 + credits.total().0);
    let mut text = format!(
        "{} trades, {} USDT of notional entered. USDT, and basis points of that notional:\n\n\
         | | the ledger | fees by share | and credits at random |\n|---|---|---|---|\n",
        trades.len(),
        cents(traded).trim_start_matches('+')
    );
    let both = |amount: UsdSum| format!("{} ({} bp)", cents(amount), bp_of(amount, traded));
    let minus = |amount: UsdSum| UsdSum(-amount.0);
    let rows = [
        ("realised, before fees".to_owned(), [realized; 3].map(both)),
        ("fees".to_owned(), [booked, modelled, modelled].map(minus).map(both)),
        (
            format!("{} refunds of 2 bp", credits.refunds),
            ["none".to_owned(), "none".to_owned(), both(credits.refunded)],
        ),
        (
            format!("{} times an edge of 5 bp", credits.edges),
            ["none".to_owned(), "none".to_owned(), both(credits.edge)],
        ),
        (
            "**result**".to_owned(),
            [without, by_share, with].map(|amount| format!("**{}**", both(amount))),
        ),
    ];
    for (name, [a, b, c]) in rows {
        writeln!(text, "| {name} | {a} | {b} | {c} |").unwrap();
    }
    let formula = part(traded, expected());
    let [low, mean, high] = spread(trades).map(both);
    let theirs = Bps(expected().0 * THEIRS);
    write!(
        text,
        "\n| what is credited | |\n|---|---|\n\
         | seed {SEED}, as above | {} |\n| {SEEDS} seeds: least | {low} |\n| {SEEDS} seeds: mean | {mean} |\n\
         | {SEEDS} seeds: most | {high} |\n| by the formula, {} bp a trade | {} |\n\
         | the same on {THEIRS} trades | {theirs} bp: {}.{} % of one average notional |\n",
        both(credits.total()),
        expected(),
        both(formula),
        theirs.0 / 1_000_000,
        theirs.0 / 100_000 % 10,
    )
    .unwrap();
    text
}
