//! One symbol: its timetable, and the frames that its book gives rise to.

use std::collections::VecDeque;

use fusewire_core::instrument::Instrument;
use fusewire_core::market::{Kind, Side};
use fusewire_core::units::Nanos;

use super::book::{Book, Touch};
use super::contract::Contract;
use super::latent::Latent;
use super::options::Options;
use super::outbox::{Arrival, Outbox};
use super::random::{Random, mix, mix_text};
use super::stream::Truth;
use super::wire::{Forced, MarkState, Print, Wire};

mod flow;

/// Diff frames come on this grid.
const DIFF_MS: u64 = 100;
/// Marks come on this grid, and the stream shows at most one liquidation in each.
const SECOND_MS: u64 = 1_000;
/// An aggregate trade is told this long after it happened: 150 ms in the live frames of 2026-10.
const PRINT_LAG_MS: u64 = 150;
/// The snapshot is asked for about a second after the diffs began, and never on their grid.
const SNAPSHOT_MS: (i64, i64) = (1_020, 1_080);
/// Most levels a side in the answer.
const SNAPSHOT_LEVELS: usize = 1_000;
/// The funding rate stays within 0.03 %, at 1e-8.
const FUNDING_RATE_MAX: i64 = 30_000;

/// The generator of one symbol. Times are ms since the start unless a name says otherwise.
pub(super) struct Market {
    contract: Contract,
    wire: Wire,
    random: Random,
    latent: Latent,
    book: Book,
    outbox: Outbox,
    start_unix_ms: u64,
    now_ms: u64,
    end_ms: u64,
    ended: bool,
    next_step_ms: u64,
    next_diff_ms: u64,
    next_second_ms: u64,
    snapshot_ms: Option<u64>,
    /// When the book last changed.
    changed_ms: u64,
    /// What the last `bookTicker` said.
    shown: Touch,
    /// Trades that have not been told yet.
    prints: VecDeque<Print>,
    agg_id: u64,
    trade_id: u64,
    /// The latest liquidation of this second; those before it are never told.
    forced: Option<Forced>,
    next_forced_ms: u64,
    mark: MarkState,
    frames: [u64; Kind::ALL.len()],
}

impl Market {
    /// `None` when the instrument has no usable tick, which validated options rule out.
    pub(super) fn new(options: &Options, instrument: &Instrument) -> Option<Self> {
        let contract = Contract::new(instrument)?;
        let key = mix_text(mix(options.seed) ^ options.scenario as u64, &contract.symbol);
        let mut random = Random::new(key);
        let latent = Latent::new(options.scenario, contract.base_ticks, &mut random);
        let price = latent.price(contract.tick);
        let rate = random.within(-2_000, 12_000);
        let mut market = Self {
            book: Book::new(9_000_000_000_000 + mix(key ^ 1) % 1_000_000_000_000),
            agg_id: 3_000_000_000 + mix(key ^ 2) % 100_000_000,
            trade_id: 8_000_000_000 + mix(key ^ 3) % 100_000_000,
            outbox: Outbox::new(mix(key ^ 4)),
            wire: Wire { named_snapshots: options.instruments.len() > 1 },
            start_unix_ms: options.start.0 / Nanos::MILLI,
            now_ms: 0,
            end_ms: u64::from(options.minutes) * 60 * SECOND_MS,
            ended: false,
            next_step_ms: random.millis(1, 30),
            next_diff_ms: DIFF_MS,
            next_second_ms: 0,
            snapshot_ms: Some(random.millis(SNAPSHOT_MS.0, SNAPSHOT_MS.1)),
            changed_ms: 0,
            shown: ((0, 0), (0, 0)),
            prints: VecDeque::new(),
            forced: None,
            next_forced_ms: random.millis(10_000, 50_000),
            mark: MarkState { mark: price, average: price, index: price, settle: price, rate },
            frames: [0; Kind::ALL.len()],
            contract,
            random,
            latent,
        };
        market.lay_out_book();
        market.announce();
        Some(market)
    }

    /// Receive time of the next line; `None` at the end. Runs the market until there is one.
    pub(super) fn next(&mut self) -> Option<Nanos> {
        while self.outbox.next().is_none() && !self.ended {
            self.advance();
        }
        self.outbox.next()
    }

    /// Takes the next line.
    pub(super) fn take_line(&mut self) -> Option<Arrival> {
        self.outbox.take()
    }

    /// The book and the counts as they stand.
    pub(super) fn truth(&self) -> Truth {
        Truth {
            bid: self.contract.level(self.book.best(Side::Buy)),
            ask: self.contract.level(self.book.best(Side::Sell)),
            bid_levels: self.book.len(Side::Buy),
            ask_levels: self.book.len(Side::Sell),
            frames: self.frames,
        }
    }

