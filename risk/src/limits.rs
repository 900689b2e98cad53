//! What the risk stage allows: the limits with their named profiles, and the bounds of the stage.

use fusewire_core::units::{Bps, Nanos, ONE, Qty, Usd};

/// S0-07: leverage that no configuration can pass.
pub const LEVERAGE_CEILING: u32 = 5;

/// Most messages that one budget may allow in its window: each of them is remembered.
const BUDGET_MAX: u32 = 1_000_000;
/// Most intents at one event, against a slip that takes all memory: room for them is taken at start.
const HALT_MOST: usize = 1 << 20;
/// One basis point in raw units of `Bps`.
const BP: i64 = 10_000;

/// A named set of limits. Reports say which one was in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// For trading.
    #[default]
    Default,
    /// For throughput tests on the paper venue: counts and notionals far above what a venue accepts.
    Bench,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 2] = [Self::Default, Self::Bench];

    /// The name in configuration and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Bench => "bench",
        }
    }
}

/// The limits of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Oldest book event on which new risk may rest, in ns (C13).
    pub book_age_max: Nanos,
    /// Oldest mark price on which new risk may rest, in ns (S0-23).
    pub mark_age_max: Nanos,
    /// How long the same order is taken for a repetition, in ns (C7).
    pub duplicate_window: Nanos,
    /// How far through the reference a price may lie, in bp (C4).
    pub collar: Bps,
    /// How far behind the reference, on the passive side, a price may lie, in bp.
    pub collar_passive: Bps,
    /// How far own mid and mark may lie apart for new risk, in bp.
    pub reference_divergence: Bps,
    /// Largest quantity of one order, in coins; none: only the venue's own bound (C3).
    pub order_qty_max: Option<Qty>,
    /// Largest notional of one order, in USD (C2).
    pub order_notional_max: Usd,
    /// Length of the sliding window of all budgets, in ns.
    pub rate_window: Nanos,
    /// New orders in the window, all symbols (S0-19, X7: budgets by class).
    pub rate_new: u32,
    /// New orders in the window, each symbol (S0-19).
    pub rate_symbol: u32,
    /// Amends of orders that may add risk, in the window.
    pub rate_amend: u32,
    /// Cancels in the window.
    pub rate_cancel: u32,
    /// Reduce-only orders and their amends in the window.
    pub rate_reduce: u32,
    /// Queries in the window.
    pub rate_query: u32,
    /// What the venue allows, order messages a minute: the budgets together must fit, so that no class
    /// can eat another's share.
    pub venue_orders_per_minute: u32,
    /// Open and in-flight orders of the account (C10).
    pub open_max: u32,
    /// The part of it that only reduces may use.
    pub reduce_reserve: u32,
    /// Worst-case position of a symbol in one direction, in USD (C11).
    pub position_notional_max: Usd,
    /// Worst-case notional of the account, in USD (C1).
    pub gross_notional_max: Usd,
    /// Worst-case notional over equity; at most `LEVERAGE_CEILING` (S0-07).
    pub leverage_max: u32,
    /// Difference between the ledger's wallet and the venue's that is an alert, in USD (S0-36).
    pub drift_alert: Usd,
    /// Difference at which new risk is refused, in USD: above `drift_alert`.
    pub drift_block: Usd,
    /// How far the trigger of a conditional order may lie from the mark, in bp. Wide: a stop that protects may
    /// well be far, and only a slip of the finger is beyond.
    pub trigger_distance: Bps,
    /// Least callback of a trailing order, in bp (the exchange's `callbackRate` begins at 0.1 %).
    pub callback_min: Bps,
    /// Largest callback, in bp (the exchange's `callbackRate` ends at 10 %).
    pub callback_max: Bps,
    /// Conditional orders that wait, all symbols (the exchange's bound, 2025-12-29).
    pub conditional_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self::profile(Profile::Default)
    }
}

