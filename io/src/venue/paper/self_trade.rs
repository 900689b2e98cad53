//! What happens when an order would trade with an own one: an account does not trade with itself.
//!
//! All own orders that a taker's limit reaches end before it trades where makers end, even when better levels
//! of the market fill it whole: the exchange would end only those that it meets, and this errs on the careful
//! side. Where the taker ends it takes what stands at better prices than the first own order, and nothing of
//! what stands beside that one: nobody knows how much of it was there before.

use fusewire_core::order::{ReportKind, Side, VenueReason};
use fusewire_core::units::{Px, Qty};

use super::PaperVenue;
use super::desk::At;
use super::orders::OpenOrder;
use crate::gateway::Feedbacks;

/// Who ends when an order would trade with an own one (`selfTradePreventionMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTrade {
    /// The own orders that rest (`EXPIRE_MAKER`).
    #[default]
    ExpireMaker,
    /// What is left of the order that comes (`EXPIRE_TAKER`).
    ExpireTaker,
    /// That, and the first order that it meets (`EXPIRE_BOTH`).
    ExpireBoth,
}

impl PaperVenue {
    /// The worst price at which an order may take.
    pub(super) fn take_limit(&self, order: &OpenOrder) -> Px {
        match (self.self_trade, self.first_met(order)) {
            (SelfTrade::ExpireMaker, _) | (_, None) => order.price,
            (SelfTrade::ExpireTaker | SelfTrade::ExpireBoth, Some(index)) => {
                let own = self.orders.get(index).price;
                match order.side {
                    Side::Buy => Px(own.0 - 1),
                    Side::Sell => Px(own.0.saturating_add(1)),
                }
            }
        }
    }

    /// Ends the own orders that an order's limit reaches, where it is the makers that end.
    pub(super) fn expire_met(&mut self, at: At, order: &OpenOrder, out: &mut Feedbacks) {
        match self.self_trade {
            SelfTrade::ExpireMaker => {
                let met = self.orders.crossing(order.instrument, order.side, order.price);
                for _ in met.clone() {
                    self.end(at, met.start, ReportKind::Expired, VenueReason::SelfTrade, out);
                }
            }
            SelfTrade::ExpireTaker | SelfTrade::ExpireBoth => {}
        }
    }

    /// Ends what is left of an order that stands before an own one; false when it does not.
    pub(super) fn stop_at_own(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        out: &mut Feedbacks,
    ) -> bool {
        let Some(index) = self.first_met(order) else { return false };
        // What may have no more does not get as far.
        if self.desk.wanted(order) == Qty::ZERO {
            return false;
        }
        match self.self_trade {
            SelfTrade::ExpireMaker => return false,
            SelfTrade::ExpireTaker => {}
            SelfTrade::ExpireBoth => {
                self.end(at, index, ReportKind::Expired, VenueReason::SelfTrade, out);
            }
        }
        self.desk.report(at, order, ReportKind::Expired, VenueReason::SelfTrade, out);
        true
    }

    /// The first own order that an order meets: best price, then the oldest.
    fn first_met(&self, order: &OpenOrder) -> Option<usize> {
        let met = self.orders.crossing(order.instrument, order.side, order.price);
        (!met.is_empty()).then_some(met.start)
    }
}
