//! The head of the pipeline by itself: sequencer and books over inputs that are decoded already, its events
//! taken from the ring and dropped. Its lane's digest is in the time, as it is in every run; a journal is not.

use std::hint::black_box;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use fusewire::config::Config;
use fusewire_core::event::Event;
use fusewire_core::instrument::{Market, Universe};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::latency::Stamp;
use fusewire_core::market::Level;
use fusewire_core::message::{Feedback, Input, InputBody};
use fusewire_core::ring::{Consumer, LevelsProducer, Producer, RingBuffer, with_levels};
use fusewire_core::sequencer::{Ports, Sequencer};
use fusewire_core::stage::Stage;
use fusewire_io::capture::Origin;
use fusewire_io::feed::{Context, Feed};

use crate::desk::two_symbols;
use crate::measure::Subject;
use crate::tape::Tape;

/// An input with its levels.
struct Fed {
    input: Input,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// The joined parts of one pass.
struct Joined {
    ring: LevelsProducer<Input>,
    head: Sequencer,
    events: Consumer<Event>,
    /// The far end of the feedback ring, on which nothing comes.
    _feedback: Producer<Feedback>,
}

/// Sequencer and books.
pub struct Head {
    config: Config,
    universe: Universe,
    inputs: Vec<Fed>,
    joined: Joined,
}

impl Head {
    /// Over the first frames of a tape of BTCUSDT and ETHUSDT.
    ///
    /// # Panics
    /// When a frame can not be decoded.
    #[must_use]
    pub fn new(tape: &Tape, frames: usize) -> Self {
        let (config, universe) = (Config::default(), two_symbols());
        let inputs = inputs(tape, frames, &universe);
        let joined = Joined::new(&config, &universe);
        Self { config, universe, inputs, joined }
    }
}

impl Joined {
    fn new(config: &Config, universe: &Universe) -> Self {
        let (ring, input) = with_levels(config.ring.messages as usize, config.ring.levels as usize);
        let (output, events) = RingBuffer::new(config.ring.messages as usize);
        let (back, feedback) = RingBuffer::new(1);
        let control = Arc::new(ArrayQueue::new(1));
        let ports = Ports { input, feedback, control, output, tap: None };
        let (settings, books) = (config.sequencer_config(0), config.books());
        let kill = KillSwitch::new();
        let head = Sequencer::new(&settings, universe, &books, kill, ports, Keep::Digest);
        Self { ring, head, events, _feedback: back }
    }

    /// One input to its end.
    fn take(&mut self, fed: &Fed) {
        assert!(self.ring.push(fed.input, &fed.bids, &fed.asks), "the ring is empty before");
        loop {
            self.head.poll();
            while let Ok(event) = self.events.pop() {
                black_box(event);
            }
            if self.head.wants_input() {
                return;
            }
        }
    }
}

impl Subject for Head {
    fn units(&self) -> u64 {
        self.inputs.len() as u64
    }

    fn reset(&mut self) {
        self.joined = Joined::new(&self.config, &self.universe);
    }

    fn pass(&mut self) {
        for fed in &self.inputs {
            self.joined.take(black_box(fed));
        }
        assert_eq!(self.joined.head.fault(), None);
    }
}

fn inputs(tape: &Tape, frames: usize, universe: &Universe) -> Vec<Fed> {
    let mut feed = Feed::new(universe.clone());
    let mut inputs = Vec::new();
    for frame in tape.frames().take(frames) {
        let symbols = ["BTCUSDT", "ETHUSDT"];
        let only_symbol = symbols.get(frame.source).copied();
        let context = Context { market: Market::UsdM, origin: Origin::Stream, only_symbol };
        let (recv, number) = (frame.recv, inputs.len() as u64 + 1);
        let taken = feed.take(frame.bytes, &context, |instrument, message, decoded| {
            let (body, range) =
                (InputBody::of(&message.body, decoded), InputBody::levels_of(&message.body));
            let (bids, asks) = (decoded.bids(range).to_vec(), decoded.asks(range).to_vec());
            let stamp = Stamp::default();
            let input = Input { recv, frame: number, instrument, stamp, body };
            inputs.push(Fed { input, bids, asks });
        });
        assert!(taken.is_ok(), "the recording was read before");
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Recordings;

    #[test]
    fn the_head_makes_events_of_its_inputs_and_keeps_its_books() {
        let tape = Tape::load(&Recordings::sample()).unwrap();
        let mut head = Head::new(&tape, 5_000);
        for _ in 0..2 {
            head.reset();
            head.pass();
            assert!(head.joined.head.seq() > 5_000);
            let books = head.joined.head.books();
            let synced = |(id, _)| books.get(id).state().is_ok();
            assert!(head.universe.iter().all(synced));
        }
    }
}
