#!/usr/bin/env python3
"""A back-test of a USD-M BTCUSDT recording with nautilus_trader, for docs/performance.md. CI does not run it.

Takes a recording of `nanoseconds frame` lines, plain or gzip, leaves out its book tickers, and runs the engine over changed
levels and trades from the first snapshot on. A limit order rests ten ticks below the bid, cancelled by the next one, some
`--requests` of both together. Prints one line of JSON: seconds to parse and to build the objects, and seconds of the run.

    pip install nautilus_trader==1.221.0
    python bench/peers/nautilus.py RECORDING --requests 1100 [--single]
"""

import argparse
import gzip
import json
import time
from decimal import Decimal

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
# Latency of orders and of answers: the program's own defaults.
LATENCY_NS = 5_000_000


class Config(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    rows_per_order: int


class Resting(Strategy):
    """Sends an order each so many rows, and cancels the one before it."""

    def __init__(self, config):
        super().__init__(config)
        self.rows = 0
        self.next = config.rows_per_order
        self.resting = None
        self.requests = 0

    def on_start(self):
        self.subscribe_order_book_deltas(self.config.instrument_id, BookType.L2_MBP)
        self.subscribe_trade_ticks(self.config.instrument_id)

    def on_order_book_deltas(self, deltas):
        self.count(len(deltas.deltas))

    def on_trade_tick(self, _tick):
        self.count(1)

    def count(self, rows):
        self.rows += rows
        if self.rows < self.next:
            return
        self.next += self.config.rows_per_order
        bid = self.cache.order_book(self.config.instrument_id).best_bid_price()
        if bid is None:
            return
        if self.resting is not None and self.resting.is_open:
            self.cancel_order(self.resting)
            self.requests += 1
        self.resting = self.order_factory.limit(
            instrument_id=self.config.instrument_id,
            order_side=OrderSide.BUY,
            quantity=Quantity(0.001, 3),
            price=Price(float(bid) - 1.0, 1),
            post_only=True,
        )
        self.submit_order(self.resting)
        self.requests += 1


def lines(path):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as file:
        for line in file:
            if "@bookTicker" in line:
                continue
            at, _, frame = line.partition(" ")
            yield int(at), json.loads(frame)


def deltas_of(at, bids, asks, is_snapshot):
    flags = int(RecordFlag.F_SNAPSHOT) if is_snapshot else 0
    out = [OrderBookDelta.clear(INSTRUMENT.id, 0, at, at)] if is_snapshot else []
    for side, levels in ((OrderSide.BUY, bids), (OrderSide.SELL, asks)):
        for price, size in levels:
            quantity = Quantity.from_str(size)
            action = BookAction.UPDATE if quantity > 0 else BookAction.DELETE
            order = BookOrder(side, Price(float(price), 1), quantity, 0)
            out.append(OrderBookDelta(INSTRUMENT.id, action, order, flags, 0, at, at))
    return out


def load(path, single):
    data, rows, is_synced = [], 0, False
    for at, frame in lines(path):
        body = frame.get("data", frame)
        if "lastUpdateId" in body:
            is_synced = True
            deltas = deltas_of(at, body["bids"], body["asks"], True)
            rows += len(deltas) - 1
        elif body.get("e") == "depthUpdate":
            if not is_synced:
                continue
            deltas = deltas_of(at, body["b"], body["a"], False)
            rows += len(deltas)
        elif body.get("e") == "trade":
            aggressor = AggressorSide.SELLER if body["m"] else AggressorSide.BUYER
            price, size = Price(float(body["p"]), 1), Quantity.from_str(body["q"])
            if size > 0:
                trade = TradeId(str(body["t"]))
                data.append(TradeTick(INSTRUMENT.id, price, size, aggressor, trade, at, at))
            rows += 1
            continue
        else:
            continue
        if not deltas:
            continue
        if single:
            data.extend(deltas)
        else:
            data.append(OrderBookDeltas(INSTRUMENT.id, deltas))
    return data, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--single", action="store_true", help="each level alone, not those of a frame together")
    args = parser.parse_args()
    begun = time.perf_counter()
    data, rows = load(args.recording, args.single)
    loaded = time.perf_counter() - begun

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=INSTRUMENT.id.venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(10_000, USDT)],
        book_type=BookType.L2_MBP,
        latency_model=LatencyModel(base_latency_nanos=LATENCY_NS),
        default_leverage=Decimal(5),
        trade_execution=True,
    )
    engine.add_instrument(INSTRUMENT)
    # It looks at the first of what it is given to learn the kind.
    trades = [one for one in data if isinstance(one, TradeTick)]
    engine.add_data([one for one in data if not isinstance(one, TradeTick)], sort=False)
    engine.add_data(trades, sort=True)
    rows_per_order = max(1, 2 * rows // args.requests)
    strategy = Resting(Config(instrument_id=INSTRUMENT.id, rows_per_order=rows_per_order))
    engine.add_strategy(strategy)
    begun = time.perf_counter()
    engine.run()
    ran = time.perf_counter() - begun
    result = {
        "rows": rows,
        "objects": len(data),
        "load_s": round(loaded, 3),
        "run_s": round(ran, 3),
        "requests": strategy.requests,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
