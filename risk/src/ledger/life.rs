//! The life of one position of a strategy, from its first unit to its last.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::order::{Leg, StrategyId};
use fusewire_core::portfolio::{Execution, Position};
use fusewire_core::units::{
    BPS_DECIMALS, Bps, DECIMALS, Nanos, ONE, Px, Qty, Round, UsdSum, div_round,
};

use super::{ClosedPosition, ExitPath, PostingKind};

/// One, as a ratio in raw `Bps`: 10,000 bp.
const RATIO_ONE: i128 = 10_i128.pow(4 + BPS_DECIMALS);

/// When something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seq: u64,
    pub(super) ts: Nanos,
    /// Clock ticks so far.
    pub(super) tick: u64,
}

/// What came in for quantity and quote.
#[derive(Clone, Copy, Debug, Default)]
struct Volume {
    qty: i128,
    quote: i128,
}

impl Volume {
    fn add(&mut self, qty: i128, quote: i128) {
        self.qty += qty;
        self.quote += quote;
    }

    /// Average price, rounded to 1e-8; zero for nothing.
    fn price(&self) -> Px {
        let scaled = self.quote.checked_mul(i128::from(ONE));
        let price = scaled.and_then(|scaled| div_round(scaled, self.qty, Round::HalfEven));
        Px(price.and_then(|price| i64::try_from(price).ok()).unwrap_or(0))
    }
}

/// Where the prices of a bar went, of a symbol that nothing else is known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Of its event.
    pub(super) seq: u64,
    /// When it was over, by its own times: it is told later.
    pub(super) end: Nanos,
    pub(super) low: Px,
    pub(super) high: Px,
}

/// An open position.
#[derive(Clone, Debug)]
pub(super) struct Life {
    side: Side,
    entry: Moment,
    /// When the average changed last, by the venue's clock.
    since: Nanos,
    /// A bar that it was held through, unless it turns out to have ended within it.
    held: Option<Range>,
    opened: Volume,
    closed: Volume,
    qty_max: i128,
    /// Average entry price that the moves below are measured from.
    average: Px,
    /// Lowest and highest price at which it could be left since the average changed.
    low: Px,
    high: Px,
    adverse: Bps,
    favorable: Bps,
    realized: i128,
    fees: i128,
    funding: i128,
    /// Twice of what fills cost beyond their arrival mids, and of what those mids come to.
    slipped: i128,
    arrived: i128,
    incident: bool,
}

/// A fill of a position's owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) moment: Moment,
    /// By the venue's clock.
    pub(super) at: Nanos,
    /// The bar that paid for it, if one did.
    pub(super) bar: Option<Range>,
    pub(super) part: Execution,
    pub(super) before: Position,
    pub(super) after: Position,
    pub(super) twice_mid: Option<i128>,
    pub(super) incident: bool,
}

impl Filled {
    /// From when on a bar was lived through by who entered here.
    fn since(&self) -> Nanos {
        self.bar.map_or(self.at, |bar| bar.end)
    }

    fn price(&self) -> Px {
        let Execution { qty, quote, .. } = self.part;
        Volume { qty: qty.0.into(), quote: quote.0.into() }.price()
    }

    /// Quantity that closes what was open.
    fn closes(&self) -> i64 {
        let (before, qty) = (self.before.qty.0, self.part.qty.0);
        match self.before.reducing_side() {
            Some(side) if side == self.part.side => qty.min(before.saturating_abs()),
            Some(_) | None => 0,
        }
    }

    fn through_zero(&self) -> bool {
        let (before, after) = (self.before.qty.0.signum(), self.after.qty.0.signum());
        before * after < 0
    }
}

/// A life that is over.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    life: Life,
    exit: Moment,
}

/// What becomes of a position by a fill: the life that it ends, and the one that goes on or begins.
pub(super) fn step(life: Option<Life>, filled: &Filled) -> (Option<Ended>, Option<Life>) {
    let (part, closes) = (&filled.part, filled.closes());
    let Some(mut life) = life else {
        let quote = part.quote.0.into();
        return (None, Some(Life::born(filled, part.qty.0.into(), quote, part.fee.0.into())));
    };
    if closes == 0 {
        life.grow(filled);
        return (None, Some(life));
    }
    // Of a fill that goes through zero the open part costs what the position says.
    let opened = if filled.through_zero() { filled.after.cost.0.abs() } else { 0 };
    let fee = i128::from(part.fee.0) * i128::from(closes) / i128::from(part.qty.0);
    life.shrink(filled, closes.into(), i128::from(part.quote.0) - opened, fee);
    if filled.after.qty != Qty::ZERO && !filled.through_zero() {
        return (None, Some(life));
    }
    if life.held == filled.bar {
        // Where the rest of the bar went is not known to have been before the end.
        life.held = None;
    }
    life.live_through();
    life.measure();
    let next = filled.through_zero().then(|| {
        let qty = i128::from(filled.after.qty.0).abs();
        Life::born(filled, qty, opened, i128::from(part.fee.0) - fee)
    });
    (Some(Ended { life, exit: filled.moment }), next)
}

impl Life {
    fn born(filled: &Filled, qty: i128, quote: i128, fee: i128) -> Self {
        let average = Volume { qty, quote }.price();
        let mut life = Self {
            side: filled.part.side,
            entry: filled.moment,
            since: filled.since(),
            held: None,
            opened: Volume { qty, quote },
            closed: Volume::default(),
            qty_max: qty,
            average,
            low: average,
            high: average,
            adverse: Bps::ZERO,
            favorable: Bps::ZERO,
            realized: 0,
            fees: fee,
            funding: 0,
            slipped: 0,
            arrived: 0,
            incident: filled.incident,
        };
        life.slip(filled, qty, quote);
        life.enter_within(filled.bar);
        life
    }

