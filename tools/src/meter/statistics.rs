//! The moments of returns that a deflated Sharpe ratio takes.
//!
//! Only additions, products, quotients and square roots, which every CPU rounds alike.

/// The first four moments of a series, one value after another, by the update formulas of Pébay (2008).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sums of powers of the distances from the mean.
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// Takes the next value.
    pub fn add(&mut self, value: f64) {
        let before = self.count as f64;
        self.count += 1;
        let n = self.count as f64;
        let delta = value - self.mean;
        let step = delta / n;
        let square = step * step;
        let term = delta * step * before;
        self.mean += step;
        self.fourth += term * square * (n * n - 3.0 * n + 3.0) + 6.0 * square * self.second
            - 4.0 * step * self.third;
        self.third += term * step * (n - 2.0) - 3.0 * step * self.second;
        self.second += term;
    }

    /// Values taken.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; none without a value.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The standard deviation of a sample (n − 1); none of fewer than two values.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.second / (self.count - 1) as f64).sqrt())
    }

    /// Skewness, that of the values themselves (g1); none when they are all the same.
    #[must_use]
    pub fn skewness(&self) -> Option<f64> {
        let n = self.count as f64;
        (self.second > 0.0).then(|| n.sqrt() * self.third / (self.second * self.second.sqrt()))
    }

    /// Kurtosis, that of the values themselves: 3 for a normal distribution; none when they are all the same.
    #[must_use]
    pub fn kurtosis(&self) -> Option<f64> {
        let n = self.count as f64;
        (self.second > 0.0).then(|| n * self.fourth / (self.second * self.second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-9 * right.abs().max(1.0)
    }

    #[test]
    fn moments_are_those_of_two_passes() {
        let values: Vec<f64> =
            (0..500).map(|n: i32| f64::from(n * n % 97) / 7.0 - f64::from(n % 5)).collect();
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add(*value));
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let power = |p: u32| {
            values.iter().map(|v| (0..p).map(|_| v - mean).product::<f64>()).sum::<f64>() / n
        };
        let (second, third, fourth) = (power(2), power(3), power(4));
        assert!(near(moments.mean().unwrap(), mean));
        assert!(near(moments.deviation().unwrap(), (second * n / (n - 1.0)).sqrt()));
        assert!(near(moments.skewness().unwrap(), third / (second * second.sqrt())));
        assert!(near(moments.kurtosis().unwrap(), fourth / (second * second)));
        assert_eq!(moments.count(), 500);
    }

    #[test]
    fn what_too_few_values_do_not_say_is_none() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.deviation(), moments.skewness()), (None, None, None));
        moments.add(2.0);
        assert_eq!(
            (moments.mean(), moments.deviation(), moments.kurtosis()),
            (Some(2.0), None, None)
        );
        moments.add(2.0);
        assert_eq!((moments.deviation(), moments.skewness()), (Some(0.0), None));
    }
}
