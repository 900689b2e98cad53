//! REST answers that wait for their place among the stream frames. A JSON recording lists the answers of
//! all connections before the first frame, although most of them came later.

use std::collections::VecDeque;

use fusewire_core::units::Nanos;

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) recv: Nanos,
    pub(super) line: u64,
    pub(super) url: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn size(&self) -> usize {
        size_of::<Self>() + self.url.len() + self.body.len()
    }
}

/// Where an answer stands in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placing {
    /// Where it came: the file's order holds.
    InPlace,
    /// Anywhere: it belongs before the first frame that is not older.
    ByTime,
}

/// The waiting answers, in the order in which they will be given out.
pub(super) struct Held {
    placing: Placing,
    limit: usize,
    answers: VecDeque<Answer>,
    bytes: usize,
}

impl Held {
    /// None yet, and at most `limit` bytes of them.
    pub(super) fn new(placing: Placing, limit: usize) -> Self {
        Self { placing, limit, answers: VecDeque::new(), bytes: 0 }
    }

    /// Puts an answer in line; `false` when that would exceed the limit.
    #[must_use]
    pub(super) fn hold(&mut self, answer: Answer) -> bool {
        let bytes = self.bytes.saturating_add(answer.size());
        if bytes > self.limit {
            return false;
        }
        self.bytes = bytes;
        let place = match self.placing {
            Placing::InPlace => self.answers.len(),
            Placing::ByTime => self.answers.partition_point(|held| held.recv <= answer.recv),
        };
        self.answers.insert(place, answer);
        true
    }

    /// Takes the first answer whose turn it is: before a frame of time `next`, or at the end of the frames.
    pub(super) fn take_due(&mut self, next: Option<Nanos>, ended: bool) -> Option<Answer> {
        let first = self.answers.front()?;
        let due = match self.placing {
            Placing::InPlace => true,
            Placing::ByTime => ended || next.is_some_and(|next| next >= first.recv),
        };
        if !due {
            return None;
        }
        let answer = self.answers.pop_front()?;
        self.bytes -= answer.size();
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(recv: u64, line: u64) -> Answer {
        Answer { recv: Nanos(recv), line, url: "u".to_owned(), body: b"{}".to_vec() }
    }

    fn lines_due(held: &mut Held, next: Option<u64>, ended: bool) -> Vec<u64> {
        std::iter::from_fn(|| held.take_due(next.map(Nanos), ended)).map(|a| a.line).collect()
    }

    #[test]
    fn answers_wait_for_their_time() {
        let mut held = Held::new(Placing::ByTime, 10_000);
        for (recv, line) in [(30, 1), (10, 2), (30, 3), (20, 4)] {
            assert!(held.hold(answer(recv, line)));
        }
        assert_eq!(lines_due(&mut held, None, false), Vec::<u64>::new());
        assert_eq!(lines_due(&mut held, Some(9), false), Vec::<u64>::new());
        assert_eq!(lines_due(&mut held, Some(20), false), vec![2, 4]);
        assert_eq!(lines_due(&mut held, None, true), vec![1, 3]);
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn answers_in_place_keep_the_order_of_the_file() {
        let mut held = Held::new(Placing::InPlace, 10_000);
        assert!(held.hold(answer(30, 1)) && held.hold(answer(10, 2)));
        assert_eq!(lines_due(&mut held, None, false), vec![1, 2]);
    }

    #[test]
    fn the_limit_counts_what_waits() {
        let size = answer(1, 1).size();
        let mut held = Held::new(Placing::ByTime, 2 * size);
        assert!(held.hold(answer(1, 1)) && held.hold(answer(2, 2)));
        assert!(!held.hold(answer(3, 3)));
        assert_eq!(lines_due(&mut held, Some(1), false), vec![1]);
        assert!(held.hold(answer(3, 3)));
    }
}
