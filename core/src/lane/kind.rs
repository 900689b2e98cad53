//! The kinds of records: what a payload is, as a number beside it.

use super::Lane;

/// What the payload of a record is. The kind is not part of the payload, so that no digest covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// A frame as received.
    Frame = 1,
    /// Where in a capture a frame lies.
    FrameRef = 2,
    /// A piece of a capture that could not be read.
    Damaged = 3,
    /// What the run is: one JSON document.
    Header = 16,
    /// An event of the sequenced stream.
    Event = 17,
    /// Feedback that was not due at the end.
    Pending = 18,
    /// An intent of a strategy.
    Intent = 32,
    /// The answer of the risk stage to an intent.
    Verdict = 48,
    /// An alert of the risk stage.
    Alert = 49,
    /// What the gateway did with an approved intent.
    Sent = 64,
    /// The gateway cancelled everything by itself.
    CancelAll = 65,
    /// The orderly end of a lane.
    Close = 255,
}

impl RecordKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Frame,
        Self::FrameRef,
        Self::Damaged,
        Self::Header,
        Self::Event,
        Self::Pending,
        Self::Intent,
        Self::Verdict,
        Self::Alert,
        Self::Sent,
        Self::CancelAll,
        Self::Close,
    ];

    /// The kind of a number; `None` for a number that no kind has.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::FrameRef => "frame_ref",
            Self::Damaged => "damaged",
            Self::Header => "header",
            Self::Event => "event",
            Self::Pending => "pending",
            Self::Intent => "intent",
            Self::Verdict => "verdict",
            Self::Alert => "alert",
            Self::Sent => "sent",
            Self::CancelAll => "cancel_all",
            Self::Close => "close",
        }
    }

    /// The lane that holds records of this kind; `None` for `Close`, which ends each of them.
    #[must_use]
    pub const fn lane(self) -> Option<Lane> {
        match self {
            Self::Frame | Self::FrameRef | Self::Damaged => Some(Lane::Feed),
            Self::Header | Self::Event | Self::Pending => Some(Lane::Event),
            Self::Intent => Some(Lane::Alpha),
            Self::Verdict | Self::Alert => Some(Lane::Risk),
            Self::Sent | Self::CancelAll => Some(Lane::Gateway),
            Self::Close => None,
        }
    }

    /// True when the digest of the lane covers records of this kind. The others frame a journal: a run
    /// without one has the same digests.
    #[must_use]
    pub const fn is_digested(self) -> bool {
        match self {
            Self::Header | Self::Pending | Self::Close => false,
            Self::Frame
            | Self::FrameRef
            | Self::Damaged
            | Self::Event
            | Self::Intent
            | Self::Verdict
            | Self::Alert
            | Self::Sent
            | Self::CancelAll => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_numbers_of_the_format_and_names_of_their_own() {
        let numbers = RecordKind::ALL.map(|kind| kind as u8);
        assert_eq!(numbers, [1, 2, 3, 16, 17, 18, 32, 48, 49, 64, 65, 255]);
        let mut names = RecordKind::ALL.map(RecordKind::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RecordKind::ALL.len());
    }

    #[test]
    fn only_the_number_of_a_kind_is_one() {
        let known: Vec<u8> =
            (0..=u8::MAX).filter(|number| RecordKind::from_number(*number).is_some()).collect();
        assert_eq!(known, RecordKind::ALL.map(|kind| kind as u8));
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::from_number(kind as u8), Some(kind));
        }
    }

    #[test]
    fn each_lane_has_kinds_of_its_own_and_close_is_in_all() {
        let of = |lane| {
            let in_lane = |kind: &RecordKind| kind.lane() == lane;
            RecordKind::ALL.into_iter().filter(in_lane).map(|kind| kind as u8).collect::<Vec<_>>()
        };
        let lanes = Lane::ALL.map(|lane| of(Some(lane)));
        assert_eq!(lanes, [vec![1, 2, 3], vec![16, 17, 18], vec![32], vec![48, 49], vec![64, 65]]);
        assert_eq!(of(None), [255]);
    }

    #[test]
    fn what_only_a_journal_has_is_in_no_digest() {
        let bare: Vec<_> = RecordKind::ALL.into_iter().filter(|kind| !kind.is_digested()).collect();
        assert_eq!(bare, [RecordKind::Header, RecordKind::Pending, RecordKind::Close]);
    }
}
