//! Why: a watched order tells each check that was made with its numbers, the same gate makes them, and
//! watching changes nothing.

use std::collections::BTreeSet;

use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level;
use fusewire_core::message::VerdictMessage;
use fusewire_core::order::{
    Action, Check, Class, Intent, NewOrder, OrderId, Rejection, ReportKind, Source, StrategyId,
    Verdict,
};
use fusewire_core::units::Nanos;
use proptest::collection::SizeRange;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::questions::{
    AMEND_RISK, CANCEL, CONTRACT, HALT_CANCEL, HALT_REDUCE, LISTS, NEW_REDUCE, NEW_RISK, QUERY,
    QUERY_OF_RISK, Question, SENDER, SYMBOL, TRADABLE, all_of, plain,
};
use super::random::{Step, live_watched, step};
use super::{buy, desk, sell};
use crate::checks::{UNKNOWN, UNLIMITED};
use crate::testing::{
    A, BNB, BTC, Desk, ETH, approved, config, intent, mark, px, qty, reducing, touch,
};
use crate::witness::{CheckLine, Subject, Watched};

/// What was asked, but for the questions that are asked only when something else is held or was denied.
fn asked(watched: &Watched) -> Vec<Question> {
    let questions = watched.lines.iter().map(|line| (line.check, line.subject));
    let always = |(_, subject): &Question| {
        let sometimes = Subject::PriceToMarkOrMid;
        let of_some = matches!(subject, Subject::Held(_) | Subject::Table | Subject::Callback);
        !of_some && *subject != sometimes
    };
    questions.filter(always).collect()
}

/// Sends an intent with its order watched.
fn why(desk: &mut Desk, intent: Intent) -> Watched {
    desk.stage.watch(intent.order);
    desk.ask(intent);
    desk.stage.watched().last().expect("it is watched").clone()
}

fn why_new(desk: &mut Desk, on: InstrumentId, new: NewOrder) -> Watched {
    let order = desk.next_id(A);
    why(desk, intent(order, on, Action::New(new)))
}

/// Checks from the first to the last of these, with measured and limit as people read them.
fn texts(lines: &[CheckLine]) -> Vec<(&'static str, String, String)> {
    let text = |line: &CheckLine| (line.check.name(), line.measured_text(), line.limit_text());
    lines.iter().map(text).collect()
}

