//! The venue's rules once more, as plain as they can be written: lists, loops, no bounds, one symbol.
//!
//! It shares no code with the venue, so that the two can be compared.

use fusewire_core::order::{ReportKind as Kind, TimeInForce as Tif, VenueReason as Why};

const ONE: i128 = 100_000_000;
const RATE_ONE: i128 = 1_000_000_000_000;

/// What a report says, in plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) why: Why,
    pub(super) cum: [i64; 3],
    pub(super) last: (i64, i64),
    pub(super) payer: u64,
    /// It is a fill, and charged as a maker's.
    pub(super) maker: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) buy: bool,
    pub(super) tif: Tif,
    pub(super) reduce: bool,
    pub(super) price: i64,
    pub(super) qty: i64,
    cum: [i64; 3],
    since: u64,
    /// Other people's quantity before it; none when unknown.
    ahead: Option<i64>,
    /// It got in without a valid book.
    blind: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    New { buy: bool, tif: Tif, reduce: bool, price: i64, qty: i64 },
    Amend { price: i64, qty: i64 },
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Whole,
    Changes,
}

#[derive(Debug, Default)]
pub(super) struct Naive {
    /// Bids, asks: best first.
    book: [Vec<(i64, i64)>; 2],
    valid: bool,
    ticker: Option<[(i64, i64); 2]>,
    payer: u64,
    used: Vec<(usize, i64, i64)>,
    /// In time order.
    pub(super) open: Vec<Order>,
    closed: Vec<Order>,
    pub(super) position: i128,
    pub(super) cash: i128,
    pub(super) fees: i128,
    pub(super) said: Vec<Said>,
    pub(super) rates: [i128; 2],
    /// Nobody stands before an order whom its level does not show.
    pub(super) cap: bool,
}

fn up(numerator: i128, denominator: i128) -> i64 {
    i64::try_from((numerator + denominator - 1).div_euclid(denominator)).unwrap()
}

fn better(side: usize, a: i64, b: i64) -> bool {
    if side == 0 { a > b } else { a < b }
}

impl Naive {
    pub(super) fn frame(&mut self, seq: u64, view: View, sides: [&[(i64, i64)]; 2]) {
        for (side, levels) in sides.into_iter().enumerate() {
            let book = &mut self.book[side];
            if view == View::Whole {
                book.clear();
            }
            for &(price, qty) in levels {
                book.retain(|level| level.0 != price);
                if qty > 0 {
                    book.push((price, qty));
                }
            }
            book.sort_by_key(|level| if side == 0 { -level.0 } else { level.0 });
            let worst = book.last().map(|level| level.0);
            for order in self.open.iter_mut().filter(|order| usize::from(!order.buy) == side) {
                let shown = book.iter().find(|level| level.0 == order.price).map_or(0, |l| l.1);
                // The first frame of a book says all that there is.
                let known = match view {
                    View::Changes if self.valid => levels.iter().any(|l| l.0 == order.price),
                    View::Changes | View::Whole => {
                        worst.is_some_and(|worst| !better(side, worst, order.price))
                    }
                };
                if known && self.cap {
                    order.ahead = Some(order.ahead.map_or(shown, |ahead| ahead.min(shown)));
                }
            }
            for (_, price, used) in self.used.iter_mut().filter(|used| used.0 == side) {
                let known = match view {
                    View::Changes => levels.iter().any(|level| level.0 == *price),
                    View::Whole => worst.is_some_and(|worst| !better(side, worst, *price)),
                };
                if known {
                    let shown = book.iter().find(|level| level.0 == *price).map_or(0, |l| l.1);
                    *used = shown.min(*used);
                }
            }
        }
        self.used.retain(|used| used.2 > 0);
        (self.valid, self.payer) = (true, seq);
    }

    /// What the sequencer tells after a frame.
    pub(super) fn touch(&self) -> [Option<(i64, i64)>; 2] {
        [self.book[0].first().copied(), self.book[1].first().copied()]
    }

    pub(super) fn ticker(&mut self, ticker: Option<[(i64, i64); 2]>) {
        self.ticker = ticker;
    }

    pub(super) fn invalid(&mut self) {
        (self.valid, self.ticker) = (false, None);
    }

    fn best(&self, side: usize) -> Option<(i64, i64)> {
        if !self.valid {
            return None;
        }
        match self.ticker {
            Some(ticker) => Some(ticker[side]),
            None => self.touch()[side],
        }
    }

