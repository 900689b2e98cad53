//! What is encoded says what was approved, as read back by a JSON parser that we did not write.

use std::collections::BTreeMap;

use fusewire_core::instrument::{InstrumentId, Market, common};
use fusewire_core::order::{
    Conditional, OrderId, Source, StrategyId, Trigger, TriggerKind, TriggerPrice,
};
use fusewire_core::units::{ONE, Rate};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// A universe of one contract.
fn universe(symbol: &str, price_places: u32, qty_places: u32) -> Universe {
    let base = common(Market::UsdM, "BTCUSDT").unwrap();
    let symbol = symbol.to_owned();
    Universe::new(vec![Instrument { symbol, price_places, qty_places, ..base }]).unwrap()
}

fn intent(order: OrderId, action: Action) -> Intent {
    Intent { order, instrument: InstrumentId(0), source: Source::Alpha, action }
}

/// The text of one intent, over a buffer that held another.
fn text(universe: &Universe, (seq, index): (u64, u32), intent: &Intent, side: Side) -> String {
    let mut request = Request { bytes: [b'#'; REQUEST_BYTES], len: REQUEST_BYTES };
    let encoder = OrderEncoder::new(universe).unwrap();
    encoder.write(seq, index, (intent, side, Place::Orders), &mut request);
    String::from_utf8(request.as_bytes().to_vec()).unwrap()
}

/// The order of all texts by hand.
fn order() -> OrderId {
    OrderId::new(1, StrategyId(2), 0xAB)
}

const NEW: NewOrder = NewOrder {
    side: Side::Buy,
    price: Px(60_000 * ONE + ONE / 10),
    qty: Qty(ONE / 1_000),
    tif: TimeInForce::Gtx,
    reduce_only: false,
};

#[test]
fn each_kind_of_request_by_hand() {
    let universe = universe("BTCUSDT", 2, 3);
    let text = |action| text(&universe, (81, 2), &intent(order(), action), Side::Sell);
    assert_eq!(
        text(Action::New(NEW)),
        r#"{"id":"81.2","method":"order.place","params":{"newClientOrderId":"fw-00010200000000ab","positionSide":"BOTH","price":"60000.10","quantity":"0.001","selfTradePreventionMode":"EXPIRE_MAKER","side":"BUY","symbol":"BTCUSDT","timeInForce":"GTX","type":"LIMIT"}}"#
    );
    assert_eq!(
        text(Action::Amend { price: Px(59_999 * ONE), qty: Qty(2 * ONE) }),
        r#"{"id":"81.2","method":"order.modify","params":{"origClientOrderId":"fw-00010200000000ab","positionSide":"BOTH","price":"59999.00","quantity":"2.000","side":"SELL","symbol":"BTCUSDT"}}"#
    );
    assert_eq!(
        text(Action::Cancel),
        r#"{"id":"81.2","method":"order.cancel","params":{"origClientOrderId":"fw-00010200000000ab","symbol":"BTCUSDT"}}"#
    );
    assert_eq!(
        text(Action::Query),
        r#"{"id":"81.2","method":"order.status","params":{"origClientOrderId":"fw-00010200000000ab","symbol":"BTCUSDT"}}"#
    );
}

