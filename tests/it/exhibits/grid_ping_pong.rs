//! `docs/exhibits/grid-ping-pong.md`: the same run on books that wait for a pair, and on the ledger (S0-01).

use std::fmt::Write;

use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::order::{Leg, Liquidity, OrderId, StrategyId};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Round, UsdSum, div_round};
use fusewire_io::synth::Options;
use fusewire_risk::ledger::{PostingKind, ReconcileOutcome};
use serde_json::Value;

use super::books::{Books, Exhibit};
use super::money::{CENT, cents};
use super::page;
use super::pair_only::{Filled, PairOnly, by_order};

const EXHIBIT: Exhibit = Exhibit {
    scenario: "grid-drift",
    minutes: "2",
    symbols: "ETHUSDT",
    strategy: "grid",
    config: "grid-ping-pong.toml",
    reconcile: "119",
};
const ETH: InstrumentId = InstrumentId(0);
const FEES: [PostingKind; 2] = [PostingKind::FeeMaker, PostingKind::FeeTaker];

/// The two figures of the incident: what the bot's books said, and what was lost.
const SAID: i128 = -16 * CENT;
const LOST: i128 = -948 * CENT;

fn is_near(amount: UsdSum, figure: i128) -> bool {
    (amount.0 - figure).abs() <= CENT
}

/// The mark at which the ledger has what is held, and nothing else is held.
fn mark(books: &Books) -> Px {
    let open: Vec<_> = books.keeper.ledger().open_positions().collect();
    let [held] = open[..] else { panic!("one position is open: {open:?}") };
    assert_eq!((held.instrument, held.strategy), (ETH, StrategyId(0)));
    held.mark.unwrap()
}

/// What the account is worth beyond its opening, from nothing but fills and the mark: the money that came
/// in less fees, and all that is held.
fn worth(filled: &[Filled], mark: Px) -> UsdSum {
    let sign = |side| match side {
        Side::Buy => 1,
        Side::Sell => -1,
    };
    let money: i128 = filled.iter().map(|one| -sign(one.side) * one.quote - one.fee).sum();
    let held: i128 = filled.iter().map(|one| sign(one.side) * one.qty).sum();
    let held = div_round(held * i128::from(mark.0), i128::from(ONE), Round::HalfEven).unwrap();
    UsdSum(money + held)
}

/// That no unit is left out, wherever the ledger got its figure from.
fn leaves_nothing_out(books: &Books, filled: &[Filled], mark: Px) -> bool {
    // Amounts of money are rounded to 1e-8, each position once.
    (books.total().0 - worth(filled, mark).0).abs() <= 1
}

#[test]
fn closed_pairs_say_16_cents_and_the_ledger_says_9_dollars_48() {
    let folder = tempfile::tempdir().unwrap();
    let report = EXHIBIT.run(folder.path());
    let books = Books::of(folder.path());
    let trades = books.trades();
    let (filled, pairs, mark) = (by_order(&trades), PairOnly::of(&trades), mark(&books));
    page::check("grid-ping-pong.md", &block(&books, &pairs, &filled, mark));

    assert!(is_near(pairs.total(), SAID), "closed pairs: {}", cents(pairs.total()));
    assert!(is_near(books.total(), LOST), "the ledger: {}", cents(books.total()));
    assert!(leaves_nothing_out(&books, &filled, mark));
    let unpaired: i128 = pairs.unpaired.iter().map(|one| one.qty).sum();
    let held = books.keeper.ledger().position_of(StrategyId(0), ETH, Leg::Both);
    assert_eq!(i128::from(held.qty.0), unpaired, "what has no pair is held");
    assert!(trades.iter().all(|trade| trade.liquidity == Liquidity::Maker && !trade.incident));
    agrees_with_the_program(&books, &report);

    // The same ledger with a blind eye for what has no pair says what the bot's books said, and is caught.
    let orders: Vec<OrderId> = pairs.unpaired.iter().map(|one| one.order).collect();
    let blind = Books::without(folder.path(), &orders);
    assert_eq!((blind.total(), blind.unrealized()), (pairs.total(), UsdSum::ZERO));
    assert!(!is_near(blind.total(), LOST) && !leaves_nothing_out(&blind, &filled, mark));
}

