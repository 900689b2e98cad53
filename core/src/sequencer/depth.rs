//! The shape of a valid book, as strategies see it: imbalance, microprice, depth within bands, top levels.

use crate::book::{Book, BookSide, Touch};
use crate::event::{BANDS, Body, Depth, LEVELS_PER_MESSAGE, Levels};
use crate::instrument::InstrumentId;
use crate::market::Level;
use crate::sequencer::SequencerConfig;
use crate::sequencer::drafts::Drafts;
use crate::units::{Bps, Px, QtySum, Round, div_round};

/// Millionths in one whole.
const PPM_ONE: i128 = 1_000_000;

/// What to say of a book.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    levels: usize,
    bands: [Bps; BANDS],
    walk_max: usize,
}

impl Shape {
    pub(super) fn new(config: &SequencerConfig) -> Self {
        Self {
            levels: usize::from(config.levels),
            bands: config.depth_bands,
            walk_max: config.depth_walk_max,
        }
    }

    /// Most messages that `levels` makes: a side takes one even when it is empty.
    pub(super) const fn levels_messages_max() -> usize {
        2 * (SequencerConfig::LEVELS_MOST as usize).div_ceil(LEVELS_PER_MESSAGE)
    }

    /// Depth of a book whose touch this is.
    pub(super) fn depth(&self, book: &Book, touch: &Touch) -> Depth {
        let (Some(bid), Some(ask)) = (touch.bid, touch.ask) else { return Depth::default() };
        // Distances are doubled, because the mid may lie on half a unit.
        let mid_twice = i128::from(bid.price.0) + i128::from(ask.price.0);
        let widths = self.bands.map(|band| mid_twice * i128::from(band.0) / Bps::WHOLE);
        let within = |side| {
            let limits = widths.map(|width| limit(side, mid_twice, width));
            book.depth(side, limits, self.walk_max).map(|QtySum(sum)| sum.into())
        };
        Depth {
            imbalance_ppm: imbalance_ppm(bid, ask),
            microprice: microprice(bid, ask),
            bids: within(BookSide::Bid),
            asks: within(BookSide::Ask),
        }
    }

    /// Depth of a book of which nothing is assumed but its touch.
    pub(super) fn of_touch(&self, touch: &Touch) -> Depth {
        let (Some(bid), Some(ask)) = (touch.bid, touch.ask) else { return Depth::default() };
        let mid_twice = i128::from(bid.price.0) + i128::from(ask.price.0);
        let within = |side, level: Level| {
            self.bands.map(|band| {
                let limit = limit(side, mid_twice, mid_twice * i128::from(band.0) / Bps::WHOLE);
                let is_in = match side {
                    BookSide::Bid => level.price >= limit,
                    BookSide::Ask => level.price <= limit,
                };
                i128::from(if is_in { level.qty.0 } else { 0 }).into()
            })
        };
        Depth {
            imbalance_ppm: imbalance_ppm(bid, ask),
            microprice: microprice(bid, ask),
            bids: within(BookSide::Bid, bid),
            asks: within(BookSide::Ask, ask),
        }
    }

    /// The top of both sides in pieces, bids first; nothing when switched off.
    pub(super) fn levels(&self, id: InstrumentId, book: &Book, drafts: &mut Drafts) {
        if self.levels == 0 {
            return;
        }
        for side in [BookSide::Bid, BookSide::Ask] {
            let empty = Levels { side, first: 0, count: 0, levels: Default::default() };
            let mut piece = empty;
            for (level, place) in book.top(side, self.levels).zip(0_u8..) {
                if usize::from(piece.count) == LEVELS_PER_MESSAGE {
                    drafts.push(id, Body::Levels(piece));
                    piece = Levels { first: place, ..empty };
                }
                piece.levels[usize::from(piece.count)] = level;
                piece.count += 1;
            }
            drafts.push(id, Body::Levels(piece));
        }
    }
}

/// The last price of a side that lies within a width of the mid. Both are doubled.
fn limit(side: BookSide, mid_twice: i128, width: i128) -> Px {
    let raw = match side {
        BookSide::Bid => (mid_twice - width + 1) >> 1,
        BookSide::Ask => (mid_twice + width) >> 1,
    };
    // Above the highest price there is no ask to be left out.
    Px(i64::try_from(raw).unwrap_or(i64::MAX))
}

/// (bid - ask) / (bid + ask) of the quantities, in millionths.
fn imbalance_ppm(bid: Level, ask: Level) -> i32 {
    let (bid, ask) = (i128::from(bid.qty.0), i128::from(ask.qty.0));
    div_round((bid - ask) * PPM_ONE, bid + ask, Round::HalfEven)
        .and_then(|ppm| i32::try_from(ppm).ok())
        .expect("levels of a book have a quantity, so it lies between -1 and 1 million")
}

