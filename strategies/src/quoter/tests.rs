//! Scripted markets and venues for the quoter.

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::jitter;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::order::{
    Action, Intent, NewOrder, OrderId, ReportKind, TimeInForce, VenueReason,
};
use fusewire_core::portfolio::{Order, Phase};
use fusewire_core::units::{Nanos, UsdSum};
use proptest::prelude::*;

use super::*;
use crate::rig::{BNB, BTC, ETH, Pair, Rig, Scripted, buy, new_order, px, qty, usd};
use crate::stage::AlphaConfig;
use crate::strategy::{Refused, Strategy};

fn quoter(change: impl FnOnce(&mut QuoterConfig)) -> Rig<Quoter> {
    let mut config = QuoterConfig::default();
    change(&mut config);
    Rig::new(vec![Quoter::new(&config)])
}

/// Two quotes that the venue has: buy and sell.
fn quoting(change: impl FnOnce(&mut QuoterConfig)) -> (Rig<Quoter>, [OrderId; 2]) {
    let mut rig = quoter(change);
    let sent = rig.market(BTC, "59999.9", "60000.1");
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(rig.answer(&sent).is_empty());
    (rig, [sent[0].order, sent[1].order])
}

/// What an intent does: side and price of a new order, price and total of an amend, or a cancel.
fn told(intent: &Intent) -> String {
    match intent.action {
        Action::New(NewOrder { side, price, qty, tif, reduce_only }) => {
            let reduce = if reduce_only { " reduce" } else { "" };
            format!("{side:?} {qty} at {price} {tif:?}{reduce}")
        }
        Action::Amend { price, qty } => {
            format!("amend {} to {qty} at {price}", intent.order.counter())
        }
        Action::Cancel => format!("cancel {}", intent.order.counter()),
        Action::Query => "query".to_owned(),
        Action::Conditional(_) => unreachable!("it quotes in the book"),
    }
}

fn all_told(intents: &[Intent]) -> Vec<String> {
    intents.iter().map(told).collect()
}

/// The venue does all that is asked, and all that is asked because of that.
fn settle(rig: &mut Rig<Quoter>, mut intents: Vec<Intent>) {
    for _ in 0..100 {
        if intents.is_empty() {
            return;
        }
        intents = rig.answer(&intents);
    }
    unreachable!("it never came to rest");
}

/// A position of so much, bought or sold by quotes that fill whole, and then time to come to rest.
fn fill_to(rig: &mut Rig<Quoter>, side: Side, total: &str) {
    for _ in 0..100 {
        rig.pass(10_000).mark(BTC, "59999.9");
        let sent = rig.tick();
        settle(rig, sent);
        if rig.position(BTC).size().0 >= i128::from(qty(total).0) {
            return;
        }
        let order = open(rig).into_iter().find(|order| order.side == side).unwrap();
        let sent = rig.fill_all(order.id);
        settle(rig, sent);
    }
    unreachable!("the position was not reached");
}

fn open(rig: &Rig<Quoter>) -> Vec<Order> {
    rig.stage.portfolio().orders_of(BTC).copied().collect()
}

#[test]
fn both_sides_are_quoted_post_only_at_the_notional() {
    let mut rig = quoter(|_| {});
    let sent = rig.market(BTC, "59999.9", "60000.1");
    assert_eq!(all_told(&sent), ["Buy 0.003 at 59994 Gtx", "Sell 0.003 at 60006 Gtx"]);
    // On their way they are waited for.
    assert!(rig.pass(5_000).tick().is_empty());
    assert!(rig.touch(BTC, "59899.9", "59900.1").is_empty());
}

#[test]
fn only_tradable_symbols_are_quoted_each_on_its_own() {
    let mut rig = quoter(|_| {});
    assert_eq!(rig.market(BTC, "59999.9", "60000.1").len(), 2);
    assert!(rig.market(BNB, "600", "600.01").is_empty());
    let sent = rig.market(ETH, "3000", "3000.01");
    assert_eq!(all_told(&sent), ["Buy 0.066 at 2999.7 Gtx", "Sell 0.066 at 3000.31 Gtx"]);
}

