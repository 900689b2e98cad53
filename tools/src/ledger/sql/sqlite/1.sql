-- Version 1. Amounts, prices and quantities are whole numbers of 1e-8, basis points of 1e-4; times are ns since 1970, UTC.
create table journals (
    id text not null primary key,
    session integer not null,
    created_ts integer not null,
    config_digest text not null,
    seed text not null,
    profile text not null,
    opening integer not null,
    build_version text not null,
    build_commit text not null
) strict, without rowid;
create table strategies (
    journal text not null references journals (id),
    id integer not null,
    name text not null,
    version text not null,
    primary key (journal, id)
) strict, without rowid;
create table symbols (
    journal text not null references journals (id),
    id integer not null,
    name text not null,
    primary key (journal, id)
) strict, without rowid;
-- How far a journal is written: every row up to event seq, in the transaction that wrote the last of them.
create table progress (
    journal text not null primary key references journals (id),
    session integer not null,
    seq integer not null,
    ts integer not null,
    row_count integer not null,
    row_digest text not null,
    wallet integer not null,
    unrealized integer
) strict, without rowid;
-- Executions.
create table trades (
    journal text not null references journals (id),
    session integer not null,
    seq integer not null,
    idx integer not null,
    ts integer not null,
    venue_ts integer not null,
    order_id text not null,
    strategy integer not null,
    symbol integer not null,
    leg text not null,
    side text not null,
    qty integer not null,
    quote integer not null,
    fee integer not null,
    liquidity text not null,
    payer_seq integer not null,
    realized integer not null,
    incident integer not null check (incident in (0, 1)),
    primary key (journal, session, seq, idx)
) strict, without rowid;
-- Lines of the ledger: those of one event add up to zero.
create table postings (
    journal text not null references journals (id),
    session integer not null,
    seq integer not null,
    idx integer not null,
    line integer not null,
    ts integer not null,
    kind text not null,
    strategy integer,
    symbol integer,
    leg text not null,
    order_id text,
    amount integer not null,
    incident integer not null check (incident in (0, 1)),
    primary key (journal, session, seq, idx)
) strict, without rowid;
-- Positions that were closed; seq is the event that closed them.
create table positions (
    journal text not null references journals (id),
    session integer not null,
    seq integer not null,
    idx integer not null,
    n integer not null,
    strategy integer not null,
    symbol integer not null,
    leg text not null,
    side text not null,
    qty_max integer not null,
    qty integer not null,
    entry_seq integer not null,
    entry_ts integer not null,
    exit_ts integer not null,
    entry_tick integer not null,
    exit_tick integer not null,
    entry_price integer not null,
    exit_price integer not null,
    exit_path text not null,
    realized integer not null,
    fees integer not null,
    funding integer not null,
    max_adverse_bps integer not null,
    max_favorable_bps integer not null,
    slippage_bps integer,
    incident integer not null check (incident in (0, 1)),
    primary key (journal, session, seq, idx)
) strict, without rowid;
-- The ledger's wallet beside the venue's.
create table reconciliations (
    journal text not null references journals (id),
    session integer not null,
    seq integer not null,
    idx integer not null,
    ts integer not null,
    venue_ts integer not null,
    ledger integer not null,
    venue integer not null,
    outcome text not null,
    primary key (journal, session, seq, idx)
) strict, without rowid;
-- What is open at the watermark: replaced with each batch.
create table open_positions (
    journal text not null references journals (id),
    session integer not null,
    seq integer not null,
    idx integer not null,
    strategy integer not null,
    symbol integer not null,
    leg text not null,
    qty integer not null,
    cost integer not null,
    mark integer,
    unrealized integer,
    entry_seq integer not null,
    entry_ts integer not null,
    max_adverse_bps integer not null,
    max_favorable_bps integer not null,
    primary key (journal, session, seq, idx)
) strict, without rowid;
