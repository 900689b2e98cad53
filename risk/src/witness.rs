//! Who looks on while the gate checks. A verdict has no witness, so that nothing is written down for it;
//! whoever asks why lets the same gate check before one who writes down each answer in the order given.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Action, Check, CheckUnit, Class, OrderId, Source};

use crate::checks::{Fail, Outcome, UNKNOWN, UNLIMITED};

/// Which question of its check a line answers: some ask more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The intent: the only question, or the one that the name of the check says.
    Intent,
    /// Has its strategy a seat?
    Sender,
    /// Is its symbol a contract that trades?
    Contract,
    /// May its symbol be traded?
    Tradable,
    /// Is its symbol that of its order?
    OrderSymbol,
    /// Does the quantity of the amended order lie on the grid with what is filled already?
    TotalQuantity,
    /// Do own mid and mark agree?
    MidToMark,
    /// Is the price near the mark, or the last price while that is old?
    PriceToMark,
    /// Or is it near that and the own mid, whichever lets a reduce go further? Asked when the question
    /// before was denied; one of both is enough.
    PriceToMarkOrMid,
    /// Has another symbol, which may be held, a fresh mark?
    Held(InstrumentId),
    /// Does the table of orders take the order? Written down only when it does not.
    Table,
    /// Does what a conditional order says hold together?
    Terms,
    /// Does the trigger price lie on the grid?
    TriggerPrice,
    /// Does the callback lie within its bounds?
    Callback,
    /// Is the trigger near the mark?
    TriggerToMark,
    /// Is the limit near the trigger?
    PriceToTrigger,
}

impl Subject {
    /// A few words for reports; empty where the name of the check says it all.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "",
            Self::Sender => "sender",
            Self::Contract => "contract",
            Self::Tradable => "tradable",
            Self::OrderSymbol => "symbol of the order",
            Self::TotalQuantity => "total quantity",
            Self::MidToMark => "mid to mark",
            Self::PriceToMark => "price to mark",
            Self::PriceToMarkOrMid => "price to mark or mid",
            Self::Held(_) => "another symbol held",
            Self::Table => "table of orders",
            Self::Terms => "terms",
            Self::TriggerPrice => "trigger price",
            Self::Callback => "callback",
            Self::TriggerToMark => "trigger to mark",
            Self::PriceToTrigger => "price to trigger",
        }
    }
}

/// A check as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckLine {
    /// The check.
    pub check: Check,
    /// Its question.
    pub subject: Subject,
    /// What it measured; `i128::MAX` when there was nothing to measure. Units are those of the check.
    pub measured: i128,
    /// What it allows; `i128::MAX` when nothing limits it.
    pub limit: i128,
    /// False when it said no. The last line of a refused intent did; any other such line is the first
    /// of two questions of which one is enough.
    pub passed: bool,
}

impl CheckLine {
    pub(crate) fn new<T>(subject: Subject, found: &Outcome<T>) -> Self {
        let (check, measured, limit) = match found {
            Ok(pass) => (pass.check, pass.measured.get(), pass.limit.get()),
            Err(fail) => (fail.check, fail.measured, fail.limit),
        };
        Self { check, subject, measured, limit, passed: found.is_ok() }
    }

    pub(crate) fn refusal(subject: Subject, fail: Fail) -> Self {
        Self::new::<()>(subject, &Err(fail))
    }

    /// What the numbers are: the unit of the check, but for ids, of which the question says whose.
    #[must_use]
    pub fn unit(&self) -> CheckUnit {
        match self.subject {
            Subject::Sender => CheckUnit::Strategy,
            Subject::Contract | Subject::Tradable | Subject::OrderSymbol => CheckUnit::Symbol,
            Subject::Table => CheckUnit::Counter,
            Subject::Intent
            | Subject::TotalQuantity
            | Subject::MidToMark
            | Subject::PriceToMark
            | Subject::PriceToMarkOrMid
            | Subject::Held(_)
            | Subject::Terms
            | Subject::TriggerPrice
            | Subject::Callback
            | Subject::TriggerToMark
            | Subject::PriceToTrigger => self.check.unit(),
        }
    }

    /// What was measured, as a text for people.
    #[must_use]
    pub fn measured_text(&self) -> String {
        // No order like it is known, which is no lack of knowledge.
        let none = self.check == Check::Duplicate && self.measured == UNKNOWN;
        if none { "none".to_owned() } else { self.unit().show(self.measured) }
    }

    /// What is allowed, as a text for people: `none` when nothing limits it, `-` when the check says yes
    /// or no.
    #[must_use]
    pub fn limit_text(&self) -> String {
        let is_bare = matches!(
            self.subject,
            Subject::Sender | Subject::Contract | Subject::Tradable | Subject::Table
        );
        match self.limit {
            _ if is_bare => "-".to_owned(),
            UNLIMITED => "none".to_owned(),
            limit => self.unit().show(limit),
        }
    }
}

/// A verdict on an order that is watched, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The order.
    pub order: OrderId,
    /// The event that gave rise to the intent.
    pub seq: u64,
    /// Number of the verdict among those of that event, as in the lane.
    pub index: u32,
    /// What was asked for.
    pub action: Action,
    /// Who really asked.
    pub from: Source,
    /// As what it was approved; none when it was refused.
    pub class: Option<Class>,
    /// Each check in the order made, up to and with the one that refused.
    pub lines: Vec<CheckLine>,
}

/// Sees each check as it is made.
pub(crate) trait Witness {
    /// Takes a line. One who does not look never has it made.
    fn note(&mut self, line: impl FnOnce() -> CheckLine);

    /// Sees what a check says and hands on what it found.
    #[inline(always)]
    fn see<T>(&mut self, found: Outcome<T>) -> Result<T, Fail> {
        self.see_of(Subject::Intent, found)
    }

    /// Sees what a check that asks more than one question says.
    #[inline(always)]
    fn see_of<T>(&mut self, subject: Subject, found: Outcome<T>) -> Result<T, Fail> {
        self.note(|| CheckLine::new(subject, &found));
        found.map(|pass| pass.value)
    }
}

/// Does not look.
pub(crate) struct Nobody;

impl Witness for Nobody {
    #[inline(always)]
    fn note(&mut self, _line: impl FnOnce() -> CheckLine) {}

    /// What was found is never looked at, not even by a reference: it would be put together for that.
    #[inline(always)]
    fn see_of<T>(&mut self, _subject: Subject, found: Outcome<T>) -> Result<T, Fail> {
        found.map(|pass| pass.value)
    }
}

impl Witness for Vec<CheckLine> {
    fn note(&mut self, line: impl FnOnce() -> CheckLine) {
        self.push(line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_have_names_of_their_own() {
        let questions = [
            Subject::Intent,
            Subject::Sender,
            Subject::Contract,
            Subject::Tradable,
            Subject::OrderSymbol,
            Subject::TotalQuantity,
            Subject::MidToMark,
            Subject::PriceToMark,
            Subject::PriceToMarkOrMid,
            Subject::Held(InstrumentId(1)),
            Subject::Table,
        ];
        let mut names = questions.map(Subject::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), questions.len());
    }
}
