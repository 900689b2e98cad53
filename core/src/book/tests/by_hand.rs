//! Cases that have a name: joining, gaps, strays, crossed books, bounds.

use super::*;

#[test]
fn a_futures_book_is_joined_chained_and_broken() {
    let mut book = futures();
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot));
    assert_eq!(book.on_diff(ids(310, 316, 309), &levels(&[(500, 9)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(317, 319, 316), &levels(&[(490, 9)]), &[]), Outcome::Buffered);
    let joint = (levels(&[(500, 3), (480, 0)]), levels(&[(510, 2)]));
    assert_eq!(book.on_diff(ids(320, 327, 999), &joint.0, &joint.1), Outcome::Buffered);
    let bids = levels(&[(500, 1), (490, 2), (480, 4)]);
    let asks = levels(&[(510, 6), (530, 1)]);
    assert_eq!(book.on_snapshot(323, &bids, &asks), Outcome::Synced, "pu of the joint is free");
    assert_eq!(
        book.on_diff(ids(340, 344, 327), &[], &levels(&[(510, 0), (520, 8)])),
        Outcome::Applied
    );
    assert_eq!(book.on_diff(ids(345, 345, 344), &[], &[]), Outcome::Applied, "both sides empty");
    let unknown = levels(&[(70, 0), (75, 0)]);
    assert_eq!(book.on_diff(ids(350, 351, 345), &unknown, &unknown), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(500, 3), (490, 2)]);
    assert_eq!(held(&book, BookSide::Ask), [(520, 8), (530, 1)]);
    let lost = ids(360, 366, 355);
    assert_eq!(book.on_diff(lost, &levels(&[(500, 77)]), &[]), Outcome::Invalidated(Invalid::Gap));
    assert_eq!(book.touch(), Err(Invalid::Gap));
    assert_eq!(book.on_diff(ids(400, 401, 380), &[], &[]), Outcome::Buffered, "one gap, not two");
    let expected = BookStats {
        gaps: 1,
        snapshots: 1,
        applied: 4,
        discarded: 2,
        buffered: 5,
        invalidated: 1,
        ..BookStats::default()
    };
    assert_eq!(book.stats(), &expected);
}

#[test]
fn a_gap_heals_from_the_frame_that_showed_it() {
    let mut book = synced();
    book.on_diff(ids(120, 130, 110), &levels(&[(990, 1)]), &[]);
    assert_eq!(book.on_diff(ids(131, 140, 130), &levels(&[(980, 1)]), &[]), Outcome::Buffered);
    let (bids, asks) = (levels(&[(1_000, 7)]), levels(&[(1_020, 7)]));
    let old = book.on_snapshot(119, &bids, &asks);
    assert_eq!(old, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.state(), Err(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(125, &bids, &asks), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 7), (990, 1), (980, 1)]);
    assert_eq!(book.on_diff(ids(141, 141, 140), &[], &[]), Outcome::Applied);
}

#[test]
fn a_snapshot_ahead_of_the_stream_waits_for_it() {
    let mut book = futures();
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 5)]), &[]), Outcome::Buffered);
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot), "loaded is not joined");
    assert_eq!(book.levels(), (1, 0));
    assert_eq!(book.on_diff(ids(90, 99, 89), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Ignored);
    assert_eq!(book.on_diff(ids(100, 100, 99), &[], &levels(&[(1_010, 1)])), Outcome::Synced);
    assert_eq!((book.stats().buffered, book.stats().discarded), (1, 1));
    let touch = Touch { bid: Some(levels(&[(1_000, 5)])[0]), ask: Some(levels(&[(1_010, 1)])[0]) };
    assert_eq!(book.touch(), Ok(touch));
}

#[test]
fn a_stream_ahead_of_the_snapshot_needs_a_newer_one() {
    let mut book = futures();
    book.on_snapshot(100, &levels(&[(1_000, 5)]), &[]);
    let early = book.on_diff(ids(101, 105, 99), &levels(&[(990, 5)]), &[]);
    assert_eq!(early, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(103, &levels(&[(980, 5)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(990, 5), (980, 5)]);
}

#[test]
fn snapshots_of_a_synced_book_count_only_when_newer() {
    let mut book = synced();
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Ignored);
    assert_eq!(book.on_snapshot(99, &[], &[]), Outcome::Ignored);
    assert_eq!(book.stats().snapshots_ignored, 2);
    assert!(book.touch().is_ok());
    let newer = book.on_snapshot(110, &levels(&[(1_000, 8)]), &[]);
    assert_eq!(newer, Outcome::Invalidated(Invalid::Stale));
    assert_eq!(book.on_diff(ids(101, 109, 100), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(110, 112, 109), &[], &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 8)]);
    assert_eq!(book.stats().invalidated, 1);
}

