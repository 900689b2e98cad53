//! Any value of every message that a record holds, with the numbers that lie at the ends of their range
//! more often than chance has them.

use std::fmt::Debug;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::alert::{Alert, AlertKind};
use crate::event::{DepthBand, Funding, GateBreach, OpenInterest};
use crate::latency::Span;
use crate::order::{AccountReason, AccountUpdate, Leg, Trigger, TriggerKind, TriggerPrice};
use crate::units::{Bps, Nanos, Px, Qty, Usd, Wide};

fn one<T: Copy + Debug + 'static, const N: usize>(all: [T; N]) -> impl Strategy<Value = T> {
    select(all.to_vec())
}

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), one([0, 1, -1, i64::MIN, i64::MAX])]
}

pub(super) fn count() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), one([0, 1, u64::MAX])]
}

fn wide() -> impl Strategy<Value = Wide> {
    prop_oneof![any::<i128>(), one([0, -1, i128::MIN, i128::MAX])].prop_map(Wide::from)
}

pub(super) fn nanos() -> impl Strategy<Value = Nanos> {
    count().prop_map(Nanos)
}

fn px() -> impl Strategy<Value = Px> {
    int().prop_map(Px)
}

fn qty() -> impl Strategy<Value = Qty> {
    int().prop_map(Qty)
}

fn usd() -> impl Strategy<Value = Usd> {
    int().prop_map(Usd)
}

/// A symbol; its number is the index of a list, and the list is never as long as to reach the number
/// that stands for none.
fn instrument() -> impl Strategy<Value = Option<InstrumentId>> {
    option::of((0..u16::MAX).prop_map(InstrumentId))
}

/// What a strategy may put into an intent.
fn named_instrument() -> impl Strategy<Value = InstrumentId> {
    prop_oneof![any::<u16>(), Just(u16::MAX)].prop_map(InstrumentId)
}

fn side() -> impl Strategy<Value = Side> {
    one(Side::ALL)
}

fn kill_level() -> impl Strategy<Value = KillLevel> {
    one(KillLevel::ALL)
}

fn level() -> impl Strategy<Value = Level> {
    (px(), qty()).prop_map(|(price, qty)| Level { price, qty })
}

fn touch() -> impl Strategy<Value = TouchChange> {
    let level = || option::of(level());
    (level(), level(), one(TouchSource::ALL))
        .prop_map(|(bid, ask, source)| TouchChange { touch: Touch { bid, ask }, source })
}

fn depth() -> impl Strategy<Value = Depth> {
    let sums = || [wide(), wide()];
    (any::<i32>(), option::of(px()), sums(), sums()).prop_map(
        |(imbalance_ppm, microprice, bids, asks)| Depth { imbalance_ppm, microprice, bids, asks },
    )
}

fn levels() -> impl Strategy<Value = Levels> {
    (one(BookSide::ALL), any::<u8>(), 0..=4_u8, [level(), level(), level(), level()])
        .prop_map(|(side, first, count, levels)| Levels { side, first, count, levels })
}

fn trade() -> impl Strategy<Value = Trade> {
    (int(), px(), qty(), side()).prop_map(|(id, price, qty, aggressor)| Trade {
        id,
        price,
        qty,
        aggressor,
    })
}

fn mark() -> impl Strategy<Value = Mark> {
    let index = option::of(px());
    let funding_rate = option::of(int().prop_map(Rate));
    let next_funding = option::of(nanos());
    (px(), index, funding_rate, next_funding, one(Origin::ALL)).prop_map(
        |(price, index, funding_rate, next_funding, origin)| Mark {
            price,
            index,
            funding_rate,
            next_funding,
            origin,
        },
    )
}

fn liquidation() -> impl Strategy<Value = Liquidation> {
    (side(), px(), qty()).prop_map(|(side, price, qty)| Liquidation { side, price, qty })
}

