-- The clinic is the first key column of everything that belongs to one, so that the data can be spread by it.
-- Accounts, devices, tokens and secrets stand above clinics: a person may work at several.

create table clinics (
    clinic uuid not null primary key,
    name text not null,
    -- The feed number given out last. The row is the lock of the clinic's one writer. It begins at 1, because a
    -- device's cursor of 0 means that its first sync is not complete.
    head bigint not null default 1
);

create table documents (
    clinic uuid not null,
    id uuid not null,
    kind smallint not null,
    schema_version integer not null,
    -- A saved document, then change chunks that were appended since.
    bytes bytea not null,
    -- How many of the bytes are the saved document.
    base integer not null,
    heads bytea not null,
    -- The highest operation counter in the document.
    max_op bigint not null,
    projection bytea not null,
    projection_version integer not null,
    -- When somebody will want it: the start of an appointment or visit, in milliseconds.
    needed_at bigint,
    primary key (clinic, id)
);
create index documents_needed on documents (clinic, needed_at) where needed_at is not null;

-- Who may read a document now.
create table audience (
    clinic uuid not null,
    feed bytea not null,
    document uuid not null,
    primary key (clinic, feed, document)
);

create table changes (
    clinic uuid not null,
    number bigint not null,
    position integer not null,
    document uuid not null,
    hash bytea not null,
    actor bytea not null,
    seq bigint not null,
    account uuid not null,
    device uuid not null,
    accepted_at bigint not null,
    bytes bytea not null,
    primary key (clinic, number, position)
);
create unique index changes_by_actor on changes (clinic, document, actor, seq);

create table feed (
    clinic uuid not null,
    feed bytea not null,
    number bigint not null,
    document uuid not null,
    -- 0 changes of that number, 1 the whole document (newly readable), 2 not readable any more
    what smallint not null,
    -- About how many bytes a page needs for it.
    size integer not null,
    primary key (clinic, feed, number)
);

-- Whose an Automerge actor is: bound at first sight, for good.
create table actors (
    clinic uuid not null,
    actor bytea not null,
    account uuid not null,
    device uuid not null,
    primary key (clinic, actor)
);

create table audit (
    clinic uuid not null,
    number bigint not null,
    position integer not null,
    account uuid not null,
    device uuid not null,
    document uuid not null,
    verb text not null,
    at bigint not null,
    primary key (clinic, number, position)
);

create table accounts (
    account uuid not null primary key,
    email text not null unique,
    full_name text not null,
    password_hash text not null
);

create table memberships (
    clinic uuid not null,
    account uuid not null,
    -- Words, separated by blanks.
    roles text not null,
    client uuid,
    primary key (clinic, account)
);
create index memberships_by_account on memberships (account);

create table devices (
    account uuid not null,
    device uuid not null,
    name text not null,
    first_seen bigint not null,
    last_seen bigint not null,
    primary key (account, device)
);

create table refresh_tokens (
    -- SHA-256 of the token: who reads this table cannot sign in with it.
    hash bytea not null primary key,
    family uuid not null,
    account uuid not null,
    clinic uuid not null,
    device uuid not null,
    expires_at bigint not null,
    rotated_at bigint
);
create index refresh_tokens_by_family on refresh_tokens (family);

create table secrets (
    name text not null primary key,
    value bytea not null
);

-- The sign-ins of a demonstration clinic, to be shown at start; no row for a real clinic.
create table demonstration_accounts (
    clinic uuid not null,
    position integer not null,
    email text not null,
    full_name text not null,
    roles text not null,
    password text not null,
    primary key (clinic, position)
);
