//! What the paper venue assumes, and its bounds.

use fusewire_core::contract::FeeSchedule;
use fusewire_core::units::{Nanos, ONE, Rate, Usd};

use super::fees::FeeTiers;
use super::latency::Latencies;
use super::misbehave::Misbehaviour;
use super::queue::QueueModel;
use super::self_trade::SelfTrade;
use super::sparse::SparseConfig;

/// Parts in a million.
pub(super) const PPM: u32 = 1_000_000;

/// Faults that are put into the stream of reports and statuses on purpose. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportFaults {
    /// Share of messages that are lost, in millionths.
    pub lose_ppm: u32,
    /// Share of messages that come twice, in millionths.
    pub repeat_ppm: u32,
    /// Share of messages that come late and out of order, in millionths.
    pub delay_ppm: u32,
    /// How late.
    pub delay: Nanos,
}

/// What the paper venue assumes, and its bounds. All memory is taken at construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperConfig {
    /// From the gateway to the venue, least. Default 5 ms; above zero.
    pub order_latency: Nanos,
    /// From the venue back, least. Default 5 ms; above zero.
    pub response_latency: Nanos,
    /// What each way may take longer: 0 to this, by a hash. Default 2 ms.
    pub jitter: Nanos,
    /// Latencies of single legs in the place of those two. Default none.
    pub latencies: Latencies,
    /// Seed of jitter and faults. Default 0.
    pub seed: u64,
    /// Fees as shares of the notional. Default maker 0.0002, taker 0.0005 (the exchange's base tier).
    pub fees: FeeSchedule,
    /// Fees from a traded volume on. Default none.
    pub fee_tiers: FeeTiers,
    /// What moves the queue before a resting order. Default [`QueueModel::RiskAverse`].
    pub queue: QueueModel,
    /// Who ends before an account trades with itself. Default [`SelfTrade::ExpireMaker`].
    pub self_trade: SelfTrade,
    /// What is assumed of symbols without a book.
    pub sparse: SparseConfig,
    /// Open orders. Default 1,024.
    pub orders_max: usize,
    /// Requests on their way. Default 4,096.
    pub requests_max: usize,
    /// Finished orders that are remembered. Default 65,536; at least `requests_max`.
    pub closed_max: usize,
    /// Book levels of which something was taken. Default 16,384.
    pub consumed_levels_max: usize,
    /// Faults on the way back. Default none.
    pub faults: ReportFaults,
    /// A request that gets in later than this after it was sent is lost (`recvWindow`). Default 5 s.
    pub arrival_max: Nanos,
    /// Conditional orders that wait, all symbols. Default 200: the exchange's bound since 2025-12-29.
    pub conditional_max: usize,
    /// Opening balance of the account, in USD. Default 10,000.
    pub balance: Usd,
    /// Leverage at which the exchange lets the account open, which is what margin is asked by. Default 20: what a
    /// symbol has before it is changed.
    pub leverage: u32,
    /// The exchange's fee on what it liquidates, a share of its notional. Default 0.0125 (`liquidationFee` of
    /// BTCUSDT in `exchangeInfo`).
    pub liquidation_fee: Rate,
    /// Share of forced orders on the tape that are covered by this account's opposite position, if it has one in
    /// profit, in millionths. Default 0.
    pub adl_ppm: u32,
    /// What the venue does wrong on purpose. Default nothing.
    pub misbehaviour: Misbehaviour,
}

impl Default for PaperConfig {
    fn default() -> Self {
        Self {
            order_latency: Nanos(5 * Nanos::MILLI),
            response_latency: Nanos(5 * Nanos::MILLI),
            jitter: Nanos(2 * Nanos::MILLI),
            latencies: Latencies::default(),
            seed: 0,
            fees: FeeSchedule::default(),
            fee_tiers: FeeTiers::default(),
            queue: QueueModel::default(),
            self_trade: SelfTrade::default(),
            sparse: SparseConfig::default(),
            orders_max: 1_024,
            requests_max: 4_096,
            closed_max: 65_536,
            consumed_levels_max: 16_384,
            faults: ReportFaults::default(),
            arrival_max: Nanos(5 * Nanos::SECOND),
            conditional_max: 200,
            balance: Usd(10_000 * ONE),
            leverage: 20,
            liquidation_fee: Rate(12_500_000_000),
            adl_ppm: 0,
            misbehaviour: Misbehaviour::default(),
        }
    }
}

impl PaperConfig {
    /// Highest value of each bound, against a slip that takes all memory.
    pub const LIMIT_MOST: usize = 1 << 20;

