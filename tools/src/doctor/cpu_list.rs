//! Sets of cores, as the kernel writes them: lists such as `2-4,7` and masks such as `f,00000000`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Most CPU numbers that a list is unfolded to; Linux is built for at most 8192.
const CPUS_MAX: u32 = 8_192;
/// Hexadecimal digits between two commas of a mask.
const MASK_WORD_DIGITS: usize = 8;

/// Numbers of cores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores(BTreeSet<u32>);

impl Cores {
    /// Unfolds `2-4,7`. Nothing, or the kernel's `(null)`, is no core at all.
    pub(super) fn from_list(text: &str) -> Option<Self> {
        let mut cores = BTreeSet::new();
        if text.is_empty() || text == "(null)" {
            return Some(Self(cores));
        }
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
            if first > last || last >= CPUS_MAX {
                return None;
            }
            cores.extend(first..=last);
        }
        Some(Self(cores))
    }

    /// Reads a mask in hexadecimal words of 32 bits, the highest first.
    pub(super) fn from_mask(text: &str) -> Option<Self> {
        let mut cores = BTreeSet::new();
        let mut first = 0;
        for word in text.split(',').rev() {
            if word.len() > MASK_WORD_DIGITS || first >= CPUS_MAX {
                return None;
            }
            let bits = u32::from_str_radix(word, 16).ok()?;
            cores.extend((0..u32::BITS).filter(|bit| bits >> bit & 1 == 1).map(|bit| first + bit));
            first += u32::BITS;
        }
        Some(Self(cores))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, core: u32) -> bool {
        self.0.contains(&core)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    /// Those that `other` has not.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// Those that `other` has too.
    pub(super) fn shared_with(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    pub(super) fn joined_with(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }
}

impl FromIterator<u32> for Cores {
    fn from_iter<I: IntoIterator<Item = u32>>(cores: I) -> Self {
        Self(cores.into_iter().collect())
    }
}

/// What a user may write: at least one core.
impl FromStr for Cores {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cores = Self::from_list(text).filter(|cores| !cores.is_empty());
        cores.ok_or("expected a list of cores such as 2-5 or 2,4,6-7")
    }
}

/// Folds them again: `2-4,7`, or `none`.
impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for core in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == core => *last = core,
                Some(_) | None => runs.push((core, core)),
            }
        }
        let run = |&(first, last): &(u32, u32)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        let runs: Vec<String> = runs.iter().map(run).collect();
        f.write_str(if runs.is_empty() { "none" } else { "" })?;
        f.write_str(&runs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_unfold_and_fold() {
        let list = |text| Cores::from_list(text).map(|cores| cores.iter().collect::<Vec<_>>());
        assert_eq!(list("2-4,7"), Some(vec![2, 3, 4, 7]));
        assert_eq!(list("(null)"), Some(vec![]));
        for bad in ["4-2", "a", "1,", "-3", "0-99999999"] {
            assert_eq!(list(bad), None, "{bad}");
        }
        for (text, folded) in [("7,2-3,4", "2-4,7"), ("0", "0"), ("", "none"), ("0,2", "0,2")] {
            assert_eq!(Cores::from_list(text).unwrap().to_string(), folded);
        }
    }

    #[test]
    fn masks_unfold_from_the_lowest_word() {
        let mask = |text| Cores::from_mask(text).map(|cores| cores.to_string());
        assert_eq!(mask("3c"), Some("2-5".to_owned()));
        assert_eq!(mask("ffffffff,00000001"), Some("0,32-63".to_owned()));
        assert_eq!(mask("0"), Some("none".to_owned()));
        for bad in ["", "xyz", "1,", "100000000"] {
            assert_eq!(mask(bad), None, "{bad}");
        }
    }

    #[test]
    fn users_name_at_least_one_core() {
        assert_eq!("2-5".parse(), Ok(Cores::from_iter(2..=5)));
        for bad in ["", "(null)", "two", "5-2"] {
            assert!(bad.parse::<Cores>().is_err(), "{bad}");
        }
    }
}