/// The touch weighted by the quantity of the other side.
fn microprice(bid: Level, ask: Level) -> Option<Px> {
    // Each product is below 2^126, so that their sum fits.
    let weighted = i128::from(bid.price.0) * i128::from(ask.qty.0)
        + i128::from(ask.price.0) * i128::from(bid.qty.0);
    let price = div_round(weighted, i128::from(bid.qty.0) + i128::from(ask.qty.0), Round::Down)?;
    i64::try_from(price).ok().map(Px)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{BookConfig, SyncRule};
    use crate::units::Qty;

    fn level(price: i64, qty: i64) -> Level {
        Level { price: Px(price), qty: Qty(qty) }
    }

    fn book(bids: &[Level], asks: &[Level]) -> Book {
        let mut book = Book::new(SyncRule::Futures, Some(Px(1)), &BookConfig::default());
        book.on_partial(bids, asks);
        book
    }

    fn shape(bands: [Bps; BANDS], walk_max: usize, levels: u8) -> Shape {
        let config = SequencerConfig {
            depth_bands: bands,
            depth_walk_max: walk_max,
            levels,
            ..SequencerConfig::default()
        };
        Shape::new(&config)
    }

    fn depth_of(shape: Shape, bids: &[Level], asks: &[Level]) -> Depth {
        let book = book(bids, asks);
        shape.depth(&book, &book.touch().unwrap())
    }

    fn sums(depth: &Depth) -> [[i128; BANDS]; 2] {
        [depth.bids, depth.asks].map(|side| side.map(|sum| sum.get()))
    }

    #[test]
    fn imbalance_and_microprice_lean_to_the_side_with_more() {
        let shape = shape([Bps(1), Bps(2)], 9, 0);
        let depth = depth_of(shape, &[level(100, 30)], &[level(110, 10)]);
        assert_eq!(depth.imbalance_ppm, 500_000);
        // (100 * 10 + 110 * 30) / 40 = 107.5, rounded down.
        assert_eq!(depth.microprice, Some(Px(107)));
        assert_eq!(depth_of(shape, &[level(100, 1)], &[level(110, 2)]).imbalance_ppm, -333_333);
        let most = [level(i64::MAX - 1, i64::MAX)];
        let depth = depth_of(shape, &most, &[level(i64::MAX, i64::MAX)]);
        assert_eq!((depth.imbalance_ppm, depth.microprice), (0, Some(Px(i64::MAX - 1))));
    }

    #[test]
    fn a_band_is_measured_from_the_mid_and_its_edge_belongs_to_it() {
        // The mid is 10,000: 2 bp are 2 units, 10 bp are 10 units.
        let shape = shape([Bps(20_000), Bps(100_000)], 99, 0);
        let bids =
            [level(9_999, 1), level(9_998, 2), level(9_997, 4), level(9_990, 8), level(9_989, 16)];
        let asks = [level(10_001, 1), level(10_003, 2), level(10_010, 4), level(10_011, 8)];
        assert_eq!(sums(&depth_of(shape, &bids, &asks)), [[3, 15], [1, 7]]);
        // A mid of 9,999.5: 2 bp are 1.9999 units, so that 9,997.5001 is the edge.
        let asks = [level(10_000, 1), level(10_001, 2), level(10_002, 4)];
        assert_eq!(sums(&depth_of(shape, &bids, &asks)), [[3, 15], [3, 7]]);
    }

    #[test]
    fn an_assumed_touch_has_the_shape_of_a_book_with_one_level_a_side() {
        let shape = shape([Bps(20_000), Bps(100_000)], 9, 0);
        for (bid, ask) in [(9_999, 10_001), (9_998, 10_003), (9_900, 10_100)] {
            let (bid, ask) = (level(bid, 30), level(ask, 10));
            let touch = Touch { bid: Some(bid), ask: Some(ask) };
            assert_eq!(shape.of_touch(&touch), depth_of(shape, &[bid], &[ask]));
        }
        assert_eq!(shape.of_touch(&Touch::default()), Depth::default());
    }

    #[test]
    fn a_walk_stops_at_its_limit() {
        let bids: Vec<Level> = (0..50).map(|n| level(100_000 - n, 1)).collect();
        let asks: Vec<Level> = (1..50).map(|n| level(100_000 + n, 1)).collect();
        let depth = depth_of(shape([Bps(20_000), Bps(100_000)], 7, 0), &bids, &asks);
        assert_eq!(sums(&depth), [[7, 7], [7, 7]]);
    }

    #[test]
    fn a_book_with_one_side_has_no_shape() {
        let depth = depth_of(shape([Bps(1), Bps(2)], 9, 0), &[level(100, 30)], &[]);
        assert_eq!(depth, Depth::default());
    }

    #[test]
    fn the_top_travels_in_pieces_bids_first() {
        let bids: Vec<Level> = (0..9).map(|n| level(100 - n, 1 + n)).collect();
        let book = book(&bids, &[level(101, 5)]);
        let mut drafts = Drafts::new(Shape::levels_messages_max());
        shape([Bps(1), Bps(2)], 9, 6).levels(InstrumentId(3), &book, &mut drafts);
        let pieces: Vec<_> = std::iter::from_fn(|| drafts.take().copied())
            .map(|(id, body)| {
                assert_eq!(id, InstrumentId(3));
                let Body::Levels(piece) = body else { panic!("{body:?}") };
                (piece.side, piece.first, piece.levels[..usize::from(piece.count)].to_vec())
            })
            .collect();
        let expected = [
            (BookSide::Bid, 0, bids[..4].to_vec()),
            (BookSide::Bid, 4, bids[4..6].to_vec()),
            (BookSide::Ask, 0, vec![level(101, 5)]),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn the_most_levels_and_an_empty_side_fit_the_bound() {
        let bids: Vec<Level> = (0..40).map(|n| level(100 - n, 1)).collect();
        let asks: Vec<Level> = (0..40).map(|n| level(101 + n, 1)).collect();
        let count = |bids: &[Level], asks: &[Level], levels| {
            let mut drafts = Drafts::new(Shape::levels_messages_max());
            let shape = shape([Bps(1), Bps(2)], 9, levels);
            shape.levels(InstrumentId(0), &book(bids, asks), &mut drafts);
            std::iter::from_fn(|| drafts.take().copied()).count()
        };
        assert_eq!(count(&bids, &asks, SequencerConfig::LEVELS_MOST), Shape::levels_messages_max());
        assert_eq!(count(&[], &asks[..1], 4), 2);
        assert_eq!(count(&bids, &asks, 0), 0);
    }
}
