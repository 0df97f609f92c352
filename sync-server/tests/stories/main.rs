//! The server as clinics meet it: real databases, real sockets, devices that write real documents.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
#![allow(unreachable_pub, reason = "the stories are their own and only users")]

mod authenticator;
mod browser;
mod database;
mod device;
mod guest;
mod http;
mod issuer;
mod letter_box;
mod load;
mod person;
mod practice;
mod process;

mod at_rest;
mod audience;
mod authorship;
mod automerge_repo;
mod bad_frames;
mod clinics;
mod compaction;
mod conformance;
mod conformance_of_people;
mod devices;
mod documents_over_http;
mod durability;
mod erasure;
mod invitations;
mod late_work;
mod limits;
mod log;
mod mail;
mod members;
mod memberships;
mod morning;
mod nodes;
mod openid;
mod openid_refusals;
mod passwords;
mod permissions;
mod quotas;
mod readable_people;
mod refusals;
mod sealed_people;
mod second_factor;
mod sign_in;
mod tampering;
mod tls;
mod trail;
mod trail_read;
mod web_client;
mod webhooks;
