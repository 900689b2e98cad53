//! The checks that can refuse an intent, and what a refusal says.

use super::{Action, Intent, OrderId, StrategyId};
use crate::instrument::InstrumentId;
use crate::kill::Level;
use crate::units::{BPS_DECIMALS, DECIMALS, Wide};

/// Everything that can refuse an intent before it reaches the venue, cheap to expensive.
///
/// What was measured and its limit have one unit, see `Check::unit`. A measured `i128::MAX` is unknown, as
/// the age of a mark that never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Check {
    /// The kill level forbids this class. Measured: the level; limit: the highest that allows the class.
    KillLevel,
    /// The sender has no seat; the symbol is observed only, not trading, or unknown: measured is its
    /// number, the limit 0. Or the order is of another symbol: measured is the one that was named, the
    /// limit that of the order.
    Universe,
    /// No valid book, or one that was silent for too long. Measured: its age in ns.
    BookFreshness,
    /// No mark price, or one that is too old, of this symbol or of another that may be held. Measured:
    /// its age in ns.
    MarkFreshness,
    /// An amend, cancel or query of an order that is not open, or one that is already being changed.
    /// Nothing is measured.
    OrderState,
    /// Price is not on the tick grid, or not positive. Measured: the price; limit: the tick.
    Tick,
    /// Quantity is not on the lot grid, or outside its bounds. Measured: the quantity; limit: the least,
    /// the largest or the step, whichever it breaks.
    Lot,
    /// Notional is below the venue's least, in USDT.
    MinNotional,
    /// Price is outside the venue's band around the mark. Measured: the price; limit: the band's edge.
    PercentPrice,
    /// The venue's open orders per symbol. Measured: those that there would be.
    MaxOrders,
    /// The same order again within the window. Measured: the age of the first one in ns. Or an id that is
    /// not new: measured is its counter, the limit 0.
    Duplicate,
    /// Price is too far from the reference, or the references disagree, in `Bps`.
    Collar,
    /// Quantity of one order.
    OrderQty,
    /// Notional of one order, in USDT.
    OrderNotional,
    /// New orders in the window, all symbols. Measured, as of all rates: this one and those before it.
    RateNew,
    /// New orders in the window, this symbol.
    RateSymbol,
    /// Amends in the window.
    RateAmend,
    /// Cancels in the window.
    RateCancel,
    /// Reducing orders in the window.
    RateReduce,
    /// Queries in the window.
    RateQuery,
    /// Open and in-flight orders of the account. Measured: those that there would be. Or the table of
    /// orders is full: measured is the order's counter, the limit 0.
    OpenOrders,
    /// It would trade against an own order. Measured: the price; limit: that of the own order.
    SelfMatch,
    /// A reduce-only order that is not opposite to the position, or larger than what is left of it.
    /// Measured: the quantity; limit: what is left.
    ReduceOnly,
    /// Worst-case position of the symbol in this direction, as notional in USDT.
    Exposure,
    /// Worst-case notional of the account, in USDT.
    GrossExposure,
    /// Worst-case notional of the account; limit: what its equity carries. Both in USDT.
    Leverage,
    /// A number left its range. Nothing is measured.
    Arithmetic,
    /// A trigger that is too far from the mark, or a callback outside its bounds, in `Bps`. Or a trigger that
    /// contradicts itself: measured and limit are 0.
    Trigger,
    /// Conditional orders that wait, all symbols. Measured: those that there would be.
    Conditionals,
    /// The ledger's wallet and the venue's differ, in USDT.
    LedgerDrift,
}

