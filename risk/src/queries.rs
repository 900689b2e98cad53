//! When to ask the venue what became of an order: it did not answer, it contradicted itself, or nothing
//! was heard of the order for long. Orders take turns, so that none is asked for ever while others wait.

use fusewire_core::order::{Action, Intent, OrderId, Source};
use fusewire_core::portfolio::{Order, Phase, Portfolio};
use fusewire_core::units::Nanos;

use crate::limits::RiskConfig;
use crate::rates::{Budget, LastN};

/// Why an order is asked about; the first reason goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// An intent has no answer, or the venue said that it does not know the order.
    Unanswered,
    /// Nothing was heard of it for long.
    Unheard,
}

impl Reason {
    const ALL: [Self; 2] = [Self::Unanswered, Self::Unheard];
}

/// Who was asked about, and whose turn it is.
pub(crate) struct Queries {
    ack_timeout: Nanos,
    reconcile_every: Nanos,
    per_event: usize,
    /// As long as the budget, whose window is no shorter than the timeout: nothing that counts is
    /// forgotten. An answer clears the order's own note, so that it can not tell.
    asked: LastN<(OrderId, Nanos)>,
    /// The last order asked about, for each reason.
    turn: [OrderId; Reason::ALL.len()],
}

impl Queries {
    pub(crate) fn new(config: &RiskConfig) -> Self {
        Self {
            ack_timeout: config.ack_timeout,
            reconcile_every: config.reconcile_every,
            per_event: config.queries_per_event,
            asked: LastN::new(config.limits.rate_query as usize),
            turn: [OrderId(0); Reason::ALL.len()],
        }
    }

    /// Notes a query that left, whoever formed it.
    pub(crate) fn note(&mut self, order: OrderId, now: Nanos) {
        self.asked.push((order, now));
    }

    /// Adds the queries that are due at a tick to `out`, which has room for `room` intents. One beyond
    /// the budget is not formed: it would only be refused.
    pub(crate) fn form(
        &mut self,
        portfolio: &Portfolio,
        budget: &Budget,
        now: Nanos,
        (room, out): (usize, &mut Vec<Intent>),
    ) {
        let mut formed = 0;
        for reason in Reason::ALL {
            // Half of the budget is kept for orders that did not answer, because a reduce may wait
            // for one of them.
            let kept = match reason {
                Reason::Unanswered => 0,
                Reason::Unheard => budget.capacity() / 2,
            };
            let orders = portfolio.orders();
            let turn = orders.partition_point(|order| order.id <= self.turn[reason as usize]);
            for order in orders[turn..].iter().chain(&orders[..turn]) {
                let more = formed + 1;
                if more > self.per_event.min(room) || !budget.fits(now, more + kept) {
                    break;
                }
                if self.reason(order, now) == Some(reason) && !self.was_asked(order.id, now) {
                    self.turn[reason as usize] = order.id;
                    formed = more;
                    out.push(query(order));
                }
            }
        }
    }

    fn reason(&self, order: &Order, now: Nanos) -> Option<Reason> {
        let since = |at: Nanos, span: Nanos| now.since(at) >= i128::from(span.0);
        let unanswered = order.unanswered_since().is_some_and(|at| since(at, self.ack_timeout));
        if unanswered || order.in_doubt {
            return Some(Reason::Unanswered);
        }
        let unheard = order.phase == Phase::Open && since(order.heard_at, self.reconcile_every);
        unheard.then_some(Reason::Unheard)
    }

    fn was_asked(&self, order: OrderId, now: Nanos) -> bool {
        let lately = |at: &Nanos| now.since(*at) < i128::from(self.ack_timeout.0);
        self.asked.newest_first().take_while(|(_, at)| lately(at)).any(|(id, _)| *id == order)
    }
}

fn query(order: &Order) -> Intent {
    Intent {
        order: order.id,
        instrument: order.instrument,
        source: Source::Risk,
        action: Action::Query,
    }
}
