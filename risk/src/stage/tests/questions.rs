//! The questions that each kind of intent is asked, in the order asked.

use fusewire_core::order::{Action, Check, Class, Source};

use crate::witness::Subject;

pub(super) type Question = (Check, Subject);

pub(super) const fn plain(check: Check) -> Question {
    (check, Subject::Intent)
}

pub(super) const SENDER: Question = (Check::Universe, Subject::Sender);
pub(super) const CONTRACT: Question = (Check::Universe, Subject::Contract);
pub(super) const TRADABLE: Question = (Check::Universe, Subject::Tradable);
pub(super) const SYMBOL: Question = (Check::Universe, Subject::OrderSymbol);
pub(super) const TOTAL: Question = (Check::Lot, Subject::TotalQuantity);
pub(super) const MID: Question = (Check::Collar, Subject::MidToMark);
pub(super) const MARK: Question = (Check::Collar, Subject::PriceToMark);

/// Everything that is asked of a new order which may add risk, but for the marks of other symbols.
pub(super) const NEW_RISK: [Question; 24] = [
    plain(Check::KillLevel),
    SENDER,
    CONTRACT,
    TRADABLE,
    plain(Check::LedgerDrift),
    plain(Check::BookFreshness),
    plain(Check::MarkFreshness),
    plain(Check::Tick),
    plain(Check::Lot),
    plain(Check::MinNotional),
    plain(Check::PercentPrice),
    plain(Check::MaxOrders),
    plain(Check::Duplicate),
    MID,
    MARK,
    plain(Check::OrderQty),
    plain(Check::OrderNotional),
    plain(Check::RateNew),
    plain(Check::RateSymbol),
    plain(Check::OpenOrders),
    plain(Check::SelfMatch),
    plain(Check::Exposure),
    plain(Check::GrossExposure),
    plain(Check::Leverage),
];

/// Of an amend which may add risk.
pub(super) const AMEND_RISK: [Question; 23] = [
    plain(Check::KillLevel),
    SENDER,
    plain(Check::OrderState),
    SYMBOL,
    TOTAL,
    CONTRACT,
    TRADABLE,
    plain(Check::LedgerDrift),
    plain(Check::BookFreshness),
    plain(Check::MarkFreshness),
    plain(Check::Tick),
    plain(Check::Lot),
    plain(Check::MinNotional),
    plain(Check::PercentPrice),
    MID,
    MARK,
    plain(Check::OrderQty),
    plain(Check::OrderNotional),
    plain(Check::RateAmend),
    plain(Check::SelfMatch),
    plain(Check::Exposure),
    plain(Check::GrossExposure),
    plain(Check::Leverage),
];

/// Of a new reduce, but for the second reference.
pub(super) const NEW_REDUCE: [Question; 12] = [
    plain(Check::KillLevel),
    SENDER,
    CONTRACT,
    TRADABLE,
    plain(Check::Tick),
    plain(Check::Lot),
    plain(Check::PercentPrice),
    plain(Check::MaxOrders),
    MARK,
    plain(Check::RateReduce),
    plain(Check::OpenOrders),
    plain(Check::ReduceOnly),
];

/// Of an amend of a reduce.
pub(super) const AMEND_REDUCE: [Question; 13] = [
    plain(Check::KillLevel),
    SENDER,
    plain(Check::OrderState),
    SYMBOL,
    TOTAL,
    CONTRACT,
    TRADABLE,
    plain(Check::Tick),
    plain(Check::Lot),
    plain(Check::PercentPrice),
    MARK,
    plain(Check::RateReduce),
    plain(Check::ReduceOnly),
];

/// Of a reduce of the halt: neither list nor budget.
pub(super) const HALT_REDUCE: [Question; 9] = [
    plain(Check::KillLevel),
    CONTRACT,
    plain(Check::Tick),
    plain(Check::Lot),
    plain(Check::PercentPrice),
    plain(Check::MaxOrders),
    MARK,
    plain(Check::OpenOrders),
    plain(Check::ReduceOnly),
];

