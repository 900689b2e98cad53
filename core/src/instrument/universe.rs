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
    /// Open addressing, load at most one half.
    slots: Vec<Slot>,
}

/// A place in the table.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: Key,
    /// Instrument index + 1, 0 for an empty slot.
    number: u16,
}

/// What a symbol is found by without looking at its text: that of up to sixteen bytes is all in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Key {
    ends: [u64; 2],
    length: u32,
    market: u8,
}

/// Longest symbol that its ends tell whole, in bytes.
const WHOLE_BYTES: usize = 16;

impl Key {
    fn new(market: Market, symbol: &[u8]) -> Self {
        let length = u32::try_from(symbol.len()).unwrap_or(u32::MAX);
        Self { ends: ends(symbol), length, market: market as u8 }
    }

    /// The low bits of a product are weak, so the high ones are folded onto them.
    fn hash(&self) -> usize {
        let [front, back] = self.ends;
        let seed = u64::from(self.length) << 8 | u64::from(self.market);
        let hash = (front ^ seed).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let hash = (hash ^ hash >> 32 ^ back).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash ^ hash >> 32) as usize
    }
}

/// The first and the last bytes of a text, eight of each; they overlap in a short one.
fn ends(text: &[u8]) -> [u64; 2] {
    if let (Some(front), Some(back)) = (text.first_chunk(), text.last_chunk()) {
        return [u64::from_le_bytes(*front), u64::from_le_bytes(*back)];
    }
    if let (Some(front), Some(back)) = (text.first_chunk(), text.last_chunk()) {
        return [u32::from_le_bytes(*front).into(), u32::from_le_bytes(*back).into()];
    }
    [text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0]
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
        let slots = vec![Slot::default(); size];
        let mut universe = Self { instruments: Vec::new(), slots };
        for instrument in instruments {
            universe.push(instrument)?;
        }
        Ok(universe)
    }

    fn push(&mut self, instrument: Instrument) -> Result<(), UniverseError> {
        let symbol = instrument.symbol.as_bytes();
        if self.find(instrument.market, symbol).is_some() {
            return Err(UniverseError::Duplicate(instrument.key()));
        }
        let key = Key::new(instrument.market, symbol);
        let mut slot = key.hash() & (self.slots.len() - 1);
        while self.slots[slot].number != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.instruments.push(instrument);
        let number = u16::try_from(self.instruments.len()).expect("bounded by INSTRUMENTS_MAX");
        self.slots[slot] = Slot { key, number };
        Ok(())
    }

    /// The number of a symbol, or `None` when it is not in the universe.
    #[must_use]
    pub fn find(&self, market: Market, symbol: &[u8]) -> Option<InstrumentId> {
        let (key, last) = (Key::new(market, symbol), self.slots.len().checked_sub(1)?);
        let mut slot = key.hash() & last;
        loop {
            let found = &self.slots[slot];
            let index = found.number.checked_sub(1)?;
            if found.key == key && self.is_called(index, symbol) {
                return Some(InstrumentId(index));
            }
            slot = (slot + 1) & last;
        }
    }

    /// Whether an instrument whose key is that of a symbol is the one.
    fn is_called(&self, index: u16, symbol: &[u8]) -> bool {
        symbol.len() <= WHOLE_BYTES
            || self.instruments[usize::from(index)].symbol.as_bytes() == symbol
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
        fn every_symbol_is_found_and_no_other(symbols in proptest::collection::btree_set("[A-Z0-9币]{1,24}", 0..200)) {
            let list = symbols.iter().map(|s| named(Market::UsdM, s)).collect();
            let universe = Universe::new(list).unwrap();
            for (index, symbol) in symbols.iter().enumerate() {
                let id = universe.find(Market::UsdM, symbol.as_bytes()).unwrap();
                prop_assert_eq!(id.index(), index);
                prop_assert_eq!(&universe.get(id).symbol, symbol);
            }
            for (index, symbol) in symbols.iter().enumerate() {
                for at in 0..symbol.len() {
                    let mut other = symbol.clone().into_bytes();
                    other[at] ^= 0x20;
                    prop_assert_eq!(universe.find(Market::UsdM, &other), None, "{} {}", index, at);
                    other.remove(at);
                    let known = symbols.iter().position(|s| s.as_bytes() == other);
                    let found = universe.find(Market::UsdM, &other).map(InstrumentId::index);
                    prop_assert_eq!(found, known);
                }
            }
            prop_assert_eq!(universe.find(Market::UsdM, b"not there"), None);
            prop_assert_eq!(universe.find(Market::UsdM, b""), None);
        }
    }
}