#[test]
fn nothing_is_quoted_without_mark_touch_and_valid_book() {
    let mut rig = quoter(|_| {});
    rig.depth(BTC);
    assert!(rig.touch(BTC, "59999.9", "60000.1").is_empty(), "no mark");
    rig.mark(BTC, "60000");
    rig.pass(10_001);
    assert!(rig.tick().is_empty(), "the mark is too old");
    rig.mark(BTC, "60000");
    rig.invalid(BTC);
    assert!(rig.tick().is_empty(), "the book is invalid");
    // Valid again: the touch may still change with the next message, so that the `Depth` moves nothing.
    assert!(rig.depth(BTC).is_empty());
    assert_eq!(rig.touch(BTC, "59000", "59000.1").len(), 2);
}

#[test]
fn quotes_follow_the_market_by_amends() {
    let (mut rig, [buy, sell]) = quoting(|_| {});
    rig.pass(1_000);
    // Half a basis point of 60,000 is 3: less than that is not followed.
    assert!(rig.touch(BTC, "60002.7", "60002.9").is_empty());
    let moved = rig.touch(BTC, "60003", "60003.2");
    assert_eq!(all_told(&moved), ["amend 1 to 0.003 at 59997", "amend 2 to 0.003 at 60009.2"]);
    assert_eq!([moved[0].order, moved[1].order], [buy, sell]);
    // Confirmed, and then at most one change a second and side.
    rig.answer(&moved);
    assert!(rig.pass(999).touch(BTC, "60007", "60007.2").is_empty());
    assert_eq!(rig.pass(1).tick().len(), 2);
}

#[test]
fn an_amend_that_would_meet_an_own_order_waits_for_the_other_side() {
    let (mut rig, [buy, sell]) = quoting(|_| {});
    let moved = rig.pass(1_000).touch(BTC, "60100", "60100.2");
    // The bid would go above the ask that still stands at 60006.
    assert_eq!(all_told(&moved), ["amend 2 to 0.003 at 60106.2"]);
    assert!(rig.tick().is_empty());
    let after = rig.report(sell, ReportKind::Amended);
    assert_eq!(all_told(&after), ["amend 1 to 0.003 at 60094"]);
    assert_eq!(after[0].order, buy);
}

#[test]
fn inventory_skews_both_quotes() {
    let (mut rig, [buy, _]) = quoting(|_| {});
    rig.pass(1_000);
    // 180 of 1,000: the reservation price falls by 0.36 bp, which is 2.2 and below the threshold.
    let refill = rig.fill(buy, "0.003");
    assert_eq!(all_told(&refill), ["Buy 0.003 at 59991.8 Gtx"]);
    rig.answer(&refill);
    rig.pass(1_000);
    // 360 of 1,000: 0.72 bp.
    let refill = rig.fill(refill[0].order, "0.003");
    let expected = ["Buy 0.003 at 59989.6 Gtx", "amend 2 to 0.003 at 60001.7"];
    assert_eq!(all_told(&refill), expected);
}

#[test]
fn a_partial_fill_leaves_the_rest_and_keeps_the_total_when_it_moves() {
    let (mut rig, [buy, sell]) = quoting(|config| config.skew = Bps(0));
    rig.pass(1_000);
    assert!(rig.fill(buy, "0.001").is_empty());
    // At 70,000 a new quote has 0.002: so does the untouched one, while the other keeps its total.
    let moved = rig.touch(BTC, "69999.9", "70000.1");
    assert_eq!(all_told(&moved), ["amend 2 to 0.002 at 70007"]);
    let moved = rig.answer(&moved);
    assert_eq!(all_told(&moved), ["amend 1 to 0.003 at 69993"]);
    rig.answer(&moved);
    rig.fill(buy, "0.002");
    assert!(rig.stage.portfolio().order(buy).is_none());
    assert!(rig.stage.portfolio().order(sell).is_some());
    assert_eq!(rig.position(BTC).qty, qty("0.003"));
}

