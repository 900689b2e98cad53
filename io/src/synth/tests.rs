//! The capture as a client sees it: a naive follower (`serde_json`, `BTreeMap`, the documented rules for a
//! local book) must find nothing wrong and must end at the generator's own book.

use std::collections::BTreeMap;
use std::io::Read;

use fusewire_core::instrument::{Instrument, Market, common};
use fusewire_core::market::{Kind, Level, Side};
use fusewire_core::units::{Nanos, Px};
use serde_json::Value;

use super::{Options, Scenario, Synth, SynthReader};

fn instruments(symbols: &[&str]) -> Vec<Instrument> {
    symbols.iter().map(|symbol| common(Market::UsdM, symbol).unwrap()).collect()
}

fn options(scenario: Scenario, minutes: u32, symbols: &[&str]) -> Options {
    Options { scenario, minutes, instruments: instruments(symbols), ..Options::default() }
}

fn bytes(options: &Options) -> Vec<u8> {
    let mut bytes = Vec::new();
    SynthReader::new(Synth::new(options).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// One line, taken apart.
struct Line {
    receive_ns: u64,
    stream: Option<String>,
    data: Value,
}

fn parse(line: &[u8]) -> Line {
    let text = std::str::from_utf8(line).unwrap();
    let (receive, frame) = text.split_once(' ').unwrap();
    let mut frame: Value = serde_json::from_str(frame).unwrap();
    let stream = frame.get("stream").map(|name| name.as_str().unwrap().to_owned());
    let data = if stream.is_some() { frame["data"].take() } else { frame };
    Line { receive_ns: receive.parse().unwrap(), stream, data }
}

fn lines(bytes: &[u8]) -> Vec<Line> {
    bytes.strip_suffix(b"\n").unwrap().split(|&b| b == b'\n').map(parse).collect()
}

/// The lines of one symbol of a capture with several.
fn lines_of(all: &[u8], symbol: &str) -> Vec<u8> {
    let name = format!("{{\"stream\":\"{}@", symbol.to_lowercase());
    let mut out = Vec::new();
    for line in all.split_inclusive(|&b| b == b'\n') {
        let at = line.iter().position(|&b| b == b' ').unwrap() + 1;
        if line[at..].starts_with(name.as_bytes()) {
            out.extend_from_slice(line);
        }
    }
    out
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn px(value: &Value) -> i64 {
    Px::parse(value.as_str().unwrap().as_bytes()).unwrap().0
}

type Ladder = BTreeMap<i64, i64>;

fn apply(ladder: &mut Ladder, levels: &Value) {
    for level in levels.as_array().unwrap() {
        let (price, qty) = (px(&level[0]), px(&level[1]));
        assert!(price > 0 && qty >= 0);
        if qty > 0 {
            ladder.insert(price, qty)
        } else {
            ladder.remove(&price)
        };
    }
}

/// A client that keeps one book by the exchange's rules, and checks what it can.
#[derive(Default)]
struct Follower {
    buffer: Vec<Value>,
    synced: bool,
    snapshot_id: Option<u64>,
    dropped: usize,
    applied: usize,
    last_u: u64,
    bids: Ladder,
    asks: Ladder,
    /// Update id, best bid and ask with quantities, of the last `bookTicker`.
    ticker: (u64, [i64; 4]),
    ticker_matches: usize,
    frames: [u64; Kind::ALL.len()],
}

impl Follower {
    fn read(&mut self, line: &Line) {
        let kind = match line.stream.as_deref().and_then(|stream| stream.split_once('@')) {
            None | Some((_, "depthSnapshot")) => Kind::Snapshot,
            Some((_, "depth@100ms")) => Kind::Depth,
            Some((_, "bookTicker")) => Kind::BookTicker,
            Some((_, "aggTrade")) => Kind::AggTrade,
            Some((_, "markPrice@1s")) => Kind::Mark,
            Some((_, "forceOrder")) => Kind::Liquidation,
            Some(other) => panic!("unknown stream {other:?}"),
        };
        self.frames[kind as usize] += 1;
        if kind == Kind::Depth {
            self.buffer.push(line.data.clone());
            self.drain();
        } else if kind == Kind::Snapshot {
            apply(&mut self.bids, &line.data["bids"]);
            apply(&mut self.asks, &line.data["asks"]);
            self.snapshot_id = Some(number(&line.data["lastUpdateId"]));
            self.drain();
        } else if kind == Kind::BookTicker {
            let d = &line.data;
            self.ticker = (number(&d["u"]), ["b", "B", "a", "A"].map(|key| px(&d[key])));
            assert!(self.ticker.1[0] < self.ticker.1[2], "crossed: {d}");
        }
    }

    fn drain(&mut self) {
        let Some(snapshot_id) = self.snapshot_id else { return };
        for diff in std::mem::take(&mut self.buffer) {
            let [first, last, prev] = ["U", "u", "pu"].map(|key| number(&diff[key]));
            assert!(prev < first && first <= last, "{diff}");
            if !self.synced {
                if last < snapshot_id {
                    self.dropped += 1;
                    continue;
                }
                assert!(first <= snapshot_id, "the snapshot is older than the first diff");
                self.synced = true;
            } else {
                assert_eq!(prev, self.last_u, "a gap in the chain");
            }
            self.last_u = last;
            self.applied += 1;
            apply(&mut self.bids, &diff["b"]);
            apply(&mut self.asks, &diff["a"]);
            self.check_touch();
        }
    }

    fn touch(&self) -> [i64; 4] {
        let (bid, bid_qty) = self.bids.last_key_value().unwrap();
        let (ask, ask_qty) = self.asks.first_key_value().unwrap();
        [*bid, *bid_qty, *ask, *ask_qty]
    }

    fn check_touch(&mut self) {
        let touch = self.touch();
        assert!(touch[0] < touch[2], "crossed: {touch:?}");
        // Diffs that waited in the buffer may be older than the last ticker.
        let (id, ticker) = self.ticker;
        if id <= self.last_u {
            assert_eq!(ticker, touch, "bookTicker {id} and the book at {}", self.last_u);
            self.ticker_matches += 1;
        }
    }
}

fn as_ladder(levels: &[Level]) -> Ladder {
    levels.iter().map(|level| (level.price.0, level.qty.0)).collect()
}

/// Follows a whole capture of one symbol and compares the end with the generator.
fn follow(options: &Options) -> Follower {
    let mut synth = Synth::new(options).unwrap();
    let (mut follower, mut line) = (Follower::default(), Vec::new());
    while synth.next_line(&mut line) {
        follower.read(&parse(line.strip_suffix(b"\n").unwrap()));
        line.clear();
    }
    let truth = synth.truth(0);
    let market = synth.market(0);
    assert_eq!(follower.bids, as_ladder(&market.levels(Side::Buy)));
    assert_eq!(follower.asks, as_ladder(&market.levels(Side::Sell)));
    assert_eq!((follower.bids.len(), follower.asks.len()), (truth.bid_levels, truth.ask_levels));
    let ends = [truth.bid.price.0, truth.bid.qty.0, truth.ask.price.0, truth.ask.qty.0];
    assert_eq!(follower.touch(), ends);
    assert_eq!(follower.frames, truth.frames);
    follower
}

/// A deliberate change of the generator changes these numbers: run the test, look at what the change did
/// to the rates in `rates_are_those_of_the_scenario`, and copy the numbers from the failure.
#[test]
fn the_bytes_are_fixed() {
    let recorded = [
        (Scenario::Calm, RECORDED_CALM),
        (Scenario::Burst, RECORDED_BURST),
        (Scenario::GridDrift, RECORDED_GRID_DRIFT),
    ];
    for (scenario, expected) in recorded {
        let bytes = bytes(&options(scenario, 1, &["BTCUSDT", "XRPUSDT"]));
        assert_eq!((bytes.len(), fnv(&bytes)), expected, "{scenario}");
    }
}

const RECORDED_CALM: (usize, u64) = (1_756_834, 18_198_715_360_904_060_432);
const RECORDED_GRID_DRIFT: (usize, u64) = (2_355_032, 9_832_905_343_926_683_827);
const RECORDED_BURST: (usize, u64) = (3_594_570, 1_582_943_952_037_632_357);

#[test]
fn another_seed_or_scenario_is_another_market() {
    let base = options(Scenario::Calm, 1, &["BTCUSDT"]);
    let first = bytes(&base);
    assert_eq!(first, bytes(&base));
    assert_ne!(first, bytes(&Options { seed: 43, ..base.clone() }));
    assert_ne!(first, bytes(&Options { scenario: Scenario::Burst, ..base }));
}

#[test]
fn a_longer_capture_begins_with_the_shorter_one() {
    let short = bytes(&options(Scenario::Burst, 1, &["ETHUSDT"]));
    let long = bytes(&options(Scenario::Burst, 2, &["ETHUSDT"]));
    assert!(long.starts_with(&short) && long.len() > short.len() * 3 / 2);
}

#[test]
fn a_symbol_does_not_depend_on_its_neighbours() {
    let pair = bytes(&options(Scenario::Burst, 1, &["BTCUSDT", "ETHUSDT"]));
    let trio = bytes(&options(Scenario::Burst, 1, &["ETHUSDT", "SOLUSDT", "BTCUSDT"]));
    let alone = bytes(&options(Scenario::Burst, 1, &["ETHUSDT"]));
    let eth = lines_of(&pair, "ETHUSDT");
    assert_eq!(eth, lines_of(&trio, "ETHUSDT"));
    assert_eq!(lines_of(&pair, "BTCUSDT"), lines_of(&trio, "BTCUSDT"));
    // Alone the snapshot is bare, everything else is the same.
    for (named, bare) in lines(&eth).iter().zip(lines(&alone)) {
        assert_eq!((named.receive_ns, &named.data), (bare.receive_ns, &bare.data));
        let snapshot = bare.data.get("lastUpdateId").is_some();
        assert_eq!(bare.stream.is_none(), snapshot);
        assert!(!snapshot || named.stream.as_deref() == Some("ethusdt@depthSnapshot"));
    }
    assert_eq!(lines(&eth).len(), lines(&alone).len());
}

#[test]
fn a_follower_ends_at_the_truth() {
    for scenario in Scenario::ALL {
        for (seed, symbol) in [(42, "BTCUSDT"), (1, "ETHUSDT"), (2, "XRPUSDT"), (3, "1000PEPEUSDT")]
        {
            let follower = follow(&Options { seed, ..options(scenario, 3, &[symbol]) });
            // About a second of diffs came before the snapshot; then nearly every grid point has one.
            assert!((9..=11).contains(&follower.dropped), "{}", follower.dropped);
            assert!((1_700..=1_791).contains(&follower.applied), "{}", follower.applied);
            assert!(follower.applied - follower.ticker_matches <= 2);
            assert_eq!(follower.frames[Kind::Snapshot as usize], 1);
            assert!((240..=460).contains(&follower.bids.len()), "{}", follower.bids.len());
            assert!((240..=460).contains(&follower.asks.len()), "{}", follower.asks.len());
        }
    }
}

/// Now and then somebody acts on the very last millisecond; the diff of that millisecond must tell it.
#[test]
fn the_last_diff_leaves_nothing_out() {
    for seed in 0..100 {
        let options = Options { seed, ..options(Scenario::Calm, 1, &["XRPUSDT"]) };
        let (mut synth, mut line) = (Synth::new(&options).unwrap(), Vec::new());
        while synth.next_line(&mut line) {
            line.clear();
        }
        assert!(!synth.market(0).has_untold_changes(), "seed {seed}");
    }
}

/// Contracts with all kinds of ticks and lots make markets that a follower accepts.
#[test]
fn any_contract_works() {
    let symbols =
        ["BNBUSDT", "DOGEUSDT", "AVAXUSDT", "TRXUSDT", "OPUSDT", "AAVEUSDT", "1000PEPEUSDT"];
    for symbol in symbols {
        follow(&options(Scenario::Burst, 1, &[symbol]));
    }
    let mut odd = options(Scenario::Burst, 1, &["BTCUSDT"]);
    odd.instruments[0].symbol = "币安人生USDT".to_owned();
    odd.instruments[0].tick = Some(Px(50_000 * fusewire_core::units::ONE));
    odd.instruments[0].lot.step = odd.instruments[0].lot.max;
    follow(&odd);
}

#[test]
fn lines_arrive_in_order_soon_after_they_were_made() {
    for scenario in Scenario::ALL {
        let all = bytes(&options(scenario, 1, &["BTCUSDT", "DOGEUSDT"]));
        let lines = lines(&all);
        assert!(lines.is_sorted_by_key(|line| line.receive_ns));
        for line in &lines {
            let event_ns = number(&line.data["E"]) * Nanos::MILLI;
            let rest = line.data.get("lastUpdateId").is_some();
            let limit_ms = if rest { 40..=121 } else { 1..=25 };
            let delay_ms = line.receive_ns.checked_sub(event_ns).unwrap() / Nanos::MILLI;
            assert!(limit_ms.contains(&delay_ms), "{delay_ms} ms");
            let acted = line.data.get("o").map_or(&line.data["T"], |order| &order["T"]);
            let mark = line.data["e"] == "markPriceUpdate";
            assert!(mark || number(acted) <= number(&line.data["E"]));
        }
    }
}

/// Frames of one kind, in order.
fn of_kind<'a>(lines: &'a [Line], event: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line.data).filter(|data| data["e"] == event).collect()
}

#[test]
fn trades_consume_what_stood_at_the_touch() {
    for symbol in ["BTCUSDT", "XRPUSDT"] {
        let all = bytes(&options(Scenario::Calm, 2, &[symbol]));
        let lines = lines(&all);
        let tickers = of_kind(&lines, "bookTicker");
        let mut expected: Option<(u64, u64)> = None;
        // Trades and trades through the touch, by side of the aggressor; volume at the touch.
        let (mut trades, mut through, mut eaten) = ([0; 2], [0; 2], (0, 0, 0));
        for trade in of_kind(&lines, "aggTrade") {
            let [id, first, last] = ["a", "f", "l"].map(|key| number(&trade[key]));
            assert!(expected.is_none_or(|ids| ids == (id, first)) && first <= last);
            expected = Some((id + 1, last + 1));
            let (price, qty, shown) = (px(&trade["p"]), px(&trade["q"]), px(&trade["nq"]));
            assert!(0 < shown && shown <= qty);
            // Calm people act at most once a millisecond: the ticker before it is what they saw.
            let time = number(&trade["T"]);
            let before = tickers.partition_point(|ticker| number(&ticker["T"]) < time);
            let touch = tickers[before - 1];
            let sold = trade["m"] == true;
            let (best, there) = if sold { ("b", "B") } else { ("a", "A") };
            let beyond = if sold { px(&touch[best]) - price } else { price - px(&touch[best]) };
            assert!(beyond >= 0, "{trade} at {touch}");
            trades[usize::from(sold)] += 1;
            through[usize::from(sold)] += usize::from(beyond > 0);
            if beyond == 0 {
                let earlier = if (time, price) == (eaten.0, eaten.1) { eaten.2 } else { 0 };
                eaten = (time, price, earlier + shown);
                assert!(eaten.2 <= px(&touch[there]), "{trade} at {touch}");
            }
        }
        assert!(trades.iter().all(|&count| count > 300), "{symbol}: {trades:?}");
        assert!(through.iter().all(|&count| count > 30), "{symbol}: {through:?}");
    }
}

#[test]
fn liquidations_are_thinned_and_stand_on_the_tape() {
    for (scenario, range) in [(Scenario::Calm, 4..=20), (Scenario::Burst, 25..=200)] {
        let all = bytes(&options(scenario, 8, &["ETHUSDT"]));
        let lines = lines(&all);
        let trades = of_kind(&lines, "aggTrade");
        let forced = of_kind(&lines, "forceOrder");
        assert!(range.contains(&forced.len()), "{scenario}: {}", forced.len());
        let events: Vec<u64> = forced.iter().map(|frame| number(&frame["E"])).collect();
        assert!(events.windows(2).all(|pair| pair[1] - pair[0] >= 1_000));
        for frame in forced {
            let order = &frame["o"];
            assert_eq!(order["q"], order["z"]);
            assert!(px(&order["l"]) <= px(&order["z"]) && px(&order["l"]) > 0);
            let sells = order["S"] == "SELL";
            let through = px(&order["ap"]) - px(&order["p"]);
            assert!(if sells { through > 0 } else { through < 0 }, "{order}");
            let traded: i64 = trades
                .iter()
                .filter(|trade| trade["T"] == order["T"] && trade["m"] == sells)
                .map(|trade| px(&trade["nq"]))
                .sum();
            assert!(traded >= px(&order["z"]), "{order}");
        }
    }
}

#[test]
fn marks_come_every_second_and_cross_the_funding_time() {
    let start = Nanos((1_767_571_200 + 8 * 3_600 - 30) * Nanos::SECOND);
    let all = bytes(&Options { start, ..options(Scenario::Calm, 1, &["BTCUSDT"]) });
    let lines = lines(&all);
    let marks = of_kind(&lines, "markPriceUpdate");
    assert_eq!(marks.len(), 61);
    let first = start.0 / Nanos::MILLI;
    for (second, mark) in (0..).zip(&marks) {
        assert_eq!(number(&mark["E"]), first + second * 1_000);
        let funding = first + 30_000 + if second < 30 { 0 } else { 8 * 3_600_000 };
        assert_eq!(number(&mark["T"]), funding, "second {second}");
        for key in ["p", "ap", "i", "P"] {
            let off = (px(&mark[key]) - px(&marks[0]["p"])).abs();
            assert!(off < px(&mark["p"]) / 500, "{key}");
        }
        assert!(px(&mark["r"]).abs() <= 30_000);
    }
}

/// Most frames within any span of `window_ms`.
fn peak(lines: &[Line], window_ms: u64) -> usize {
    let times: Vec<u64> = lines.iter().map(|line| line.receive_ns).collect();
    let within = |&start: &u64| {
        let end = start + window_ms * Nanos::MILLI;
        times.partition_point(|&t| t < end) - times.partition_point(|&t| t < start)
    };
    times.iter().map(within).max().unwrap()
}

/// Share of time, in percent, that the spread is at most `ticks`.
fn narrow_percent(lines: &[Line], tick: i64, ticks: i64) -> u64 {
    let tickers = of_kind(lines, "bookTicker");
    let (mut narrow_ms, mut all_ms) = (0, 0);
    for pair in tickers.windows(2) {
        let span_ms = number(&pair[1]["E"]) - number(&pair[0]["E"]);
        let spread = px(&pair[0]["a"]) - px(&pair[0]["b"]);
        all_ms += span_ms;
        narrow_ms += if spread <= ticks * tick { span_ms } else { 0 };
    }
    narrow_ms * 100 / all_ms
}

#[test]
fn rates_are_those_of_the_scenario() {
    for symbol in ["BTCUSDT", "ETHUSDT", "XRPUSDT"] {
        let tick = instruments(&[symbol])[0].tick.unwrap().0;
        let of = |scenario| lines(&bytes(&options(scenario, 2, &[symbol])));
        let (calm, burst) = (of(Scenario::Calm), of(Scenario::Burst));
        let per_second = calm.len() / 120;
        assert!((30..=85).contains(&per_second), "{symbol}: {per_second} frames/s");
        assert!(peak(&calm, 100) < 50, "{symbol}: {}", peak(&calm, 100));
        let narrow = narrow_percent(&calm, tick, 3);
        assert!(narrow >= 75, "{symbol}: {narrow} % narrow");
        assert!(burst.len() > calm.len() * 6 / 5 && burst.len() < calm.len() * 5);
        assert!(peak(&burst, 100) >= 200, "{symbol}: {}", peak(&burst, 100));
        let prices: Vec<i64> = of_kind(&burst, "aggTrade").iter().map(|t| px(&t["p"])).collect();
        let (low, high) = (prices.iter().min().unwrap(), prices.iter().max().unwrap());
        assert!((high - low) * 1_000 / low >= 2, "{symbol} moved from {low} to {high}");
    }
}

#[test]
fn the_reader_gives_the_same_bytes_in_any_pieces() {
    let options = options(Scenario::Calm, 1, &["BTCUSDT", "XRPUSDT"]);
    let mut synth = Synth::new(&options).unwrap();
    let mut expected = Vec::new();
    while synth.next_line(&mut expected) {}
    let at_end = expected.len();
    assert!(!synth.next_line(&mut expected) && expected.len() == at_end);

    let mut reader = SynthReader::new(Synth::new(&options).unwrap());
    let (mut pieces, mut piece) = (Vec::new(), [0; 77]);
    loop {
        let count = reader.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        pieces.extend_from_slice(&piece[..count]);
    }
    assert_eq!(fnv(&pieces), fnv(&expected));
    assert_eq!(reader.read(&mut piece).unwrap(), 0);
}

#[test]
fn bad_options_are_refused() {
    let options = options(Scenario::Calm, 0, &["BTCUSDT"]);
    assert!(Synth::new(&options).err().unwrap().to_string().contains("0 minutes"));
}
