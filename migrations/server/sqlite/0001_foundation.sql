-- The clinic is the first key column of everything that belongs to one, so that the data can be spread by it.
-- Accounts, devices, tokens and secrets stand above clinics: a person may work at several.

create table clinics (
    clinic blob not null primary key,
    name text not null,
    -- The feed number given out last. The row is the lock of the clinic's one writer. It begins at 1, because a
    -- device's cursor of 0 means that its first sync is not complete.
    head integer not null default 1
) strict, without rowid;

create table documents (
    clinic blob not null,
    id blob not null,
    kind integer not null,
    schema_version integer not null,
    -- A saved document, then change chunks that were appended since.
    bytes blob not null,
    -- How many of the bytes are the saved document.
    base integer not null,
    heads blob not null,
    -- The highest operation counter in the document.
    max_op integer not null,
    projection blob not null,
    projection_version integer not null,
    -- When somebody will want it: the start of an appointment or visit, in milliseconds.
    needed_at integer,
    primary key (clinic, id)
) strict;
create index documents_needed on documents (clinic, needed_at) where needed_at is not null;

-- Who may read a document now.
create table audience (
    clinic blob not null,
    feed blob not null,
    document blob not null,
    primary key (clinic, feed, document)
) strict, without rowid;

create table changes (
    clinic blob not null,
    number integer not null,
    position integer not null,
    document blob not null,
    hash blob not null,
    actor blob not null,
    seq integer not null,
    account blob not null,
    device blob not null,
    accepted_at integer not null,
    bytes blob not null,
    primary key (clinic, number, position)
) strict;
create unique index changes_by_actor on changes (clinic, document, actor, seq);

create table feed (
    clinic blob not null,
    feed blob not null,
    number integer not null,
    document blob not null,
    -- 0 changes of that number, 1 the whole document (newly readable), 2 not readable any more
    what integer not null,
    -- About how many bytes a page needs for it.
    size integer not null,
    primary key (clinic, feed, number)
) strict, without rowid;

-- Whose an Automerge actor is: bound at first sight, for good.
create table actors (
    clinic blob not null,
    actor blob not null,
    account blob not null,
    device blob not null,
    primary key (clinic, actor)
) strict, without rowid;

create table audit (
    clinic blob not null,
    number integer not null,
    position integer not null,
    account blob not null,
    device blob not null,
    document blob not null,
    verb text not null,
    at integer not null,
    primary key (clinic, number, position)
) strict, without rowid;

create table accounts (
    account blob not null primary key,
    email text not null unique,
    full_name text not null,
    password_hash text not null
) strict, without rowid;

create table memberships (
    clinic blob not null,
    account blob not null,
    -- Words, separated by blanks.
    roles text not null,
    client blob,
    primary key (clinic, account)
) strict, without rowid;
create index memberships_by_account on memberships (account);

create table devices (
    account blob not null,
    device blob not null,
    name text not null,
    first_seen integer not null,
    last_seen integer not null,
    primary key (account, device)
) strict, without rowid;

create table refresh_tokens (
    -- SHA-256 of the token: who reads this table cannot sign in with it.
    hash blob not null primary key,
    family blob not null,
    account blob not null,
    clinic blob not null,
    device blob not null,
    expires_at integer not null,
    rotated_at integer
) strict, without rowid;
create index refresh_tokens_by_family on refresh_tokens (family);

create table secrets (
    name text not null primary key,
    value blob not null
) strict, without rowid;

-- The sign-ins of a demonstration clinic, to be shown at start; no row for a real clinic.
create table demonstration_accounts (
    clinic blob not null,
    position integer not null,
    email text not null,
    full_name text not null,
    roles text not null,
    password text not null,
    primary key (clinic, position)
) strict, without rowid;
