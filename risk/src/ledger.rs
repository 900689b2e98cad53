//! The ledger: where every cent of the account came from and went to, folded from sequenced events.

mod types;

pub use types::{
    ClosedPosition, ExitPath, Posting, PostingKind, ReconcileOutcome, Reconciliation, Row, TradeRow,
};
