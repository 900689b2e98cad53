//! Wilson's interval for a share of few tries: 31 wins of 76 are 41 %, give or take 11 points (S0-05).

/// 97.5 % quantile of the normal distribution, for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A share with its 95 % confidence interval, all from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The share itself.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Wilson's score interval of `wins` in `count` tries; none without a try. (Wilson, "Probable inference, the law of
    /// succession, and statistical inference", 1927.)
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts beyond 2^53 are no shares of anything")]
    pub fn of(wins: u64, count: u64) -> Option<Self> {
        if count == 0 || wins > count {
            return None;
        }
        let (n, share) = (count as f64, wins as f64 / count as f64);
        let z2 = Z * Z;
        let scale = 1.0 + z2 / n;
        let center = (share + z2 / (2.0 * n)) / scale;
        let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / scale;
        // At either end rounding must not leave the bounds.
        let low = if wins == 0 { 0.0 } else { (center - half).max(0.0) };
        let high = if wins == count { 1.0 } else { (center + half).min(1.0) };
        Some(Self { share, low, high })
    }

    /// `40.8 % (30.4 to 52.0)`.
    #[must_use]
    pub fn text(&self) -> String {
        let percent = |share: f64| format!("{:.1}", share * 100.0);
        format!("{} % ({} to {})", percent(self.share), percent(self.low), percent(self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 5e-5
    }

    /// Values worked out by hand from the formula with z = 1.96.
    #[test]
    fn s0_05_wilson_by_hand() {
        let of = |wins, count| Interval::of(wins, count).unwrap();
        let half = of(50, 100);
        assert!(near(half.low, 0.403_83) && near(half.high, 0.596_17), "{half:?}");
        let none = of(0, 10);
        assert!(near(none.low, 0.0) && near(none.high, 0.277_53), "{none:?}");
        let all = of(10, 10);
        assert!(near(all.low, 0.722_47) && near(all.high, 1.0), "{all:?}");
        assert_eq!(Interval::of(0, 0), None);
        assert_eq!(Interval::of(2, 1), None);
    }

    /// 76 trades at 40.8 %: eleven points either way.
    #[test]
    fn s0_05_seventy_six_trades_are_eleven_points() {
        let interval = Interval::of(31, 76).unwrap();
        assert_eq!(interval.text(), "40.8 % (30.4 to 52.0)");
    }
}
