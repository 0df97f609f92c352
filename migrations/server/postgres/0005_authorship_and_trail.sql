-- The trail is chained: each row is hashed with the link before it (`sync-server/src/trail/chain.rs`).
alter table audit add column link bytea;
create index audit_by_time on audit (clinic, at);
-- The last link of what was written, apart from the rows, so that an end that was cut off shows.
alter table clinics add column written bytea;
-- Rows up to this number are older than the chain.
alter table clinics add column chained_after bigint not null default 0;
update clinics set chained_after = head;
-- Compacted rows have a chain of their own, which ends with `runs`; the others go on from `joint`, the last link of a row
-- that compaction took.
alter table compaction add column runs bytea;
alter table compaction add column joint bytea;

-- What happened at a clinic beside writing: sign-ins, refusals, reads of records.
create table events (
    clinic uuid not null,
    number bigint not null,
    at bigint not null,
    account uuid,
    device uuid,
    document uuid,
    what text not null,
    -- A JSON object, without personal data.
    detail text not null,
    link bytea not null,
    primary key (clinic, number)
);
create index events_by_time on events (clinic, at);

create table event_ends (
    clinic uuid not null primary key,
    events bigint not null,
    happened bytea
);
