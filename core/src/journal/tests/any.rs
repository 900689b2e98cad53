//! Any records, and any garbage.

use std::fs;

use proptest::prelude::*;

use super::rig::*;
use super::*;

/// Larger than a page; a record of that payload is just what may be appended at once.
const RESERVE: usize = 5_024;
const PAYLOAD_MOST: usize = RESERVE - 24;

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 12_288,
        feed_segment_bytes: 12_288,
        reserve: [RESERVE; Lane::ALL.len()],
        ..rig::config()
    }
}

fn cases(few: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if is_long() { few * 40 } else { few })
}

/// Sizes of records with what is special about them: nothing, a word, a page and around it, the most.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0_usize..64,
        2 => 4_000_usize..4_200,
        1 => PAYLOAD_MOST - 9..=PAYLOAD_MOST,
        2 => 0_usize..=PAYLOAD_MOST,
    ]
}

fn payload(number: usize, size: usize) -> Vec<u8> {
    // Some look like heads of records, some like ends.
    let fill = [0x00, 0xff, 0x18, 0x80][number % 4];
    (0..size).map(|at| if at % 3 == 0 { fill } else { (at * 7 + number) as u8 }).collect()
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn any_records_are_read_back(
        sizes in prop::collection::vec((0_usize..5, size(), any::<u8>()), 1..120),
        close in any::<bool>(),
    ) {
        let folder = scratch();
        let dir = folder.path();
        let config = config();
        let (journal, mut lanes) = Journal::create(opening(dir, &config, 99)).unwrap();
        let mut written: [Held; 5] = Default::default();
        for (number, (lane, size, kind)) in sizes.into_iter().enumerate() {
            // Any kind but the one that ends a lane.
            let (kind, bytes) = (kind % 255, payload(number, size));
            let appender = &mut lanes[lane];
            while !appender.ready() {
                prop_assert!(journal.watch().stopped().is_none());
                std::thread::yield_now();
            }
            let (first, second) = bytes.split_at(size / 3);
            appender.append(kind, &[first, second], 7);
            written[lane].push((kind, bytes));
        }
        let readers = Lane::ALL.map(|lane| LaneReader::new(dir, Strand::Lane(lane), 1));
        let live = readers.map(all_of);
        prop_assert!(live == written);
        if close {
            rig::close(journal, lanes);
            let view = View::open(dir).unwrap();
            prop_assert_eq!((view.state, view.damage.len()), (State::Closed, 0));
            for lane in Lane::ALL {
                let mut held = held(&view, lane);
                prop_assert_eq!(held.pop().map(|last| last.0), Some(255));
                prop_assert!(held == written[lane as usize]);
            }
        } else {
            drop((journal, lanes));
            let view = View::open(dir).unwrap();
            prop_assert_eq!((view.state, view.cut, view.damage.len()), (State::Interrupted, 0, 0));
            for (whole, written) in view.whole.iter().zip(&written) {
                prop_assert!(all_of(whole.reader(dir)) == *written);
            }
        }
    }
}

/// What stands in a file.
#[derive(Clone, Debug)]
enum Garbage {
    /// Anything.
    Bytes(Vec<u8>),
    /// A head that verifies, of some strand and number, and words behind it that may look like heads of records.
    Segment { strand: u8, index: u32, capacity: u64, start: bool, words: Vec<u32> },
    /// A control page that verifies and says nonsense.
    Control { numbers: Vec<u64> },
    /// A folder.
    Folder,
    /// A link.
    Link,
}

