//! What came with conditional orders, behind all that was there before.

use super::*;
use crate::order::{TriggerKind, TriggerPrice};

/// One conditional order, and one for each of its fields.
pub(super) fn actions() -> Vec<Action> {
    let Action::New(order) = super::actions()[0] else { panic!("a new order is the first") };
    let trigger = Trigger {
        kind: TriggerKind::Stop,
        by: TriggerPrice::Mark,
        price: Px(5),
        callback: Rate(6),
        close_position: false,
    };
    let all = variants(
        Conditional { order, trigger },
        &[
            |c| c.order.side = Side::Sell,
            |c| c.order.price = Px(3),
            |c| c.order.qty = Qty(3),
            |c| c.order.tif = TimeInForce::Ioc,
            |c| c.order.reduce_only = true,
            |c| c.trigger.kind = TriggerKind::TakeProfit,
            |c| c.trigger.kind = TriggerKind::Trailing,
            |c| c.trigger.by = TriggerPrice::Last,
            |c| c.trigger.price = Px(7),
            |c| c.trigger.callback = Rate(-7),
            |c| c.trigger.close_position = true,
        ],
    );
    all.into_iter().map(Action::Conditional).collect()
}

fn intents() -> Vec<Intent> {
    let base = super::intents()[0];
    actions().into_iter().map(|action| Intent { action, ..base }).collect()
}

/// Reports, answers and refusals that only they have.
pub(super) fn bodies() -> Vec<Body> {
    let (reports, statuses, rejections) = (reports(), statuses(), rejections());
    let (Body::Report(report), Body::Status(status)) = (reports[0], statuses[0]) else {
        panic!("the lists are of one kind each")
    };
    let mut all = vec![
        Body::Report(Report { kind: ReportKind::Triggered, ..report }),
        Body::Status(Status { state: OrderState::Waiting, ..status }),
    ];
    let reasons = [
        VenueReason::Stop,
        VenueReason::TakeProfit,
        VenueReason::Trailing,
        VenueReason::WouldTrigger,
        VenueReason::TriggerReject,
        VenueReason::TooManyConditional,
    ];
    all.extend(reasons.map(|reason| Body::Report(Report { reason, ..report })));
    let refused = |rejection| Body::Rejected(rejection);
    let checks = [Check::Trigger, Check::Conditionals];
    all.extend(checks.map(|check| refused(Rejection { check, ..rejections[0] })));
    all.extend(actions().into_iter().map(|action| refused(Rejection { action, ..rejections[0] })));
    all
}

/// Appends all of it.
pub(super) fn append(lane: &mut LaneWriter) {
    for body in bodies() {
        lane.append(&Record::event(&event(body)));
    }
    for intent in intents() {
        lane.append(&Record::intent(&IntentMessage { seq: 1, last: true, intent }));
    }
}

#[test]
fn every_field_of_a_conditional_order_is_in_its_record() {
    let message = |intent| Record::intent(&IntentMessage { seq: 1, last: true, intent });
    assert_distinct(&intents().into_iter().map(message).collect::<Vec<_>>());
    let events = bodies().into_iter().map(|body| Record::event(&event(body)));
    assert_distinct(&events.collect::<Vec<_>>());
}

/// A new order as it ever was, then the trigger.
#[test]
fn a_conditional_order_is_laid_out_as_the_format_says() {
    let message = IntentMessage { seq: 1, last: true, intent: intents()[0] };
    let new = [(0, 1), (1, 8), (2, 8), (0, 1), (0, 1)];
    let trigger = [(0, 1), (0, 1), (5, 8), (6, 8), (0, 1)];
    let expected = [&[(4, 1)][..], &new, &trigger].concat();
    assert_eq!(Record::intent(&message).bytes()[19..], laid_out(&expected));
}
