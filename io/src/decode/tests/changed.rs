//! Frames as the wire might bring them one day: changed at random, both decoders still agree.

use super::*;

/// A structural change of a frame, as the wire might bring one day.
#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Delete(usize, usize),
    Repeat(usize, usize),
    Swap(usize, usize),
    Value(usize, &'static str),
    Space(usize),
    Member(usize, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..400_usize;
    let values = prop_oneof![
        Just("null"),
        Just("\"\""),
        Just("\"1E2\""),
        Just("12"),
        Just("1.5"),
        Just("true"),
        Just("{}"),
        Just("[]"),
        Just("\"NA\""),
        Just("2"),
        Just("[[\"1\",\"2\"]]"),
        Just("-0"),
        Just("01"),
        Just("\"\\u0041\""),
        Just("9223372036854775808"),
        Just("\"币\""),
        Just("[{\"a\":[[[[1]]]]}]"),
    ];
    let members = prop_oneof![
        Just("\"stream\":\"btcusdt@depth5\""),
        Just("\"data\":{\"result\":1}"),
        Just("\"e\":\"24hrTicker\""),
        Just("\"e\":\"trade\""),
        Just("\"lastUpdateId\":4"),
        Just("\"st\":2"),
        Just("\"\\u0065\":\"kline\""),
        Just("\"b\":\"1\""),
        Just("\"code\":0"),
        Just("\"T\":0"),
        Just("\"symbol\":\"A\""),
    ];
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(a, b)| Change::Byte(a, b)),
        (at.clone(), 1..30_usize).prop_map(|(a, n)| Change::Delete(a, n)),
        (at.clone(), 1..30_usize).prop_map(|(a, n)| Change::Repeat(a, n)),
        (0..8_usize, 0..8_usize).prop_map(|(i, j)| Change::Swap(i, j)),
        (0..30_usize, values).prop_map(|(n, v)| Change::Value(n, v)),
        at.clone().prop_map(Change::Space),
        (at, members).prop_map(|(a, m)| Change::Member(a, m)),
    ]
}

fn apply(frame: &mut Vec<u8>, change: &Change) {
    let length = frame.len().max(1);
    match *change {
        Change::Byte(at, byte) => {
            if let Some(slot) = frame.get_mut(at % length) {
                *slot = byte;
            }
        }
        Change::Delete(at, count) => {
            let start = (at % length).min(frame.len());
            frame.drain(start..(start + count).min(frame.len()));
        }
        Change::Repeat(at, count) => {
            let start = (at % length).min(frame.len());
            let piece = frame[start..(start + count).min(frame.len())].to_vec();
            frame.splice(start..start, piece);
        }
        Change::Swap(i, j) => swap_members(frame, i, j),
        Change::Value(nth, value) => replace_value(frame, nth, value),
        Change::Member(at, member) => {
            let braces: Vec<_> = positions(frame, b'{').chain(positions(frame, b',')).collect();
            if let Some(&place) = braces.get(at % braces.len().max(1)) {
                frame.splice(place + 1..=place, member.bytes().chain([b',']));
            }
        }
        Change::Space(at) => {
            let commas: Vec<_> = positions(frame, b',').chain(positions(frame, b':')).collect();
            if let Some(&place) = commas.get(at % commas.len().max(1)) {
                frame.splice(place..=place, [b'\t', frame[place], b' ']);
            }
        }
    }
}

fn positions(frame: &[u8], byte: u8) -> impl Iterator<Item = usize> {
    frame.iter().enumerate().filter(move |(_, b)| **b == byte).map(|(at, _)| at)
}

/// Swaps two comma-separated pieces of the innermost last object: keys in another order.
fn swap_members(frame: &mut Vec<u8>, i: usize, j: usize) {
    let Some(open) = frame.iter().rposition(|&b| b == b'{') else { return };
    let Some(close) = frame[open..].iter().position(|&b| b == b'}') else { return };
    let inside = frame[open + 1..open + close].to_vec();
    let mut pieces: Vec<_> = inside.split(|&b| b == b',').collect();
    let count = pieces.len();
    pieces.swap(i % count, j % count);
    frame.splice(open + 1..open + close, pieces.join(&b','));
}

/// Puts another value behind the nth colon.
fn replace_value(frame: &mut Vec<u8>, nth: usize, value: &str) {
    let colons: Vec<_> = positions(frame, b':').collect();
    let Some(&colon) = colons.get(nth % colons.len().max(1)) else { return };
    let end = frame[colon..].iter().position(|b| matches!(b, b',' | b'}')).map(|n| colon + n);
    frame.splice(colon + 1..end.unwrap_or(frame.len()), value.bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn both_agree_on_changed_frames(
        which in 0..FRAMES.len(),
        changes in proptest::collection::vec(change(), 0..4),
        market in prop_oneof![Just(Market::UsdM), Just(Market::CoinM), Just(Market::Spot)],
    ) {
        let mut frame = FRAMES[which].as_bytes().to_vec();
        for change in &changes {
            apply(&mut frame, change);
        }
        differential(&frame, market).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn both_agree_on_any_bytes(frame in proptest::collection::vec(any::<u8>(), 0..120)) {
        differential(&frame, Market::UsdM).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn both_agree_on_json_like_text(frame in "[\\[\\]{}\":,a-eE0-9.\\\\u -]{0,60}") {
        differential(frame.as_bytes(), Market::UsdM).map_err(TestCaseError::fail)?;
    }
}
