//! The rolling Sharpe ratio of daily returns: mean over standard deviation of the last 30, made annual.

/// Days of the window (S1-26).
pub const WINDOW_DAYS: usize = 30;
/// Crypto trades on each day of a year.
const YEAR_DAYS: f64 = 365.0;

/// The last daily returns, and what their ratio was so far. There is no rate without risk in it.
#[derive(Clone, Debug, Default)]
pub struct Sharpe {
    /// The newest ones, at the place of their number.
    returns: [f64; WINDOW_DAYS],
    days: u64,
    last: Option<f64>,
    range: Option<(f64, f64)>,
}

impl Sharpe {
    /// Takes the return of the next day.
    pub fn add(&mut self, value: f64) {
        self.returns[(self.days % WINDOW_DAYS as u64) as usize] = value;
        self.days += 1;
        self.last = (self.days >= WINDOW_DAYS as u64).then(|| self.ratio()).flatten();
        if let Some(last) = self.last {
            let (low, high) = self.range.unwrap_or((last, last));
            self.range = Some((low.min(last), high.max(last)));
        }
    }

    /// Of a full window; none when all its days are the same. Days are few: the sums are made anew each time, so that no
    /// rounding is carried along.
    fn ratio(&self) -> Option<f64> {
        let n = WINDOW_DAYS as f64;
        let is_flat = self.returns.iter().all(|value| value.total_cmp(&self.returns[0]).is_eq());
        let mean = self.returns.iter().sum::<f64>() / n;
        let squares: f64 = self.returns.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (squares / (n - 1.0)).sqrt();
        (!is_flat && deviation > 0.0).then(|| mean / deviation * YEAR_DAYS.sqrt())
    }

    /// The return of the last day; none before the first.
    #[cfg(test)]
    pub(super) fn newest(&self) -> Option<f64> {
        let newest = self.days.checked_sub(1)?;
        Some(self.returns[(newest % WINDOW_DAYS as u64) as usize])
    }

    /// Days taken.
    #[must_use]
    pub fn days(&self) -> u64 {
        self.days
    }

    /// Of the last 30 days; none of fewer, and when they are all the same.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.last
    }

    /// The lowest and the highest that there were.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Sharpe {
        let mut sharpe = Sharpe::default();
        values.into_iter().for_each(|value| sharpe.add(value));
        sharpe
    }

    /// By hand: 15 days of 3 % and 15 of -1 % have the mean 1 % and the squares 30 * (2 %)^2, so the deviation
    /// 2 % * sqrt(30 / 29) and the ratio 0.5 * sqrt(29 / 30) * sqrt(365) = 9.39193
    #[test]
    fn a_window_by_hand() {
        let days = || [0.03, -0.01].into_iter().cycle();
        let sharpe = of(days().take(30));
        let expected = 0.5 * (29.0_f64 / 30.0).sqrt() * 365.0_f64.sqrt();
        assert!((expected - 9.391_93).abs() < 1e-4, "{expected}");
        assert!((sharpe.last().unwrap() - expected).abs() < 1e-9, "{sharpe:?}");
        assert_eq!((sharpe.days(), sharpe.range()), (30, sharpe.last().map(|x| (x, x))));
        assert_eq!((of(days().take(29)).last(), of(days().take(29)).range()), (None, None));
    }

    #[test]
    fn only_the_last_30_days_count_and_the_extremes_stay() {
        let good = || [0.03, -0.01].into_iter().cycle().take(30);
        let bad = || [-0.03, 0.01].into_iter().cycle().take(30);
        let sharpe = of(good().chain(bad()));
        let first = of(good()).last().unwrap();
        assert!((sharpe.last().unwrap() + first).abs() < 1e-9, "what was before is forgotten");
        let (low, high) = sharpe.range().unwrap();
        assert!((high - first).abs() < 1e-9, "the first window was the best: {high}");
        assert!(low < -first, "a window of the worst days of both is deeper: {low}");
        assert_eq!(sharpe.days(), 60);
    }

    #[test]
    fn days_that_are_all_the_same_have_no_ratio() {
        for value in [0.0, 0.01, -0.1] {
            let sharpe = of([value; 40]);
            assert_eq!((sharpe.last(), sharpe.range()), (None, None), "{value}");
        }
        // The extremes of earlier windows stay.
        let then_flat = of([0.03, -0.01].into_iter().cycle().take(30).chain([0.0; 30]));
        assert_eq!(then_flat.last(), None);
        assert!(then_flat.range().unwrap().1 > 9.0);
    }
}
