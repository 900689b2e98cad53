//! What is measured of the account while a run goes on, beside the risk stage and without a journal: returns, drawdown,
//! days, how late bars are, and how long new risk was blocked.
//!
//! A run and its repetition are looked at behind the same events, whoever runs the stages. Memory is taken at start.

mod days;
mod equity;
mod lateness;
mod sharpe;
mod statistics;
mod uptime;

pub use days::Days;
pub use equity::Equity;
pub use lateness::Lateness;
pub use sharpe::{Sharpe, WINDOW_DAYS};
pub use statistics::Moments;
pub use uptime::Uptime;

use fusewire_core::kill::Level;
use fusewire_core::units::Nanos;
use fusewire_risk::RiskStage;

use crate::config::Config;

/// Length of the periods whose returns are summed up where no other one is asked for, in seconds of event time: an hour
/// of a recording gives 60 of them.
pub const PERIOD_S: u32 = 60;

/// Measures one run.
#[derive(Clone, Debug)]
pub struct Meter {
    equity: Equity,
    days: Days,
    late: Lateness,
    uptime: Uptime,
    /// Intents of strategies that were seen.
    intents: u64,
    warm_up: Nanos,
    /// When the warm-up is over, in which nobody could trade; not known before the first event.
    trades_from: Option<Nanos>,
}

impl Meter {
    /// Looks at equity each `clock.tick_ms` of event time for the drawdown, and each `period` for a return.
    #[must_use]
    pub fn new(config: &Config, period: Nanos) -> Self {
        let look_every = Nanos(u64::from(config.clock.tick_ms) * Nanos::MILLI);
        Self {
            equity: Equity::new(look_every, period),
            days: Days::default(),
            late: Lateness::default(),
            uptime: Uptime::default(),
            intents: 0,
            warm_up: Nanos(u64::from(config.run.warm_up_s) * Nanos::SECOND),
            trades_from: None,
        }
    }

    /// The stage has handled a message: mostly a few comparisons, and now and then a look at the account.
    pub fn look(&mut self, risk: &RiskStage) {
        let now = risk.now();
        if now >= *self.trades_from.get_or_insert_with(|| now.after(self.warm_up)) {
            self.uptime.look(now, risk.level() >= Level::NoNewRisk);
            self.days.look(now, || risk.ledger().traded_equity());
        }
        let intents = risk.counts().intents;
        if intents > self.intents {
            self.intents = intents;
            if let Some(close) = risk.bar_close() {
                self.late.add(now, close);
            }
        }
        self.equity.look(now, || risk.ledger().traded_equity());
    }

    /// The run is over.
    pub fn end(&mut self, risk: &RiskStage) {
        let equity = risk.ledger().traded_equity();
        self.equity.end(equity);
        self.days.end(risk.now(), equity);
    }

    /// Returns and drawdown.
    #[must_use]
    pub fn equity(&self) -> &Equity {
        &self.equity
    }

    /// The rolling Sharpe ratio of daily returns.
    #[must_use]
    pub fn sharpe(&self) -> &Sharpe {
        self.days.sharpe()
    }

    /// How long after the close of a bar strategies decided on it.
    #[must_use]
    pub fn late(&self) -> &Lateness {
        &self.late
    }

    /// The time in which new risk was allowed.
    #[must_use]
    pub fn uptime(&self) -> &Uptime {
        &self.uptime
    }
}
