//! What is encoded says what was approved, as read back by a JSON parser that we did not write.

use std::collections::BTreeMap;

use fusewire_core::instrument::{InstrumentId, Market, common};
use fusewire_core::order::{OrderId, Source, StrategyId};
use fusewire_core::units::ONE;
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
    OrderEncoder::new(universe).unwrap().write(seq, index, (intent, side), &mut request);
    String::from_utf8(request.as_bytes().to_vec()).unwrap()
}

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
    let lengths = [Action::New(new), amend, Action::Cancel, Action::Query].map(|action| {
        text(&universe, (u64::MAX, u32::MAX), &intent(OrderId(u64::MAX), action), Side::Sell).len()
    });
    assert_eq!(lengths.iter().max(), Some(&LONGEST));
    assert_eq!(lengths[0], LONGEST);
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