    /// Checks the values.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        for (name, span) in
            [("order_latency", self.order_latency), ("response_latency", self.response_latency)]
        {
            if span == Nanos(0) {
                return Err(format!("{name} is zero: what the venue does comes after its cause"));
            }
        }
        let slowest = self.order_latency.0.checked_add(self.jitter.0);
        if slowest.is_none_or(|slowest| slowest > self.arrival_max.0) {
            return Err("arrival_max is below order_latency + jitter: nothing would arrive".into());
        }
        self.latencies.validate(self.jitter, self.arrival_max)?;
        for (name, value) in [
            ("orders_max", self.orders_max),
            ("requests_max", self.requests_max),
            ("closed_max", self.closed_max),
            ("consumed_levels_max", self.consumed_levels_max),
            ("conditional_max", self.conditional_max),
        ] {
            if !(1..=Self::LIMIT_MOST).contains(&value) {
                return Err(format!("{name} = {value} is not in 1 to {}", Self::LIMIT_MOST));
            }
        }
        let (closed, requests) = (self.closed_max, self.requests_max);
        if closed < requests {
            // Orders that overtake one on its way would push the account's memory beyond its id, and it
            // would silently be taken for a repeated one.
            return Err(format!("closed_max = {closed} is below requests_max = {requests}"));
        }
        self.fees.validate().map_err(|what| format!("fees.{what}"))?;
        self.queue.validate()?;
        if !(1..=125).contains(&self.leverage) {
            return Err(format!("leverage = {} is not in 1 to 125", self.leverage));
        }
        // A tenth, in units of 1e-12.
        if !(0..=100_000_000_000).contains(&self.liquidation_fee.0) {
            return Err(format!("liquidation_fee = {} is not in 0 to 0.1", self.liquidation_fee));
        }
        if self.adl_ppm > PPM {
            return Err(format!("adl_ppm = {} is above {PPM}", self.adl_ppm));
        }
        self.sparse.validate()?;
        let faults = self.faults;
        for (name, ppm) in [
            ("faults.lose_ppm", faults.lose_ppm),
            ("faults.repeat_ppm", faults.repeat_ppm),
            ("faults.delay_ppm", faults.delay_ppm),
        ] {
            if ppm > PPM {
                return Err(format!("{name} = {ppm} is above a million"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::Rate;

    use super::super::latency::Latency;
    use super::*;

    #[test]
    fn errors_name_the_field() {
        let good = PaperConfig::default();
        assert_eq!(good.validate(), Ok(()));
        let lose = ReportFaults { lose_ppm: PPM + 1, ..ReportFaults::default() };
        let repeat = ReportFaults { repeat_ppm: PPM + 1, ..ReportFaults::default() };
        let delay = ReportFaults { delay_ppm: PPM + 1, ..ReportFaults::default() };
        let maker = FeeSchedule { maker: Rate(i64::MIN), ..good.fees };
        let taker = FeeSchedule { taker: Rate(-1), ..good.fees };
        let slow = Some(Latency::Constant(Nanos(4_999_000_001)));
        let slow = Latencies { new: slow, ..Latencies::default() };
        let none = Some(Latency::Constant(Nanos(0)));
        let none = Latencies { fill: none, ..Latencies::default() };
        let share = SparseConfig { bar_volume_share: Rate(0), ..good.sparse };
        let bad = [
            ("bar_volume_share", PaperConfig { sparse: share, ..good }),
            ("order_latency", PaperConfig { order_latency: Nanos(0), ..good }),
            ("response_latency", PaperConfig { response_latency: Nanos(0), ..good }),
            ("arrival_max", PaperConfig { arrival_max: Nanos(6_999_999), ..good }),
            ("arrival_max", PaperConfig { jitter: Nanos(u64::MAX), ..good }),
            ("new_us", PaperConfig { latencies: slow, ..good }),
            ("fill_us", PaperConfig { latencies: none, ..good }),
            ("orders_max", PaperConfig { orders_max: 0, ..good }),
            ("requests_max", PaperConfig { requests_max: usize::MAX, ..good }),
            ("closed_max", PaperConfig { closed_max: 0, ..good }),
            ("closed_max", PaperConfig { requests_max: 9, closed_max: 8, ..good }),
            ("consumed_levels_max", PaperConfig { consumed_levels_max: 0, ..good }),
            ("conditional_max", PaperConfig { conditional_max: 0, ..good }),
            ("fees.maker", PaperConfig { fees: maker, ..good }),
            ("fees.taker", PaperConfig { fees: taker, ..good }),
            ("faults.lose_ppm", PaperConfig { faults: lose, ..good }),
            ("faults.repeat_ppm", PaperConfig { faults: repeat, ..good }),
            ("faults.delay_ppm", PaperConfig { faults: delay, ..good }),
        ];
        for (name, config) in bad {
            assert!(config.validate().is_err_and(|text| text.starts_with(name)), "{config:?}");
        }
    }

    #[test]
    fn as_many_finished_orders_as_requests_are_enough() {
        let least = PaperConfig { requests_max: 8, closed_max: 8, ..PaperConfig::default() };
        assert_eq!(least.validate(), Ok(()));
    }

    /// S2-15: maker 0.0002, taker 0.0005.
    #[test]
    fn s2_15_default_fees() {
        let config = PaperConfig::default();
        assert_eq!(Rate::parse(b"0.0002"), Ok(config.fees.maker));
        assert_eq!(Rate::parse(b"0.0005"), Ok(config.fees.taker));
    }
}
