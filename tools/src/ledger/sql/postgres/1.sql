-- Version 1. Times are ns since 1970, UTC.
create table journals (
    id text not null primary key,
    session bigint not null,
    created_ts bigint not null,
    config_digest text not null,
    seed text not null,
    profile text not null,
    opening numeric(38, 8) not null,
    build_version text not null,
    build_commit text not null
);
create table strategies (
    journal text not null references journals (id),
    id bigint not null,
    name text not null,
    version text not null,
    primary key (journal, id)
);
create table symbols (
    journal text not null references journals (id),
    id bigint not null,
    name text not null,
    primary key (journal, id)
);
-- How far a journal is written: every row up to event seq, in the transaction that wrote the last of them.
create table progress (
    journal text not null primary key references journals (id),
    session bigint not null,
    seq bigint not null,
    ts bigint not null,
    row_count bigint not null,
    row_digest text not null,
    wallet numeric(38, 8) not null,
    unrealized numeric(38, 8)
);
-- Executions.
create table trades (
    journal text not null references journals (id),
    session bigint not null,
    seq bigint not null,
    idx bigint not null,
    ts bigint not null,
    venue_ts bigint not null,
    order_id text not null,
    strategy bigint not null,
    symbol bigint not null,
    leg text not null,
    side text not null,
    qty numeric(38, 8) not null,
    quote numeric(38, 8) not null,
    fee numeric(38, 8) not null,
    liquidity text not null,
    payer_seq bigint not null,
    realized numeric(38, 8) not null,
    incident boolean not null,
    primary key (journal, session, seq, idx)
);
-- Lines of the ledger: those of one event add up to zero.
create table postings (
    journal text not null references journals (id),
    session bigint not null,
    seq bigint not null,
    idx bigint not null,
    line bigint not null,
    ts bigint not null,
    kind text not null,
    strategy bigint,
    symbol bigint,
    leg text not null,
    order_id text,
    amount numeric(38, 8) not null,
    incident boolean not null,
    primary key (journal, session, seq, idx)
);
-- Positions that were closed; seq is the event that closed them.
create table positions (
    journal text not null references journals (id),
    session bigint not null,
    seq bigint not null,
    idx bigint not null,
    n bigint not null,
    strategy bigint not null,
    symbol bigint not null,
    leg text not null,
    side text not null,
    qty_max numeric(38, 8) not null,
    qty numeric(38, 8) not null,
    entry_seq bigint not null,
    entry_ts bigint not null,
    exit_ts bigint not null,
    entry_tick bigint not null,
    exit_tick bigint not null,
    entry_price numeric(38, 8) not null,
    exit_price numeric(38, 8) not null,
    exit_path text not null,
    realized numeric(38, 8) not null,
    fees numeric(38, 8) not null,
    funding numeric(38, 8) not null,
    max_adverse_bps numeric(38, 4) not null,
    max_favorable_bps numeric(38, 4) not null,
    slippage_bps numeric(38, 4),
    incident boolean not null,
    primary key (journal, session, seq, idx)
);
-- The ledger's wallet beside the venue's.
create table reconciliations (
    journal text not null references journals (id),
    session bigint not null,
    seq bigint not null,
    idx bigint not null,
    ts bigint not null,
    venue_ts bigint not null,
    ledger numeric(38, 8) not null,
    venue numeric(38, 8) not null,
    outcome text not null,
    primary key (journal, session, seq, idx)
);
-- What is open at the watermark: replaced with each batch.
create table open_positions (
    journal text not null references journals (id),
    session bigint not null,
    seq bigint not null,
    idx bigint not null,
    strategy bigint not null,
    symbol bigint not null,
    leg text not null,
    qty numeric(38, 8) not null,
    cost numeric(38, 8) not null,
    mark numeric(38, 8),
    unrealized numeric(38, 8),
    entry_seq bigint not null,
    entry_ts bigint not null,
    max_adverse_bps numeric(38, 4) not null,
    max_favorable_bps numeric(38, 4) not null,
    primary key (journal, session, seq, idx)
);
