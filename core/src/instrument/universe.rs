//! The instruments of one run, numbered in configuration order, and the way from symbol text to number.

use thiserror::Error;

use super::{Instrument, InstrumentId, Market};

/// Most instruments in one run. USD-M lists about 820 contracts (2026-07), all families about 1,500.
const INSTRUMENTS_MAX: usize = 4_096;

/// Why a list of instruments is no universe.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UniverseError {
    /// The same symbol twice in one market.
    #[error("{0} is listed twice")]
    Duplicate(String),
    /// More instruments than the tables hold.
    #[error("{0} instruments, the limit is {INSTRUMENTS_MAX}")]
    TooMany(usize),
}

/// The instruments of one run.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    instruments: Vec<Instrument>,
    /// Open addressing, load at most one half: instrument index + 1, 0 for an empty slot.
    slots: Vec<u16>,
}

impl Universe {
    /// Numbers the instruments in the given order.
    ///
    /// # Errors
    /// A symbol listed twice, or more than `INSTRUMENTS_MAX`.
    pub fn new(instruments: Vec<Instrument>) -> Result<Self, UniverseError> {
        if instruments.len() > INSTRUMENTS_MAX {
            return Err(UniverseError::TooMany(instruments.len()));
        }
        let size = (instruments.len() * 2).next_power_of_two().max(2);
        let mut universe = Self { instruments: Vec::new(), slots: vec![0; size] };
        for instrument in instruments {
            universe.push(instrument)?;
        }
        Ok(universe)
    }

    fn push(&mut self, instrument: Instrument) -> Result<(), UniverseError> {
        let (market, symbol) = (instrument.market, instrument.symbol.as_bytes());
        let mut slot = self.home(market, symbol);
        while self.slots[slot] != 0 {
            let other = &self.instruments[usize::from(self.slots[slot]) - 1];
            if other.market == market && other.symbol.as_bytes() == symbol {
                return Err(UniverseError::Duplicate(instrument.key()));
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.instruments.push(instrument);
        self.slots[slot] =
            u16::try_from(self.instruments.len()).expect("bounded by INSTRUMENTS_MAX");
        Ok(())
    }

    /// First slot to look at. The low bits of a product are weak, so the high ones are folded onto them.
    fn home(&self, market: Market, symbol: &[u8]) -> usize {
        let mut hash = market as u64 ^ 0x9E37_79B9_7F4A_7C15;
        for chunk in symbol.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            hash ^= hash >> 32;
        }
        (hash as usize) & (self.slots.len() - 1)
    }

    /// The number of a symbol, or `None` when it is not in the universe.
    #[must_use]
    pub fn find(&self, market: Market, symbol: &[u8]) -> Option<InstrumentId> {
        let mut slot = if self.slots.is_empty() { return None } else { self.home(market, symbol) };
        loop {
            let index = self.slots[slot].checked_sub(1)?;
            let instrument = &self.instruments[usize::from(index)];
            if instrument.market == market && instrument.symbol.as_bytes() == symbol {
                return Some(InstrumentId(index));
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// The instrument behind a number of this universe.
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id.index()]
    }

    /// All instruments with their numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        (0..).map(InstrumentId).zip(&self.instruments)
    }

    /// Number of instruments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// True without instruments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::common;
    use super::*;

    fn named(market: Market, symbol: &str) -> Instrument {
        let base = common(Market::UsdM, "BTCUSDT").unwrap();
        Instrument { market, symbol: symbol.to_owned(), ..base }
    }

    #[test]
    fn ids_follow_the_given_order_and_markets_are_apart() {
        let list = vec![
            named(Market::UsdM, "ETHUSDT"),
            named(Market::Spot, "BTCUSDT"),
            named(Market::UsdM, "BTCUSDT"),
        ];
        let universe = Universe::new(list).unwrap();
        assert_eq!(universe.find(Market::UsdM, b"ETHUSDT"), Some(InstrumentId(0)));
        assert_eq!(universe.find(Market::Spot, b"BTCUSDT"), Some(InstrumentId(1)));
        assert_eq!(universe.find(Market::UsdM, b"BTCUSDT"), Some(InstrumentId(2)));
        assert_eq!(universe.find(Market::CoinM, b"BTCUSDT"), None);
        assert_eq!(universe.find(Market::Spot, b"ETHUSDT"), None);
    }

    #[test]
    fn a_symbol_twice_is_refused() {
        let list = vec![named(Market::Spot, "BTCUSDT"), named(Market::Spot, "BTCUSDT")];
        assert_eq!(
            Universe::new(list).unwrap_err(),
            UniverseError::Duplicate("SPOT:BTCUSDT".to_owned())
        );
    }

    #[test]
    fn there_is_a_bound_on_instruments() {
        let list = |count| (0..count).map(|n| named(Market::UsdM, &format!("S{n}"))).collect();
        assert_eq!(Universe::new(list(INSTRUMENTS_MAX)).unwrap().len(), INSTRUMENTS_MAX);
        let error = Universe::new(list(INSTRUMENTS_MAX + 1)).unwrap_err();
        assert_eq!(error.to_string(), "4097 instruments, the limit is 4096");
    }

    #[test]
    fn instruments_are_listed_in_order() {
        let symbols = ["B", "A", "C"];
        let universe = Universe::new(symbols.map(|s| named(Market::UsdM, s)).into()).unwrap();
        let found: Vec<_> = universe.iter().map(|(id, i)| (id.0, i.symbol.as_str())).collect();
        assert_eq!(found, [(0, "B"), (1, "A"), (2, "C")]);
        assert!(!universe.is_empty());
    }

    #[test]
    fn an_empty_universe_finds_nothing() {
        for empty in [Universe::default(), Universe::new(Vec::new()).unwrap()] {
            assert!(empty.is_empty());
            assert_eq!(empty.find(Market::UsdM, b"BTCUSDT"), None);
        }
    }

    proptest! {
        #[test]
        fn every_symbol_is_found_and_no_other(symbols in proptest::collection::btree_set("[A-Z0-9币]{1,14}", 0..200)) {
            let list = symbols.iter().map(|s| named(Market::UsdM, s)).collect();
            let universe = Universe::new(list).unwrap();
            for (index, symbol) in symbols.iter().enumerate() {
                let id = universe.find(Market::UsdM, symbol.as_bytes()).unwrap();
                prop_assert_eq!(id.index(), index);
                prop_assert_eq!(&universe.get(id).symbol, symbol);
            }
            prop_assert_eq!(universe.find(Market::UsdM, b"not there"), None);
            prop_assert_eq!(universe.find(Market::UsdM, b""), None);
        }
    }
}