impl Limits {
    /// The limits of a profile.
    #[must_use]
    pub const fn profile(profile: Profile) -> Self {
        let default = Self {
            book_age_max: Nanos(5 * Nanos::SECOND),
            mark_age_max: Nanos(10 * Nanos::SECOND),
            duplicate_window: Nanos(500 * Nanos::MILLI),
            collar: Bps(100 * BP),
            collar_passive: Bps(500 * BP),
            reference_divergence: Bps(50 * BP),
            order_qty_max: None,
            order_notional_max: Usd(2_000 * ONE),
            rate_window: Nanos(60 * Nanos::SECOND),
            rate_new: 60,
            rate_symbol: 20,
            rate_amend: 300,
            rate_cancel: 300,
            rate_reduce: 120,
            rate_query: 120,
            venue_orders_per_minute: 1_200,
            open_max: 200,
            reduce_reserve: 20,
            position_notional_max: Usd(5_000 * ONE),
            gross_notional_max: Usd(20_000 * ONE),
            leverage_max: LEVERAGE_CEILING,
            drift_alert: Usd(ONE / 10),
            drift_block: Usd(ONE),
            trigger_distance: Bps(5_000 * BP),
            callback_min: Bps(10 * BP),
            callback_max: Bps(1_000 * BP),
            conditional_max: 200,
        };
        match profile {
            Profile::Default => default,
            Profile::Bench => Self {
                order_notional_max: Usd(100_000 * ONE),
                rate_new: 60_000,
                rate_symbol: 60_000,
                rate_amend: 60_000,
                rate_cancel: 120_000,
                rate_reduce: 60_000,
                rate_query: 12_000,
                venue_orders_per_minute: 300_000,
                open_max: 1_000,
                reduce_reserve: 100,
                position_notional_max: Usd(1_000_000 * ONE),
                gross_notional_max: Usd(5_000_000 * ONE),
                ..default
            },
        }
    }

    /// Whether the limits can hold together.
    ///
    /// # Errors
    /// The field that is wrong, by name, and why.
    pub fn validate(&self) -> Result<(), String> {
        self.validate_times()?;
        self.validate_prices()?;
        self.validate_budgets()?;
        demand(self.open_max > 0, "open_max", "must be above 0")?;
        let some_left = self.reduce_reserve < self.open_max;
        demand(some_left, "reduce_reserve", "must be below open_max, or nothing can be opened")?;
        demand(self.conditional_max > 0, "conditional_max", "must be above 0")?;
        let within = (1..=LEVERAGE_CEILING).contains(&self.leverage_max);
        demand(within, "leverage_max", "must be 1 to 5, whatever is asked for (S0-07)")
    }

    fn validate_times(&self) -> Result<(), String> {
        positive(self.book_age_max, "book_age_max")?;
        positive(self.mark_age_max, "mark_age_max")?;
        positive(self.rate_window, "rate_window")?;
        // The memory of recent orders is as long as the budget of new orders.
        let remembered = self.duplicate_window <= self.rate_window;
        demand(remembered, "duplicate_window", "must not be longer than rate_window")
    }

    fn validate_prices(&self) -> Result<(), String> {
        let share = |bps: Bps, field| {
            demand((1..10_000 * BP).contains(&bps.0), field, "must be above 0 and below 10000 bp")
        };
        share(self.collar, "collar")?;
        share(self.collar_passive, "collar_passive")?;
        share(self.reference_divergence, "reference_divergence")?;
        share(self.trigger_distance, "trigger_distance")?;
        share(self.callback_min, "callback_min")?;
        share(self.callback_max, "callback_max")?;
        let range = self.callback_min <= self.callback_max;
        demand(range, "callback_min", "must not be above callback_max")?;
        let some = self.order_qty_max.is_none_or(|qty| qty > Qty::ZERO);
        demand(some, "order_qty_max", "must be above 0, or left out")?;
        let amount = |usd: Usd, field| demand(usd > Usd::ZERO, field, "must be above 0");
        amount(self.order_notional_max, "order_notional_max")?;
        amount(self.position_notional_max, "position_notional_max")?;
        amount(self.gross_notional_max, "gross_notional_max")?;
        amount(self.drift_alert, "drift_alert")?;
        let above = self.drift_block >= self.drift_alert;
        demand(above, "drift_block", "must not be below drift_alert")
    }

