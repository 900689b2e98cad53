//! Decoding is the inverse of encoding, both ways, and says what is wrong with anything else.

mod strategies;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::event::Control;
use crate::lane::record::Record;
use crate::message::VerdictMessage;
use crate::order::{ApprovalKey, Approved, Side, Verdict};
use crate::units::{Nanos, Px, Qty};

/// Back to bytes.
fn encode(decoded: &Decoded<'_>) -> Vec<u8> {
    let record = match decoded {
        Decoded::Frame(Frame { head, bytes }) => {
            let encoded = head.encode().expect("a decoded address fits");
            return [&encoded[..], head.address(), bytes].concat();
        }
        Decoded::Damaged(damaged) => {
            return [&damaged.encode()[..], damaged.kept_text()].concat();
        }
        Decoded::Header(json) => return json.to_vec(),
        Decoded::FrameRef(frame) => Record::frame_ref(frame),
        Decoded::Event(event) => Record::event(event),
        Decoded::Pending(feedback) => Record::pending(feedback),
        Decoded::Intent(message) => Record::intent(message),
        Decoded::Verdict(verdict) => Record::from(verdict),
        Decoded::Alert(alert) => Record::alert(alert),
        Decoded::Sent(sent) => Record::from(sent),
        Decoded::CancelAll { seq } => Record::cancel_all(*seq),
        Decoded::Close(close) => Record::close(close),
    };
    record.bytes().to_vec()
}

/// Whatever is accepted is encoded to the same bytes.
fn assert_canonical(kind: RecordKind, payload: &[u8]) {
    if let Ok(decoded) = decode(kind, payload) {
        assert_eq!(encode(&decoded), payload, "{decoded:?}");
    }
}

/// A record as it is appended: its kind goes beside the payload.
fn assert_comes_back(record: &Record, expected: Decoded<'_>) {
    assert_eq!(decode(record.kind(), record.bytes()), Ok(expected));
}

/// The payload with a byte changed.
fn with(payload: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut changed = payload.to_vec();
    changed[at] = byte;
    changed
}

