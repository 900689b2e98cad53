//! One position: quantity, cost, what was realised, what it cost in fees.

use crate::market::Side;
use crate::order::StrategyId;
use crate::units::{ONE, Px, Qty, QtySum, Round, Usd, UsdSum, div_round};

/// A net position and its money. `realized - cost` is always the cash that went in and out, exactly:
/// rounding moves amounts between realised and unrealised, and never makes or loses any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Above zero long, below zero short.
    pub qty: Qty,
    /// What the open quantity cost: above zero for a long, below zero for a short.
    pub cost: UsdSum,
    /// Realised profit before fees.
    pub realized: UsdSum,
    /// Fees paid; below zero when rebates prevail.
    pub fees: UsdSum,
    /// Quantity bought and quantity sold so far.
    pub bought: QtySum,
    /// See `bought`.
    pub sold: QtySum,
}

/// An execution: the increase of an order's cumulative amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Buys or sells.
    pub side: Side,
    /// Quantity, above zero.
    pub qty: Qty,
    /// Price times quantity.
    pub quote: Usd,
    /// Fee, positive is a cost.
    pub fee: Usd,
}

impl Execution {
    /// Takes off the part of what `sender` executed that is another's, `seat`, which holds `held`. An exit by risk or
    /// venue closes what strategies hold. When it was heard of before the fill that it closed, what it left over
    /// stands against that fill, and takes it: no strategy holds what is gone already.
    pub fn take_of(
        &mut self,
        sender: StrategyId,
        (seat, held): (StrategyId, &Position),
    ) -> Option<Self> {
        let differ = sender.acts_for_holders() != seat.acts_for_holders();
        if !differ || self.qty <= Qty::ZERO || held.reducing_side() != Some(self.side) {
            return None;
        }
        let held = i64::try_from(held.size().0).unwrap_or(i64::MAX);
        Some(self.cut_off(Qty(self.qty.0.min(held))))
    }

    /// Takes off a quantity, with its share of the amounts rounded towards zero.
    fn cut_off(&mut self, qty: Qty) -> Self {
        if qty >= self.qty {
            let whole = *self;
            *self = Self { qty: Qty::ZERO, quote: Usd::ZERO, fee: Usd::ZERO, ..whole };
            return whole;
        }
        let share = |amount: Usd| {
            let part = i128::from(amount.0) * i128::from(qty.0) / i128::from(self.qty.0);
            Usd(i64::try_from(part).expect("a part of an amount is no larger than it"))
        };
        let part = Self { side: self.side, qty, quote: share(self.quote), fee: share(self.fee) };
        self.qty.0 -= part.qty.0;
        self.quote.0 -= part.quote.0;
        self.fee.0 -= part.fee.0;
        part
    }
}

impl Position {
    /// Books an execution. `None`, and no change, when the position would leave its range.
    #[must_use]
    pub fn booked(&self, execution: &Execution) -> Option<Self> {
        let (signed, cash) = match execution.side {
            Side::Buy => (execution.qty.0, -i128::from(execution.quote.0)),
            Side::Sell => (-execution.qty.0, i128::from(execution.quote.0)),
        };
        let qty = self.qty.0.checked_add(signed)?;
        let cost = self.cost_after(qty, signed, -cash)?;
        let mut after = *self;
        after.qty = Qty(qty);
        after.cost = UsdSum(cost);
        after.realized = UsdSum(self.realized.0.checked_add(cost - self.cost.0 + cash)?);
        after.fees = UsdSum(self.fees.0.checked_add(i128::from(execution.fee.0))?);
        let volume = match execution.side {
            Side::Buy => &mut after.bought,
            Side::Sell => &mut after.sold,
        };
        *volume = volume.checked_add(QtySum(i128::from(execution.qty.0)))?;
        Some(after)
    }

    /// Cost of the open quantity after `signed` was traded for `paid`.
    fn cost_after(&self, qty: i64, signed: i64, paid: i128) -> Option<i128> {
        let before = self.qty.0;
        if before == 0 || (before > 0) == (signed > 0) {
            return self.cost.0.checked_add(paid);
        }
        if qty == 0 {
            return Some(0);
        }
        if (qty > 0) == (before > 0) {
            // What is closed takes its share of the cost with it, rounded up, so that the realised
            // part is never flattered.
            let share = self.cost.0.checked_mul(i128::from(signed).abs())?;
            let released = div_round(share, i128::from(before).abs(), Round::Up)?;
            return Some(self.cost.0 - released);
        }
        // Through zero: the part beyond opens at its share of what was paid, rounded down for the same
        // reason.
        let share = paid.checked_mul(i128::from(qty).abs())?;
        div_round(share, i128::from(signed).abs(), Round::Down)
    }

    /// Average entry price, rounded to 1e-8; none when flat or out of range.
    #[must_use]
    pub fn average_price(&self) -> Option<Px> {
        let scaled = self.cost.0.checked_mul(i128::from(ONE))?;
        let price = div_round(scaled, i128::from(self.qty.0), Round::HalfEven)?;
        i64::try_from(price).ok().map(Px)
    }

    /// What the open quantity would bring at `mark`, less its cost.
    #[must_use]
    pub fn unrealized(&self, mark: Px) -> UsdSum {
        UsdSum(mark.notional(self.qty, Round::Down).0 - self.cost.0)
    }

    /// The side that makes this position smaller; none when flat.
    #[must_use]
    pub fn reducing_side(&self) -> Option<Side> {
        match self.qty.0.signum() {
            1 => Some(Side::Sell),
            -1 => Some(Side::Buy),
            _ => None,
        }
    }

    /// Quantity without its sign.
    #[must_use]
    pub fn size(&self) -> QtySum {
        QtySum(i128::from(self.qty.0).abs())
    }
}
