//! What the people in the market do: they trade, quote near the touch and behind it, and get liquidated.

use fusewire_core::market::Side;
use fusewire_core::units::Px;

use super::Market;
use crate::synth::latent::Storm;
use crate::synth::wire::{Forced, Print};

/// Levels a side that the market tends to.
const LEVELS: usize = 300;
/// Takers leave this many alone, so that no side runs dry.
const LEVELS_MIN: usize = 60;
/// More than this are withdrawn from the far end.
const LEVELS_MAX: usize = 450;
/// Levels reach about this part of the price to either side: 1.5 %.
const REACH_PERMILLE: i64 = 15;
/// Gaps between levels grow with the distance from the touch by this.
const GAP_PARTS: i64 = 24;
/// The first part of a storm is the wildest.
const SQUALL_MS: u64 = 300;
/// Limit of a liquidation order: this far through the touch.
const FORCED_PERMILLE: i64 = 5;

/// What a taker got.
#[derive(Default)]
struct Taken {
    lots: i64,
    last_lots: i64,
    /// Sum of ticks times lots.
    worth: i128,
}

/// Ticks in the direction of a taker on `side`: up for buys.
const fn towards(side: Side, ticks: i64) -> i64 {
    match side {
        Side::Buy => ticks,
        Side::Sell => -ticks,
    }
}

impl Market {
    /// Both ladders as they stand before the first frame.
    pub(super) fn lay_out_book(&mut self) {
        let spread = self.contract.base_ticks * REACH_PERMILLE / 1_000 * 2;
        let gap_max = (spread / LEVELS as i64).max(1);
        for (side, best) in [(Side::Buy, self.latent.tick()), (Side::Sell, self.latent.tick() + 1)]
        {
            let mut distance = 0;
            for _ in 0..LEVELS {
                let lots = if distance < 4 { self.near_lots() } else { self.deep_lots() };
                self.set(side, best - towards(side, distance), lots);
                distance += self.random.within(1, (distance / GAP_PARTS).clamp(1, gap_max));
            }
        }
        self.book.forget_changes();
    }

    /// One round of everybody.
    pub(super) fn step(&mut self) {
        let storm = self.latent.advance(self.now_ms, &mut self.random);
        let age_ms = storm.map(|storm| storm.age_ms(self.now_ms));
        self.liquidate(storm);
        self.trade(storm);
        self.quote_touch(storm);
        self.quote_deep();
        self.withdraw_far();
        self.next_step_ms = self.now_ms
            + match age_ms {
                None => self.random.millis(12, 50),
                Some(age_ms) if age_ms < SQUALL_MS => self.random.millis(0, 1),
                Some(_) => self.random.millis(2, 10),
            };
    }

    /// Takers: some know the price and hit stale quotes, the others come by chance.
    fn trade(&mut self, storm: Option<Storm>) {
        let fair = self.latent.tick();
        let ((bid, _), (ask, _)) = self.book.touch();
        if ask <= fair {
            self.correct(Side::Buy, fair, storm);
        } else if bid > fair {
            self.correct(Side::Sell, fair + 1, storm);
        } else if self.random.chance(if storm.is_some() { 60 } else { 22 }) {
            let side = self.taker_side(storm);
            let best = self.book.best(side.opposite()).0;
            let limit = best + towards(side, self.random.within(0, 3));
            let lots = self.taker_lots();
            self.take(side, limit, lots, 4);
        }
    }

    fn taker_side(&mut self, storm: Option<Storm>) -> Side {
        let buys = match storm.map(|storm| storm.direction) {
            None => 50,
            Some(Side::Buy) => 80,
            Some(Side::Sell) => 20,
        };
        if self.random.chance(buys) { Side::Buy } else { Side::Sell }
    }

    /// Quotes on the wrong side of the price are traded through, or their makers are faster.
    fn correct(&mut self, side: Side, limit: i64, storm: Option<Storm>) {
        let levels_max = if storm.is_some() { 8 } else { 4 };
        if self.random.chance(70) {
            let usd = self.random.within(20_000, 200_000);
            let lots = self.contract.lots(usd);
            self.take(side, limit, lots, levels_max);
            return;
        }
        let stale = side.opposite();
        for _ in 0..levels_max {
            let (tick, _) = self.book.best(stale);
            if towards(side, limit - tick) < 0 || self.book.len(stale) <= LEVELS_MIN {
                break;
            }
            self.set(stale, tick, 0);
            self.announce();
        }
    }

    /// A market order: eats levels up to a limit price, one print for each.
    fn take(&mut self, side: Side, limit: i64, lots: i64, levels_max: usize) -> Taken {
        let maker = side.opposite();
        let mut taken = Taken::default();
        for _ in 0..levels_max {
            let (tick, there) = self.book.best(maker);
            let fill = there.min(lots - taken.lots);
            let too_far = towards(side, limit - tick) < 0;
            if fill == 0 || too_far || self.book.len(maker) <= LEVELS_MIN {
                break;
            }
            self.set(maker, tick, there - fill);
            self.print(side, tick, fill);
            taken.lots += fill;
            taken.last_lots = fill;
            taken.worth += i128::from(tick) * i128::from(fill);
        }
        self.announce();
        taken
    }

    fn print(&mut self, aggressor: Side, tick: i64, lots: i64) {
        let retail_lots =
            if self.random.chance(2) { self.random.within(1, 1 + lots / 4) } else { 0 };
        let most = (lots + retail_lots).min(4);
        let fills = self.random.within(1, most).unsigned_abs();
        let time_ms = self.unix_ms();
        self.prints.push_back(Print { time_ms, tick, lots, retail_lots, fills, aggressor });
    }

