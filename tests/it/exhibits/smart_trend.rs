//! `docs/exhibits/smart-trend.md`: the same strategy on the same bars, with fills by crossing bars and by the venue
//! (S0-03, S0-05).

use std::fmt::Write;
use std::path::Path;

use fusewire::config::Config;
use fusewire::credibility::{Credibility, Excursions, Facts, Interval, Told, Volume, judge};
use fusewire_core::order::Liquidity;
use fusewire_core::units::{Px, UsdSum};
use fusewire_risk::ledger::{ClosedPosition, ExitPath, PostingKind};
use fusewire_tests::{json, shared};
use serde_json::Value;

use super::books::Books;
use super::crossing::{self, Crossed};
use super::money::cents;
use super::page;
use crate::journal::arg;

const CONFIG: &str = "smart-trend.toml";

/// What trades came to.
struct Figures {
    trades: u64,
    wins: u64,
    stops: u64,
    /// Entered and left at the same moment.
    at_once: u64,
    before: UsdSum,
    fees: UsdSum,
    funding: UsdSum,
    after: UsdSum,
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
            stops: count(&|one| one.exit == ExitPath::Stop),
            at_once: count(&|one| one.entry_ts == one.exit_ts),
            before: sum(&|one| one.realized.0),
            fees: sum(&|one| -one.fees.0),
            funding: sum(&|one| one.funding.0),
            after: sum(&net),
        }
    }

    fn interval(&self) -> Interval {
        Interval::of(self.wins, self.trades).unwrap()
    }
}

/// The run of the page: the program's report, and how many bars of how many symbols were imported.
fn run(folder: &Path, shared: &Path) -> (Value, u64, usize) {
    let rows = shared.join("captures/klines_1m/usdm_16sym_1m_20250504_20250524.csv.zst");
    let history = folder.join("history");
    let import = json(&["import", "klines", "--json", arg(&rows), "--out", arg(&history)]);
    let streams = import["inputs"][0]["facts"]["streams"].as_object().unwrap();
    let bars = streams.values().map(|stream| stream["rows"].as_u64().unwrap()).sum();
    let (config, journal) = (page::file(CONFIG), folder.join("journal"));
    let how = ["--strategy", "smart-trend", "--config", arg(&config), "--journal", arg(&journal)];
    (json(&[&["replay", "--json", arg(&history)][..], &how].concat()), bars, streams.len())
}

