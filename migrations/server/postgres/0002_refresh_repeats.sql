-- What a used refresh token was replaced by, so that a device whose answer got lost may ask once more.
alter table refresh_tokens add column successor bytea;
-- For forgetting the stale ones.
create index refresh_tokens_by_expiry on refresh_tokens (expires_at);
create index refresh_tokens_by_rotation on refresh_tokens (rotated_at) where rotated_at is not null;