/// A book that waited with frames up to 105 when a snapshot of another numbering came.
fn led_astray() -> Book {
    let mut book = futures();
    book.on_diff(ids(95, 100, 94), &levels(&[(990, 1)]), &[]);
    assert_eq!(book.on_snapshot(1 << 50, &levels(&[(7, 7)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(101, 105, 100), &levels(&[(980, 1)]), &[]), Outcome::Buffered);
    book
}

#[test]
fn a_stray_snapshot_is_replaced_by_one_that_a_waiting_frame_joins() {
    for last_id in [95, 100, 101, 105] {
        let mut book = led_astray();
        let right = book.on_snapshot(last_id, &levels(&[(1_000, 5)]), &[]);
        assert_eq!(right, Outcome::Synced, "{last_id}");
        let first = if last_id <= 100 { Some((990, 1)) } else { None };
        let expected: Vec<_> = [(1_000, 5)].into_iter().chain(first).chain([(980, 1)]).collect();
        assert_eq!(held(&book, BookSide::Bid), expected);
        assert_eq!(book.stats().discarded, u64::from(last_id > 100));
        assert_eq!(book.on_diff(ids(106, 107, 105), &[], &[]), Outcome::Applied);
    }
}

#[test]
fn a_stray_snapshot_is_replaced_by_one_that_holds_all_waiting_frames() {
    let mut book = led_astray();
    assert_eq!(book.on_snapshot(108, &levels(&[(1_000, 5)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(108, &[], &[]), Outcome::Ignored, "no news");
    assert_eq!(book.on_diff(ids(106, 109, 105), &[], &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5)]);
    let stats = book.stats();
    assert_eq!((stats.snapshots, stats.snapshots_ignored, stats.discarded), (2, 1, 2));
}

#[test]
fn a_lower_snapshot_needs_a_frame_that_speaks_for_it() {
    let mut book = led_astray();
    assert_eq!(book.on_snapshot(94, &[], &[]), Outcome::Ignored, "frames between are missing");
    assert_eq!(book.stats().snapshots_ignored, 1);
    assert_eq!(held(&book, BookSide::Bid), [(7, 7)]);
    let mut book = futures();
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(99, &[], &[]), Outcome::Ignored, "nothing waits");
    assert_eq!(book.on_diff(ids(100, 101, 99), &[], &[]), Outcome::Synced);
}

#[test]
fn a_crossed_replacement_leaves_the_waiting_frames_to_the_next() {
    let mut book = led_astray();
    let crossed = book.on_snapshot(100, &levels(&[(1_000, 1)]), &levels(&[(1_000, 1)]));
    assert_eq!(crossed, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 1)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 1), (990, 1), (980, 1)]);
}

#[test]
fn a_loaded_snapshot_stays_when_the_frames_before_it_overflow() {
    let mut book = Book::new(SyncRule::Futures, None, &TINY);
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Buffered);
    for last in 1..=8 {
        assert_eq!(book.on_diff(ids(last, last, last - 1), &[], &[]), Outcome::Buffered);
    }
    assert_eq!(book.state(), Err(Invalid::NoSnapshot), "no reason of its own");
    assert_eq!((book.stats().buffered, book.stats().buffer_dropped), (8, 2));
    assert_eq!(book.on_snapshot(2, &[], &[]), Outcome::Ignored, "its frame was dropped");
    assert_eq!(book.on_diff(ids(99, 100, 8), &[], &[]), Outcome::Synced);
    assert_eq!(book.stats().discarded, 6);
}

#[test]
fn a_frame_behind_a_hole_joins_the_snapshot_that_ended_in_it() {
    let behind = |book: &mut Book, prev| book.on_diff(ids(110, 120, prev), &[], &[]);
    let reloaded = || {
        let mut book = synced();
        let newer = book.on_snapshot(105, &levels(&[(1_000, 8)]), &[]);
        assert_eq!(newer, Outcome::Invalidated(Invalid::Stale));
        book
    };
    let mut book = reloaded();
    assert_eq!(behind(&mut book, 100), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 8)]);
    assert_eq!(book.on_diff(ids(125, 126, 120), &[], &[]), Outcome::Applied);

    let mut book = reloaded();
    assert_eq!(book.on_diff(ids(102, 103, 100), &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 103), Outcome::Synced, "the chain goes on before the snapshot");

    let mut book = reloaded();
    book.on_snapshot(107, &[], &[]);
    assert_eq!(behind(&mut book, 100), Outcome::Synced, "a newer snapshot holds the end as well");

    let too_old = Outcome::Invalidated(Invalid::SnapshotTooOld);
    let mut book = reloaded();
    assert_eq!(behind(&mut book, 101), too_old);

    let mut book = reloaded();
    assert_eq!(book.on_diff(ids(103, 104, 102), &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 104), too_old, "a frame that did not follow ends the chain");

    let mut book = reloaded();
    book.invalidate(Invalid::Stale);
    assert_eq!(book.on_snapshot(106, &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 100), too_old, "a broken chain has no end");
}

