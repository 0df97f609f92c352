-- What was done with one record, and what one person did, is read along an index, from the latest on.
create index audit_by_document on audit (clinic, document, at);
create index audit_by_account on audit (clinic, account, at);
create index events_by_document on events (clinic, document, at);
create index events_by_account on events (clinic, account, at);
