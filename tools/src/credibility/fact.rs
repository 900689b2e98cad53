//! What a result says of itself. A run of ours says all of it; a claim from elsewhere fills in what it tells, and
//! `None` stands for what it does not.

use fusewire_core::units::{Bps, Nanos, Rate, UsdSum};

use super::wilson::Interval;

/// What a finished run, or anybody's claim, says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Executions.
    pub fills: u64,
    /// Positions that were closed.
    pub closed: u64,
    /// Those of them that earned more than they cost. The others lost.
    pub wins: u64,
    /// How its win rate is told.
    pub win_rate: Told,
    /// Moves while positions were open, over all closed ones.
    pub excursions: Option<Excursions>,
    /// Fills that rested. A claim that does not tell them apart puts all into `taker`, the dearer kind.
    pub maker: Option<Volume>,
    /// Fills that took.
    pub taker: Option<Volume>,
    /// What fills that took paid beyond the mid at that moment.
    pub crossing: Option<Crossing>,
    /// The spread that was assumed where no book is known; none where every fill had a book.
    pub assumed_spread: Option<Bps>,
    /// Funding.
    pub funding: Option<Funding>,
    /// Exposure, and what stands against it.
    pub leverage: Option<Leverage>,
    /// Fills paid by a bar that had opened before their order was in.
    pub bar_crossed: Option<u64>,
    /// The symbols that were chosen, and those that were not.
    pub universe: Option<Universe>,
    /// Profit from prices alone, open positions included, before fees and funding.
    pub price_profit: Option<UsdSum>,
    /// The most that perfect foresight could have made of the tape with the largest positions that were held.
    pub tape_bound: Option<UsdSum>,
    /// What was credited beside prices, fees and funding: refunds, bonuses, an "edge" for each trade (X19).
    pub credited: Option<UsdSum>,
    /// Whether the past stays the same when the future is cut off.
    pub past: Option<Past>,
}

/// How a win rate is told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Told {
    /// No win rate is told.
    #[default]
    Not,
    /// A bare percentage.
    Alone,
    /// With its confidence interval.
    With(Interval),
}

/// Moves of positions against and for them while they were open, in 1e-4 bp of the entry price, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excursions {
    /// Worst moves; at most 0.
    pub adverse: i128,
    /// Best moves; at least 0.
    pub favorable: i128,
}

/// Fills of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// How many.
    pub fills: u64,
    /// Price times quantity, in USD.
    pub quote: UsdSum,
    /// Fees paid; below zero for rebates.
    pub fees: UsdSum,
}

/// What fills that took paid beyond the mid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossing {
    /// Fills of which the mid is known.
    pub fills: u64,
    /// Price times quantity of them, in USD.
    pub quote: UsdSum,
    /// How much worse than the mid at that moment, in USD; above zero is a cost.
    pub beyond: UsdSum,
}

/// Funding boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funding {
    /// Positions held at a boundary, by the clock.
    pub held: u64,
    /// Of those, how many were charged or paid.
    pub charged: u64,
}

/// Exposure, and what stands against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leverage {
    /// Largest exposure over the wallet.
    pub used: Rate,
    /// A maintenance margin exists, and positions below it are liquidated.
    pub liquidates: bool,
    /// What a liquidation costs, of its notional.
    pub fee: Bps,
}

/// The symbols of a result. All spans are those of the data at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Universe {
    /// First message that shows a symbol traded.
    pub first: Nanos,
    /// Last message that shows a symbol traded.
    pub last: Nanos,
    /// The symbols that were chosen.
    pub chosen: Vec<SymbolSpan>,
    /// Those of the same kind that the data holds and that were not chosen.
    pub left_out: Vec<SymbolSpan>,
}

/// From when to when there is data of a symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolSpan {
    /// Report key.
    pub key: String,
    /// First message.
    pub first: Nanos,
    /// Last message.
    pub last: Nanos,
    /// When it was delisted, if that is known.
    pub delisted: Option<Nanos>,
}

/// The same run with its future cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How many cuts were made.
    pub cuts: u64,
    /// The first difference, in one line; none when the past was the same each time.
    pub difference: Option<String>,
}