    /// Does the next thing of the timetable. At equal times orders come before the frames that sum
    /// them up, so that the last diff, on the last millisecond, leaves nothing out.
    fn advance(&mut self) {
        let print_ms = self.prints.front().map_or(u64::MAX, |p| self.since_start(p) + PRINT_LAG_MS);
        let snapshot_ms = self.snapshot_ms.unwrap_or(u64::MAX);
        let periodic_ms = self.next_diff_ms.min(self.next_second_ms);
        let next_ms = print_ms.min(self.next_step_ms).min(snapshot_ms).min(periodic_ms);
        if next_ms > self.end_ms {
            self.ended = true;
            return self.outbox.close();
        }
        self.now_ms = next_ms;
        if next_ms == print_ms {
            self.tell_print();
        } else if next_ms == self.next_step_ms {
            self.step();
        } else if next_ms == snapshot_ms {
            self.answer_snapshot();
        } else if next_ms == self.next_diff_ms {
            self.tell_diff();
        } else {
            self.tell_second();
        }
    }

    fn since_start(&self, print: &Print) -> u64 {
        print.time_ms - self.start_unix_ms
    }

    fn unix_ms(&self) -> u64 {
        self.start_unix_ms + self.now_ms
    }

    fn send(&mut self, kind: Kind, frame: Vec<u8>) {
        self.frames[kind as usize] += 1;
        self.outbox.send(Nanos(self.unix_ms() * Nanos::MILLI), frame);
    }

    /// Changes the book. The caller announces, once its order is done.
    fn set(&mut self, side: Side, tick: i64, lots: i64) {
        self.changed_ms = self.now_ms;
        self.book.set(side, tick, lots);
    }

    /// `bookTicker`, when the touch is not what was shown last.
    fn announce(&mut self) {
        let touch = self.book.touch();
        if touch != self.shown {
            self.shown = touch;
            let id = self.book.id();
            let frame = Wire::book_ticker(&self.contract, self.unix_ms(), id, touch);
            self.send(Kind::BookTicker, frame);
        }
    }

    fn tell_print(&mut self) {
        let Some(print) = self.prints.pop_front() else { return };
        let first = self.trade_id + 1;
        self.agg_id += 1;
        self.trade_id += print.fills;
        let ids = [self.agg_id, first, self.trade_id];
        let frame = Wire::agg_trade(&self.contract, self.unix_ms(), ids, &print);
        self.send(Kind::AggTrade, frame);
    }

    fn tell_diff(&mut self) {
        self.next_diff_ms += DIFF_MS;
        let Some(ids) = self.book.diff_ids() else { return };
        let changed = self.start_unix_ms + self.changed_ms;
        let frame = Wire::depth(&self.contract, self.unix_ms(), changed, ids, &self.book);
        self.book.forget_changes();
        self.send(Kind::Depth, frame);
    }

    fn answer_snapshot(&mut self) {
        self.snapshot_ms = None;
        let (event, changed) = (self.unix_ms(), self.start_unix_ms + self.changed_ms);
        let frame = self.wire.snapshot(&self.contract, event, changed, &self.book, SNAPSHOT_LEVELS);
        self.frames[Kind::Snapshot as usize] += 1;
        self.outbox.send_rest(Nanos(event * Nanos::MILLI), frame);
    }

    /// Mark price, and the liquidation of the second that ends here.
    fn tell_second(&mut self) {
        self.next_second_ms += SECOND_MS;
        self.move_mark();
        let frame = Wire::mark(&self.contract, self.unix_ms(), &self.mark);
        self.send(Kind::Mark, frame);
        if let Some(forced) = self.forced.take() {
            let frame = Wire::force_order(&self.contract, self.unix_ms(), &forced);
            self.send(Kind::Liquidation, frame);
        }
    }

    /// The mark follows the middle of the book with some inertia, the index follows the latent price.
    fn move_mark(&mut self) {
        let ((bid, _), (ask, _)) = self.book.touch();
        let middle = (bid + ask) * self.contract.tick / 2;
        let basis_point = middle / 10_000;
        let m = &mut self.mark;
        m.mark += (middle - m.mark) / 2 + self.random.bell(basis_point / 50);
        m.average += (m.mark - m.average) / 30;
        m.index = self.latent.price(self.contract.tick) + self.random.bell(basis_point / 20);
        m.settle = m.index + self.random.bell(basis_point / 5);
        let rate = m.rate + self.random.within(-20, 20);
        m.rate = rate.clamp(-FUNDING_RATE_MAX, FUNDING_RATE_MAX);
    }

    /// All levels of a side, best first, for tests against followers.
    #[cfg(test)]
    pub(super) fn levels(&self, side: Side) -> Vec<fusewire_core::market::Level> {
        self.book.levels(side).map(|level| self.contract.level(level)).collect()
    }

    /// Whether the book changed after the last diff frame.
    #[cfg(test)]
    pub(super) fn has_untold_changes(&self) -> bool {
        self.book.diff_ids().is_some()
    }
}
