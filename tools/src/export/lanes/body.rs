//! The row of an event: what many kinds share has a column, the rest is a short JSON document.

use fusewire_core::event::{
    BANDS, Bar, Body, Control, Depth, DepthBand, Event, GateBreach, Levels, Mark, OpenInterest,
};
use fusewire_core::market::{Level, Side};
use fusewire_core::order::{
    AccountUpdate, NewOrder, OrderId, Rejection, Report, ReportKind, Status,
};
use fusewire_core::units::{DECIMALS, Px, Qty, QtySum, Usd, UsdSum, Wide};
use serde::Serialize;

use super::super::table::{Decimal, Value};
use super::columns::EVENT;
use super::measure::Measured;
use super::words::{Word, reason};
use super::{Names, terms};

/// The columns behind `kind`. What a kind does not tell stays null.
#[derive(Default)]
struct Told {
    source: Option<&'static str>,
    side: Option<Side>,
    price: Option<Px>,
    qty: Option<Qty>,
    bid: Option<Level>,
    ask: Option<Level>,
    trade_id: Option<i64>,
    order: Option<OrderId>,
    status: Option<&'static str>,
    reason: Option<&'static str>,
    reduce_only: Option<bool>,
    liquidity: Option<&'static str>,
    last: Option<Qty>,
    last_price: Option<Px>,
    sums: Option<(Qty, Usd, Usd)>,
    paid_by: Option<u64>,
    venue_ns: Option<u64>,
    kill_level: Option<u32>,
    tif: Option<&'static str>,
    body: Option<String>,
}

pub(super) fn row<'a>(names: &'a Names, event: &Event) -> [Value<'a>; EVENT.len()] {
    let told = Told::of(&event.body);
    [
        event.seq.into(),
        event.ts.into(),
        event.recv.into(),
        Some(event.frame).filter(|frame| *frame != 0).into(),
        event.instrument.map(|id| names.symbol(id)).into(),
        event.body.kind().name().into(),
        told.source.into(),
        told.side.map(|side| side.word()).into(),
        told.price.into(),
        told.qty.into(),
        told.bid.map(|level| level.price).into(),
        told.bid.map(|level| level.qty).into(),
        told.ask.map(|level| level.price).into(),
        told.ask.map(|level| level.qty).into(),
        told.trade_id.into(),
        told.order.into(),
        told.status.into(),
        told.reason.into(),
        told.reduce_only.into(),
        told.liquidity.into(),
        told.last.into(),
        told.last_price.into(),
        told.sums.map(|(qty, _, _)| qty).into(),
        told.sums.map(|(_, quote, _)| quote).into(),
        told.sums.map(|(_, _, fee)| fee).into(),
        told.paid_by.into(),
        told.venue_ns.into(),
        told.kill_level.into(),
        told.tif.into(),
        told.body.into(),
    ]
}