#[test]
fn what_became_too_small_for_the_exchange_is_taken_back() {
    let mut rig = quoter(|config| config.quote_notional = usd("120"));
    let sent = rig.market(BTC, "59999.9", "60000.1");
    rig.answer(&sent);
    rig.fill(sent[0].order, "0.001");
    // 0.002 at 24,000 are 48, and the least is 50. The other side, untouched, grows instead.
    rig.pass(1_000).mark(BTC, "24000");
    let moved = rig.touch(BTC, "24000", "24000.1");
    assert_eq!(all_told(&moved), ["cancel 1"]);
    let moved = rig.answer(&moved);
    let expected = ["Buy 0.005 at 23997.5 Gtx", "amend 2 to 0.004 at 24002.4"];
    assert_eq!(all_told(&moved), expected);
}

#[test]
fn an_order_in_doubt_is_not_amended() {
    let (mut rig, [buy, _]) = quoting(|_| {});
    let gone = rig.invalid(BTC);
    let mut report = rig.report_on(buy, ReportKind::CancelRefused);
    report.reason = VenueReason::UnknownOrder;
    rig.event(Some(BTC), Body::Report(report));
    rig.answer(&gone[1..]);
    rig.depth(BTC);
    // It may be gone, or not have arrived: risk asks. The other side is quoted meanwhile.
    let sent = rig.pass(1_000).touch(BTC, "60009.9", "60010.1");
    assert_eq!(all_told(&sent), ["Sell 0.003 at 60016.1 Gtx"]);
    // It can still be taken back.
    assert_eq!(all_told(&rig.invalid(BTC))[0], "cancel 1");
}

#[test]
fn the_amends_of_a_minute_have_a_bound() {
    let (mut rig, _) = quoting(|config| {
        config.amends_per_minute = 1;
        config.mark_age_max = Nanos(3_600 * Nanos::SECOND);
    });
    rig.pass(240_000);
    assert_eq!(all_told(&rig.touch(BTC, "60005", "60005.2")), ["amend 1 to 0.003 at 59999"]);
    assert!(rig.pass(59_999).tick().is_empty());
    assert_eq!(all_told(&rig.pass(1).tick()), ["amend 2 to 0.003 at 60011.2"]);
}

#[test]
fn a_reducing_order_for_the_whole_position_stays() {
    let (mut rig, _) = quoting(|config| {
        config.reduce_to = usd("0");
        config.reduce_notional = usd("2000");
    });
    fill_to(&mut rig, Side::Buy, "0.018");
    let open = open(&rig);
    assert_eq!((open.len(), open[0].reduce_only, open[0].qty), (1, true, qty("0.018")));
    assert!(rig.pass(1_000).tick().is_empty(), "its own quantity is not held against it");
}

#[test]
fn an_invalid_book_takes_both_quotes_back() {
    let (mut rig, ids) = quoting(|_| {});
    let gone = rig.pass(1_000).invalid(BTC);
    assert_eq!(all_told(&gone), ["cancel 1", "cancel 2"]);
    assert_eq!([gone[0].order, gone[1].order], ids);
    assert!(rig.pass(100).tick().is_empty(), "once is enough");
    rig.answer(&gone);
    rig.depth(BTC);
    rig.mark(BTC, "60000");
    let again = rig.tick();
    assert_eq!(again.len(), 2, "the touch was confirmed by silence");
    // These are other orders: that others were cancelled a moment ago delays nothing.
    rig.answer(&again);
    assert_eq!(all_told(&rig.pass(200).invalid(BTC)), ["cancel 3", "cancel 4"]);
    assert_eq!(rig.stage.counts().refused, [0; Refused::ALL.len()]);
}

