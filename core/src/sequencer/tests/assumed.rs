//! Touches and candles that stand in where there is no book.

use super::by_hand::times;
use super::*;
use crate::sequencer::{AssumedTouch, Candles};

fn assumed_touch() -> SequencerConfig {
    let touch = AssumedTouch { wait: Nanos(100 * MILLI), ..AssumedTouch::default() };
    SequencerConfig { assumed_touch: Some(touch), ..SequencerConfig::default() }
}

fn run_assumed(config: &SequencerConfig, said: &[(u64, Says)], candle: Option<Bar>) -> Vec<Event> {
    let said: Vec<_> = said.iter().map(|(at, says)| (START + at * MILLI, *says)).collect();
    let mut inputs = frames(&said).0;
    for fed in inputs.iter_mut().filter(|fed| fed.input.body == InputBody::Nothing) {
        let candle = candle.map_or(InputBody::Nothing, InputBody::Candle);
        fed.input = Input { instrument: BTC, body: candle, ..fed.input };
    }
    let mut pipeline = Pipeline::new(config, Rings::SMALLEST, &inputs, &[], nothing);
    pipeline.run().unwrap();
    pipeline.far.seen
}

#[test]
fn a_touch_is_assumed_until_the_book_speaks() {
    let said = [(10, Says::Trade(BTC)), (150, Says::Trade(BTC)), (290, Says::Partial(BTC))];
    let said = [&said[..], &[(310, Says::Trade(BTC)), (500, Says::Nothing)]].concat();
    let events = run_assumed(&assumed_touch(), &said, None);
    let expected = [
        (EventKind::Trade, 10),
        (EventKind::Tick, 100),
        (EventKind::Trade, 150),
        (EventKind::Tick, 200),
        (EventKind::Depth, 200),
        (EventKind::Touch, 200),
        (EventKind::Depth, 290),
        (EventKind::Touch, 290),
        (EventKind::Tick, 300),
        (EventKind::Trade, 310),
        (EventKind::Tick, 400),
        (EventKind::Tick, 500),
    ];
    assert_eq!(times(&events), expected);
    let source = |event: &Event| {
        let Body::Touch(change) = event.body else { panic!("{event:?}") };
        change.source
    };
    assert_eq!([5, 7].map(|n| source(&events[n])), [TouchSource::Assumed, TouchSource::Book]);
}

#[test]
fn candles_are_bars_where_there_are_no_trades_and_only_if_they_are_asked_for() {
    let [open, high, low, close] = [10, 12, 9, 11].map(|price| Px(price * 100_000_000));
    let bar = Bar {
        open_time: Nanos(START),
        interval_s: 60,
        trades: 3,
        open,
        high,
        low,
        close,
        volume: 5.into(),
        quote_volume: 50.into(),
    };
    let bars = |config: &SequencerConfig, said: &[(u64, Says)]| {
        let events = run_assumed(config, said, Some(bar));
        let told = |event: &&Event| event.body == Body::Bar(bar) && event.instrument == Some(BTC);
        (events.iter().filter(told).count(), kinds(&events))
    };
    let twice = [(10, Says::Nothing), (20, Says::Nothing), (220, Says::Trade(ETH))];
    let (told, all) = bars(&assumed_touch(), &twice);
    assert_eq!(told, 1, "the same one comes twice");
    assert!(all.contains(&EventKind::Touch));
    let ignored = SequencerConfig { candles: Candles::Ignored, ..assumed_touch() };
    let (told, all) = bars(&ignored, &twice);
    assert_eq!(told, 0);
    assert!(!all.contains(&EventKind::Touch));
    let traded = [(5, Says::Trade(BTC)), (10, Says::Nothing)];
    assert_eq!(bars(&assumed_touch(), &traded).0, 0);
}
