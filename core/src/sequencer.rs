//! The sequencer: one total order of everything that happened, and the book folded on the way.
//!
//! ```text
//!  frames ───┐
//!  control ──┤   earliest first; at equal times              ┌─► Event to alpha
//!  ticks ────┼─► feedback, control, tick, frame, gap ─► seq ─┤
//!  feedback ─┘   (a kill level that rose before all)         └─► Tap to the paper venue
//! ```
//!
//! Time is logical: nothing is emitted that lies behind the next frame, and so nothing before that is known.

mod bars;
mod clock;
mod depth;
mod drafts;
mod expected;
mod fold;
#[cfg(test)]
pub(crate) mod harness;
mod heap;
mod history;
mod klines;
mod mark;
mod market;
#[cfg(test)]
pub(crate) mod reference;
mod refold;
mod stage;
#[cfg(test)]
mod tests;
mod touch;

pub(crate) use klines::bar_of;

pub use expected::{Expected, ExpectedFull, Rerun, Unexpected};
pub use refold::{Ending, Mismatch, Refold, Refolded};
pub use stage::Sequencer;

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use thiserror::Error;

use crate::assumed::AssumedBook;
use crate::event::{BANDS, Control, Event};
use crate::message::{Feedback, Input, Tap};
use crate::ring::{Consumer, LevelsConsumer, LevelsProducer, Producer};
use crate::units::{Bps, Nanos, Rate};

/// A day in seconds: the longest bar.
const DAY_S: u32 = 86_400;
/// The widest depth band: the whole price.
const BAND_MOST: Bps = Bps(100_000_000);

/// Clock, limits and derived messages of a sequencer. All memory is taken at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencerConfig {
    /// Time between two `Tick`s, which lie on its multiples.
    pub tick: Nanos,
    /// Silence of all frames after which comes a `Gap`.
    pub gap_max: Nanos,
    /// Feedback that waits to be due.
    pub feedback_max: usize,
    /// Commands that wait on the control queue.
    pub control_max: usize,
    /// Levels of each side that strategies get after a book frame; 0 is none, 20 the most.
    pub levels: u8,
    /// Bands around the mid in which depth is summed, narrow ones first.
    pub depth_bands: [Bps; BANDS],
    /// Levels of each side that a sum looks at.
    pub depth_walk_max: usize,
    /// Liquidations of a symbol that are remembered, to know one that is told twice (X5).
    pub liquidations_max: usize,
    /// How long a book frame that is older than the last ticker may leave the touch as the ticker told it.
    pub ticker_lead_max: Nanos,
    /// Length of a bar in seconds: a multiple of the tick.
    pub bar_interval_s: u32,
    /// Mark prices made of trades for symbols that no mark stream was seen for; none without an
    /// assumption set.
    pub assumed_mark: Option<AssumedMark>,
    /// A touch around the last price of contracts that no book was seen for; none without an assumption set.
    pub assumed_touch: Option<AssumedTouch>,
    /// What becomes of the exchange's own candles.
    pub candles: Candles,
}

/// What becomes of the exchange's own candles, where there are no trades to make bars of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Candles {
    /// Closed ones are told as bars.
    #[default]
    Told,
    /// They only move time on, as they did before they were told.
    Ignored,
}

/// A touch around the last price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumedTouch {
    /// Least time between two of them. They come with ticks.
    pub cadence: Nanos,
    /// How long after its first trade or bar a symbol may still turn out to have a book.
    pub wait: Nanos,
    /// How wide and how deep.
    pub book: AssumedBook,
}

/// Mark prices made of trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumedMark {
    /// Time between two of them: a multiple of the tick.
    pub cadence: Nanos,
    /// Age of the last trade up to which the last price still stands.
    pub max_age: Nanos,
    /// Funding rate of every interval. Positive: longs pay.
    pub funding_rate: Rate,
    /// Time between two fundings, which lie on its multiples.
    pub funding_interval: Nanos,
}

/// A command and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlInput {
    /// When it was given; never before the one ahead of it.
    pub at: Nanos,
    /// The command.
    pub control: Control,
}

/// The ends of the rings that meet here.
#[derive(Debug)]
pub struct Ports {
    /// Decoded messages.
    pub input: LevelsConsumer<Input>,
    /// From the far end.
    pub feedback: Consumer<Feedback>,
    /// Commands, first in, first out.
    pub control: Arc<ArrayQueue<ControlInput>>,
    /// The sequenced stream.
    pub output: Producer<Event>,
    /// Book changes for the paper venue.
    pub tap: Option<LevelsProducer<Tap>>,
}

