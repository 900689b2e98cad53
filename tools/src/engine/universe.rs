//! Which symbols a run follows, and where their instruments come from.
//!
//! Sources in order: configuration, an `exchangeInfo` file, one inside the recording, the built-in table.
//! A symbol that none of them describes is an error: its filters would be guesses.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::instrument::{
    ContractType, Instrument, InstrumentId, Life, Market, Universe, common, report_key,
};
use fusewire_io::exchange_info::ExchangeInfo;
use fusewire_io::manifest::{Manifest, Scanned, SymbolSummary};

use crate::config::Config;
use crate::outcome::Failure;

/// Symbols without an instrument that an error lists by name.
const LISTED_MAX: usize = 8;

/// The universe of a run.
///
/// `asked` are report keys from the command line, which win over the configuration.
///
/// # Errors
/// A symbol that was asked for and is not in the capture, or one that nothing describes.
pub fn resolve(
    config: &Config,
    asked: &[String],
    scanned: &Scanned,
    given: &BTreeMap<Market, ExchangeInfo>,
) -> Result<Universe, Failure> {
    let wanted = wanted(config, asked, &scanned.manifest)?;
    let by_hand = by_hand(config)?;
    let mut instruments = Vec::new();
    let mut unknown = Vec::new();
    for (market, symbol) in wanted {
        let from_config = by_hand.get(&(market, symbol.clone())).cloned();
        let found = match from_config {
            Some(instrument) => Some(instrument),
            None => listed(given, market, &symbol)?
                .or(listed(&scanned.exchange_info, market, &symbol)?)
                .or_else(|| common(market, &symbol)),
        };
        match found {
            Some(instrument) => instruments.push(instrument),
            None => unknown.push(report_key(market, &symbol)),
        }
    }
    if !unknown.is_empty() {
        return Err(Failure::line(unknown_symbols(&unknown)));
    }
    set_lives(config, &scanned.manifest, &mut instruments)?;
    // Reports have one entry a key, and a key does not name the futures market.
    let keys: BTreeSet<String> = instruments.iter().map(Instrument::key).collect();
    if keys.len() < instruments.len() {
        return Err(Failure::line("two symbols of different markets have the same report key"));
    }
    Universe::new(instruments).map_err(Failure::line)
}

/// What `[[universe.life]]` says. A symbol that the run does not follow may have a section, and one that the capture does
/// not hold: a file may serve several captures. The latter is told, as it may be a slip.
fn set_lives(
    config: &Config,
    manifest: &Manifest,
    instruments: &mut [Instrument],
) -> Result<(), Failure> {
    let entries = &config.universe.life;
    for (index, entry) in entries.iter().enumerate() {
        let key = &entry.key;
        let failed = |what| Failure::line(format!("[[universe.life]] {key}: {what}"));
        // Whether it is followed or not.
        entry.over(Life::UNBOUNDED).map_err(failed)?;
        if entries[..index].iter().any(|other| other.key == *key) {
            return Err(failed("the symbol has a section already".to_owned()));
        }
        if !manifest.symbols.contains_key(key) {
            tracing::warn!(key, "[[universe.life]]: the capture does not hold this symbol");
        }
        if let Some(one) = instruments.iter_mut().find(|one| one.key() == *key) {
            one.life = entry.over(one.life).map_err(failed)?;
        }
    }
    Ok(())
}

/// The symbols of a universe that may be traded: USD-M perpetuals, and of them what the configuration
/// names if it names any.
///
/// # Errors
/// A configured symbol that can not be traded whatever the configuration says.
pub fn tradable(config: &Config, universe: &Universe) -> Result<Vec<InstrumentId>, Failure> {
    let allowed = |instrument: &Instrument| {
        instrument.market == Market::UsdM && instrument.contract_type == ContractType::Perpetual
    };
    let named = &config.universe.tradable;
    for key in named {
        let found = universe.iter().find(|(_, instrument)| instrument.key() == *key);
        if found.is_some_and(|(_, instrument)| !allowed(instrument)) {
            return Err(Failure::line(format!(
                "universe.tradable: {key} is observed only: USD-M perpetuals can be traded"
            )));
        }
    }
    let chosen = |instrument: &Instrument| named.is_empty() || named.contains(&instrument.key());
    let both =
        |(_, instrument): &(InstrumentId, &Instrument)| allowed(instrument) && chosen(instrument);
    Ok(universe.iter().filter(both).map(|(id, _)| id).collect())
}

fn unknown_symbols(keys: &[String]) -> String {
    let shown = keys.get(..LISTED_MAX).unwrap_or(keys).join(", ");
    let more = if keys.len() > LISTED_MAX {
        format!(" and {} more", keys.len() - LISTED_MAX)
    } else {
        String::new()
    };
    format!(
        "unknown symbol: no instrument for {shown}{more}: pass --exchange-info FILE, describe it in \
         [[instrument]], or choose others with --symbols"
    )
}

/// Market and symbol of everything to follow, in the order of their numbers.
fn wanted(
    config: &Config,
    asked: &[String],
    manifest: &Manifest,
) -> Result<Vec<(Market, String)>, Failure> {
    let place = |summary: &SymbolSummary| {
        summary.market.parse::<Market>().map(|market| (market, summary.symbol.clone()))
    };
    if !asked.is_empty() {
        let missing = asked.iter().find(|key| !manifest.symbols.contains_key(*key));
        if let Some(key) = missing {
            let held: Vec<&str> =
                manifest.symbols.keys().map(String::as_str).take(LISTED_MAX).collect();
            return Err(Failure::line(format!(
                "unknown symbol: '{key}' is not in the capture, which holds {}",
                held.join(", ")
            )));
        }
    }
    let keys = if asked.is_empty() { &config.universe.symbols } else { asked };
    if !keys.is_empty() {
        let (held, absent): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| manifest.symbols.contains_key(*key));
        if !absent.is_empty() {
            tracing::warn!(?absent, "configured symbols that the capture does not hold");
        }
        if held.is_empty() {
            return Err(Failure::line(format!(
                "unknown symbol: the capture holds none of the configured symbols {absent:?}"
            )));
        }
        let held = held.into_iter().filter_map(|key| manifest.symbols.get(key));
        return held.map(place).collect::<Result<_, _>>().map_err(Failure::line);
    }
    let own = manifest.symbols.values().filter(|summary| summary.own_streams);
    let mut all = own.map(place).collect::<Result<Vec<_>, _>>().map_err(Failure::line)?;
    all.sort();
    Ok(all)
}

fn by_hand(config: &Config) -> Result<BTreeMap<(Market, String), Instrument>, Failure> {
    let entries = config.instrument.iter().map(|entry| {
        let instrument = entry.instrument()?;
        Ok(((instrument.market, instrument.symbol.clone()), instrument))
    });
    entries.collect::<Result<_, String>>().map_err(Failure::line)
}

/// The instrument of an `exchangeInfo`; `None` when it does not list the symbol.
fn listed(
    infos: &BTreeMap<Market, ExchangeInfo>,
    market: Market,
    symbol: &str,
) -> Result<Option<Instrument>, Failure> {
    let row = infos.get(&market).and_then(|info| info.find(symbol));
    row.transpose().map(Option::<&Instrument>::cloned).map_err(Failure::line)
}
