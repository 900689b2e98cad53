//! What goes onto a tape comes off it again, and what is damaged is said to be.

use std::fs;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, DepthBand, Funding, Kind, Message, OpenInterest, Span};
use fusewire_core::units::{Bps, Nanos, QtySum, Rate, UsdSum};
use proptest::prelude::*;

use super::*;
use crate::capture::{CaptureError, OpenOptions, Origin, Reader};
use crate::decode::tests::FRAMES;
use crate::decode::{Decoder, differential};

/// The frame of a tape that says what a frame of text says; none when that is nothing.
fn encoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Decoded::default();
    Decoder::new(Market::UsdM).decode(text.as_bytes(), &mut decoded).unwrap();
    let mut encoder = FrameEncoder::default();
    encoder.begin(decoded.stream.of(text.as_bytes()));
    let mut any = false;
    for message in &decoded.messages {
        any |= encoder.add("BTCUSDT", message, &decoded, text.as_bytes()).unwrap();
    }
    any.then(|| encoder.bytes().to_vec())
}

/// A message of each kind that only history has, and its frame.
fn history() -> Vec<(Body, Vec<u8>)> {
    let at = Nanos(1_672_531_210_000_000_000);
    let (qty, notional) = (QtySum(20_000_000_000), UsdSum(1 << 70));
    let bodies = [
        Body::Funding(Funding { at, rate: Rate(-7) }),
        Body::OpenInterest(OpenInterest { at, qty: Some(qty), notional: None }),
        Body::DepthBand(DepthBand { at, distance: Bps(-200_000), qty, notional }),
    ];
    let mut encoder = FrameEncoder::default();
    let mut frame = |body| {
        encoder.begin(&[]);
        let message = Message { symbol: Span::NONE, body };
        assert_eq!(encoder.add("BTCUSDT", &message, &Decoded::default(), &[]), Ok(true));
        encoder.bytes().to_vec()
    };
    bodies.map(|body| (body, frame(body))).into()
}

/// What is said, without where the texts of it lie.
fn said(frame: &[u8]) -> (Vec<Message>, String) {
    let mut decoded = Decoded::default();
    Decoder::new(Market::UsdM).decode(frame, &mut decoded).unwrap();
    let mut texts = String::from_utf8_lossy(decoded.stream.of(frame)).into_owned();
    for kline in &mut decoded.klines {
        texts += std::str::from_utf8(kline.interval.of(frame)).unwrap();
        kline.interval = Span::NONE;
    }
    texts += &format!("{:?}{:?}", decoded.levels, decoded.klines);
    let mut messages = decoded.messages;
    messages.retain(|m| !matches!(m.body, Body::ContractInfo(_)));
    for message in &mut messages {
        message.symbol = Span::NONE;
    }
    (messages, texts)
}

#[test]
fn every_kind_of_frame_says_the_same_on_a_tape() {
    let mut kinds = std::collections::BTreeSet::new();
    for text in FRAMES {
        let Some(tape) = encoded(text) else { continue };
        assert_eq!(said(&tape), said(text.as_bytes()), "{text}");
        assert!(differential(&tape, Market::UsdM).is_ok());
        kinds.extend(said(&tape).0.iter().map(|message| message.body.kind()));
    }
    assert_eq!(kinds.len(), 9, "all of the wire but contract notices: {kinds:?}");
    for (body, tape) in history() {
        let (messages, _) = said(&tape);
        assert_eq!(messages.iter().map(|message| message.body).collect::<Vec<_>>(), [body]);
        assert!(differential(&tape, Market::UsdM).is_ok());
        kinds.insert(body.kind());
    }
    assert_eq!(kinds.len() + 1, Kind::ALL.len());
}

/// A cut or changed frame is refused, or says something that is written to the same bytes.
#[test]
fn no_changed_byte_passes_that_is_not_written_so() {
    let history = history().into_iter().map(|(_, tape)| tape);
    for tape in FRAMES.iter().filter_map(|text| encoded(text)).chain(history) {
        for end in 0..tape.len() {
            let cut = Decoder::new(Market::UsdM).decode(&tape[..end], &mut Decoded::default());
            assert!(cut.is_err(), "{tape:?} cut at {end}");
        }
        for at in 1..tape.len() {
            for bit in 0..8 {
                let mut changed = tape.clone();
                changed[at] ^= 1 << bit;
                assert_written_so(&changed);
            }
        }
    }
}

