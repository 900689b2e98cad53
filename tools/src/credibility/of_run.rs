//! What a finished run of ours says of itself. All of it is kept by ledger and venue while they run, in a few words a
//! symbol, so that a run without a journal is judged like one with it.

use std::collections::BTreeSet;

use fusewire_core::event::EventKind;
use fusewire_core::instrument::{Instrument, Life, Market, Universe as Symbols};
use fusewire_core::units::{Bps, Nanos, Rate, UsdSum};
use fusewire_io::manifest::{Manifest, SymbolSummary};
use fusewire_risk::ledger::{Ledger, PostingKind};

use super::{
    Crossing, Excursions, Facts, Funding, Interval, Leverage, Past, SymbolSpan, Told, Universe,
    Volume,
};
use crate::config::Config;
use crate::engine::Run;

/// The facts of a run over the symbols that `manifest` holds.
#[must_use]
pub fn of_run(run: &Run, config: &Config, manifest: &Manifest, past: Option<Past>) -> Facts {
    let ledger = run.risk.ledger();
    let stats = run.gateway.venue().stats();
    let exits = || ledger.exits().iter();
    let closed: u64 = exits().map(|exits| exits.count).sum();
    let wins = exits().map(|exits| exits.wins).sum();
    let adverse = exits().map(|exits| exits.adverse).sum();
    let favorable = exits().map(|exits| exits.favorable).sum();
    let volume = |fills, quote, fees| Some(Volume { fills, quote, fees });
    Facts {
        fills: stats.fills(),
        closed,
        wins,
        win_rate: Interval::of(wins, closed).map_or(Told::Not, Told::With),
        excursions: Some(Excursions { adverse, favorable }),
        maker: volume(stats.maker_fills, stats.maker_quote, stats.maker_fees),
        taker: volume(stats.taker_fills, stats.taker_quote, stats.taker_fees),
        crossing: Some(Crossing {
            fills: stats.crossed_fills,
            quote: stats.crossed_quote,
            beyond: stats.crossed_beyond,
        }),
        assumed_spread: assumed_spread(run, config),
        funding: Some(funding(run)),
        leverage: Some(Leverage {
            used: ledger.exposure().over_wallet,
            // The venue looks at the margin when a mark comes.
            liquidates: run.sequencer.counts()[EventKind::Mark as usize] > 0,
            fee: in_bp(config.margin.liquidation_fee),
        }),
        bar_crossed: Some(stats.paid_early),
        universe: Some(universe(run, manifest, config)),
        price_profit: price_profit(ledger),
        tape_bound: Some(ledger.tape_bound()),
        credited: credited(ledger),
        past,
    }
}

/// A share in basis points, rounded down.
fn in_bp(share: Rate) -> Bps {
    // 1e-12 of a whole is 1e-8 bp, and a raw `Bps` 1e-4.
    Bps(share.0.div_euclid(10_000))
}

fn price_profit(ledger: &Ledger) -> Option<UsdSum> {
    let realized = ledger.total(PostingKind::Realized).0 + ledger.total(PostingKind::Netting).0;
    ledger.unrealized()?.checked_add(UsdSum(realized))
}

/// What the wallet has beyond its opening balance and all that the ledger posted with a reason.
fn credited(ledger: &Ledger) -> Option<UsdSum> {
    let reasons = PostingKind::ALL.iter().filter(|kind| **kind != PostingKind::Wallet);
    let known: i128 = reasons.map(|kind| ledger.total(*kind).0).sum();
    Some(UsdSum(ledger.wallet().0 - i128::from(ledger.opening().0) - known))
}

/// The assumed spread, if a symbol that was traded had no book.
fn assumed_spread(run: &Run, config: &Config) -> Option<Bps> {
    let assumed = config.assumed_touch()?;
    let traded = |id| {
        run.risk.portfolio().position(id).bought.0 + run.risk.portfolio().position(id).sold.0 != 0
    };
    let mut symbols = run.feed.feed().universe().iter();
    let is_assumed =
        |id| run.sequencer.data(id).touches > 0 && run.sequencer.books().get(id).state().is_err();
    symbols.any(|(id, _)| is_assumed(id) && traded(id)).then_some(assumed.book.spread)
}

/// A charge at a rate that was assumed to be zero is none; the venue does not count it.
fn funding(run: &Run) -> Funding {
    let stats = run.gateway.venue().stats();
    Funding { held: stats.boundaries_held, charged: stats.boundaries_charged }
}

/// USD-M symbols with streams of their own: one that is only named in a stream of the whole market was never recorded.
/// When the data begin and end is told by what shows symbols traded, as their own ends are: funding that was imported
/// beside candles may go on for longer.
fn universe(run: &Run, manifest: &Manifest, config: &Config) -> Universe {
    let symbols = run.feed.feed().universe();
    // Who is followed and may not be traded is left out like one that is not followed.
    let named = &config.universe.tradable;
    let is_chosen = |key: &String| named.is_empty() || named.contains(key);
    let followed = symbols.iter().map(|(_, symbol): (_, &Instrument)| symbol.key());
    let chosen: BTreeSet<String> = followed.filter(is_chosen).collect();
    let spans =
        || manifest.symbols.values().filter(|one| could_trade(one)).filter_map(|one| one.span);
    let mut universe = Universe {
        first: spans().map(|(first, _)| first).min().unwrap_or_default(),
        last: spans().map(|(_, last)| last).max().unwrap_or_default(),
        ..Universe::default()
    };
    for (key, symbol) in &manifest.symbols {
        let Some((first, last)) = symbol.span else { continue };
        if !could_trade(symbol) {
            continue;
        }
        let delisted = delisted(key, symbols, config);
        let span = SymbolSpan { key: key.clone(), first, last, delisted };
        if chosen.contains(key) { &mut universe.chosen } else { &mut universe.left_out }.push(span);
    }
    universe
}

/// The end of a symbol: of one that is followed as its instrument has it, of another as the configuration says.
fn delisted(key: &str, followed: &Symbols, config: &Config) -> Option<Nanos> {
    if let Some((_, one)) = followed.iter().find(|(_, one)| one.key() == key) {
        return one.life.delisted;
    }
    let entry = config.universe.life.iter().find(|entry| entry.key == key)?;
    // Checked when the universe was made.
    entry.over(Life::UNBOUNDED).ok()?.delisted
}

fn could_trade(symbol: &SymbolSummary) -> bool {
    symbol.own_streams && symbol.market == Market::UsdM.name()
}