    fn grow(&mut self, filled: &Filled) {
        self.live_through();
        self.measure();
        let (qty, quote) = (filled.part.qty.0.into(), filled.part.quote.0.into());
        self.opened.add(qty, quote);
        self.qty_max = self.qty_max.max(i128::from(filled.after.qty.0).abs());
        self.fees += i128::from(filled.part.fee.0);
        self.incident |= filled.incident;
        self.slip(filled, qty, quote);
        self.average = filled.after.average_price().unwrap_or(self.average);
        (self.low, self.high) = (self.average, self.average);
        self.since = filled.since();
        self.enter_within(filled.bar);
    }

    /// The bar that paid an entry went on to its worse end: whatever was paid at or within it was paid before that.
    fn enter_within(&mut self, bar: Option<Range>) {
        let Some(Range { low, high, .. }) = bar else { return };
        self.observe(match self.side {
            Side::Buy => low,
            Side::Sell => high,
        });
    }

    /// A bar that opened at this time is over. What it says counts when the next one is, or when the position ends
    /// elsewhere.
    pub(super) fn see_bar(&mut self, bar: Range, open_time: Nanos) {
        self.live_through();
        self.held = (self.since <= open_time).then_some(bar);
    }

    fn live_through(&mut self) {
        if let Some(Range { low, high, .. }) = self.held.take() {
            self.observe(low);
            self.observe(high);
        }
    }

    fn shrink(&mut self, filled: &Filled, qty: i128, quote: i128, fee: i128) {
        self.observe(filled.price());
        self.closed.add(qty, quote);
        self.realized += filled.after.realized.0 - filled.before.realized.0;
        self.fees += fee;
        self.incident |= filled.incident;
        self.slip(filled, qty, quote);
    }

    /// A price at which it could be left.
    fn observe(&mut self, price: Px) {
        if price > Px::ZERO {
            self.low = self.low.min(price);
            self.high = self.high.max(price);
        }
    }

    /// What the market says now: a long is left at the bid, a short at the ask, and the mark is what the venue
    /// liquidates by.
    pub(super) fn observe_quote(&mut self, bid: Px, ask: Px, mark: Option<Px>) {
        self.observe(match self.side {
            Side::Buy => bid,
            Side::Sell => ask,
        });
        if let Some(mark) = mark {
            self.observe(mark);
        }
    }

    /// Takes the moves since the average changed.
    fn measure(&mut self) {
        let (adverse, favorable) = self.excursions();
        (self.adverse, self.favorable) = (adverse, favorable);
    }

    /// Worst and best move so far, of the average entry price, rounded down.
    pub(super) fn excursions(&self) -> (Bps, Bps) {
        let average = i128::from(self.average.0);
        let moved = |price: Px| {
            let by = i128::from(price.0) - average;
            let by = match self.side {
                Side::Buy => by,
                Side::Sell => -by,
            };
            let ratio = div_round(by * RATIO_ONE, average, Round::Down).unwrap_or(0);
            Bps(i64::try_from(ratio).unwrap_or(if ratio < 0 { i64::MIN } else { i64::MAX }))
        };
        let (low, high) = (moved(self.low), moved(self.high));
        (self.adverse.min(low).min(high), self.favorable.max(low).max(high))
    }

    /// What a fill cost beyond the mid at the time of its decision.
    fn slip(&mut self, filled: &Filled, qty: i128, quote: i128) {
        let Some(twice_mid) = filled.twice_mid else { return };
        let Some(arrived) = twice_mid.checked_mul(qty) else { return };
        let arrived = arrived / i128::from(ONE);
        let beyond = 2 * quote - arrived;
        self.slipped += match filled.part.side {
            Side::Buy => beyond,
            Side::Sell => -beyond,
        };
        self.arrived += arrived;
    }

    /// Takes a charge of the venue on the position.
    pub(super) fn charge(&mut self, kind: PostingKind, amount: UsdSum) {
        if kind == PostingKind::Funding {
            self.funding += amount.0;
        } else {
            self.fees -= amount.0;
            self.incident = true;
        }
    }

    pub(super) fn entry(&self) -> Moment {
        self.entry
    }

    fn slippage(&self) -> Option<Bps> {
        let ratio = div_round(self.slipped.checked_mul(RATIO_ONE)?, self.arrived, Round::Up)?;
        i64::try_from(ratio).ok().map(Bps)
    }
}

impl Ended {
    /// What the ledger tells of it.
    pub(super) fn row(
        &self,
        n: u64,
        strategy: StrategyId,
        instrument: InstrumentId,
        leg: Leg,
        exit: ExitPath,
    ) -> ClosedPosition {
        let Self { life, exit: end } = self;
        let units = |qty: i128| Qty(i64::try_from(qty).unwrap_or(i64::MAX));
        ClosedPosition {
            n,
            strategy,
            instrument,
            leg,
            side: life.side,
            qty_max: units(life.qty_max),
            qty: units(life.opened.qty),
            entry_seq: life.entry.seq,
            exit_seq: end.seq,
            entry_ts: life.entry.ts,
            exit_ts: end.ts,
            entry_tick: life.entry.tick,
            exit_tick: end.tick,
            entry_price: life.opened.price(),
            exit_price: life.closed.price(),
            exit,
            realized: UsdSum(life.realized),
            fees: UsdSum(life.fees),
            funding: UsdSum(life.funding),
            max_adverse: life.adverse,
            max_favorable: life.favorable,
            slippage: life.slippage(),
            incident: life.incident,
        }
    }
}

const _: () = assert!(DECIMALS == 8, "prices, quantities and amounts have one scale");
