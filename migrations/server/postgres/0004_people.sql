-- How people come to a clinic, change what they are there, and go; their devices; and the mails that tell them.

alter table clinics add column created_at bigint not null default 0;

-- Nobody has two accounts for want of a capital letter.
alter table accounts drop constraint accounts_email_key;
create unique index accounts_by_email on accounts (lower(email));
-- Whether a mail to the address was answered.
alter table accounts add column verified boolean not null default false;
-- An address that waits for its mail to be answered.
alter table accounts add column new_email text;

-- Links of mails that do something to an account, each once.
create table links (
    -- SHA-256 of the token in the link.
    hash bytea not null primary key,
    account uuid not null,
    -- 0 a new password, 1 an address
    purpose smallint not null,
    -- The address that the mail went to.
    email text not null,
    expires_at bigint not null
);
create index links_by_account on links (account, purpose);
create index links_by_expiry on links (expires_at);

create table invitations (
    clinic uuid not null,
    id uuid not null,
    -- What the account will be called unless the address has one by then.
    account uuid not null,
    email text not null,
    full_name text not null,
    roles text not null,
    client uuid,
    -- Nobody of the clinic for its first administrator's.
    invited_by uuid,
    invited_by_name text not null,
    invited_at bigint not null,
    expires_at bigint not null,
    -- SHA-256 of the token in the link.
    token bytea not null,
    mail uuid,
    -- When it was taken up or withdrawn.
    closed_at bigint,
    primary key (clinic, id)
);
create unique index invitations_by_token on invitations (clinic, token);

-- A device goes by the name that its person gave it, also after the next sign-in.
alter table devices add column named boolean not null default false;

create table lost_devices (
    device uuid not null primary key,
    lost_at bigint not null,
    reported_by uuid not null,
    -- When it said that its records are gone.
    purged_at bigint
);
create index refresh_tokens_by_device on refresh_tokens (device);
create index refresh_tokens_by_account on refresh_tokens (account, clinic);

-- Mails that wait, written together with what they tell of. What is settled keeps no words: links are secrets.
create table mails (
    mail uuid not null primary key,
    recipient text not null,
    recipient_name text not null,
    subject text not null,
    plain text not null,
    html text not null,
    due_at bigint not null,
    attempts integer not null default 0,
    -- Until then a node is at it.
    leased_until bigint not null default 0,
    settled_at bigint,
    -- Whether the mail server took it; it refused it otherwise.
    sent boolean not null default false
);
create index mails_waiting on mails (due_at) where settled_at is null;
