//! Every field of every message reaches the bytes: what differs in one field differs in its record.

mod conditional;
mod market;
mod money;

use market::{bands, bars, depths, history, levels, liquidations, marks, touches, trades};

use super::*;
use crate::book::{Invalid, Touch};
use crate::event::{
    Bar, Depth, DepthBand, EventKind, Funding, GateBreach, Levels, Liquidation, OpenInterest,
    TouchChange, Trade,
};
use crate::instrument::{InstrumentId, Market};
use crate::kill::Level as KillLevel;
use crate::lane::{FrameOrigin, Keep, LaneWriter};
use crate::latency::Span;
use crate::market::Level;
use crate::message::{FeedbackBody, FeedbackOrigin};
use crate::order::{
    AccountReason, ApprovalKey, Check, Leg, Liquidity, OrderId, OrderState, RejectedBy, ReportKind,
    Side, TimeInForce, VenueReason, Verdict,
};
use crate::units::{Bps, Nanos, Qty, Usd, Wide};

/// A base with one changed copy for each change.
fn variants<T: Copy>(base: T, changes: &[fn(&mut T)]) -> Vec<T> {
    let mut all = vec![base];
    for change in changes {
        let mut changed = base;
        change(&mut changed);
        all.push(changed);
    }
    all
}

/// Kinds of reports and checks that format 1 began with. What came later has digests of its own.
const KINDS_AT_FIRST: usize = 9;
/// See `KINDS_AT_FIRST`.
const CHECKS_AT_FIRST: usize = 27;

const LEVEL: Level = Level { price: Px(11), qty: Qty(12) };

fn reports() -> Vec<Body> {
    let base = Report {
        order: OrderId(1),
        kind: ReportKind::Accepted,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: Leg::Both,
        liquidity: Liquidity::Maker,
        price: Px(2),
        qty: Qty(3),
        cum_qty: Qty(4),
        cum_quote: Usd(5),
        cum_fee: Usd(6),
        last_qty: Qty(7),
        last_price: Px(8),
        payer: 9,
        at: Nanos(11),
    };
    let mut all = variants(
        base,
        &[
            |r| r.order = OrderId(u64::MAX),
            |r| r.reason = VenueReason::DuplicateId,
            |r| r.side = Side::Sell,
            |r| r.reduce_only = true,
            |r| r.liquidity = Liquidity::Taker,
            |r| r.price = Px(10),
            |r| r.qty = Qty(10),
            |r| r.cum_qty = Qty(10),
            |r| r.cum_quote.0 = 10,
            |r| r.cum_fee.0 = -6,
            |r| r.last_qty = Qty(10),
            |r| r.last_price = Px(10),
            |r| r.payer = 10,
            |r| r.at = Nanos(10),
        ],
    );
    all.extend(ReportKind::ALL[1..KINDS_AT_FIRST].iter().map(|&kind| Report { kind, ..base }));
    all.into_iter().map(Body::Report).collect()
}

fn statuses() -> Vec<Body> {
    let base = Status {
        order: OrderId(1),
        state: OrderState::Open,
        side: Side::Buy,
        reduce_only: false,
        price: Px(2),
        qty: Qty(3),
        cum_qty: Qty(4),
        cum_quote: Usd(5),
        cum_fee: Usd(6),
        at: Nanos(7),
    };
    let all = variants(
        base,
        &[
            |s| s.order = OrderId(2),
            |s| s.state = OrderState::Closed,
            |s| s.state = OrderState::Unknown,
            |s| s.side = Side::Sell,
            |s| s.reduce_only = true,
            |s| s.price = Px(10),
            |s| s.qty = Qty(10),
            |s| s.cum_qty = Qty(10),
            |s| s.cum_quote.0 = 10,
            |s| s.cum_fee.0 = 10,
            |s| s.at = Nanos(10),
        ],
    );
    all.into_iter().map(Body::Status).collect()
}