impl Told {
    fn of(body: &Body) -> Self {
        match body {
            Body::Touch(change) => Self {
                source: Some(change.source.word()),
                bid: change.touch.bid,
                ask: change.touch.ask,
                ..Self::default()
            },
            Body::Depth(depth) => Self::json(&DepthBody::of(depth)),
            Body::Levels(levels) => Self::json(&LevelsBody::of(levels)),
            Body::Trade(trade) => Self {
                side: Some(trade.aggressor),
                price: Some(trade.price),
                qty: Some(trade.qty),
                trade_id: Some(trade.id),
                ..Self::default()
            },
            Body::Mark(mark) => Self {
                source: Some(mark.origin.word()),
                price: Some(mark.price),
                ..MarkBody::of(mark).map_or_else(Self::default, |body| Self::json(&body))
            },
            Body::Liquidation(forced) => Self {
                side: Some(forced.side),
                price: Some(forced.price),
                qty: Some(forced.qty),
                ..Self::default()
            },
            Body::Bar(bar) => Self::json(&BarBody::of(bar)),
            Body::Funding(funding) => {
                let rate = funding.rate.to_string();
                Self { venue_ns: Some(funding.at.0), ..Self::json(&FundingBody { rate }) }
            }
            Body::OpenInterest(interest) => Self {
                venue_ns: Some(interest.at.0),
                ..Self::json(&OpenInterestBody::of(interest))
            },
            Body::DepthBand(band) => {
                Self { venue_ns: Some(band.at.0), ..Self::json(&DepthBandBody::of(band)) }
            }
            Body::BookInvalid(why) => Self { reason: Some(why.name()), ..Self::default() },
            Body::Tick | Body::Gap | Body::Wake => Self::default(),
            Body::Report(report) => Self::report(report),
            Body::Status(status) => Self::status(status),
            Body::Rejected(rejection) => Self::rejected(rejection),
            Body::Control(Control::Raise(level)) | Body::KillLevel(level) => {
                Self { kill_level: Some(*level as u32), ..Self::default() }
            }
            Body::Control(Control::GateBreach(breach)) => {
                Self { reason: Some("gate_breach"), ..Self::json(&BreachBody::of(breach)) }
            }
            Body::Control(Control::Reconcile) => {
                Self { reason: Some("reconcile"), ..Self::default() }
            }
            Body::Control(Control::Transfer(amount)) => {
                let amount = TransferBody { amount: amount.to_string() };
                Self { reason: Some("transfer"), ..Self::json(&amount) }
            }
            Body::Account(update) => Self {
                reason: Some(update.reason.name()),
                venue_ns: Some(update.at.0),
                ..Self::json(&AccountBody::of(update))
            },
        }
    }

    fn json(body: &impl Serialize) -> Self {
        let text = serde_json::to_string(body).expect("strings, numbers and lists serialise");
        Self { body: Some(text), ..Self::default() }
    }

    fn report(report: &Report) -> Self {
        let fill = report.kind.is_fill();
        let triggered = report.kind == ReportKind::Triggered;
        Self {
            side: Some(report.side),
            price: Some(report.price),
            qty: Some(report.qty),
            order: Some(report.order),
            status: Some(report.kind.word()),
            reason: reason(report.reason),
            reduce_only: Some(report.reduce_only),
            liquidity: fill.then(|| report.liquidity.word()),
            last: fill.then_some(report.last_qty),
            last_price: (fill || triggered).then_some(report.last_price),
            sums: Some((report.cum_qty, report.cum_quote, report.cum_fee)),
            paid_by: Some(report.payer).filter(|payer| (fill || triggered) && *payer != 0),
            venue_ns: Some(report.at.0),
            ..Self::default()
        }
    }

    fn status(status: &Status) -> Self {
        Self {
            side: Some(status.side),
            price: Some(status.price),
            qty: Some(status.qty),
            order: Some(status.order),
            status: Some(status.state.word()),
            reduce_only: Some(status.reduce_only),
            sums: Some((status.cum_qty, status.cum_quote, status.cum_fee)),
            venue_ns: Some(status.at.0),
            ..Self::default()
        }
    }

    fn rejected(rejection: &Rejection) -> Self {
        let (price, qty) = terms(&rejection.action);
        let new = rejection.action.order().copied();
        let why = Measured::of(rejection);
        Self {
            side: new.map(|NewOrder { side, .. }| side),
            price,
            qty,
            order: Some(rejection.order),
            reason: Some(why.check),
            reduce_only: new.map(|new| new.reduce_only),
            tif: new.map(|new| new.tif.word()),
            ..Self::json(&RejectedBody::of(rejection, &why))
        }
    }
}

/// A sum of quantities.
fn qty_text(sum: Wide) -> String {
    QtySum(sum.get()).to_string()
}

#[derive(Serialize)]
struct DepthBody {
    imbalance_ppm: i32,
    microprice: Option<String>,
    bids: [String; BANDS],
    asks: [String; BANDS],
}

impl DepthBody {
    fn of(depth: &Depth) -> Self {
        Self {
            imbalance_ppm: depth.imbalance_ppm,
            microprice: depth.microprice.map(|price| price.to_string()),
            bids: depth.bids.map(qty_text),
            asks: depth.asks.map(qty_text),
        }
    }
}

#[derive(Serialize)]
struct LevelsBody {
    book_side: &'static str,
    first: u8,
    levels: Vec<[String; 2]>,
}

