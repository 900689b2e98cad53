//! What came with the ledger: the account, outcomes that are not known, fills that are missing, legs.

use super::*;

/// One of each, and one for each of their fields.
pub(super) fn bodies() -> Vec<Body> {
    let Body::Report(report) = reports()[0] else { panic!("reports") };
    let Body::Status(status) = statuses()[0] else { panic!("statuses") };
    let mut all = accounts();
    let legs = [Leg::Long, Leg::Short];
    all.extend(legs.map(|leg| Body::Report(Report { leg, reduce_only: true, ..report })));
    all.push(Body::Report(Report { kind: ReportKind::OutcomeUnknown, ..report }));
    let reasons = VenueReason::ALL[18..24].iter();
    all.extend(reasons.map(|&reason| Body::Report(Report { reason, ..report })));
    all.push(Body::Status(Status { state: OrderState::Settling, ..status }));
    let check = Check::LedgerDrift;
    all.push(Body::Rejected(Rejection { check, ..rejections()[0] }));
    let transfers = [1, -1].map(|amount| Control::Transfer(Usd(amount)));
    all.extend([Control::Reconcile].into_iter().chain(transfers).map(Body::Control));
    all
}

fn accounts() -> Vec<Body> {
    let base = AccountUpdate {
        reason: AccountReason::Funding,
        leg: Leg::Both,
        n: 1,
        total: Usd(2),
        change: Usd(3),
        wallet: Usd(4),
        qty: Qty(5),
        price: Px(6),
        rate: Rate(7),
        at: Nanos(8),
    };
    let mut all = variants(
        base,
        &[
            |a| a.leg = Leg::Long,
            |a| a.leg = Leg::Short,
            |a| a.n = 10,
            |a| a.total.0 = -10,
            |a| a.change.0 = 10,
            |a| a.wallet.0 = 10,
            |a| a.qty = Qty(-10),
            |a| a.price = Px(10),
            |a| a.rate = Rate(10),
            |a| a.at = Nanos(10),
        ],
    );
    let others = AccountReason::ALL[1..].iter();
    all.extend(others.map(|&reason| AccountUpdate { reason, ..base }));
    all.into_iter().map(Body::Account).collect()
}
