//! Limits of a journal.

use std::time::Duration;

use super::layout::{END_MARK_BYTES, HEAD_BYTES};
use crate::lane::Lane;

/// What happens when the disk budget is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// The run ends.
    #[default]
    Stop,
    /// The oldest segments go.
    DropOldest,
}

/// Sizes and times of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// Bytes of a segment. Default 8 MiB: some ten seconds of a busy market.
    pub segment_bytes: u64,
    /// Bytes of a segment of the feed lane, which must hold the largest frame.
    pub feed_segment_bytes: u64,
    /// Bytes that all segments together may take.
    pub disk_max_bytes: u64,
    /// What happens beyond that.
    pub retention: Retention,
    /// Time between two syncs.
    pub sync_every: Duration,
    /// Bytes that must be free in a lane's segment before its stage takes an input: the most that one input
    /// can give rise to.
    pub reserve: [usize; Lane::ALL.len()],
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 8 << 20,
            feed_segment_bytes: 40 << 20,
            disk_max_bytes: 64 << 30,
            retention: Retention::Stop,
            sync_every: Duration::from_secs(1),
            reserve: [4_096; Lane::ALL.len()],
        }
    }
}

impl JournalConfig {
    /// Largest segment: offsets are 32 bits wide.
    pub const SEGMENT_BYTES_MOST: u64 = 1 << 30;

    /// Bytes of a segment of a lane.
    #[must_use]
    pub fn bytes_of(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Feed => self.feed_segment_bytes,
            Lane::Event | Lane::Alpha | Lane::Risk | Lane::Gateway => self.segment_bytes,
        }
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        for (name, bytes) in
            [("segment_bytes", self.segment_bytes), ("feed_segment_bytes", self.feed_segment_bytes)]
        {
            if bytes > Self::SEGMENT_BYTES_MOST || !bytes.is_multiple_of(4_096) {
                return Err(format!("{name} = {bytes}: pages of 4096 bytes, at most 1 GiB"));
            }
        }
        let overhead = HEAD_BYTES + END_MARK_BYTES;
        for (lane, reserve) in Lane::ALL.into_iter().zip(self.reserve) {
            let bytes = self.bytes_of(lane);
            if bytes < reserve.saturating_add(overhead) as u64 {
                let name = lane.name();
                return Err(format!(
                    "segment_bytes = {bytes} is too small for lane {name}: one input may add {reserve} bytes"
                ));
            }
        }
        let least: u64 = Lane::ALL.into_iter().map(|lane| 2 * self.bytes_of(lane)).sum();
        if self.disk_max_bytes < least {
            let value = self.disk_max_bytes;
            return Err(format!(
                "disk_max_bytes = {value}: two segments of each lane take {least}"
            ));
        }
        if self.sync_every.is_zero() {
            return Err("sync_every is zero".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_make_no_sense_are_named() {
        let default = JournalConfig::default;
        let reserve = |bytes| [bytes, 0, 0, 0, 0];
        let cases = [
            (default(), ""),
            (JournalConfig { segment_bytes: 0, ..default() }, "segment_bytes = 0 is too small"),
            (JournalConfig { segment_bytes: 4_097, ..default() }, "segment_bytes = 4097: pages"),
            (JournalConfig { feed_segment_bytes: 2 << 30, ..default() }, "feed_segment_bytes ="),
            (
                JournalConfig { reserve: reserve(usize::MAX), ..default() },
                "segment_bytes = 41943040",
            ),
            (JournalConfig { disk_max_bytes: 1 << 20, ..default() }, "disk_max_bytes = 1048576:"),
            (JournalConfig { sync_every: Duration::ZERO, ..default() }, "sync_every is zero"),
        ];
        for (config, begin) in cases {
            let text = config.validate().err().unwrap_or_default();
            assert!(text.starts_with(begin) && text.is_empty() == begin.is_empty(), "{text}");
        }
    }
}
