//! Whose a row is: its symbol, market and venue, and whether it was asked for.

use std::path::Path;

use fusewire_core::instrument::Market;

use super::Options;
use super::error::ImportError;
use super::table::{Column, Table, may};

/// Columns that tell it. Each importer puts them behind its own.
pub(super) const SYMBOL: Column = may(&["symbol", "Symbol"], None);
/// A symbol without the quote currency.
pub(super) const BASE: Column = may(&["symbol_without_usdt", "coin"], None);
pub(super) const MARKET: Column = may(&["market"], None);
pub(super) const VENUE: Column = may(&["venue"], None);

/// Symbols of one file: of each of them something is remembered. The exchange has listed some thousand in all.
pub(super) const SYMBOLS_MAX: usize = 16_384;

/// Refuses the first row of one symbol too many.
///
/// # Errors
/// It is the row of more than `SYMBOLS_MAX` symbols.
pub(super) fn check_count(table: &Table, symbols: usize) -> Result<(), ImportError> {
    if symbols > SYMBOLS_MAX {
        return Err(table.error(format!("more than {SYMBOLS_MAX} symbols in one file")));
    }
    Ok(())
}

/// Where these columns stand among those of an importer: one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    first: usize,
    market: Market,
    options: &'a Options,
}

impl<'a> Whose<'a> {
    /// `SYMBOL`, `BASE`, `MARKET` and `VENUE` are the columns from `first` on.
    ///
    /// # Errors
    /// Nothing tells a symbol: neither a column, nor the options, nor the name of the file.
    pub(super) fn new(
        table: &Table,
        first: usize,
        (market, options): (Market, &'a Options),
    ) -> Result<(Self, Option<String>), ImportError> {
        let whose = Self { first, market, options };
        if table.has(first) || table.has(first + 1) {
            return Ok((whose, None));
        }
        let by_name = symbol_of_name(table.name());
        if let Some((named, wanted)) = by_name.as_ref().zip(options.symbol.as_ref())
            && named != wanted
        {
            let what = format!("its name says {named}, and --symbol says {wanted}");
            return Err(ImportError::of_file(table.name(), what));
        }
        let named = by_name.or_else(|| options.symbol.clone());
        let only = named.ok_or_else(|| {
            ImportError::of_file(
                table.name(),
                "no column symbol, and the file's name tells none either: pass --symbol",
            )
        })?;
        check_symbol(&only).map_err(|what| ImportError::of_file(table.name(), what))?;
        Ok((whose, Some(only)))
    }

    /// The symbol of the current row; none when it was not asked for.
    ///
    /// # Errors
    /// It has none, or one venue of several was not chosen.
    pub(super) fn symbol(
        &self,
        table: &Table,
        only: Option<&String>,
    ) -> Result<Option<String>, ImportError> {
        if !self.is_of_market(table) || !self.is_of_venue(table)? {
            return Ok(None);
        }
        if let Some(only) = only {
            return Ok(Some(only.clone()));
        }
        let (column, quote) =
            if table.has(self.first) { (self.first, "") } else { (self.first + 1, "USDT") };
        let text = table.text(column).unwrap_or_default();
        let symbol = format!("{}{quote}", text.trim().replace('-', ""));
        check_symbol(&symbol).map_err(|what| table.field_error(column, what))?;
        let wanted = self.options.symbol.as_ref().is_none_or(|wanted| *wanted == symbol);
        Ok(wanted.then_some(symbol))
    }

    /// A market that is none that we know, as `usdm_unverified`, is not the one that was asked for.
    fn is_of_market(&self, table: &Table) -> bool {
        let text = table.text(self.first + 2);
        text.is_none_or(|text| text.parse::<Market>().is_ok_and(|market| market == self.market))
    }

    fn is_of_venue(&self, table: &Table) -> Result<bool, ImportError> {
        let column = self.first + 3;
        let Some(text) = table.text(column) else { return Ok(true) };
        match &self.options.venue {
            Some(venue) => Ok(venue == text),
            None => Err(table.field_error(column, "is one venue of several: choose with --venue")),
        }
    }
}

/// The symbol with which the exchange's files begin: `BTCUSDT-1m-2024-01-01.zip`.
pub(super) fn symbol_of_name(name: &str) -> Option<String> {
    let name = Path::new(name).file_name()?.to_str()?;
    let (symbol, _) = name.split_once('-')?;
    // A date is none.
    let has_letter = symbol.contains(char::is_alphabetic);
    (has_letter && check_symbol(symbol).is_ok()).then(|| symbol.to_owned())
}

/// A symbol is written in capitals, digits and underscores; some have letters of other scripts.
fn check_symbol(symbol: &str) -> Result<(), String> {
    let is_odd = |c: char| {
        !(c.is_ascii_uppercase()
            || c.is_ascii_digit()
            || c == '_'
            || (!c.is_ascii() && c.is_alphanumeric()))
    };
    if symbol.is_empty() || symbol.len() > 64 || symbol.contains(is_odd) {
        return Err("is no symbol".to_owned());
    }
    Ok(())
}
