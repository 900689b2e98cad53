//! The sections of the configuration as they stand in the file. Keys end in their unit.

use fusewire_core::units::{Bps, Rate, Usd};
use serde::{Deserialize, Serialize};

use super::life::LifeEntry;
use super::number::{bps, rate, text, usd, whole, whole_text};

/// `[run]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Names of the strategies, separated by commas.
    pub strategy: String,
    /// Seed of all hashed jitter.
    #[serde(deserialize_with = "whole", serialize_with = "whole_text")]
    pub seed: u64,
    /// How long strategies see and do not send, in seconds.
    pub warm_up_s: u32,
}

/// `[universe]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UniverseSection {
    /// Report keys, in the order of their numbers.
    pub symbols: Vec<String>,
    /// Report keys that may be traded; empty for every USD-M perpetual.
    pub tradable: Vec<String>,
    /// Listing and delisting of symbols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub life: Vec<LifeEntry>,
}

/// `[capture]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureSection {
    /// Silence that counts as a gap, in ms.
    pub gap_max_ms: u32,
    /// Clock offset worth a note, in ms.
    pub clock_offset_note_ms: u32,
    /// Longest line, in bytes.
    pub line_bytes_max: u32,
    /// REST answers held back, in bytes.
    pub rest_bytes_max: u32,
}

/// `[book]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BookSection {
    /// Fast ladder, in ticks.
    pub window_ticks: u32,
    /// Levels beyond it, per side.
    pub far_levels_max: u32,
    /// Frames that wait for a snapshot.
    pub buffer_frames_max: u32,
    /// Levels in them.
    pub buffer_levels_max: u32,
}

/// `[clock]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Between two ticks, in ms.
    pub tick_ms: u32,
    /// Length of bars, in seconds.
    pub bar_s: u32,
}

/// `[stream]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Half-width of the near band.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub depth_band_near_bp: Bps,
    /// Half-width of the far band.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub depth_band_far_bp: Bps,
    /// Levels a side that are looked at.
    pub depth_walk_max: u32,
    /// Feedback that waits.
    pub feedback_max: u32,
    /// Commands that wait.
    pub control_max: u32,
    /// How long a ticker may stay ahead of the book, in ms.
    pub ticker_lead_max_ms: u32,
    /// Liquidations remembered per symbol.
    pub liquidations_max: u32,
}

/// `[ring]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Messages on each ring.
    pub messages: u32,
    /// Levels on rings of book frames.
    pub levels: u32,
}

/// `[account]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Opening balance.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub balance: Usd,
}

/// `[ledger]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerSection {
    /// Difference from the venue's wallet that is an alert.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub drift_alert: Usd,
    /// Difference at which new risk is refused.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub drift_block: Usd,
}

/// `[alpha]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Alpha {
    /// Intents at one event.
    pub intents_max: u32,
    /// Intents without an answer.
    pub inflight_max: u32,
    /// Finished orders remembered.
    pub closed_max: u32,
}

/// `[paper]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Orders held.
    pub orders_max: u32,
    /// Requests on their way.
    pub requests_max: u32,
    /// Finished orders remembered.
    pub closed_max: u32,
    /// Consumed levels remembered.
    pub consumed_levels_max: u32,
    /// What moves the queue before a resting order.
    pub queue: QueueName,
    /// How likely a decrease lay before it, in the probabilistic model.
    pub queue_function: QueueFunctionName,
    /// The power of that function.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub queue_power: Rate,
    /// Who ends before the account trades with itself.
    pub self_trade: SelfTradeName,
    /// Reports lost, per million.
    pub lose_ppm: u32,
    /// Reports sent twice, per million.
    pub repeat_ppm: u32,
    /// Reports delayed, per million.
    pub delay_ppm: u32,
    /// By how much, in ms.
    pub delay_ms: u32,
    /// Conditional orders held.
    pub conditional_max: u32,
}

impl Paper {
    /// The queue model, for reports.
    #[must_use]
    pub fn describe_queue(&self) -> String {
        match (self.queue, self.queue_function) {
            (QueueName::TradesOnly, _) => "moved by trades only".to_owned(),
            (QueueName::RiskAverse, _) => {
                "moved by trades, never longer than what is displayed".to_owned()
            }
            (QueueName::Probabilistic, QueueFunctionName::Power) => {
                format!("probabilistic, power {}", self.queue_power)
            }
            (QueueName::Probabilistic, QueueFunctionName::Log) => "probabilistic, log".to_owned(),
        }
    }
}

/// The queue models.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueName {
    /// Only trades at the price.
    TradesOnly,
    /// Also what the level displays.
    RiskAverse,
    /// Also a share of what leaves without a trade.
    Probabilistic,
}

/// The functions of the probabilistic queue model.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueFunctionName {
    /// A power of the quantity.
    Power,
    /// The logarithm of one more than the quantity.
    Log,
}

/// The modes of self-trade prevention.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfTradeName {
    /// Own orders that rest.
    ExpireMaker,
    /// The order that comes.
    ExpireTaker,
    /// Both.
    ExpireBoth,
}

/// `[assume]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Assume {
    /// Name of the set.
    pub set: AssumptionSet,
    /// Between two assumed marks, in ms.
    pub mark_cadence_ms: u32,
    /// Age of the trades behind one, in ms.
    pub mark_age_max_ms: u32,
    /// Funding rate of an assumed mark.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub funding_rate: Rate,
    /// Hours between two charges.
    pub funding_interval_h: u32,
    /// What is made of symbols without a book.
    pub sparse: SparseName,
    /// How long a symbol may still turn out to have a book, in ms.
    pub book_wait_ms: u32,
    /// Between two assumed touches, in ms.
    pub touch_cadence_ms: u32,
    /// Spread of an assumed book.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub spread_bp: Bps,
    /// What stands on each of its sides.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub depth_notional: Usd,
    /// Age of a band of depth up to which it bounds that, in ms.
    pub depth_band_age_max_ms: u32,
    /// Share of a bar's volume that own orders may have.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub bar_volume_share: Rate,
}

/// What is made of symbols without a book.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SparseName {
    /// Candles are bars, and a touch is assumed around the last price.
    Conservative,
    /// Nothing, as before there was a choice.
    Off,
}

/// The named assumption sets.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AssumptionSet {
    /// Nothing unusual happens.
    Calm,
    /// Nothing is assumed: checks that need what the capture lacks reject.
    None,
}

impl AssumptionSet {
    /// The name in configuration and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::None => "none",
        }
    }
}
