//! What moves the account's wallet beside fills, and the news of it.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::message::FeedbackBody;
use fusewire_core::order::{AccountReason, AccountUpdate, Leg, OrderId};
use fusewire_core::units::{Nanos, Px, Qty, Rate, Usd, UsdSum};

use super::desk::{At, Desk};
use crate::gateway::Feedbacks;

/// What an update is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) reason: AccountReason,
    /// The symbol; none for what is of the whole account.
    pub(super) instrument: Option<InstrumentId>,
    /// What comes to the wallet; below zero is paid.
    pub(super) change: Usd,
    /// Signed position, mark price and rate that it was computed with.
    pub(super) qty: Qty,
    pub(super) price: Px,
    pub(super) rate: Rate,
    /// When it happened.
    pub(super) when: Nanos,
}

impl Charge {
    /// Of the whole account.
    pub(super) fn of_account(reason: AccountReason, change: Usd, when: Nanos) -> Self {
        let (qty, price, rate) = (Qty::ZERO, Px::ZERO, Rate::ZERO);
        Self { reason, instrument: None, change, qty, price, rate, when }
    }
}

/// Sums of what was charged, and the count of updates.
#[derive(Clone, Debug)]
pub(super) struct Money {
    opening: Usd,
    /// Everything that came to the wallet beside realised profit and fees.
    charged: UsdSum,
    n: u64,
    instruments: usize,
    /// By reason, then symbol; the last is none. Nothing where nothing was charged.
    totals: Vec<Option<Usd>>,
}

impl Money {
    pub(super) fn new(opening: Usd, instruments: usize) -> Self {
        let totals = vec![None; AccountReason::ALL.len() * (instruments + 1)];
        Self { opening, charged: UsdSum::ZERO, n: 0, instruments, totals }
    }

    fn place(&self, charge: &Charge) -> usize {
        let symbol = charge.instrument.map_or(self.instruments, InstrumentId::index);
        charge.reason as usize * (self.instruments + 1) + symbol
    }

    /// The first place from `from` on of which something was charged, a charge of nothing on it, and its sum.
    fn charged_from(&self, from: usize, when: Nanos) -> Option<(usize, Charge, Usd)> {
        let mut rest = self.totals.iter().enumerate().skip(from);
        let (place, total) = rest.find_map(|(place, total)| Some((place, (*total)?)))?;
        let (reason, symbol) = (place / (self.instruments + 1), place % (self.instruments + 1));
        let charge = Charge::of_account(AccountReason::ALL[reason], Usd::ZERO, when);
        let id = u16::try_from(symbol).ok().filter(|_| symbol < self.instruments);
        Some((place, Charge { instrument: id.map(InstrumentId), ..charge }, total))
    }
}

impl Desk {
    /// The balance without unrealised profit.
    pub(super) fn wallet(&self) -> UsdSum {
        let (realized, fees) = self.portfolio.totals();
        let Money { opening, charged, .. } = &self.money;
        UsdSum(i128::from(opening.0) + realized.0 - fees.0 + charged.0)
    }

    /// Books a charge and tells of it. What would leave its range is not booked, and counted.
    pub(super) fn charge(&mut self, at: At, charge: &Charge, out: &mut Feedbacks) {
        let place = self.money.place(charge);
        let total = self.money.totals[place].unwrap_or_default().checked_add(charge.change);
        let wallet = UsdSum(self.wallet().0 + i128::from(charge.change.0)).narrow();
        let (Some(total), Some(wallet)) = (total, wallet) else {
            self.stats.out_of_range += 1;
            return;
        };
        if charge.reason != AccountReason::Snapshot {
            self.money.totals[place] = Some(total);
        }
        self.money.charged.0 += i128::from(charge.change.0);
        self.stats.count_charge(charge.reason);
        self.tell(at, charge, (total, wallet), out);
    }

    /// Tells the next sum of what was charged again, from a place on; where to go on after it, none behind the last.
    pub(super) fn tell_again(&mut self, at: At, from: usize, out: &mut Feedbacks) -> Option<usize> {
        let (place, charge, total) = self.money.charged_from(from, at.ts)?;
        if let Some(wallet) = self.wallet().narrow() {
            self.tell(at, &charge, (total, wallet), out);
        }
        Some(place + 1)
    }

    fn tell(&mut self, at: At, charge: &Charge, (total, wallet): (Usd, Usd), out: &mut Feedbacks) {
        self.money.n += 1;
        let number = u32::try_from(self.money.n).unwrap_or(u32::MAX);
        let update = AccountUpdate {
            reason: charge.reason,
            leg: Leg::Both,
            n: self.money.n,
            total,
            change: charge.change,
            wallet,
            qty: charge.qty,
            price: charge.price,
            rate: charge.rate,
            at: charge.when,
        };
        let body = FeedbackBody::Account(update);
        self.send(at, charge.instrument, OrderId(0), number, body, out);
    }
}