fn told(lines: &[(&'static str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    lines.iter().map(|(check, a, b)| (*check, (*a).to_owned(), (*b).to_owned())).collect()
}

/// A desk with a short position in ETH and a resting sell of BTC, 3 ms later.
fn busy() -> Desk {
    let mut desk = desk(|limits| limits.order_qty_max = Some(qty("5")));
    desk.fill(ETH, sell("100", "5"));
    desk.rest(BTC, sell("1002", "0.25"));
    desk.wait(Nanos(3 * Nanos::MILLI));
    desk
}

#[test]
fn an_approved_order_tells_every_check_with_its_numbers() {
    let watched = why_new(&mut busy(), BTC, buy("1000.5", "1.5"));
    assert_eq!((watched.seq, watched.index, watched.from), (11, 0, Source::Alpha));
    assert_eq!(watched.class, Some(Class::NewRisk));
    assert!(watched.lines.iter().all(|line| line.passed));
    let expected = told(&[
        ("kill_level", "0 (run)", "0 (run)"),
        ("universe", "strategy 0", "-"),
        ("universe", "symbol 0", "-"),
        ("universe", "symbol 0", "-"),
        ("ledger_drift", "0 USDT", "1 USDT"),
        ("book_freshness", "3 ms", "5000 ms"),
        ("mark_freshness", "3 ms", "10000 ms"),
        ("tick", "1000.5", "0.1"),
        ("lot", "1.5", "1000"),
        ("min_notional", "1500.75 USDT", "50 USDT"),
        ("percent_price", "1000.5", "1050"),
        ("max_orders", "2", "180"),
        ("duplicate", "none", "500 ms"),
        ("collar", "0 bp", "50 bp"),
        ("collar", "5 bp", "100 bp"),
        ("order_qty", "1.5", "5"),
        ("order_notional", "1500.75 USDT", "2000 USDT"),
        ("rate_new", "3", "60"),
        ("rate_symbol", "2", "20"),
        ("open_orders", "2", "180"),
        ("self_match", "1000.5", "1002"),
        ("exposure", "1500.75 USDT", "5000 USDT"),
        ("mark_freshness", "3 ms", "10000 ms"),
        ("gross_exposure", "2000.75 USDT", "20000 USDT"),
        // A balance of 10000 less a fee of one, five times.
        ("leverage", "2000.75 USDT", "49995 USDT"),
    ]);
    assert_eq!(texts(&watched.lines), expected);
    assert_eq!(watched.lines[22].subject, Subject::Held(ETH));
    assert_eq!(asked(&watched), NEW_RISK);
}

#[test]
fn what_nothing_limits_says_so() {
    let mut desk = desk(|_| {});
    let watched = why_new(&mut desk, BTC, buy("1000", "1"));
    let limits = |check| {
        let of = |line: &&CheckLine| line.check == check;
        let line = watched.lines.iter().find(of).expect("it was asked");
        (line.limit, line.limit_text())
    };
    for check in [Check::OrderQty, Check::SelfMatch] {
        assert_eq!(limits(check), (UNLIMITED, "none".to_owned()), "{check:?}");
    }
}

#[test]
fn a_refused_order_tells_the_checks_up_to_the_one_that_refused() {
    let mut desk = busy();
    why_new(&mut desk, BTC, buy("1000.5", "1.5"));
    let watched = why_new(&mut desk, BTC, buy("1000.5", "1.5"));
    assert_eq!(watched.class, None);
    let (last, before) = watched.lines.split_last().expect("a check refused");
    assert!(before.iter().all(|line| line.passed));
    assert!(!last.passed);
    assert_eq!(texts(&[*last]), told(&[("duplicate", "0 ms", "500 ms")]));
    assert_eq!(asked(&watched), NEW_RISK[..13]);
    desk.tell(BTC, mark("994"));
    let watched = why_new(&mut desk, BTC, buy("1000.5", "1"));
    assert_eq!(asked(&watched), NEW_RISK[..14], "mid and mark are apart");
    let mut silent = Desk::new(&config(|_| {}));
    let watched = why_new(&mut silent, BTC, buy("1000", "1"));
    let last = watched.lines[5];
    assert_eq!((last.check, last.measured), (Check::BookFreshness, UNKNOWN));
    assert_eq!(texts(&[last]), told(&[("book_freshness", "unknown", "5000 ms")]));
}

/// Numbers that stand for somebody say for whom.
#[test]
fn ids_say_whose_they_are() {
    let mut desk = desk(|_| {});
    let last = |watched: Watched| {
        let line = *watched.lines.last().expect("a check refused");
        assert!(!line.passed);
        (line.check, line.subject, line.measured_text(), line.limit_text())
    };
    let text = |text: &str| text.to_owned();
    let foreign = OrderId::new(1, StrategyId(7), 1);
    let found = last(why(&mut desk, intent(foreign, BTC, Action::New(buy("1000", "1")))));
    assert_eq!(found, (SENDER.0, SENDER.1, text("strategy 7"), text("-")));
    let found = last(why_new(&mut desk, InstrumentId(99), buy("1000", "1")));
    assert_eq!(found, (CONTRACT.0, CONTRACT.1, text("symbol 99"), text("-")));
    let found = last(why_new(&mut desk, BNB, buy("1000", "1")));
    assert_eq!(found, (TRADABLE.0, TRADABLE.1, text("symbol 3"), text("-")));
    let order = desk.rest(BTC, buy("1000", "1"));
    let found = last(why(&mut desk, intent(order, ETH, Action::Cancel)));
    assert_eq!(found, (SYMBOL.0, SYMBOL.1, text("symbol 1"), text("symbol 0")));
    // All checks of the gate are passed: it is the table of orders that knows the id.
    let again = why(&mut desk, intent(order, BTC, Action::New(buy("1000", "0.5"))));
    assert_eq!((asked(&again).as_slice(), again.class), (&NEW_RISK[..], None));
    let counter = format!("order counter {}", order.counter());
    assert_eq!(last(again), (Check::Duplicate, Subject::Table, counter, text("-")));
}

#[test]
fn amends_cancels_and_queries_tell_what_they_are_asked() {
    let mut desk = desk(|_| {});
    let order = desk.rest(BTC, buy("1000", "1"));
    desk.report(BTC, ReportKind::PartialFill, order, qty("0.25"));
    let amend = Action::Amend { price: px("1001"), qty: qty("0.75") };
    let watched = why(&mut desk, intent(order, BTC, amend));
    assert_eq!(
        (asked(&watched).as_slice(), watched.class),
        (&AMEND_RISK[..], Some(Class::NewRisk))
    );
    let lots = watched.lines.iter().filter(|line| line.check == Check::Lot);
    let lots: Vec<_> = lots.map(|line| (line.subject, line.measured_text())).collect();
    let [total, rest] = ["0.75", "0.5"].map(str::to_owned);
    assert_eq!(lots, [(Subject::TotalQuantity, total), (Subject::Intent, rest)]);
    assert_eq!(texts(&watched.lines[2..3]), told(&[("order_state", "-", "-")]));
    for (action, list, rate) in
        [(Action::Query, QUERY, "rate_query"), (Action::Cancel, CANCEL, "rate_cancel")]
    {
        let watched = why(&mut desk, intent(order, BTC, action));
        assert_eq!((watched.action, asked(&watched).as_slice()), (action, &list[..]));
        let limit = if action == Action::Query { "120" } else { "300" };
        assert_eq!(texts(&watched.lines[4..]), told(&[(rate, "1", limit)]));
    }
    let watched = why(&mut desk, intent(order, BTC, Action::Cancel));
    assert_eq!((asked(&watched).as_slice(), watched.class), (&CANCEL[..3], None));
}

/// A reduce may go by the mark or by the own mid; both questions are told when both were asked.
#[test]
fn a_reduce_tells_both_references_of_its_collar() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    let collars = |watched: &Watched| -> Vec<(Subject, String, bool)> {
        let collars = watched.lines.iter().filter(|line| line.check == Check::Collar);
        collars.map(|line| (line.subject, line.measured_text(), line.passed)).collect()
    };
    let (first, second) = (Subject::PriceToMark, Subject::PriceToMarkOrMid);
    let bp = |number: &str| format!("{number} bp");
    let near = why_new(&mut desk, BTC, reducing(sell("995", "0.1")));
    assert_eq!((asked(&near).as_slice(), near.class), (&NEW_REDUCE[..], Some(Class::Reduce)));
    assert_eq!(collars(&near), [(first, bp("50"), true)]);
    // The book has left the mark behind.
    desk.tell(BTC, touch("979", "981"));
    let far = why_new(&mut desk, BTC, reducing(sell("980", "0.2")));
    assert_eq!((asked(&far).as_slice(), far.class), (&NEW_REDUCE[..], Some(Class::Reduce)));
    assert_eq!(collars(&far), [(first, bp("200"), false), (second, bp("0"), true)]);
    let beyond = why_new(&mut desk, BTC, reducing(sell("960.4", "0.3")));
    assert_eq!((asked(&beyond).as_slice(), beyond.class), (&NEW_REDUCE[..9], None));
    assert_eq!(collars(&beyond), [(first, bp("396"), false), (second, bp("200"), false)]);
    assert!(!beyond.lines.last().expect("the collar refused").passed);
}

/// What a check needs and nobody knows ends the list like a check that refuses.
#[test]
fn a_reduce_without_any_price_tells_that_there_is_none() {
    let mut desk = Desk::new(&config(|_| {}));
    let watched = why_new(&mut desk, BTC, reducing(sell("1000", "1")));
    assert_eq!(asked(&watched), [&NEW_REDUCE[..6], &[plain(Check::Collar)]].concat());
    let last = watched.lines[6];
    assert_eq!((last.measured, last.limit, last.passed), (UNKNOWN, 0, false));
}

/// What risk itself sends is told too, and only for the order that is watched.
#[test]
fn the_halt_and_queries_of_risk_are_told() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    let order = desk.rest(BTC, buy("999", "0.5"));
    let other = desk.rest(BTC, buy("999", "0.6"));
    let exit = OrderId::new(1, StrategyId::RISK, 1);
    for order in [order, exit] {
        desk.stage.watch(order);
    }
    assert_eq!(desk.level(Level::Halt).len(), 3);
    desk.wait_seconds(30);
    let queried = desk.tick();
    assert!(queried.iter().any(|verdict| approved(verdict).0.order == other));
    let of = |id: OrderId| {
        let watched = desk.stage.watched().iter().filter(move |watched| watched.order == id);
        let told = |watched: &Watched| (watched.index, watched.from, watched.class, asked(watched));
        watched.map(told).collect::<Vec<_>>()
    };
    let risk = |index, class, list: &[Question]| (index, Source::Risk, Some(class), list.to_vec());
    let [first, second] = [of(order), of(exit)];
    assert_eq!(first[0], risk(0, Class::Cancel, &HALT_CANCEL));
    assert_eq!(second[0], risk(2, Class::HaltReduce, &HALT_REDUCE));
    assert!(first.contains(&risk(0, Class::Cancel, &QUERY_OF_RISK)), "{first:?}");
    assert!(second.contains(&risk(2, Class::Cancel, &QUERY_OF_RISK)), "{second:?}");
    assert_eq!(of(other), []);
}

