//! What a strategy keeps for each symbol that it trades.

use std::ops::{Deref, DerefMut};

use fusewire_core::instrument::InstrumentId;
use fusewire_core::units::Px;

use crate::strategy::View;

/// One `T` for each tradable symbol, in the order of the universe: a slice of them, and where each is.
#[derive(Clone, Debug)]
pub struct Traded<T> {
    symbols: Vec<T>,
    /// By instrument: its place in `symbols`.
    places: Vec<Option<usize>>,
}

impl<T> Traded<T> {
    /// No symbols: they are known when the strategy starts.
    #[must_use]
    pub const fn none() -> Self {
        Self { symbols: Vec::new(), places: Vec::new() }
    }

    /// Makes one for each symbol on which orders may be sent, from its id and its tick size.
    #[must_use]
    pub fn new(view: &View<'_>, mut make: impl FnMut(InstrumentId, Px) -> T) -> Self {
        let mut traded = Self { places: vec![None; view.universe().len()], ..Self::none() };
        for (id, instrument) in view.universe().iter() {
            if let Some(tick) = instrument.tick.filter(|_| view.is_tradable(id)) {
                traded.places[id.index()] = Some(traded.symbols.len());
                traded.symbols.push(make(id, tick));
            }
        }
        traded
    }

    /// The place of a symbol; none of one that is only observed.
    #[must_use]
    pub fn place(&self, id: InstrumentId) -> Option<usize> {
        self.places.get(id.index()).copied().flatten()
    }
}

impl<T> Deref for Traded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.symbols
    }
}

impl<T> DerefMut for Traded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.symbols
    }
}
