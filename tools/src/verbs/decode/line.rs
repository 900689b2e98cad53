//! One decoded frame as one JSON line: decimal strings, times in ms as the exchange sends them.

use fusewire_core::market::{
    Body, ContractInfo, Decoded, Depth, Ignored, Kline, Level, LevelRange, Message, Side, Span,
    Times, TradeOrigin,
};
use fusewire_core::units::Nanos;
use fusewire_io::decode::{DecodeError, symbol_of_stream, unescape};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

/// Members in the order in which they were added.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Fields {
    fn add(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push((key, value.into()));
    }

    /// A value in its own decimal text.
    fn text(&mut self, key: &'static str, value: impl ToString) {
        self.add(key, value.to_string());
    }

    fn text_if(&mut self, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn int_if(&mut self, key: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    fn time_if(&mut self, key: &'static str, value: Option<Nanos>) {
        if let Some(value) = value {
            self.add(key, value.0 / Nanos::MILLI);
        }
    }

    fn json(&self) -> String {
        serde_json::to_string(self).expect("maps of strings and numbers serialise")
    }
}

/// The line of one frame.
pub(super) fn describe(
    frame: &[u8],
    decoded: &Decoded,
    result: Result<(), DecodeError>,
    same: bool,
) -> String {
    let mut line = Fields::default();
    line.add("ok", result.is_ok());
    match (result, &decoded.messages[..], &decoded.ignored[..]) {
        (Err(error), _, _) => {
            line.text("error", error.kind);
            line.add("error_kind", error.kind.name());
            line.add("offset", error.offset);
        }
        (Ok(()), [], []) => ignored(&mut line, "empty array".to_owned()),
        (Ok(()), [], [first, ..]) => ignored(&mut line, why(frame, *first)),
        (Ok(()), [message], []) => describe_message(&mut line, frame, decoded, message),
        (Ok(()), messages, left_out) => {
            line.add("kind", messages.first().map_or("ignored", |m| m.body.kind().name()));
            line.add("items", messages.iter().map(|m| item(frame, decoded, m)).collect::<Vec<_>>());
            let reasons = left_out.iter().map(|reason| why(frame, *reason));
            line.add("ignored", reasons.map(Value::from).collect::<Vec<_>>());
        }
    }
    if !same {
        line.add("mismatch", true);
    }
    line.json()
}

fn ignored(line: &mut Fields, why: String) {
    line.add("kind", "ignored");
    line.add("why", why);
}

fn why(frame: &[u8], reason: Ignored) -> String {
    match reason {
        Ignored::ControlAnswer => "control answer".to_owned(),
        Ignored::UnknownEvent(name) => format!("unknown event type {:?}", raw(frame, name)),
        Ignored::NoEventType => "no event type".to_owned(),
        Ignored::OtherMarket => "row of another market (st)".to_owned(),
        Ignored::Placeholder => "placeholder, not a trade (X is NA)".to_owned(),
        Ignored::UnknownValue(value) => format!("unknown value {:?}", raw(frame, value)),
        Ignored::OtherBook => "another book (rpiDepth)".to_owned(),
    }
}

fn raw(frame: &[u8], span: Span) -> String {
    let bytes = span.of(frame);
    unescape(bytes)
        .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |text| text.into_owned())
}

fn item(frame: &[u8], decoded: &Decoded, message: &Message) -> Value {
    let mut fields = Fields::default();
    describe_message(&mut fields, frame, decoded, message);
    serde_json::to_value(&fields).expect("maps of strings and numbers serialise")
}

