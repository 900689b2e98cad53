//! Depth frames and the snapshots that they need.

use super::*;

#[test]
fn depth_without_a_snapshot_is_broken() {
    let manifest = usdm(&[
        line(0, depth("BTCUSDT", [1, 5, 0])),
        line(1, depth("BTCUSDT", [6, 9, 5])),
        line(2, trade("ETHUSDT")),
    ]);
    let message = "2 depth frames and no snapshot, so the book can not be built";
    assert_eq!(findings(&manifest), [(Broken, "no-snapshot", "BTCUSDT", message)]);
    assert!(!manifest.complete);
}

#[test]
fn a_gap_is_broken_until_a_later_snapshot_mends_it() {
    let broken = [
        line(0, snapshot("BTCUSDT")),
        line(1, depth("BTCUSDT", [1, 5, 0])),
        line(2, depth("BTCUSDT", [7, 9, 6])),
        line(3, depth("BTCUSDT", [12, 15, 10])),
    ];
    let message = "2 breaks in the depth updates, and from \
                   2023-11-14T22:13:20.002000000Z on no snapshot that mends them";
    let found = usdm(&broken);
    assert_eq!(findings(&found), [(Broken, "depth-gap", "BTCUSDT", message)]);
    assert_eq!((found.symbols["BTCUSDT"].depth_gaps, found.complete), (2, false));

    // A snapshot of the same instant may be older than the gap.
    let same = [&broken[..], &[line(3, snapshot("BTCUSDT"))]].concat();
    let message = "2 breaks in the depth updates, and from \
                   2023-11-14T22:13:20.003000000Z on no snapshot that mends them";
    assert_eq!(findings(&usdm(&same)), [(Broken, "depth-gap", "BTCUSDT", message)]);

    let mended = [&broken[..], &[line(4, snapshot("BTCUSDT"))]].concat();
    let message = "2 breaks in the depth updates, the first at 2023-11-14T22:13:20.002000000Z";
    let found = usdm(&mended);
    assert_eq!(findings(&found), [(Note, "depth-gap", "BTCUSDT", message)]);
    assert!(found.complete);
}

/// A recorder that begins anew writes a snapshot first and then what follows it, so that no later one mends the break.
#[test]
fn a_frame_that_joins_the_snapshot_in_front_of_it_shows_no_break() {
    let again = |second: [i64; 3], id: i64| {
        let fresh =
            snapshot("BTCUSDT").replace("\"lastUpdateId\":1", &format!("\"lastUpdateId\":{id}"));
        [
            line(0, snapshot("BTCUSDT")),
            line(1, depth("BTCUSDT", [1, 5, 0])),
            line(2, fresh),
            line(3, depth("BTCUSDT", second)),
            line(4, depth("BTCUSDT", [second[1] + 1, second[1] + 1, second[1]])),
        ]
    };
    let joined = again([90, 110, 89], 100);
    // One that begins behind the snapshot, and one of a snapshot that is older than the book.
    let (missed, stale) = (again([102, 110, 101], 100), again([3, 110, 2], 4));
    for (file, key) in [("usdm_x", "BTCUSDT"), ("coinm_x", "BTCUSDT"), ("spot_x", "SPOT:BTCUSDT")] {
        let found = [&joined, &missed, &stale]
            .map(|lines| manifest(&[(file, lines)], &OPTIONS).symbols[key].depth_gaps);
        assert_eq!(found, [0, 1, 1], "{file}");
    }
    // What a second break shows is one all the same.
    let mut twice = joined.to_vec();
    twice.push(line(5, depth("BTCUSDT", [95, 130, 94])));
    assert_eq!(usdm(&twice).symbols["BTCUSDT"].depth_gaps, 1);
    assert!(usdm(&joined).complete && !usdm(&missed).complete);
}

#[test]
fn futures_frames_name_their_predecessor_and_spot_frames_continue_its_numbers() {
    let lines = |second| {
        [
            line(0, snapshot("BTCUSDT")),
            line(1, depth("BTCUSDT", [1, 5, 0])),
            line(2, depth("BTCUSDT", second)),
        ]
    };
    // By name: a predecessor of 5, and numbers that go on behind 5 but name another one.
    let (named, continued) = (lines([8, 9, 5]), lines([6, 9, 4]));
    for (file, key, gaps) in [
        ("usdm_x", "BTCUSDT", [0, 1]),
        ("coinm_x", "BTCUSDT", [0, 1]),
        ("spot_x", "SPOT:BTCUSDT", [1, 0]),
    ] {
        let found = [&named, &continued]
            .map(|lines| manifest(&[(file, lines)], &OPTIONS).symbols[key].depth_gaps);
        assert_eq!(found, gaps, "{file}");
    }
}

#[test]
fn a_bare_snapshot_belongs_to_the_only_symbol_of_its_file() {
    let own = [
        line(0, SNAPSHOT),
        line(1, trade("ETHUSDT")),
        line(2, depth("BTCUSDT", [1, 5, 0])),
        line(3, depth("BTCUSDT", [7, 9, 6])),
        line(4, SNAPSHOT),
    ];
    // Without depth frames the only symbol at all; all-market rows name none.
    let others = ["ADAUSDT", "SOLUSDT"].map(str::to_owned);
    let quiet = [line(0, SNAPSHOT), line(1, trade("XRPUSDT")), line(2, all_marks(&others))];
    let found = manifest(&[("usdm_own", &own), ("usdm_quiet", &quiet)], &OPTIONS);
    let only: Vec<_> = found.files.iter().map(|file| file.only_symbol.as_deref()).collect();
    assert_eq!(only, [Some("BTCUSDT"), Some("XRPUSDT")]);
    let snapshots = |key: &str| {
        let symbol = &found.symbols[key];
        (symbol.snapshots, symbol.messages.get("depthSnapshot").copied())
    };
    assert_eq!(snapshots("BTCUSDT"), (2, Some(2)));
    assert_eq!(snapshots("XRPUSDT"), (1, Some(1)));
    assert_eq!(snapshots("ETHUSDT"), (0, None));
    assert_eq!((found.files[0].snapshots, found.files[1].snapshots), (2, 1));
    // The last of them mends the gap.
    let message = "1 breaks in the depth updates, the first at 2023-11-14T22:13:20.003000000Z";
    assert_eq!(findings(&found), [(Note, "depth-gap", "BTCUSDT", message)]);
}

#[test]
fn a_bare_snapshot_between_symbols_is_nobodys() {
    let both = [
        line(0, snapshot("BTCUSDT")),
        line(0, snapshot("ETHUSDT")),
        line(1, depth("BTCUSDT", [1, 5, 0])),
        line(2, SNAPSHOT),
        line(3, depth("ETHUSDT", [1, 5, 0])),
        line(4, SNAPSHOT),
    ];
    let found = usdm(&both);
    let message = "a snapshot names no symbol, and the file holds 2 symbols with depth frames";
    assert_eq!(findings(&found), [(Broken, "mixed-symbols", "usdm_x:4", message)]);
    assert_eq!(found.files[0].only_symbol, None);
    assert_eq!((found.files[0].snapshots, found.symbols["BTCUSDT"].snapshots), (4, 1));

    let trades = [line(0, trade("BTCUSDT")), line(1, trade("ETHUSDT")), line(2, SNAPSHOT)];
    let message = "a snapshot names no symbol, and the file holds 0 symbols with depth frames";
    assert_eq!(findings(&usdm(&trades)), [(Broken, "mixed-symbols", "usdm_x:3", message)]);
}
