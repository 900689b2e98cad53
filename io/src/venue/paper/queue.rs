//! How the queue before a resting order gets shorter.
//!
//! A trade at its price eats it, in every model (see `matching`). What a frame of the book says of the price
//! is looked up for the few own orders that stand there, so that a symbol without any costs nothing.
//!
//! A trade and the frame that shows it come separately. What traded since the level last changed is kept
//! with the order and explains the next change first, so that nothing moves the queue twice.

use std::mem;

use fusewire_core::event::Trade;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::Side;
use fusewire_core::units::{ONE, Qty, RATE_DECIMALS, Rate, Round, div_round};

use super::PaperVenue;
use super::orders::{OpenOrder, Queue};

/// What moves the queue before a resting order, beside trades at its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueModel {
    /// Nothing.
    TradesOnly,
    /// It is never longer than what the level displays: who left can not stand before anybody.
    #[default]
    RiskAverse,
    /// Besides, what left the level without a trade left before the order with a probability.
    Probabilistic(QueueFunction),
}

/// The function `f` by which what left a level lay behind the order with the probability
/// `f(behind) / (f(behind) + f(before))`, both in coins.
/// Source: E. Rigtorp, "Estimating order queue position", 2013.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueFunction {
    /// `x` to this power. With 1 every coin is as likely to leave as any other.
    Power(Rate),
    /// `ln(1 + x)`: the place matters less than the quantities say.
    Log,
}

/// One, as a probability.
const CERTAIN: Rate = Rate(10_i64.pow(RATE_DECIMALS));

impl QueueModel {
    /// Largest power of [`QueueFunction::Power`]. Beyond it all leaves on the longer side anyway.
    pub const POWER_MAX: Rate = Rate(CERTAIN.0 * 16);

    /// Checks the values.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Probabilistic(QueueFunction::Power(power))
                if *power <= Rate::ZERO || *power > Self::POWER_MAX =>
            {
                Err(format!("queue_power = {power} is not above 0 and at most {}", Self::POWER_MAX))
            }
            Self::TradesOnly | Self::RiskAverse | Self::Probabilistic(_) => Ok(()),
        }
    }

    /// The book says that the level of an order now holds `now`.
    pub(super) fn observe(self, order: &mut OpenOrder, now: Qty) {
        let before = order.shown.replace(now);
        let traded = mem::replace(&mut order.traded, Qty::ZERO);
        match self {
            Self::TradesOnly => return,
            Self::RiskAverse => {}
            Self::Probabilistic(function) => {
                if let (Queue::Ahead(ahead), Some(before)) = (&mut order.queue, before) {
                    let left = i128::from(before.0) - i128::from(now.0) - i128::from(traded.0);
                    ahead.0 -= function.left_before(*ahead, before, left).0;
                }
            }
        }
        order.queue = match order.queue {
            Queue::Ahead(ahead) => Queue::Ahead(ahead.min(now)),
            Queue::Unknown => Queue::Ahead(now),
        };
    }
}

impl QueueFunction {
    /// Of what `left` a level of `shown` without a trade: how much of it stood among the first `ahead`,
    /// rounded down.
    fn left_before(self, ahead: Qty, shown: Qty, left: i128) -> Qty {
        let Ok(left) = i64::try_from(left) else { return Qty::ZERO };
        if left <= 0 || ahead <= Qty::ZERO {
            return Qty::ZERO;
        }
        let behind = (shown.0 - ahead.0).max(0);
        let chance = self.chance_behind(ahead, Qty(behind));
        let product = i128::from(left) * i128::from(chance.0);
        let share = div_round(product, i128::from(CERTAIN.0), Round::Up);
        // A probability is at most one, so that a share fits where the whole does.
        let share = share.and_then(|share| i64::try_from(share).ok()).unwrap_or(left);
        // No more can have left behind it than stood there.
        Qty((left - share.min(behind)).min(ahead.0))
    }

    /// The probability that what left stood behind, rounded up: that is against the order. One when the
    /// function says nothing.
    fn chance_behind(self, ahead: Qty, behind: Qty) -> Rate {
        let (ahead, behind) = (self.weight(ahead), self.weight(behind));
        let chance = libm::ceil(behind / (behind + ahead) * CERTAIN.0 as f64);
        if chance >= 0.0 && chance <= CERTAIN.0 as f64 { Rate(chance as i64) } else { CERTAIN }
    }