    fn say(&mut self, order: &Order, kind: Kind, why: Why) {
        let (id, cum) = (order.id, order.cum);
        self.said.push(Said { id, kind, why, cum, last: (0, 0), payer: 0, maker: false });
        if kind.is_terminal() {
            self.closed.push(*order);
        }
    }

    fn fill(&mut self, order: &mut Order, qty: i64, price: i64, maker: bool, payer: u64) {
        let product = i128::from(price) * i128::from(qty);
        let dear = up(product, ONE);
        let quote = if order.buy { dear } else { i64::try_from(product / ONE).unwrap() };
        let fee = up(i128::from(dear) * self.rates[usize::from(!maker)], RATE_ONE);
        let sign = if order.buy { 1 } else { -1 };
        self.position += sign * i128::from(qty);
        self.cash -= sign * i128::from(quote);
        self.fees += i128::from(fee);
        order.cum = [order.cum[0] + qty, order.cum[1] + quote, order.cum[2] + fee];
        let kind = if order.cum[0] == order.qty { Kind::Filled } else { Kind::PartialFill };
        let (id, cum, last) = (order.id, order.cum, (qty, price));
        self.said.push(Said { id, kind, why: Why::None, cum, last, payer, maker });
        if kind.is_terminal() {
            self.closed.push(*order);
        }
    }

    fn may(&self, order: &Order) -> i64 {
        let rest = order.qty - order.cum[0];
        let reducible = if order.buy { -self.position } else { self.position };
        if order.reduce { rest.min(i64::try_from(reducible.max(0)).unwrap()) } else { rest }
    }

    pub(super) fn enter(&mut self, now: u64, id: u64, ask: Ask) {
        let place = self.open.iter().position(|order| order.id == id);
        match (ask, place) {
            (Ask::New { buy, tif, reduce, price, qty }, _) => {
                let (cum, since, ahead, blind) = ([0; 3], now, None, !self.valid);
                let order = Order { id, buy, tif, reduce, price, qty, cum, since, ahead, blind };
                self.say(&order, Kind::Accepted, Why::None);
                if tif == Tif::Gtx && self.would_take(&order) {
                    self.say(&order, Kind::Expired, Why::WouldTake);
                } else {
                    self.run(order);
                }
            }
            (Ask::Cancel, Some(place)) => {
                let order = self.open.remove(place);
                self.say(&order, Kind::Canceled, Why::None);
            }
            (Ask::Amend { price, qty }, Some(place)) => self.amend(now, place, price, qty),
            (Ask::Cancel | Ask::Amend { .. }, None) => {
                let cum = self.closed.iter().find(|order| order.id == id).map_or([0; 3], |o| o.cum);
                let kind = match ask {
                    Ask::Cancel => Kind::CancelRefused,
                    Ask::New { .. } | Ask::Amend { .. } => Kind::AmendRefused,
                };
                let why = Why::UnknownOrder;
                self.said.push(Said { id, kind, why, cum, last: (0, 0), payer: 0, maker: false });
            }
        }
    }

    fn amend(&mut self, now: u64, place: usize, price: i64, qty: i64) {
        let before = self.open[place];
        let after = Order { price, qty, since: now, blind: !self.valid, ..before };
        if (price, qty) == (before.price, before.qty) {
            self.say(&before, Kind::AmendRefused, Why::NoChange);
            return;
        }
        self.open.remove(place);
        if qty <= before.cum[0] {
            self.say(&before, Kind::Canceled, Why::AmendedAway);
        } else if before.tif == Tif::Gtx && self.would_take(&after) {
            self.say(&before, Kind::Canceled, Why::WouldTake);
        } else {
            self.say(&after, Kind::Amended, Why::None);
            self.run(after);
        }
    }

    fn crosses(order: &Order, price: i64) -> bool {
        if order.buy { order.price >= price } else { order.price <= price }
    }

    fn would_take(&self, order: &Order) -> bool {
        let best = self.best(usize::from(order.buy));
        let own = |other: &Order| other.buy != order.buy && Self::crosses(order, other.price);
        order.blind
            || best.is_some_and(|best| Self::crosses(order, best.0))
            || self.open.iter().any(own)
    }