#[test]
fn conditional_orders_go_to_the_algo_service() {
    let universe = universe("BTCUSDT", 2, 3);
    let id = order();
    let order = NewOrder { side: Side::Sell, tif: TimeInForce::Ioc, reduce_only: true, ..NEW };
    let (stop, one) = (TriggerKind::Stop, Rate(12_500_000_000));
    let trigger = Trigger {
        kind: stop,
        by: TriggerPrice::Mark,
        price: Px(60_100 * ONE),
        callback: Rate::ZERO,
        close_position: false,
    };
    let text_of = |trigger| {
        let action = Action::Conditional(Conditional { order, trigger });
        text(&universe, (81, 2), &intent(id, action), Side::Sell)
    };
    assert_eq!(
        text_of(trigger),
        r#"{"id":"81.2","method":"algoOrder.place","params":{"algoType":"CONDITIONAL","clientAlgoId":"fw-00010200000000ab","positionSide":"BOTH","price":"60000.10","quantity":"0.001","reduceOnly":"true","selfTradePreventionMode":"EXPIRE_MAKER","side":"SELL","symbol":"BTCUSDT","timeInForce":"IOC","triggerPrice":"60100.00","type":"STOP","workingType":"MARK_PRICE"}}"#
    );
    let profit = Trigger {
        kind: TriggerKind::TakeProfit,
        by: TriggerPrice::Last,
        close_position: true,
        ..trigger
    };
    assert_eq!(
        text_of(profit),
        r#"{"id":"81.2","method":"algoOrder.place","params":{"algoType":"CONDITIONAL","clientAlgoId":"fw-00010200000000ab","closePosition":"true","positionSide":"BOTH","selfTradePreventionMode":"EXPIRE_MAKER","side":"SELL","symbol":"BTCUSDT","triggerPrice":"60100.00","type":"TAKE_PROFIT_MARKET","workingType":"CONTRACT_PRICE"}}"#
    );
    let trailing = Trigger { kind: TriggerKind::Trailing, callback: one, ..trigger };
    assert_eq!(
        text_of(trailing),
        r#"{"id":"81.2","method":"algoOrder.place","params":{"activatePrice":"60100.00","algoType":"CONDITIONAL","callbackRate":"1.25","clientAlgoId":"fw-00010200000000ab","positionSide":"BOTH","quantity":"0.001","reduceOnly":"true","selfTradePreventionMode":"EXPIRE_MAKER","side":"SELL","symbol":"BTCUSDT","type":"TRAILING_STOP_MARKET","workingType":"MARK_PRICE"}}"#
    );
    let at_once = text_of(Trigger { price: Px::ZERO, ..trailing });
    assert!(!at_once.contains("activatePrice"), "{at_once}");
    // Each is JSON, with its parameters sorted by name, as they are signed.
    for kind in TriggerKind::ALL {
        for by in TriggerPrice::ALL {
            for close_position in [false, true] {
                let found = text_of(Trigger { kind, by, close_position, callback: one, ..trigger });
                let read: Value = serde_json::from_str(&found).unwrap();
                let params = read["params"].as_object().unwrap();
                let at = |name: &String| found.find(&format!("\"{name}\":")).unwrap();
                assert!(params.keys().map(at).is_sorted(), "{found}");
            }
        }
    }
}

#[test]
fn what_waits_is_taken_back_and_asked_about_there_too() {
    let encoder = OrderEncoder::new(&universe("BTCUSDT", 2, 3)).unwrap();
    let text = |action| {
        let mut request = Request::default();
        let (intent, place) = (intent(order(), action), Place::Algo);
        encoder.write(81, 2, (&intent, Side::Sell, place), &mut request);
        String::from_utf8(request.as_bytes().to_vec()).unwrap()
    };
    assert_eq!(
        text(Action::Cancel),
        r#"{"id":"81.2","method":"algoOrder.cancel","params":{"clientAlgoId":"fw-00010200000000ab"}}"#
    );
    assert_eq!(
        text(Action::Query),
        r#"{"id":"81.2","method":"GET /fapi/v1/algoOrder","params":{"clientAlgoId":"fw-00010200000000ab"}}"#
    );
}

/// The longest of everything is as long as the constant says, and nothing else is longer.
#[test]
fn the_longest_request_fits() {
    let longest = "S".repeat(SYMBOL_BYTES_MAX - 2);
    let universe = universe(&longest, 8, 8);
    let new = NewOrder {
        side: Side::Sell,
        price: Px(i64::MIN),
        qty: Qty(i64::MIN),
        tif: TimeInForce::Fok,
        reduce_only: true,
    };
    let amend = Action::Amend { price: new.price, qty: new.qty };
    let length = |action| {
        text(&universe, (u64::MAX, u32::MAX), &intent(OrderId(u64::MAX), action), Side::Sell).len()
    };
    let plain = [Action::New(new), amend, Action::Cancel, Action::Query].map(length);
    let mut waiting = Vec::new();
    for kind in TriggerKind::ALL {
        let (price, callback) = (new.price, Rate(i64::MIN));
        for close_position in [false, true] {
            let trigger = Trigger { kind, by: TriggerPrice::Last, price, callback, close_position };
            waiting.push(length(Action::Conditional(Conditional { order: new, trigger })));
        }
    }
    assert_eq!(plain.iter().max(), Some(&plain[0]));
    assert_eq!(plain.iter().chain(&waiting).max(), Some(&LONGEST));
}

