//! `[journal]`: how large the files of a journal are, how often they are synced, what happens at the end
//! of the room.

use serde::{Deserialize, Serialize};

use super::Config;

/// Bytes in the `mb` of a key.
const MB: u64 = 1 << 20;
/// Largest segment: places in a segment are 32 bits, and a slip should not take the whole memory.
const SEGMENT_MB_MOST: u32 = 1_024;
/// Segments of ordinary size that must fit the disk: of five lanes one in use and one prepared each.
const SEGMENTS_MIN: u64 = 10;
/// Segments with the longest line in them that must fit beside those.
const FEED_SEGMENTS_MIN: u64 = 2;
/// What a segment takes beside the line itself: its head, the head and the numbers of a record.
const LINE_ROOM_BYTES: u64 = 4_096;
/// Often enough to be worth having, seldom enough for a disk to keep up, in ms.
const SYNC_MS: std::ops::RangeInclusive<u32> = 10..=60_000;

/// `[journal]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JournalSection {
    /// Size of a segment, in MB.
    pub segment_mb: u32,
    /// Most that all segments take together, in MB.
    pub disk_max_mb: u32,
    /// What happens then.
    pub retention: Retention,
    /// Between two syncs, in ms.
    pub sync_ms: u32,
}

/// What happens when the next segment would pass `journal.disk_max_mb`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retention {
    /// The run ends.
    Stop,
    /// The oldest segment of any lane is removed.
    DropOldest,
}

/// The same in the units of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Bytes of a segment.
    pub segment_bytes: u64,
    /// Bytes of a segment of the frames' lane, which holds the longest line of a recording.
    pub feed_segment_bytes: u64,
    /// Bytes that all segments may take together.
    pub disk_max_bytes: u64,
    /// What happens then.
    pub retention: Retention,
    /// Between two syncs, in ms.
    pub sync_every_ms: u32,
}

impl Config {
    /// Sizes and times of a journal.
    #[must_use]
    pub fn journal(&self) -> JournalSettings {
        let segment_bytes = u64::from(self.journal.segment_mb) * MB;
        let line = u64::from(self.capture.line_bytes_max) + LINE_ROOM_BYTES;
        JournalSettings {
            segment_bytes,
            feed_segment_bytes: segment_bytes.max(line.next_multiple_of(MB)),
            disk_max_bytes: u64::from(self.journal.disk_max_mb) * MB,
            retention: self.journal.retention,
            sync_every_ms: self.journal.sync_ms,
        }
    }

    /// What is wrong with the keys of the section: the key, and a text that names it.
    pub(super) fn journal_faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut fault = |key: &'static str, value: u32, what: String| {
            faults.push((key, format!("{key} = {value} {what}")));
        };
        let section = &self.journal;
        if !(1..=SEGMENT_MB_MOST).contains(&section.segment_mb) {
            let range = format!("is not in 1 to {SEGMENT_MB_MOST}");
            fault("journal.segment_mb", section.segment_mb, range);
        }
        let line_most = u64::from(SEGMENT_MB_MOST) * MB - LINE_ROOM_BYTES;
        let line = self.capture.line_bytes_max;
        if u64::from(line) > line_most {
            let what = format!("is more than a segment of a journal can hold, {line_most}");
            fault("capture.line_bytes_max", line, what);
        }
        let settings = self.journal();
        let least =
            SEGMENTS_MIN * settings.segment_bytes + FEED_SEGMENTS_MIN * settings.feed_segment_bytes;
        if settings.disk_max_bytes < least {
            let what = format!("is less than twelve segments, {} MB", least / MB);
            fault("journal.disk_max_mb", section.disk_max_mb, what);
        }
        if !SYNC_MS.contains(&section.sync_ms) {
            let range = format!("is not in {} to {}", SYNC_MS.start(), SYNC_MS.end());
            fault("journal.sync_ms", section.sync_ms, range);
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::overlay;
    use super::*;

    fn settings(text: &str) -> JournalSettings {
        overlay("f.toml", text).unwrap().journal()
    }

    #[test]
    fn sizes_and_times_reach_the_writer_in_its_units() {
        let defaults = JournalSettings {
            segment_bytes: 8 << 20,
            feed_segment_bytes: 17 << 20,
            disk_max_bytes: 64 << 30,
            retention: Retention::Stop,
            sync_every_ms: 1_000,
        };
        assert_eq!(Config::default().journal(), defaults);
        let text = "[journal]\nsegment_mb = 32\nretention = \"drop-oldest\"\nsync_ms = 10\n\
                    disk_max_mb = 384\n";
        let changed = JournalSettings {
            segment_bytes: 32 << 20,
            feed_segment_bytes: 32 << 20,
            disk_max_bytes: 384 << 20,
            retention: Retention::DropOldest,
            sync_every_ms: 10,
        };
        assert_eq!(settings(text), changed);
    }

    #[test]
    fn a_segment_of_frames_holds_the_longest_line() {
        let bytes = |line: u32| {
            settings(&format!("[capture]\nline_bytes_max = {line}\n")).feed_segment_bytes
        };
        let ten = 10 << 20;
        assert_eq!([ten - 4_096, ten - 4_095].map(bytes), [10 << 20, 11 << 20]);
        assert_eq!(bytes(1_024), 8 << 20, "never smaller than the others");
    }

    #[test]
    fn what_can_not_work_is_named_with_its_line() {
        let cases = [
            ("segment_mb = 0\n", "f.toml:2: journal.segment_mb = 0 is not in 1 to 1024"),
            ("segment_mb = 1_025\n", "f.toml:2: journal.segment_mb = 1025 is not in 1 to 1024"),
            ("\nsync_ms = 9\n", "f.toml:3: journal.sync_ms = 9 is not in 10 to 60000"),
            ("sync_ms = 60_001\n", "f.toml:2: journal.sync_ms = 60001 is not in 10 to 60000"),
            (
                "segment_mb = 32\ndisk_max_mb = 383\n",
                "f.toml:3: journal.disk_max_mb = 383 is less than twelve segments, 384 MB",
            ),
            (
                "disk_max_mb = 113\n",
                "f.toml:2: journal.disk_max_mb = 113 is less than twelve segments, 114 MB",
            ),
            (
                "[capture]\nline_bytes_max = 1_073_737_729\n",
                "f.toml:3: capture.line_bytes_max = 1073737729 is more than a segment of a journal \
                 can hold, 1073737728",
            ),
        ];
        for (text, fault) in cases {
            let text = format!("[journal]\n{text}");
            assert_eq!(overlay("f.toml", &text).unwrap_err(), [fault], "{text}");
        }
        let text = "[journal]\nretention = \"forget\"\n";
        let found = overlay("f.toml", text).unwrap_err();
        assert!(found[0].starts_with("f.toml:2: journal.retention: unknown variant"), "{found:?}");
    }

    #[test]
    fn the_bounds_themselves_are_allowed() {
        for text in [
            "segment_mb = 1\ndisk_max_mb = 44\n",
            "segment_mb = 1_024\n",
            "disk_max_mb = 114\nsync_ms = 60_000\n",
            "disk_max_mb = 4_294_967_295\n",
            "[capture]\nline_bytes_max = 1_073_737_728\n",
        ] {
            let text = format!("[journal]\n{text}");
            assert!(overlay("f.toml", &text).is_ok(), "{text}");
        }
    }
}
