//! A body of each kind of event, and the columns that it fills.

use fusewire_core::book::{BookSide, Invalid, Touch};
use fusewire_core::event::{
    Bar, Control, Depth, DepthBand, EventKind, Funding, Levels, Liquidation, Mark, OpenInterest,
    Origin as MarkOrigin, TouchChange, TouchSource, Trade,
};
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::market::Level;
use fusewire_core::order::{AccountReason, AccountUpdate, OrderState, Status};
use fusewire_core::units::{Bps, Rate, Wide};

use super::*;

fn level(price: &str, size: &str) -> Level {
    Level { price: px(price), qty: qty(size) }
}

/// A body and the columns that it fills behind `kind`, by name.
pub(super) type Told = (&'static str, Body);

/// A body of each kind, in their order.
pub(super) fn bodies() -> Vec<Told> {
    let quiet = [
        ("reason=snapshot_too_old", Body::BookInvalid(Invalid::SnapshotTooOld)),
        ("", Body::Tick),
        ("", Body::Gap),
        ("", Body::Wake),
    ];
    [&book_bodies()[..], &market_bodies(), &quiet, &order_bodies(), &history_bodies()].concat()
}

/// Some quantities within bands.
fn bands() -> [Wide; 2] {
    [1_250_000_000_i128, 3_000_000_000].map(Into::into)
}

fn book_bodies() -> [Told; 3] {
    let touch = Touch { bid: Some(level("85000.1", "0.5")), ask: None };
    let depth = Depth {
        imbalance_ppm: -250_000,
        microprice: Some(px("85000.15")),
        bids: bands(),
        ..Depth::default()
    };
    let none = Level::default();
    let levels = Levels {
        side: BookSide::Ask,
        first: 4,
        count: 2,
        levels: [level("85000.2", "1.5"), level("85000.3", "0.001"), none, none],
    };
    [
        (
            "source=ticker bid_price=85000.1 bid_qty=0.5",
            Body::Touch(TouchChange { touch, source: TouchSource::Ticker }),
        ),
        (
            r#"body={"imbalance_ppm":-250000,"microprice":"85000.15","bids":["12.5","30"],"asks":["0","0"]}"#,
            Body::Depth(depth),
        ),
        (
            r#"body={"book_side":"ask","first":4,"levels":[["85000.2","1.5"],["85000.3","0.001"]]}"#,
            Body::Levels(levels),
        ),
    ]
}

fn market_bodies() -> [Told; 4] {
    let Level { price, qty } = level("85000.1", "0.012");
    let mark = Mark {
        price: px("85001.5"),
        index: Some(px("85002")),
        funding_rate: Some(Rate::parse(b"-0.000012345678").unwrap()),
        next_funding: Some(Nanos(28_800)),
        origin: MarkOrigin::Real,
    };
    let bar = Bar {
        open_time: Nanos(60),
        interval_s: 60,
        trades: 3,
        open: px("2.4"),
        high: px("3"),
        low: px("1.5"),
        close: px("2"),
        volume: bands()[0],
        quote_volume: bands()[1],
    };
    [
        (
            "side=sell price=85000.1 qty=0.012 trade_id=-5",
            Body::Trade(Trade { id: -5, price, qty, aggressor: Side::Sell }),
        ),
        (
            r#"source=real price=85001.5 body={"index":"85002","funding_rate":"-0.000012345678","next_funding_ns":28800}"#,
            Body::Mark(mark),
        ),
        (
            "side=buy price=85000.1 qty=0.012",
            Body::Liquidation(Liquidation { side: Side::Buy, price, qty }),
        ),
        (
            r#"body={"open_time_ns":60,"interval_s":60,"trades":3,"open":"2.4","high":"3","low":"1.5","close":"2","volume":"12.5","quote_volume":"30"}"#,
            Body::Bar(bar),
        ),
    ]
}

fn history_bodies() -> [Told; 3] {
    [
        (
            r#"venue_ns=900 body={"rate":"-0.000012345678"}"#,
            Body::Funding(Funding { at: Nanos(900), rate: Rate(-12_345_678) }),
        ),
        (
            r#"venue_ns=900 body={"qty":"12.5","notional":"30"}"#,
            Body::OpenInterest(OpenInterest {
                at: Nanos(900),
                qty: Some(bands()[0]),
                notional: Some(bands()[1]),
            }),
        ),
        (
            r#"venue_ns=900 body={"distance_bp":"-20","qty":"12.5","notional":"30"}"#,
            Body::DepthBand(DepthBand {
                at: Nanos(900),
                distance: Bps(-200_000),
                qty: bands()[0],
                notional: bands()[1],
            }),
        ),
    ]
}

fn order_bodies() -> [Told; 6] {
    let status = Status {
        order: order(0, 1),
        state: OrderState::Open,
        side: Side::Sell,
        reduce_only: true,
        price: px("85000.1"),
        qty: qty("0.3"),
        cum_qty: qty("0.1"),
        cum_quote: usd("8500.01"),
        cum_fee: usd("1.7"),
        at: Nanos(900),
    };
    let refused = rejection(Action::New(buy()), Check::Collar, 503_000, 500_000);
    [
        (
            "side=buy price=85000.1 qty=0.3 order_id=1-0-1 status=partial_fill reduce_only=false \
             liquidity=maker last_qty=0.1 last_price=85000.1 cum_qty=0.1 cum_quote=8500.01 \
             cum_fee=1.7 paid_by_seq=4 venue_ns=900",
            Body::Report(fill()),
        ),
        (
            "side=sell price=85000.1 qty=0.3 order_id=1-0-1 status=open reduce_only=true \
             cum_qty=0.1 cum_quote=8500.01 cum_fee=1.7 venue_ns=900",
            Body::Status(status),
        ),
        (
            r#"side=buy price=85000.1 qty=0.012 order_id=1-0-1 reason=collar reduce_only=false tif=gtx body={"by":"risk","action":"new","measured":"50.3","limit":"50","unit":"bp"}"#,
            Body::Rejected(refused),
        ),
        ("kill_level=2", Body::Control(Control::Raise(KillLevel::Halt))),
        ("kill_level=0", Body::KillLevel(KillLevel::Run)),
        (
            r#"reason=funding venue_ns=900 body={"leg":"both","n":3,"total":"-2.5","change":"-0.5","wallet":"9997.5","position":"0.3","mark":"85000.1","rate":"0.0001"}"#,
            Body::Account(AccountUpdate {
                reason: AccountReason::Funding,
                leg: Leg::Both,
                n: 3,
                total: usd("-2.5"),
                change: usd("-0.5"),
                wallet: usd("9997.5"),
                qty: qty("0.3"),
                price: px("85000.1"),
                rate: Rate(100_000_000),
                at: Nanos(900),
            }),
        ),
    ]
}

/// The columns of an event's row that are not null, as `name=value`.
fn told(body: Body) -> String {
    let mut bytes = Vec::new();
    let mut sink = Box::new(CsvSink::new("OUT", &mut bytes, &EVENT).unwrap());
    let rows = Rows::new(names());
    sink.row(&rows.event(&event(3, Some(BTC), body))).unwrap();
    sink.finish().unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let names = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let filled = names.iter().zip(&row).filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_kind_of_event_fills_its_columns() {
    let kinds: Vec<_> = bodies().iter().map(|(_, body)| body.kind()).collect();
    assert_eq!(kinds, EventKind::ALL);
    for (expected, body) in bodies() {
        let head = "seq=3 ts_ns=1003 recv_ns=1003 symbol=BTCUSDT";
        let expected = format!("{head} kind={} {expected}", body.kind().name());
        assert_eq!(told(body), expected.trim_end());
    }
}

#[test]
fn what_an_event_does_not_know_is_null() {
    let mark = Mark {
        price: px("1"),
        index: None,
        funding_rate: None,
        next_funding: None,
        origin: MarkOrigin::Assumed,
    };
    assert!(told(Body::Mark(mark)).ends_with("kind=Mark source=assumed price=1"));
    let mark = Mark { next_funding: Some(Nanos(7)), ..mark };
    let body = r#"body={"index":null,"funding_rate":null,"next_funding_ns":7}"#;
    assert!(told(Body::Mark(mark)).ends_with(body));
    let deep = Depth { bids: [(3_i128 << 64).into(); 2], ..Depth::default() };
    let body = r#"body={"imbalance_ppm":0,"microprice":null,"bids":["553402322211.28654848","553402322211.28654848"],"asks":["0","0"]}"#;
    assert!(told(Body::Depth(deep)).ends_with(body));
    let canceled = Report {
        kind: ReportKind::Canceled,
        reason: VenueReason::AmendedAway,
        last_qty: Qty::ZERO,
        last_price: Px::ZERO,
        ..fill()
    };
    let text = told(Body::Report(canceled));
    assert!(text.contains("status=canceled reason=amended_away reduce_only=false cum_qty=0.1"));
    let text = told(Body::Rejected(rejection(Action::Cancel, Check::OrderState, 0, 0)));
    let body = r#"body={"by":"risk","action":"cancel","measured":null,"limit":null,"unit":null}"#;
    assert!(text.ends_with(&format!("kind=Rejected order_id=1-0-1 reason=order_state {body}")));
}

#[test]
fn the_page_shows_what_bodies_look_like() {
    for (told, body) in bodies() {
        if let Some((_, json)) = told.split_once("body=") {
            let kind = body.kind().name();
            let line = format!("- `{kind}`: `{json}`");
            assert!(PAGE.lines().any(|found| found == line), "not on the page: {line}");
        }
    }
}
