//! Orders as requests of the exchange's WebSocket order API (Binance USD-M): `Approved` in, bytes out.
//!
//! ```text
//!  {"id":"81.0","method":"order.cancel","params":{"origClientOrderId":"fw-0001000000000007","symbol":"BTCUSDT"}}
//! ```
//!
//! A conditional order goes to the algo service, see `conditional`. What depends on a secret or on the time of sending (`apiKey`, `timestamp`, `signature`) is not in it: the
//! edge that owns the socket puts it before the last two braces. Parameters are sorted by name, as they are
//! signed. Nothing here allocates or goes through the formatting of the standard library.

use fusewire_core::instrument::{Instrument, Universe};
use fusewire_core::order::{Action, Approved, Intent, NewOrder, Side, TimeInForce};
use fusewire_core::units::{DECIMALS, Px, Qty};
use thiserror::Error;

mod conditional;
mod text;

#[cfg(test)]
mod tests;

use text::{NUMBER_BYTES_MAX, SLOT_BYTES, Text};

/// Bytes of the buffer of a request.
pub const REQUEST_BYTES: usize = 512;
/// Longest symbol as JSON text, its quotes included, in bytes. The exchange's longest has about 20.
pub const SYMBOL_BYTES_MAX: usize = SLOT_BYTES;

/// A symbol that does not fit a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("symbol {symbol} does not fit an order: more than {SYMBOL_BYTES_MAX} bytes in quotes")]
pub struct SymbolTooLong {
    /// The symbol.
    pub symbol: String,
}

/// One request, complete but for what the socket's edge adds.
#[derive(Clone, Debug)]
pub struct Request {
    bytes: [u8; REQUEST_BYTES],
    len: usize,
}

impl Default for Request {
    fn default() -> Self {
        Self { bytes: [0; REQUEST_BYTES], len: 0 }
    }
}

impl Request {
    /// The text, one JSON object; empty before the first order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What a request says of a contract.
#[derive(Clone, Copy, Debug)]
struct Contract {
    /// The symbol in quotes.
    symbol: [u8; SYMBOL_BYTES_MAX],
    symbol_len: usize,
    price_places: usize,
    qty_places: usize,
}

impl Contract {
    fn new(instrument: &Instrument) -> Result<Self, SymbolTooLong> {
        let quoted = serde_json::Value::from(instrument.symbol.as_str()).to_string();
        let (mut symbol, symbol_len) = ([0; SYMBOL_BYTES_MAX], quoted.len());
        let Some(place) = symbol.get_mut(..symbol_len) else {
            return Err(SymbolTooLong { symbol: instrument.symbol.clone() });
        };
        place.copy_from_slice(quoted.as_bytes());
        let places = |places: u32| places.min(DECIMALS) as usize;
        let (price, qty) = (instrument.price_places, instrument.qty_places);
        Ok(Self { symbol, symbol_len, price_places: places(price), qty_places: places(qty) })
    }
}

/// Makes requests of the orders of a universe.
#[derive(Clone, Debug)]
pub struct OrderEncoder {
    contracts: Vec<Contract>,
}

impl OrderEncoder {
    /// For the contracts of a universe, only USD-M ones of which can be traded.
    ///
    /// # Errors
    /// A symbol that is too long.
    pub fn new(universe: &Universe) -> Result<Self, SymbolTooLong> {
        let contracts = universe.iter().map(|(_, instrument)| Contract::new(instrument));
        Ok(Self { contracts: contracts.collect::<Result<_, _>>()? })
    }

    /// Writes the request for an approved intent over what `request` held. `seq` and `index` are those of its
    /// verdict: they are the request's id, by which the answer finds its way back.
    ///
    /// # Panics
    /// When the instrument is not of the universe, which risk does not approve.
    pub fn encode(&self, seq: u64, index: u32, approved: &Approved, request: &mut Request) {
        let place = if approved.is_on_waiting() { Place::Algo } else { Place::Orders };
        self.write(seq, index, (approved.intent(), approved.side(), place), request);
    }