fn describe_message(line: &mut Fields, frame: &[u8], decoded: &Decoded, message: &Message) {
    line.add("kind", message.body.kind().name());
    let symbol = if message.symbol.is_none() {
        symbol_of_stream(decoded.stream.of(frame)).map_or(Value::Null, Value::from)
    } else {
        raw(frame, message.symbol).into()
    };
    line.add("symbol", symbol);
    times(line, &message.body);
    match &message.body {
        Body::Depth(depth) | Body::PartialDepth(depth) => describe_depth(line, decoded, depth),
        Body::Snapshot(snapshot) => {
            line.add("last_id", snapshot.last_id);
            levels(line, decoded, snapshot.levels);
        }
        Body::BookTicker(ticker) => {
            line.add("id", ticker.id);
            line.text("bid", ticker.bid.price);
            line.text("bid_qty", ticker.bid.qty);
            line.text("ask", ticker.ask.price);
            line.text("ask_qty", ticker.ask.qty);
        }
        Body::Trade(trade) => {
            line.add("id", trade.id);
            line.text("price", trade.price);
            line.text("qty", trade.qty);
            line.add("aggressor", side(trade.aggressor));
            line.add("origin", origin(trade.origin));
        }
        Body::AggTrade(trade) => {
            line.int_if("id", trade.id);
            line.text("price", trade.price);
            line.text("qty", trade.qty);
            line.text("normal_qty", trade.normal_qty);
            line.add("first_trade", trade.first_trade);
            line.add("last_trade", trade.last_trade);
            line.add("aggressor", side(trade.aggressor));
        }
        Body::Mark(mark) => {
            line.text("price", mark.price);
            line.text_if("average", mark.average);
            line.text_if("index", mark.index);
            line.text_if("settle", mark.settle);
            line.text_if("funding_rate", mark.funding_rate);
            line.time_if("next_funding_ms", mark.next_funding);
        }
        Body::Liquidation(order) => {
            line.add("side", side(order.side));
            line.text("price", order.price);
            line.text("average", order.average);
            line.text("qty", order.qty);
            line.text("last_qty", order.last_qty);
            line.text("filled_qty", order.filled_qty);
        }
        Body::Kline(at) => describe_kline(line, frame, decoded.kline(at)),
        Body::ContractInfo(info) => describe_contract(line, frame, decoded, info),
        Body::Funding(funding) => line.text("rate", funding.rate),
        Body::OpenInterest(interest) => {
            line.text_if("qty", interest.qty);
            line.text_if("notional", interest.notional);
        }
        Body::DepthBand(band) => {
            line.text("distance_bp", band.distance);
            line.text("qty", band.qty);
            line.text("notional", band.notional);
        }
    }
}

fn times(line: &mut Fields, body: &Body) {
    let Times { event, transaction } = body.times();
    line.time_if("event_time_ms", event);
    line.time_if("transaction_time_ms", transaction);
}

fn describe_depth(line: &mut Fields, decoded: &Decoded, depth: &Depth) {
    line.add("first_id", depth.ids.first);
    line.add("last_id", depth.ids.last);
    line.int_if("prev_id", depth.ids.prev);
    levels(line, decoded, depth.levels);
}

fn levels(line: &mut Fields, decoded: &Decoded, range: LevelRange) {
    let pairs = |side: &[Level]| {
        let pair = |level: &Level| json!([level.price.to_string(), level.qty.to_string()]);
        side.iter().map(pair).collect::<Vec<_>>()
    };
    line.add("bids", pairs(decoded.bids(range)));
    line.add("asks", pairs(decoded.asks(range)));
}

fn describe_kline(line: &mut Fields, frame: &[u8], kline: &Kline) {
    line.add("interval", raw(frame, kline.interval));
    line.time_if("open_time_ms", Some(kline.open_time));
    line.time_if("close_time_ms", Some(kline.close_time));
    line.int_if("first_trade", kline.first_trade);
    line.int_if("last_trade", kline.last_trade);
    line.text("open", kline.open);
    line.text("high", kline.high);
    line.text("low", kline.low);
    line.text("close", kline.close);
    line.text("volume", kline.volume);
    line.text("quote_volume", kline.quote_volume);
    line.text("taker_volume", kline.taker_volume);
    line.text("taker_quote_volume", kline.taker_quote_volume);
    line.add("trades", kline.trades);
    line.add("closed", kline.closed);
}

fn describe_contract(line: &mut Fields, frame: &[u8], decoded: &Decoded, info: &ContractInfo) {
    line.add("contract_type", raw(frame, info.contract_type));
    line.add("status", raw(frame, info.status));
    line.time_if("delivery_ms", info.delivery);
    line.time_if("onboard_ms", info.onboard);
    let brackets = decoded.brackets(info).iter().map(|bracket| {
        json!({
            "number": bracket.number,
            "notional_floor": bracket.notional_floor.to_string(),
            "notional_cap": bracket.notional_cap.to_string(),
            "maintenance_rate": bracket.maintenance_rate.to_string(),
            "auxiliary": bracket.auxiliary.to_string(),
            "leverage_min": bracket.leverage_min,
            "leverage_max": bracket.leverage_max,
        })
    });
    line.add("brackets", brackets.collect::<Vec<_>>());
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn origin(origin: TradeOrigin) -> &'static str {
    match origin {
        TradeOrigin::Market => "market",
        TradeOrigin::InsuranceFund => "insurance_fund",
        TradeOrigin::Adl => "adl",
    }
}
