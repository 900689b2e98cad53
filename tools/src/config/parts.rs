//! The configuration as each part of the pipeline takes it: sections in their units become types.

use fusewire_core::assumed::AssumedBook;
use fusewire_core::book::BookConfig;
use fusewire_core::sequencer::{AssumedMark, AssumedTouch, Candles, SequencerConfig};
use fusewire_core::units::Nanos;
use fusewire_io::capture::CaptureLimits;
use fusewire_io::gateway::GatewayConfig;
use fusewire_io::manifest::ManifestOptions;
use fusewire_io::venue::paper::{
    PaperConfig, QueueFunction, QueueModel, ReportFaults, SelfTrade, SparseConfig,
};
use fusewire_strategies::stage::AlphaConfig;

use super::number::{micros, millis};
use super::{
    Assume, AssumptionSet, Config, ProfileName, QueueFunctionName, QueueName, SelfTradeName,
    SparseName,
};

/// The session of a replay. Live sessions count up from there.
pub(super) const REPLAY_SESSION: u16 = 1;

impl Config {
    /// Bounds of the books.
    #[must_use]
    pub fn books(&self) -> BookConfig {
        BookConfig {
            window_ticks: self.book.window_ticks,
            far_levels_max: self.book.far_levels_max,
            buffer_frames_max: self.book.buffer_frames_max,
            buffer_levels_max: self.book.buffer_levels_max,
        }
    }

    /// Bounds of the capture readers.
    #[must_use]
    pub fn capture_limits(&self) -> CaptureLimits {
        CaptureLimits {
            line_bytes_max: self.capture.line_bytes_max as usize,
            rest_bytes_max: self.capture.rest_bytes_max as usize,
        }
    }

    /// Thresholds of the manifest.
    #[must_use]
    pub fn manifest_options(&self) -> ManifestOptions {
        ManifestOptions {
            gap_max: millis(self.capture.gap_max_ms),
            clock_offset_note: millis(self.capture.clock_offset_note_ms),
        }
    }

    /// Clock, bounds and derived messages of the sequencer; `levels` is what strategies ask for.
    #[must_use]
    pub fn sequencer_config(&self, levels: u8) -> SequencerConfig {
        SequencerConfig {
            tick: millis(self.clock.tick_ms),
            gap_max: millis(self.capture.gap_max_ms),
            feedback_max: self.stream.feedback_max as usize,
            control_max: self.stream.control_max as usize,
            levels,
            depth_bands: [self.stream.depth_band_near_bp, self.stream.depth_band_far_bp],
            depth_walk_max: self.stream.depth_walk_max as usize,
            liquidations_max: self.stream.liquidations_max as usize,
            ticker_lead_max: millis(self.stream.ticker_lead_max_ms),
            bar_interval_s: self.clock.bar_s,
            assumed_mark: self.assumed_mark(),
            assumed_touch: self.assumed_touch(),
            candles: match self.assume.sparse {
                SparseName::Conservative => Candles::Told,
                SparseName::Off => Candles::Ignored,
            },
        }
    }

    /// The touch that is assumed where there is no book; none when nothing is.
    pub(crate) fn assumed_touch(&self) -> Option<AssumedTouch> {
        match (self.assume.set, self.assume.sparse) {
            (AssumptionSet::None, _) | (_, SparseName::Off) => None,
            (AssumptionSet::Calm, SparseName::Conservative) => Some(AssumedTouch {
                cadence: millis(self.assume.touch_cadence_ms),
                wait: millis(self.assume.book_wait_ms),
                book: self.assumed_book(),
            }),
        }
    }

    fn assumed_book(&self) -> AssumedBook {
        let Assume { spread_bp: spread, depth_notional, depth_band_age_max_ms, .. } = self.assume;
        AssumedBook { spread, depth_notional, depth_band_age_max: millis(depth_band_age_max_ms) }
    }

    fn assumed_mark(&self) -> Option<AssumedMark> {
        match self.assume.set {
            AssumptionSet::None => None,
            AssumptionSet::Calm => Some(AssumedMark {
                cadence: millis(self.assume.mark_cadence_ms),
                max_age: millis(self.assume.mark_age_max_ms),
                funding_rate: self.assume.funding_rate,
                funding_interval: Nanos(
                    u64::from(self.assume.funding_interval_h) * 3_600 * Nanos::SECOND,
                ),
            }),
        }
    }

    /// Bounds of the strategies' harness.
    #[must_use]
    pub fn alpha_config(&self) -> AlphaConfig {
        AlphaConfig {
            session: REPLAY_SESSION,
            seed: self.run.seed,
            intents_max: self.alpha.intents_max as usize,
            inflight_max: self.alpha.inflight_max,
            orders_max: self.paper.orders_max as usize,
            closed_max: self.alpha.closed_max as usize,
            arrival_max: millis(self.latency.receive_window_ms),
            warm_up: Nanos(u64::from(self.run.warm_up_s) * Nanos::SECOND),
        }
    }

