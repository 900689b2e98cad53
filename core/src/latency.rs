//! Latency: stamps that travel with messages, and count arrays that say how long each stage took.
//!
//! ```text
//!  frame in hand ─► feed ─► sequencer ─► alpha ─► risk ─► gateway ─► order bytes encoded
//!      taken        └passed─┘└──passed───┘└passed─┘└passed─┘└─passed─┘
//!      └───────────────────────── tick to trade ─────────────────────┘
//! ```
//!
//! What is measured never decides anything and is in no digest. A reading of the clock costs about as much as a
//! comparison of an order with its limits, so that only every `sample`-th message is measured at each boundary.

mod buckets;
mod page;
mod probe;

pub use buckets::{BUCKETS, bucket_of, highest_in, lowest_in};
pub use page::{LATENCY_NAME, PageError, RecordedLatencies};
pub use probe::{Clock, FeedProbe, Probe, Stamp};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapMut;

use crate::journal::memory::Memory;

/// What is measured. A stage's span runs from when the stage before it handed the message on to when it did
/// so itself: the way and the wait on the ring are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Span {
    /// From the frame's bytes in hand to its decoded input; of a paced replay from when the frame was due, so
    /// that the wait for the frames before it is in it.
    Feed,
    /// To the sequenced event.
    Sequencer,
    /// To what the strategies made of it.
    Alpha,
    /// To the verdict.
    Risk,
    /// To the end of the event at the gateway.
    Gateway,
    /// From the frame's bytes in hand to the bytes of an order that it gave rise to. Every order of a frame is
    /// measured.
    TickToTrade,
}

impl Span {
    /// All spans, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Feed, Self::Sequencer, Self::Alpha, Self::Risk, Self::Gateway, Self::TickToTrade];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Sequencer => "sequencer",
            Self::Alpha => "alpha",
            Self::Risk => "risk",
            Self::Gateway => "gateway",
            Self::TickToTrade => "tick_to_trade",
        }
    }

    /// The span of a number; none where there is no such.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Words of one span: its counts and its largest value.
const SPAN_WORDS: usize = BUCKETS + 8;
/// Where the largest value lies among them.
const MAX_WORD: usize = BUCKETS;

/// The count arrays of a run. Clones share them: one writer for each span, any number of readers.
#[derive(Clone, Debug)]
pub struct Latencies {
    memory: Arc<Memory>,
    /// Where the first span begins, in bytes.
    at: usize,
}

impl Latencies {
    /// Empty arrays that no other process sees.
    ///
    /// # Errors
    /// There is no memory.
    pub fn private() -> std::io::Result<Self> {
        let map = MmapMut::map_anon(SPAN_WORDS * Span::ALL.len() * 8)?;
        let mut memory = Memory::File(map.into());
        memory.touch();
        Ok(Self { memory: Arc::new(memory), at: 0 })
    }

    /// The writing end of a span. Two of them at once would lose counts, and nothing else.
    #[must_use]
    pub fn recorder(&self, span: Span) -> Recorder {
        Recorder { all: self.clone(), span }
    }

    /// What was counted so far. Counts that are being made may or may not be in it.
    #[must_use]
    pub fn read(&self, span: Span) -> Counts {
        let words = self.words(span);
        // Relaxed: each count stands for itself, and a reader wants no more than a recent view.
        let counts = words[..BUCKETS].iter().map(|word| word.load(Ordering::Relaxed)).collect();
        Counts { counts, max_ns: words[MAX_WORD].load(Ordering::Relaxed) }
    }

    fn words(&self, span: Span) -> &[AtomicU64] {
        self.memory.words(self.at + span as usize * SPAN_WORDS * 8, SPAN_WORDS)
    }
}

/// The writing end of one span.
#[derive(Debug)]
pub struct Recorder {
    all: Latencies,
    span: Span,
}

impl Recorder {
    /// Counts a latency in ns.
    pub fn record(&mut self, ns: u64) {
        let words = self.all.words(self.span);
        // One writer, so that no read-modify-write is needed. Relaxed, see `Latencies::read`.
        let add =
            |word: &AtomicU64| word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        add(&words[bucket_of(ns)]);
        if ns > words[MAX_WORD].load(Ordering::Relaxed) {
            words[MAX_WORD].store(ns, Ordering::Relaxed);
        }
    }
}

/// The counts of one span at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    counts: Vec<u64>,
    /// The largest latency, in ns.
    pub max_ns: u64,
}

impl Counts {
    /// How many latencies were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The buckets that hold something: the highest latency that belongs into each, in ns, and how many do.
    pub fn filled(&self) -> impl Iterator<Item = (u64, u64)> {
        let numbered = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        numbered.map(|(bucket, count)| (highest_in(bucket).min(self.max_ns), *count))
    }

    /// What was counted since an earlier look at the same span. The largest value is that of both.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bucket: usize| earlier.counts.get(bucket).copied().unwrap_or_default();
        let less = |(bucket, count): (usize, &u64)| count.saturating_sub(before(bucket));
        let counts = self.counts.iter().enumerate().map(less).collect();
        Self { counts, max_ns: self.max_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_listed_in_order() {
        for (number, span) in (0..).zip(Span::ALL) {
            assert_eq!((span as u8, Span::from_number(number)), (number, Some(span)));
        }
        assert_eq!(Span::from_number(6), None);
    }

    /// On the heap: Miri runs this.
    #[test]
    fn each_span_has_its_own_counts_and_readers_see_them() {
        let memory = Arc::new(Memory::heap(SPAN_WORDS * Span::ALL.len() * 8));
        let all = Latencies { memory, at: 0 };
        let mut before = Counts::default();
        std::thread::scope(|scope| {
            for (span, ns) in [(Span::Feed, 5), (Span::TickToTrade, 70_000)] {
                let mut recorder = all.recorder(span);
                scope.spawn(move || (0..20).for_each(|_| recorder.record(ns)));
            }
            before = all.read(Span::Feed);
            assert!(before.total() <= 20);
        });
        let feed = all.read(Span::Feed);
        assert_eq!((feed.total(), feed.max_ns), (20, 5));
        assert_eq!(feed.since(&before).total(), 20 - before.total());
        assert_eq!(feed.filled().collect::<Vec<_>>(), [(5, 20)]);
        let trades: Vec<_> = all.read(Span::TickToTrade).filled().collect();
        assert_eq!(trades, [(70_000, 20)]);
        assert_eq!(all.read(Span::Risk).total(), 0);
    }

    #[test]
    fn private_counts_need_no_file() {
        let all = Latencies::private().unwrap();
        all.recorder(Span::Gateway).record(u64::MAX);
        let counts = all.read(Span::Gateway);
        assert_eq!((counts.total(), counts.max_ns), (1, u64::MAX));
    }
}
