//! Orders that leave: the bytes of a request, by our encoder and by serde_json.
//!
//! What is in the time: one request of a new order into a buffer that is reused, numbers with the places of
//! their contract included. The peer is told the texts of its enums and serialises a struct that borrows.

use std::hint::black_box;
use std::io::{Cursor, Write};

use fusewire_core::instrument::{Instrument, InstrumentId, Universe};
use fusewire_core::order::{Action, Approved, NewOrder, Side, TimeInForce};
use fusewire_core::units::{ONE, Px};
use fusewire_io::gateway::wire::{OrderEncoder, REQUEST_BYTES, Request};
use serde::Serialize;

use crate::desk::{Desk, two_symbols};
use crate::measure::Subject;

/// Orders in a pass.
const ORDERS: i64 = 32;

/// Orders that risk let through.
#[must_use]
pub fn approved() -> Vec<Approved> {
    let mut desk = Desk::new(&two_symbols(), &[Px(60_000 * ONE), Px(2_500 * ONE)]);
    let order = |n: i64| {
        let id = InstrumentId((n % 2) as u16);
        let side = if n % 4 < 2 { Side::Buy } else { Side::Sell };
        let new = desk.new_order(id, side, 10 + n);
        desk.approve(id, new)
    };
    (0..ORDERS).map(order).collect()
}

/// Our encoder.
pub struct Encoding<'o> {
    orders: &'o [Approved],
    encoder: OrderEncoder,
    request: Request,
}

impl<'o> Encoding<'o> {
    /// Of these orders.
    ///
    /// # Panics
    /// Never: both symbols are short.
    #[must_use]
    pub fn new(orders: &'o [Approved]) -> Self {
        let encoder = OrderEncoder::new(&two_symbols()).expect("both symbols are short");
        Self { orders, encoder, request: Request::default() }
    }
}

impl Subject for Encoding<'_> {
    fn units(&self) -> u64 {
        self.orders.len() as u64
    }

    fn pass(&mut self) {
        for (seq, approved) in (1_000_000..).zip(self.orders) {
            self.encoder.encode(seq, 0, black_box(approved), &mut self.request);
            black_box(self.request.as_bytes());
        }
    }
}

/// serde_json.
pub struct SerdePeer<'o> {
    orders: &'o [Approved],
    universe: Universe,
    buffer: Vec<u8>,
    len: usize,
}

#[derive(Serialize)]
struct Frame<'a> {
    id: Displayed<Cause>,
    method: &'a str,
    params: Params<'a>,
}

#[allow(non_snake_case)] // The exchange's names.
#[derive(Serialize)]
struct Params<'a> {
    newClientOrderId: Displayed<Hex>,
    positionSide: &'a str,
    price: Displayed<fusewire_core::units::WithPlaces>,
    quantity: Displayed<fusewire_core::units::WithPlaces>,
    selfTradePreventionMode: &'a str,
    side: &'a str,
    symbol: &'a str,
    timeInForce: &'a str,
    r#type: &'a str,
}

/// A value whose text is a JSON string, without a `String` of its own.
struct Displayed<T>(T);

impl<T: std::fmt::Display> Serialize for Displayed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Cause(u64, u32);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

struct Hex(u64);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "fw-{:016x}", self.0)
    }
}

impl<'o> SerdePeer<'o> {
    /// Of the same orders.
    #[must_use]
    pub fn new(orders: &'o [Approved]) -> Self {
        Self { orders, universe: two_symbols(), buffer: vec![0; REQUEST_BYTES], len: 0 }
    }

    fn encode(&mut self, seq: u64, approved: &Approved) {
        let intent = approved.intent();
        let Action::New(new) = intent.action else { panic!("{intent:?}") };
        let params = params(self.universe.get(intent.instrument), intent.order.0, &new);
        let frame = Frame { id: Displayed(Cause(seq, 0)), method: "order.place", params };
        let mut out = Cursor::new(self.buffer.as_mut_slice());
        serde_json::to_writer(&mut out, &frame).expect("the buffer is long enough");
        self.len = out.position() as usize;
        out.flush().expect("memory has nothing to flush");
    }
}

fn params<'a>(instrument: &'a Instrument, order: u64, new: &NewOrder) -> Params<'a> {
    Params {
        newClientOrderId: Displayed(Hex(order)),
        positionSide: "BOTH",
        price: Displayed(new.price.with_places(instrument.price_places)),
        quantity: Displayed(new.qty.with_places(instrument.qty_places)),
        selfTradePreventionMode: "EXPIRE_MAKER",
        side: match new.side {
            Side::Buy => "BUY",
            Side::Sell => "SELL",
        },
        symbol: &instrument.symbol,
        timeInForce: match new.tif {
            TimeInForce::Gtc => "GTC",
            TimeInForce::Ioc => "IOC",
            TimeInForce::Fok => "FOK",
            TimeInForce::Gtx => "GTX",
        },
        r#type: "LIMIT",
    }
}

impl Subject for SerdePeer<'_> {
    fn units(&self) -> u64 {
        self.orders.len() as u64
    }

    fn pass(&mut self) {
        for (seq, approved) in (1_000_000..).zip(self.orders) {
            self.encode(seq, black_box(approved));
            black_box(&self.buffer[..self.len]);
        }
    }
}

/// Checks that both sides write the same bytes for every order.
///
/// # Errors
/// What differs.
pub fn check(orders: &[Approved]) -> Result<(), String> {
    let (mut ours, mut peer) = (Encoding::new(orders), SerdePeer::new(orders));
    for (seq, approved) in (1_000_000..).zip(orders) {
        ours.encoder.encode(seq, 0, approved, &mut ours.request);
        peer.encode(seq, approved);
        let both = [ours.request.as_bytes(), &peer.buffer[..peer.len]];
        let [one, other] = both.map(String::from_utf8_lossy);
        if one != other {
            return Err(format!("{one}\n{other}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_write_the_same() {
        assert_eq!(check(&approved()), Ok(()));
    }
}
