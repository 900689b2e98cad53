//! A whole back-test beside that of hftbacktest: the same depth changes and trades of one symbol, decoded beforehand on
//! both sides, with orders all the way.
//!
//! A unit is a row of theirs: one changed level, or one trade. Ours is a quoter that follows every move under the limits
//! of the profile `bench`, some request every 43 of its own events on the recording of 2024-08-08; theirs sends as many
//! requests, each order cancelled by the next. Book tickers are left out on both sides, as theirs does not take them.

use std::fs;
use std::path::PathBuf;

use fusewire::config::Config;
use fusewire::sources::Source;
use fusewire_core::market::{Body, Decoded, Level, Side};
use fusewire_core::message::InputBody;
use fusewire_core::units::ONE;
use fusewire_io::capture::OpenOptions;
use fusewire_io::decode::Decoder;
use fusewire_io::import::{self, Format, Import};
use hftbacktest::backtest::assettype::LinearAsset;
use hftbacktest::backtest::data::Data;
use hftbacktest::backtest::models::{
    CommonFees, ConstantLatency, RiskAdverseQueueModel, TradingValueFeeModel,
};
use hftbacktest::backtest::{Backtest, DataSource, ExchangeKind, L2AssetBuilder};
use hftbacktest::depth::{HashMapMarketDepth, MarketDepth};
use hftbacktest::prelude::Bot;
use hftbacktest::types::{
    BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, Event as Row,
    LOCAL_EVENT, OrdType, SELL_EVENT, TRADE_EVENT, TimeInForce,
};
use tempfile::TempDir;

use crate::inputs::MARKET;
use crate::measure::Subject;
use crate::real;
use crate::tape::{Recordings, Tape};

/// Tick of BTCUSDT.
const TICK: f64 = 0.1;
/// Lot of BTCUSDT.
const LOT: f64 = 0.001;
/// How far below the bid theirs rests, in ticks: such orders are not filled, as most are not.
const TICKS_BELOW: f64 = 10.0;
/// Latency of orders and answers, in ns: the program's own defaults.
const LATENCY_NS: i64 = 5_000_000;

/// The events of both sides.
pub struct Day {
    /// Of ours: a tape in a folder of its own.
    pub recordings: Recordings,
    rows: Vec<Row>,
    _folder: TempDir,
}

impl Day {
    /// The first real recording without its book tickers.
    ///
    /// # Errors
    /// There is none, or it can not be read.
    pub fn load() -> Result<Self, String> {
        let path = real::recordings()?.into_iter().next().ok_or("no recording")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let of_one =
            |path: PathBuf| Recordings { label: "real", sources: vec![Source::File(path)] };
        let whole = Tape::load(&of_one(path))?;
        let bare = folder.path().join("usdm_depth_and_trades.ns");
        let mut text = Vec::new();
        for frame in whole.frames() {
            if !frame.bytes.windows(11).any(|part| part == b"@bookTicker") {
                text.extend_from_slice(format!("{} ", frame.recv.0).as_bytes());
                text.extend_from_slice(frame.bytes);
                text.push(b'\n');
            }
        }
        fs::write(&bare, text).map_err(|error| error.to_string())?;
        let (config, out) = (Config::default(), folder.path().join("tape"));
        let job = Import {
            format: Format::Collector,
            files: std::slice::from_ref(&bare),
            out: &out,
            options: &import::Options::default(),
            scan: config.manifest_options(),
            limits: config.capture_limits(),
        };
        let imported = import::import(&job, &mut |_| {}).map_err(|error| error.to_string())?;
        let tape = out.join(&imported.tapes[0].file);
        let rows = rows(&of_one(bare))?;
        Ok(Self { recordings: of_one(tape), rows, _folder: folder })
    }

