//! The fields of each record, as `docs/journal.md` lists them: written down once more, so that a field that
//! the program forgets is not forgotten here too.

/// Kinds of events by their numbers, each with its body.
const EVENTS: [(&str, &str); 16] = [
    ("Touch", "source:1 bid:1 bid_price:8 bid_qty:8 ask:1 ask_price:8 ask_qty:8"),
    ("Depth", "imbalance:4 micro:1 microprice:8 bids_near:16 bids_far:16 asks_near:16 asks_far:16"),
    (
        "Levels",
        "side:1 first:1 count:1 price_1:8 qty_1:8 price_2:8 qty_2:8 price_3:8 qty_3:8 price_4:8 qty_4:8",
    ),
    ("Trade", "id:8 price:8 qty:8 aggressor:1"),
    ("Mark", "price:8 index:1 index_price:8 rate:1 funding_rate:8 next:1 next_funding:8 origin:1"),
    ("Liquidation", "side:1 price:8 qty:8"),
    (
        "Bar",
        "open_time:8 interval:4 trades:4 open:8 high:8 low:8 close:8 volume:16 quote_volume:16",
    ),
    ("BookInvalid", "why:1"),
    ("Tick", ""),
    ("Gap", ""),
    ("Wake", ""),
    (
        "Report",
        "order:8 report:1 reason:1 side:1 reduce_only:1 liquidity:1 price:8 qty:8 cum_qty:8 \
         cum_quote:8 cum_fee:8 last_qty:8 last_price:8 payer:8 at:8",
    ),
    (
        "Status",
        "order:8 state:1 side:1 reduce_only:1 price:8 qty:8 cum_qty:8 cum_quote:8 cum_fee:8 at:8",
    ),
    ("Rejected", REJECTION),
    ("Control", "command:1 level:1"),
    ("KillLevel", "level:1"),
];
const REJECTION: &str = "order:8 symbol:2 ACTION by:1 check:1 measured:16 limit:16";
const INTENT: &str = "order:8 symbol:2 source:1 ACTION";
/// What can be done with an order, by number.
const ACTIONS: [&str; 4] = [
    "action:1 side:1 price:8 qty:8 tif:1 reduce_only:1",
    "action:1 price:8 qty:8",
    "action:1",
    "action:1",
];
const EVENT: &str = "seq:8 ts:8 recv:8 frame:8 symbol:2 kind:1";
const PENDING: &str = "due:8 cause:8 origin:1 number:8 symbol:2 kind:1";
/// Bytes before the body in an event, and in what is pending.
const BODY_AT: [usize; 2] = [35, 28];

/// A field: its name, where it begins in the payload, and how long it is.
pub(super) type Field = (&'static str, usize, usize);

/// What a record is: its kind, and of an event which.
pub(super) fn kind(kind: u8, payload: &[u8]) -> &'static str {
    match kind {
        1 => "frame",
        2 => "frame_ref",
        3 => "damaged",
        16 => "header",
        17 => EVENTS[usize::from(payload[BODY_AT[0] - 1])].0,
        18 => "pending",
        32 => "intent",
        48 if payload[12] == 1 => "approved",
        48 => "rejected",
        64 => "sent",
        65 => "cancel_all",
        255 => "close",
        other => panic!("kind {other} is in no list"),
    }
}

/// The fields of a record.
pub(super) fn fields(kind: u8, payload: &[u8]) -> Vec<Field> {
    let body = |at: usize| EVENTS[usize::from(payload[at - 1])].1;
    let parts: Vec<&'static str> = match kind {
        1 => vec!["number:8 recv:8 line:8 source:2 market:1 origin:1 address:2 REST"],
        2 => vec!["number:8 recv:8 line:8 source:2 market:1 origin:1 bytes:4 crc:4"],
        3 => vec!["number:8 recv:8 line:8 source:2 length:2 REST"],
        16 => vec!["REST"],
        17 => vec![EVENT, body(BODY_AT[0])],
        18 => vec![PENDING, body(BODY_AT[1])],
        32 => vec!["seq:8", INTENT],
        48 if payload[12] == 1 => vec!["seq:8 index:4 approved:1 class:1", INTENT],
        48 => vec!["seq:8 index:4 approved:1", REJECTION],
        64 => vec!["seq:8 index:4 blocked_at:1 class:1", INTENT],
        65 => vec!["seq:8"],
        255 => vec!["records:8 last:8 digest:32 header:32"],
        other => panic!("kind {other} is in no list"),
    };
    let mut fields = Vec::new();
    let mut at = 0;
    for word in parts.into_iter().flat_map(str::split_whitespace) {
        take(word, payload, &mut at, &mut fields);
    }
    assert_eq!(at, payload.len(), "every byte of a record of kind {kind} is in a field");
    fields
}

fn take(word: &'static str, payload: &[u8], at: &mut usize, fields: &mut Vec<Field>) {
    match word.split_once(':') {
        Some((name, bytes)) => {
            let bytes = bytes.parse().unwrap();
            fields.push((name, *at, bytes));
            *at += bytes;
        }
        None if word == "ACTION" => {
            for word in ACTIONS[usize::from(payload[*at])].split_whitespace() {
                take(word, payload, at, fields);
            }
        }
        None => {
            assert_eq!(word, "REST");
            fields.push(("rest", *at, payload.len() - *at));
            *at = payload.len();
        }
    }
}
