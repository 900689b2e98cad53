//! Price levels of a depth frame, straight into the arena.

use fusewire_core::market::{Decoded, Level, LevelRange};
use fusewire_core::units::{Px, Qty};

use super::super::scan::{Scan, Step, Stop};
use super::super::{DecodeErrorKind, LEVELS_MAX};

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

    pub(super) fn bids(
        &mut self,
        scan: &mut Scan<'_>,
        key: &'static str,
        out: &mut Decoded,
    ) -> Step<()> {
        if self.bids.is_some() {
            return scan.bad(DecodeErrorKind::Duplicate(key));
        }
        let count = read_levels(scan, key, out)?;
        self.bids = Some(count);
        if self.asks.is_some() {
            // The arena holds bids first; the exchange has never sent asks first.
            out.levels[self.start..].rotate_right(count);
        }
        Ok(())
    }

    pub(super) fn asks(
        &mut self,
        scan: &mut Scan<'_>,
        key: &'static str,
        out: &mut Decoded,
    ) -> Step<()> {
        if self.asks.is_some() {
            return scan.bad(DecodeErrorKind::Duplicate(key));
        }
        self.asks = Some(read_levels(scan, key, out)?);
        Ok(())
    }

    pub(super) fn range(
        &self,
        scan: &mut Scan<'_>,
        [bid, ask]: [&'static str; 2],
    ) -> Step<LevelRange> {
        let Some(bids) = self.bids else { return scan.bad(DecodeErrorKind::Missing(bid)) };
        let Some(asks) = self.asks else { return scan.bad(DecodeErrorKind::Missing(ask)) };
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(LevelRange { start: narrow(self.start), bids: narrow(bids), asks: narrow(asks) })
    }
}

fn read_levels(scan: &mut Scan<'_>, key: &'static str, out: &mut Decoded) -> Step<usize> {
    if scan.peek() != b'[' {
        return scan.bad(DecodeErrorKind::WrongType(key));
    }
    scan.expect(b'[')?;
    let before = out.levels.len();
    let mut first = true;
    while scan.element(&mut first)? {
        if out.levels.len() == LEVELS_MAX {
            return Err(Stop::Odd);
        }
        let level = read_level(scan, key)?;
        out.levels.push(level);
    }
    Ok(out.levels.len() - before)
}

fn read_level(scan: &mut Scan<'_>, key: &'static str) -> Step<Level> {
    if scan.peek() != b'[' {
        return scan.bad(DecodeErrorKind::WrongType(key));
    }
    scan.expect(b'[')?;
    scan.space();
    let price = Px(scan.level_number(key)?);
    if price == Px::ZERO {
        return scan.bad(DecodeErrorKind::NotPositive(key));
    }
    scan.space();
    scan.expect(b',')?;
    scan.space();
    let qty = Qty(scan.level_number(key)?);
    let mut first = false;
    while scan.element(&mut first)? {
        scan.skip()?;
    }
    Ok(Level { price, qty })
}