proptest! {
    #[test]
    fn a_message_comes_back_as_it_was(
        event in strategies::event(),
        feedback in strategies::feedback(),
        message in strategies::intent_message(),
        verdict in strategies::verdict(),
        sent in strategies::sent(),
    ) {
        assert_comes_back(&Record::event(&event), Decoded::Event(event));
        assert_comes_back(&Record::pending(&feedback), Decoded::Pending(feedback));
        assert_comes_back(&Record::intent(&message), Decoded::Intent(message));
        assert_comes_back(&Record::from(&verdict), Decoded::Verdict(verdict));
        assert_comes_back(&Record::from(&sent), Decoded::Sent(sent));
    }

    #[test]
    fn what_only_a_journal_has_comes_back_as_it_was(
        frame_ref in strategies::frame_ref(),
        close in strategies::close(),
        seq in strategies::count(),
        texts in strategies::feed_texts(100),
    ) {
        assert_comes_back(&Record::frame_ref(&frame_ref), Decoded::FrameRef(frame_ref));
        assert_comes_back(&Record::close(&close), Decoded::Close(close));
        assert_comes_back(&Record::cancel_all(seq), Decoded::CancelAll { seq });
        let whole = Decoded::Frame(texts.as_frame());
        let payload = encode(&whole);
        prop_assert_eq!(decode(RecordKind::Frame, &payload), Ok(whole));
        let damaged = Decoded::Damaged(texts.as_damaged());
        let payload = encode(&damaged);
        prop_assert_eq!(decode(RecordKind::Damaged, &payload), Ok(damaged));
    }

    #[test]
    fn a_text_is_kept_as_far_as_there_is_room(texts in strategies::feed_texts(300)) {
        let whole = texts.as_damaged();
        let payload = encode(&Decoded::Damaged(whole));
        let kept = damaged(&payload).unwrap();
        prop_assert!(whole.text.starts_with(kept.text));
        let lost = whole.text[kept.text.len()..].chars().next();
        let full = lost.is_none_or(|c| kept.text.len() + c.len_utf8() > DAMAGED_TEXT_BYTES_MAX);
        prop_assert!(full && kept.text.len() <= DAMAGED_TEXT_BYTES_MAX);
        prop_assert_eq!(Damaged { text: whole.text, ..kept }, whole);
    }

    #[test]
    fn the_live_encoders_and_those_of_records_agree(
        (seq, index) in (strategies::count(), any::<u32>()),
        sent in strategies::sent(),
        verdict in strategies::verdict(),
    ) {
        let SentRecord { intent, class, blocked_at, .. } = sent;
        let approved = Approved::new(&ApprovalKey::new(), intent, class, Side::Buy);
        let live = Record::sent(seq, index, &approved, blocked_at.map(|level| level as u8));
        let record = Record::from(&SentRecord { seq, index, ..sent });
        prop_assert_eq!(live.bytes(), record.bytes());
        let live = match verdict.outcome {
            Decided::Approved { intent, class } => {
                Verdict::Approved(Approved::new(&ApprovalKey::new(), intent, class, Side::Buy))
            }
            Decided::Rejected(rejection) => Verdict::Rejected(rejection),
        };
        let live = Record::verdict(&VerdictMessage { seq, last: false, index, verdict: live });
        let record = Record::from(&VerdictRecord { seq, index, ..verdict });
        prop_assert_eq!(live.bytes(), record.bytes());
    }

    #[test]
    fn a_flipped_bit_is_refused_or_means_something_else(
        (kind, payload) in strategies::payload(),
    ) {
        let before = decode(kind, &payload).unwrap();
        prop_assert_eq!(encode(&before), payload.clone());
        for at in 0..payload.len() {
            for bit in 0..8 {
                let flipped = with(&payload, at, payload[at] ^ 1 << bit);
                assert_canonical(kind, &flipped);
                prop_assert_ne!(decode(kind, &flipped), Ok(before));
            }
        }
    }

    #[test]
    fn a_record_that_is_cut_or_goes_on_is_refused(
        (kind, payload) in strategies::payload(),
        behind in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        // A frame and a header go to the end of the payload, wherever that is.
        let to_the_end = matches!(kind, RecordKind::Frame | RecordKind::Header);
        for length in 0..payload.len() {
            let cut = &payload[..length];
            assert_canonical(kind, cut);
            let error = decode(kind, cut).err().map(|error| error.fault);
            prop_assert!(to_the_end || error == Some(DecodeFault::Short), "{error:?}");
        }
        let longer = [&payload[..], &behind].concat();
        assert_canonical(kind, &longer);
        let error = decode(kind, &longer).err();
        let long = DecodeError { field: "end", offset: payload.len(), fault: DecodeFault::Long };
        prop_assert!(to_the_end || error == Some(long), "{error:?}");
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..150),
    ) {
        for kind in RecordKind::ALL {
            assert_canonical(kind, &bytes);
        }
    }

    #[test]
    fn any_bytes_in_a_valid_record_are_refused_or_canonical(
        (kind, mut payload) in strategies::payload(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![any::<u8>(), 0..4_u8]), 1..8),
    ) {
        for (at, byte) in changes {
            // A header may be empty.
            let length = payload.len().max(1);
            payload.resize(length, byte);
            payload[at.index(length)] = byte;
            assert_canonical(kind, &payload);
        }
    }
}

/// A strategy that leaves a kind out would let all of the above pass.
#[test]
fn the_strategies_reach_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut kinds, mut events, mut pendings) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..2_000 {
        let (kind, payload) = strategies::payload().new_tree(&mut runner).unwrap().current();
        kinds.insert(kind);
        if let Ok(Decoded::Pending(feedback)) = decode(kind, &payload) {
            pendings.insert(Body::from(feedback.body).kind());
        }
        events.insert(strategies::event().new_tree(&mut runner).unwrap().current().body.kind());
    }
    assert_eq!(kinds, RecordKind::ALL.into());
    assert_eq!(events, EventKind::ALL.into());
    let fed_back = [EventKind::Wake, EventKind::Report, EventKind::Status, EventKind::Rejected];
    assert_eq!(pendings, fed_back.into());
}

