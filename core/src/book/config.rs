//! The limits of a book.

/// Limits of one book. All memory is taken at construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookConfig {
    /// Width of the directly indexed part of a side, in ticks: a power of two. Levels behind it are held
    /// as well, but found by binary search.
    pub window_ticks: u32,
    /// Levels that a side holds in any case behind its window. A side with more than `window_ticks` plus
    /// this many levels loses the one farthest from the touch.
    pub far_levels_max: u32,
    /// Frames kept while waiting for a snapshot.
    pub buffer_frames_max: u32,
    /// Levels kept while waiting for a snapshot, over all frames.
    pub buffer_levels_max: u32,
}

impl Default for BookConfig {
    fn default() -> Self {
        Self {
            window_ticks: 16_384,
            far_levels_max: 16_384,
            buffer_frames_max: 4_096,
            buffer_levels_max: 262_144,
        }
    }
}

impl BookConfig {
    /// Narrowest window: one chunk of slots that are added up.
    pub const WINDOW_TICKS_LEAST: u32 = 64;
    /// Highest value of each limit, against a slip that takes all memory.
    pub const LIMIT_MOST: u32 = 1 << 24;

    /// Checks the limits.
    ///
    /// # Errors
    /// A text that names the field.
    pub fn validate(&self) -> Result<(), String> {
        let ranges = [
            ("window_ticks", self.window_ticks, Self::WINDOW_TICKS_LEAST),
            ("far_levels_max", self.far_levels_max, 1),
            ("buffer_frames_max", self.buffer_frames_max, 1),
            ("buffer_levels_max", self.buffer_levels_max, 1),
        ];
        let most = Self::LIMIT_MOST;
        for (name, value, least) in ranges {
            if !(least..=most).contains(&value) {
                return Err(format!("{name} = {value} is not in {least} to {most}"));
            }
        }
        if !self.window_ticks.is_power_of_two() {
            return Err(format!("window_ticks = {} is not a power of two", self.window_ticks));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field() {
        let good = BookConfig::default();
        assert_eq!(good.validate(), Ok(()));
        let bad = [
            ("window_ticks", BookConfig { window_ticks: 32, ..good }),
            ("window_ticks", BookConfig { window_ticks: 100, ..good }),
            ("window_ticks", BookConfig { window_ticks: 1 << 25, ..good }),
            ("far_levels_max", BookConfig { far_levels_max: 0, ..good }),
            ("buffer_frames_max", BookConfig { buffer_frames_max: 0, ..good }),
            ("buffer_levels_max", BookConfig { buffer_levels_max: u32::MAX, ..good }),
        ];
        for (name, config) in bad {
            assert!(config.validate().is_err_and(|text| text.starts_with(name)), "{config:?}");
        }
    }
}