pub(super) const TERMS: Question = (Check::Trigger, Subject::Terms);
pub(super) const TRIGGER_TICK: Question = (Check::Tick, Subject::TriggerPrice);
pub(super) const TRIGGER_TO_MARK: Question = (Check::Trigger, Subject::TriggerToMark);
pub(super) const PRICE_TO_TRIGGER: Question = (Check::Collar, Subject::PriceToTrigger);

/// Of a conditional order which may add risk, but for the callback of a trailing one.
pub(super) const CONDITIONAL_RISK: [Question; 26] = [
    plain(Check::KillLevel),
    SENDER,
    CONTRACT,
    TRADABLE,
    TERMS,
    plain(Check::Tick),
    TRIGGER_TICK,
    plain(Check::Lot),
    plain(Check::LedgerDrift),
    plain(Check::BookFreshness),
    plain(Check::MarkFreshness),
    MID,
    TRIGGER_TO_MARK,
    PRICE_TO_TRIGGER,
    plain(Check::MinNotional),
    plain(Check::Duplicate),
    plain(Check::OrderQty),
    plain(Check::OrderNotional),
    plain(Check::MaxOrders),
    plain(Check::RateNew),
    plain(Check::RateSymbol),
    plain(Check::OpenOrders),
    plain(Check::Conditionals),
    plain(Check::Exposure),
    plain(Check::GrossExposure),
    plain(Check::Leverage),
];

/// Of one that protects.
pub(super) const CONDITIONAL_REDUCE: [Question; 15] = [
    plain(Check::KillLevel),
    SENDER,
    CONTRACT,
    TRADABLE,
    TERMS,
    plain(Check::Tick),
    TRIGGER_TICK,
    plain(Check::Lot),
    TRIGGER_TO_MARK,
    PRICE_TO_TRIGGER,
    plain(Check::MaxOrders),
    plain(Check::RateReduce),
    plain(Check::OpenOrders),
    plain(Check::Conditionals),
    plain(Check::ReduceOnly),
];

pub(super) const CANCEL: [Question; 5] =
    [plain(Check::KillLevel), SENDER, plain(Check::OrderState), SYMBOL, plain(Check::RateCancel)];

pub(super) const HALT_CANCEL: [Question; 3] =
    [plain(Check::KillLevel), plain(Check::OrderState), SYMBOL];

pub(super) const QUERY: [Question; 5] =
    [plain(Check::KillLevel), SENDER, plain(Check::OrderState), SYMBOL, plain(Check::RateQuery)];

pub(super) const QUERY_OF_RISK: [Question; 4] =
    [plain(Check::KillLevel), plain(Check::OrderState), SYMBOL, plain(Check::RateQuery)];

pub(super) fn all_of(class: Class, action: Action, from: Source) -> &'static [Question] {
    match (class, action, from) {
        (Class::NewRisk, Action::New(_), _) => &NEW_RISK,
        (Class::NewRisk, Action::Conditional(_), _) => &CONDITIONAL_RISK,
        (Class::Reduce, Action::Conditional(_), _) => &CONDITIONAL_REDUCE,
        (Class::NewRisk, _, _) => &AMEND_RISK,
        (Class::Reduce, Action::New(_), _) => &NEW_REDUCE,
        (Class::Reduce, _, _) => &AMEND_REDUCE,
        (Class::HaltReduce, _, _) => &HALT_REDUCE,
        (Class::Cancel, Action::Cancel, Source::Alpha) => &CANCEL,
        (Class::Cancel, Action::Cancel, Source::Risk) => &HALT_CANCEL,
        (Class::Cancel, _, Source::Alpha) => &QUERY,
        (Class::Cancel, _, Source::Risk) => &QUERY_OF_RISK,
    }
}

pub(super) const LISTS: [&[Question]; 11] = [
    &CONDITIONAL_RISK,
    &CONDITIONAL_REDUCE,
    &NEW_RISK,
    &AMEND_RISK,
    &NEW_REDUCE,
    &AMEND_REDUCE,
    &HALT_REDUCE,
    &CANCEL,
    &HALT_CANCEL,
    &QUERY,
    &QUERY_OF_RISK,
];
