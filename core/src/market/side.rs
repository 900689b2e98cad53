//! Buying and selling.

/// A side: of an order, of the aggressor in a trade, of the liquidation order in a liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Buys.
    Buy,
    /// Sells.
    Sell,
}

impl Side {
    /// All sides, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Buy, Self::Sell];

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}
