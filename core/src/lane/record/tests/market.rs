//! Bodies of events about the market: of each kind one, and copies that differ from it in one field.

use super::*;

pub(super) fn touches() -> Vec<Body> {
    let touch = Touch { bid: Some(LEVEL), ask: Some(Level { price: Px(13), qty: Qty(14) }) };
    let base = TouchChange { touch, source: TouchSource::Book };
    let all = variants(
        base,
        &[
            |c| c.source = TouchSource::Ticker,
            |c| c.touch.bid = None,
            |c| c.touch.ask = None,
            |c| c.touch.bid = Some(Level::default()),
            |c| c.touch.ask = Some(Level::default()),
            |c| c.touch.bid = Some(Level { price: Px(-11), ..LEVEL }),
            |c| c.touch.bid = Some(Level { qty: Qty(99), ..LEVEL }),
            |c| c.touch.ask = Some(LEVEL),
        ],
    );
    all.into_iter().map(Body::Touch).collect()
}

pub(super) fn depths() -> Vec<Body> {
    let base = Depth {
        imbalance_ppm: -5,
        microprice: Some(Px(7)),
        bids: [1, 2].map(Wide::from),
        asks: [3, 4].map(Wide::from),
    };
    let all = variants(
        base,
        &[
            |d| d.imbalance_ppm = 5,
            |d| d.microprice = None,
            |d| d.microprice = Some(Px(0)),
            |d| d.bids[0] = i128::MAX.into(),
            |d| d.bids[1] = (1_i128 << 64).into(),
            |d| d.asks[0] = (-1).into(),
            |d| d.asks[1] = 9.into(),
        ],
    );
    all.into_iter().map(Body::Depth).collect()
}

pub(super) fn levels() -> Vec<Body> {
    let base = Levels { side: BookSide::Bid, first: 4, count: 3, levels: [LEVEL; 4] };
    let all = variants(
        base,
        &[
            |l| l.side = BookSide::Ask,
            |l| l.first = 8,
            |l| l.count = 4,
            |l| l.levels[0].price = Px(1),
            |l| l.levels[1].qty = Qty(1),
            |l| l.levels[2].price = Px(2),
            |l| l.levels[3].qty = Qty(2),
        ],
    );
    all.into_iter().map(Body::Levels).collect()
}

pub(super) fn trades() -> Vec<Body> {
    let base = Trade { id: 1, price: Px(2), qty: Qty(3), aggressor: Side::Buy };
    let all = variants(
        base,
        &[|t| t.id = 2, |t| t.price = Px(3), |t| t.qty = Qty(2), |t| t.aggressor = Side::Sell],
    );
    all.into_iter().map(Body::Trade).collect()
}

pub(super) fn marks() -> Vec<Body> {
    let base = Mark {
        price: Px(1),
        index: Some(Px(2)),
        funding_rate: Some(Rate(3)),
        next_funding: Some(Nanos(4)),
        origin: Origin::Real,
    };
    let all = variants(
        base,
        &[
            |m| m.price = Px(2),
            |m| m.index = None,
            |m| m.index = Some(Px(0)),
            |m| m.funding_rate = None,
            |m| m.funding_rate = Some(Rate(0)),
            |m| m.funding_rate = Some(Rate(-3)),
            |m| m.next_funding = None,
            |m| m.next_funding = Some(Nanos(0)),
            |m| m.origin = Origin::Assumed,
        ],
    );
    all.into_iter().map(Body::Mark).collect()
}

pub(super) fn liquidations() -> Vec<Body> {
    let base = Liquidation { side: Side::Buy, price: Px(1), qty: Qty(2) };
    let all = variants(base, &[|l| l.side = Side::Sell, |l| l.price = Px(2), |l| l.qty = Qty(1)]);
    all.into_iter().map(Body::Liquidation).collect()
}

pub(super) fn history() -> Vec<Body> {
    let charges = variants(
        Funding { at: Nanos(1), rate: Rate(2) },
        &[|f| f.at = Nanos(2), |f| f.rate = Rate(-2)],
    );
    let interest = variants(
        OpenInterest { at: Nanos(1), qty: Some(2.into()), notional: Some(3.into()) },
        &[
            |i| i.at = Nanos(2),
            |i| i.qty = Some(3.into()),
            |i| i.qty = None,
            |i| i.qty = Some(0.into()),
            |i| i.notional = Some(2.into()),
            |i| i.notional = None,
        ],
    );
    let charges = charges.into_iter().map(Body::Funding);
    let Body::Report(report) = reports()[0] else { panic!("reports") };
    let ended = Body::Report(Report { reason: VenueReason::Delisted, ..report });
    charges.chain(interest.into_iter().map(Body::OpenInterest)).chain([ended]).collect()
}

pub(super) fn bands() -> Vec<Body> {
    let all = variants(
        DepthBand { at: Nanos(1), distance: Bps(2), qty: 3.into(), notional: 4.into() },
        &[
            |b| b.at = Nanos(2),
            |b| b.distance = Bps(-2),
            |b| b.qty = 4.into(),
            |b| b.notional = (1_i128 << 64).into(),
        ],
    );
    all.into_iter().map(Body::DepthBand).collect()
}

pub(super) fn bars() -> Vec<Body> {
    let base = Bar {
        open_time: Nanos(1),
        interval_s: 2,
        trades: 3,
        open: Px(4),
        high: Px(5),
        low: Px(6),
        close: Px(7),
        volume: 8.into(),
        quote_volume: 9.into(),
    };
    let all = variants(
        base,
        &[
            |b| b.open_time = Nanos(9),
            |b| b.interval_s = 9,
            |b| b.trades = 9,
            |b| b.open = Px(9),
            |b| b.high = Px(9),
            |b| b.low = Px(9),
            |b| b.close = Px(9),
            |b| b.volume = i128::MIN.into(),
            |b| b.quote_volume = i128::MAX.into(),
        ],
    );
    all.into_iter().map(Body::Bar).collect()
}
