//! The strategies that can be named on the command line and in configuration: a closed set, one line each.

use fusewire_core::event::Event;
use thiserror::Error;

use crate::grid::{Grid, GridConfig};
use crate::noop::Noop;
use crate::quoter::{Quoter, QuoterConfig};
use crate::smart_trend::{SmartTrend, SmartTrendConfig};
use crate::strategy::{Orders, Strategy, View};
use crate::taker::{Taker, TakerConfig};

/// Parameters of all strategies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrategyConfig {
    /// Of `grid`.
    pub grid: GridConfig,
    /// Of `quoter`.
    pub quoter: QuoterConfig,
    /// Of `smart-trend`.
    pub smart_trend: SmartTrendConfig,
    /// Of `taker`.
    pub taker: TakerConfig,
}

impl StrategyConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        self.grid.validate().map_err(|error| format!("grid.{error}"))?;
        self.quoter.validate().map_err(|error| format!("quoter.{error}"))?;
        self.smart_trend.validate().map_err(|error| format!("smart_trend.{error}"))?;
        self.taker.validate().map_err(|error| format!("taker.{error}"))
    }
}

/// A name that no strategy has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown strategy '{0}' (known: {known})", known = NAMES.join(", "))]
pub struct UnknownStrategy(String);

/// Makes the closed set: `"name" => Type(how to make it from the configuration)`.
macro_rules! strategies {
    ($($(#[$doc:meta])* $name:literal => $strategy:ident($make:expr)),+ $(,)?) => {
        /// Names of all strategies, in registry order.
        pub const NAMES: [&str; [$($name),+].len()] = [$($name),+];

        /// A strategy of the closed set: dispatch is a `match`, not a virtual call.
        #[derive(Debug)]
        pub enum AnyStrategy {
            $($(#[$doc])* $strategy($strategy),)+
        }

        impl AnyStrategy {
            /// The strategy of that name.
            ///
            /// # Errors
            /// No strategy has that name.
            ///
            /// # Panics
            /// When its part of the configuration is not valid, see `StrategyConfig::validate`.
            pub fn by_name(name: &str, config: &StrategyConfig) -> Result<Self, UnknownStrategy> {
                match name {
                    $($name => {
                        let make: fn(&StrategyConfig) -> $strategy = $make;
                        Ok(Self::$strategy(make(config)))
                    })+
                    _ => Err(UnknownStrategy(name.to_owned())),
                }
            }

            /// The name in the registry.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$strategy(_) => $name,)+
                }
            }
        }

        impl Strategy for AnyStrategy {
            fn start(&mut self, view: &View<'_>) {
                match self {
                    $(Self::$strategy(strategy) => strategy.start(view),)+
                }
            }

            fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
                match self {
                    $(Self::$strategy(strategy) => strategy.on_event(event, view, orders),)+
                }
            }

            fn levels(&self) -> u8 {
                match self {
                    $(Self::$strategy(strategy) => strategy.levels(),)+
                }
            }

            fn foreign_bars(&self) -> u64 {
                match self {
                    $(Self::$strategy(strategy) => strategy.foreign_bars(),)+
                }
            }
        }
    };
}

strategies! {
    /// Sends nothing.
    "noop" => Noop(|_| Noop),
    /// Quotes both sides.
    "quoter" => Quoter(|config| Quoter::new(&config.quoter)),
    /// Takes on imbalance.
    "taker" => Taker(|config| Taker::new(&config.taker)),
    /// Pairs fills on a grid.
    "grid" => Grid(|config| Grid::new(&config.grid)),
    /// Follows trends of bars.
    "smart-trend" => SmartTrend(|config| SmartTrend::new(&config.smart_trend)),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_resolves_to_the_strategy_of_that_name() {
        for name in NAMES {
            let strategy = AnyStrategy::by_name(name, &StrategyConfig::default()).unwrap();
            assert_eq!(strategy.name(), name);
        }
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len(), "a name is given twice");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = AnyStrategy::by_name("martingale", &StrategyConfig::default()).unwrap_err();
        let text = error.to_string();
        assert_eq!(
            text,
            "unknown strategy 'martingale' (known: noop, quoter, taker, grid, smart-trend)"
        );
    }

    #[test]
    fn what_a_strategy_asks_for_comes_through_the_match() {
        let levels = NAMES
            .map(|name| AnyStrategy::by_name(name, &StrategyConfig::default()).unwrap().levels());
        assert_eq!(levels, [0, 0, 5, 0, 0]);
    }

    #[test]
    fn a_bad_parameter_is_named_with_its_strategy() {
        assert_eq!(StrategyConfig::default().validate(), Ok(()));
        let mut config = StrategyConfig::default();
        config.taker.confirm = 0;
        let error = config.validate().unwrap_err();
        assert!(error.starts_with("taker.confirm"), "{error}");
    }
}
