//! Both over a real recording, where the tape does not tell all.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use fusewire_core::market;

use super::*;
use crate::capture::{OpenOptions, Reader};
use crate::decode::Decoder;

const FILE: &str = "captures/ws_raw/2024-08-08/usdm_btcusdt_20240808.ns.gz";
/// Between two rounds of the script, in ns; the lots that we pay in all; the orders of which we pay more, and
/// those of which they do. In long rounds the market mostly moves through the quotes.
const ROUNDS: [(u64, i64, [u32; 2]); 2] =
    [(2 * Nanos::SECOND, 292, [0, 0]), (200 * Nanos::MILLI, 1_855, [1, 9])];

fn capture() -> Option<PathBuf> {
    let shared = std::env::var_os("FUSEWIRE_SHARED");
    if shared.is_none() {
        // Past the capture of the test harness: nobody should take a skipped test for a passed one.
        let line = b"SKIPPED the real tape: set FUSEWIRE_SHARED to the folder with the captures\n";
        std::io::stderr().write_all(line).unwrap();
    }
    shared.map(|shared| PathBuf::from(shared).join(FILE))
}

/// The recording with a script that quotes the touch that it sees.
struct Recorded {
    tape: Tape,
    book: Books,
    round_ns: u64,
    next_round: u64,
    round: u64,
}

impl Recorded {
    fn load(path: &Path, round_ns: u64) -> Tape {
        let options = OpenOptions { market: Some(Market::UsdM), ..OpenOptions::default() };
        let mut reader = Reader::open(path, &options).unwrap();
        let (mut decoder, mut out) = (Decoder::new(Market::UsdM), market::Decoded::default());
        let book = Books::new(&Universe::new(vec![btc()]).unwrap(), &books());
        let mut found = Self { tape: Tape::default(), book, round_ns, next_round: 0, round: 0 };
        while let Some(record) = reader.next().unwrap() {
            let ts = record.recv.0;
            decoder.decode(record.bytes, &mut out).unwrap();
            for message in &out.messages {
                found.take(ts, message, &out);
            }
        }
        found.tape
    }

    fn take(&mut self, ts: u64, message: &market::Message, out: &market::Decoded) {
        let count = |levels: &[Level]| u32::try_from(levels.len()).unwrap();
        let (input, levels) = match message.body {
            market::Body::Depth(depth) => {
                let (bids, asks) = (out.bids(depth.levels), out.asks(depth.levels));
                let (ids, bids, asks) = (depth.ids, count(bids), count(asks));
                (BookInput::Diff { ids, bids, asks }, depth.levels)
            }
            market::Body::Snapshot(snapshot) => {
                let (bids, asks) = (out.bids(snapshot.levels), out.asks(snapshot.levels));
                let (last_id, bids, asks) = (snapshot.last_id, count(bids), count(asks));
                (BookInput::Snapshot { last_id, bids, asks }, snapshot.levels)
            }
            market::Body::Trade(trade) if trade.origin == market::TradeOrigin::Market => {
                let market::Trade { price, qty, aggressor, .. } = trade;
                let item = Item::Trade(Trade { id: 0, price, qty, aggressor });
                if price > Px::ZERO && qty > Qty::ZERO {
                    self.tape.push(ts, item);
                }
                return;
            }
            market::Body::PartialDepth(_)
            | market::Body::BookTicker(_)
            | market::Body::Trade(_)
            | market::Body::AggTrade(_)
            | market::Body::Mark(_)
            | market::Body::Liquidation(_)
            | market::Body::Funding(_)
            | market::Body::OpenInterest(_)
            | market::Body::DepthBand(_)
            | market::Body::Kline(_)
            | market::Body::ContractInfo(_) => return,
        };
        let (bids, asks) = (out.bids(levels), out.asks(levels));
        self.book.apply_input(ID, &input, bids, asks);
        self.tape.push(ts, Item::Frame(input, bids.to_vec(), asks.to_vec()));
        self.quote(ts);
    }

    fn quote(&mut self, ts: u64) {
        let Ok(touch) = self.book.get(ID).touch() else { return };
        let (Some(bid), Some(ask)) = (touch.bid, touch.ask) else { return };
        if ts < self.next_round {
            return;
        }
        self.next_round = ts + self.round_ns;
        let id = 4 * self.round;
        self.round += 1;
        // Ticks behind the touch, by turns.
        let away = i64::try_from(self.round % 3).unwrap();
        let (buy, sell) = (bid.price.0 / TICK - away, ask.price.0 / TICK + away);
        let new = |id, side, tif, ticks, lots| Step::New { id, side, tif, ticks, lots };
        let (side, ticks) = if self.round.is_multiple_of(2) {
            (Side::Buy, buy + 200)
        } else {
            (Side::Sell, sell - 200)
        };
        for (after, step) in [
            (1, new(id, Side::Buy, Tif::Gtx, buy, 1)),
            (1, new(id + 1, Side::Sell, Tif::Gtx, sell, 1)),
            (self.round_ns / 4 * 3, Step::Cancel { id }),
            (self.round_ns / 4 * 3, Step::Cancel { id: id + 1 }),
            (self.round_ns / 10 * 9, new(id + 2, side, Tif::Ioc, ticks, 1)),
        ] {
            self.tape.push(ts + after, Item::Step(step));
        }
    }
}