    /// Limits of the gateway.
    #[must_use]
    pub fn gateway_config(&self) -> GatewayConfig {
        GatewayConfig {
            local_reject_delay: micros(self.latency.local_reject_us),
            feedback_outbox_max: self.stream.feedback_max as usize,
        }
    }

    /// The paper venue.
    #[must_use]
    pub fn paper_config(&self) -> PaperConfig {
        PaperConfig {
            order_latency: micros(self.latency.order_us),
            response_latency: micros(self.latency.response_us),
            jitter: micros(self.latency.jitter_us),
            seed: self.run.seed,
            // What is wrong with these two is told by `part_faults` before anybody takes them.
            latencies: self.latency.latencies().unwrap_or_default(),
            fee_tiers: self.fees.fee_tiers().unwrap_or_default(),
            fees: self.fees.schedule(),
            queue: self.queue_model(),
            self_trade: self.self_trade(),
            sparse: SparseConfig {
                book: self.assumed_book(),
                bar_volume_share: self.assume.bar_volume_share,
            },
            orders_max: self.paper.orders_max as usize,
            requests_max: self.paper.requests_max as usize,
            closed_max: self.paper.closed_max as usize,
            consumed_levels_max: self.paper.consumed_levels_max as usize,
            faults: ReportFaults {
                lose_ppm: self.paper.lose_ppm,
                repeat_ppm: self.paper.repeat_ppm,
                delay_ppm: self.paper.delay_ppm,
                delay: millis(self.paper.delay_ms),
            },
            arrival_max: millis(self.latency.receive_window_ms),
            conditional_max: self.paper.conditional_max as usize,
            balance: self.account.balance,
            leverage: self.margin.leverage,
            liquidation_fee: self.margin.liquidation_fee,
            adl_ppm: self.margin.adl_ppm,
            misbehaviour: self.misbehaviour.misbehaviour().unwrap_or_default(),
        }
    }

    fn self_trade(&self) -> SelfTrade {
        match self.paper.self_trade {
            SelfTradeName::ExpireMaker => SelfTrade::ExpireMaker,
            SelfTradeName::ExpireTaker => SelfTrade::ExpireTaker,
            SelfTradeName::ExpireBoth => SelfTrade::ExpireBoth,
        }
    }

    fn queue_model(&self) -> QueueModel {
        match self.paper.queue {
            QueueName::TradesOnly => QueueModel::TradesOnly,
            QueueName::RiskAverse => QueueModel::RiskAverse,
            QueueName::Probabilistic => {
                QueueModel::Probabilistic(match self.paper.queue_function {
                    QueueFunctionName::Power => QueueFunction::Power(self.paper.queue_power),
                    QueueFunctionName::Log => QueueFunction::Log,
                })
            }
        }
    }

    /// Every fault that the parts find in their configuration: the sections that hold the field, and a
    /// text that begins with the field's name.
    pub(super) fn part_faults(&self) -> Vec<(&'static [&'static str], String)> {
        let risk = |profile: ProfileName| {
            let sections: &[&str] = match profile {
                ProfileName::Default => {
                    &["limits_default", "ledger", "risk", "account", "latency", "alpha"]
                }
                ProfileName::Bench => {
                    &["limits_bench", "ledger", "risk", "account", "latency", "alpha"]
                }
            };
            (sections, self.risk_config_of(profile).validate())
        };
        let power = QueueModel::Probabilistic(QueueFunction::Power(self.paper.queue_power));
        let found: [(&'static [&'static str], Result<(), String>); 11] = [
            (&["clock", "capture", "stream", "assume"], self.sequencer_config(0).validate()),
            (&["alpha", "paper", "latency"], self.alpha_config().validate()),
            (&["latency", "stream"], self.gateway_config().validate()),
            (&["latency"], self.latency.latencies().map(drop)),
            (&["fees"], self.fees.fee_tiers().map(drop)),
            (&["misbehaviour"], self.misbehaviour.misbehaviour().map(drop)),
            (&["latency", "fees", "paper", "margin", "assume"], self.paper_config().validate()),
            // Also where the model in force does not ask for it.
            (&["paper"], power.validate()),
            (&["quoter", "taker", "grid", "smart_trend"], self.strategy_config().validate()),
            risk(ProfileName::Default),
            risk(ProfileName::Bench),
        ];
        found.into_iter().filter_map(|(s, result)| result.err().map(|what| (s, what))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_parts() {
        let config = Config::default();
        let assumed_mark = Some(AssumedMark::default());
        let assumed_touch = Some(AssumedTouch::default());
        let sequencer =
            SequencerConfig { assumed_mark, assumed_touch, ..SequencerConfig::default() };
        assert_eq!(config.sequencer_config(0), sequencer);
        assert_eq!(config.alpha_config(), AlphaConfig::default());
        assert_eq!(config.gateway_config(), GatewayConfig::default());
        let seed = config.run.seed;
        assert_eq!(config.paper_config(), PaperConfig { seed, ..PaperConfig::default() });
        assert_eq!(config.part_faults(), []);
    }
}