fn assert_written_so(frame: &[u8]) {
    let mut decoded = Decoded::default();
    if read(frame, &mut decoded).is_err() {
        assert!(decoded.messages.is_empty());
        return;
    }
    let mut encoder = FrameEncoder::default();
    encoder.begin(decoded.stream.of(frame));
    for message in &decoded.messages {
        // A symbol that is no text can not be given to the encoder.
        let Ok(symbol) = std::str::from_utf8(message.symbol.of(frame)) else { return };
        encoder.add(symbol, message, &decoded, frame).unwrap();
    }
    assert_eq!(encoder.bytes(), frame);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let frame = [&[0xF5, 1, 1, 0, 0][..], &bytes].concat();
        assert_written_so(&frame);
    }

    #[test]
    fn records_come_back_in_order_over_any_number_of_blocks(
        records in prop::collection::vec((0_u64..50, 0_usize..200_000), 1..30),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tape");
        let mut writer = TapeWriter::create(&path, Market::CoinM).unwrap();
        let (mut recv, mut expected) = (1_000, Vec::new());
        for (n, (step, bytes)) in records.iter().enumerate() {
            recv += step;
            let frame = vec![u8::try_from(n).unwrap(); *bytes];
            let url = if n % 3 == 0 { "https://x/exchangeInfo" } else { "" };
            writer.add(Nanos(recv), url, &frame).unwrap();
            expected.push((recv, n as u64 + 1, url.to_owned(), frame));
        }
        prop_assert!(!path.exists(), "not before it is whole");
        let summary = writer.finish().unwrap();
        prop_assert_eq!(summary.records, expected.len() as u64);
        prop_assert_eq!(summary.bytes, fs::metadata(&path).unwrap().len());
        prop_assert_eq!((summary.first.0, summary.last.0), (expected[0].0, recv));
        let mut reader = Reader::open(&path, &OpenOptions::default()).unwrap();
        prop_assert_eq!(reader.market(), Some(Market::CoinM));
        for (recv, line, url, frame) in expected {
            let record = reader.next().unwrap().unwrap();
            let address = match record.origin { Origin::Stream => "", Origin::Rest { url } => url };
            prop_assert_eq!((record.recv.0, record.line, address), (recv, line, url.as_str()));
            prop_assert_eq!(record.bytes, &frame[..]);
        }
        prop_assert!(reader.next().unwrap().is_none());
        prop_assert_eq!(reader.bytes_total(), Some(summary.bytes));
    }
}

/// A tape of three blocks.
fn tape(folder: &Path) -> PathBuf {
    let path = folder.join("x.tape");
    let mut writer = TapeWriter::create(&path, Market::UsdM).unwrap();
    for n in 0..3 {
        writer.add(Nanos(n), "", &vec![7; format::BLOCK_BYTES]).unwrap();
    }
    writer.finish().unwrap();
    path
}

/// The records that can be read, and the error behind them.
fn outcome(path: &Path) -> (usize, Option<CaptureError>) {
    let mut reader = match Reader::open(path, &OpenOptions::default()) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error)),
    };
    let mut records = 0;
    loop {
        match reader.next() {
            Ok(Some(_)) => records += 1,
            Ok(None) => return (records, None),
            Err(error) => {
                assert!(reader.next().unwrap().is_none(), "there it ends");
                return (records, Some(error));
            }
        }
    }
}

#[test]
fn a_changed_byte_is_found_in_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = tape(folder.path());
    assert!(matches!(outcome(&path), (3, None)));
    let whole = fs::read(&path).unwrap();
    let block = format::BLOCK_BYTES + format::RECORD_HEAD_BYTES + format::BLOCK_HEAD_BYTES;
    for (at, records) in
        [(40, 0), (16 + block + 5_000, 1), (16 + block + 8, 1), (16 + 2 * block, 2)]
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(&path, bytes).unwrap();
        let (read, error) = outcome(&path);
        let error = error.unwrap_or_else(|| panic!("byte {at}"));
        assert_eq!(read, records, "byte {at}: {error}");
        assert_eq!(error.is_damage(), records > 0, "{error}");
        assert!(
            error.to_string().contains(match records {
                0 => "x.tape: damaged",
                1 => "x.tape: after record 1: damaged",
                _ => "x.tape: after record 2: damaged",
            }),
            "{error}"
        );
    }
}

