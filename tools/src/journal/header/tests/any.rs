//! Any instruments, and any bytes.

use super::*;

fn lots() -> impl Strategy<Value = LotSize> {
    (0..=i64::MAX, 0..=i64::MAX, 1..=i64::MAX).prop_map(|(a, b, step)| LotSize {
        min: Qty(a.min(b)),
        max: Qty(a.max(b)),
        step: Qty(step),
    })
}

prop_compose! {
    fn filters()(
        tick in proptest::option::of((1..=i64::MAX).prop_map(Px)),
        lot in lots(),
        market_lot in lots(),
        min_notional in proptest::option::of((0..=i64::MAX).prop_map(Usd)),
        percent_price in proptest::option::of((0..=i64::MAX, 0..=i64::MAX)),
        max_orders in proptest::option::of(1..=u32::MAX),
        contract_size in (1..=i64::MAX).prop_map(Usd),
    ) -> Instrument {
        let band = |(a, b): (i64, i64)| PercentPrice { up: Rate(a.max(b)), down: Rate(a.min(b)) };
        let percent_price = percent_price.map(band);
        let base = common(Market::UsdM, "BTCUSDT").unwrap();
        Instrument { tick, lot, market_lot, min_notional, percent_price, max_orders, contract_size, ..base }
    }
}

prop_compose! {
    fn instruments()(
        filters in filters(),
        market in prop_oneof![Just(Market::UsdM), Just(Market::CoinM), Just(Market::Spot)],
        symbol in "\\PC{1,12}",
        contract_type in prop_oneof![
            Just(ContractType::Perpetual),
            Just(ContractType::Dated),
            Just(ContractType::TradFiPerpetual),
            Just(ContractType::Spot),
            Just(ContractType::Unknown),
        ],
        trading in any::<bool>(),
        price_places in 0..=8_u32,
        qty_places in 0..=8_u32,
    ) -> Instrument {
        Instrument { market, symbol, contract_type, trading, price_places, qty_places, ..filters }
    }
}

/// A list alone, as it stands in a header.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct List(#[serde(with = "instrument")] Vec<Instrument>);

proptest! {
    #[test]
    fn instruments_read_back_whole(list in proptest::collection::vec(instruments(), 0..4)) {
        let list = List(list);
        let json = serde_json::to_vec(&list).unwrap();
        prop_assert_eq!(serde_json::from_slice::<List>(&json).unwrap(), list);
    }

    #[test]
    fn any_bytes_are_a_header_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Header::from_json(&bytes).is_err());
    }
}