/// Orders that one side paid and the other did not, or not at the same price.
fn differing(ours: &Outcome, theirs: &Outcome) -> Vec<(u64, Filled, Filled)> {
    let ids: BTreeSet<u64> = ours.orders.keys().chain(theirs.orders.keys()).copied().collect();
    let of = |outcome: &Outcome, id| outcome.orders.get(&id).copied().unwrap_or_default();
    let pairs = ids.into_iter().map(|id| (id, of(ours, id), of(theirs, id)));
    pairs.filter(|(_, a, b)| a != b).collect()
}

/// What happened while an order rested that only one of the two pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reasons {
    /// The other side's best reached its price: they pay.
    reached: bool,
    /// A trade of its own side's aggressor went through it: we pay.
    passed: bool,
}

fn reasons(tape: &Tape, order: u64) -> Reasons {
    let mut books = Books::new(&Universe::new(vec![btc()]).unwrap(), &books());
    let mut resting = None;
    let (mut from, mut until) = (u64::MAX, u64::MAX);
    let mut found = Reasons::default();
    tape.play(|ts, item| match (item, resting) {
        (Item::Step(Step::New { id, side, ticks, .. }), _) if *id == order => {
            resting = Some((*side, Px(ticks * TICK)));
            from = ts + THERE_NS;
        }
        (Item::Step(Step::Cancel { id }), _) if *id == order => until = ts + THERE_NS,
        (Item::Frame(input, bids, asks), _) => {
            books.apply_input(ID, input, bids, asks);
            let (Some((side, price)), Ok(touch)) = (resting, books.get(ID).touch()) else { return };
            let meets = match side {
                Side::Buy => touch.ask.is_some_and(|ask| ask.price <= price),
                Side::Sell => touch.bid.is_some_and(|bid| bid.price >= price),
            };
            found.reached |= meets && from < ts && ts < until;
        }
        (Item::Trade(trade), Some((side, price))) => {
            let beyond = match side {
                Side::Buy => trade.price < price,
                Side::Sell => trade.price > price,
            };
            found.passed |= beyond && trade.aggressor == side && from < ts && ts < until;
        }
        (Item::Step(_) | Item::Trade(_), _) => {}
    });
    found
}

/// How many orders we pay more of, and they; each must have its reason.
fn differences(tape: &Tape, ours: &Outcome, theirs: &Outcome) -> [u32; 2] {
    let mut more = [0; 2];
    for (id, a, b) in differing(ours, theirs) {
        let why = reasons(tape, id);
        let explained = if b.maker > a.maker { why.reached } else { why.passed };
        assert!(a.taker == b.taker && explained, "{id}: {a:?} {b:?} {why:?}");
        more[usize::from(b.maker > a.maker)] += 1;
    }
    more
}

/// Scenario row 22: quotes of one lot at the touch or up to two ticks behind it. In long rounds every order is
/// paid alike. In short ones they pay some whose price the other side's best reached without a trade, and we
/// one that a seller's trade went through, which they do not look at.
#[test]
fn on_a_real_tape_every_difference_has_its_reason() {
    let Some(path) = capture() else { return };
    for (round_ns, lots, [we_more, they_more]) in ROUNDS {
        let tape = Recorded::load(&path, round_ns);
        let careful = ours(&tape, QueueModel::RiskAverse);
        let other = theirs::run(&tape, QueueModel::RiskAverse);
        assert_eq!(careful.lots(), lots);
        let more = differences(&tape, &careful, &other);
        assert_eq!(more, [we_more, they_more]);
        if more == [0, 0] {
            assert_eq!((careful.position, careful.cash), (other.position, other.cash));
            assert_same_fees(&careful, &other);
        }
        assert!(ours(&tape, QueueModel::TradesOnly).lots() <= lots);
        for function in [QueueFunction::Power(Rate(2_000_000_000_000)), QueueFunction::Log] {
            let model = QueueModel::Probabilistic(function);
            let (ours, theirs) = (ours(&tape, model), theirs::run(&tape, model));
            assert!(lots <= ours.lots() && ours.lots() <= theirs.lots(), "{function:?}");
            differences(&tape, &ours, &theirs);
        }
    }
}