fn actions() -> Vec<Action> {
    let new = NewOrder {
        side: Side::Buy,
        price: Px(1),
        qty: Qty(2),
        tif: TimeInForce::Gtc,
        reduce_only: false,
    };
    let news = variants(
        new,
        &[
            |n| n.side = Side::Sell,
            |n| n.price = Px(3),
            |n| n.qty = Qty(3),
            |n| n.tif = TimeInForce::Ioc,
            |n| n.tif = TimeInForce::Fok,
            |n| n.tif = TimeInForce::Gtx,
            |n| n.reduce_only = true,
        ],
    );
    let mut all: Vec<Action> = news.into_iter().map(Action::New).collect();
    for (price, qty) in [(1, 2), (3, 2), (1, 3)] {
        all.push(Action::Amend { price: Px(price), qty: Qty(qty) });
    }
    all.extend([Action::Cancel, Action::Query]);
    all
}

fn rejections() -> Vec<Rejection> {
    let base = Rejection {
        order: OrderId(1),
        instrument: InstrumentId(2),
        action: Action::Cancel,
        by: RejectedBy::Risk,
        check: Check::KillLevel,
        measured: 3.into(),
        limit: 4.into(),
    };
    let mut all = variants(
        base,
        &[
            |r| r.order = OrderId(2),
            |r| r.instrument = InstrumentId(3),
            |r| r.by = RejectedBy::Gateway,
            |r| r.measured = i128::MIN.into(),
            |r| r.limit = i128::MAX.into(),
        ],
    );
    all.extend(Check::ALL[1..CHECKS_AT_FIRST].iter().map(|&check| Rejection { check, ..base }));
    let others = actions().into_iter().filter(|action| *action != Action::Cancel);
    all.extend(others.map(|action| Rejection { action, ..base }));
    all
}

fn bodies() -> Vec<Body> {
    let mut all =
        [touches(), depths(), levels(), trades(), marks(), liquidations(), bars()].concat();
    all.extend(Invalid::ALL.map(Body::BookInvalid));
    all.extend([Body::Tick, Body::Gap, Body::Wake]);
    all.extend(reports());
    all.extend(statuses());
    all.extend(rejections().into_iter().map(Body::Rejected));
    all.extend(KillLevel::ALL.map(|level| Body::Control(Control::Raise(level))));
    all.extend(KillLevel::ALL.map(Body::KillLevel));
    all
}

fn intents() -> Vec<Intent> {
    let base = Intent {
        order: OrderId(1),
        instrument: InstrumentId(2),
        source: Source::Alpha,
        action: Action::Cancel,
    };
    let mut all = variants(
        base,
        &[
            |i| i.order = OrderId(2),
            |i| i.instrument = InstrumentId(3),
            |i| i.source = Source::Risk,
        ],
    );
    let others = actions().into_iter().filter(|action| *action != Action::Cancel);
    all.extend(others.map(|action| Intent { action, ..base }));
    all
}

fn event(body: Body) -> Event {
    Event {
        seq: 1,
        ts: Nanos(2),
        recv: Nanos(3),
        frame: 4,
        instrument: Some(InstrumentId(5)),
        last: true,
        stamp: Default::default(),
        body,
    }
}

/// No two of them have the same bytes.
fn assert_distinct(records: &[Record]) {
    let mut bytes: Vec<&[u8]> = records.iter().map(Record::bytes).collect();
    bytes.sort_unstable();
    let twice = bytes.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
}

#[test]
fn every_kind_of_event_has_a_record_of_its_own_and_fits() {
    let late = [money::bodies(), history(), bands()].concat();
    let bodies = [bodies(), breaches(), conditional::bodies(), late].concat();
    let mut kinds: Vec<_> = bodies.iter().map(Body::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, EventKind::ALL);
    let records: Vec<_> = bodies.iter().map(|body| Record::event(&event(*body))).collect();
    assert_distinct(&records);
    let longest = |(record, _): &(&Record, &Body)| record.bytes().len();
    let (record, body) = records.iter().zip(&bodies).max_by_key(longest).unwrap();
    assert_eq!((body.kind(), record.bytes().len()), (EventKind::Report, 120));
}

#[test]
fn the_head_of_an_event_is_in_its_record_but_for_how_the_stages_split_their_work() {
    let heads = variants(
        event(Body::Tick),
        &[
            |e| e.seq = 9,
            |e| e.ts = Nanos(9),
            |e| e.recv = Nanos(9),
            |e| e.frame = 9,
            |e| e.instrument = Some(InstrumentId(9)),
            |e| e.instrument = None,
        ],
    );
    let records: Vec<_> = heads.iter().map(Record::event).collect();
    assert_distinct(&records);
    let middle = Event { last: false, ..heads[0] };
    assert_eq!(Record::event(&middle).bytes(), records[0].bytes());
}