#[test]
fn quotes_on_their_way_are_taken_back_too() {
    let mut rig = quoter(|_| {});
    let sent = rig.market(BTC, "59999.9", "60000.1");
    assert_eq!(all_told(&rig.invalid(BTC)), ["cancel 1", "cancel 2"]);
    // The venue did not know the first one yet: it is tried again, and not at once.
    assert!(rig.report(sent[0].order, ReportKind::CancelRefused).is_empty());
    assert!(rig.pass(999).tick().is_empty());
    assert_eq!(all_told(&rig.pass(1).tick()), ["cancel 1"]);
}

#[test]
fn a_stale_mark_and_a_risen_kill_level_take_quotes_back() {
    let (mut rig, _) = quoting(|_| {});
    assert!(rig.pass(10_000).tick().is_empty());
    assert_eq!(all_told(&rig.pass(1).tick()), ["cancel 1", "cancel 2"]);
    for level in [KillLevel::NoNewRisk, KillLevel::Halt] {
        let (mut rig, _) = quoting(|_| {});
        let gone = rig.kill(level);
        assert_eq!(all_told(&gone), ["cancel 1", "cancel 2"]);
        rig.answer(&gone);
        assert!(rig.pass(5_000).tick().is_empty());
        assert_eq!(rig.kill(KillLevel::Run).len(), 2);
    }
    let (mut rig, _) = quoting(|_| {});
    assert!(rig.kill(KillLevel::Dead).is_empty(), "the gateway cancels by itself");
}

#[test]
fn a_gap_takes_all_quotes_back_over_as_many_events_as_it_needs() {
    let config = AlphaConfig { intents_max: 3, ..AlphaConfig::default() };
    let strategy = Quoter::new(&QuoterConfig::default());
    let mut rig = Rig::with(&config, vec![strategy], &[BTC, ETH], 64);
    for (id, bid, ask) in [(BTC, "59999.9", "60000.1"), (ETH, "3000", "3000.01")] {
        let sent = rig.market(id, bid, ask);
        rig.answer(&sent);
    }
    assert_eq!(all_told(&rig.gap()), ["cancel 1", "cancel 2", "cancel 3"]);
    // After a `Depth` the touch is not to be trusted: it moves nothing, even with work left.
    assert!(rig.depth(BNB).is_empty());
    // No tick comes during a gap: whatever comes next carries on where the harness stopped.
    assert_eq!(all_told(&rig.event(None, Body::Wake)), ["cancel 4"]);
    assert!(rig.event(None, Body::Wake).is_empty());
}

#[test]
fn one_symbol_too_goes_on_where_the_harness_stopped() {
    let config = AlphaConfig { intents_max: 1, ..AlphaConfig::default() };
    let strategy = Quoter::new(&QuoterConfig::default());
    let mut rig = Rig::with(&config, vec![strategy], &[BTC], 64);
    assert_eq!(rig.market(BTC, "59999.9", "60000.1").len(), 1);
    let second = rig.event(None, Body::Wake);
    assert_eq!(all_told(&second), ["Sell 0.003 at 60006 Gtx"]);
    assert!(rig.event(None, Body::Wake).is_empty());
}

#[test]
fn rejections_are_answered_by_longer_and_longer_silence() {
    let mut rig = quoter(|config| config.mark_age_max = Nanos(3_600 * Nanos::SECOND));
    let mut sent = rig.market(BTC, "59999.9", "60000.1");
    for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        assert_eq!(sent.len(), 2);
        assert!(rig.reject(&sent[0]).is_empty());
        assert!(rig.reject(&sent[1]).is_empty());
        assert!(rig.pass(wait - 1).tick().is_empty(), "{wait}");
        sent = rig.pass(1).tick();
    }
    // Success makes the next wait the shortest again, and the other symbol never waited.
    rig.answer(&sent);
    let moved = rig.pass(1_000).touch(BTC, "60003", "60003.2");
    rig.report(moved[0].order, ReportKind::AmendRefused);
    assert!(rig.pass(999).tick().is_empty());
    let again = rig.pass(1).tick();
    assert_eq!(again[0].order, moved[0].order);
    rig.reject(&again[0]);
    assert_eq!(rig.market(ETH, "3000", "3000.01").len(), 2);
}