#[test]
fn s0_03_s0_05_the_same_trend_strategy_by_crossing_bars_and_by_the_venue() {
    let Some(shared) = shared("s0_03_s0_05_the_same_trend_strategy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (report, bars, symbols) = run(folder.path(), &shared);
    assert_eq!((report["events"]["Bar"].as_u64(), symbols), (Some(bars), 16));
    let crossed = crossing::again(&folder.path().join("journal"));
    let venue = Books::of(folder.path());
    let claims = claims(&crossed);
    let [by_crossing, by_venue] = [&crossed.books, &venue].map(|b| Figures::of(&b.closed()));
    page::check("smart-trend.md", &block([&by_crossing, &by_venue], &claims, &report, bars));

    // What is nearly always won by crossing bars is won about every other time, and loses money.
    assert!(by_crossing.interval().low > 0.95, "{:?}", by_crossing.interval());
    assert!(by_crossing.after > UsdSum::ZERO && by_crossing.at_once > by_crossing.trades * 9 / 10);
    let Interval { low, high, .. } = by_venue.interval();
    assert!(0.4 < low && high < 0.6, "{:?}", by_venue.interval());
    assert!(by_venue.before < UsdSum::ZERO && by_venue.at_once == 0);
    agrees_with_the_program(&by_venue, &venue, &report);
    keeps_its_books(&crossed);

    // The guard tells them apart, and by what.
    let [told, silent] = &claims;
    let codes = |claim: &Credibility| claim.findings.iter().map(|f| f.code).collect::<Vec<_>>();
    assert!(!told.credible && codes(told).contains(&"bar-crossing"), "{:?}", told.findings);
    assert_eq!(silent.checks["bar-crossing"].outcome, "unknown");
    assert_eq!(report["credibility"]["credible"], true, "{}", report["credibility"]);
    assert_eq!(report["credibility"]["checks"]["bar-crossing"]["outcome"], "passed");
}

/// The program's own report has the same trades and the same money.
fn agrees_with_the_program(figures: &Figures, books: &Books, report: &Value) {
    let closed = &report["ledger"]["closed"];
    assert_eq!(closed["count"].as_u64(), Some(figures.trades));
    assert_eq!(closed["wins"].as_u64(), Some(figures.wins));
    assert_eq!(report["pnl"]["total"].as_str(), Some(books.total().to_string().as_str()));
    assert_eq!(report["refused"]["warm_up"].as_u64().map(|n| n > 0), Some(true));
    assert_eq!(report["kill_level"], 0);
}

/// Accounts that know fills alone come to what the ledger has before fees, each fill rounded once.
fn keeps_its_books(crossed: &Crossed) {
    let ledger = crossed.books.keeper.ledger();
    let mark = |index: usize| {
        let mut open = ledger.open_positions().filter(|one| one.instrument.index() == index);
        open.next().map_or(Px::ZERO, |one| one.mark.unwrap())
    };
    let profits = crossed.accounts.iter().enumerate();
    let known: i128 = profits.map(|(index, one)| one.profit(mark(index).0)).sum();
    let booked = crossed.books.total_of(&[PostingKind::Realized, PostingKind::Netting]).0
        + crossed.books.unrealized().0;
    let fills = crossed.accounts.iter().map(|one| i128::from(one.fills)).sum::<i128>();
    let scale = i128::from(fusewire_core::units::ONE);
    assert!((known - booked * scale).abs() <= fills * scale, "{known} and {booked}");
}

/// What the guard says of the antipattern: when it tells what paid for its fills, and when it does not.
fn claims(crossed: &Crossed) -> [Credibility; 2] {
    let (closed, trades) = (crossed.books.closed(), crossed.books.trades());
    let figures = Figures::of(&closed);
    let volume = |liquidity| {
        let mut volume = Volume::default();
        for trade in trades.iter().filter(|trade| trade.liquidity == liquidity) {
            volume.fills += 1;
            volume.quote.0 += i128::from(trade.quote.0);
            volume.fees.0 += i128::from(trade.fee.0);
        }
        Some(volume)
    };
    let moves = |of: &dyn Fn(&ClosedPosition) -> i64| {
        closed.iter().map(|one| i128::from(of(one))).sum::<i128>()
    };
    let ledger = crossed.books.keeper.ledger();
    let facts = Facts {
        fills: trades.len() as u64,
        closed: figures.trades,
        wins: figures.wins,
        win_rate: Told::With(figures.interval()),
        excursions: Some(Excursions {
            adverse: moves(&|one| one.max_adverse.0),
            favorable: moves(&|one| one.max_favorable.0),
        }),
        maker: volume(Liquidity::Maker),
        taker: volume(Liquidity::Taker),
        bar_crossed: Some(crossed.crossed),
        price_profit: Some(UsdSum(figures.before.0 + crossed.books.unrealized().0)),
        tape_bound: Some(ledger.tape_bound()),
        credited: Some(UsdSum::ZERO),
        ..Facts::default()
    };
    let thresholds = &Config::load(Some(&page::file(CONFIG))).unwrap().credibility;
    let silent = Facts { bar_crossed: None, ..facts.clone() };
    [judge(&facts, thresholds), judge(&silent, thresholds)]
}

/// What stands on the page.
fn block(
    figures: [&Figures; 2],
    [told, silent]: &[Credibility; 2],
    report: &Value,
    bars: u64,
) -> String {
    let mut text = format!(
        "{bars} bars of 16 symbols, {} events. Money in USDT:\n\n\
         | | by crossing bars | by the venue |\n|---|---|---|\n",
        report["events_total"]
    );
    let mut line = |name: &str, of: &dyn Fn(&Figures) -> String| {
        let [a, b] = figures.map(of);
        writeln!(text, "| {name} | {a} | {b} |").unwrap();
    };
    line("trades", &|f| f.trades.to_string());
    line("won, after fees", &|f| f.wins.to_string());
    line("**win rate, with its 95 % interval**", &|f| format!("**{}**", f.interval().text()));
    line("ended by their stop", &|f| f.stops.to_string());
    line("entered and left by one bar", &|f| f.at_once.to_string());
    line("profit before fees", &|f| cents(f.before));
    line("fees", &|f| cents(f.fees));
    line("funding", &|f| cents(f.funding));
    line("**profit after fees**", &|f| format!("**{}**", cents(f.after)));
    let passed = |name: &str| format!("credible: {name} checks passed, none failed");
    let checks = report["credibility"]["checks"].as_object().unwrap();
    let count = checks.values().filter(|check| check["outcome"] == "passed").count();
    let stamps: Vec<String> = told.stamps().collect();
    writeln!(text, "| verdict | {} | {} |", stamps.join("; "), passed(&count.to_string())).unwrap();
    let unknown = silent.checks.iter().filter(|(_, check)| check.outcome == "unknown");
    let unknown: Vec<&str> = unknown.map(|(name, _)| *name).collect();
    let verdict = if silent.credible { "nothing is found, but" } else { "it is not credible, and" };
    writeln!(
        text,
        "\nTold without what paid for its fills, of the left column {verdict} {} checks could not be made: {}.",
        unknown.len(),
        unknown.join(", ")
    )
    .unwrap();
    text
}
