//! A database of a build that left names and addresses readable: they are sealed when it is opened, whoever is killed
//! over it, and nothing readable is left.

use crate::at_rest::everything;
use crate::database::{Database, Engine, MASTER_KEY, connect_to};
use crate::morning::on_both;
use crate::practice::{come_in, fresh_id, refresh_token};
use crate::process::BINARY;
use crate::sealed_people::{EMAIL, count, readable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use rusqlite::Connection;
use shared_model::ids::{AccountId, ClinicId, DeviceId, InvitationId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use sqlx::Row;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use sync_server::identity::random;
use sync_server::storage::people::{LinkPurpose, Profile};
use sync_server::storage::{NewClinic, Storage};
use uuid::Uuid;

on_both! {
    what_was_readable_is_sealed_and_as_it_was
    whoever_is_killed_over_it_has_lost_nothing
    two_who_begin_at_the_same_moment
}

const OLD: [&str; 7] = [
    "accounts",
    "devices",
    "links",
    "invitations",
    "mails",
    "identities",
    "passkeys",
];

/// What of a migration made these tables.
fn made_by(migration: &str) -> String {
    let without_comments: Vec<&str> = migration
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect();
    let is_about = |statement: &&str| {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let table = match words.as_slice() {
            ["create" | "alter", "table", table, ..]
            | ["create", "index", _, "on", table, ..]
            | ["create", "unique", "index", _, "on", table, ..] => table,
            _ => return false,
        };
        OLD.contains(table)
    };
    let statements = without_comments.join("\n");
    let kept: Vec<String> = statements
        .split(';')
        .filter(is_about)
        .map(|statement| format!("{statement};"))
        .collect();
    kept.concat()
}

macro_rules! migration {
    ($engine:expr, $name:literal) => {
        match $engine {
            Engine::Sqlite => include_str!(concat!("../../../migrations/server/sqlite/", $name)),
            Engine::Postgres => include_str!(concat!("../../../migrations/server/postgres/", $name)),
        }
    };
}

/// As a build of before left it: one person of whom there is everything, an invitation and a mail that waits.
struct Before {
    engine: Engine,
    database: Database,
    clinic: ClinicId,
    account: AccountId,
    device: DeviceId,
    link: [u8; 32],
    invitation: [u8; 32],
    credential: [u8; 8],
}

impl Before {
    async fn new(engine: Engine) -> Self {
        let database = Database::new(engine).await;
        let storage = database.open().await;
        let clinic = fresh_id(ClinicId);
        let new = NewClinic {
            clinic,
            name: "Practice".to_owned(),
            created_at: Timestamp(1),
            accounts: Vec::new(),
            demonstration: Vec::new(),
        };
        storage.create_clinic(new).await.unwrap();
        drop(storage);
        let drop_all: String = OLD
            .iter()
            .chain(&["person_keys"])
            .map(|table| format!("drop table {table};"))
            .collect();
        let made = [
            migration!(engine, "0001_foundation.sql"),
            migration!(engine, "0004_people.sql"),
            migration!(engine, "0010_ways_in.sql"),
            migration!(engine, "0013_second_factors.sql"),
        ]
        .map(made_by)
        .concat();
        database.run(&format!("{drop_all}{made}")).await;
        database.run(migration!(engine, "0014_sealed_people.sql")).await;
        let before = Self {
            engine,
            database,
            clinic,
            account: fresh_id(AccountId),
            device: fresh_id(DeviceId),
            link: random(),
            invitation: random(),
            credential: random(),
        };
        before.fill().await;
        before
    }

    fn id(&self, id: Uuid) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.simple()),
            Engine::Postgres => format!("'{id}'"),
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{}'", hex(bytes)),
            Engine::Postgres => format!("'\\x{}'", hex(bytes)),
        }
    }

    async fn fill(&self) {
        let yes = match self.engine {
            Engine::Sqlite => "1",
            Engine::Postgres => "true",
        };
        let (account, clinic) = (self.id(self.account.0), self.id(self.clinic.0));
        let profile = serde_json::to_vec(&Profile {
            email: Some("q@gurgelbach.example".to_owned()),
            name: Some("Quirina U.".to_owned()),
        })
        .expect("JSON");
        let profile = self
            .sealed_by_the_server("profile https://accounts.acme.example sub-7", &profile)
            .await;
        let public_key = format!("passkey {}", hex(&self.credential));
        let public_key = self.sealed_by_the_server(&public_key, b"a key").await;
        let fresh = || self.id(Uuid::from_bytes(random()));
        let rows = [
            format!(
                "insert into accounts (account, email, full_name, password_hash, verified, new_email)
                 values ({account}, '{EMAIL}', 'Quirina Unterberg', 'hash', {yes}, 'neue-adresse@kleinhausen.example')"
            ),
            format!("insert into memberships (clinic, account, roles) values ({clinic}, {account}, 'veterinarian')"),
            format!(
                "insert into devices (account, device, name, first_seen, last_seen, named)
                 values ({account}, {}, 'Quirinas Telefon', 3, 4, {yes})",
                self.id(self.device.0)
            ),
            // Of an account that is not there.
            format!(
                "insert into devices (account, device, name, first_seen, last_seen)
                 values ({}, {}, 'Xavers Telefon', 3, 4)",
                fresh(),
                fresh()
            ),
            format!(
                "insert into links (hash, account, purpose, email, expires_at)
                 values ({}, {account}, 1, 'neue-adresse@kleinhausen.example', 1000000)",
                self.bytes(&self.link)
            ),
            format!(
                "insert into invitations (clinic, id, account, email, full_name, roles, invited_by, invited_by_name,
                     invited_at, expires_at, token)
                 values ({clinic}, {}, {}, 'xaver@oberfeld.example', 'Xaver Zweigl', 'technician', {account},
                     'Quirina Unterberg', 10, 1000000, {})",
                fresh(),
                fresh(),
                self.bytes(&self.invitation)
            ),
            format!(
                "insert into mails (mail, recipient, recipient_name, subject, plain, html, due_at, attempts)
                 values ({}, 'xaver@oberfeld.example', 'Xaver Zweigl', 'Come', 'says Quirina', '<p>Quirina</p>', 10, 2)",
                fresh()
            ),
            format!(
                "insert into mails (mail, recipient, recipient_name, subject, plain, html, due_at, settled_at, sent)
                 values ({}, '{EMAIL}', 'Quirina Unterberg', '', '', '', 10, 20, {yes})",
                fresh()
            ),
            format!(
                "insert into identities (issuer, subject, identity, account, linked_at, profile, updated_at)
                 values ('https://accounts.acme.example', 'sub-7', {}, {account}, 5, {}, 6)",
                fresh(),
                self.bytes(&profile)
            ),
            format!(
                "insert into passkeys (credential, account, passkey, name, created_at, public_key)
                 values ({}, {account}, {}, 'Quirinas Schlüsselbund', 7, {})",
                self.bytes(&self.credential),
                fresh(),
                self.bytes(&public_key)
            ),
        ];
        self.database
            .run(&rows.map(|row| format!("{row};")).concat())
            .await;
    }

    /// As that build sealed a small value of no clinic.
    async fn sealed_by_the_server(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let wrapped: Vec<u8> = match &self.database {
            Database::Sqlite(folder) => Connection::open(folder.path().join("clinic.db"))
                .and_then(|connection| {
                    let sql = "select wrapped from clinic_keys where clinic = zeroblob(16)";
                    connection.query_row(sql, [], |row| row.get(0))
                })
                .expect("a key"),
            Database::Postgres(url) => sqlx::query("select wrapped from clinic_keys where clinic = $1")
                .bind(Uuid::nil())
                .fetch_one(&mut connect_to(url).await)
                .await
                .expect("a key")
                .get(0),
        };
        let master = STANDARD.decode(MASTER_KEY).expect("base64");
        let place_of_key = [
            b"key of sealed trails ".as_slice(),
            &[0; 16],
            &1_u32.to_be_bytes(),
        ]
        .concat();
        // The master key's name, the form, the nonce, the key, and the tag.
        let (nonce, rest) = wrapped[9..].split_at(24);
        let (sealed, tag) = rest.split_at(32);
        let mut key = sealed.to_vec();
        cipher(&master)
            .decrypt_inout_detached(
                &nonce.try_into().expect("a nonce"),
                &place_of_key,
                key.as_mut_slice().into(),
                &tag.try_into().expect("a tag"),
            )
            .expect("it opens");
        let nonce: [u8; 24] = random();
        let mut sealed = plain.to_vec();
        let tag = cipher(&key)
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                place.as_bytes(),
                sealed.as_mut_slice().into(),
            )
            .expect("sealed");
        [&1_u32.to_be_bytes()[..], &[1], &nonce, &sealed, &tag].concat()
    }

    /// Everything is as it was, and nothing of it can be read.
    async fn is_sealed(&self) {
        let storage = self.database.open().await;
        self.is_told_as_it_was(storage.as_ref()).await;
        drop(storage);
        assert_eq!(readable(&self.database).await, <[&str; 0]>::default());
        let left = match self.engine {
            Engine::Sqlite => {
                "select count(*) from sqlite_master where name like 'sealed%' or name = 'unswept'"
            }
            Engine::Postgres => {
                "select count(*) from information_schema.tables where table_schema = 'public'
                 and table_name like 'sealed%'"
            }
        };
        assert_eq!(count(&self.database, left).await, 0, "nothing is left to do");
    }

    async fn is_told_as_it_was(&self, storage: &dyn Storage) {
        let people = storage.people();
        let found = people
            .account_by_email("quirina.unterberg@KLEINHAUSEN.example")
            .await;
        let account = found.unwrap().expect("found");
        assert_eq!(
            (
                account.account,
                account.email.as_str(),
                account.full_name.as_str()
            ),
            (self.account, EMAIL, "Quirina Unterberg")
        );
        assert_eq!(
            (account.password_hash.as_str(), account.email_verified),
            ("hash", true)
        );
        assert_eq!(
            account.new_email.as_deref(),
            Some("neue-adresse@kleinhausen.example")
        );
        let devices = people.devices(self.account, Timestamp(20)).await.unwrap();
        assert_eq!(
            (devices.len(), devices[0].device, devices[0].name.as_str()),
            (1, self.device, "Quirinas Telefon")
        );
        let token = refresh_token((self.account, self.clinic, self.device), (5, 1 << 50));
        come_in(storage, token, "Web browser").await;
        let devices = people.devices(self.account, Timestamp(20)).await.unwrap();
        assert_eq!(devices[0].name, "Quirinas Telefon", "she gave it that name");
        let link = people
            .link(self.link, LinkPurpose::ConfirmEmail, Timestamp(20))
            .await;
        assert_eq!(
            link.unwrap().expect("open").email,
            "neue-adresse@kleinhausen.example"
        );
        let invited = people
            .invitation_of_link(self.clinic, self.invitation, Timestamp(20))
            .await;
        let invited = invited.unwrap().expect("open");
        assert!(!invited.has_account);
        let invited = invited.invitation;
        assert_eq!(
            (
                invited.email.as_str(),
                invited.full_name.as_str(),
                invited.invited_by.as_str()
            ),
            ("xaver@oberfeld.example", "Xaver Zweigl", "Quirina Unterberg")
        );
        assert_eq!((invited.roles, invited.id), (vec![Role::Technician], invited.id));
        let identity = people.identity("https://accounts.acme.example", "sub-7").await;
        let identity = identity.unwrap().expect("linked");
        assert_eq!(identity.account, self.account);
        assert_eq!(identity.identity.profile.name.as_deref(), Some("Quirina U."));
        let (holder, passkey) = people.passkey(&self.credential).await.unwrap().expect("hers");
        assert_eq!(
            (holder, passkey.name.as_str(), passkey.public_key.as_slice()),
            (self.account, "Quirinas Schlüsselbund", &b"a key"[..])
        );
        let leased = people
            .lease_mails(Timestamp(10), Timestamp(10), 10)
            .await
            .unwrap();
        assert_eq!(leased.len(), 1, "what is settled is not sent");
        let mail = &leased[0].mail;
        assert_eq!(
            (
                mail.recipient.as_str(),
                mail.recipient_name.as_str(),
                mail.plain.as_str()
            ),
            ("xaver@oberfeld.example", "Xaver Zweigl", "says Quirina")
        );
        assert!(leased[0].attempts > 2);
    }

    /// The server's binary, brought to this build's form by itself.
    fn migrating(&self) -> Command {
        let mut command = Command::new(BINARY);
        match &self.database {
            Database::Sqlite(folder) => command.arg("--data").arg(folder.path()),
            Database::Postgres(url) => command.args(["--database-url", url]),
        };
        command
            .arg("migrate")
            .env_remove("DATABASE_URL")
            .env("MASTER_KEY", MASTER_KEY)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

fn cipher(key: &[u8]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new_from_slice(key).expect("256 bits")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn what_was_readable_is_sealed_and_as_it_was(engine: Engine) {
    let before = Before::new(engine).await;
    assert!(!readable(&before.database).await.is_empty(), "it was readable");
    before.is_sealed().await;
    before.is_sealed().await;
    // An account made from then on is as any other.
    let storage = before.database.open().await;
    crate::practice::found_clinic(&storage, fresh_id(ClinicId), "later").await;
    let later = storage.people().account_by_email("laterVet@example.org").await;
    assert!(later.unwrap().is_some());
    let invitation = fresh_id(InvitationId);
    assert!(
        storage
            .people()
            .invitation(before.clinic, invitation)
            .await
            .unwrap()
            .is_none()
    );
}

async fn whoever_is_killed_over_it_has_lost_nothing(engine: Engine) {
    let before = Before::new(engine).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    // Each time in the middle of it: all accounts are sealed, and the last table is not.
    match &before.database {
        Database::Sqlite(folder) => {
            // Counting these takes years.
            let endless = "create trigger stop before insert on sealed_passkeys begin
                select count(*) from sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d,
                    sqlite_master e, sqlite_master f, sqlite_master g, sqlite_master h;
                end";
            before.database.run(endless).await;
            let mut killed = before.migrating().spawn().expect("it runs");
            let probe = Connection::open(folder.path().join("clinic.db")).expect("opens");
            probe.busy_timeout(Duration::ZERO).expect("set");
            let mut busy = 0;
            while busy < 100 {
                assert!(Instant::now() < deadline, "it did not come so far");
                let is_free = probe.execute_batch("begin immediate; rollback").is_ok();
                busy = if is_free { 0 } else { busy + 1 };
                std::thread::sleep(Duration::from_millis(5));
            }
            killed.kill().expect("it was running");
            killed.wait().expect("it ended");
            drop(probe);
            before.database.run("drop trigger stop").await;
        }
        Database::Postgres(url) => {
            let mut holder = connect_to(url).await;
            sqlx::raw_sql("begin; lock table sealed_passkeys in exclusive mode")
                .execute(&mut holder)
                .await
                .expect("held");
            let mut killed = before.migrating().spawn().expect("it runs");
            let waits = "select count(*) from pg_stat_activity where datname = current_database()
                         and wait_event_type = 'Lock' and query like '%sealed_passkeys%'";
            while count(&before.database, waits).await == 0 {
                assert!(Instant::now() < deadline, "it did not come so far");
                tokio::task::yield_now().await;
            }
            killed.kill().expect("it was running");
            killed.wait().expect("it ended");
            drop(holder);
        }
    }
    assert_eq!(
        count(&before.database, "select count(*) from sealed_accounts").await,
        0
    );
    assert_eq!(
        count(
            &before.database,
            "select count(*) from accounts where full_name = 'Quirina Unterberg'"
        )
        .await,
        1,
        "as it was"
    );
    before.is_sealed().await;
}

async fn two_who_begin_at_the_same_moment(engine: Engine) {
    let before = Before::new(engine).await;
    let both = [before.migrating().spawn(), before.migrating().spawn()];
    let mut ended = Vec::new();
    for migrating in both {
        ended.push(migrating.expect("it runs").wait().expect("it ended").success());
    }
    assert_eq!(ended, [true, true]);
    before.is_sealed().await;
}

/// Killed between the sealing and the sweeping: what was readable lies in free pages still.
#[tokio::test]
async fn free_pages_are_swept_however_late() {
    let database = Database::new(Engine::Sqlite).await;
    drop(database.open().await);
    database
        .run(
            "pragma secure_delete = off; create table readable (words text);
             insert into readable with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000)
                 select 'Quirina Unterberg' || i from n;",
        )
        .await;
    database
        .run("pragma secure_delete = off; drop table readable; create table unswept (since integer);")
        .await;
    let is_there = async || {
        let all = everything(&database).await;
        all.windows(17).any(|window| window == b"Quirina Unterberg")
    };
    assert!(is_there().await, "in free pages");
    drop(database.open().await);
    assert!(!is_there().await);
    let left = "select count(*) from sqlite_master where name = 'unswept'";
    assert_eq!(count(&database, left).await, 0);
}