#[test]
fn rejections_of_others_are_not_minded() {
    let other = |event: &Event, _: &View<'_>, orders: &mut Orders<'_>| {
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
            orders.send(BTC, buy()).unwrap();
        }
    };
    let quoter = Quoter::new(&QuoterConfig::default());
    let mut rig = Rig::new(vec![Pair::Other(Scripted::new(other)), Pair::Own(Box::new(quoter))]);
    let foreign = rig.tick();
    rig.reject(&foreign[0]);
    rig.report(foreign[1].order, ReportKind::Refused);
    let sent = rig.market(BTC, "59999.9", "60000.1");
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|intent| intent.order.strategy().0 == 1));
}

#[test]
fn an_expired_post_only_quote_is_sent_anew_and_is_no_failure() {
    let (mut rig, [buy, _]) = quoting(|_| {});
    let mut report = rig.report_on(buy, ReportKind::Expired);
    report.reason = VenueReason::WouldTake;
    assert!(rig.event(Some(BTC), Body::Report(report)).is_empty(), "one change a second");
    assert!(rig.pass(999).tick().is_empty());
    assert_eq!(all_told(&rig.pass(1).tick()), ["Buy 0.003 at 59994 Gtx"]);
}

#[test]
fn too_large_a_position_is_reduced_at_the_touch_and_then_through_it() {
    let (mut rig, _) = quoting(|_| {});
    // Six fills of 180 are 1,080: the bid goes, and the ask becomes a reducing order.
    fill_to(&mut rig, Side::Buy, "0.018");
    let open = open(&rig);
    assert_eq!(open.len(), 1, "{open:?}");
    // 580 too much, of which 500 in one order: 0.009 is 540, the lot above it.
    assert_eq!((open[0].side, open[0].reduce_only), (Side::Sell, true));
    assert_eq!((open[0].price, open[0].qty), (px("60000.1"), qty("0.009")));
    // It follows the touch as a quote does.
    let moved = rig.pass(1_000).touch(BTC, "60009.9", "60010.1");
    assert_eq!(told(&moved[0]), format!("amend {} to 0.009 at 60010.1", open[0].id.counter()));
    rig.answer(&moved);
    // After `reduce_after` it takes: the resting order goes first.
    rig.pass(30_000).mark(BTC, "59999.9");
    let gone = rig.tick();
    assert_eq!(all_told(&gone), [format!("cancel {}", open[0].id.counter())]);
    let taking = rig.answer(&gone);
    assert_eq!(all_told(&taking), ["Sell 0.009 at 60003.9 Ioc reduce"]);
    // An order that answers for itself is waited for, even when it has only been accepted.
    let taken = taking[0].order;
    assert!(rig.report(taken, ReportKind::Accepted).is_empty());
    assert!(rig.pass(5_000).touch(BTC, "60099.9", "60100.1").is_empty());
    assert!(rig.invalid(BTC).is_empty());
    rig.depth(BTC);
    assert!(rig.touch(BTC, "60009.9", "60010.1").is_empty());
    rig.fill(taken, "0.005");
    // The rest expires and the next one asks for what is still too much: 780 - 500.
    let next = rig.report(taken, ReportKind::Expired);
    assert_eq!(all_told(&next), ["Sell 0.005 at 60003.9 Ioc reduce"]);
    let after = rig.fill(next[0].order, "0.005");
    // 480 are below `reduce_to`: both sides are quoted again.
    assert_eq!(after.len(), 1, "the other side changed a moment ago");
    assert_eq!(new_order(&after[0]).tif, TimeInForce::Gtx);
    assert_eq!(rig.pass(1_000).tick().len(), 1);
}

