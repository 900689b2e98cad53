//! The other exchange, fed with our tape.

use hftbacktest::backtest::assettype::LinearAsset;
use hftbacktest::backtest::data::Data;
use hftbacktest::backtest::models::{
    CommonFees, ConstantLatency, LogProbQueueFunc, PowerProbQueueFunc, ProbQueueModel,
    QueueModel as Queue, RiskAdverseQueueModel, TradingValueFeeModel,
};
use hftbacktest::backtest::{Backtest, DataSource, ExchangeKind, L2AssetBuilder};
use hftbacktest::depth::HashMapMarketDepth;
use hftbacktest::prelude::Bot;
use hftbacktest::types::{BUY_EVENT, SELL_EVENT};
use hftbacktest::types::{
    DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, Event as Row, LOCAL_EVENT,
    OrdType, Side as TheirSide, TRADE_EVENT, TimeInForce as TheirTif,
};

use fusewire_core::book::{BookSide, Outcome as Folded};

use super::*;

type Depths = HashMapMarketDepth;

fn decimal(raw: i64) -> f64 {
    raw as f64 / ONE as f64
}

fn side_flag(side: Side) -> u64 {
    match side {
        Side::Buy => BUY_EVENT,
        Side::Sell => SELL_EVENT,
    }
}

/// Rows of the same tape, seen by exchange and strategy at the same time.
fn rows(tape: &Tape) -> Vec<Row> {
    let mut books = Books::new(&Universe::new(vec![btc()]).unwrap(), &books());
    let mut rows = Vec::new();
    tape.play(|ts, item| {
        let mut row = |flags: u64, price: Px, qty: Qty| {
            let ts = ts.cast_signed();
            let (px, qty) = (decimal(price.0), decimal(qty.0));
            let ev = flags | EXCH_EVENT | LOCAL_EVENT;
            rows.push(Row {
                ev,
                exch_ts: ts,
                local_ts: ts,
                px,
                qty,
                order_id: 0,
                ival: 0,
                fval: 0.0,
            });
        };
        match item {
            Item::Step(_) => {}
            Item::Trade(trade) => {
                row(TRADE_EVENT | side_flag(trade.aggressor), trade.price, trade.qty);
            }
            Item::Frame(input, bids, asks) => {
                let outcome = books.apply_input(ID, input, bids, asks);
                if outcome == Folded::Applied && matches!(input, BookInput::Diff { .. }) {
                    for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
                        for level in levels {
                            row(DEPTH_EVENT | side_flag(side), level.price, level.qty);
                        }
                    }
                } else if matches!(outcome, Folded::Applied | Folded::Synced) {
                    row(DEPTH_CLEAR_EVENT, Px(0), Qty(0));
                    for (side, own) in [(Side::Buy, BookSide::Bid), (Side::Sell, BookSide::Ask)] {
                        for level in books.get(ID).top(own, usize::MAX) {
                            row(DEPTH_SNAPSHOT_EVENT | side_flag(side), level.price, level.qty);
                        }
                    }
                }
            }
        }
    });
    rows
}

/// Their side of it.
pub(super) fn run(tape: &Tape, queue: QueueModel) -> Outcome {
    match queue {
        QueueModel::TradesOnly => panic!("they have no such model"),
        QueueModel::RiskAverse => with(tape, RiskAdverseQueueModel::new()),
        QueueModel::Probabilistic(QueueFunction::Log) => {
            with(tape, ProbQueueModel::new(LogProbQueueFunc::new()))
        }
        QueueModel::Probabilistic(QueueFunction::Power(power)) => {
            with(tape, ProbQueueModel::new(PowerProbQueueFunc::new(power.0 as f64 / 1e12)))
        }
    }
}

fn with<Q: Queue<Depths> + 'static>(tape: &Tape, queue: Q) -> Outcome {
    let data = Data::from_data(&rows(tape));
    let fees = FeeSchedule::default();
    let share = |rate: Rate| rate.0 as f64 / 1e12;
    let (there, back) = (THERE_NS.cast_signed(), BACK_NS.cast_signed());
    let asset = L2AssetBuilder::default()
        .data(vec![DataSource::Data(data)])
        .parallel_load(false)
        .latency_model(ConstantLatency::new(there, back))
        .asset_type(LinearAsset::new(1.0))
        .fee_model(TradingValueFeeModel::new(CommonFees::new(share(fees.maker), share(fees.taker))))
        .queue_model(queue)
        .exchange(ExchangeKind::NoPartialFillExchange)
        .depth(|| HashMapMarketDepth::new(decimal(TICK), decimal(LOT)))
        .build()
        .unwrap();
    let mut bot = Backtest::builder().add_asset(asset).build().unwrap();
    bot.elapse(0).unwrap();
    let mut sides = BTreeMap::new();
    let mut last = 0;
    tape.play(|ts, item| {
        last = ts.cast_signed();
        let Item::Step(step) = item else { return };
        bot.elapse(last - bot.current_timestamp()).unwrap();
        match *step {
            Step::New { id, side, tif, ticks, lots } => {
                sides.insert(id, side);
                submit(&mut bot, id, side, tif, (ticks, lots));
            }
            // They do not send a cancel of what they know to be over.
            Step::Cancel { id } => drop(bot.cancel(0, id, false)),
        }
    });
    bot.elapse(last + 1_000_000_000 - bot.current_timestamp()).unwrap();
    outcome(&bot, &sides)
}

fn submit(bot: &mut Backtest<Depths>, id: u64, side: Side, tif: Tif, (ticks, lots): (i64, i64)) {
    let (price, qty) = (decimal(ticks * TICK), decimal(lots * LOT));
    let tif = match tif {
        Tif::Gtx => TheirTif::GTX,
        Tif::Ioc => TheirTif::IOC,
        Tif::Gtc => TheirTif::GTC,
        Tif::Fok => TheirTif::FOK,
    };
    match side {
        Side::Buy => bot.submit_buy_order(0, id, price, qty, tif, OrdType::Limit, false),
        Side::Sell => bot.submit_sell_order(0, id, price, qty, tif, OrdType::Limit, false),
    }
    .unwrap();
}

/// From what is left of each order: their own account only books orders that are filled whole.
fn outcome(bot: &Backtest<Depths>, sides: &BTreeMap<u64, Side>) -> Outcome {
    let mut outcome = Outcome::default();
    for (&id, &side) in sides {
        let order = &bot.orders(0)[&id];
        assert_eq!(order.side == TheirSide::Buy, side == Side::Buy);
        let lots = ((order.qty - order.leaves_qty) / decimal(LOT)).round() as i64;
        if lots == 0 {
            continue;
        }
        let ticks = if order.maker { order.price_tick } else { order.exec_price_tick };
        let (maker, taker) = if order.maker { (lots, 0) } else { (0, lots) };
        outcome.orders.insert(id, Filled { maker, taker, price: ticks });
        outcome.book(side, lots, ticks);
        let fees = FeeSchedule::default();
        let rate = if order.maker { fees.maker } else { fees.taker };
        outcome.fees += decimal(ticks * TICK) * decimal(lots * LOT) * rate.0 as f64 / 1e12;
    }
    outcome
}