#[test]
fn spot_joins_one_later_and_needs_no_pu() {
    let mut book = Book::new(SyncRule::Spot, Some(Px(10)), &BookConfig::default());
    let spot = |first, last| DepthIds { first, last, prev: None };
    assert_eq!(book.on_diff(spot(90, 100), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(spot(101, 103), &levels(&[(990, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 9)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 9), (990, 1)]);
    assert_eq!(book.stats().discarded, 1, "u = lastUpdateId holds nothing new on spot");
    assert_eq!(book.on_diff(spot(104, 110), &[], &[]), Outcome::Applied);
    assert_eq!(book.on_diff(spot(112, 113), &[], &[]), Outcome::Invalidated(Invalid::Gap));
}

#[test]
fn a_crossed_book_is_quarantined_until_the_next_snapshot() {
    let mut book = synced();
    let crossing = levels(&[(1_010, 1)]);
    let crossed = Outcome::Invalidated(Invalid::Crossed);
    assert_eq!(book.on_diff(ids(101, 102, 100), &crossing, &[]), crossed, "equal is crossed");
    let repair = levels(&[(1_010, 0)]);
    assert_eq!(book.on_diff(ids(103, 104, 102), &repair, &[]), Outcome::Buffered);
    assert_eq!(book.touch(), Err(Invalid::Crossed));
    assert_eq!(book.on_snapshot(104, &levels(&[(1_000, 1)]), &levels(&[(1_000, 1)])), crossed);
    let (bids, asks) = (levels(&[(1_000, 2)]), levels(&[(1_020, 2)]));
    assert_eq!(book.on_snapshot(104, &bids, &asks), Outcome::Synced);
    assert_eq!((book.stats().crossed, book.stats().gaps), (2, 0));
}

#[test]
fn a_frame_is_judged_as_a_whole() {
    let mut book = synced();
    let (bids, asks) = (levels(&[(1_020, 1), (1_020, 4)]), levels(&[(1_010, 0), (1_030, 1)]));
    assert_eq!(book.on_diff(ids(101, 102, 100), &bids, &asks), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_020, 4), (1_000, 5)], "the later of two wins");
}

#[test]
fn without_buffering_the_crossed_book_gives_it_away() {
    // The market falls while the snapshot is on its way. Who loses the frames that say so keeps bids
    // that are long gone, and the asks that follow run into them.
    let run = |buffering| {
        let mut book = futures().with_buffering(buffering);
        book.on_diff(ids(99, 101, 98), &levels(&[(1_000, 0), (950, 5)]), &levels(&[(960, 1)]));
        book.on_snapshot(100, &levels(&[(1_000, 5)]), &levels(&[(1_010, 5)]));
        let last = book.on_diff(ids(102, 103, 101), &[], &levels(&[(955, 2)]));
        (last, book)
    };
    let (sound, book) = run(Buffering::On);
    assert_eq!((sound, book.stats().crossed), (Outcome::Applied, 0));
    let (naive, book) = run(Buffering::OffForTests);
    assert_eq!(naive, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!((book.stats().crossed, book.stats().gaps), (1, 0));
    assert_eq!(book.stats().discarded, 1);
}

#[test]
fn partial_frames_replace_until_a_diff_comes() {
    let mut book = futures();
    assert_eq!(book.on_partial(&levels(&[(1_000, 1), (990, 1)]), &[]), Outcome::Synced);
    assert_eq!(book.on_partial(&levels(&[(980, 1)]), &levels(&[(990, 1)])), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(980, 1)]);
    let crossed = book.on_partial(&levels(&[(990, 1)]), &levels(&[(990, 1)]));
    assert_eq!(crossed, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!(book.on_partial(&[], &levels(&[(990, 1)])), Outcome::Synced, "a view heals a view");
    let diff = book.on_diff(ids(1, 2, 0), &[], &[]);
    assert_eq!(diff, Outcome::Invalidated(Invalid::NoSnapshot));
    assert_eq!(book.on_partial(&[], &[]), Outcome::Ignored);
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot));
}