    fn run(&mut self, mut order: Order) {
        let want = self.may(&order);
        if want == 0 {
            self.say(&order, Kind::Expired, Why::ReduceOnly);
            return;
        }
        let side = usize::from(order.buy);
        let mut offers = Vec::new();
        if let Some(best) = self.best(side).filter(|best| Self::crosses(&order, best.0)) {
            let mut rest = want;
            for &(price, shown) in &self.book[side] {
                let shown = if price == best.0 { shown.min(best.1) } else { shown };
                let used =
                    self.used.iter().find(|u| (u.0, u.1) == (side, price)).map_or(0, |u| u.2);
                if better(side, price, best.0) || !Self::crosses(&order, price) {
                    continue;
                }
                let qty = rest.min(shown - used).max(0);
                if qty > 0 {
                    offers.push((price, qty));
                }
                rest -= qty;
            }
            if order.tif == Tif::Fok && rest > 0 {
                offers.clear();
            }
        }
        if order.tif == Tif::Fok && offers.is_empty() {
            self.say(&order, Kind::Expired, Why::NotFillable);
            return;
        }
        let mut met: Vec<Order> = self.open.clone();
        met.retain(|other| other.buy != order.buy && Self::crosses(&order, other.price));
        self.open.retain(|other| !met.iter().any(|met| met.id == other.id));
        // Best price first; the sort keeps time order.
        met.sort_by_key(|other| if other.buy { -other.price } else { other.price });
        for other in met {
            self.say(&other, Kind::Expired, Why::SelfTrade);
        }
        for &(price, qty) in &offers {
            self.fill(&mut order, qty, price, false, self.payer);
            match self.used.iter_mut().find(|used| (used.0, used.1) == (side, price)) {
                Some(used) => used.2 += qty,
                None => self.used.push((side, price, qty)),
            }
        }
        if order.cum[0] < order.qty {
            if self.may(&order) == 0 {
                self.say(&order, Kind::Expired, Why::ReduceOnly);
            } else if order.tif == Tif::Ioc {
                self.say(&order, Kind::Expired, Why::ImmediateRest);
            } else {
                order.ahead = self.ahead(&order);
                self.open.push(order);
            }
        }
        if !offers.is_empty() {
            self.sweep();
        }
    }

    fn ahead(&self, order: &Order) -> Option<i64> {
        if !self.valid {
            return None;
        }
        let side = usize::from(!order.buy);
        let shown = self.book[side].iter().find(|level| level.0 == order.price).map(|l| l.1);
        let within =
            self.book[side].last().is_some_and(|worst| !better(side, worst.0, order.price));
        let told = self.ticker.map(|t| t[side]).filter(|t| t.0 == order.price).map(|t| t.1);
        let mut ahead = match (within, told) {
            (false, None) => return None,
            (_, told) => shown.unwrap_or(0).max(told.unwrap_or(0)),
        };
        for own in self.open.iter().filter(|own| (own.buy, own.price) == (order.buy, order.price)) {
            ahead = ahead.max(own.ahead?);
        }
        Some(ahead)
    }

    fn sweep(&mut self) {
        let mut useless: Vec<Order> = self.open.clone();
        useless.retain(|order| order.reduce && self.may(order) == 0);
        self.open.retain(|order| !useless.iter().any(|other| other.id == order.id));
        useless.sort_by_key(|o| (!o.buy, if o.buy { -o.price } else { o.price }));
        for order in useless {
            self.say(&order, Kind::Expired, Why::ReduceOnly);
        }
    }

    pub(super) fn trade(&mut self, seq: u64, ts: u64, (price, qty): (i64, i64), sell: bool) {
        let mut ids: Vec<(bool, i64, u64)> = Vec::new();
        for order in self.open.iter().filter(|order| order.since < ts) {
            let through = if order.buy { price < order.price } else { price > order.price };
            if through || (price == order.price && order.buy == sell) {
                ids.push((
                    !order.buy,
                    if order.buy { -order.price } else { order.price },
                    order.id,
                ));
            }
        }
        ids.sort_by_key(|id| (id.0, id.1));
        let mut left = qty;
        for (_, _, id) in ids {
            let Some(place) = self.open.iter().position(|order| order.id == id) else { continue };
            let mut order = self.open[place];
            let mut paid = left;
            if price == order.price {
                let eaten = order.ahead.map_or(left, |ahead| ahead.min(left));
                order.ahead = order.ahead.map(|ahead| ahead - eaten);
                paid = left - eaten;
            }
            if paid > 0 {
                let part = paid.min(self.may(&order));
                if part == 0 {
                    self.open.remove(place);
                    self.say(&order, Kind::Expired, Why::ReduceOnly);
                    continue;
                }
                let limit = order.price;
                let maker = !order.blind;
                self.fill(&mut order, part, limit, maker, seq);
                left -= part;
            }
            self.open[place] = order;
            if order.cum[0] == order.qty {
                self.open.remove(place);
            }
        }
        if left < qty {
            self.sweep();
        }
    }
}