/// Why a sequencer does nothing more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SequencerError {
    /// More feedback waits than the heap holds.
    #[error("more than {max} pieces of feedback wait to be due after event {seq}")]
    FeedbackFull {
        /// The limit, `feedback_max`.
        max: usize,
        /// The last event emitted.
        seq: u64,
    },
}

impl Default for SequencerConfig {
    fn default() -> Self {
        Self {
            tick: Nanos(100 * Nanos::MILLI),
            gap_max: Nanos(10 * Nanos::SECOND),
            feedback_max: 4_096,
            control_max: 64,
            levels: 0,
            depth_bands: [Bps(20_000), Bps(100_000)],
            depth_walk_max: 1_024,
            liquidations_max: 8,
            ticker_lead_max: Nanos(Nanos::SECOND),
            bar_interval_s: 60,
            assumed_mark: None,
            assumed_touch: None,
            candles: Candles::Told,
        }
    }
}

impl Default for AssumedMark {
    /// A calm market: 1 bp every eight hours, the exchange's own base rate.
    fn default() -> Self {
        Self {
            cadence: Nanos(Nanos::SECOND),
            max_age: Nanos(10 * Nanos::SECOND),
            funding_rate: Rate(100_000_000),
            funding_interval: Nanos(8 * 3_600 * Nanos::SECOND),
        }
    }
}

impl SequencerConfig {
    /// Most levels of a side in messages.
    pub const LEVELS_MOST: u8 = 20;
    /// Highest value of each limit, against a slip that takes all memory.
    pub const LIMIT_MOST: usize = 1 << 20;

    /// Checks the limits and that what has a rhythm falls on ticks.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        if self.tick == Nanos(0) {
            return Err("tick = 0 ns: time would stand still".to_owned());
        }
        if self.gap_max < self.tick {
            return Err(format!("gap_max = {} ns is less than a tick", self.gap_max.0));
        }
        let limits = [
            ("feedback_max", self.feedback_max),
            ("control_max", self.control_max),
            ("depth_walk_max", self.depth_walk_max),
            ("liquidations_max", self.liquidations_max),
        ];
        for (name, value) in limits {
            if !(1..=Self::LIMIT_MOST).contains(&value) {
                return Err(format!("{name} = {value} is not in 1 to {}", Self::LIMIT_MOST));
            }
        }
        if self.levels > Self::LEVELS_MOST {
            return Err(format!("levels = {} is more than {}", self.levels, Self::LEVELS_MOST));
        }
        let positive = self.depth_bands.iter().all(|band| *band > Bps::ZERO && *band <= BAND_MOST);
        if !positive || !self.depth_bands.is_sorted() {
            return Err(format!(
                "depth_bands = {:?} do not rise within the price",
                self.depth_bands
            ));
        }
        let interval = u64::from(self.bar_interval_s) * Nanos::SECOND;
        if !(1..=DAY_S).contains(&self.bar_interval_s) || !interval.is_multiple_of(self.tick.0) {
            let value = self.bar_interval_s;
            return Err(format!("bar_interval_s = {value} is no multiple of a tick up to a day"));
        }
        self.assumed_touch.map_or(Ok(()), |touch| touch.book.validate())?;
        self.assumed_mark.map_or(Ok(()), |mark| mark.validate(self.tick))
    }
}

impl Default for AssumedTouch {
    /// The rhythm of the exchange's fast depth stream.
    fn default() -> Self {
        Self {
            cadence: Nanos(100 * Nanos::MILLI),
            wait: Nanos(10 * Nanos::SECOND),
            book: AssumedBook::default(),
        }
    }
}

impl AssumedMark {
    fn validate(&self, tick: Nanos) -> Result<(), String> {
        if self.cadence == Nanos(0) || !self.cadence.0.is_multiple_of(tick.0) {
            let value = self.cadence.0;
            return Err(format!("assumed_mark.cadence = {value} ns is no multiple of a tick"));
        }
        if self.max_age < self.cadence {
            let value = self.max_age.0;
            return Err(format!("assumed_mark.max_age = {value} ns is less than the cadence"));
        }
        if self.funding_interval == Nanos(0) {
            return Err("assumed_mark.funding_interval = 0 ns".to_owned());
        }
        Ok(())
    }
}
