//! What a sweep varies: the values of a grid, and the ranges that values are drawn from.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fixed::Fixed;

/// Places of a bound: those of the finest decimal of the configuration.
pub(super) const PLACES: u32 = 12;
/// A range has at least so many steps, and a logarithmic one steps of at most such a part of its lower bound, unless
/// its bounds have more places: three digits of a parameter that was drawn are enough to tell its neighbours apart.
const STEPS_MIN: i128 = 1_000;

/// One key of the configuration, and the values that it takes one after another.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Axis {
    /// `section.key`.
    pub key: String,
    /// The values, as a configuration file would have them, without quotes.
    pub values: Vec<String>,
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, list) = parts(text, "section.key=v1,v2,..")?;
        let values: Vec<String> = list.split(',').map(|value| value.trim().to_owned()).collect();
        for (index, value) in values.iter().enumerate() {
            if value.is_empty() {
                return Err(format!("value {} is empty", index + 1));
            }
            if values[..index].contains(value) {
                return Err(format!("'{value}' stands there twice"));
            }
        }
        Ok(Self { key, values })
    }
}

/// How values lie in a range.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Each as likely as any other.
    Uniform,
    /// Their logarithms are.
    Log,
}

/// One key of the configuration, and the range that its values are drawn from, both bounds included.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Range {
    /// `section.key`.
    pub key: String,
    /// How values lie in it.
    pub scale: Scale,
    /// Lower bound.
    pub lo: Fixed<PLACES>,
    /// Upper bound.
    pub hi: Fixed<PLACES>,
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, range) = parts(text, "section.key=lo..hi")?;
        let (scale, range) = match range.strip_prefix("log:") {
            Some(range) => (Scale::Log, range),
            None => (Scale::Uniform, range),
        };
        let (lo, hi) = range.split_once("..").ok_or("write lo..hi or log:lo..hi")?;
        let (lo, hi): (Fixed<PLACES>, Fixed<PLACES>) = (lo.trim().parse()?, hi.trim().parse()?);
        if lo >= hi {
            return Err(format!("{lo} is not below {hi}"));
        }
        if hi.0 > BOUND_MAX || lo.0 < -BOUND_MAX {
            return Err("a bound beyond 10^18".to_owned());
        }
        if scale == Scale::Log && lo.0 <= 0 {
            return Err(format!("log: needs a lower bound above 0, not {lo}"));
        }
        Ok(Self { key, scale, lo, hi })
    }
}

/// Beyond every value of the configuration, and far within what the arithmetic here holds.
const BOUND_MAX: i128 = 10_i128.pow(18 + PLACES);

impl Range {
    /// The size of a step, in the last place of a bound. Whole numbers have steps of 1.
    ///
    /// # Errors
    /// A key that holds whole numbers has a bound that is none.
    pub(super) fn step(&self, is_whole: bool) -> Result<i128, String> {
        let one = 10_i128.pow(PLACES);
        if is_whole {
            let bad = [self.lo, self.hi].into_iter().find(|bound| bound.0 % one != 0);
            return bad.map_or(Ok(one), |bound| Err(format!("{bound} is no whole number")));
        }
        let spread = match self.scale {
            Scale::Uniform => self.hi.0 - self.lo.0,
            Scale::Log => self.lo.0,
        };
        let mut step = one;
        while step > 1
            && (spread / step < STEPS_MIN || self.lo.0 % step != 0 || self.hi.0 % step != 0)
        {
            step /= 10;
        }
        Ok(step)
    }
}

fn parts<'a>(text: &'a str, shape: &str) -> Result<(String, &'a str), String> {
    let (key, rest) = text.split_once('=').ok_or_else(|| format!("write {shape}"))?;
    let key = key.trim();
    let is_key = key.split('.').count() == 2 && key.split('.').all(|part| !part.is_empty());
    if is_key { Ok((key.to_owned(), rest)) } else { Err(format!("write {shape}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_a_key_and_its_values() {
        let axis: Axis = "quoter.half_spread_bp=1, 2,2.5".parse().unwrap();
        assert_eq!((axis.key.as_str(), axis.values.len()), ("quoter.half_spread_bp", 3));
        for (text, part) in [
            ("quoter.half_spread_bp", "write section.key=v1,v2,.."),
            ("half_spread_bp=1", "write section.key=v1,v2,.."),
            ("a.b.c=1", "write section.key=v1,v2,.."),
            (".b=1", "write section.key=v1,v2,.."),
            ("a.b=1,,2", "value 2 is empty"),
            ("a.b=1,2,1", "'1' stands there twice"),
        ] {
            assert_eq!(text.parse::<Axis>(), Err(part.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_range_has_bounds_in_order() {
        let range: Range = "a.b=log:0.5..8".parse().unwrap();
        assert_eq!(
            (range.scale, range.lo.to_string(), range.hi.to_string()),
            (Scale::Log, "0.5".into(), "8".into())
        );
        for (text, part) in [
            ("a.b=5", "write lo..hi or log:lo..hi"),
            ("a.b=5..1", "5 is not below 1"),
            ("a.b=1..1", "1 is not below 1"),
            ("a.b=log:0..1", "log: needs a lower bound above 0, not 0"),
            ("a.b=x..1", "'x' is no decimal of at most 12 places"),
            ("a.b=0..10000000000000000000", "a bound beyond 10^18"),
        ] {
            assert_eq!(text.parse::<Range>(), Err(part.to_owned()), "{text}");
        }
    }

    #[test]
    fn steps_are_fine_enough_and_no_finer() {
        let step = |text: &str, is_whole| {
            text.parse::<Range>()
                .unwrap()
                .step(is_whole)
                .map(|step| Fixed::<PLACES>(step).to_string())
        };
        for (text, expected) in [
            ("a.b=1..5", "0.001"),
            ("a.b=0.0002..0.0005", "0.0000001"),
            ("a.b=0..2000", "1"),
            ("a.b=0.25..2000", "0.01"),
            ("a.b=log:0.5..8", "0.0001"),
        ] {
            assert_eq!(step(text, false), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(step("a.b=1..5", true), Ok("1".to_owned()));
        assert_eq!(step("a.b=1..5.5", true), Err("5.5 is no whole number".to_owned()));
    }
}
