-- Version 2: where the money came from, by name.
create view pnl as
select p.journal, p.session, s.name as strategy, y.name as symbol, p.leg, p.kind, p.incident,
    sum(p.amount) as amount, count(*) as postings
from postings p
left join strategies s on s.journal = p.journal and s.id = p.strategy
left join symbols y on y.journal = p.journal and y.id = p.symbol
group by p.journal, p.session, s.name, y.name, p.leg, p.kind, p.incident;
create index trades_ts on trades (ts);
create index positions_exit_ts on positions (exit_ts);
