//! What a synthetic capture is made from, and the limits of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use fusewire_core::instrument::{self, Instrument};
use fusewire_core::units::{Nanos, Px};
use thiserror::Error;

use super::contract;

/// Longest capture: one day.
const MINUTES_MAX: u32 = 1_440;
/// Most symbols in one capture.
const INSTRUMENTS_MAX: usize = 64;
/// 2026-01-05 00:00 UTC, a Monday.
const START_DEFAULT: Nanos = Nanos(1_767_571_200 * Nanos::SECOND);
/// 2100-01-01: past that, times in ns come near the end of `u64`.
const START_MAX: Nanos = Nanos(4_102_444_800 * Nanos::SECOND);

/// The weather of a synthetic market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Narrow spread, slow waves of some basis points, about one liquidation a minute.
    #[default]
    Calm,
    /// Calm, broken every 15 to 40 s by a move of some tenths of a percent within a second or two,
    /// with liquidations, wide spreads and hundreds of frames in 100 ms.
    Burst,
    /// Two swings of 4.5 bp around the base in the first 51 s, then a fall by 64 bp within a minute that is
    /// not made good: what leaves a grid with all that it bought. No storms.
    GridDrift,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Burst, Self::GridDrift];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Burst => "burst",
            Self::GridDrift => "grid-drift",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == text)
            .ok_or_else(|| format!("unknown scenario '{text}' (calm, burst or grid-drift)"))
    }
}

/// Why no capture can be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SynthError {
    /// The options are out of bounds; the text says which and how.
    #[error("{0}")]
    Options(String),
}

/// What to make. The default is two calm minutes of BTCUSDT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Kind of market.
    pub scenario: Scenario,
    /// Every seed is another market.
    pub seed: u64,
    /// Length of market time, 1 to 1440.
    pub minutes: u32,
    /// Exchange time of the first frame, on a whole second.
    pub start: Nanos,
    /// 1 to 64 USD-M contracts with a tick, each once.
    pub instruments: Vec<Instrument>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenario: Scenario::default(),
            seed: 42,
            minutes: 2,
            start: START_DEFAULT,
            instruments: instrument::common(instrument::Market::UsdM, "BTCUSDT")
                .into_iter()
                .collect(),
        }
    }
}

impl Options {
    /// Checks every limit that the fields name.
    ///
    /// # Errors
    /// The first limit that does not hold, as a sentence for people.
    pub fn validate(&self) -> Result<(), String> {
        if !(1..=MINUTES_MAX).contains(&self.minutes) {
            return Err(format!("{} minutes, allowed are 1 to {MINUTES_MAX}", self.minutes));
        }
        if !self.start.0.is_multiple_of(Nanos::SECOND) || self.start > START_MAX {
            return Err("the start must be a whole second before the year 2100".to_owned());
        }
        if !(1..=INSTRUMENTS_MAX).contains(&self.instruments.len()) {
            let count = self.instruments.len();
            return Err(format!("{count} instruments, allowed are 1 to {INSTRUMENTS_MAX}"));
        }
        let mut seen = BTreeSet::new();
        self.instruments.iter().try_for_each(|instrument| {
            if !seen.insert(&instrument.symbol) {
                return Err(format!("{} is listed twice", instrument.symbol));
            }
            check(instrument).map_err(|why| format!("{}: {why}", instrument.symbol))
        })
    }
}

/// Whether frames of the instrument can be written at all.
fn check(instrument: &Instrument) -> Result<(), &'static str> {
    let unsafe_in_json = |c: char| matches!(c, '"' | '\\') || c.is_control();
    if instrument.symbol.is_empty() || instrument.symbol.contains(unsafe_in_json) {
        return Err("not a symbol");
    }
    if instrument.market != instrument::Market::UsdM {
        return Err("only USD-M contracts can be synthesised");
    }
    let tick = instrument.tick.filter(|&tick| tick > Px::ZERO).ok_or("no tick size")?;
    let step = instrument.lot.step;
    if step.0 <= 0 || step > instrument.lot.max {
        return Err("no lot step, or one above the largest lot");
    }
    if !printable(tick.0, instrument.price_places) || !printable(step.0, instrument.qty_places) {
        return Err("the tick or the lot step has more decimals than the exchange prints");
    }
    contract::base_ticks(instrument, tick).map(|_| ()).ok_or("the tick is too coarse")
}

/// Whether a value at 1e-8 survives being cut to `places` decimals.
fn printable(raw: i64, places: u32) -> bool {
    let cut = fusewire_core::units::DECIMALS.saturating_sub(places);
    raw % 10_i64.pow(cut) == 0
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::{Market, common};
    use fusewire_core::units::Qty;

    use super::*;

    /// The refusal after one change to good options with one instrument.
    fn refusal(change: impl FnOnce(&mut Options)) -> String {
        let mut options = Options::default();
        assert_eq!(options.validate(), Ok(()));
        change(&mut options);
        options.validate().unwrap_err()
    }

    #[test]
    fn limits_are_named() {
        assert!(refusal(|o| o.minutes = 0).contains("0 minutes"));
        assert!(refusal(|o| o.minutes = 1_441).contains("1441 minutes"));
        assert!(refusal(|o| o.start.0 += 1).contains("whole second"));
        assert!(refusal(|o| o.start.0 = u64::MAX / Nanos::SECOND * Nanos::SECOND).contains("2100"));
        assert!(refusal(|o| o.instruments.clear()).contains("0 instruments"));
        assert!(refusal(|o| o.instruments.extend_from_within(..)).contains("listed twice"));
        let many = |o: &mut Options| {
            let base = o.instruments[0].clone();
            let named = |n| Instrument { symbol: format!("C{n}USDT"), ..base.clone() };
            o.instruments = (0..65).map(named).collect();
        };
        assert!(refusal(many).contains("65 instruments"));
    }

    #[test]
    fn instruments_that_can_not_be_written_are_refused() {
        let on = |change: fn(&mut Instrument)| refusal(|o| change(&mut o.instruments[0]));
        assert!(on(|i| i.tick = None).contains("BTCUSDT: no tick"));
        assert!(on(|i| i.tick = Some(Px::ZERO)).contains("no tick"));
        assert!(on(|i| i.tick = Some(Px(i64::MAX))).contains("decimals"));
        assert!(on(|i| i.tick = Some(Px(4_000_000_000_000_000_000))).contains("coarse"));
        assert!(on(|i| i.lot.step = Qty::ZERO).contains("no lot step"));
        assert!(on(|i| i.price_places = 0).contains("decimals"));
        assert!(on(|i| i.qty_places = 2).contains("decimals"));
        assert!(on(|i| i.symbol = "BTC\"".to_owned()).contains("not a symbol"));
        let spot =
            |o: &mut Options| o.instruments = common(Market::Spot, "BTCUSDT").into_iter().collect();
        assert!(refusal(spot).contains("only USD-M"));
    }

    #[test]
    fn scenario_names_round_trip() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        assert!("storm".parse::<Scenario>().unwrap_err().contains("calm, burst or grid-drift"));
    }
}
