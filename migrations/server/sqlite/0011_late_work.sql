-- Work of people whose rights had ended when it arrived, for the clinic's administrators to decide about.
create table late_work (
    -- In the order in which it arrived.
    number integer primary key autoincrement,
    clinic blob not null,
    -- Of the change.
    hash blob not null,
    account blob not null,
    -- Who handed it in, if it was not its author, who had left by then.
    brought_by blob,
    device blob not null,
    kind integer not null,
    document blob not null,
    -- Sealed.
    change blob not null,
    -- Sealed: what was asked for, as devices write it.
    command blob not null,
    made_at integer not null,
    received_at integer not null,
    decided_at integer,
    decided_by blob,
    -- Whether it was done again; let go otherwise.
    taken integer,
    -- Sealed: why it was let go.
    reason blob,
    unique (clinic, hash)
) strict;
create index late_work_open on late_work (clinic, number) where decided_at is null;
create index late_work_by_author on late_work (clinic, account) where decided_at is null;
