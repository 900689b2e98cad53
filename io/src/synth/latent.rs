//! The price that everyone in the market has in mind, and how hurried they are.
//!
//! Waves of some basis points around a centre that is pulled back to the base price; in the burst
//! scenario short storms on top, half of which stays. In `grid-drift` the path is given.

use fusewire_core::market::Side;

use super::Scenario;
use super::drift;
use super::random::Random;

/// Parts of a tick that the latent price is kept in.
const SUBTICKS: i64 = 256;
/// Calm drift per step is at most the base price by this: about half a basis point a second.
const DRIFT_PARTS: i64 = 700_000;
/// Noise per step: the base price by this, but never less than a fifth of a tick.
const NOISE_PARTS: i64 = 3_000_000;
const NOISE_MIN: i64 = SUBTICKS / 5;
/// A wave reaches at most this far from the centre.
const WAVE_BPS: i64 = 8;
/// A storm moves the price by 20 to 60 basis points.
const STORM_BPS: (i64, i64) = (20, 60);
/// Within this time constant a storm covers most of its way, in ms.
const STORM_TAU_MS: i64 = 250;
/// The price stays within this part of the base, whatever the storms add up to.
const RANGE_PARTS: i64 = 5;

/// A sudden move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Storm {
    /// `Buy` when the price rises.
    pub(super) direction: Side,
    started_ms: u64,
    ends_ms: u64,
}

impl Storm {
    /// Time since it broke out.
    pub(super) const fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.started_ms)
    }
}

/// The latent price of one symbol, in parts of a tick.
pub(super) struct Latent {
    scenario: Scenario,
    base: i64,
    centre: i64,
    target: i64,
    fair: i64,
    now_ms: u64,
    wave_ends_ms: u64,
    storm: Option<Storm>,
    next_storm_ms: u64,
}

impl Latent {
    pub(super) fn new(scenario: Scenario, base_ticks: i64, random: &mut Random) -> Self {
        let base = base_ticks * SUBTICKS;
        Self {
            scenario,
            base,
            centre: base,
            target: base,
            fair: base,
            now_ms: 0,
            wave_ends_ms: 0,
            storm: None,
            next_storm_ms: random.millis(8_000, 20_000),
        }
    }

    /// The tick at or below the price: bids belong there or below, asks above.
    pub(super) const fn tick(&self) -> i64 {
        self.fair.div_euclid(SUBTICKS)
    }

    /// The price at 1e-8 for a tick size at 1e-8.
    pub(super) fn price(&self, tick_size: i64) -> i64 {
        let raw = i128::from(self.fair) * i128::from(tick_size) / i128::from(SUBTICKS);
        i64::try_from(raw).unwrap_or(i64::MAX)
    }

    /// Moves on to `now_ms` and tells whether a storm is blowing.
    pub(super) fn advance(&mut self, now_ms: u64, random: &mut Random) -> Option<Storm> {
        let elapsed = i64::try_from(now_ms - self.now_ms).unwrap_or(i64::MAX);
        self.now_ms = now_ms;
        if self.scenario == Scenario::GridDrift {
            // Noise of its own at each step, so that it does not add up and lead off the path.
            let noise = random.bell(self.noise());
            self.fair = drift::price(self.base, now_ms) + noise;
            return None;
        }
        self.storm = self.storm.filter(|storm| now_ms < storm.ends_ms);
        if self.storm.is_none() && now_ms >= self.next_storm_ms {
            self.break_out(random);
        }
        if self.storm.is_none() && now_ms >= self.wave_ends_ms {
            self.start_wave(random);
        }
        let way = self.target - self.fair;
        let drift = match self.storm {
            Some(_) => way * elapsed.min(STORM_TAU_MS) / STORM_TAU_MS,
            None => (way / 32).clamp(-self.base / DRIFT_PARTS, self.base / DRIFT_PARTS),
        };
        let noise = random.bell(self.noise());
        let range = self.base / RANGE_PARTS;
        self.fair = (self.fair + drift + noise).clamp(self.base - range, self.base + range);
        self.storm
    }

    const fn noise(&self) -> i64 {
        let part = self.base / NOISE_PARTS;
        if part > NOISE_MIN { part } else { NOISE_MIN }
    }

    /// The next swell of the calm market.
    fn start_wave(&mut self, random: &mut Random) {
        self.centre += (self.base - self.centre) / 64;
        let reach = self.base / 10_000 * WAVE_BPS;
        self.target = self.centre + random.within(-reach, reach);
        self.wave_ends_ms = self.now_ms + random.millis(5_000, 20_000);
    }

    fn break_out(&mut self, random: &mut Random) {
        if self.scenario != Scenario::Burst {
            return;
        }
        let size = self.base / 10_000 * random.within(STORM_BPS.0, STORM_BPS.1);
        let (direction, signed) =
            if random.chance(50) { (Side::Buy, size) } else { (Side::Sell, -size) };
        self.target = self.fair + signed;
        self.centre += signed / 2;
        let ends_ms = self.now_ms + random.millis(800, 1_800);
        self.storm = Some(Storm { direction, started_ms: self.now_ms, ends_ms });
        self.wave_ends_ms = ends_ms + random.millis(1_000, 4_000);
        self.next_storm_ms = ends_ms + random.millis(15_000, 40_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lowest, highest price in basis points of the base, and number of storms, over ten minutes.
    fn ten_minutes(scenario: Scenario, seed: u64) -> (i64, i64, usize) {
        let mut random = Random::new(seed);
        let mut latent = Latent::new(scenario, 300_000, &mut random);
        let (mut low, mut high, mut storms, mut last) = (i64::MAX, i64::MIN, 0, None);
        for now_ms in (0..600_000).step_by(30) {
            let storm = latent.advance(now_ms, &mut random);
            storms += usize::from(storm.is_some() && storm != last);
            last = storm;
            let bps = (latent.tick() - 300_000) * 10_000 / 300_000;
            (low, high) = (low.min(bps), high.max(bps));
        }
        (low, high, storms)
    }

    #[test]
    fn calm_waves_stay_small_and_storms_move_tenths_of_a_percent() {
        for seed in 0..8 {
            let (low, high, storms) = ten_minutes(Scenario::Calm, seed);
            assert!((-12..=-2).contains(&low) && (2..=12).contains(&high), "{low} {high}");
            assert_eq!(storms, 0);
            let (low, high, storms) = ten_minutes(Scenario::Burst, seed);
            assert!(high - low > 25, "{low} {high}");
            assert!((13..=40).contains(&storms), "{storms}");
        }
    }
}
