-- Work of people whose rights had ended when it arrived, for the clinic's administrators to decide about.
create table late_work (
    clinic uuid not null,
    -- In the order in which it arrived.
    number bigint not null generated always as identity,
    -- Of the change.
    hash bytea not null,
    account uuid not null,
    -- Who handed it in, if it was not its author, who had left by then.
    brought_by uuid,
    device uuid not null,
    kind smallint not null,
    document uuid not null,
    -- Sealed.
    change bytea not null,
    -- Sealed: what was asked for, as devices write it.
    command bytea not null,
    made_at bigint not null,
    received_at bigint not null,
    decided_at bigint,
    decided_by uuid,
    -- Whether it was done again; let go otherwise.
    taken boolean,
    -- Sealed: why it was let go.
    reason bytea,
    primary key (clinic, hash)
);
create index late_work_open on late_work (clinic, number) where decided_at is null;
create index late_work_by_author on late_work (clinic, account) where decided_at is null;
