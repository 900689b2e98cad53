//! Rows by hand, as CSV, and the page that describes their columns.

use fusewire_core::event::EventKind;
use fusewire_core::order::{
    Check, Leg, Liquidity, RejectedBy, ReportKind, Side, Source, TimeInForce, TriggerPrice,
    VenueReason,
};
use fusewire_core::units::{Rate, UsdSum};
use fusewire_risk::ledger::{ExitPath, TradeRow};

use super::super::table::Sink;
use super::super::{CsvSink, ExportError};
use super::*;

mod bodies;

/// The page that describes the tables.
const PAGE: &str = include_str!("../../../../docs/journal-export.md");

fn names() -> Names {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Names {
        strategies: owned(&["quoter", "taker"]),
        symbols: owned(&["BTCUSDT", "SPOT:BTCUSDT"]),
        sources: owned(&["a.ns.gz"]),
    }
}

/// What `fill` adds to a table of the lane, without its header.
fn csv(
    lane: ExportLane,
    fill: impl FnOnce(&mut Rows, &mut dyn Sink) -> Result<(), ExportError>,
) -> String {
    let mut bytes = Vec::new();
    let mut sink = Box::new(CsvSink::new("OUT", &mut bytes, columns(lane)).unwrap());
    fill(&mut Rows::new(names()), &mut *sink).unwrap();
    sink.finish().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.split_once('\n').unwrap().1.to_owned()
}

fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

fn usd(text: &str) -> Usd {
    Usd::parse(text.as_bytes()).unwrap()
}

fn order(seat: u8, counter: u64) -> OrderId {
    OrderId::new(1, StrategyId(seat), counter)
}

const BTC: InstrumentId = InstrumentId(0);

fn intent(order: OrderId, action: Action) -> Intent {
    let own = order.strategy() == StrategyId::RISK;
    let source = if own { Source::Risk } else { Source::Alpha };
    Intent { order, instrument: BTC, source, action }
}

fn new(side: Side, price: &str, size: &str, tif: TimeInForce) -> NewOrder {
    NewOrder { side, price: px(price), qty: qty(size), tif, reduce_only: false }
}

fn buy() -> NewOrder {
    new(Side::Buy, "85000.1", "0.012", TimeInForce::Gtx)
}

/// A trailing stop, 12.5 bp from its best price.
fn protect() -> Action {
    let order =
        NewOrder { reduce_only: true, ..new(Side::Sell, "84000", "0.012", TimeInForce::Ioc) };
    let trigger = Trigger {
        kind: TriggerKind::Trailing,
        by: TriggerPrice::Last,
        price: px("84100"),
        callback: Rate(1_250_000_000),
        close_position: false,
    };
    Action::Conditional(Conditional { order, trigger })
}

fn amend() -> Action {
    Action::Amend { price: px("85000.2"), qty: qty("0.02") }
}

fn cause(seq: u64) -> Cause {
    Cause { seq, ts: Some(Nanos(1_000 + seq)) }
}

fn event(seq: u64, instrument: Option<InstrumentId>, body: Body) -> Event {
    let ts = Nanos(1_000 + seq);
    Event { seq, ts, recv: ts, frame: 0, instrument, last: true, stamp: Default::default(), body }
}

/// A fill of a tenth.
fn fill() -> Report {
    Report {
        order: order(0, 1),
        kind: ReportKind::PartialFill,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: Leg::Both,
        liquidity: Liquidity::Maker,
        price: px("85000.1"),
        qty: qty("0.3"),
        cum_qty: qty("0.1"),
        cum_quote: usd("8500.01"),
        cum_fee: usd("1.7"),
        last_qty: qty("0.1"),
        last_price: px("85000.1"),
        payer: 4,
        at: Nanos(900),
    }
}

/// The report after it: all of it is filled.
fn rest() -> Report {
    Report {
        kind: ReportKind::Filled,
        cum_qty: qty("0.3"),
        cum_fee: usd("5.1"),
        last_qty: qty("0.2"),
        last_price: px("85000"),
        payer: 0,
        ..fill()
    }
}