/// Each record once, in the order in which they were written down first.
#[test]
fn no_byte_of_what_is_digested_changes_unnoticed() {
    let mut lane = LaneWriter::new(Keep::Digest);
    for body in bodies() {
        lane.append(&Record::event(&event(body)));
    }
    for intent in intents() {
        lane.append(&Record::intent(&IntentMessage { seq: 1, last: true, intent }));
    }
    let approved = approvals().into_iter().map(Verdict::Approved);
    for verdict in approved.chain(rejections().into_iter().map(Verdict::Rejected)) {
        lane.append(&Record::verdict(&VerdictMessage { seq: 1, last: true, index: 2, verdict }));
    }
    for blocked_at in [None, Some(0), Some(3)] {
        lane.append(&Record::sent(1, 2, &approvals()[0], blocked_at));
    }
    lane.append(&Record::cancel_all(1));
    let digest = lane.digest().to_string();
    assert_eq!(digest, "80625adcfac0f5c8cbffba9c486a19cfa05fd35c6b0518664f6efbac68c0f8b3");
    for body in breaches() {
        lane.append(&Record::event(&event(body)));
    }
    let digest = lane.digest().to_string();
    assert_eq!(digest, "048cd738401eb03c794645a0f9025425155381afee5aac8fcc5f32cb86b940f9");
    conditional::append(&mut lane);
    let digest = lane.digest().to_string();
    assert_eq!(digest, "69efc251a58301a3edfd7611079cde1339f671edc0496686497ae791518d94b2");
    for body in money::bodies() {
        lane.append(&Record::event(&event(body)));
    }
    let digest = lane.digest().to_string();
    assert_eq!(digest, "652f5c5ff0b045af6d500b3bf279b77640c14fb89d977c3fc533390151aeb8b8");
    for body in history() {
        lane.append(&Record::event(&event(body)));
    }
    let digest = lane.digest().to_string();
    assert_eq!(digest, "2d577e092021346d9f13ef58987de41c8241cb760d11a8512a683de79ee02718");
    for body in bands() {
        lane.append(&Record::event(&event(body)));
    }
    let digest = lane.digest().to_string();
    assert_eq!(digest, "e508fad248b08457baa31702ed13a722936b44e50c999c3f2e36b5bee0094a75");
}

/// Commands that came later than the rest.
fn breaches() -> Vec<Body> {
    let breach = |(span, measured, budget)| {
        Body::Control(Control::GateBreach(GateBreach {
            span,
            measured: Nanos(measured),
            budget: Nanos(budget),
        }))
    };
    [(Span::Feed, 1, 2), (Span::Risk, 1, 2), (Span::Feed, 3, 2), (Span::Feed, 1, 4)]
        .map(breach)
        .into()
}

