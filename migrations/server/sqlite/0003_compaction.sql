-- What is older than a clinic's horizon is kept once: the merged documents hold every change in their history, feeds
-- hold the last step of each document, and the trail says who did what from which device, when.
create table compaction (
    clinic blob not null primary key,
    -- The feed number up to which that is done.
    horizon integer not null
) strict, without rowid;

-- Beyond the horizon a row of the trail stands for a run of changes: how many, until when, and the hash of the last,
-- from which the document's history leads to each of them.
alter table audit add column changes integer;
alter table audit add column last_at integer;
alter table audit add column hash blob;

create index feed_by_document on feed (clinic, document);
-- A document knows the sequence numbers of its writers itself.
drop index changes_by_actor;
