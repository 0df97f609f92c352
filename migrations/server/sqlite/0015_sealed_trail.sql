-- The ends of a clinic's chains are sealed with a key that the master key wraps (`sync-server/src/trail/ends.rs`). The seals
-- of clinics that are there already are made when the database is opened (`storage/sqlite/seal_trails.rs`).
alter table clinics add column seal blob;
alter table compaction add column seal blob;
alter table event_ends add column seal blob;
-- Rows and events up to these numbers are from before there were seals.
alter table clinics add column sealed_after integer not null default 0;
alter table event_ends add column sealed_after integer not null default 0;
-- How many events there were when a row was written. Such a row is linked with the last of them and with its own changes; one
-- of before has none.
alter table audit add column events integer;

-- All clinics that there are, their ids one after the other in ascending order: one that is taken away is missed.
create table clinic_roll (
    one integer primary key check (one = 1),
    clinics blob not null,
    seal blob
) strict;

-- A node of before would write ends without their seals, which could not be told from tampering: it finds none to write.
alter table clinics rename column written to rows_end;
alter table event_ends rename column happened to events_end;
alter table compaction rename column joint to rows_joint;
