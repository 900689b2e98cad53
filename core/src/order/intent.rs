//! Intents and verdicts.

use super::{Conditional, OrderId, Rejection, Side};
use crate::instrument::InstrumentId;
use crate::units::{Px, Qty};

/// How long an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// What fills at once; the rest expires.
    Ioc,
    /// All at once or nothing.
    Fok,
    /// Post only: expires instead of taking (`GTX`).
    Gtx,
}

impl TimeInForce {
    /// All terms, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Gtc, Self::Ioc, Self::Fok, Self::Gtx];
}

/// Which position of a symbol an order or a fill belongs to (`positionSide`). In one-way mode there is one;
/// an account in hedge mode has two that do not net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Leg {
    /// The one position of one-way mode.
    #[default]
    Both,
    /// The long leg of hedge mode.
    Long,
    /// The short leg of hedge mode.
    Short,
}

impl Leg {
    /// All legs, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Both, Self::Long, Self::Short];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

/// A new limit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Buys or sells.
    pub side: Side,
    /// Limit price.
    pub price: Px,
    /// Quantity.
    pub qty: Qty,
    /// How long it stands.
    pub tif: TimeInForce,
    /// May only make the account's position in the symbol smaller; the venue clips it to that.
    pub reduce_only: bool,
}

/// What an intent wants done with its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send it.
    New(NewOrder),
    /// Change price and total quantity (what is already filled included), which loses the queue place.
    Amend {
        /// New limit price.
        price: Px,
        /// New total quantity.
        qty: Qty,
    },
    /// Take it back.
    Cancel,
    /// Ask the venue what became of it.
    Query,
    /// Send an order that waits at the venue for its trigger. While it waits it can not be amended.
    Conditional(Conditional),
}

impl Action {
    /// The order that it sends, now or from its trigger on; none for what is about an order.
    #[must_use]
    pub const fn order(&self) -> Option<&NewOrder> {
        match self {
            Self::New(new) => Some(new),
            Self::Conditional(conditional) => Some(&conditional.order),
            Self::Amend { .. } | Self::Cancel | Self::Query => None,
        }
    }
}

/// Who formed an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// A strategy.
    Alpha,
    /// The risk stage itself: protection, halt, queries.
    Risk,
}

impl Source {
    /// All sources, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Alpha, Self::Risk];
}

/// What a strategy or the risk stage wants. It gets exactly one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The order that it is about; a new one has the next id of its strategy.
    pub order: OrderId,
    /// The symbol of the order.
    pub instrument: InstrumentId,
    /// Who formed it.
    pub source: Source,
    /// What to do.
    pub action: Action,
}

/// What an approved intent does to risk: the gateway compares it with the kill level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// May make a position larger.
    NewRisk,
    /// A strategy's reduce-only order.
    Reduce,
    /// A reduce-only order of the halt.
    HaltReduce,
    /// Cancels and queries.
    Cancel,
}

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::NewRisk, Self::Reduce, Self::HaltReduce, Self::Cancel];
}

/// What it takes to make an `Approved`. The edge check lets only the risk crate name it.
#[derive(Debug)]
pub struct ApprovalKey(());

impl ApprovalKey {
    /// The key of the risk stage.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a key is made on purpose")]
    pub const fn new() -> Self {
        Self(())
    }
}

/// An intent that passed every check. The gateway sends nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved {
    intent: Intent,
    class: Class,
    side: Side,
    on_waiting: bool,
}

impl Approved {
    /// Stamps an intent. `side` is that of its order, which an amend does not name and a venue asks for.
    #[must_use]
    pub const fn new(_key: &ApprovalKey, intent: Intent, class: Class, side: Side) -> Self {
        Self { intent, class, side, on_waiting: false }
    }

    /// Stamps an intent on a conditional order that had not triggered as far as risk knows. The exchange
    /// keeps such orders in another place, so that whoever sends it must know.
    #[must_use]
    pub const fn on_waiting(_key: &ApprovalKey, intent: Intent, class: Class, side: Side) -> Self {
        Self { intent, class, side, on_waiting: true }
    }

    /// What was approved.
    #[must_use]
    pub const fn intent(&self) -> &Intent {
        &self.intent
    }

    /// As what it was approved.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The side of its order.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// True for an intent on a conditional order that waits.
    #[must_use]
    pub const fn is_on_waiting(&self) -> bool {
        self.on_waiting
    }
}

/// The answer to an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the gateway.
    Approved(Approved),
    /// It comes back as a sequenced event.
    Rejected(Rejection),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_sources_and_classes_are_listed_in_order() {
        assert_eq!(TimeInForce::ALL.map(|tif| tif as u8), [0, 1, 2, 3]);
        assert_eq!(Source::ALL.map(|source| source as u8), [0, 1]);
        assert_eq!(Class::ALL.map(|class| class as u8), [0, 1, 2, 3]);
    }
}
