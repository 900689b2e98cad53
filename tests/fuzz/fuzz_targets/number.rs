//! Any bytes through the decimal parser: it never panics, and what it reads it prints back exactly.

#![no_main]

use fusewire_core::units::{BPS_DECIMALS, DECIMALS, Px, QtySum, RATE_DECIMALS, parse_fixed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let value = parse_fixed(text, DECIMALS);
    assert_eq!(QtySum::parse(text), value.map(QtySum), "the widest unit keeps every value");
    if let Ok(raw) = value {
        assert_eq!(QtySum::parse(QtySum(raw).to_string().as_bytes()), Ok(QtySum(raw)));
    }
    if let Ok(price) = Px::parse(text) {
        assert_eq!(value, Ok(i128::from(price.0)), "a price is the number that was read");
        assert_eq!(Px::parse(price.to_string().as_bytes()), Ok(price));
        let padded = price.with_places(RATE_DECIMALS).to_string();
        assert_eq!(Px::parse(padded.as_bytes()), Ok(price), "zeros behind change nothing");
    }
    assert_same_number(text, BPS_DECIMALS, DECIMALS);
    assert_same_number(text, DECIMALS, RATE_DECIMALS);
});

/// What fits a coarse grid fits a finer one, as the same number, unless it leaves the range there.
fn assert_same_number(text: &[u8], coarse: u32, fine: u32) {
    if let Ok(raw) = parse_fixed(text, coarse) {
        let scaled = raw.checked_mul(10_i128.pow(fine - coarse));
        assert_eq!(parse_fixed(text, fine).ok(), scaled);
    }
}
