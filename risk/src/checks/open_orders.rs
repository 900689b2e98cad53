//! C10: open and in-flight orders of the account. A part of the table is only for reduces, and what the
//! halt sends has room beyond it.

use fusewire_core::order::{Check, Class};

use super::{Outcome, at_most};

/// How the table of orders is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Orders of strategies.
    pub(crate) open_max: u32,
    /// The part of it that only reduces may use.
    pub(crate) reduce_reserve: u32,
    /// Orders in all, those of the halt included.
    pub(crate) total: usize,
}

#[inline(always)]
pub(crate) fn open_orders(open: usize, class: Class, table: Table) -> Outcome {
    let limit = match class {
        Class::NewRisk => i128::from(table.open_max) - i128::from(table.reduce_reserve),
        Class::Reduce => i128::from(table.open_max),
        Class::HaltReduce | Class::Cancel => table.total as i128,
    };
    at_most(Check::OpenOrders, open as i128 + 1, limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;

    #[test]
    fn c10_the_account_has_a_bound_and_reduces_a_reserve() {
        let table = Table { open_max: 200, reduce_reserve: 20, total: 205 };
        for (class, last) in [(Class::NewRisk, 180), (Class::Reduce, 200), (Class::HaltReduce, 205)]
        {
            let passed = open_orders(last - 1, class, table);
            assert_eq!(numbers(passed), Some([last as i128; 2]));
            let fail = open_orders(last, class, table).unwrap_err();
            assert_eq!((fail.check, fail.limit), (Check::OpenOrders, last as i128));
            assert_eq!(fail.measured, last as i128 + 1);
        }
    }
}