fn reports(reports: &[Report]) -> String {
    csv(ExportLane::Report, |rows, sink| {
        for (seq, report) in (1..).zip(reports) {
            let event = event(seq, Some(BTC), Body::Report(*report));
            sink.row(&rows.report(&event).unwrap())?;
        }
        Ok(())
    })
}

#[test]
fn what_the_gateway_did_is_told_with_the_order_that_it_was_about() {
    let exit =
        NewOrder { reduce_only: true, ..new(Side::Sell, "84000", "0.012", TimeInForce::Ioc) };
    let (quote, leave) = (order(0, 17), order(255, 2));
    let steps = [
        (1, intent(quote, Action::New(buy())), Sending::Sent),
        (2, intent(quote, amend()), Sending::Sent),
        (3, intent(quote, Action::Query), Sending::Sent),
        (3, intent(leave, Action::New(exit)), Sending::Sent),
        (4, intent(leave, Action::Cancel), Sending::Sent),
        (5, intent(quote, Action::Cancel), Sending::Blocked),
        (6, intent(order(7, 1), amend()), Sending::Sent),
        (6, intent(order(0, 18), protect()), Sending::Sent),
        (6, intent(order(0, 18), Action::Cancel), Sending::Sent),
    ];
    let text = csv(ExportLane::Gateway, |rows, sink| {
        for (seq, intent, sending) in &steps {
            sink.row(&rows.gateway(cause(*seq), GatewayRecord::Intent(intent, *sending)))?;
        }
        sink.row(&rows.gateway(Cause { seq: 7, ts: None }, GatewayRecord::CancelAll))
    });
    assert_eq!(
        text,
        "1,1001,new,quoter,BTCUSDT,buy,1-0-17,limit,gtx,85000.1,0.012,false,sent\n\
         2,1002,amend,quoter,BTCUSDT,buy,1-0-17,limit,gtx,85000.2,0.02,false,sent\n\
         3,1003,query,quoter,BTCUSDT,buy,1-0-17,limit,gtx,,,false,sent\n\
         3,1003,reduce,risk,BTCUSDT,sell,1-risk-2,limit,ioc,84000,0.012,true,sent\n\
         4,1004,cancel,risk,BTCUSDT,sell,1-risk-2,limit,ioc,,,true,sent\n\
         5,1005,cancel,quoter,BTCUSDT,buy,1-0-17,limit,gtx,,,false,blocked\n\
         6,1006,amend,7,BTCUSDT,,1-7-1,limit,,85000.2,0.02,,sent\n\
         6,1006,conditional,quoter,BTCUSDT,sell,1-0-18,trailing,ioc,84000,0.012,true,sent\n\
         6,1006,cancel,quoter,BTCUSDT,sell,1-0-18,trailing,ioc,,,true,sent\n\
         7,,cancel,,,,,,,,,,sent\n"
    );
}

#[test]
fn fees_add_up_over_lost_repeated_and_late_reports() {
    let accepted =
        Report { kind: ReportKind::Accepted, cum_qty: Qty::ZERO, cum_fee: Usd::ZERO, ..fill() };
    let accepted = Report { last_qty: Qty::ZERO, last_price: Px::ZERO, payer: 0, ..accepted };
    assert_eq!(
        reports(&[accepted, fill(), fill(), rest(), fill()]),
        "1,1001,1-0-1,accepted,0,,0,0,\n\
         2,1002,1-0-1,partial_fill,0.1,85000.1,0.1,1.7,4\n\
         3,1003,1-0-1,partial_fill,0.1,85000.1,0.1,0,4\n\
         4,1004,1-0-1,filled,0.2,85000,0.3,3.4,\n\
         5,1005,1-0-1,partial_fill,0.1,85000.1,0.1,0,4\n"
    );
    // The first fill was lost; a cancel makes up for it, and another order is another sum.
    let canceled = Report { kind: ReportKind::Canceled, last_qty: Qty::ZERO, ..fill() };
    let other = Report { order: order(1, 1), ..rest() };
    assert_eq!(
        reports(&[canceled, other]),
        "1,1001,1-0-1,canceled,0,,0.1,1.7,\n2,1002,1-1-1,filled,0.2,85000,0.3,5.1,\n"
    );
}

