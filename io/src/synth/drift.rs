//! The path of the scenario `grid-drift`: a few swings around the base price, then a fall that is not made
//! good. It is made for one exhibit (`docs/exhibits/grid-ping-pong.md`), so that each figure is a constant.

/// Before the swings, so that a client has its book and has laid out its orders, in ms.
const REST_MS: u64 = 3_000;
/// One swing: down, up and back, in ms.
const SWING_MS: u64 = 24_000;
const SWINGS: u64 = 2;
/// How far a swing reaches to either side of the base, in 1e-2 bp: between one and two steps of 3 bp.
const SWING_REACH: i64 = 450;
/// How far the price falls, in 1e-2 bp of the base.
const FALL: i64 = 6_392;
/// How long that takes, in ms: about one basis point a second.
const FALL_MS: u64 = 60_000;
/// 1e-2 bp of a whole.
const PARTS: i128 = 1_000_000;

/// The price at a time since the start, for a base price in any unit.
pub(super) fn price(base: i64, now_ms: u64) -> i64 {
    let offset = i128::from(base) * i128::from(offset(now_ms)) / PARTS;
    base.saturating_add(i64::try_from(offset).unwrap_or_default())
}

/// How far the price is off the base, in 1e-2 bp.
fn offset(now_ms: u64) -> i64 {
    let Some(swinging_ms) = now_ms.checked_sub(REST_MS) else { return 0 };
    let Some(falling_ms) = swinging_ms.checked_sub(SWINGS * SWING_MS) else {
        return swing(swinging_ms % SWING_MS);
    };
    -part(FALL, falling_ms.min(FALL_MS), FALL_MS)
}

/// Straight down, up through the base, and back.
fn swing(phase_ms: u64) -> i64 {
    let quarter_ms = SWING_MS / 4;
    let (way, ms) = (phase_ms / quarter_ms, phase_ms % quarter_ms);
    let done = part(SWING_REACH, ms, quarter_ms);
    match way {
        0 => -done,
        1 => done - SWING_REACH,
        2 => done,
        _ => SWING_REACH - done,
    }
}

/// The part of `whole` that is done after `ms` of `all_ms`.
fn part(whole: i64, ms: u64, all_ms: u64) -> i64 {
    let done = i128::from(whole) * i128::from(ms) / i128::from(all_ms);
    i64::try_from(done).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_swings_to_both_sides_and_then_falls_for_good() {
        let at = |seconds: u64| offset(seconds * 1_000);
        assert_eq!([at(0), at(3), at(9), at(15), at(21), at(27)], [0, 0, -450, 0, 450, 0]);
        assert_eq!([at(33), at(45), at(51)], [-450, 450, 0]);
        assert_eq!([at(81), at(111), at(120), at(86_400)], [-FALL / 2, -FALL, -FALL, -FALL]);
    }

    #[test]
    fn it_never_jumps() {
        for ms in 1..120_000 {
            assert!((offset(ms) - offset(ms - 1)).abs() <= 1, "{ms}");
        }
        assert_eq!(price(1_000_000, 9_000), 999_550);
    }
}
