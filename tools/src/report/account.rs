//! The account at the end: equity, margins, leverage, and where positions would be liquidated.

use fusewire_core::contract::{self, Brackets, Collateral, Holding, Liquidation};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::portfolio::{self, Portfolio, Position};
use fusewire_core::units::{Px, Qty, Rate, Round, Usd, UsdSum};
use serde::Serialize;

/// The account in USDT, at the latest marks. What needs a mark that is missing is absent.
#[derive(Debug, Serialize)]
pub struct AccountReport {
    /// Opening balance.
    pub balance: String,
    /// The ledger's wallet and unrealised profit.
    pub equity: Option<String>,
    /// Sum of all positions without their signs.
    pub notional: Option<String>,
    /// Notional over equity.
    pub leverage: Option<String>,
    /// Margin that the positions need at the leverage that risk and their brackets allow.
    pub initial_margin: Option<String>,
    /// Margin below which the venue liquidates, by the assumed brackets.
    pub maintenance_margin: Option<String>,
    /// Maintenance margin over equity: the venue liquidates at one.
    pub margin_ratio: Option<String>,
}

/// What there is to know of the account.
pub(super) struct Account<'a> {
    portfolio: &'a Portfolio,
    universe: &'a Universe,
    balance: Usd,
    wallet: UsdSum,
    marks: &'a dyn Fn(InstrumentId) -> Option<Px>,
}

impl<'a> Account<'a> {
    pub(super) fn new(
        portfolio: &'a Portfolio,
        universe: &'a Universe,
        (balance, wallet): (Usd, UsdSum),
        marks: &'a dyn Fn(InstrumentId) -> Option<Px>,
    ) -> Self {
        Self { portfolio, universe, balance, wallet, marks }
    }

    /// The account at the leverage that is allowed.
    pub(super) fn report(&self, leverage_max: u32) -> AccountReport {
        let equity = self.equity();
        let notional = self.sum(|id, position| self.notional(id, position));
        let maintenance = self.sum(|id, position| self.maintenance(id, position));
        let over_equity = |part: Option<UsdSum>, of: fn(UsdSum, UsdSum) -> Option<Rate>| {
            part.zip(equity).and_then(|(part, equity)| of(part, equity))
        };
        let initial = self.sum(|id, position| self.initial(id, position, leverage_max));
        AccountReport {
            balance: self.balance.to_string(),
            equity: text(equity),
            notional: text(notional),
            leverage: text(over_equity(notional, contract::leverage)),
            initial_margin: text(initial),
            maintenance_margin: text(maintenance),
            margin_ratio: text(over_equity(maintenance, contract::margin_ratio)),
        }
    }

    /// Where the venue would liquidate a position in cross margin, the others as they stand.
    pub(super) fn liquidation_price(&self, id: InstrumentId) -> Option<Px> {
        let others = |id: InstrumentId, of: &dyn Fn(InstrumentId, &Position) -> Option<UsdSum>| {
            self.sum(
                |other, position| {
                    if other == id { Some(UsdSum::ZERO) } else { of(other, position) }
                },
            )
        };
        let collateral = Collateral::Cross {
            wallet: self.wallet.narrow()?,
            other_maintenance: others(id, &|id, position| self.maintenance(id, position))?,
            other_unrealized: others(id, &|id, position| self.unrealized(id, position))?,
        };
        let holding = Holding::from(self.portfolio.position(id));
        match contract::liquidation(&holding, &collateral, &self.brackets(id)) {
            Ok(Liquidation::At(price)) => Some(price),
            Ok(Liquidation::None | Liquidation::Always) | Err(_) => None,
        }
    }

    fn equity(&self) -> Option<UsdSum> {
        self.wallet.checked_add(portfolio::unrealized(self.portfolio, self.marks)?)
    }

    fn notional(&self, id: InstrumentId, position: &Position) -> Option<UsdSum> {
        let signed = (self.marks)(id)?.notional(position.qty, Round::Up);
        signed.0.checked_abs().map(UsdSum)
    }

    fn initial(&self, id: InstrumentId, position: &Position, allowed: u32) -> Option<UsdSum> {
        let notional = self.notional(id, position)?;
        let most = u32::try_from(self.brackets(id).leverage_max(notional)?).ok()?;
        contract::initial_margin(notional, allowed.min(most))
    }

    fn maintenance(&self, id: InstrumentId, position: &Position) -> Option<UsdSum> {
        self.brackets(id).maintenance(self.notional(id, position)?)
    }

    fn unrealized(&self, id: InstrumentId, position: &Position) -> Option<UsdSum> {
        Some(position.unrealized((self.marks)(id)?))
    }

    fn brackets(&self, id: InstrumentId) -> Brackets {
        contract::assumed(&self.universe.get(id).symbol)
    }

    /// Sum over the open positions; none when a part is unknown.
    fn sum(&self, part: impl Fn(InstrumentId, &Position) -> Option<UsdSum>) -> Option<UsdSum> {
        let mut sum = UsdSum::ZERO;
        for (id, _) in self.universe.iter() {
            let position = self.portfolio.position(id);
            if position.qty != Qty::ZERO {
                sum = sum.checked_add(part(id, position)?)?;
            }
        }
        Some(sum)
    }
}

fn text(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}