/// The lines of a verdict and the verdict say the same.
fn agree(watched: &Watched, message: &VerdictMessage) {
    let all_lines = &watched.lines;
    let (last, before) = all_lines.split_last().expect("the level is always checked");
    for (index, line) in before.iter().enumerate() {
        let next = all_lines[index + 1].subject;
        let tried = line.subject == Subject::PriceToMark && next == Subject::PriceToMarkOrMid;
        assert_eq!(line.passed, !tried, "{watched:?}");
    }
    match message.verdict {
        Verdict::Approved(approved) => {
            assert!(last.passed, "{watched:?}");
            assert_eq!(watched.class, Some(approved.class()));
            let list = all_of(approved.class(), watched.action, watched.from);
            assert_eq!(asked(watched), list);
        }
        Verdict::Rejected(Rejection { check, measured, limit, .. }) => {
            let told = (last.check, last.measured, last.limit, last.passed);
            assert_eq!(told, (check, measured.get(), limit.get(), false));
            assert_eq!(watched.class, None);
            let asked = asked(watched);
            assert!(LISTS.iter().any(|list| list.starts_with(&asked)), "{watched:?}");
        }
    }
}

/// The order of a verdict with what was to be done, and its place in the lane.
fn of_verdict(message: &VerdictMessage) -> (OrderId, Action, u64, u32) {
    let (order, action) = match &message.verdict {
        Verdict::Approved(approved) => (approved.intent().order, approved.intent().action),
        Verdict::Rejected(rejection) => (rejection.order, rejection.action),
    };
    (order, action, message.seq, message.index)
}