#[test]
fn a_short_is_reduced_by_buying() {
    let (mut rig, _) = quoting(|_| {});
    fill_to(&mut rig, Side::Sell, "0.018");
    let open = open(&rig);
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].side, open[0].reduce_only), (Side::Buy, true));
    assert_eq!((open[0].price, open[0].qty), (px("59999.9"), qty("0.009")));
}

#[test]
fn reducing_goes_on_at_level_one_and_stops_at_level_two() {
    let (mut rig, _) = quoting(|_| {});
    fill_to(&mut rig, Side::Buy, "0.018");
    assert!(rig.kill(KillLevel::NoNewRisk).is_empty(), "the reducing order stays");
    let id = open(&rig)[0].id;
    assert_eq!(all_told(&rig.kill(KillLevel::Halt)), [format!("cancel {}", id.counter())]);
    rig.report(id, ReportKind::Canceled);
    assert!(rig.pass(5_000).tick().is_empty());
    // Back at level 1 it reduces, and quotes nothing.
    let sent = rig.kill(KillLevel::NoNewRisk);
    assert_eq!(all_told(&sent), ["Sell 0.009 at 60000.1 Gtc reduce"]);
}

#[test]
fn what_the_account_can_not_reduce_is_quoted_instead() {
    let config = QuoterConfig::default();
    let reduce = Reduce {
        now: Nanos(0),
        since: Nanos(0),
        mark: px("60000"),
        inventory: UsdSum(i128::from(usd("1080").0)),
        position: Position { qty: qty("0.018"), ..Position::default() },
    };
    let universe = crate::rig::universe();
    let instrument = universe.get(BTC);
    let of = |free: &str| reduce.qty(instrument, i128::from(qty(free).0), &config);
    assert_eq!(of("0.018"), Some(qty("0.009")));
    assert_eq!(of("0.0045"), Some(qty("0.004")));
    assert_eq!(of("0.0005"), None);
    assert_eq!(of("0"), None);
}