    /// Liquidations come one by one in calm weather and in flocks, against the holders, in a storm.
    fn liquidate(&mut self, storm: Option<Storm>) {
        let flock = storm.is_some_and(|storm| storm.age_ms(self.now_ms) > 50);
        let due = self.now_ms >= self.next_forced_ms;
        // A storm does not wait for the lone liquidation that was planned for some time after it.
        let due = due || (flock && self.next_forced_ms > self.now_ms + 500);
        if !due {
            return;
        }
        self.next_forced_ms = self.now_ms
            + if flock { self.random.millis(60, 350) } else { self.random.millis(25_000, 80_000) };
        let side = match storm {
            Some(storm) => storm.direction,
            None => self.taker_side(None),
        };
        let best = self.book.best(side.opposite()).0;
        let through = (best * FORCED_PERMILLE / 1_000).max(1);
        let limit_tick = best + towards(side, through);
        let usd = self.random.within(2_000, if flock { 120_000 } else { 40_000 });
        let lots = self.contract.lots(usd);
        let taken = self.take(side, limit_tick, lots, 20);
        if taken.lots > 0 {
            self.forced = Some(self.forced_order(side, limit_tick, &taken));
        }
    }

    fn forced_order(&self, side: Side, limit_tick: i64, taken: &Taken) -> Forced {
        let average = taken.worth * i128::from(self.contract.tick) / i128::from(taken.lots);
        Forced {
            time_ms: self.unix_ms(),
            side,
            limit_tick,
            average: i64::try_from(average).map_or(Px::ZERO, Px),
            lots: taken.lots,
            last_lots: taken.last_lots,
        }
    }

    /// Makers near the touch keep the spread narrow, less so in a storm, and fidget.
    fn quote_touch(&mut self, storm: Option<Storm>) {
        let (width, eager) = match storm {
            None => (2, 90),
            Some(_) => (3 + self.contract.base_ticks / 30_000, 40),
        };
        let buys_first = self.random.chance(50);
        for side in if buys_first { [Side::Buy, Side::Sell] } else { [Side::Sell, Side::Buy] } {
            let fair = self.latent.tick() + i64::from(side == Side::Sell);
            let wanted = fair - towards(side, self.random.below(width));
            // Nobody crosses: that would be a taker.
            let bound = self.book.best(side.opposite()).0 - towards(side, 1);
            let tick = if towards(side, wanted - bound) > 0 { bound } else { wanted };
            if towards(side, tick - self.book.best(side).0) > 0 {
                if self.random.chance(eager) {
                    let lots = self.near_lots();
                    self.set(side, tick, lots);
                }
            } else if self.random.chance(20) {
                self.fidget(side);
            }
            self.announce();
        }
    }

    /// Adds to a level at or close to the touch, or takes some of it away.
    fn fidget(&mut self, side: Side) {
        let distance = self.random.below(5);
        let Some((tick, there)) = self.book.behind(side, distance) else { return };
        let lots = match self.random.below(4) {
            0 if self.book.len(side) > LEVELS_MIN => 0,
            0 | 1 => there - there / 2,
            _ => (there + self.near_lots()).min(self.contract.lots_max),
        };
        if lots != there {
            self.set(side, tick, lots);
        }
    }

    /// Behind the touch levels come, change and go, as many in each octave of distance.
    fn quote_deep(&mut self) {
        let reach = (self.contract.base_ticks * REACH_PERMILLE / 1_000).max(8);
        let octaves = i64::from(reach.ilog2());
        for _ in 0..self.random.within(1, 5) {
            let side = self.taker_side(None);
            let octave = 1_i64 << self.random.within(1, octaves);
            let distance = octave + self.random.below(octave);
            let tick = self.book.best(side).0 - towards(side, distance);
            let wish = LEVELS.saturating_add_signed(self.random.within(-20, 20) as isize);
            if self.book.len(side) < wish || self.random.chance(20) {
                let lots = self.deep_lots();
                self.set(side, tick, lots);
            } else if let Some((tick, _)) = self.book.behind(side, distance) {
                self.set(side, tick, 0);
            }
        }
    }

    /// Levels that the price has left far behind are withdrawn, and any beyond the limit.
    fn withdraw_far(&mut self) {
        let reach = self.contract.base_ticks * REACH_PERMILLE / 1_000 * 2;
        for side in [Side::Buy, Side::Sell] {
            for _ in 0..8 {
                let (tick, _) = self.book.furthest(side);
                let distance = (self.book.best(side).0 - tick).abs();
                let levels = self.book.len(side);
                if levels <= LEVELS_MAX && (distance <= reach || levels <= LEVELS_MIN) {
                    break;
                }
                self.set(side, tick, 0);
            }
        }
    }

    /// A quote at the touch: some thousand dollars.
    fn near_lots(&mut self) -> i64 {
        let usd = self.random.within(1_500, 25_000);
        self.contract.lots(usd)
    }

    /// A quote behind it.
    fn deep_lots(&mut self) -> i64 {
        let usd = self.random.within(3_000, 60_000);
        let usd = if self.random.chance(5) { usd * 8 } else { usd };
        self.contract.lots(usd)
    }

    /// A chance taker: mostly small, sometimes more than the touch holds.
    fn taker_lots(&mut self) -> i64 {
        let usd = self.random.within(100, 4_000);
        let usd = match self.random.below(100) {
            0..3 => usd * 30,
            3..18 => usd * 8,
            _ => usd,
        };
        self.contract.lots(usd)
    }
}