#[test]
fn makers_that_are_paid_have_negative_fees() {
    let paid = |report: Report| Report { cum_fee: Usd(-report.cum_fee.0), ..report };
    let text = reports(&[paid(fill()), paid(fill()), paid(rest())]);
    let fees: Vec<_> = text.lines().map(|line| line.split(',').nth(7).unwrap()).collect();
    assert_eq!(fees, ["-1.7", "0", "-3.4"]);
    let far = |cum_qty, cum_fee| Report { cum_qty, cum_fee, ..fill() };
    let text = reports(&[far(Qty(1), Usd(i64::MIN)), far(Qty(2), Usd(i64::MAX))]);
    assert!(text.contains(",-92233720368.54775808,") && text.contains(",184467440737.09551615,"));
}

#[test]
fn only_reports_are_in_the_report_lane() {
    let mut rows = Rows::new(names());
    for (_, body) in bodies::bodies() {
        let is_report = body.kind() == EventKind::Report;
        assert_eq!(rows.report(&event(1, None, body)).is_some(), is_report);
    }
}

#[test]
fn every_kind_of_report_has_a_word() {
    let all = ReportKind::ALL.map(|kind| Report { kind, ..fill() });
    let text = reports(&all);
    let words: Vec<_> = text.lines().map(|line| line.split(',').nth(3).unwrap()).collect();
    let expected = [
        "accepted",
        "partial_fill",
        "filled",
        "canceled",
        "expired",
        "refused",
        "amended",
        "amend_refused",
        "cancel_refused",
        "triggered",
        "outcome_unknown",
    ];
    assert_eq!(words, expected);
}

#[test]
fn intents_are_told_with_the_order_that_they_are_about() {
    let text = csv(ExportLane::Alpha, |rows, sink| {
        let spot = Intent { instrument: InstrumentId(1), ..intent(order(1, 3), amend()) };
        let far = Intent { instrument: InstrumentId(9), ..intent(order(1, 4), Action::Query) };
        let about = order(0, 1);
        sink.row(&rows.alpha(cause(1), &intent(about, Action::New(buy()))))?;
        sink.row(&rows.alpha(cause(2), &intent(about, amend())))?;
        sink.row(&rows.alpha(cause(3), &intent(about, Action::Cancel)))?;
        sink.row(&rows.alpha(Cause { seq: 4, ts: None }, &spot))?;
        sink.row(&rows.alpha(cause(5), &far))?;
        sink.row(&rows.alpha(cause(6), &intent(order(0, 2), protect())))
    });
    assert_eq!(
        text,
        "1,1001,quoter,BTCUSDT,new,1-0-1,buy,85000.1,0.012,gtx,false,,,,,\n\
         2,1002,quoter,BTCUSDT,amend,1-0-1,buy,85000.2,0.02,gtx,false,,,,,\n\
         3,1003,quoter,BTCUSDT,cancel,1-0-1,buy,,,gtx,false,,,,,\n\
         4,,taker,SPOT:BTCUSDT,amend,1-1-3,,85000.2,0.02,,,,,,,\n\
         5,1005,taker,9,query,1-1-4,,,,,,,,,,\n\
         6,1006,quoter,BTCUSDT,conditional,1-0-2,sell,84000,0.012,ioc,true,trailing,last,84100,12.5,false\n"
    );
}

