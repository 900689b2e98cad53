//! MAX_NUM_ORDERS, C10: open and in-flight orders of one symbol, both sides. New risk leaves room for
//! reduces, but at least half of the venue's table is its own.

use fusewire_core::order::{Check, Class};

use super::{Outcome, UNLIMITED, at_most};

#[inline(always)]
pub(crate) fn max_orders(open: u32, venue_max: Option<u32>, class: Class, reserve: u32) -> Outcome {
    let limit = |venue_max: u32| match class {
        Class::NewRisk => venue_max - reserve.min(venue_max / 2),
        Class::Reduce | Class::HaltReduce | Class::Cancel => venue_max,
    };
    let limit = venue_max.map_or(UNLIMITED, |venue_max| i128::from(limit(venue_max)));
    at_most(Check::MaxOrders, i128::from(open) + 1, limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;

    #[test]
    fn c10_the_orders_of_a_symbol_are_bounded() {
        let refused = |open, venue_max, class| {
            let fail = max_orders(open, venue_max, class, 20).err();
            fail.map(|fail| (fail.check, fail.measured, fail.limit))
        };
        assert_eq!(refused(179, Some(200), Class::NewRisk), None);
        let full = Some((Check::MaxOrders, 181, 180));
        assert_eq!(refused(180, Some(200), Class::NewRisk), full);
        assert_eq!(refused(199, Some(200), Class::Reduce), None);
        assert_eq!(refused(200, Some(200), Class::Reduce), Some((Check::MaxOrders, 201, 200)));
        assert_eq!(refused(2, Some(5), Class::NewRisk), None, "half of a small table is kept");
        assert_eq!(refused(3, Some(5), Class::NewRisk), Some((Check::MaxOrders, 4, 3)));
        assert_eq!(refused(u32::MAX, None, Class::NewRisk), None);
        let passed = |venue_max| numbers(max_orders(2, venue_max, Class::NewRisk, 20));
        assert_eq!(passed(Some(200)), Some([3, 180]));
        assert_eq!(passed(None), Some([3, UNLIMITED]));
    }
}
