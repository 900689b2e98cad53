//! What can not be read: frames, lines, files.

use super::*;

#[test]
fn malformed_frames_name_file_line_and_byte() {
    let found = usdm(&[
        line(0, trade("BTCUSDT")),
        line(1, r#"{"e":"trade","E":1,"E":2}"#),
        line(2, r#"{"stream":"@depth5","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#),
    ]);
    let twice = "malformed frame: field \"E\" stands there twice at byte 23";
    let nobody = "malformed frame: nothing names its symbol";
    assert_eq!(
        findings(&found),
        [(Broken, "malformed", "usdm_x:2", twice), (Broken, "malformed", "usdm_x:3", nobody)]
    );
    assert_eq!((found.malformed, found.complete), (2, false));
}

#[test]
fn twenty_malformed_frames_are_listed_and_all_are_counted() {
    let bad = |count| {
        let bad = (0..count).map(|at| line(at, "{]"));
        usdm(&[line(0, trade("BTCUSDT"))].into_iter().chain(bad).collect::<Vec<_>>())
    };
    let twenty = bad(20);
    assert_eq!((twenty.malformed, twenty.problems.len()), (20, 20));
    assert_eq!(twenty.problems[19].subject, "usdm_x:21");
    let more = bad(22);
    assert_eq!((more.malformed, more.problems.len()), (22, 21));
    let message = "22 malformed frames in all, the first 20 are listed";
    assert_eq!(findings(&more)[20], (Broken, "malformed", "capture", message));
}

#[test]
fn a_malformed_frame_counts_for_its_stream() {
    let mut bytes = text(&[line(0, trade("A")), line(1, r#"{"stream":"a@trade","data":{]"#)]);
    bytes.push_str(&text(&[line(2, r#"{"stream":"?@trade","data":[]}"#)]));
    let bytes = bytes.bytes().map(|b| if b == b'?' { 0xff } else { b }).collect::<Vec<_>>();
    let found = scan_one(reader("usdm_x", bytes)).manifest;
    let streams = [("(not UTF-8)", 1), ("(raw)", 1), ("a@trade", 1)];
    assert_eq!(found.streams, streams.map(|(name, n)| (name.to_owned(), n)).into());
    assert_eq!(found.malformed, 2);
}

#[test]
fn a_line_that_is_no_record_is_damage_and_the_rest_is_read() {
    let bytes = text(&[line(0, trade("A"))]) + "broken\n" + &text(&[line(1, trade("A"))]);
    let found = scan_one(reader("usdm_x", bytes)).manifest;
    let message = "usdm_x: line 2: no space behind a receive time: \"broken\"";
    assert_eq!(findings(&found), [(Broken, "damaged", "capture", message)]);
    assert_eq!((found.frames, found.malformed), (2, 0));
}

#[test]
fn a_recording_that_is_cut_short_is_truncated() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text(&[line(0, trade("A"))]).as_bytes()).unwrap();
    let mut packed = encoder.finish().unwrap();
    packed.truncate(packed.len() - 4);
    let found = scan_one(reader("usdm_x", packed)).manifest;
    let message = "usdm_x: compressed data ends in the middle after line 1";
    assert_eq!(findings(&found), [(Broken, "truncated", "capture", message)]);
    assert_eq!(found.frames, 1);
}

#[test]
fn what_can_not_be_read_at_all_is_an_error() {
    let fails = |reader| {
        let merge = Merge::new(vec![reader]).unwrap();
        scan(merge, &OPTIONS, &mut |_| {}).unwrap_err().to_string()
    };
    let unknown = fails(reader("x", text(&[line(0, trade("A"))])));
    assert!(unknown.starts_with("x: market unknown"), "{unknown}");
}

#[test]
fn a_bad_time_behind_good_lines_is_damage() {
    let early = text(&[line(0, trade("A"))]) + "1 {}\n";
    let found = scan_one(reader("usdm_x", early)).manifest;
    let [(Broken, "damaged", "capture", message)] = findings(&found)[..] else {
        panic!("{:?}", found.problems)
    };
    assert!(message.starts_with("usdm_x: line 2: receive time 1 is no time"), "{message}");
    assert_eq!(found.frames, 1);
}
