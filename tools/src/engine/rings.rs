//! The rings between the stages, as wide as the configuration says.

use fusewire_core::event::Event;
use fusewire_core::message::{AlphaOut, Feedback, Input, RiskOut, Tap};
use fusewire_core::ring::{
    Consumer, LevelsConsumer, LevelsProducer, Producer, RingBuffer, with_levels,
};

use crate::config::Config;

/// Both ends of every ring of the picture.
pub(crate) struct Rings {
    pub(crate) input: (LevelsProducer<Input>, LevelsConsumer<Input>),
    pub(crate) event: (Producer<Event>, Consumer<Event>),
    pub(crate) alpha: (Producer<AlphaOut>, Consumer<AlphaOut>),
    pub(crate) risk: (Producer<RiskOut>, Consumer<RiskOut>),
    pub(crate) feedback: (Producer<Feedback>, Consumer<Feedback>),
    pub(crate) tap: (LevelsProducer<Tap>, LevelsConsumer<Tap>),
}

impl Rings {
    /// Empty rings for so many symbols.
    pub(crate) fn new(config: &Config, symbols: usize) -> Self {
        let messages = config.ring.messages as usize;
        let levels = config.ring.levels as usize;
        Self {
            input: with_levels(messages, levels),
            event: RingBuffer::new(messages),
            alpha: RingBuffer::new(messages),
            risk: RingBuffer::new(messages),
            feedback: RingBuffer::new(messages),
            // A gap tells of every book at once.
            tap: with_levels(messages.max(symbols), levels),
        }
    }
}