    fn validate_budgets(&self) -> Result<(), String> {
        for (budget, field) in [
            (self.rate_new, "rate_new"),
            (self.rate_symbol, "rate_symbol"),
            (self.rate_amend, "rate_amend"),
            (self.rate_cancel, "rate_cancel"),
            (self.rate_reduce, "rate_reduce"),
            (self.rate_query, "rate_query"),
        ] {
            demand((1..=BUDGET_MAX).contains(&budget), field, "must be 1 to 1000000")?;
        }
        // A shorter window begins anew within the minute.
        let windows = u128::from((60 * Nanos::SECOND).div_ceil(self.rate_window.0));
        let sum: u128 = [self.rate_new, self.rate_amend, self.rate_reduce, self.rate_cancel]
            .into_iter()
            .map(u128::from)
            .sum();
        if sum * windows > u128::from(self.venue_orders_per_minute) {
            return Err(format!(
                "venue_orders_per_minute ({}) must hold rate_new + rate_amend + rate_reduce + \
                 rate_cancel, which is {} a minute",
                self.venue_orders_per_minute,
                sum * windows
            ));
        }
        Ok(())
    }
}

/// Configuration of the risk stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskConfig {
    /// Where the limits come from; named in reports.
    pub profile: Profile,
    /// The limits.
    pub limits: Limits,
    /// Opening balance of the account, in USD.
    pub balance: Usd,
    /// Session number in the ids of the stage's own orders; 1 in a replay.
    pub session: u16,
    /// Most intents that the stage forms at one event; at least `open_max` + symbols, so that one
    /// event can halt everything.
    pub halt_max: usize,
    /// How often the halt tries again while anything is open or held, in ns.
    pub halt_retry: Nanos,
    /// How long an order may go unanswered before it is queried, in ns.
    pub ack_timeout: Nanos,
    /// How long an open order may go unheard of before it is queried, in ns.
    pub reconcile_every: Nanos,
    /// Most queries at one tick.
    pub queries_per_event: usize,
    /// How long after it left an order may still reach the venue (`recvWindow`), in ns.
    pub arrival_max: Nanos,
    /// Ids of finished orders that are remembered.
    pub closed_max: usize,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self::profile(Profile::Default)
    }
}

impl RiskConfig {
    /// The configuration of a profile.
    #[must_use]
    pub const fn profile(profile: Profile) -> Self {
        Self {
            profile,
            limits: Limits::profile(profile),
            balance: Usd(10_000 * ONE),
            session: 1,
            halt_max: 4_096,
            halt_retry: Nanos(Nanos::SECOND),
            ack_timeout: Nanos(Nanos::SECOND),
            reconcile_every: Nanos(30 * Nanos::SECOND),
            queries_per_event: 8,
            arrival_max: Nanos(5 * Nanos::SECOND),
            closed_max: 4_096,
        }
    }

    /// Whether the configuration can work.
    ///
    /// # Errors
    /// The field that is wrong, by name, and why.
    pub fn validate(&self) -> Result<(), String> {
        self.limits.validate()?;
        demand(self.balance > Usd::ZERO, "balance", "must be above 0")?;
        let fits = (self.limits.open_max as usize..=HALT_MOST).contains(&self.halt_max);
        demand(fits, "halt_max", "must be at least open_max + symbols, and at most 1048576")?;
        positive(self.halt_retry, "halt_retry")?;
        positive(self.ack_timeout, "ack_timeout")?;
        let remembered = self.ack_timeout <= self.limits.rate_window;
        demand(remembered, "ack_timeout", "must not be longer than rate_window")?;
        let slower = self.reconcile_every >= self.ack_timeout;
        demand(slower, "reconcile_every", "must not be shorter than ack_timeout")?;
        let some = (1..=self.halt_max).contains(&self.queries_per_event);
        demand(some, "queries_per_event", "must be 1 to halt_max")?;
        positive(self.arrival_max, "arrival_max")?;
        demand(self.closed_max > 0, "closed_max", "must be above 0")
    }

