//! The queue itself beside theirs, step by step.

use hftbacktest::backtest::models::{
    LogProbQueueFunc, PowerProbQueueFunc, ProbQueueModel, QueueModel as Theirs,
    RiskAdverseQueueModel,
};
use hftbacktest::depth::{HashMapMarketDepth, L2MarketDepth};
use hftbacktest::types::{OrdType, Order, Side as TheirSide, TimeInForce as TheirTif};

use super::super::super::matching::eat_queue;
use super::super::super::order_of;
use super::super::super::orders::{OpenOrder, Queue};
use super::*;

/// The exactness at which they round what an order gets, in coins.
const GRAIN: f64 = 1e-8;
const PRICE: f64 = 60_000.0;

#[derive(Clone, Debug)]
enum Act {
    /// This much trades at the price, in lots.
    Trade(i64),
    /// The level shows this much.
    Shown(i64),
}

struct Pair<'m> {
    model: QueueModel,
    ours: OpenOrder,
    theirs: Order,
    peer: &'m dyn Theirs<HashMapMarketDepth>,
    depth: HashMapMarketDepth,
}

impl<'m> Pair<'m> {
    fn new(model: QueueModel, peer: &'m dyn Theirs<HashMapMarketDepth>, shown: i64) -> Self {
        let new = NewOrder {
            side: Side::Buy,
            price: Px(60_000 * ONE),
            qty: Qty(LOT),
            tif: Tif::Gtc,
            reduce_only: false,
        };
        let intent = Intent {
            order: oid(1),
            instrument: ID,
            source: Source::Alpha,
            action: Action::New(new),
        };
        let mut ours = order_of(&intent, &new, Nanos(0));
        ours.queue = Queue::Ahead(Qty(shown * LOT));
        ours.shown = Some(Qty(shown * LOT));
        let mut depth = HashMapMarketDepth::new(0.1, GRAIN);
        depth.update_bid_depth(PRICE, coins(shown), 0);
        let (limit, tif) = (OrdType::Limit, TheirTif::GTC);
        let mut theirs = Order::new(1, 600_000, 0.1, 0.001, TheirSide::Buy, limit, tif);
        peer.new_order(&mut theirs, &depth);
        Self { model, ours, theirs, peer, depth }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Trade(lots) => {
                let qty = Qty(lots * LOT);
                self.ours.traded = Qty(self.ours.traded.0 + qty.0);
                eat_queue(&mut self.ours, qty, Qty(LOT));
                self.peer.trade(&mut self.theirs, coins(lots), &self.depth);
                self.peer.is_filled(&mut self.theirs, &self.depth);
            }
            Act::Shown(lots) => {
                self.model.observe(&mut self.ours, Qty(lots * LOT));
                let (_, _, _, before, now, _) = self.depth.update_bid_depth(PRICE, coins(lots), 0);
                self.peer.depth(&mut self.theirs, before, now, &self.depth);
            }
        }
    }

    fn ours(&self) -> f64 {
        match self.ours.queue {
            Queue::Ahead(ahead) => ahead.0 as f64 / ONE as f64,
            Queue::Unknown => panic!("it is known"),
        }
    }

    /// What a large trade would leave tells how long theirs is.
    fn theirs(&self) -> f64 {
        const LARGE: f64 = 10_000.0;
        let mut order = self.theirs.clone();
        self.peer.trade(&mut order, LARGE, &self.depth);
        LARGE - self.peer.is_filled(&mut order, &self.depth)
    }
}

fn coins(lots: i64) -> f64 {
    (lots * LOT) as f64 / ONE as f64
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![(1_i64..400).prop_map(Act::Trade), (0_i64..3_000).prop_map(Act::Shown)]
}

proptest! {
    /// S4-09: each step of each model, until theirs falls below zero: a share of a decrease can be more than
    /// what stood before the order, and their order is then paid more than what trades.
    #[test]
    fn s4_09_queues_move_alike(shown in 0_i64..3_000, acts in prop::collection::vec(act(), 1..60)) {
        let careful = RiskAdverseQueueModel::new();
        let power = ProbQueueModel::new(PowerProbQueueFunc::new(2.0));
        let even = ProbQueueModel::new(PowerProbQueueFunc::new(1.0));
        let log = ProbQueueModel::new(LogProbQueueFunc::new());
        let powers = |n: i64| QueueModel::Probabilistic(QueueFunction::Power(Rate(n * 1_000_000_000_000)));
        let models: [(QueueModel, &dyn Theirs<HashMapMarketDepth>); 4] = [
            (QueueModel::RiskAverse, &careful),
            (powers(2), &power),
            (powers(1), &even),
            (QueueModel::Probabilistic(QueueFunction::Log), &log),
        ];
        for (model, peer) in models {
            let mut pair = Pair::new(model, peer, shown);
            for (step, act) in acts.iter().enumerate() {
                pair.act(act);
                let (ours, theirs) = (pair.ours(), pair.theirs());
                if theirs < 0.0 {
                    prop_assert_eq!(pair.ours, OpenOrder { queue: Queue::Ahead(Qty(0)), ..pair.ours });
                    break;
                }
                // Ours is rounded up to 1e-8 at each step, theirs by as much when it is asked.
                let most = 2.0 * GRAIN * (step + 2) as f64;
                prop_assert!((ours - theirs).abs() < most, "{:?} {}: {} {}", model, step, ours, theirs);
            }
        }
    }
}