    fn write(
        &self,
        seq: u64,
        index: u32,
        (intent, side, place_of): (&Intent, Side, Place),
        request: &mut Request,
    ) {
        let contract = &self.contracts[intent.instrument.index()];
        let mut text = Text::new(&mut request.bytes);
        text.put(ID);
        text.integer(seq);
        text.put(b".");
        text.integer(u64::from(index));
        let order = intent.order.0;
        match intent.action {
            Action::New(new) => place(&mut text, contract, order, &new),
            Action::Amend { price, qty } => {
                text.put(MODIFY);
                text.hex(order);
                numbers(&mut text, contract, price, qty);
                side_of(&mut text, side);
                text.put_slot(&contract.symbol, contract.symbol_len);
                text.put(END);
            }
            Action::Cancel => match place_of {
                Place::Orders => about(&mut text, contract, CANCEL, order),
                Place::Algo => conditional::cancel(&mut text, order),
            },
            Action::Query => match place_of {
                Place::Orders => about(&mut text, contract, STATUS, order),
                Place::Algo => conditional::query(&mut text, order),
            },
            Action::Conditional(new) => conditional::place(&mut text, contract, order, &new),
        }
        request.len = text.len();
    }
}

/// Where the exchange keeps an order: conditional ones that wait are in a service of their own, which the
/// endpoints of orders know nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Orders,
    Algo,
}

const ID: &[u8; 7] = br#"{"id":""#;
const PLACE: &[u8; 58] = br#"","method":"order.place","params":{"newClientOrderId":"fw-"#;
const MODIFY: &[u8; 60] = br#"","method":"order.modify","params":{"origClientOrderId":"fw-"#;
const CANCEL: &[u8; 60] = br#"","method":"order.cancel","params":{"origClientOrderId":"fw-"#;
const STATUS: &[u8; 60] = br#"","method":"order.status","params":{"origClientOrderId":"fw-"#;
const PRICE: &[u8; 33] = br#"","positionSide":"BOTH","price":""#;
const QTY: &[u8; 14] = br#"","quantity":""#;
const REDUCE_ONLY: &[u8; 20] = br#"","reduceOnly":"true"#;
/// The exchange's own default on this path is not the same everywhere, so it is said: of two orders of ours
/// that would meet, the one that rests goes.
const SELF_TRADE: &[u8; 41] = br#"","selfTradePreventionMode":"EXPIRE_MAKER"#;
const BUY: &[u8; 24] = br#"","side":"BUY","symbol":"#;
const SELL: &[u8; 25] = br#"","side":"SELL","symbol":"#;
const SYMBOL: &[u8; 11] = br#"","symbol":"#;
const END: &[u8; 2] = b"}}";

/// The longest request, in bytes.
const LONGEST: usize = {
    let id = ID.len() + "18446744073709551615".len() + ".".len() + "4294967295".len();
    let order = PLACE.len() + 2 * size_of::<u64>();
    let numbers = PRICE.len() + NUMBER_BYTES_MAX + QTY.len() + NUMBER_BYTES_MAX;
    let flags = REDUCE_ONLY.len() + SELF_TRADE.len() + SELL.len() + SYMBOL_BYTES_MAX;
    let plain = order + numbers + flags + tail(TimeInForce::Gtc).len();
    let conditional = conditional::LONGEST;
    id + if plain > conditional { plain } else { conditional }
};
// Pieces of any length are copied with what is behind them, which must fit as well.
const _: () = assert!(LONGEST + SLOT_BYTES <= REQUEST_BYTES);

fn place(text: &mut Text<'_>, contract: &Contract, order: u64, new: &NewOrder) {
    text.put(PLACE);
    text.hex(order);
    numbers(text, contract, new.price, new.qty);
    if new.reduce_only {
        text.put(REDUCE_ONLY);
    }
    text.put(SELF_TRADE);
    side_of(text, new.side);
    text.put_slot(&contract.symbol, contract.symbol_len);
    text.put(tail(new.tif));
}

/// A request that only names its order.
fn about(text: &mut Text<'_>, contract: &Contract, method: &[u8; CANCEL.len()], order: u64) {
    text.put(method);
    text.hex(order);
    text.put(SYMBOL);
    text.put_slot(&contract.symbol, contract.symbol_len);
    text.put(END);
}

fn numbers(text: &mut Text<'_>, contract: &Contract, price: Px, qty: Qty) {
    text.put(PRICE);
    text.number(price.0, contract.price_places);
    text.put(QTY);
    text.number(qty.0, contract.qty_places);
}

fn side_of(text: &mut Text<'_>, side: Side) {
    match side {
        Side::Buy => text.put(BUY),
        Side::Sell => text.put(SELL),
    }
}

/// What stands behind the symbol of a new order.
const fn tail(tif: TimeInForce) -> &'static [u8; 37] {
    match tif {
        TimeInForce::Gtc => br#","timeInForce":"GTC","type":"LIMIT"}}"#,
        TimeInForce::Ioc => br#","timeInForce":"IOC","type":"LIMIT"}}"#,
        TimeInForce::Fok => br#","timeInForce":"FOK","type":"LIMIT"}}"#,
        TimeInForce::Gtx => br#","timeInForce":"GTX","type":"LIMIT"}}"#,
    }
}
