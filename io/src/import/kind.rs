//! What a history file holds, told by its name, its folder, or the caller.

use std::path::Path;
use std::str::FromStr;

use super::{Format, time};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// Candles of trades.
    Klines,
    /// Candles of the mark price.
    MarkPriceKlines,
    /// Aggregate trades.
    AggTrades,
    /// Trades.
    Trades,
    /// Best bid and ask.
    BookTicker,
    /// Funding as it was charged.
    FundingRate,
    /// Open interest, and ratios that are left out.
    Metrics,
    /// Forced orders.
    LiquidationSnapshot,
    /// Sums of the book's depth over bands of percents.
    BookDepth,
    /// Changes of the book.
    IncrementalBookL2,
    /// The top of the book.
    BookSnapshot,
    /// Mark, index, funding and open interest.
    DerivativeTicker,
    /// Liquidations as Tardis writes them.
    Liquidations,
    /// Trades as Tardis writes them.
    TardisTrades,
}

impl DataType {
    /// Those of the exchange's own files, by the names of their folders.
    const VISION: [(&'static str, Self); 9] = [
        ("markPriceKlines", Self::MarkPriceKlines),
        ("klines", Self::Klines),
        ("aggTrades", Self::AggTrades),
        ("trades", Self::Trades),
        ("bookTicker", Self::BookTicker),
        ("fundingRate", Self::FundingRate),
        ("metrics", Self::Metrics),
        ("liquidationSnapshot", Self::LiquidationSnapshot),
        ("bookDepth", Self::BookDepth),
    ];
    /// Those of Tardis, by the names in its files.
    const TARDIS: [(&'static str, Self); 5] = [
        ("incremental_book_L2", Self::IncrementalBookL2),
        ("book_snapshot", Self::BookSnapshot),
        ("derivative_ticker", Self::DerivativeTicker),
        ("liquidations", Self::Liquidations),
        ("trades", Self::TardisTrades),
    ];

    /// What a file of a format holds. `told` is what the caller says.
    ///
    /// # Errors
    /// Nothing tells it, or it is not read.
    pub(super) fn of(format: Format, path: &Path, told: Option<&str>) -> Result<Self, String> {
        let known: &[(&str, Self)] = match format {
            Format::Klines => return Ok(Self::Klines),
            Format::Funding => return Ok(Self::FundingRate),
            Format::OpenInterest => return Ok(Self::Metrics),
            Format::Liquidations => return Ok(Self::LiquidationSnapshot),
            Format::Collector => return Err("a recording has no data type".to_owned()),
            Format::BinanceVision => &Self::VISION,
            Format::Tardis => &Self::TARDIS,
        };
        if let Some(told) = told {
            let named = known.iter().find(|(name, _)| *name == told);
            return named.map(|(_, kind)| *kind).ok_or_else(|| unknown(told, known));
        }
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some((_, kind)) = known.iter().find(|(name, _)| named(file, name)) {
            return Ok(*kind);
        }
        let folder =
            |name: &str| path.parent().is_some_and(|path| path.iter().any(|part| part == name));
        if let Some((_, kind)) = known.iter().find(|(name, _)| folder(name)) {
            return Ok(*kind);
        }
        let others = ["indexPriceKlines", "premiumIndexKlines"];
        if let Some(other) = others.into_iter().find(|name| folder(name)) {
            return Err(format!("nothing here reads {other}"));
        }
        if format == Format::BinanceVision && names_interval(file) {
            return Ok(Self::Klines);
        }
        Err(format!("its name tells no data type: {}", unknown("", known)))
    }
}

/// `BTCUSDT-1m-2024-01-01.zip`: candles, of whatever; those of the mark price are told by their folder.
fn names_interval(file: &str) -> bool {
    file.split('-').nth(1).is_some_and(|part| time::interval(part).is_ok())
}

/// The folder's name of what a file of the exchange holds, told by the file's own name alone.
pub(super) fn named_type(file: &str) -> Option<&'static str> {
    let found = DataType::VISION.iter().find(|(name, _)| named(file, name)).map(|(name, _)| *name);
    found.or_else(|| names_interval(file).then_some("klines"))
}

/// True when a name holds a word between what separates words in file names.
fn named(file: &str, word: &str) -> bool {
    file.match_indices(word).any(|(at, _)| {
        let before = file[..at].chars().last();
        let behind = file[at + word.len()..].chars().next();
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphabetic());
        ends(before) && ends(behind)
    })
}

fn unknown(told: &str, known: &[(&str, DataType)]) -> String {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let told =
        if told.is_empty() { String::new() } else { format!("unknown data type '{told}', ") };
    format!("{told}pass --data-type with one of {}", names.join(", "))
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown format '{text}' (known: {names})")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_folders_tell_what_a_file_holds() {
        let of = |format, path: &str| DataType::of(format, Path::new(path), None);
        let vision = |path: &str| of(Format::BinanceVision, path);
        assert_eq!(vision("x/BTCUSDT-aggTrades-2024-01-01.zip"), Ok(DataType::AggTrades));
        assert_eq!(vision("BTCUSDT-trades-2024-01-01.csv"), Ok(DataType::Trades));
        assert_eq!(vision("BTCUSDT-1m-2024-01-01.csv"), Ok(DataType::Klines));
        let mark = "um/daily/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01-01.zip";
        assert_eq!(vision(mark), Ok(DataType::MarkPriceKlines));
        assert_eq!(vision("BTCUSDT-metrics-2024-01-01.zip"), Ok(DataType::Metrics));
        assert_eq!(vision("BTCUSDT-bookDepth-2024-01-01.zip"), Ok(DataType::BookDepth));
        let folder = "um/daily/bookDepth/BTCUSDT/2024-01-01.zip";
        assert_eq!(vision(folder), Ok(DataType::BookDepth));
        let index = "um/daily/indexPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01-01.zip";
        assert_eq!(vision(index), Err("nothing here reads indexPriceKlines".to_owned()));
        assert!(
            vision("BTCUSDT.csv").unwrap_err().contains("--data-type with one of markPriceKlines")
        );
        let told = DataType::of(Format::BinanceVision, Path::new("x.csv"), Some("fundingRate"));
        assert_eq!(told, Ok(DataType::FundingRate));
        let odd = DataType::of(Format::BinanceVision, Path::new("x.csv"), Some("x"));
        assert!(odd.unwrap_err().starts_with("unknown data type 'x', pass --data-type"));
        let tardis = |path: &str| of(Format::Tardis, path);
        let book = "binance-futures_incremental_book_L2_2024-01-01_BTCUSDT.csv.gz";
        assert_eq!(tardis(book), Ok(DataType::IncrementalBookL2));
        assert_eq!(tardis("book_snapshot_25_x.csv.gz"), Ok(DataType::BookSnapshot));
        assert_eq!(tardis("a_trades_b.csv"), Ok(DataType::TardisTrades));
    }
}
