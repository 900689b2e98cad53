//! Where frames of depth join a snapshot. A book goes on from there whatever the chain of ids was before: nothing that
//! the snapshot does not hold is missing. So a snapshot that stands behind a break and in front of the frame that
//! would show it has mended it, as those do with which each daily file and each new connection of a recorder begins.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, DepthIds, Message};

/// The chain of one symbol, and the snapshot that no frame has joined yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Joints {
    last: Option<i64>,
    snapshot: Option<i64>,
}

impl Joints {
    /// The message with its ids as a chain has to see them: a frame that joins the snapshot follows the frame before.
    pub(super) fn chained(&mut self, market: Market, message: &Message) -> Message {
        let mut message = *message;
        if let Body::Snapshot(snapshot) = &message.body {
            // A book that is further already does without it.
            if self.last.is_none_or(|last| snapshot.last_id > last) {
                self.snapshot = Some(snapshot.last_id);
            }
        }
        if let Body::Depth(depth) = &mut message.body {
            self.frame(market, &mut depth.ids);
        }
        message
    }

    fn frame(&mut self, market: Market, ids: &mut DepthIds) {
        // Spot asks for the update behind the snapshot, futures for its last one again.
        let joint = self.snapshot.and_then(|snapshot| match market {
            Market::Spot => snapshot.checked_add(1),
            Market::UsdM | Market::CoinM => Some(snapshot),
        });
        let end = ids.last;
        if let Some(joint) = joint
            && joint <= end
        {
            self.snapshot = None;
            if ids.first <= joint
                && let Some(last) = self.last
            {
                match market {
                    Market::Spot => ids.first = last.saturating_add(1),
                    Market::UsdM | Market::CoinM => ids.prev = Some(last),
                }
            }
        }
        self.last = Some(end);
    }
}
