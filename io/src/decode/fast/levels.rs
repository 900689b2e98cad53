//! Price levels of a depth frame, straight into the arena.

use fusewire_core::market::{Decoded, Level, LevelRange};
use fusewire_core::units::{DECIMALS, Px, Qty};

use super::super::LEVELS_MAX;
use super::super::scan::{Odd, Scan, Step, decimal};

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

/// `[["61659.70","0.1"],…]` without any space, as the exchange sends it.
fn read_levels(scan: &mut Scan<'_>, out: &mut Decoded) -> Step<usize> {
    let before = out.levels.len();
    let mut rest = scan.rest().strip_prefix(b"[").ok_or(Odd)?;
    if let [b']', after @ ..] = rest {
        scan.go_to(after);
        return Ok(0);
    }
    loop {
        if out.levels.len() == LEVELS_MAX {
            return Err(Odd);
        }
        let (level, after) = read_level(rest)?;
        out.levels.push(level);
        match after {
            [b',', after @ ..] => rest = after,
            [b']', after @ ..] => {
                scan.go_to(after);
                return Ok(out.levels.len() - before);
            }
            _ => return Err(Odd),
        }
    }
}

#[inline]
fn read_level(text: &[u8]) -> Step<(Level, &[u8])> {
    let [b'[', b'"', text @ ..] = text else { return Err(Odd) };
    let (price, text) = decimal(text, DECIMALS)?;
    let [b',', b'"', text @ ..] = text else { return Err(Odd) };
    let (qty, text) = decimal(text, DECIMALS)?;
    let [b']', text @ ..] = text else { return Err(Odd) };
    if price == 0 {
        return Err(Odd);
    }
    Ok((Level { price: Px(price), qty: Qty(qty) }, text))
}