fn tick() -> Event {
    Event {
        seq: 1,
        ts: Nanos(2),
        recv: Nanos(3),
        frame: 4,
        instrument: None,
        last: true,
        stamp: Default::default(),
        body: Body::Tick,
    }
}

/// Where the body of an event begins.
const BODY: usize = 35;

fn event_bytes(body: Body) -> Vec<u8> {
    Record::event(&Event { body, ..tick() }).bytes().to_vec()
}

/// What decoding a payload says, with one byte of it changed.
fn refusal(kind: RecordKind, payload: &[u8], at: usize, byte: u8) -> String {
    decode(kind, &with(payload, at, byte)).unwrap_err().to_string()
}

#[test]
fn last_is_decoded_as_true() {
    let middle = Event { last: false, ..tick() };
    assert_eq!(event(Record::event(&middle).bytes()), Ok(tick()));
}

#[test]
fn a_symbol_of_no_event_is_one_in_an_intent() {
    let intent = Intent {
        order: OrderId(1),
        instrument: InstrumentId(u16::MAX),
        source: Source::Alpha,
        action: Action::Query,
    };
    let message = IntentMessage { seq: 1, last: true, intent };
    assert_eq!(super::intent(Record::intent(&message).bytes()), Ok(message));
}

#[test]
fn a_number_that_stands_for_nothing_is_named_with_its_field_and_place() {
    let refuse = |body, at, byte| refusal(RecordKind::Event, &event_bytes(body), at, byte);
    assert_eq!(refuse(Body::Tick, BODY - 1, 20), "kind at byte 34: 20 has no meaning");
    let level = Body::KillLevel(KillLevel::Run);
    assert_eq!(refuse(level, BODY, 4), "level at byte 35: 4 has no meaning");
    let reason = Body::BookInvalid(Invalid::Gap);
    assert_eq!(refuse(reason, BODY, 7), "reason at byte 35: 7 has no meaning");
    let raise = Body::Control(Control::Raise(KillLevel::Halt));
    assert_eq!(refuse(raise, BODY, 4), "command at byte 35: 4 has no meaning");
    let trade = Body::Trade(Trade { id: 1, price: Px(2), qty: Qty(3), aggressor: Side::Buy });
    assert_eq!(refuse(trade, BODY + 24, 2), "aggressor at byte 59: 2 has no meaning");
}

#[test]
fn what_is_absent_must_be_zero() {
    let none = TouchChange { touch: Touch::default(), source: TouchSource::Book };
    let payload = event_bytes(Body::Touch(none));
    let refuse = |at, byte| refusal(RecordKind::Event, &payload, at, byte);
    assert_eq!(refuse(BODY + 1, 2), "bid at byte 36: 2 has no meaning");
    assert_eq!(refuse(BODY + 2, 1), "bid at byte 37: absent, but not zero");
    assert_eq!(refuse(BODY + 17, 1), "bid at byte 37: absent, but not zero");
    assert_eq!(refuse(BODY + 19, 1), "ask at byte 54: absent, but not zero");
    // A level of zeros that is there is another thing than none.
    let zero = Some(Level::default());
    let present = TouchChange { touch: Touch { bid: zero, ask: None }, ..none };
    let event = event(&with(&payload, BODY + 1, 1)).unwrap();
    assert_eq!(event.body, Body::Touch(present));
}

#[test]
fn a_piece_of_a_book_has_no_more_levels_than_there_is_room_for() {
    let levels = Levels { side: BookSide::Bid, first: 0, count: 4, levels: Default::default() };
    let payload = event_bytes(Body::Levels(levels));
    let refused = refusal(RecordKind::Event, &payload, BODY + 2, 5);
    assert_eq!(refused, "count at byte 37: beyond its limit");
}

