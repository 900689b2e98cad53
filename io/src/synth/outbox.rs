//! From the exchange to the collector: a small delay on each frame, and order of arrival.

use std::collections::VecDeque;

use fusewire_core::units::Nanos;

use super::random::mix;

/// Shortest way from the exchange to the collector, in ns.
const DELAY_MIN_NS: u64 = 1_500 * Nanos::MICRO;
/// Ordinary jitter on top, in ns.
const JITTER_NS: u64 = 2_500 * Nanos::MICRO;
/// One frame in this many waits for a hiccup of the line; those behind it wait with it.
const HICCUP_EVERY: u64 = 512;
/// Longest hiccup, in ns.
const HICCUP_NS: u64 = 20 * Nanos::MILLI;
/// Fastest REST answer, in ns.
const REST_MIN_NS: u64 = 40 * Nanos::MILLI;
/// Jitter on top of it, in ns.
const REST_JITTER_NS: u64 = 80 * Nanos::MILLI;

/// A frame with its receive time.
pub(super) struct Arrival {
    pub(super) receive: Nanos,
    pub(super) frame: Vec<u8>,
}

/// The frames of one symbol on their way to the collector.
pub(super) struct Outbox {
    key: u64,
    sent: u64,
    last: Nanos,
    ready: VecDeque<Arrival>,
    /// The REST answer under way: it overtakes nothing and is overtaken by many.
    rest: Option<Arrival>,
}

impl Outbox {
    pub(super) fn new(key: u64) -> Self {
        Self { key, sent: 0, last: Nanos(0), ready: VecDeque::new(), rest: None }
    }

    /// Sends a stream frame made at `event`. A stream keeps its order, so a frame never arrives before
    /// the one ahead of it.
    pub(super) fn send(&mut self, event: Nanos, frame: Vec<u8>) {
        let hash = self.draw();
        let jitter = hash % JITTER_NS;
        let hiccup =
            if (hash >> 40).is_multiple_of(HICCUP_EVERY) { (hash >> 8) % HICCUP_NS } else { 0 };
        let receive = Nanos(event.0 + DELAY_MIN_NS + jitter + hiccup).max(self.last);
        if let Some(rest) = self.rest.take_if(|rest| rest.receive <= receive) {
            self.ready.push_back(rest);
        }
        self.last = receive;
        self.ready.push_back(Arrival { receive, frame });
    }

    /// Sends the answer to a REST request, made at `event`; only one is ever under way.
    pub(super) fn send_rest(&mut self, event: Nanos, frame: Vec<u8>) {
        let receive = Nanos(event.0 + REST_MIN_NS + self.draw() % REST_JITTER_NS).max(self.last);
        self.rest = Some(Arrival { receive, frame });
    }

    /// Nothing more will be sent.
    pub(super) fn close(&mut self) {
        self.ready.extend(self.rest.take());
    }

    /// Receive time of the next arrival.
    pub(super) fn next(&self) -> Option<Nanos> {
        self.ready.front().map(|arrival| arrival.receive)
    }

    /// Takes the next arrival.
    pub(super) fn take(&mut self) -> Option<Arrival> {
        self.ready.pop_front()
    }

    fn draw(&mut self) -> u64 {
        self.sent += 1;
        mix(self.key ^ self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_order_and_the_answer_comes_late() {
        let mut outbox = Outbox::new(7);
        for n in 0..2_000_u64 {
            if n == 100 {
                outbox.send_rest(Nanos(n * Nanos::MILLI), b"rest".to_vec());
            }
            outbox.send(Nanos(n * Nanos::MILLI), n.to_string().into_bytes());
        }
        let (mut last, mut expected, mut late, mut rest_at) = (Nanos(0), 0_u64, 0, None);
        while let Some(arrival) = outbox.take() {
            assert!(arrival.receive >= last);
            last = arrival.receive;
            if arrival.frame == b"rest" {
                rest_at = Some(expected);
                continue;
            }
            assert_eq!(arrival.frame, expected.to_string().into_bytes());
            let delay = arrival.receive.0 - expected * Nanos::MILLI;
            assert!((DELAY_MIN_NS..DELAY_MIN_NS + JITTER_NS + HICCUP_NS).contains(&delay));
            late += usize::from(delay > DELAY_MIN_NS + JITTER_NS);
            expected += 1;
        }
        assert_eq!(expected, 2_000);
        assert!(rest_at.is_some_and(|n| (130..230).contains(&n)), "{rest_at:?}");
        assert!(late > 0, "no hiccup");
    }
}