#[test]
fn a_tape_that_was_cut_or_never_finished_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = tape(folder.path());
    let whole = fs::read(&path).unwrap();
    for length in [16, 40, 1_000, whole.len() - 48, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let (_, error) = outcome(&path);
        assert!(error.unwrap().to_string().contains("never finished"), "{length}");
    }
    fs::write(&path, [&whole[..], &whole].concat()).unwrap();
    assert!(outcome(&path).1.unwrap().to_string().contains("never finished"), "two in one file");
    // A block that is gone as a whole.
    let block = format::BLOCK_BYTES + format::RECORD_HEAD_BYTES + format::BLOCK_HEAD_BYTES;
    let end = format::End { records: 3, first: 0, last: 2, before: (16 + 2 * block) as u64 };
    fs::write(&path, [&whole[..16 + 2 * block], &end.encode()].concat()).unwrap();
    let (read, error) = outcome(&path);
    assert_eq!((read, error.unwrap().to_string().contains("records are missing")), (2, true));
}

#[test]
fn a_tape_of_another_market_than_told_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = tape(folder.path());
    let options = OpenOptions { market: Some(Market::Spot), ..OpenOptions::default() };
    let error = Reader::open(&path, &options).err().unwrap().to_string();
    assert!(error.contains("it holds usdm, and --market says spot"), "{error}");
    let empty = TapeWriter::create(&folder.path().join("y"), Market::UsdM).unwrap();
    assert!(matches!(empty.finish(), Err(TapeError::Empty { .. })));
}

/// Who reads a tape in the place of a recording may pass damage of the recording over, and none of the tape.
#[test]
fn damage_of_a_tape_is_none_of_the_recording_that_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = tape(folder.path());
    let open = || Reader::open_in_place_of("usdm_x.ns.gz".to_owned(), &path).unwrap();
    assert_eq!(open().name(), "usdm_x.ns.gz");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut reader = open();
    for _ in 0..2 {
        assert!(reader.next().unwrap().is_some());
    }
    let error = reader.next().unwrap_err();
    assert!(!error.is_damage());
    assert!(error.to_string().contains("x.tape: damaged: the checksum of a block"), "{error}");
}

/// The records of a recording, copied; the error with the line of the first that can not be.
fn copied(folder: &Path, text: &str) -> Result<TapeSummary, String> {
    let reader = std::io::Cursor::new(text.as_bytes().to_vec());
    let mut reader =
        Reader::from_read("usdm_x.ns", Box::new(reader), &OpenOptions::default()).unwrap();
    let mut copier = Copier::create(&folder.join("copy.tape"), Market::UsdM, None).unwrap();
    while let Some(record) = reader.next().unwrap() {
        let added = copier.add(&record, &mut |_, _| {});
        added.map_err(|what| format!("{}: {what}", record.line))?;
    }
    copier.finish().map_err(|error| error.to_string())
}

/// What a feed would pass over as a fault has no place on a tape, which would not show it.
#[test]
fn a_recording_with_a_fault_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let sound = r#"1723161255030314667 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1","T":1,"E":1}}"#;
    let silent = "1723161255030314668 {\"result\":null,\"id\":1}";
    let whole = copied(folder.path(), &format!("{sound}\n{silent}\n")).unwrap();
    assert_eq!(whole.records, 2);
    for cut in [r#"1723161255030314669 {"stream":"btcusdt@depth","data":"#, "1723161255030314669 <"]
    {
        let error = copied(folder.path(), &format!("{sound}\n{silent}\n{cut}\n")).unwrap_err();
        assert!(error.starts_with("3: "), "{error}");
    }
    let mut decoded = Decoded::default();
    let text = sound.split_once(' ').unwrap().1.as_bytes();
    Decoder::new(Market::UsdM).decode(text, &mut decoded).unwrap();
    let mut encoder = FrameEncoder::default();
    encoder.begin(&[]);
    assert!(encoder.add("", &decoded.messages[0], &decoded, text).is_err(), "of no symbol");
}
