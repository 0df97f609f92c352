//! Postgres: many clinics, many nodes. The clinic's row is the lock of its one writer, across nodes.
//!
//! Invariant: readers take the head first and read no number above it, so what they see is committed and complete.

mod accept;
mod accounts;
mod at_rest;
mod compact;
mod devices;
mod erasure;
mod factors;
mod feeds;
mod identity;
mod invitations;
mod late_work;
mod listen;
mod mail;
mod seal_people;
mod seal_trails;
mod trail;
mod ways_in;

use super::{StorageError, Stored};
use crate::at_rest::{AtRest, MasterKeys};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow, PgSslMode};
use sqlx::{Connection, Row, SqlStr};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const MIGRATIONS: [(i64, &str, &str); 14] = [
    (
        1,
        "foundation",
        include_str!("../../../../migrations/server/postgres/0001_foundation.sql"),
    ),
    (
        2,
        "refresh repeats",
        include_str!("../../../../migrations/server/postgres/0002_refresh_repeats.sql"),
    ),
    (
        3,
        "compaction",
        include_str!("../../../../migrations/server/postgres/0003_compaction.sql"),
    ),
    (
        4,
        "people",
        include_str!("../../../../migrations/server/postgres/0004_people.sql"),
    ),
    (
        5,
        "authorship and trail",
        include_str!("../../../../migrations/server/postgres/0005_authorship_and_trail.sql"),
    ),
    (
        6,
        "at rest",
        include_str!("../../../../migrations/server/postgres/0006_at_rest.sql"),
    ),
    (
        9,
        "signed changes",
        include_str!("../../../../migrations/server/postgres/0009_signed_changes.sql"),
    ),
    (
        10,
        "ways in",
        include_str!("../../../../migrations/server/postgres/0010_ways_in.sql"),
    ),
    (
        11,
        "late work",
        include_str!("../../../../migrations/server/postgres/0011_late_work.sql"),
    ),
    (
        12,
        "sign-ins end",
        include_str!("../../../../migrations/server/postgres/0012_sign_ins_end.sql"),
    ),
    (
        13,
        "second factors",
        include_str!("../../../../migrations/server/postgres/0013_second_factors.sql"),
    ),
    (
        14,
        "sealed people",
        include_str!("../../../../migrations/server/postgres/0014_sealed_people.sql"),
    ),
    (
        15,
        "sealed trail",
        include_str!("../../../../migrations/server/postgres/0015_sealed_trail.sql"),
    ),
    (
        16,
        "trail filters",
        include_str!("../../../../migrations/server/postgres/0016_trail_filters.sql"),
    ),
];
const CONNECTIONS: u32 = 16;
/// A request that cannot have a connection by then is told to come back.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);
/// A connection that was in use so shortly ago is taken as alive, which spares each request a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// A statement that waits for a lock longer than this gives up: its node has been cut off.
const SETTINGS: [(&str, &str); 3] = [
    ("lock_timeout", "10s"),
    ("statement_timeout", "60s"),
    ("idle_in_transaction_session_timeout", "60s"),
];

pub struct PostgresStorage {
    pool: PgPool,
    options: PgConnectOptions,
    at_rest: Arc<AtRest>,
    /// Tells this process's commits from those of others.
    node: Uuid,
}

impl PostgresStorage {
    /// Connects and brings the database to this build's form.
    pub async fn connect(url: &str, masters: MasterKeys) -> Stored<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("sync-server")
            .options(SETTINGS);
        if !is_private(&options) {
            tracing::warn!(
                "the database is elsewhere and its certificate is not checked: name sslmode=verify-full in its address"
            );
        }
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_WITHIN)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > TRUSTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await?;
        migrator()
            .run(&pool)
            .await
            .map_err(|error| StorageError::Failed(error.to_string()))?;
        let at_rest = Arc::new(AtRest::new(masters));
        seal_trails::seal_trails(&pool, &at_rest).await?;
        seal_people::seal_people(&pool, &at_rest).await?;
        Ok(Self {
            pool,
            options,
            at_rest,
            node: Uuid::from_bytes(crate::identity::random()),
        })
    }
}

/// Whether nobody on the way can read or alter what passes: the database is on this machine, or proves who it is.
fn is_private(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_here = options.get_socket().is_some() || host == "localhost" || is_loopback;
    is_here
        || matches!(
            options.get_ssl_mode(),
            PgSslMode::VerifyCa | PgSslMode::VerifyFull
        )
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            SqlStr::from_static(sql),
            false,
        )
    });
    Migrator::with_migrations(migrations.into())
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => true,
            // Connection exceptions, resources, operator intervention, lock not available, serialization, deadlock,
            // read-only after a failover: PostgreSQL, Appendix A.
            sqlx::Error::Database(cause) => cause.code().is_some_and(|code| {
                ["08", "53", "57", "40"]
                    .iter()
                    .any(|class| code.starts_with(class))
                    || ["55P03", "25006", "25P03"].contains(&&*code)
            }),
            _ => false,
        };
        if away {
            Self::Away(error.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }
}

/// A column of 16 bytes.
fn id<T>(row: &PgRow, column: usize, make: impl Fn(Uuid) -> T) -> Stored<T> {
    Ok(make(row.try_get(column)?))
}

/// A column that counts without a sign.
fn count(row: &PgRow, column: usize) -> Stored<u64> {
    Ok(super::unsigned(row.try_get(column)?))
}

fn small(number: u16) -> i32 {
    i32::from(number)
}

fn from_small(number: i32) -> Stored<u16> {
    u16::try_from(number).map_err(|_| StorageError::Failed(format!("a version of {number}")))
}

fn length(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_ways_to_a_database_are_private() {
        let check = |address: &str, expected: bool| {
            let options = PgConnectOptions::from_str(address).expect("an address");
            assert_eq!(is_private(&options), expected, "{address}");
        };
        check("postgres://localhost/clinic?sslmode=disable", true);
        check("postgres://127.0.0.1:5433/clinic?sslmode=prefer", true);
        check("postgres://[::1]/clinic?sslmode=disable", true);
        check(
            "postgres://%2Fvar%2Frun%2Fpostgresql/clinic?sslmode=disable",
            true,
        );
        check("postgres://db.example.org/clinic?sslmode=verify-full", true);
        check("postgres://db.example.org/clinic?sslmode=verify-ca", true);
        for mode in ["disable", "allow", "prefer", "require"] {
            check(&format!("postgres://db.example.org/clinic?sslmode={mode}"), false);
            check(&format!("postgres://10.0.0.5/clinic?sslmode={mode}"), false);
        }
    }
}
