//! Price levels of a depth frame, straight into the arena.

use fusewire_core::market::{Decoded, Level, LevelRange};
use fusewire_core::units::{Px, Qty};

use super::super::LEVELS_MAX;
use super::super::scan::{Odd, Scan, Step};

/// Both sides of a depth frame on their way into the arena.
pub(super) struct Sides {
    start: usize,
    bids: Option<usize>,
    asks: Option<usize>,
}

impl Sides {
    pub(super) fn at(out: &Decoded) -> Self {
        Self { start: out.levels.len(), bids: None, asks: None }
    }

    pub(super) fn bids(&mut self, scan: &mut Scan<'_>, out: &mut Decoded) -> Step<()> {
        // The arena holds bids first, and the exchange has never sent asks first.
        if self.bids.is_some() || self.asks.is_some() {
            return Err(Odd);
        }
        self.bids = Some(read_levels(scan, out)?);
        Ok(())
    }

    pub(super) fn asks(&mut self, scan: &mut Scan<'_>, out: &mut Decoded) -> Step<()> {
        if self.asks.is_some() {
            return Err(Odd);
        }
        self.asks = Some(read_levels(scan, out)?);
        Ok(())
    }

    pub(super) fn range(&self) -> Step<LevelRange> {
        let narrow = |n: usize| u32::try_from(n).map_err(|_| Odd);
        Ok(LevelRange {
            start: narrow(self.start)?,
            bids: narrow(self.bids.ok_or(Odd)?)?,
            asks: narrow(self.asks.ok_or(Odd)?)?,
        })
    }
}

fn read_levels(scan: &mut Scan<'_>, out: &mut Decoded) -> Step<usize> {
    let before = out.levels.len();
    let mut lead = b'[';
    while scan.element(&mut lead)? {
        if out.levels.len() == LEVELS_MAX {
            return Err(Odd);
        }
        let level = read_level(scan)?;
        out.levels.push(level);
    }
    Ok(out.levels.len() - before)
}

fn read_level(scan: &mut Scan<'_>) -> Step<Level> {
    scan.expect(b'[')?;
    let price = Px(scan.level_number()?);
    scan.expect(b',')?;
    let qty = Qty(scan.level_number()?);
    scan.expect(b']')?;
    if price == Px::ZERO { Err(Odd) } else { Ok(Level { price, qty }) }
}
