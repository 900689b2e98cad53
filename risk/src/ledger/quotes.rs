//! What the market says of each symbol, and what lives of open positions see of it: the prices at which they could be left.

use fusewire_core::assumed::ShortestBars;
use fusewire_core::event::Bar;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::units::{Nanos, Px};

use super::Ledger;
use super::life::Range;

/// What the market says of one symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quote {
    pub(super) bid: Px,
    pub(super) ask: Px,
    pub(super) mark: Option<Px>,
    /// The touch stands around the close of a bar, or a trade: what was between is not seen in it.
    pub(super) is_assumed: bool,
    pub(super) has_trades: bool,
    /// The last bar.
    pub(super) bar: Option<Range>,
    bars: ShortestBars,
}

impl Quote {
    /// Best bid plus best ask; none without both.
    pub(super) fn twice_mid(&self) -> Option<i128> {
        let usable = self.bid > Px::ZERO && self.bid < self.ask;
        usable.then(|| i128::from(self.bid.0) + i128::from(self.ask.0))
    }
}

impl Ledger {
    /// A bar is over. Where there is a book, or trades, these say more.
    pub(super) fn bar(&mut self, seq: u64, id: InstrumentId, bar: &Bar) {
        let quote = &mut self.quotes[id.index()];
        if !quote.bars.takes(bar.interval_s) {
            return;
        }
        self.tapes[id.index()].bar(bar);
        if !quote.is_assumed || quote.has_trades {
            return;
        }
        let length = Nanos(u64::from(bar.interval_s) * Nanos::SECOND);
        let range = Range { seq, end: bar.open_time.after(length), low: bar.low, high: bar.high };
        quote.bar = Some(range);
        for &(_, index) in self.open.iter().filter(|(place, _)| *place == id) {
            if let Some(life) = &mut self.cells[index].life {
                life.see_bar(range, bar.open_time);
            }
        }
    }

    /// Shows the prices at which positions in a symbol could be left to their lives.
    pub(super) fn observe(&mut self, id: InstrumentId) {
        let quote = self.quotes[id.index()];
        for &(_, index) in self.open.iter().filter(|(place, _)| *place == id) {
            if let Some(life) = &mut self.cells[index].life {
                life.observe_quote(quote.bid, quote.ask, quote.mark);
            }
        }
    }
}