impl LevelsBody {
    fn of(levels: &Levels) -> Self {
        let used = levels.levels.iter().take(levels.count.into());
        Self {
            book_side: levels.side.word(),
            first: levels.first,
            levels: used.map(|level| [level.price.to_string(), level.qty.to_string()]).collect(),
        }
    }
}

#[derive(Serialize)]
struct FundingBody {
    rate: String,
}

#[derive(Serialize)]
struct OpenInterestBody {
    qty: Option<String>,
    notional: Option<String>,
}

impl OpenInterestBody {
    fn of(interest: &OpenInterest) -> Self {
        Self {
            qty: interest.qty.map(qty_text),
            notional: interest.notional.map(|sum| UsdSum(sum.get()).to_string()),
        }
    }
}

#[derive(Serialize)]
struct DepthBandBody {
    distance_bp: String,
    qty: String,
    notional: String,
}

impl DepthBandBody {
    fn of(band: &DepthBand) -> Self {
        Self {
            distance_bp: band.distance.to_string(),
            qty: qty_text(band.qty),
            notional: UsdSum(band.notional.get()).to_string(),
        }
    }
}

#[derive(Serialize)]
struct MarkBody {
    index: Option<String>,
    funding_rate: Option<String>,
    next_funding_ns: Option<u64>,
}

impl MarkBody {
    /// None when the mark is all that is known.
    fn of(mark: &Mark) -> Option<Self> {
        let known = mark.index.is_some() || mark.funding_rate.is_some();
        (known || mark.next_funding.is_some()).then(|| Self {
            index: mark.index.map(|price| price.to_string()),
            funding_rate: mark.funding_rate.map(|rate| rate.to_string()),
            next_funding_ns: mark.next_funding.map(|time| time.0),
        })
    }
}

#[derive(Serialize)]
struct BarBody {
    open_time_ns: u64,
    interval_s: u32,
    trades: u32,
    open: String,
    high: String,
    low: String,
    close: String,
    volume: String,
    quote_volume: String,
}

impl BarBody {
    fn of(bar: &Bar) -> Self {
        Self {
            open_time_ns: bar.open_time.0,
            interval_s: bar.interval_s,
            trades: bar.trades,
            open: bar.open.to_string(),
            high: bar.high.to_string(),
            low: bar.low.to_string(),
            close: bar.close.to_string(),
            volume: qty_text(bar.volume),
            quote_volume: UsdSum(bar.quote_volume.get()).to_string(),
        }
    }
}

#[derive(Serialize)]
struct BreachBody {
    span: &'static str,
    measured_ns: u64,
    budget_ns: u64,
}

impl BreachBody {
    fn of(breach: &GateBreach) -> Self {
        let GateBreach { span, measured, budget } = *breach;
        Self { span: span.name(), measured_ns: measured.0, budget_ns: budget.0 }
    }
}

#[derive(Serialize)]
struct TransferBody {
    amount: String,
}

#[derive(Serialize)]
struct AccountBody {
    leg: &'static str,
    n: u64,
    total: String,
    change: String,
    wallet: String,
    position: String,
    mark: String,
    rate: String,
}

impl AccountBody {
    fn of(update: &AccountUpdate) -> Self {
        Self {
            leg: update.leg.name(),
            n: update.n,
            total: update.total.to_string(),
            change: update.change.to_string(),
            wallet: update.wallet.to_string(),
            position: update.qty.to_string(),
            mark: update.price.to_string(),
            rate: update.rate.to_string(),
        }
    }
}

#[derive(Serialize)]
struct RejectedBody {
    by: &'static str,
    action: &'static str,
    measured: Option<String>,
    limit: Option<String>,
    unit: Option<&'static str>,
}

impl RejectedBody {
    fn of(rejection: &Rejection, why: &Measured) -> Self {
        let text = |raw| Decimal { raw, scale: DECIMALS }.to_string();
        Self {
            by: rejection.by.word(),
            action: rejection.action.word(),
            measured: why.measured.map(text),
            limit: why.limit.map(text),
            unit: why.unit,
        }
    }
}
