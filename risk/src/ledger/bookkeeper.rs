//! The ledger with the orders behind it, for who has nothing but the stream: observers and reports.

use fusewire_core::event::{Body, Event};
use fusewire_core::order::{Intent, RejectedBy, StrategyId};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig};
use fusewire_core::units::Nanos;

use super::{Ledger, LedgerConfig, Row};

/// Orders, positions and ledger, folded from a journal.
#[derive(Clone, Debug)]
pub struct Bookkeeper {
    portfolio: Portfolio,
    ledger: Ledger,
}

impl Bookkeeper {
    /// Nothing yet.
    ///
    /// # Panics
    /// When `closed_max` is 0.
    #[must_use]
    pub fn new(config: &LedgerConfig) -> Self {
        let mut strategies = config.strategies.clone();
        strategies.push(StrategyId::RISK);
        let portfolio = Portfolio::new(PortfolioConfig {
            instruments: config.instruments,
            strategies,
            orders_max: config.orders_max,
            closed_max: config.closed_max,
            arrival_max: config.arrival_max,
        });
        Self { portfolio, ledger: Ledger::new(config) }
    }

    /// Takes an intent that risk approved, behind the event that caused it.
    pub fn approved(&mut self, intent: &Intent, now: Nanos) {
        // What risk could track can be tracked here; an observer has nobody to tell otherwise.
        let _ = self.portfolio.track(intent, now);
        self.ledger.approved(intent);
    }

    /// Takes the next event; `rows` gets what the ledger tells.
    pub fn apply(&mut self, event: &Event, rows: &mut Vec<Row>) {
        if let Body::Rejected(rejection) = &event.body
            && rejection.by == RejectedBy::Gateway
        {
            self.portfolio.reject(rejection);
        }
        self.ledger.apply(event, &mut self.portfolio, &mut |row| rows.push(row));
    }

    /// The books.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Orders and positions.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }
}
