//! Any bytes through the wire decoder: it never panics, and agrees with the slow reference decoder.

#![no_main]

use fusewire_core::instrument::Market;
use fusewire_io::decode::differential;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    // Each frame goes through every market. A byte that chose one would make seeds and findings
    // something else than frames, and was hardly ever the right one.
    for market in [Market::UsdM, Market::CoinM, Market::Spot] {
        if let Err(difference) = differential(frame, market) {
            panic!("{market}: {difference}");
        }
    }
});