#[test]
fn invalidate_breaks_the_chain() {
    let mut book = synced();
    book.invalidate(Invalid::Malformed);
    assert_eq!(book.touch(), Err(Invalid::Malformed));
    assert_eq!(book.on_diff(ids(101, 102, 100), &[], &[]), Outcome::Buffered);
    book.invalidate(Invalid::Stale);
    assert_eq!((book.stats().buffer_dropped, book.stats().invalidated), (1, 1));
    assert_eq!(book.on_snapshot(101, &[], &[]), Outcome::Buffered, "its frame is gone");
}

#[test]
fn a_full_buffer_drops_the_oldest_and_says_so() {
    let mut book = Book::new(SyncRule::Futures, None, &TINY);
    let outcomes: Vec<Outcome> =
        (1..=8).map(|last| book.on_diff(ids(last, last, last - 1), &[], &[])).collect();
    assert!(outcomes[..6].iter().all(|outcome| *outcome == Outcome::Buffered));
    assert_eq!(outcomes[6], Outcome::Invalidated(Invalid::BufferOverflow));
    assert_eq!(outcomes[7], Outcome::Buffered, "said once");
    assert_eq!((book.stats().buffered, book.stats().buffer_dropped), (8, 2));
    let lost = book.on_snapshot(2, &[], &[]);
    assert_eq!(lost, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(3, &[], &[]), Outcome::Synced);
}

#[test]
fn prices_off_the_grid_are_kept_exactly() {
    let mut book = synced();
    let (bids, asks) = (levels(&[(995, 1), (7, 2)]), levels(&[(1_003, 3), (i64::MAX, 4)]));
    assert_eq!(book.on_diff(ids(101, 102, 100), &bids, &asks), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5), (995, 1), (7, 2)]);
    assert_eq!(held(&book, BookSide::Ask), [(1_003, 3), (1_010, 5), (i64::MAX, 4)]);
    assert_eq!(book.stats().regrids, 2, "10 to 5, 5 to 1");
    assert_eq!(book.on_diff(ids(103, 104, 102), &levels(&[(995, 0)]), &[]), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5), (7, 2)]);
}

#[test]
fn without_a_tick_the_first_snapshot_gives_the_grid() {
    let mut book = Book::new(SyncRule::Futures, None, &BookConfig::default());
    let bids: Vec<_> = (1..200).map(|step| (2_000 - step * 6, 1)).collect();
    book.on_snapshot(5, &levels(&bids), &levels(&[(2_004, 1)]));
    book.on_diff(ids(5, 6, 4), &levels(&[(1_992, 3)]), &[]);
    assert_eq!(book.stats().regrids, 0);
    assert_eq!(book.levels(), (200, 1));
}

#[test]
fn a_snapshot_starts_again_from_the_hinted_grid() {
    for (tick, regrids) in [(Some(Px(10)), 2), (None, 1)] {
        let mut book = Book::new(SyncRule::Futures, tick, &BookConfig::default());
        let (bids, asks) = (levels(&[(990, 1), (1_000, 1)]), levels(&[(1_010, 1)]));
        book.on_snapshot(100, &bids, &asks);
        book.on_diff(ids(99, 101, 98), &levels(&[(993, 1)]), &[]);
        assert_eq!((book.stats().regrids, book.sides.tick()), (1, 1));
        book.invalidate(Invalid::Stale);
        book.on_snapshot(102, &bids, &asks);
        assert_eq!(book.sides.tick(), 10);
        assert_eq!(held(&book, BookSide::Bid), [(1_000, 1), (990, 1)]);
        book.invalidate(Invalid::Stale);
        book.on_snapshot(103, &levels(&[(995, 1)]), &asks);
        assert_eq!((book.stats().regrids, book.sides.tick()), (regrids, 5), "{tick:?}");
    }
}

#[test]
fn a_full_side_drops_its_farthest_level() {
    let mut book = Book::new(SyncRule::Futures, Some(Px(1)), &TINY);
    let bids: Vec<_> = (0..84).map(|step| (10_000 - 1_000 * (step / 64) - step, 1)).collect();
    book.on_snapshot(5, &levels(&bids), &[]);
    assert_eq!((book.levels(), book.stats().levels_dropped), ((84, 0), 0));
    let farther = levels(&[(1, 1)]);
    assert_eq!(book.on_diff(ids(5, 6, 4), &farther, &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), bids, "the newcomer was the farthest");
    book.on_diff(ids(7, 8, 6), &levels(&[(10_500, 1)]), &[]);
    assert_eq!(held(&book, BookSide::Bid)[1..], bids[..83]);
    assert_eq!((book.levels(), book.stats().levels_dropped), ((84, 0), 2));
}
