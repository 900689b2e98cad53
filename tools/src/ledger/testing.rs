//! Rows and journals for the tests of stores.

use fusewire_core::units::{Nanos, Usd, UsdSum};

use super::store::{JournalEntry, Progress};
use super::table::{Cell, Entry, Table};

/// A journal of one strategy in one symbol.
pub(super) fn journal() -> JournalEntry {
    JournalEntry {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        session: u16::MAX,
        created: Nanos(5),
        config_digest: "c".to_owned(),
        seed: u64::MAX,
        profile: "default".to_owned(),
        opening: Usd(1_000_000_000_001),
        build_version: "1".to_owned(),
        build_commit: "2".to_owned(),
        strategies: vec!["it's \\ a \"quoter\"".to_owned()],
        symbols: vec!["BTCUSDT".to_owned()],
    }
}

/// A watermark.
pub(super) fn progress(seq: u64) -> Progress {
    Progress {
        seq,
        ts: Nanos(seq),
        rows: 2,
        digest: format!("d{seq}"),
        wallet: UsdSum(-3),
        unrealized: None,
    }
}

/// A posting with this amount, in units of 1e-8.
pub(super) fn posting(seq: u64, index: u32, amount: i128) -> Entry {
    let text = |text: &str| Cell::Text(text.to_owned());
    let cells = vec![
        Cell::Int(index.into()),
        Cell::Int(1),
        text("funding"),
        Cell::Int(0),
        Cell::Null,
        text("both"),
        Cell::Null,
        Cell::Fixed(amount),
        Cell::Flag(index == 0),
    ];
    Entry { table: Table::Postings, seq, index, cells }
}
