//! Rows of what the ledger makes of the stream: executions as they were booked, and positions from their first unit to
//! their last.

use fusewire_core::order::Side;
use fusewire_core::units::{Bps, ONE, Px, Round, UsdSum, div_round};
use fusewire_risk::ledger::{ClosedPosition, TradeRow};

use super::super::table::Value;
use super::Rows;
use super::columns::{FILLS, TRADES};
use super::words::Word;

/// Basis points at 1e-4, of a ratio of one.
const RATIO_ONE: i128 = 10_000 * 10_000;

impl Rows {
    /// The row of an execution. `twice_mid` is that of the ledger when its order was decided.
    #[must_use]
    pub fn fill(&self, fill: &TradeRow, twice_mid: Option<i128>) -> [Value<'_>; FILLS.len()] {
        [
            fill.seq.into(),
            fill.ts.into(),
            fill.at.into(),
            fill.order.into(),
            self.names.strategy(fill.strategy),
            self.names.symbol(fill.instrument),
            fill.leg.name().into(),
            fill.side.word().into(),
            fill.qty.into(),
            price(fill).into(),
            fill.quote.into(),
            fill.fee.into(),
            fill.liquidity.word().into(),
            Some(fill.payer).filter(|payer| *payer != 0).into(),
            twice_mid.map_or(Value::Null, |twice| Value::Decimal(twice / 2)),
            twice_mid.and_then(|twice| slippage(fill, twice)).into(),
            fill.realized.into(),
            fill.incident.into(),
        ]
    }

    /// The row of a position that was closed.
    #[must_use]
    pub fn trade(&self, closed: &ClosedPosition) -> [Value<'_>; TRADES.len()] {
        let net = closed.realized.0 - closed.fees.0 + closed.funding.0;
        [
            closed.n.into(),
            self.names.strategy(closed.strategy),
            self.names.symbol(closed.instrument),
            closed.leg.name().into(),
            closed.side.word().into(),
            closed.qty_max.into(),
            closed.qty.into(),
            closed.entry_seq.into(),
            closed.exit_seq.into(),
            closed.entry_ts.into(),
            closed.exit_ts.into(),
            closed.entry_price.into(),
            closed.exit_price.into(),
            closed.exit.name().into(),
            closed.realized.into(),
            closed.fees.into(),
            closed.funding.into(),
            UsdSum(net).into(),
            closed.max_adverse.into(),
            closed.max_favorable.into(),
            closed.slippage.into(),
            closed.incident.into(),
        ]
    }
}

/// The average price of an execution; none of one without a quantity.
fn price(fill: &TradeRow) -> Option<Px> {
    let quote = i128::from(fill.quote.0) * i128::from(ONE);
    let raw = div_round(quote, fill.qty.0.into(), Round::HalfEven)?;
    i64::try_from(raw).ok().map(Px)
}

/// What an execution cost beyond the mid, rounded up as the ledger does; above zero is a cost.
fn slippage(fill: &TradeRow, twice_mid: i128) -> Option<Bps> {
    let arrived = twice_mid.checked_mul(fill.qty.0.into())? / i128::from(ONE);
    let beyond = 2 * i128::from(fill.quote.0) - arrived;
    let cost = match fill.side {
        Side::Buy => beyond,
        Side::Sell => -beyond,
    };
    let ratio = div_round(cost.checked_mul(RATIO_ONE)?, arrived, Round::Up)?;
    i64::try_from(ratio).ok().map(Bps)
}

impl From<UsdSum> for Value<'_> {
    fn from(amount: UsdSum) -> Self {
        Self::Decimal(amount.0)
    }
}

impl From<Bps> for Value<'_> {
    fn from(points: Bps) -> Self {
        Self::Decimal(points.0.into())
    }
}
