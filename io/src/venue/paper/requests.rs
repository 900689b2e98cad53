//! Requests on their way to the venue.

use std::collections::VecDeque;

use fusewire_core::order::{Intent, OrderId};
use fusewire_core::units::Nanos;

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// When it gets in.
    pub(super) due: Nanos,
    /// When it left.
    pub(super) sent: Nanos,
    /// Its number among the requests on its order, from 0.
    pub(super) number: u32,
    /// What is asked.
    pub(super) intent: Intent,
}

/// What gets in next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// A request.
    Request(Request),
    /// The end of all open orders.
    CancelAll,
}

/// Requests by time of arrival, then in the order in which they left. Bounded.
#[derive(Debug)]
pub(super) struct Requests {
    queue: VecDeque<Request>,
    max: usize,
    /// Lies behind everything that left before it: nothing may get in after all was cancelled.
    cancel_all: Option<Nanos>,
}

impl Requests {
    /// None; room for `max`.
    pub(super) fn new(max: usize) -> Self {
        Self { queue: VecDeque::with_capacity(max), max, cancel_all: None }
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.max
    }

    /// Requests on an order.
    pub(super) fn count_of(&self, id: OrderId) -> u32 {
        let count = self.queue.iter().filter(|request| request.intent.order == id).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// True when a new order with this id is on its way.
    pub(super) fn has_new(&self, id: OrderId) -> bool {
        let is_new = |intent: &Intent| intent.action.order().is_some();
        self.queue.iter().any(|r| r.intent.order == id && is_new(&r.intent))
    }

    /// Adds a request. There must be room.
    pub(super) fn push(&mut self, request: Request) {
        assert!(!self.is_full(), "who adds a request has looked for room");
        let at = self.queue.partition_point(|other| other.due <= request.due);
        self.queue.insert(at, request);
    }

    /// All open orders end at `due` or when the last request that left before is in; returns when.
    pub(super) fn cancel_all(&mut self, due: Nanos) -> Nanos {
        let last = self.queue.back().map_or(due, |request| request.due.max(due));
        self.cancel_all = Some(last);
        last
    }

    /// True when all that is open should have ended by now: nothing may be triggered any more.
    pub(super) fn ends_all(&self, now: Nanos) -> bool {
        self.cancel_all.is_some_and(|due| due <= now)
    }

    /// What is in by `now` and not taken.
    pub(super) fn peek(&self, now: Nanos) -> Option<Next> {
        let request = self.queue.front().filter(|request| request.due <= now);
        let all = self.cancel_all.filter(|due| *due <= now);
        match (request, all) {
            (Some(request), Some(all)) if request.due > all => Some(Next::CancelAll),
            (Some(request), _) => Some(Next::Request(*request)),
            (None, Some(_)) => Some(Next::CancelAll),
            (None, None) => None,
        }
    }

    /// Takes the request that `peek` shows.
    pub(super) fn pop(&mut self) {
        self.queue.pop_front();
    }

    /// All open orders have ended.
    pub(super) fn all_cancelled(&mut self) {
        self.cancel_all = None;
    }
}