/// The program's own report has the same figures, and the venue the same fills.
fn agrees_with_the_program(books: &Books, report: &Value) {
    let of = |key: &str| report["pnl"][key].as_str().unwrap();
    let money = |text: &str| UsdSum::parse(text.as_bytes()).unwrap();
    assert_eq!(money(of("total")), books.total());
    assert_eq!(money(of("unrealized")), books.unrealized());
    assert_eq!(money(of("fees")).0, -books.total_of(&FEES).0);
    // The venue was asked for its wallet, and it was the ledger's.
    let outcomes = books.keeper.ledger().reconciled().outcomes;
    assert_eq!(outcomes[ReconcileOutcome::Agrees as usize], 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().sum::<u64>(), 1, "{outcomes:?}");
    // It counts its fills itself.
    let traded: i128 = books.trades().iter().map(|trade| i128::from(trade.quote.0)).sum();
    assert_eq!(money(report["venue"]["maker_quote"].as_str().unwrap()), UsdSum(traded));
    assert_eq!((&report["kill_level"], &report["pending"]), (&0.into(), &0.into()));
    assert!(report["rejected"].as_object().unwrap().is_empty(), "{}", report["rejected"]);
}

/// What stands on the page.
fn block(books: &Books, pairs: &PairOnly, filled: &[Filled], mark: Px) -> String {
    let mut text = String::from("| USDT | closed pairs only | the ledger |\n|---|---|---|\n");
    let mut line = |name: &str, only: &str, ledger: &str| {
        writeln!(text, "| {name} | {only} | {ledger} |").unwrap();
    };
    let [paired_fees, all_fees] = [UsdSum(-pairs.fees().0), books.total_of(&FEES)];
    let open_fees = UsdSum(all_fees.0 - paired_fees.0);
    let realized = books.total_of(&[PostingKind::Realized, PostingKind::Netting]);
    line(
        &format!("{} closed pairs, before fees", pairs.pairs.len()),
        &cents(pairs.gross()),
        &cents(realized),
    );
    line("their fees", &cents(paired_fees), &cents(paired_fees));
    let open = pairs.unpaired.len();
    line(&format!("{open} fills without a pair: fees"), "not counted", &cents(open_fees));
    line(
        &format!("{open} fills without a pair, at the mark"),
        "not counted",
        &cents(books.unrealized()),
    );
    line("funding", "not counted", &cents(books.total_of(&[PostingKind::Funding])));
    let both = [pairs.total(), books.total()].map(|total| format!("**{}**", cents(total)));
    line("**result**", &both[0], &both[1]);

    let held = books.keeper.ledger().position_of(StrategyId(0), ETH, Leg::Both);
    let (qty, average) = (held.qty, held.average_price().unwrap());
    let average = average.with_places(2);
    writeln!(text, "\nHeld at the end: {qty} ETH at {average} on average, with the mark at {mark}. The fills:\n")
        .unwrap();
    text += "| second | side | quantity | price | fee | what it was |\n|---|---|---|---|---|---|\n";
    let start = Options::default().start;
    for one in filled {
        let seconds = (one.ts - start.0) / Nanos::SECOND;
        let qty = Qty(i64::try_from(one.qty).unwrap());
        let price = div_round(one.quote * i128::from(ONE), one.qty, Round::HalfEven).unwrap();
        let price = Px(i64::try_from(price).unwrap()).with_places(2);
        let side = match one.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let fee = UsdSum(one.fee);
        let what = what(pairs, one.order);
        writeln!(
            text,
            "| {seconds} | {side} | {qty} | {price} | {} | {what} |",
            fee.with_places(4)
        )
        .unwrap();
    }
    text
}

/// Of which pair an order is, if of any.
fn what(pairs: &PairOnly, order: OrderId) -> String {
    let found = pairs.pairs.iter().enumerate().find_map(|(index, [entry, exit])| {
        let part = [(entry, "opens"), (exit, "closes")];
        let (_, does) = part.into_iter().find(|(one, _)| one.order == order)?;
        Some(format!("{does} pair {}", index + 1))
    });
    found.unwrap_or_else(|| "no pair".to_owned())
}
