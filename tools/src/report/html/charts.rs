//! The charts of the page: equity, drawdown, prices with fills, and how far closed positions moved.

use fusewire_core::market::Side;
use fusewire_core::units::{Bps, Nanos, ONE, UsdSum};
use fusewire_risk::ledger::TradeRow;

use super::svg::Plot;
use crate::journal::text::utc;
use crate::report::series::{Buckets, Series, SymbolSeries};

/// Heights, in units of the drawing.
const TALL: f64 = 260.0;
const FLAT: f64 = 140.0;
/// Room above and below a curve, as a share of its range.
const MARGIN: f64 = 0.06;

/// Equity over time.
pub(super) fn equity(series: &Series) -> String {
    curve("chart-equity", "Equity, USDT", TALL, &series.equity, series.span, "equity")
}

/// How far equity was below its highest value so far.
pub(super) fn drawdown(series: &Series) -> String {
    curve("chart-drawdown", "Drawdown, USDT", FLAT, &series.drawdown, series.span, "drawdown")
}

/// Prices of a symbol, and its fills.
pub(super) fn prices(number: usize, symbol: &SymbolSeries, span: (Nanos, Nanos)) -> String {
    let curve = &symbol.prices;
    let fills: Vec<(f64, f64, &TradeRow)> = symbol
        .fills
        .kept()
        .iter()
        .filter_map(|fill| Some((curve.place(fill.ts), price_of(fill)?, fill)))
        .collect();
    let range = fills.iter().fold(curve.range(), |range, (_, price, _)| {
        let (low, high) = range.unwrap_or((*price, *price));
        Some((low.min(*price), high.max(*price)))
    });
    let title = format!("Price and fills of {}", symbol.key);
    let id = format!("chart-price-{number}");
    let mut plot = Plot::new(&id, &title, TALL, (0.0, 1.0), roomy(range.unwrap_or((0.0, 1.0))));
    plot.levels();
    times(&mut plot, span);
    draw(&mut plot, curve, "price");
    for (at, price, fill) in fills {
        let (class, up, word) = match fill.side {
            Side::Buy => ("buy", true, "bought"),
            Side::Sell => ("sell", false, "sold"),
        };
        let text = format!("{} {word} {} for {} USDT", utc(fill.ts), fill.qty, fill.quote);
        plot.arrow(class, (at, price), up, &text);
    }
    plot.finish()
}

/// Worst move against the best move of each closed position, in basis points.
pub(super) fn excursions(series: &Series) -> String {
    let bp = |bps: Bps| bps.0 as f64 / 1e4;
    let points: Vec<(f64, f64)> = series
        .closed
        .kept()
        .iter()
        .map(|closed| (-bp(closed.max_adverse), bp(closed.max_favorable)))
        .collect();
    let most = points
        .iter()
        .fold((1.0, 1.0), |(x, y): (f64, f64), point| (x.max(point.0), y.max(point.1)));
    let title = "MAE (to the right) and MFE (upwards) of closed positions, bp";
    let ranges = ((0.0, most.0 * (1.0 + MARGIN)), (0.0, most.1 * (1.0 + MARGIN)));
    let mut plot = Plot::new("chart-excursions", title, TALL, ranges.0, ranges.1);
    plot.levels();
    for share in [0.0, 0.5, 1.0] {
        let anchor = if share > 0.9 { "end" } else { "middle" };
        plot.below(most.0 * share, anchor, &format!("{:.1} bp against it", most.0 * share));
    }
    for (closed, point) in series.closed.kept().iter().zip(points) {
        let net = UsdSum(closed.realized.0 - closed.fees.0 + closed.funding.0);
        let text = format!(
            "position {}: MAE {} bp, MFE {} bp, net {net} USDT, {}",
            closed.n,
            closed.max_adverse,
            closed.max_favorable,
            closed.exit.name()
        );
        plot.dot(if closed.won() { "won" } else { "lost" }, point, &text);
    }
    plot.finish()
}

fn curve(
    id: &str,
    title: &str,
    height: f64,
    curve: &Buckets,
    span: (Nanos, Nanos),
    class: &str,
) -> String {
    let range = roomy(curve.range().unwrap_or((0.0, 1.0)));
    let mut plot = Plot::new(id, title, height, (0.0, 1.0), range);
    plot.levels();
    times(&mut plot, span);
    draw(&mut plot, curve, class);
    plot.finish()
}

/// The band between lowest and highest values, and the line of the last ones.
fn draw(plot: &mut Plot, curve: &Buckets, class: &str) {
    let band: Vec<_> = curve.iter().map(|(at, bucket)| (at, bucket.low, bucket.high)).collect();
    plot.area(&format!("{class} band"), &band);
    let line = curve.iter().flat_map(|(at, bucket)| [(at, bucket.first), (at, bucket.last)]);
    plot.line(class, line);
}

fn times(plot: &mut Plot, (from, to): (Nanos, Nanos)) {
    let middle = Nanos(from.0 + (to.0.saturating_sub(from.0)) / 2);
    for (at, anchor, ts) in [(0.0, "start", from), (0.5, "middle", middle), (1.0, "end", to)] {
        // Whole seconds are enough for the eye: `2026-01-05T00:00:00`.
        let text = utc(ts);
        plot.below(at, anchor, text.get(..19).unwrap_or(&text));
    }
}

fn roomy((low, high): (f64, f64)) -> (f64, f64) {
    let by = (high - low) * MARGIN;
    (low - by, high + by)
}

fn price_of(fill: &TradeRow) -> Option<f64> {
    let quote = i128::from(fill.quote.0) * i128::from(ONE);
    let price = quote.checked_div(fill.qty.0.into())?;
    Some(price as f64 / 1e8)
}