impl Check {
    /// All checks in order.
    pub const ALL: [Self; 30] = [
        Self::KillLevel,
        Self::Universe,
        Self::BookFreshness,
        Self::MarkFreshness,
        Self::OrderState,
        Self::Tick,
        Self::Lot,
        Self::MinNotional,
        Self::PercentPrice,
        Self::MaxOrders,
        Self::Duplicate,
        Self::Collar,
        Self::OrderQty,
        Self::OrderNotional,
        Self::RateNew,
        Self::RateSymbol,
        Self::RateAmend,
        Self::RateCancel,
        Self::RateReduce,
        Self::RateQuery,
        Self::OpenOrders,
        Self::SelfMatch,
        Self::ReduceOnly,
        Self::Exposure,
        Self::GrossExposure,
        Self::Leverage,
        Self::Arithmetic,
        Self::Trigger,
        Self::Conditionals,
        Self::LedgerDrift,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillLevel => "kill_level",
            Self::Universe => "universe",
            Self::BookFreshness => "book_freshness",
            Self::MarkFreshness => "mark_freshness",
            Self::OrderState => "order_state",
            Self::Tick => "tick",
            Self::Lot => "lot",
            Self::MinNotional => "min_notional",
            Self::PercentPrice => "percent_price",
            Self::MaxOrders => "max_orders",
            Self::Duplicate => "duplicate",
            Self::Collar => "collar",
            Self::OrderQty => "order_qty",
            Self::OrderNotional => "order_notional",
            Self::RateNew => "rate_new",
            Self::RateSymbol => "rate_symbol",
            Self::RateAmend => "rate_amend",
            Self::RateCancel => "rate_cancel",
            Self::RateReduce => "rate_reduce",
            Self::RateQuery => "rate_query",
            Self::OpenOrders => "open_orders",
            Self::SelfMatch => "self_match",
            Self::ReduceOnly => "reduce_only",
            Self::Exposure => "exposure",
            Self::GrossExposure => "gross_exposure",
            Self::Leverage => "leverage",
            Self::Arithmetic => "arithmetic",
            Self::LedgerDrift => "ledger_drift",
            Self::Trigger => "trigger",
            Self::Conditionals => "conditionals",
        }
    }

    /// What its numbers are.
    #[must_use]
    pub const fn unit(self) -> CheckUnit {
        match self {
            Self::KillLevel => CheckUnit::Level,
            Self::Universe => CheckUnit::Id,
            Self::BookFreshness | Self::MarkFreshness | Self::Duplicate => CheckUnit::Nanos,
            Self::Tick | Self::PercentPrice | Self::SelfMatch => CheckUnit::Price,
            Self::Lot | Self::OrderQty | Self::ReduceOnly => CheckUnit::Quantity,
            Self::MinNotional
            | Self::OrderNotional
            | Self::Exposure
            | Self::GrossExposure
            | Self::Leverage
            | Self::LedgerDrift => CheckUnit::Usdt,
            Self::Collar | Self::Trigger => CheckUnit::Bps,
            Self::MaxOrders
            | Self::RateNew
            | Self::RateSymbol
            | Self::RateAmend
            | Self::RateCancel
            | Self::RateReduce
            | Self::RateQuery
            | Self::OpenOrders
            | Self::Conditionals => CheckUnit::Count,
            Self::OrderState | Self::Arithmetic => CheckUnit::Nothing,
        }
    }

    /// A number of this check as a text for people, see `CheckUnit::show`.
    #[must_use]
    pub fn show(self, value: i128) -> String {
        self.unit().show(value)
    }
}

/// What the numbers of a check are, and how people read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckUnit {
    /// The number of a kill level.
    Level,
    /// The number of a symbol or a strategy, where only the check's question tells which.
    Id,
    /// The number of a symbol in the universe.
    Symbol,
    /// The number of a strategy.
    Strategy,
    /// The number of an order within its session and strategy.
    Counter,
    /// A span of time in ns.
    Nanos,
    /// A price at 1e-8.
    Price,
    /// A quantity at 1e-8.
    Quantity,
    /// An amount at 1e-8.
    Usdt,
    /// Basis points at 1e-4.
    Bps,
    /// Orders or messages.
    Count,
    /// None: the check says yes or no.
    Nothing,
}

impl CheckUnit {
    /// A number as a text for people, exact and with as few decimals as that takes: `0.5 bp`,
    /// `1999.8 USDT`, `5000 ms`, `symbol 3`. The largest number there is stands for what nobody knows.
    #[must_use]
    pub fn show(self, value: i128) -> String {
        if value == i128::MAX {
            return "unknown".to_owned();
        }
        match self {
            Self::Level => level(value),
            Self::Id => format!("id {value}"),
            Self::Symbol => format!("symbol {value}"),
            Self::Strategy => strategy(value),
            Self::Counter => format!("order counter {value}"),
            Self::Nanos => decimal(value, MILLI_DECIMALS) + " ms",
            Self::Price | Self::Quantity => decimal(value, DECIMALS),
            Self::Usdt => decimal(value, DECIMALS) + " USDT",
            Self::Bps => decimal(value, BPS_DECIMALS) + " bp",
            Self::Count => value.to_string(),
            Self::Nothing => "-".to_owned(),
        }
    }
}

/// Decimal places of a millisecond in ns.
const MILLI_DECIMALS: u32 = 6;

fn level(number: i128) -> String {
    let level = u8::try_from(number).ok().and_then(Level::from_number);
    let name = match level {
        Some(Level::Run) => "run",
        Some(Level::NoNewRisk) => "no new risk",
        Some(Level::Halt) => "halt",
        Some(Level::Dead) => "dead",
        None => "no level",
    };
    format!("{number} ({name})")
}

fn strategy(number: i128) -> String {
    // The stage's own orders have a name instead of a number.
    let named = u8::try_from(number).map(|number| StrategyId(number).to_string());
    format!("strategy {}", named.unwrap_or(number.to_string()))
}

/// A fixed-point number without trailing zeros, as the units print it. They are not used because most of
/// them hold less than what may be measured.
fn decimal(value: i128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let (whole, part) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
    let sign = if value < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{part:0width$}", width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Who refused an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectedBy {
    /// The risk stage, before anything was reserved.
    Risk,
    /// The gateway, after approval: the kill level rose in between.
    Gateway,
}

impl RejectedBy {
    /// All stages that refuse, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Risk, Self::Gateway];
}

