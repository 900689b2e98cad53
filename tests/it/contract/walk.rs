//! A made-up market as decoded inputs: books that walk around a constant mark, trades at and through them.

use fusewire_core::instrument::{Instrument, InstrumentId};
use fusewire_core::jitter;
use fusewire_core::market::{Level, Mark, Side, Times, Trade, TradeOrigin};
use fusewire_core::message::{BookInput, Input, InputBody};
use fusewire_core::order::OrderId;
use fusewire_core::units::{Nanos, ONE, Px, Qty};

/// An input with its levels.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    pub(crate) input: Input,
    pub(crate) bids: Vec<Level>,
    pub(crate) asks: Vec<Level>,
}

/// When the market begins.
pub(crate) const START: Nanos = Nanos(1_700_000_000 * Nanos::SECOND);

/// Marks by symbol; they never move, so that a limit in money is one in quantity.
pub(crate) const MARKS: [Px; 2] = [Px(60_000 * ONE), Px(3_000 * ONE)];

/// Levels of each side of a frame.
const DEPTH: i64 = 5;
/// How far a book strays from its mark, in ticks.
const STRAY: i64 = 150;

/// Draws numbers: the same seed, the same market.
pub(crate) struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A number in `from..=to`.
    pub(crate) fn roll(&mut self, from: i64, to: i64) -> i64 {
        self.drawn += 1;
        let bound = u64::try_from(to - from + 1).unwrap();
        let number = jitter::below(self.seed, OrderId(self.drawn), 0, bound);
        from + i64::try_from(number).unwrap()
    }
}

/// How often something comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A frame each 10 to 60 ms.
    Fast,
    /// Frames 10 ms to 5 s apart.
    Sparse,
}

impl Pace {
    fn wait(self, dice: &mut Dice) -> i64 {
        match self {
            Self::Fast => dice.roll(10, 60),
            // As many short pauses as long ones.
            Self::Sparse => {
                let most = [20, 100, 500, 2_000, 5_000][usize::try_from(dice.roll(0, 4)).unwrap()];
                dice.roll(10, most)
            }
        }
    }
}

/// The market of `frames` frames, then `tail` seconds of books and marks without a trade.
pub(crate) fn market(
    instruments: &[Instrument],
    seed: u64,
    (pace, frames, tail): (Pace, usize, u64),
) -> Vec<Fed> {
    let mut walk = Walk {
        dice: Dice::new(seed),
        instruments,
        mids: vec![0; instruments.len()],
        at: START,
        trades: 0,
        fed: Vec::new(),
    };
    for symbol in 0..instruments.len() {
        walk.mark(symbol);
        walk.book(symbol);
    }
    for _ in 0..frames {
        let wait = pace.wait(&mut walk.dice);
        walk.wait(wait);
        walk.step();
    }
    for _ in 0..tail * 2 {
        walk.wait(500);
        for symbol in 0..instruments.len() {
            walk.book(symbol);
            walk.mark(symbol);
        }
    }
    walk.fed
}

struct Walk<'a> {
    dice: Dice,
    instruments: &'a [Instrument],
    /// Distance of the best bid from the mark, in ticks.
    mids: Vec<i64>,
    at: Nanos,
    trades: i64,
    fed: Vec<Fed>,
}

impl Walk<'_> {
    fn wait(&mut self, millis: i64) {
        self.at = Nanos(self.at.0 + u64::try_from(millis).unwrap() * Nanos::MILLI);
    }

    fn step(&mut self) {
        let symbol = usize::try_from(self.dice.roll(0, self.mids.len() as i64 - 1)).unwrap();
        match self.dice.roll(0, 9) {
            0..=4 => self.book(symbol),
            5..=8 => self.trade(symbol),
            _ => self.mark(symbol),
        }
    }

    fn tick(&self, symbol: usize) -> i64 {
        self.instruments[symbol].tick.unwrap().0
    }

    fn bid(&self, symbol: usize) -> i64 {
        MARKS[symbol].0 + self.mids[symbol] * self.tick(symbol)
    }

    fn book(&mut self, symbol: usize) {
        let mid = self.mids[symbol] + self.dice.roll(-3, 3);
        self.mids[symbol] = mid.clamp(-STRAY, STRAY);
        let (bid, tick) = (self.bid(symbol), self.tick(symbol));
        let ask = bid + self.dice.roll(1, 3) * tick;
        let bids = self.side(symbol, bid, -tick);
        let asks = self.side(symbol, ask, tick);
        let count = u32::try_from(DEPTH).unwrap();
        let body = InputBody::Book(BookInput::Partial { bids: count, asks: count });
        self.push(symbol, body, bids, asks);
    }

    fn side(&mut self, symbol: usize, best: i64, step: i64) -> Vec<Level> {
        let lot = self.instruments[symbol].lot.step.0;
        let mut level = |place: i64| {
            let qty = Qty(self.dice.roll(1, 30) * lot);
            Level { price: Px(best + place * step), qty }
        };
        (0..DEPTH).map(&mut level).collect()
    }

    fn trade(&mut self, symbol: usize) {
        let (buys, through) = (self.dice.roll(0, 1) == 1, self.dice.roll(0, 4));
        let tick = self.tick(symbol);
        let price = if buys {
            self.bid(symbol) + (1 + through) * tick
        } else {
            self.bid(symbol) - through * tick
        };
        self.trades += 1;
        let trade = Trade {
            times: Times::default(),
            id: self.trades,
            price: Px(price),
            qty: Qty(self.dice.roll(1, 60) * self.instruments[symbol].lot.step.0),
            aggressor: if buys { Side::Buy } else { Side::Sell },
            origin: TradeOrigin::Market,
        };
        self.push(symbol, InputBody::Trade(trade), Vec::new(), Vec::new());
    }

    fn mark(&mut self, symbol: usize) {
        let mark = Mark { price: MARKS[symbol], ..Mark::default() };
        self.push(symbol, InputBody::Mark(mark), Vec::new(), Vec::new());
    }

    fn push(&mut self, symbol: usize, body: InputBody, bids: Vec<Level>, asks: Vec<Level>) {
        let instrument = InstrumentId(u16::try_from(symbol).unwrap());
        let frame = self.fed.len() as u64 + 1;
        self.fed.push(Fed {
            input: Input { recv: self.at, frame, instrument, stamp: Default::default(), body },
            bids,
            asks,
        });
    }
}