/// Sold for less than the mid: a cost. Without a mid nobody knows.
#[test]
fn a_fill_is_told_with_the_mid_of_its_decision() {
    let fill = TradeRow {
        seq: 9,
        ts: Nanos(1_009),
        at: Nanos(1_007),
        order: order(0, 1),
        strategy: StrategyId(0),
        instrument: BTC,
        leg: Leg::Both,
        side: Side::Sell,
        qty: qty("0.3"),
        quote: usd("29994"),
        fee: usd("-1.5"),
        liquidity: Liquidity::Maker,
        payer: 4,
        realized: UsdSum(-250_000_000),
        incident: false,
    };
    let late = TradeRow { seq: 10, payer: 0, strategy: StrategyId::RISK, ..fill };
    let text = csv(ExportLane::Fills, |rows, sink| {
        sink.row(&rows.fill(&fill, Some(2 * i128::from(px("100000").0))))?;
        sink.row(&rows.fill(&late, None))
    });
    assert_eq!(
        text,
        "9,1009,1007,1-0-1,quoter,BTCUSDT,both,sell,0.3,99980,29994,-1.5,maker,4,100000,2,-2.5,false\n\
         10,1009,1007,1-0-1,risk,BTCUSDT,both,sell,0.3,99980,29994,-1.5,maker,,,,-2.5,false\n"
    );
}

fn rejection(action: Action, check: Check, measured: i128, limit: i128) -> Rejection {
    Rejection::new(&intent(order(0, 1), action), RejectedBy::Risk, check, measured, limit)
}

#[test]
fn verdicts_say_what_was_measured_in_which_unit() {
    let cancel = Action::Cancel;
    let text = csv(ExportLane::Risk, |rows, sink| {
        let refused = rejection(Action::New(buy()), Check::Collar, 503_000, 500_000);
        sink.row(&rows.risk(cause(1), 0, Decided::Rejected(&refused)))?;
        // That order never was, so that nothing is known of it.
        let unknown = rejection(cancel, Check::OrderState, 0, 0);
        sink.row(&rows.risk(cause(2), 0, Decided::Rejected(&unknown)))?;
        let first = intent(order(0, 1), Action::New(buy()));
        let approved = Decided::Approved { intent: &first, class: Class::NewRisk };
        sink.row(&rows.risk(cause(3), 1, approved))?;
        let more = rejection(amend(), Check::OrderNotional, 170_000_000_000, 100_000_000_000);
        sink.row(&rows.risk(cause(4), 2, Decided::Rejected(&more)))?;
        let last = intent(order(0, 1), cancel);
        sink.row(&rows.risk(cause(5), 3, Decided::Approved { intent: &last, class: Class::Cancel }))
    });
    assert_eq!(
        text,
        "1,1001,0,quoter,BTCUSDT,new,1-0-1,buy,85000.1,0.012,rejected,,collar,50.3,50,bp\n\
         2,1002,0,quoter,BTCUSDT,cancel,1-0-1,,,,rejected,,order_state,,,\n\
         3,1003,1,quoter,BTCUSDT,new,1-0-1,buy,85000.1,0.012,approved,new_risk,,,,\n\
         4,1004,2,quoter,BTCUSDT,amend,1-0-1,buy,85000.2,0.02,rejected,,order_notional,1700,1000,usd\n\
         5,1005,3,quoter,BTCUSDT,cancel,1-0-1,buy,,,approved,cancel,,,,\n"
    );
}

#[test]
fn numbers_of_checks_are_scaled_or_none() {
    let of = |check, measured| {
        let measured = Measured::of(&rejection(Action::Cancel, check, measured, 7));
        (measured.measured, measured.limit, measured.unit)
    };
    let ones = Some(700_000_000);
    assert_eq!(of(Check::MarkFreshness, 5), (Some(500_000_000), ones, Some("ns")));
    assert_eq!(of(Check::RateNew, 8), (Some(800_000_000), ones, Some("messages")));
    assert_eq!(of(Check::Lot, 8), (Some(8), Some(7), Some("qty")));
    // Risk says so when there was nothing to measure, and no other number is as large.
    assert_eq!(of(Check::BookFreshness, i128::MAX), (None, ones, Some("ns")));
    assert_eq!(of(Check::BookFreshness, i128::MAX - 1), (None, ones, Some("ns")));
    let largest = 10_i128.pow(38) - 1;
    assert_eq!(of(Check::Lot, -largest), (Some(-largest), Some(7), Some("qty")));
    for beyond in [largest + 1, -largest - 1, i128::MAX, i128::MIN] {
        assert_eq!(of(Check::Lot, beyond), (None, Some(7), Some("qty")));
    }
    assert_eq!(of(Check::Arithmetic, i128::MAX), (None, None, None));
}