#[test]
fn only_what_comes_back_can_be_pending() {
    let feedback = Feedback {
        due: Nanos(1),
        cause_seq: 2,
        origin: FeedbackOrigin::Venue,
        n: 3,
        instrument: None,
        body: FeedbackBody::Wake,
    };
    let payload = Record::pending(&feedback).bytes().to_vec();
    for kind in EventKind::ALL {
        let fault = pending(&with(&payload, 27, kind as u8)).err().map(|error| error.fault);
        let expected = match kind {
            EventKind::Wake => None,
            EventKind::Report | EventKind::Status | EventKind::Rejected | EventKind::Account => {
                Some(DecodeFault::Short)
            }
            EventKind::Touch
            | EventKind::Depth
            | EventKind::Levels
            | EventKind::Trade
            | EventKind::Mark
            | EventKind::Liquidation
            | EventKind::Bar
            | EventKind::BookInvalid
            | EventKind::Tick
            | EventKind::Gap
            | EventKind::Control
            | EventKind::KillLevel
            | EventKind::Funding
            | EventKind::OpenInterest
            | EventKind::DepthBand => Some(DecodeFault::Unknown(kind as u8)),
        };
        assert_eq!(fault, expected, "{kind:?}");
    }
    let refused = refusal(RecordKind::Pending, &payload, 27, EventKind::Tick as u8);
    assert_eq!(refused, "kind at byte 27: 8 has no meaning");
}

#[test]
fn what_was_decided_has_known_numbers() {
    let intent = Intent {
        order: OrderId(1),
        instrument: InstrumentId(2),
        source: Source::Risk,
        action: Action::Cancel,
    };
    let class = Class::Cancel;
    let sent = SentRecord { seq: 1, index: 2, blocked_at: None, intent, class };
    let payload = Record::from(&sent).bytes().to_vec();
    let blocked = super::sent(&with(&payload, 12, 2)).unwrap();
    assert_eq!(blocked, SentRecord { blocked_at: Some(KillLevel::Halt), ..sent });
    let refuse = |at, byte| refusal(RecordKind::Sent, &payload, at, byte);
    assert_eq!(refuse(12, 4), "kill level at byte 12: 4 has no meaning");
    assert_eq!(refuse(13, 4), "class at byte 13: 4 has no meaning");
    assert_eq!(refuse(24, 2), "source at byte 24: 2 has no meaning");
    assert_eq!(refuse(25, 5), "action at byte 25: 5 has no meaning");
    let verdict = VerdictRecord { seq: 1, index: 2, outcome: Decided::Approved { intent, class } };
    let payload = Record::from(&verdict).bytes().to_vec();
    let refused = refusal(RecordKind::Verdict, &payload, 12, 2);
    assert_eq!(refused, "approved at byte 12: 2 has no meaning");
}

#[test]
fn an_address_belongs_to_an_answer_and_is_text() {
    let head = FrameHead {
        frame: 1,
        recv: Nanos(2),
        line: 3,
        source: 4,
        market: Market::CoinM,
        url: Some("ab"),
    };
    let payload = encode(&Decoded::Frame(Frame { head, bytes: b"{}" }));
    let refuse = |at, byte| refusal(RecordKind::Frame, &payload, at, byte);
    assert_eq!(refuse(26, 3), "market at byte 26: 3 has no meaning");
    assert_eq!(refuse(27, 0), "address length at byte 28: absent, but not zero");
    assert_eq!(refuse(28, 5), "address at byte 30: the record is too short");
    assert_eq!(refuse(31, 0xFF), "address at byte 30: not UTF-8");
}

#[test]
fn a_text_on_damage_has_its_limit() {
    let text = "a".repeat(DAMAGED_TEXT_BYTES_MAX);
    let longest = Damaged { frame: 1, at: Nanos(2), line: 3, source: 4, text: &text };
    let mut payload = encode(&Decoded::Damaged(longest));
    assert_eq!(damaged(&payload), Ok(longest));
    payload.push(b'a');
    payload[26] = 1;
    let refused = damaged(&payload).unwrap_err().to_string();
    assert_eq!(refused, "text length at byte 26: beyond its limit");
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<DecodeError>() <= 32);
    assert!(size_of::<Record>() <= 208, "nothing makes the records of the hot path larger");
}