/// A change of the layout changes every digest: it is made on purpose.
#[test]
fn the_layout_is_little_endian_and_without_padding() {
    let trade = Trade { id: 0x0102, price: Px(-1), qty: Qty(3), aggressor: Side::Sell };
    let record = Record::event(&Event { instrument: None, ..event(Body::Trade(trade)) });
    let mut expected = Vec::new();
    for number in [1_u64, 2, 3, 4] {
        expected.extend(number.to_le_bytes());
    }
    expected.extend([0xFF, 0xFF, 3, 2, 1, 0, 0, 0, 0, 0, 0]);
    expected.extend([0xFF; 8]);
    expected.extend([3, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(record.bytes(), expected);
}

/// Numbers in the order and width in which the format lists them.
fn laid_out(fields: &[(u64, usize)]) -> Vec<u8> {
    fields.iter().flat_map(|&(number, width)| number.to_le_bytes()[..width].to_vec()).collect()
}

#[test]
fn what_only_a_journal_has_is_laid_out_as_the_format_says() {
    let frame = FrameRef {
        frame: 1,
        recv: Nanos(2),
        line: 3,
        source: 4,
        market: Market::CoinM,
        origin: FrameOrigin::Rest,
        bytes: 5,
        crc: 6,
    };
    let expected = [(1, 8), (2, 8), (3, 8), (4, 2), (1, 1), (1, 1), (5, 4), (6, 4)];
    assert_eq!(Record::frame_ref(&frame).bytes(), laid_out(&expected));
    let feedback = Feedback {
        due: Nanos(1),
        cause_seq: 2,
        origin: FeedbackOrigin::Venue,
        n: 3,
        instrument: Some(InstrumentId(4)),
        body: FeedbackBody::Wake,
    };
    let kind = EventKind::Wake as u64;
    let expected = [(1, 8), (2, 8), (1, 1), (3, 8), (4, 2), (kind, 1)];
    assert_eq!(Record::pending(&feedback).bytes(), laid_out(&expected));
    let close =
        Record::close(&CloseRecord { records: 1, last: 2, digest: [3; 32], header: [4; 32] });
    assert_eq!(close.bytes(), [laid_out(&[(1, 8), (2, 8)]), vec![3; 32], vec![4; 32]].concat());
}

#[test]
fn the_kinds_of_actions_and_verdicts_have_numbers() {
    for action in [actions(), conditional::actions()].concat() {
        let intent = Intent { action, ..intents()[0] };
        let record = Record::intent(&IntentMessage { seq: 1, last: true, intent });
        let number = match action {
            Action::New(_) => 0,
            Action::Amend { .. } => 1,
            Action::Cancel => 2,
            Action::Query => 3,
            Action::Conditional(_) => 4,
        };
        // Behind seq, order, instrument and source.
        assert_eq!(record.bytes()[19], number);
    }
    for (verdict, number) in
        [(Verdict::Approved(approvals()[0]), 1), (Verdict::Rejected(rejections()[0]), 0)]
    {
        let message = VerdictMessage { seq: 1, last: true, index: 1, verdict };
        assert_eq!(Record::verdict(&message).bytes()[12], number);
    }
}

#[test]
fn every_field_of_an_intent_is_in_its_record() {
    let message = |seq, last, intent| IntentMessage { seq, last, intent };
    let intents = intents();
    let mut records: Vec<_> =
        intents.iter().map(|intent| Record::intent(&message(1, true, *intent))).collect();
    let middle = Record::intent(&message(1, false, intents[0]));
    assert_eq!(middle.bytes(), records[0].bytes());
    records.push(Record::intent(&message(2, true, intents[0])));
    assert_distinct(&records);
}

fn approvals() -> Vec<Approved> {
    let approve = |intent, class| Approved::new(&ApprovalKey::new(), intent, class, Side::Buy);
    let intents = intents();
    let mut all: Vec<_> = Class::ALL.map(|class| approve(intents[0], class)).into();
    all.extend(intents[1..].iter().map(|intent| approve(*intent, Class::NewRisk)));
    all
}

#[test]
fn every_field_of_a_verdict_is_in_its_record() {
    let message =
        |seq, index, verdict| Record::verdict(&VerdictMessage { seq, last: true, index, verdict });
    let (approvals, rejections) = (approvals(), rejections());
    let approved = approvals.iter().map(|approved| Verdict::Approved(*approved));
    let rejected = rejections.iter().map(|rejection| Verdict::Rejected(*rejection));
    let mut records: Vec<_> =
        approved.chain(rejected).map(|verdict| message(1, 1, verdict)).collect();
    for verdict in [Verdict::Approved(approvals[0]), Verdict::Rejected(rejections[0])] {
        records.push(message(2, 1, verdict));
        records.push(message(1, 2, verdict));
    }
    assert_distinct(&records);
    let last = Verdict::Approved(approvals[0]);
    let middle = Record::verdict(&VerdictMessage { seq: 1, last: false, index: 1, verdict: last });
    assert_eq!(middle.bytes(), records[0].bytes());
}

#[test]
fn what_the_gateway_did_is_in_its_record() {
    let approvals = approvals();
    let mut records: Vec<_> =
        approvals.iter().map(|approved| Record::sent(1, 1, approved, None)).collect();
    for level in KillLevel::ALL {
        records.push(Record::sent(1, 1, &approvals[0], Some(level as u8)));
    }
    records.push(Record::sent(2, 1, &approvals[0], None));
    records.push(Record::sent(1, 2, &approvals[0], None));
    records.extend([Record::cancel_all(1), Record::cancel_all(2)]);
    assert_distinct(&records);
}