fn garbage() -> impl Strategy<Value = Garbage> {
    let number = || {
        prop_oneof![
            Just(0),
            Just(u64::MAX),
            Just(1 << 32 | 128),
            Just(u64::from(u32::MAX) << 32),
            any::<u64>()
        ]
    };
    let word = prop_oneof![
        4 => Just(0_u32),
        2 => (2_u32..40).prop_map(|count| count * 8),
        2 => (0_u32..40).prop_map(|less| u32::MAX - less),
        1 => (1_u32 << 28..1_u32 << 29).prop_map(|count| count * 8),
        2 => any::<u32>(),
    ];
    let words = prop::collection::vec(word, 0..400);
    let capacity = prop_oneof![Just(0), Just(4_096), Just(u64::MAX), any::<u64>()];
    let index = prop_oneof![6 => 1_u32..4, 1 => Just(u32::MAX), 1 => any::<u32>()];
    prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..5_000).prop_map(Garbage::Bytes),
        8 => (0_u8..7, index, capacity, any::<bool>(), words).prop_map(
            |(strand, index, capacity, start, words)| Garbage::Segment {
                strand,
                index,
                capacity,
                start,
                words,
            },
        ),
        3 => prop::collection::vec(number(), 64).prop_map(|numbers| Garbage::Control { numbers }),
        1 => Just(Garbage::Folder),
        1 => Just(Garbage::Link),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let strand = prop::sample::select(vec!["feed", "event", "alpha", "risk", "gateway", "orphans"]);
    let index = prop_oneof![8 => 1_u32..4, 1 => Just(u32::MAX), 1 => any::<u32>()];
    prop_oneof![
        8 => (strand, index).prop_map(|(strand, index)| format!("{strand}-{index:06}.seg")),
        2 => Just("control".to_owned()),
        1 => prop::sample::select(vec!["LOCK", "control.new", "quarantine-feed-000001-0000000128.bin"])
            .prop_map(str::to_owned),
    ]
}

fn put(dir: &Path, name: &str, garbage: &Garbage) {
    let path = dir.join(name);
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    match garbage {
        Garbage::Bytes(bytes) => fs::write(path, bytes).unwrap(),
        Garbage::Segment { strand, index, capacity, start, words } => {
            let head =
                layout::Head { strand: *strand, index: *index, session: 5, capacity: *capacity };
            let mut bytes = head.encode().to_vec();
            let records = [0, u64::MAX >> 1, u64::MAX][words.len() % 3];
            let second = layout::Start { records, previous: 0 }.encode(&bytes);
            bytes.extend(if *start { second } else { [0; 64] });
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            fs::write(path, bytes).unwrap();
        }
        Garbage::Control { numbers } => {
            let at = |index: usize| numbers[index % numbers.len()];
            let done = |index| Done {
                seq: at(index),
                position: Position(at(index + 1)),
                records: at(index + 2),
            };
            let kept = |index| Kept { index: at(index) as u32, session: 5 };
            let scratch = scratch();
            let page = control::Control::create(
                &mut FakeDisk,
                scratch.path(),
                at(0),
                &std::array::from_fn(|lane| done(lane * 3 + 1)),
                &std::array::from_fn(|lane| kept(lane + 20)),
            );
            page.unwrap().write_synced(2, &std::array::from_fn(|lane| done(lane * 3 + 30)));
            fs::copy(scratch.path().join("control"), path).unwrap();
        }
        Garbage::Folder => fs::create_dir(path).unwrap(),
        Garbage::Link => std::os::unix::fs::symlink(dir.join("event-000002.seg"), path).unwrap(),
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn garbage_is_an_error_or_damage_and_never_a_panic(
        files in prop::collection::vec((name(), garbage()), 0..8),
        real in any::<bool>(),
    ) {
        let folder = scratch();
        let dir = folder.path();
        if real {
            interrupted_with(dir, &rig::config(), 60, 0);
        }
        for (name, garbage) in &files {
            put(dir, name, garbage);
        }
        for lane in Lane::ALL {
            for first in [1, 2, u32::MAX] {
                // Whatever it gives, it ends.
                let mut reader = LaneReader::new(dir, Strand::Lane(lane), first);
                while let Ok(Ok(_)) = reader.next() {}
            }
        }
        // It may be no journal, or a file may be a folder; in words then.
        if let Err(error) = View::open(dir) {
            prop_assert!(!error.to_string().is_empty());
        }
        let config = rig::config();
        match Journal::resume(opening(dir, &config, 8)) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(begun) => drop(begun),
        }
        for session in [6, 7] {
            match recover(dir, &mut FakeDisk, session) {
                Err(error) => prop_assert!(!error.to_string().is_empty()),
                Ok(_) => {
                    let view = View::open(dir).unwrap();
                    prop_assert!(view.damage.is_empty(), "{:?}", view.damage);
                }
            }
        }
    }
}