fn steps(count: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// The same world twice, the second time with every order watched: each verdict is the same, and its
    /// lines say why.
    #[test]
    fn watching_tells_each_verdict_and_changes_none(steps in steps(1..250)) {
        let unseen = live_watched(&steps, &[]).desk;
        prop_assert_eq!(unseen.stage.watched(), []);
        let orders: BTreeSet<_> = unseen.verdicts.iter().map(|of| of_verdict(of).0).collect();
        let orders: Vec<_> = orders.into_iter().collect();
        let seen = live_watched(&steps, &orders).desk;
        prop_assert_eq!(&seen.verdicts, &unseen.verdicts);
        prop_assert_eq!(seen.stage.lane().digest(), unseen.stage.lane().digest());
        prop_assert_eq!(seen.stage.watched().len(), seen.verdicts.len());
        for (watched, message) in seen.stage.watched().iter().zip(&seen.verdicts) {
            let Watched { order, action, seq, index, .. } = *watched;
            prop_assert_eq!((order, action, seq, index), of_verdict(message));
            agree(watched, message);
        }
    }
}

/// The test above is worth something only if its worlds approve all kinds of intents, ask every question
/// and deny many.
#[test]
fn random_worlds_ask_every_question() {
    let mut runner = TestRunner::deterministic();
    let steps = steps(250);
    let (mut approved, mut questions) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let unseen = live_watched(&steps, &[]).desk;
        let orders: Vec<_> = unseen.verdicts.iter().map(|of| of_verdict(of).0).collect();
        for watched in live_watched(&steps, &orders).desk.stage.watched() {
            questions.extend(watched.lines.iter().map(|line| (line.subject, line.passed)));
            if let Some(class) = watched.class {
                approved.push(all_of(class, watched.action, watched.from));
            }
        }
    }
    assert!(LISTS.iter().all(|list| approved.contains(list)));
    for subject in [Subject::Held(BTC), Subject::Held(ETH), Subject::PriceToMark] {
        assert!([true, false].iter().all(|passed| questions.contains(&(subject, *passed))));
    }
    // The book of these worlds lies around the mark, so that a second reference never helps.
    assert!(questions.contains(&(Subject::PriceToMarkOrMid, false)));
}
