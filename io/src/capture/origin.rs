//! The market of a recording: from its name or from the addresses in it, never from a frame, because
//! the frames of spot and USD-M look alike.

use fusewire_core::instrument::Market;

use super::file_name;

/// The market that a file name starts with: `usdm_`, `coinm_`, `spot_`.
pub(crate) fn market_of_name(name: &str) -> Option<Market> {
    let (prefix, _) = file_name(name).split_once('_')?;
    prefix.parse().ok()
}

/// The market behind an address. `None` for another venue (`api.binance.us` is one).
pub(super) fn market_of_address(address: &str) -> Option<Market> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', ':', '?']).next()?;
    let mut labels = host.split('.');
    match [labels.next()?, labels.next()?, labels.next()?] {
        ["fapi" | "fstream", "binance" | "binancefuture", "com"] => Some(Market::UsdM),
        ["dapi" | "dstream", "binance" | "binancefuture", "com"] => Some(Market::CoinM),
        ["api" | "stream", "binance", "com"] => Some(Market::Spot),
        _ => None,
    }
}

/// The market behind an exchange's name in the header of a cryptofeed recording.
pub(super) fn market_of_exchange(exchange: &str) -> Option<Market> {
    match exchange {
        "BINANCE_FUTURES" => Some(Market::UsdM),
        "BINANCE_DELIVERY" => Some(Market::CoinM),
        "BINANCE" => Some(Market::Spot),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_market() {
        assert_eq!(market_of_name("/spot_x/usdm_btcusdt.ns.gz"), Some(Market::UsdM));
        assert_eq!(market_of_name("coinm_btcusd_perp.ns.gz"), Some(Market::CoinM));
        assert_eq!(market_of_name("spot_btcusdt"), Some(Market::Spot));
        assert_eq!(market_of_name("usdmbtc.gz"), None);
        assert_eq!(market_of_name("my_usdm_btc.gz"), None);
    }

    #[test]
    fn addresses_tell_the_market() {
        for (address, market) in [
            ("wss://fstream.binance.com/stream?streams=a@trade", Some(Market::UsdM)),
            ("https://fapi.binance.com/fapi/v1/depth", Some(Market::UsdM)),
            ("wss://fstream.binancefuture.com", Some(Market::UsdM)),
            ("wss://dstream.binance.com:443/ws", Some(Market::CoinM)),
            ("https://dapi.binance.com?x", Some(Market::CoinM)),
            ("https://api.binance.com/api/v3/depth", Some(Market::Spot)),
            ("wss://stream.binance.com:9443/ws", Some(Market::Spot)),
            ("wss://stream.binancefuture.com/ws", None),
            ("https://api.binance.us/api/v3/depth", None),
            ("wss://stream.bybit.com/v5/public/linear", None),
            ("https://example.com/?u=https://fapi.binance.com/", None),
            ("fapi.binance.com", None),
            ("", None),
        ] {
            assert_eq!(market_of_address(address), market, "{address}");
        }
    }
}
