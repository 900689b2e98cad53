//! Conditional orders as the exchange takes them: its algo service, `algoOrder.place` and `algoOrder.cancel`
//! (`POST` and `DELETE /fapi/v1/algoOrder`, `algoType` CONDITIONAL).
//!
//! Ours are limit orders, and so are STOP and TAKE_PROFIT there. Two it has only as market orders, of which
//! the limit stays here and bounds nothing there: a trailing one (TRAILING_STOP_MARKET), and one that closes
//! the position (STOP_MARKET and TAKE_PROFIT_MARKET, without a quantity).

use fusewire_core::order::{Conditional, Side, TimeInForce, Trigger, TriggerKind, TriggerPrice};
use fusewire_core::units::{DECIMALS, RATE_DECIMALS};

use super::text::{NUMBER_BYTES_MAX, Text};
use super::{Contract, END, PRICE, QTY, REDUCE_ONLY, SYMBOL_BYTES_MAX};

/// Raw units of `Rate` in a raw unit of a percentage at 1e-8: shares are told in percent.
const RATE_PER_PERCENT: i64 = 10_i64.pow(RATE_DECIMALS - DECIMALS - 2);

const PLACE: &[u8; 39] = br#"","method":"algoOrder.place","params":{"#;
const ACTIVATE: &[u8; 17] = br#""activatePrice":""#;
const ALGO: &[u8; 25] = br#""algoType":"CONDITIONAL","#;
const CALLBACK: &[u8; 16] = br#""callbackRate":""#;
const NEXT: &[u8; 2] = br#"","#;
const ID: &[u8; 19] = br#""clientAlgoId":"fw-"#;
const CLOSE: &[u8; 23] = br#"","closePosition":"true"#;
const POSITION: &[u8; 22] = br#"","positionSide":"BOTH"#;
/// As in a plain order: of two orders of ours that would meet, the one that rests goes.
const BUY: &[u8; 65] = br#"","selfTradePreventionMode":"EXPIRE_MAKER","side":"BUY","symbol":"#;
const SELL: &[u8; 66] = br#"","selfTradePreventionMode":"EXPIRE_MAKER","side":"SELL","symbol":"#;
const TRIGGER: &[u8; 17] = br#","triggerPrice":""#;
const MARK: &[u8; 29] = br#","workingType":"MARK_PRICE"}}"#;
const LAST: &[u8; 33] = br#","workingType":"CONTRACT_PRICE"}}"#;
const CANCEL: &[u8; 59] = br#"","method":"algoOrder.cancel","params":{"clientAlgoId":"fw-"#;
/// The WebSocket API has no method for it: the edge makes this REST call.
const QUERY: &[u8; 65] = br#"","method":"GET /fapi/v1/algoOrder","params":{"clientAlgoId":"fw-"#;

/// The longest that follows the id of a request, in bytes: a take profit with a limit.
pub(super) const LONGEST: usize = {
    let head = PLACE.len() + ALGO.len() + ID.len() + 2 * size_of::<u64>();
    let numbers = PRICE.len() + NUMBER_BYTES_MAX + QTY.len() + NUMBER_BYTES_MAX;
    let flags = REDUCE_ONLY.len() + SELL.len() + SYMBOL_BYTES_MAX + tif(TimeInForce::Gtc).len();
    let trigger = TRIGGER.len() + NUMBER_BYTES_MAX + NEXT.len() + TAKE_PROFIT.len();
    head + numbers + flags + trigger + LAST.len()
};

/// A new conditional order.
pub(super) fn place(text: &mut Text<'_>, contract: &Contract, id: u64, new: &Conditional) {
    let Conditional { order, trigger } = new;
    text.put(PLACE);
    head(text, contract, id, trigger);
    let limit = !trigger.close_position && trigger.kind != TriggerKind::Trailing;
    if limit {
        text.put(PRICE);
        text.number(order.price.0, contract.price_places);
    } else {
        text.put(POSITION);
    }
    if !trigger.close_position {
        text.put(QTY);
        text.number(order.qty.0, contract.qty_places);
        if order.reduce_only {
            text.put(REDUCE_ONLY);
        }
    }
    match order.side {
        Side::Buy => text.put(BUY),
        Side::Sell => text.put(SELL),
    }
    text.put_slot(&contract.symbol, contract.symbol_len);
    if limit {
        text.put(tif(order.tif));
    }
    if trigger.kind == TriggerKind::Trailing {
        text.put(b",");
    } else {
        text.put(TRIGGER);
        text.number(trigger.price.0, contract.price_places);
        text.put(NEXT);
    }
    type_of(text, trigger);
    match trigger.by {
        TriggerPrice::Mark => text.put(MARK),
        TriggerPrice::Last => text.put(LAST),
    }
}

/// Takes back a conditional order that waits.
pub(super) fn cancel(text: &mut Text<'_>, id: u64) {
    text.put(CANCEL);
    text.hex(id);
    text.put(br#"""#);
    text.put(END);
}

/// Asks about a conditional order that waits.
pub(super) fn query(text: &mut Text<'_>, id: u64) {
    text.put(QUERY);
    text.hex(id);
    text.put(br#"""#);
    text.put(END);
}

/// What stands before the position side.
fn head(text: &mut Text<'_>, contract: &Contract, id: u64, trigger: &Trigger) {
    let trails = trigger.kind == TriggerKind::Trailing;
    // Without a price the exchange takes the latest one.
    if trails && trigger.price.0 != 0 {
        text.put(ACTIVATE);
        text.number(trigger.price.0, contract.price_places);
        text.put(NEXT);
    }
    text.put(ALGO);
    if trails {
        text.put(CALLBACK);
        text.number(trigger.callback.0 / RATE_PER_PERCENT, 1);
        text.put(NEXT);
    }
    text.put(ID);
    text.hex(id);
    if trigger.close_position {
        text.put(CLOSE);
    }
}

const TAKE_PROFIT: &[u8; 20] = br#""type":"TAKE_PROFIT""#;

fn type_of(text: &mut Text<'_>, trigger: &Trigger) {
    match (trigger.kind, trigger.close_position) {
        (TriggerKind::Stop, false) => text.put(br#""type":"STOP""#),
        (TriggerKind::TakeProfit, false) => text.put(TAKE_PROFIT),
        (TriggerKind::Stop, true) => text.put(br#""type":"STOP_MARKET""#),
        (TriggerKind::TakeProfit, true) => text.put(br#""type":"TAKE_PROFIT_MARKET""#),
        (TriggerKind::Trailing, _) => text.put(br#""type":"TRAILING_STOP_MARKET""#),
    }
}

const fn tif(tif: TimeInForce) -> &'static [u8; 20] {
    match tif {
        TimeInForce::Gtc => br#","timeInForce":"GTC""#,
        TimeInForce::Ioc => br#","timeInForce":"IOC""#,
        TimeInForce::Fok => br#","timeInForce":"FOK""#,
        TimeInForce::Gtx => br#","timeInForce":"GTX""#,
    }
}