    /// Rows of theirs.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// What theirs is told: every level and trade from the snapshot on.
fn rows(recordings: &Recordings) -> Result<Vec<Row>, String> {
    let options = OpenOptions { market: Some(MARKET), ..OpenOptions::default() };
    let mut reader = recordings.sources[0].open(&options).map_err(|error| error.to_string())?;
    let (mut decoder, mut out) = (Decoder::new(MARKET), Decoded::default());
    let (mut rows, mut is_synced) = (Vec::new(), false);
    while let Some(record) = reader.next().map_err(|error| error.to_string())? {
        decoder.decode(record.bytes, &mut out).map_err(|error| error.to_string())?;
        let ts = record.recv.0.cast_signed();
        let mut row = |flags: u64, price: i64, qty: i64| {
            let (px, qty) = (price as f64 / ONE as f64, qty as f64 / ONE as f64);
            let ev = flags | EXCH_EVENT | LOCAL_EVENT;
            let (exch_ts, local_ts) = (ts, ts);
            rows.push(Row { ev, exch_ts, local_ts, px, qty, order_id: 0, ival: 0, fval: 0.0 });
        };
        for message in &out.messages {
            let levels = InputBody::levels_of(&message.body);
            let both = [(BUY_EVENT, out.bids(levels)), (SELL_EVENT, out.asks(levels))];
            let mut all = |kind: u64| {
                for (side, levels) in both {
                    for Level { price, qty } in levels {
                        row(kind | side, price.0, qty.0);
                    }
                }
            };
            match &message.body {
                Body::Snapshot(_) => {
                    is_synced = true;
                    all(DEPTH_SNAPSHOT_EVENT);
                }
                Body::Depth(_) if is_synced => all(DEPTH_EVENT),
                Body::Trade(trade) => {
                    let side = match trade.aggressor {
                        Side::Buy => BUY_EVENT,
                        Side::Sell => SELL_EVENT,
                    };
                    row(TRADE_EVENT | side, trade.price.0, trade.qty.0);
                }
                Body::Depth(_)
                | Body::PartialDepth(_)
                | Body::BookTicker(_)
                | Body::AggTrade(_)
                | Body::Mark(_)
                | Body::Liquidation(_)
                | Body::Kline(_)
                | Body::ContractInfo(_)
                | Body::Funding(_)
                | Body::OpenInterest(_)
                | Body::DepthBand(_) => {}
            }
        }
    }
    debug_assert!(rows.iter().all(|row| row.ev & DEPTH_CLEAR_EVENT != DEPTH_CLEAR_EVENT));
    Ok(rows)
}

/// Their back-test.
pub struct Theirs<'d> {
    day: &'d Day,
    bot: Option<Backtest<HashMapMarketDepth>>,
    /// Rows between two orders.
    step: usize,
    /// Orders that a pass sent.
    pub orders: u64,
}

impl<'d> Theirs<'d> {
    /// Over a day, with so many requests: orders, and the cancel of each.
    #[must_use]
    pub fn new(day: &'d Day, requests: u64) -> Self {
        let step = day.rows.len() / usize::try_from(requests / 2).unwrap_or(usize::MAX).max(1);
        Self { day, bot: None, step: step.max(1), orders: 0 }
    }
}

impl Subject for Theirs<'_> {
    fn units(&self) -> u64 {
        self.day.rows()
    }

    fn reset(&mut self) {
        let asset = L2AssetBuilder::default()
            .data(vec![DataSource::Data(Data::from_data(&self.day.rows))])
            .parallel_load(false)
            .latency_model(ConstantLatency::new(LATENCY_NS, LATENCY_NS))
            .asset_type(LinearAsset::new(1.0))
            .fee_model(TradingValueFeeModel::new(CommonFees::new(0.0002, 0.0005)))
            .queue_model(RiskAdverseQueueModel::new())
            .exchange(ExchangeKind::NoPartialFillExchange)
            .depth(|| HashMapMarketDepth::new(TICK, LOT))
            .build()
            .expect("all parts of an asset are given");
        let bot = Backtest::builder().add_asset(asset).build();
        self.bot = Some(bot.expect("one asset is given"));
    }

    fn pass(&mut self) {
        let bot = self.bot.as_mut().expect("a pass comes behind a reset");
        bot.elapse(0).expect("there are events");
        self.orders = 0;
        for row in self.day.rows.iter().step_by(self.step) {
            bot.elapse(row.local_ts - bot.current_timestamp()).expect("time goes on");
            let bid = bot.depth(0).best_bid();
            if !bid.is_finite() {
                continue;
            }
            let id = self.orders + 1;
            // One that is over can not be cancelled.
            let _ = bot.cancel(0, id - 1, false);
            let price = bid - TICKS_BELOW * TICK;
            let sent =
                bot.submit_buy_order(0, id, price, LOT, TimeInForce::GTX, OrdType::Limit, false);
            self.orders += u64::from(sent.is_ok());
            bot.clear_inactive_orders(Some(0));
        }
        let last = self.day.rows.last().map_or(0, |row| row.local_ts);
        bot.elapse(last - bot.current_timestamp()).expect("time goes on");
        // Before the snapshot there is no bid to go by.
        let least = (self.day.rows.len() / self.step) as u64 / 2;
        assert!(self.orders > least, "{} orders are too few", self.orders);
    }
}
