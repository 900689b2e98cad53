//! C4, C13: own mid and mark come from different streams; when they disagree, one of them is wrong, and
//! nobody knows which. Measured in raw `Bps` of the mark, rounded up.

use fusewire_core::order::Check;
use fusewire_core::units::{Bps, Px};

use super::{Outcome, share_at_most};

#[inline(always)]
pub(crate) fn divergence(twice_mid: i128, mark: Px, limit: Bps) -> Outcome {
    let twice_mark = 2 * i128::from(mark.0);
    let apart = (twice_mid - twice_mark).abs();
    share_at_most(Check::Collar, apart, twice_mark, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::px;

    #[test]
    fn c4_mid_and_mark_must_agree() {
        let limit = Bps::parse(b"50").unwrap();
        let refused = |mid: &str| {
            let fail = divergence(2 * i128::from(px(mid).0), px("100"), limit).err();
            fail.map(|fail| (fail.check, fail.measured))
        };
        for good in ["100", "100.5", "99.5"] {
            assert_eq!(refused(good), None);
        }
        for bad in ["100.50000001", "99.49999999"] {
            assert_eq!(refused(bad), Some((Check::Collar, 500_001)));
        }
        assert_eq!(divergence(2, Px::ZERO, limit).unwrap_err().check, Check::Arithmetic);
    }
}