/// A refused intent: which check, what it measured, what it allows. Units are those of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The order.
    pub order: OrderId,
    /// Its symbol as the intent named it.
    pub instrument: InstrumentId,
    /// What was refused. Refusing a `New` or a `Conditional` ends the order; any other leaves it as it is.
    pub action: Action,
    /// Who refused.
    pub by: RejectedBy,
    /// The check.
    pub check: Check,
    /// What it measured.
    pub measured: Wide,
    /// What it allows.
    pub limit: Wide,
}

impl Rejection {
    /// Refuses `intent`.
    #[must_use]
    pub fn new(intent: &Intent, by: RejectedBy, check: Check, measured: i128, limit: i128) -> Self {
        Self {
            order: intent.order,
            instrument: intent.instrument,
            action: intent.action,
            by,
            check,
            measured: measured.into(),
            limit: limit.into(),
        }
    }

    /// What its numbers are: those of the check, but for an order that the table of orders does not take.
    #[must_use]
    pub fn unit(&self) -> CheckUnit {
        // No window and no table allows nothing at all, so that a limit of 0 is of no age and no count.
        let untracked = matches!(self.check, Check::Duplicate | Check::OpenOrders);
        if untracked && self.limit.get() == 0 { CheckUnit::Counter } else { self.check.unit() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Source;
    use super::*;
    use crate::units::{QtySum, UsdSum, parse_fixed};

    #[test]
    fn checks_are_listed_in_order_with_names_of_their_own() {
        for (index, check) in Check::ALL.into_iter().enumerate() {
            assert_eq!(check as usize, index);
        }
        let mut names = Check::ALL.map(Check::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }

    #[test]
    fn each_unit_has_a_text() {
        for (check, value, text) in [
            (Check::KillLevel, 0, "0 (run)"),
            (Check::KillLevel, 1, "1 (no new risk)"),
            (Check::KillLevel, 2, "2 (halt)"),
            (Check::KillLevel, 3, "3 (dead)"),
            (Check::KillLevel, 4, "4 (no level)"),
            (Check::Universe, 7, "id 7"),
            (Check::BookFreshness, 5_000_000_000, "5000 ms"),
            (Check::MarkFreshness, 1, "0.000001 ms"),
            (Check::MarkFreshness, i128::MAX, "unknown"),
            (Check::OrderState, 0, "-"),
            (Check::Tick, 6_165_970_000_000, "61659.7"),
            (Check::Lot, -1, "-0.00000001"),
            (Check::OrderNotional, 199_980_000_000, "1999.8 USDT"),
            (Check::Duplicate, 499_500_000, "499.5 ms"),
            (Check::Collar, 5_000, "0.5 bp"),
            (Check::Collar, 1_000_000, "100 bp"),
            (Check::RateNew, 10, "10"),
            (Check::Leverage, -150_000_000, "-1.5 USDT"),
            (Check::Arithmetic, i128::MAX, "unknown"),
        ] {
            assert_eq!(check.show(value), text, "{check:?}");
        }
        for (unit, value, text) in [
            (CheckUnit::Symbol, 3, "symbol 3"),
            (CheckUnit::Strategy, 0, "strategy 0"),
            (CheckUnit::Strategy, 255, "strategy risk"),
            (CheckUnit::Strategy, 256, "strategy 256"),
            (CheckUnit::Counter, 12, "order counter 12"),
        ] {
            assert_eq!(unit.show(value), text);
        }
    }

    #[test]
    fn a_refusal_by_the_table_of_orders_names_the_order() {
        let intent = Intent {
            order: OrderId::new(1, StrategyId(0), 9),
            instrument: InstrumentId(0),
            source: Source::Alpha,
            action: Action::Cancel,
        };
        let unit = |check, limit| Rejection::new(&intent, RejectedBy::Risk, check, 9, limit).unit();
        for (check, usual) in
            [(Check::Duplicate, CheckUnit::Nanos), (Check::OpenOrders, CheckUnit::Count)]
        {
            assert_eq!([0, 1].map(|limit| unit(check, limit)), [CheckUnit::Counter, usual]);
        }
        assert_eq!(unit(Check::Collar, 0), CheckUnit::Bps, "there is no reference");
    }

    proptest! {
        /// A text says the number exactly, and as the units themselves would.
        #[test]
        fn texts_are_exact(value in -i128::MAX / 1_000_000_000..i128::MAX / 1_000_000_000) {
            for (unit, places) in [
                (CheckUnit::Nanos, 6),
                (CheckUnit::Price, 8),
                (CheckUnit::Quantity, 8),
                (CheckUnit::Usdt, 8),
                (CheckUnit::Bps, 4),
            ] {
                let text = unit.show(value);
                let number = text.split(' ').next().unwrap();
                prop_assert_eq!(parse_fixed(number.as_bytes(), places), Ok(value));
                prop_assert!(!number.contains('.') || !number.ends_with(['0', '.']), "{}", number);
            }
            prop_assert_eq!(CheckUnit::Usdt.show(value), format!("{} USDT", UsdSum(value)));
            prop_assert_eq!(CheckUnit::Quantity.show(value), QtySum(value).to_string());
        }
    }

    #[test]
    fn who_refuses_is_listed_in_order() {
        assert_eq!(RejectedBy::ALL.map(|by| by as u8), [0, 1]);
    }
}