/// The most that happened in any minute, on one symbol or on all.
fn most(times: &[(Nanos, InstrumentId)], only: Option<InstrumentId>) -> usize {
    let counts = |id| only.is_none_or(|only| only == id);
    let times: Vec<Nanos> = times.iter().filter(|(_, id)| counts(*id)).map(|(at, _)| *at).collect();
    let within = |from: &Nanos| {
        times.iter().filter(|at| (0..i128::from(MINUTE.0)).contains(&at.since(*from))).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// Three minutes of a market that jumps, with a venue that fills one new order in `fills` at once.
/// Returns when quotes and amends were sent.
fn wild_market(fills: u64) -> [Vec<(Nanos, InstrumentId)>; 2] {
    let ids = [BTC, ETH, BNB];
    let strategy = Quoter::new(&QuoterConfig::default());
    let mut rig = Rig::with(&AlphaConfig::default(), vec![strategy], &ids, 64);
    let [mut quotes, mut amends] = [Vec::new(), Vec::new()];
    let chance = |leg, bound| jitter::below(7, OrderId(1), leg, bound);
    for round in 0..1_800 {
        for id in ids {
            let bid = px("600").0 + px("0.15").0 * i64::try_from(chance(round, 13)).unwrap();
            let [bid, ask] = [bid, bid + px("0.1").0].map(|price| Px(price).to_string());
            let mut intents = rig.market(id, &bid, &ask);
            while let Some(intent) = intents.pop() {
                let sent = (rig.now, intent.instrument);
                intents.extend(rig.answer(&[intent]));
                match intent.action {
                    Action::New(new) => {
                        quotes.extend((!new.reduce_only).then_some(sent));
                        if chance(intent.order.0, fills) == 0 {
                            intents.extend(rig.fill_all(intent.order));
                        }
                    }
                    Action::Amend { .. } => amends.push(sent),
                    Action::Cancel | Action::Query | Action::Conditional(_) => {}
                }
            }
        }
        rig.pass(100);
    }
    [quotes, amends]
}

/// C5: what is left of the default limits is room for other strategies.
#[test]
fn the_default_rate_limits_hold_in_a_wild_market() {
    let [quotes, _] = wild_market(1);
    // Three symbols at their own pace of 16 stay below that of the account.
    assert_eq!(most(&quotes, None), 48);
    assert_eq!([BTC, ETH, BNB].map(|id| most(&quotes, Some(id))), [16; 3]);
    let [_, amends] = wild_market(1_000);
    let most = most(&amends, None);
    assert!((200..=250).contains(&most), "{most}");
}

#[test]
fn many_symbols_share_the_amends() {
    let ids = [BTC, ETH, BNB];
    let config = QuoterConfig { amends_per_minute: 36, ..QuoterConfig::default() };
    let rig = Rig::with(&AlphaConfig::default(), vec![Quoter::new(&config)], &ids, 64);
    assert_eq!(rig.stage.strategies()[0].interval, Nanos(10 * Nanos::SECOND));
}

/// A quoter that works out everything afresh on every event.
struct Restless(Quoter);

impl Strategy for Restless {
    fn start(&mut self, view: &View<'_>) {
        self.0.start(view);
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        for symbol in self.0.symbols.iter_mut() {
            (symbol.settled, symbol.quoted) = (None, None);
        }
        self.0.on_event(event, view, orders);
    }
}

/// One step of a walk; `sent` are the intents of the step before.
fn walk<S: Strategy>(rig: &mut Rig<S>, step: (u8, i64, u64), sent: &[Intent]) -> Vec<Intent> {
    let (kind, number, millis) = step;
    let price = |tenths: i64| Px(tenths * 10_000_000).to_string();
    rig.pass(millis);
    let open: Vec<Order> = rig.stage.portfolio().orders_of(BTC).copied().collect();
    let chosen = open.get(number.unsigned_abs() as usize % open.len().max(1));
    match (kind, chosen) {
        // Mostly the same few prices, as in a market.
        (0..8, _) => {
            let bid = 599_999 + 20 * (number % 2);
            rig.touch(BTC, &price(bid), &price(bid + 2))
        }
        (8, _) => rig.touch(BTC, &price(599_999 + number), &price(600_001 + number)),
        (9 | 10, _) => rig.mark(BTC, &price(600_000 + 1_500 * number)),
        (11, _) => rig.depth(BTC),
        (12, _) => rig.tick(),
        (13, _) if number > 90 => rig.gap(),
        (13, _) if number > 70 => rig.invalid(BTC),
        (13, _) if number < -97 => rig.kill(KillLevel::NoNewRisk),
        (14..17, Some(order)) if order.phase == Phase::Open => rig.fill_all(order.id),
        (17, _) if !sent.is_empty() => rig.reject(&sent[0]),
        _ => rig.answer(sent),
    }
}

proptest! {
    #[test]
    fn a_settled_quoter_does_what_a_restless_one_does(
        steps in prop::collection::vec((0_u8..22, -100_i64..100, 0_u64..700), 1..300),
    ) {
        let config = QuoterConfig {
            inventory_max: usd("400"),
            reduce_to: usd("200"),
            skew: Bps(200_000),
            requote: Bps(1_000),
            ..QuoterConfig::default()
        };
        let mut settled = Rig::new(vec![Quoter::new(&config)]);
        let mut restless = Rig::new(vec![Restless(Quoter::new(&config))]);
        let mut sent = settled.market(BTC, "59999.9", "60000.1");
        prop_assert_eq!(&sent, &restless.market(BTC, "59999.9", "60000.1"));
        for step in steps {
            let next = walk(&mut settled, step, &sent);
            prop_assert_eq!(&next, &walk(&mut restless, step, &sent));
            sent = next;
        }
        prop_assert_eq!(settled.stage.counts(), restless.stage.counts());
    }
}
