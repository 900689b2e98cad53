//! Antipattern `pair_only`: a grid's books that know a profit or a loss only once a pair is closed (S0-01).
//!
//! Each fill is paired with the last one on the other side that has no pair. What finds none is not on these
//! books at all: no price, no fee, no loss. Nothing in the product counts like this.

use std::collections::BTreeMap;

use fusewire_core::market::Side;
use fusewire_core::order::OrderId;
use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::TradeRow;

/// An order that was filled, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) order: OrderId,
    /// Of the last fill.
    pub(super) seq: u64,
    pub(super) ts: u64,
    pub(super) side: Side,
    /// Quantity, money and fee, in raw units.
    pub(super) qty: i128,
    pub(super) quote: i128,
    pub(super) fee: i128,
}

impl Filled {
    /// Takes off so much of it, with its share of the money.
    fn cut(&mut self, qty: i128) -> Self {
        let share = |amount: i128| amount * qty / self.qty;
        let part = Self { qty, quote: share(self.quote), fee: share(self.fee), ..*self };
        (self.qty, self.quote, self.fee) =
            (self.qty - qty, self.quote - part.quote, self.fee - part.fee);
        part
    }

    /// Money that came in, fees aside.
    const fn cash(&self) -> i128 {
        match self.side {
            Side::Buy => -self.quote,
            Side::Sell => self.quote,
        }
    }
}

/// What such books hold.
#[derive(Debug, Default)]
pub(super) struct PairOnly {
    /// Entry and exit.
    pub(super) pairs: Vec<[Filled; 2]>,
    /// What is on no book.
    pub(super) unpaired: Vec<Filled>,
}

impl PairOnly {
    pub(super) fn of(trades: &[TradeRow]) -> Self {
        let mut books = Self::default();
        for filled in by_order(trades) {
            books.book(filled);
        }
        books
    }

    fn book(&mut self, mut filled: Filled) {
        while filled.qty > 0 {
            let Some(entry) = self.unpaired.last_mut().filter(|last| last.side != filled.side)
            else {
                self.unpaired.push(filled);
                return;
            };
            let qty = entry.qty.min(filled.qty);
            self.pairs.push([entry.cut(qty), filled.cut(qty)]);
            if entry.qty == 0 {
                self.unpaired.pop();
            }
        }
    }

    /// Before fees.
    pub(super) fn gross(&self) -> UsdSum {
        UsdSum(self.pairs.iter().flatten().map(Filled::cash).sum())
    }

    pub(super) fn fees(&self) -> UsdSum {
        UsdSum(self.pairs.iter().flatten().map(|filled| filled.fee).sum())
    }

    /// What such books call the result.
    pub(super) fn total(&self) -> UsdSum {
        UsdSum(self.gross().0 - self.fees().0)
    }
}

/// Orders with all that was filled of them, by their last fill.
pub(super) fn by_order(trades: &[TradeRow]) -> Vec<Filled> {
    let mut orders: BTreeMap<OrderId, Filled> = BTreeMap::new();
    for trade in trades {
        let filled = orders.entry(trade.order).or_insert(Filled {
            order: trade.order,
            seq: 0,
            ts: 0,
            side: trade.side,
            qty: 0,
            quote: 0,
            fee: 0,
        });
        (filled.seq, filled.ts) = (trade.seq, trade.ts.0);
        filled.qty += i128::from(trade.qty.0);
        filled.quote += i128::from(trade.quote.0);
        filled.fee += i128::from(trade.fee.0);
    }
    let mut all: Vec<Filled> = orders.into_values().collect();
    all.sort_by_key(|filled| filled.seq);
    all
}

#[test]
fn a_fill_is_paired_with_the_last_one_that_has_no_pair() {
    let filled = |seq, side, qty, price| Filled {
        order: OrderId(seq),
        seq,
        ts: 0,
        side,
        qty,
        quote: qty * price,
        fee: qty,
    };
    let mut books = PairOnly::default();
    for (seq, side, qty, price) in [
        (1, Side::Buy, 4, 100),
        (2, Side::Buy, 4, 90),
        (3, Side::Sell, 6, 110),
        (4, Side::Buy, 1, 50),
    ] {
        books.book(filled(seq, side, qty, price));
    }
    let pairs: Vec<_> = books.pairs.iter().map(|[a, b]| (a.seq, b.seq, a.qty)).collect();
    assert_eq!(pairs, [(2, 3, 4), (1, 3, 2)]);
    assert_eq!((books.gross(), books.fees()), (UsdSum(4 * 20 + 2 * 10), UsdSum(12)));
    let unpaired: Vec<_> = books.unpaired.iter().map(|f| (f.seq, f.qty, f.quote)).collect();
    assert_eq!(unpaired, [(1, 2, 200), (4, 1, 50)]);
}