#[test]
fn a_symbol_is_escaped_and_one_that_is_too_long_is_refused_at_start() {
    for symbol in ["币安人生USDT", "A\"B\\C\u{1}"] {
        let text =
            text(&universe(symbol, 2, 3), (1, 0), &intent(order(), Action::Cancel), Side::Buy);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["params"]["symbol"], symbol);
    }
    let long = "S".repeat(SYMBOL_BYTES_MAX - 1);
    let refused = OrderEncoder::new(&universe(&long, 2, 3)).err();
    assert_eq!(refused, Some(SymbolTooLong { symbol: long }));
}

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(&Side::ALL[..])
}

fn numbers() -> impl Strategy<Value = i64> {
    // A grid of any coarseness, and anything at all.
    let grid = (0_u32..=8, any::<i32>()).prop_map(|(cut, n)| i64::from(n) * 10_i64.pow(cut));
    prop_oneof![grid, any::<i64>(), Just(i64::MAX), Just(0)]
}

fn action() -> impl Strategy<Value = Action> {
    let new = (side(), numbers(), numbers(), 0..4_usize, any::<bool>());
    let new = new.prop_map(|(side, price, qty, tif, reduce_only)| {
        let tif = TimeInForce::ALL[tif];
        Action::New(NewOrder { side, price: Px(price), qty: Qty(qty), tif, reduce_only })
    });
    let amend = (numbers(), numbers())
        .prop_map(|(price, qty)| Action::Amend { price: Px(price), qty: Qty(qty) });
    prop_oneof![new, amend, Just(Action::Cancel), Just(Action::Query)]
}

/// Places that a number must be printed with: those of the contract, or as many as it has.
fn places(raw: i64, asked: u32) -> u32 {
    (asked..DECIMALS).find(|places| raw % 10_i64.pow(DECIMALS - places) == 0).unwrap_or(DECIMALS)
}

/// Method and parameters of a request, by the formatting of the standard library.
fn expected(
    intent: &Intent,
    amended: Side,
    [price_places, qty_places]: [u32; 2],
) -> (&'static str, BTreeMap<&'static str, String>) {
    let number = |raw: i64, asked| Px(raw).with_places(places(raw, asked)).to_string();
    let text = |text: &str| text.to_owned();
    let side_text = |side| text(if side == Side::Buy { "BUY" } else { "SELL" });
    let id = format!("fw-{:016x}", intent.order.0);
    let mut all = BTreeMap::from([("symbol", text("BTCUSDT"))]);
    let numbers = |price: Px, qty: Qty| {
        let price = ("price", number(price.0, price_places));
        [("positionSide", text("BOTH")), price, ("quantity", number(qty.0, qty_places))]
    };
    let (method, id_name) = match intent.action {
        Action::New(new) => {
            all.extend(numbers(new.price, new.qty));
            all.extend(new.reduce_only.then(|| ("reduceOnly", text("true"))));
            let tif = format!("{:?}", new.tif).to_uppercase();
            all.extend([("side", side_text(new.side)), ("timeInForce", tif)]);
            all.extend([
                ("selfTradePreventionMode", text("EXPIRE_MAKER")),
                ("type", text("LIMIT")),
            ]);
            ("order.place", "newClientOrderId")
        }
        Action::Amend { price, qty } => {
            all.extend(numbers(price, qty));
            all.insert("side", side_text(amended));
            ("order.modify", "origClientOrderId")
        }
        Action::Cancel => ("order.cancel", "origClientOrderId"),
        Action::Query => ("order.status", "origClientOrderId"),
        Action::Conditional(_) => unreachable!("they are compared by hand"),
    };
    all.insert(id_name, id);
    (method, all)
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_was_approved(
        (action, order, amended) in (action(), any::<u64>(), side()),
        (seq, index) in (any::<u64>(), any::<u32>()),
        both in [0_u32..=8, 0_u32..=8],
    ) {
        let intent = intent(OrderId(order), action);
        let text = text(&universe("BTCUSDT", both[0], both[1]), (seq, index), &intent, amended);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["id"], &format!("{seq}.{index}"));
        let (method, params) = expected(&intent, amended, both);
        prop_assert_eq!(&read["method"], method);
        prop_assert_eq!(&read["params"], &serde_json::to_value(&params).unwrap());
        // Sorted by name, as they are signed.
        let at = |name: &&str| text.find(&format!("\"{name}\":")).unwrap();
        prop_assert!(params.keys().map(at).is_sorted());
        if let Action::New(NewOrder { price, qty, .. }) = action {
            let number = |name: &str| read["params"][name].as_str().unwrap().as_bytes();
            prop_assert_eq!(Px::parse(number("price")), Ok(price));
            prop_assert_eq!(Qty::parse(number("quantity")), Ok(qty));
        }
    }
}