#[test]
fn frames_say_where_they_lie() {
    let frame = FeedRecord {
        frame: 1,
        recv: Nanos(1_723_161_255_030_314_667),
        source: 0,
        line: 12,
        body: FeedBody::Frame { market: Market::UsdM, origin: Origin::Stream, bytes: 90 },
    };
    let rest =
        |url| FeedBody::Frame { market: Market::Spot, origin: Origin::Rest { url }, bytes: 0 };
    let text = csv(ExportLane::Feed, |rows, sink| {
        sink.row(&rows.feed(&frame))?;
        let body = rest("https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000");
        sink.row(&rows.feed(&FeedRecord { frame: 2, source: 3, body, ..frame }))?;
        sink.row(&rows.feed(&FeedRecord { frame: 3, body: rest(""), ..frame }))?;
        let body = FeedBody::Damaged("a.ns.gz:12: no time, \"x\"");
        sink.row(&rows.feed(&FeedRecord { frame: 4, body, ..frame }))
    });
    let rows = Rows::new(names());
    let unnamed = rows.feed(&FeedRecord { body: rest(""), ..frame });
    assert_eq!(unnamed[7], Value::Null, "CSV can not tell an empty text from none");
    let recv = "1723161255030314667";
    assert_eq!(
        text,
        format!(
            "1,{recv},a.ns.gz,12,usdm,stream,90,,\n\
             2,{recv},3,12,spot,rest,0,https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000,\n\
             3,{recv},a.ns.gz,12,spot,rest,0,,\n\
             4,{recv},a.ns.gz,12,,,,,\"a.ns.gz:12: no time, \"\"x\"\"\"\n"
        )
    );
}

#[test]
fn events_name_their_frame() {
    let text = csv(ExportLane::Event, |rows, sink| {
        let tick = Event { frame: 12, recv: Nanos(5), ..event(1, None, Body::Tick) };
        sink.row(&rows.event(&tick))
    });
    assert!(text.starts_with("1,1001,5,12,,Tick,,"), "{text}");
}

#[test]
fn lanes_are_named_as_on_the_command_line() {
    use clap::ValueEnum;
    assert_eq!(ExportLane::value_variants(), ExportLane::ALL);
    for lane in ExportLane::ALL {
        assert_eq!(lane.to_possible_value().unwrap().get_name(), lane.name());
    }
}

#[test]
fn the_page_describes_every_column() {
    let mut sections = PAGE.split("\n## ").skip(1);
    for lane in ExportLane::ALL {
        let heading = format!("`{}`\n", lane.name());
        let section = sections.find(|section| section.starts_with(&heading));
        let section = section.unwrap_or_else(|| panic!("no section on {}", lane.name()));
        let found: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
        let line = |c: &Column| format!("| `{}` | `{}` | {} |", c.name, c.kind, c.about);
        let expected: Vec<_> = columns(lane).iter().map(line).collect();
        assert_eq!(found, expected, "{}", lane.name());
    }
}

#[test]
fn the_column_names_every_exit() {
    let column = columns(ExportLane::Trades).iter().find(|column| column.name == "exit_path");
    let about = column.unwrap().about;
    for path in ExitPath::ALL {
        assert!(about.contains(&format!("`{}`", path.name())), "{} in: {about}", path.name());
    }
}
