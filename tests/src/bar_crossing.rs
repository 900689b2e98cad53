//! The antipattern that made 127,471 wins and no loss (S0-03): any order whose price lies within a bar is
//! filled by it, at its own price, whole, whoever traded there and whenever it got in.
//!
//! It is here to show what the paper venue must not do, and nothing but tests can reach it.

/// Prices of one bar, at 1e-8.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Lowest price.
    pub low: i64,
    /// Highest price.
    pub high: i64,
}

/// A limit order, numbers at 1e-8.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// True when it buys.
    pub buys: bool,
    /// Limit price.
    pub price: i64,
    /// Quantity.
    pub qty: i64,
}

/// An account that fills by bar crossing. Positions and cash are at 1e-8 and 1e-16.
#[derive(Clone, Copy, Debug, Default)]
pub struct BarCrossing {
    /// Fills so far.
    pub fills: u64,
    /// Net quantity.
    pub position: i128,
    /// Quote received less quote paid.
    pub cash: i128,
}

impl BarCrossing {
    /// True when the antipattern fills this order by this bar, which it books.
    pub fn fills(&mut self, bar: Bar, order: Order) -> bool {
        let Order { buys, price, qty } = order;
        if price < bar.low || bar.high < price {
            return false;
        }
        let sign = if buys { 1 } else { -1 };
        self.fills += 1;
        self.position += sign * i128::from(qty);
        self.cash -= sign * i128::from(price) * i128::from(qty);
        true
    }

    /// Profit with the position at a price.
    #[must_use]
    pub fn profit(&self, price: i64) -> i128 {
        self.cash + self.position * i128::from(price)
    }
}