    /// Whether the configuration can work with so many symbols.
    ///
    /// # Errors
    /// The field that is wrong, by name, and why.
    pub fn validate_for(&self, symbols: usize) -> Result<(), String> {
        self.validate()?;
        let needed = self.limits.open_max as usize + symbols;
        if self.halt_max < needed {
            let halt_max = self.halt_max;
            return Err(format!(
                "halt_max = {halt_max} must be at least open_max + symbols ({needed}), so that one event \
                 can halt everything"
            ));
        }
        Ok(())
    }
}

fn positive(span: Nanos, field: &str) -> Result<(), String> {
    demand(span > Nanos(0), field, "must be above 0")
}

fn demand(holds: bool, field: &str, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{field} {why}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_valid_and_has_a_name() {
        for profile in Profile::ALL {
            assert_eq!(RiskConfig::profile(profile).validate(), Ok(()), "{}", profile.name());
            assert_eq!(RiskConfig::profile(profile).profile, profile);
        }
        assert_eq!(RiskConfig::default(), RiskConfig::profile(Profile::Default));
        assert_eq!(Limits::default(), Limits::profile(Profile::Default));
        assert_ne!(Limits::default(), Limits::profile(Profile::Bench));
        assert_ne!(Profile::Default.name(), Profile::Bench.name());
    }

    /// The numbers of the documents: S0-07, S0-19, S0-23.
    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let limits = Limits::default();
        assert_eq!((limits.rate_new, limits.rate_symbol), (60, 20));
        assert_eq!(limits.mark_age_max, Nanos(10_000_000_000));
        assert_eq!((limits.leverage_max, LEVERAGE_CEILING), (5, 5));
        assert_eq!(limits.collar, Bps::parse(b"100").unwrap());
        assert_eq!(limits.order_notional_max, Usd::parse(b"2000").unwrap());
    }

    /// Counts and notionals are far above the default, and nothing else is: not a price, an age or the
    /// leverage.
    #[test]
    fn the_bench_profile_raises_counts_and_notionals_only() {
        let counts = |limits: &Limits| {
            [
                limits.rate_new,
                limits.rate_symbol,
                limits.rate_amend,
                limits.rate_cancel,
                limits.rate_reduce,
                limits.rate_query,
                limits.venue_orders_per_minute,
                limits.open_max,
                limits.reduce_reserve,
            ]
        };
        let notionals = |limits: &Limits| {
            [limits.order_notional_max, limits.position_notional_max, limits.gross_notional_max]
        };
        let (default, bench) = (Limits::default(), Limits::profile(Profile::Bench));
        for (low, high) in counts(&default).into_iter().zip(counts(&bench)) {
            assert!(high >= 5 * low, "{high} for {low}");
        }
        for (low, high) in notionals(&default).into_iter().zip(notionals(&bench)) {
            assert!(high.0 >= 10 * low.0, "{high} for {low}");
        }
        assert_eq!((bench.collar, bench.leverage_max), (default.collar, default.leverage_max));
        assert_eq!(bench.mark_age_max, default.mark_age_max);
    }

    fn error_of(change: impl FnOnce(&mut RiskConfig)) -> String {
        let mut config = RiskConfig::default();
        change(&mut config);
        config.validate().unwrap_err()
    }

    type Break = (&'static str, fn(&mut RiskConfig));

    #[test]
    fn an_error_begins_with_the_field() {
        let breaks: [Break; 37] = [
            ("trigger_distance", |c| c.limits.trigger_distance = Bps(0)),
            ("callback_min", |c| c.limits.callback_min = Bps(0)),
            ("callback_min", |c| c.limits.callback_min = Bps(1_001 * BP)),
            ("callback_max", |c| c.limits.callback_max = Bps(10_000 * BP)),
            ("conditional_max", |c| c.limits.conditional_max = 0),
            ("book_age_max", |c| c.limits.book_age_max = Nanos(0)),
            ("mark_age_max", |c| c.limits.mark_age_max = Nanos(0)),
            ("rate_window", |c| c.limits.rate_window = Nanos(0)),
            ("duplicate_window", |c| c.limits.duplicate_window = Nanos(60_000_000_001)),
            ("collar ", |c| c.limits.collar = Bps(0)),
            ("collar_passive", |c| c.limits.collar_passive = Bps(10_000 * BP)),
            ("reference_divergence", |c| c.limits.reference_divergence = Bps(-1)),
            ("order_qty_max", |c| c.limits.order_qty_max = Some(Qty::ZERO)),
            ("order_notional_max", |c| c.limits.order_notional_max = Usd::ZERO),
            ("position_notional_max", |c| c.limits.position_notional_max = Usd(-1)),
            ("gross_notional_max", |c| c.limits.gross_notional_max = Usd::ZERO),
            ("rate_new", |c| c.limits.rate_new = 0),
            ("rate_symbol", |c| c.limits.rate_symbol = 0),
            ("rate_amend", |c| c.limits.rate_amend = 0),
            ("rate_cancel", |c| c.limits.rate_cancel = 0),
            ("rate_reduce", |c| c.limits.rate_reduce = 0),
            ("rate_query", |c| c.limits.rate_query = BUDGET_MAX + 1),
            ("venue_orders_per_minute", |c| c.limits.venue_orders_per_minute = 779),
            ("open_max", |c| c.limits.open_max = 0),
            ("reduce_reserve", |c| c.limits.reduce_reserve = 200),
            ("leverage_max", |c| c.limits.leverage_max = 6),
            ("leverage_max", |c| c.limits.leverage_max = 0),
            ("balance", |c| c.balance = Usd::ZERO),
            ("halt_max", |c| c.halt_max = 199),
            ("halt_max", |c| c.halt_max = HALT_MOST + 1),
            ("halt_retry", |c| c.halt_retry = Nanos(0)),
            ("ack_timeout", |c| c.ack_timeout = Nanos(0)),
            ("ack_timeout", |c| c.ack_timeout = Nanos(60_000_000_001)),
            ("reconcile_every", |c| c.reconcile_every = Nanos(999_999_999)),
            ("queries_per_event", |c| c.queries_per_event = 0),
            ("arrival_max", |c| c.arrival_max = Nanos(0)),
            ("closed_max", |c| c.closed_max = 0),
        ];
        for (field, broken) in breaks {
            let error = error_of(broken);
            assert!(error.starts_with(field), "{field}: {error}");
        }
    }

    #[test]
    fn the_halt_fits_one_event_with_all_symbols() {
        let config = RiskConfig { halt_max: 203, ..RiskConfig::default() };
        assert_eq!(config.validate_for(3), Ok(()));
        let error = config.validate_for(4).unwrap_err();
        assert!(error.starts_with("halt_max = 203 ") && error.contains("(204)"), "{error}");
        let invalid = RiskConfig { balance: Usd::ZERO, ..config };
        assert!(invalid.validate_for(3).is_err());
    }

    /// X7, S0-19: the share of reduces and cancels can never be eaten by new orders.
    #[test]
    fn x7_the_budgets_together_fit_the_venue() {
        let mut limits = Limits { venue_orders_per_minute: 780, ..Limits::default() };
        assert_eq!(limits.validate(), Ok(()));
        limits.rate_window = Nanos(59 * Nanos::SECOND);
        let error = limits.validate().unwrap_err();
        assert!(error.contains("1560"), "a window that begins anew within the minute: {error}");
    }
}