fn bar() -> impl Strategy<Value = Bar> {
    let head = (nanos(), any::<u32>(), any::<u32>());
    let sums = (wide(), wide());
    (head, [px(), px(), px(), px()], sums).prop_map(
        |((open_time, interval_s, trades), [open, high, low, close], (volume, quote_volume))| Bar {
            open_time,
            interval_s,
            trades,
            open,
            high,
            low,
            close,
            volume,
            quote_volume,
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let kinds = (one(ReportKind::ALL), one(VenueReason::ALL), one(Liquidity::ALL));
    let order = (count(), side(), any::<bool>(), one(Leg::ALL), px(), qty());
    let sums = (qty(), usd(), usd());
    let last = (qty(), px(), count(), nanos());
    (kinds, order, sums, last).prop_map(
        |(
            (kind, reason, liquidity),
            (order, side, reduce_only, leg, price, qty),
            (cum_qty, cum_quote, cum_fee),
            (last_qty, last_price, payer, at),
        )| Report {
            order: OrderId(order),
            kind,
            reason,
            side,
            reduce_only,
            leg,
            liquidity,
            price,
            qty,
            cum_qty,
            cum_quote,
            cum_fee,
            last_qty,
            last_price,
            payer,
            at,
        },
    )
}

fn account() -> impl Strategy<Value = AccountUpdate> {
    let head = (one(AccountReason::ALL), one(Leg::ALL), count(), nanos());
    let money = (usd(), usd(), usd());
    let position = (qty(), px(), int().prop_map(Rate));
    (head, money, position).prop_map(
        |((reason, leg, n, at), (total, change, wallet), (qty, price, rate))| AccountUpdate {
            reason,
            leg,
            n,
            total,
            change,
            wallet,
            qty,
            price,
            rate,
            at,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let order = (count(), one(OrderState::ALL), side(), any::<bool>(), px(), qty());
    (order, qty(), usd(), usd(), nanos()).prop_map(
        |((order, state, side, reduce_only, price, qty), cum_qty, cum_quote, cum_fee, at)| Status {
            order: OrderId(order),
            state,
            side,
            reduce_only,
            price,
            qty,
            cum_qty,
            cum_quote,
            cum_fee,
            at,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let conditional = (new_order(), trigger())
        .prop_map(|(order, trigger)| Action::Conditional(Conditional { order, trigger }));
    let new = new_order().prop_map(Action::New);
    let amend = (px(), qty()).prop_map(|(price, qty)| Action::Amend { price, qty });
    prop_oneof![new, amend, Just(Action::Cancel), Just(Action::Query), conditional]
}

fn new_order() -> impl Strategy<Value = NewOrder> {
    (side(), px(), qty(), one(TimeInForce::ALL), any::<bool>()).prop_map(
        |(side, price, qty, tif, reduce_only)| NewOrder { side, price, qty, tif, reduce_only },
    )
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let flags = (one(TriggerKind::ALL), one(TriggerPrice::ALL), any::<bool>());
    (flags, px(), int()).prop_map(|((kind, by, close_position), price, callback)| Trigger {
        kind,
        by,
        price,
        callback: Rate(callback),
        close_position,
    })
}

fn rejection() -> impl Strategy<Value = Rejection> {
    let why = (one(RejectedBy::ALL), one(Check::ALL), wide(), wide());
    (count(), named_instrument(), action(), why).prop_map(
        |(order, instrument, action, (by, check, measured, limit))| Rejection {
            order: OrderId(order),
            instrument,
            action,
            by,
            check,
            measured,
            limit,
        },
    )
}

fn body_of(kind: EventKind) -> BoxedStrategy<Body> {
    match kind {
        EventKind::Touch => touch().prop_map(Body::Touch).boxed(),
        EventKind::Depth => depth().prop_map(Body::Depth).boxed(),
        EventKind::Levels => levels().prop_map(Body::Levels).boxed(),
        EventKind::Trade => trade().prop_map(Body::Trade).boxed(),
        EventKind::Mark => mark().prop_map(Body::Mark).boxed(),
        EventKind::Liquidation => liquidation().prop_map(Body::Liquidation).boxed(),
        EventKind::Bar => bar().prop_map(Body::Bar).boxed(),
        EventKind::BookInvalid => one(Invalid::ALL).prop_map(Body::BookInvalid).boxed(),
        EventKind::Tick => Just(Body::Tick).boxed(),
        EventKind::Gap => Just(Body::Gap).boxed(),
        EventKind::Wake => Just(Body::Wake).boxed(),
        EventKind::Report => report().prop_map(Body::Report).boxed(),
        EventKind::Status => status().prop_map(Body::Status).boxed(),
        EventKind::Rejected => rejection().prop_map(Body::Rejected).boxed(),
        EventKind::Control => {
            let breach = (one(Span::ALL), nanos(), nanos());
            let breach = breach.prop_map(|(span, measured, budget)| {
                Control::GateBreach(GateBreach { span, measured, budget })
            });
            let transfer = usd().prop_map(Control::Transfer);
            prop_oneof![
                kill_level().prop_map(Control::Raise),
                breach,
                Just(Control::Reconcile),
                transfer
            ]
            .prop_map(Body::Control)
            .boxed()
        }
        EventKind::KillLevel => kill_level().prop_map(Body::KillLevel).boxed(),
        EventKind::Account => account().prop_map(Body::Account).boxed(),
        EventKind::Funding => (nanos(), int())
            .prop_map(|(at, rate)| Body::Funding(Funding { at, rate: Rate(rate) }))
            .boxed(),
        EventKind::OpenInterest => (nanos(), option::of(wide()), option::of(wide()))
            .prop_map(|(at, qty, notional)| Body::OpenInterest(OpenInterest { at, qty, notional }))
            .boxed(),
        EventKind::DepthBand => (nanos(), int(), wide(), wide())
            .prop_map(|(at, distance, qty, notional)| {
                let distance = Bps(distance);
                Body::DepthBand(DepthBand { at, distance, qty, notional })
            })
            .boxed(),
    }
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let head = (count(), nanos(), nanos(), count(), instrument());
    let body = one(EventKind::ALL).prop_flat_map(body_of);
    (head, body).prop_map(|((seq, ts, recv, frame, instrument), body)| Event {
        seq,
        ts,
        recv,
        frame,
        instrument,
        last: true,
        stamp: Default::default(),
        body,
    })
}

pub(super) fn feedback() -> impl Strategy<Value = Feedback> {
    let head = (nanos(), count(), one(FeedbackOrigin::ALL), count(), instrument());
    let body = prop_oneof![
        report().prop_map(FeedbackBody::Report),
        status().prop_map(FeedbackBody::Status),
        rejection().prop_map(FeedbackBody::Rejected),
        Just(FeedbackBody::Wake),
    ];
    (head, body).prop_map(|((due, cause_seq, origin, n, instrument), body)| Feedback {
        due,
        cause_seq,
        origin,
        n,
        instrument,
        body,
    })
}

pub(super) fn intent() -> impl Strategy<Value = Intent> {
    (count(), named_instrument(), one(Source::ALL), action()).prop_map(
        |(order, instrument, source, action)| Intent {
            order: OrderId(order),
            instrument,
            source,
            action,
        },
    )
}

pub(super) fn intent_message() -> impl Strategy<Value = IntentMessage> {
    (count(), intent()).prop_map(|(seq, intent)| IntentMessage { seq, last: true, intent })
}

pub(super) fn verdict() -> impl Strategy<Value = VerdictRecord> {
    let outcome = prop_oneof![
        (intent(), one(Class::ALL)).prop_map(|(intent, class)| Decided::Approved { intent, class }),
        rejection().prop_map(Decided::Rejected),
    ];
    (count(), any::<u32>(), outcome).prop_map(|(seq, index, outcome)| VerdictRecord {
        seq,
        index,
        outcome,
    })
}

pub(super) fn sent() -> impl Strategy<Value = SentRecord> {
    let blocked_at = option::of(kill_level());
    (count(), any::<u32>(), blocked_at, intent(), one(Class::ALL)).prop_map(
        |(seq, index, blocked_at, intent, class)| SentRecord {
            seq,
            index,
            blocked_at,
            intent,
            class,
        },
    )
}

pub(super) fn close() -> impl Strategy<Value = CloseRecord> {
    let digests = (any::<[u8; 32]>(), any::<[u8; 32]>());
    (count(), count(), digests).prop_map(|(records, last, (digest, header))| CloseRecord {
        records,
        last,
        digest,
        header,
    })
}

pub(super) fn frame_ref() -> impl Strategy<Value = FrameRef> {
    let place = (count(), nanos(), count(), any::<u16>());
    let what = (one(Market::ALL), one(FrameOrigin::ALL), any::<u32>(), any::<u32>());
    (place, what).prop_map(|((frame, recv, line, source), (market, origin, bytes, crc))| FrameRef {
        frame,
        recv,
        line,
        source,
        market,
        origin,
        bytes,
        crc,
    })
}

/// The texts of a feed record, which borrows them.
#[derive(Clone, Debug)]
pub(super) struct FeedTexts {
    pub(super) frame: u64,
    pub(super) recv: Nanos,
    pub(super) line: u64,
    pub(super) source: u16,
    pub(super) market: Market,
    pub(super) url: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl FeedTexts {
    pub(super) fn as_frame(&self) -> Frame<'_> {
        let head = FrameHead {
            frame: self.frame,
            recv: self.recv,
            line: self.line,
            source: self.source,
            market: self.market,
            url: self.url.as_deref(),
        };
        Frame { head, bytes: &self.bytes }
    }

    pub(super) fn as_damaged(&self) -> Damaged<'_> {
        Damaged {
            frame: self.frame,
            at: self.recv,
            line: self.line,
            source: self.source,
            text: self.url.as_deref().unwrap_or_default(),
        }
    }
}

/// Texts of any letters, at most `letters` long.
pub(super) fn feed_texts(letters: usize) -> impl Strategy<Value = FeedTexts> {
    let text = prop::collection::vec(any::<char>(), 0..=letters).prop_map(String::from_iter);
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let place = (count(), nanos(), count(), any::<u16>());
    (place, one(Market::ALL), option::of(text), bytes).prop_map(
        |((frame, recv, line, source), market, url, bytes)| FeedTexts {
            frame,
            recv,
            line,
            source,
            market,
            url,
            bytes,
        },
    )
}

fn alert() -> impl Strategy<Value = Alert> {
    (count(), one(AlertKind::ALL), wide(), wide()).prop_map(|(seq, kind, measured, limit)| Alert {
        seq,
        kind,
        measured,
        limit,
    })
}

/// The payload of a record of any kind.
pub(super) fn payload() -> impl Strategy<Value = (RecordKind, Vec<u8>)> {
    one(RecordKind::ALL).prop_flat_map(|kind| payload_of(kind).prop_map(move |bytes| (kind, bytes)))
}

fn payload_of(kind: RecordKind) -> BoxedStrategy<Vec<u8>> {
    let bytes = |record: Record| record.bytes().to_vec();
    match kind {
        RecordKind::Frame => {
            feed_texts(20).prop_map(|texts| encode(&Decoded::Frame(texts.as_frame()))).boxed()
        }
        RecordKind::FrameRef => {
            frame_ref().prop_map(move |frame| bytes(Record::frame_ref(&frame))).boxed()
        }
        RecordKind::Damaged => {
            feed_texts(20).prop_map(|texts| encode(&Decoded::Damaged(texts.as_damaged()))).boxed()
        }
        RecordKind::Header => prop::collection::vec(any::<u8>(), 0..40).boxed(),
        RecordKind::Event => event().prop_map(move |event| bytes(Record::event(&event))).boxed(),
        RecordKind::Pending => {
            feedback().prop_map(move |feedback| bytes(Record::pending(&feedback))).boxed()
        }
        RecordKind::Intent => {
            intent_message().prop_map(move |message| bytes(Record::intent(&message))).boxed()
        }
        RecordKind::Verdict => {
            verdict().prop_map(move |verdict| bytes(Record::from(&verdict))).boxed()
        }
        RecordKind::Alert => alert().prop_map(move |alert| bytes(Record::alert(&alert))).boxed(),
        RecordKind::Sent => sent().prop_map(move |sent| bytes(Record::from(&sent))).boxed(),
        RecordKind::CancelAll => {
            count().prop_map(move |seq| bytes(Record::cancel_all(seq))).boxed()
        }
        RecordKind::Close => close().prop_map(move |close| bytes(Record::close(&close))).boxed(),
    }
}