    fn weight(self, qty: Qty) -> f64 {
        let coins = qty.0 as f64 / ONE as f64;
        match self {
            Self::Power(power) => libm::pow(coins, power.0 as f64 / CERTAIN.0 as f64),
            Self::Log => libm::log1p(coins),
        }
    }
}

impl PaperVenue {
    /// Applies what the tap holds up to and with an event, and looks at the levels of own orders.
    pub(super) fn take_tap(&mut self, seq: u64) {
        while let Some(change) = self.market.next_change(seq) {
            if self.orders.len() == 0 || self.queue == QueueModel::TradesOnly {
                continue;
            }
            for side in [Side::Buy, Side::Sell] {
                let mut first = None;
                for index in self.orders.side(change.instrument, side) {
                    let order = self.orders.get_mut(index);
                    if let Some(now) = self.market.told(&change, side, order.price) {
                        self.queue.observe(order, now);
                    }
                    // Rounding and probabilities must not bring who came later past who came first.
                    match first {
                        Some((price, queue)) if price == order.price => {
                            order.queue = order.queue.max(queue);
                        }
                        Some(_) | None => {}
                    }
                    first = Some((order.price, order.queue));
                }
            }
        }
    }

    /// Remembers a trade at the price of own orders until a frame shows it, be they paid by it or not.
    pub(super) fn count_trade(&mut self, id: InstrumentId, trade: &Trade) {
        match self.queue {
            QueueModel::TradesOnly | QueueModel::RiskAverse => return,
            QueueModel::Probabilistic(_) => {}
        }
        for index in self.orders.side(id, trade.aggressor.opposite()) {
            let order = self.orders.get_mut(index);
            if order.price == trade.price {
                order.traded = Qty(order.traded.0.saturating_add(trade.qty.0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER_ONE: QueueFunction = QueueFunction::Power(CERTAIN);

    fn before(function: QueueFunction, ahead: i64, shown: i64, left: i64) -> i64 {
        function.left_before(Qty(ahead), Qty(shown), i128::from(left)).0
    }

    #[test]
    fn what_leaves_is_shared_by_the_function_and_rounded_against_the_order() {
        let coins = |n: i64| n * ONE;
        // 3 before, 1 behind: a quarter of the decrease lay behind.
        assert_eq!(before(POWER_ONE, coins(3), coins(4), coins(1)), coins(3) / 4);
        // Squares: 9 to 1. The probability is 0.1, and what it gives is rounded up.
        let square = QueueFunction::Power(Rate(2 * CERTAIN.0));
        assert_eq!(before(square, coins(3), coins(4), coins(1)), coins(9) / 10);
        // ln(1 + 1) to ln(1 + 3): one third.
        let found = before(QueueFunction::Log, coins(3), coins(4), coins(1));
        assert!((66_666_665..=66_666_667).contains(&found), "{found}");
        // A third of one raw unit is a whole one behind.
        assert_eq!(before(POWER_ONE, 2, 3, 1), 0);
    }

    #[test]
    fn what_can_not_have_stood_behind_stood_before() {
        // 10 of 12 left, at most 2 of them from behind.
        assert_eq!(before(POWER_ONE, 10, 12, 10), 8);
        assert_eq!(before(POWER_ONE, 12, 12, 5), 5);
        // A queue that is longer than the level, as behind an own order: nothing stands behind.
        assert_eq!(before(POWER_ONE, 20, 12, 5), 5);
        assert_eq!(before(POWER_ONE, 3, 12, 50), 3);
    }

    #[test]
    fn nothing_moves_without_a_decrease_or_without_a_queue() {
        for function in [POWER_ONE, QueueFunction::Log] {
            for (ahead, shown, left) in
                [(5, 9, 0), (5, 9, -3), (0, 9, 4), (0, 0, 0), (5, 5, i64::MIN)]
            {
                assert_eq!(before(function, ahead, shown, left), 0, "{ahead} {shown} {left}");
            }
            let most = i64::MAX;
            assert_eq!(function.left_before(Qty(most), Qty(most), i128::from(most) * 2), Qty::ZERO);
            assert_eq!(before(function, most, most, most), most);
        }
    }

    #[test]
    fn powers_have_bounds() {
        let of = |power| QueueModel::Probabilistic(QueueFunction::Power(Rate(power))).validate();
        for bad in [0, -1, QueueModel::POWER_MAX.0 + 1] {
            assert!(of(bad).is_err_and(|text| text.starts_with("queue_power")), "{bad}");
        }
        for good in [1, CERTAIN.0, QueueModel::POWER_MAX.0] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
    }
}
