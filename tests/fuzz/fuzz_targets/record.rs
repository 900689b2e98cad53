//! Any payload of any kind through the decoder of records: it never panics, and what it accepts is encoded to
//! the same bytes again.
//!
//! The first byte is the number of the kind.

#![no_main]

use fusewire_core::lane::{Decoded, Record, RecordKind, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((number, payload)) = input.split_first() else { return };
    let Some(kind) = RecordKind::from_number(*number) else { return };
    match decode::decode(kind, payload) {
        Ok(decoded) => assert_eq!(encoded(&decoded), payload, "{decoded:?}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// The payload that an encoder makes.
fn encoded(decoded: &Decoded<'_>) -> Vec<u8> {
    let record = match decoded {
        Decoded::Frame(frame) => {
            let head = frame.head.encode().expect("an address that was read fits its length");
            return [&head[..], frame.head.address(), frame.bytes].concat();
        }
        Decoded::Damaged(damaged) => {
            return [&damaged.encode()[..], damaged.kept_text()].concat();
        }
        Decoded::Header(document) => return document.to_vec(),
        Decoded::FrameRef(frame) => Record::frame_ref(frame),
        Decoded::Event(event) => Record::event(event),
        Decoded::Pending(feedback) => Record::pending(feedback),
        Decoded::Intent(message) => Record::intent(message),
        Decoded::Verdict(verdict) => Record::from(verdict),
        Decoded::Sent(sent) => Record::from(sent),
        Decoded::Alert(alert) => Record::alert(alert),
        Decoded::CancelAll { seq } => Record::cancel_all(*seq),
        Decoded::Close(close) => Record::close(close),
    };
    record.bytes().to_vec()
}
