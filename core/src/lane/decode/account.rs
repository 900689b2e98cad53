//! The account, legs, triggers and commands back from their bytes.

use super::{DecodeError, FieldReader};
use crate::event::{Control, GateBreach};
use crate::kill::Level as KillLevel;
use crate::latency::Span;
use crate::order::{AccountReason, AccountUpdate, Leg, Trigger, TriggerKind, TriggerPrice};
use crate::units::Rate;

impl FieldReader<'_> {
    pub(super) fn account(&mut self) -> Result<AccountUpdate, DecodeError> {
        Ok(AccountUpdate {
            reason: self.one_of("reason", &AccountReason::ALL)?,
            leg: self.one_of("leg", &Leg::ALL)?,
            n: self.u64("number")?,
            total: self.usd("total")?,
            change: self.usd("change")?,
            wallet: self.usd("wallet")?,
            qty: self.qty("qty")?,
            price: self.px("price")?,
            rate: self.i64("rate").map(Rate)?,
            at: self.nanos("at")?,
        })
    }

    /// Whether an order may only reduce, and its leg, from one byte.
    pub(super) fn reduce_only_and_leg(&mut self) -> Result<(bool, Leg), DecodeError> {
        let byte = self.u8("reduce only")?;
        let leg = Leg::ALL.get(usize::from(byte >> 1)).ok_or(self.unknown("reduce only", byte))?;
        Ok((byte & 1 == 1, *leg))
    }

    pub(super) fn control(&mut self) -> Result<Control, DecodeError> {
        match self.u8("command")? {
            0 => self.one_of("level", &KillLevel::ALL).map(Control::Raise),
            1 => Ok(Control::GateBreach(GateBreach {
                span: self.one_of("span", &Span::ALL)?,
                measured: self.nanos("measured")?,
                budget: self.nanos("budget")?,
            })),
            2 => Ok(Control::Reconcile),
            3 => self.usd("amount").map(Control::Transfer),
            number => Err(self.unknown("command", number)),
        }
    }

    pub(super) fn trigger(&mut self) -> Result<Trigger, DecodeError> {
        Ok(Trigger {
            kind: self.one_of("trigger", &TriggerKind::ALL)?,
            by: self.one_of("trigger by", &TriggerPrice::ALL)?,
            price: self.px("trigger price")?,
            callback: self.i64("callback").map(Rate)?,
            close_position: self.flag("close position")?,
        })
    }
}
