-- When a sign-in began: some time it ends, even if it is used every day.
alter table refresh_tokens add column begun_at bigint not null default 0;

-- Of those from before it is known when they were used last, which is sixty days before they would end unused.
update refresh_tokens set begun_at = expires_at - 5184000000;
