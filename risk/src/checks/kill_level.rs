//! Does the sequenced kill level allow this class? Measured and limit are levels.

use fusewire_core::kill::Level;
use fusewire_core::order::{Check, Class};

use super::{Outcome, at_most};

#[inline(always)]
pub(crate) fn kill_level(level: Level, class: Class) -> Outcome {
    at_most(Check::KillLevel, level as i128, Level::highest_for(class) as i128)
}

#[cfg(test)]
mod tests {
    use super::super::{Fail, Pass};
    use super::*;

    #[test]
    fn each_class_has_its_highest_level() {
        for (class, highest) in
            [(Class::NewRisk, 0), (Class::Reduce, 1), (Class::HaltReduce, 2), (Class::Cancel, 2)]
        {
            for level in Level::ALL {
                let measured = level as i128;
                let (check, limit) = (Check::KillLevel, highest);
                let refused = Err(Fail { check, measured, limit });
                let (at, most) = (measured.into(), limit.into());
                let passed = Ok(Pass { check, measured: at, limit: most, value: () });
                let expected = if measured <= highest { passed } else { refused };
                assert_eq!(kill_level(level, class), expected, "{class:?} at {level:?}");
            }
        }
    }
}
