//! Whoever has the database has nobody's name or address: what is told of people lies sealed, and they are found all the
//! same.

use crate::at_rest::everything;
use crate::database::{Database, Engine, connect_to};
use crate::morning::on_both;
use crate::practice::{come_in, found_clinic, fresh_id, refresh_token};
use rusqlite::Connection;
use shared_model::ids::{AccountId, ClinicId, DeviceId, InvitationId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use sqlx::Row;
use std::collections::BTreeSet;
use std::sync::Arc;
use sync_server::identity::random;
use sync_server::storage::people::{
    Added, Factor, LinkPurpose, MailOutcome, NewFactor, NewIdentity, NewInvitation, NewLink, NewMail,
    Profile, StoredPasskey,
};
use sync_server::storage::{NewAccount, NewClinic, Storage};
use uuid::Uuid;

on_both! {
    nobody_can_be_read_and_everybody_is_found
    every_column_is_decided_about
    what_is_settled_tells_nobody
}

/// A person of whom there is everything that there can be, and somebody whom they invite.
pub struct Quirina {
    pub account: AccountId,
    pub device: DeviceId,
    pub invitation: NewInvitation,
    pub identity: NewIdentity,
    pub credential: Vec<u8>,
}

pub const EMAIL: &str = "Quirina.Unterberg@kleinhausen.example";

/// What of it must be found nowhere, in lower case.
pub const WORDS: [&str; 9] = [
    "quirina",
    "unterberg",
    "kleinhausen",
    "neue-adresse",
    "xaver",
    "zweigl",
    "oberfeld",
    "gurgelbach",
    "acme.example",
];

pub fn mail(to: &str, words: &str) -> NewMail {
    NewMail {
        mail: Uuid::from_bytes(random()),
        recipient: to.to_owned(),
        recipient_name: "Xaver Zweigl".to_owned(),
        subject: format!("Quirina invites {to}"),
        plain: words.to_owned(),
        html: format!("<p>{words}</p>"),
        due_at: Timestamp(10),
    }
}

impl Quirina {
    /// At a clinic of her own, with a colleague as administrator.
    pub async fn at(storage: &Arc<dyn Storage>, clinic: ClinicId) -> Self {
        let (account, device) = (fresh_id(AccountId), fresh_id(DeviceId));
        let new = NewClinic {
            clinic,
            name: "Practice".to_owned(),
            created_at: Timestamp(1),
            accounts: vec![
                NewAccount {
                    account,
                    email: EMAIL.to_owned(),
                    full_name: "Quirina Unterberg".to_owned(),
                    password_hash: "hash".to_owned(),
                    roles: vec![Role::Veterinarian, Role::ClinicAdministrator],
                    client: None,
                },
                NewAccount {
                    account: fresh_id(AccountId),
                    email: format!("{}@elsewhere.example", clinic.0.simple()),
                    full_name: "Zoe".to_owned(),
                    password_hash: "hash".to_owned(),
                    roles: vec![Role::ClinicAdministrator],
                    client: None,
                },
            ],
            demonstration: Vec::new(),
        };
        storage.create_clinic(new).await.unwrap();
        let people = storage.people();
        let token = refresh_token((account, clinic, device), (5, 1 << 50));
        come_in(storage.as_ref(), token, "Quirinas Telefon").await;
        let link = NewLink {
            hash: random(),
            account,
            purpose: LinkPurpose::ConfirmEmail,
            email: "neue-adresse@kleinhausen.example".to_owned(),
            expires_at: Timestamp(1 << 50),
        };
        let told = mail("neue-adresse@kleinhausen.example", "Confirm, Quirina Unterberg");
        people.add_link(link, vec![told]).await.unwrap();
        let identity = NewIdentity {
            identity: Uuid::from_bytes(random()),
            issuer: "https://accounts.acme.example".to_owned(),
            subject: format!("quirina-77-{clinic}"),
            linked_at: Timestamp(6),
            profile: Profile {
                email: Some("q@gurgelbach.example".to_owned()),
                name: Some("Quirina U.".to_owned()),
            },
        };
        let linked = people
            .link_identity(account, identity.clone(), None)
            .await
            .unwrap();
        assert_eq!(linked.as_ref(), Some(&identity));
        let credential = random::<20>().to_vec();
        let passkey = StoredPasskey {
            passkey: Uuid::from_bytes(random()),
            credential: credential.clone(),
            name: "Quirinas Schlüsselbund".to_owned(),
            created_at: Timestamp(7),
            last_used: None,
            public_key: b"quirina's public key".to_vec(),
        };
        let new = NewFactor {
            only_first: false,
            account,
            factor: Factor::Passkey(passkey),
            recovery_codes: vec![random()],
            mail: None,
        };
        assert_eq!(people.add_factor(new).await.unwrap(), Added::WithCodes);
        let invitation = NewInvitation {
            clinic,
            id: fresh_id(InvitationId),
            account: fresh_id(AccountId),
            email: format!("xaver.{}@oberfeld.example", clinic.0.simple()),
            full_name: "Xaver Zweigl".to_owned(),
            roles: vec![Role::Technician],
            client: None,
            invited_by: Some(account),
            invited_by_name: "Quirina Unterberg".to_owned(),
            invited_at: Timestamp(10),
            expires_at: Timestamp(1 << 50),
            token: random(),
            mail: Some(mail("xaver@oberfeld.example", "Come, Xaver Zweigl, says Quirina")),
        };
        people.invite(invitation.clone()).await.unwrap().expect("kept");
        Self {
            account,
            device,
            invitation,
            identity,
            credential,
        }
    }

    /// She is found by whatever finds her, and everything is told as it was said.
    pub async fn is_there(&self, storage: &Arc<dyn Storage>) {
        let people = storage.people();
        let found = people
            .account_by_email(" QUIRINA.unterberg@Kleinhausen.example ")
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
            account.new_email.as_deref(),
            Some("neue-adresse@kleinhausen.example")
        );
        let clinic = self.invitation.clinic;
        let members = people.members(clinic).await.unwrap();
        let names: Vec<&str> = members.iter().map(|member| member.full_name.as_str()).collect();
        assert_eq!(names, ["Quirina Unterberg", "Zoe"]);
        assert_eq!((members[0].email.as_str(), members[0].devices), (EMAIL, 1));
        assert_eq!(
            storage.principals(self.account).await.unwrap()[0].name,
            "Quirina Unterberg"
        );
        let devices = people.devices(self.account, Timestamp(20)).await.unwrap();
        assert_eq!(devices[0].name, "Quirinas Telefon");
        let identity = people
            .identity(&self.identity.issuer, &self.identity.subject)
            .await;
        let identity = identity.unwrap().expect("linked");
        assert_eq!(
            (identity.account, identity.identity),
            (self.account, self.identity.clone())
        );
        let (holder, passkey) = people.passkey(&self.credential).await.unwrap().expect("hers");
        assert_eq!(
            (holder, passkey.name.as_str()),
            (self.account, "Quirinas Schlüsselbund")
        );
        let link = people.invitation_of_link(clinic, self.invitation.token, Timestamp(20));
        let invited = link.await.unwrap().expect("open").invitation;
        assert_eq!(
            (
                invited.email.as_str(),
                invited.full_name.as_str(),
                invited.invited_by.as_str()
            ),
            (
                self.invitation.email.as_str(),
                "Xaver Zweigl",
                "Quirina Unterberg"
            )
        );
    }
}

/// Which of the words can be read in the database.
pub async fn readable(database: &Database) -> Vec<&'static str> {
    let all = everything(database).await.to_ascii_lowercase();
    assert!(all.len() > 1_500, "it was looked at");
    let is_there = |word: &str| all.windows(word.len()).any(|window| window == word.as_bytes());
    WORDS.into_iter().filter(|word| is_there(word)).collect()
}

async fn nobody_can_be_read_and_everybody_is_found(engine: Engine) {
    let database = Database::new(engine).await;
    let storage = database.open().await;
    let quirina = Quirina::at(&storage, fresh_id(ClinicId)).await;
    quirina.is_there(&storage).await;
    assert_eq!(readable(&database).await, <[&str; 0]>::default());
    let people = storage.people();
    people
        .rename_account(quirina.account, "Quirina Gurgelbach")
        .await
        .unwrap();
    assert!(
        people
            .name_device(quirina.account, quirina.device, "Xavers Tablet")
            .await
            .unwrap()
    );
    let renamed = people.account(quirina.account).await.unwrap().expect("there");
    assert_eq!(renamed.full_name, "Quirina Gurgelbach");
    let leased = people
        .lease_mails(Timestamp(10), Timestamp(20), 10)
        .await
        .unwrap();
    let mut to: Vec<&str> = leased
        .iter()
        .map(|leased| leased.mail.recipient.as_str())
        .collect();
    to.sort_unstable();
    assert_eq!(to, ["neue-adresse@kleinhausen.example", "xaver@oberfeld.example"]);
    assert_eq!(readable(&database).await, <[&str; 0]>::default());
    drop(storage);
    let storage = database.open().await;
    let found = storage.people().account_by_email(EMAIL).await.unwrap();
    assert_eq!(found.expect("after a restart").account, quirina.account);
}

async fn what_is_settled_tells_nobody(engine: Engine) {
    let database = Database::new(engine).await;
    let storage = database.open().await;
    let quirina = Quirina::at(&storage, fresh_id(ClinicId)).await;
    let people = storage.people();
    for leased in people
        .lease_mails(Timestamp(10), Timestamp(20), 10)
        .await
        .unwrap()
    {
        let sent = MailOutcome::Sent { at: Timestamp(30) };
        people.settle_mail(leased.mail.mail, sent).await.unwrap();
    }
    assert_eq!(
        count(&database, "select count(*) from mails where letter is not null").await,
        0
    );
    assert_eq!(count(&database, "select count(*) from mails").await, 2);
    quirina.is_there(&storage).await;
}

/// One number, past the server.
pub async fn count(database: &Database, sql: &str) -> i64 {
    match database {
        Database::Sqlite(folder) => Connection::open(folder.path().join("clinic.db"))
            .and_then(|connection| connection.query_row(sql, [], |row| row.get(0)))
            .expect("counted"),
        Database::Postgres(url) => sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut connect_to(url).await)
            .await
            .expect("counted"),
    }
}

/// What may stand in a column. Ids, counts and moments need no decision; everything else does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words of a closed list, or of nobody in particular.
    Words,
    /// Sealed, a hash, a signature, or a public key.
    Bytes,
}
use Kind::{Bytes, Words};

/// Every column that could hold a word of somebody. Whoever adds one decides here, and in docs/security.md.
const DECIDED: &[(&str, Kind)] = &[
    ("accounts.email", Bytes),
    ("accounts.email_hash", Bytes),
    ("accounts.full_name", Bytes),
    ("accounts.new_email", Bytes),
    // An argon2id hash.
    ("accounts.password_hash", Words),
    ("actors.actor", Bytes),
    ("audience.feed", Bytes),
    ("audit.hash", Bytes),
    ("audit.link", Bytes),
    ("audit.verb", Words),
    ("changes.actor", Bytes),
    ("changes.bytes", Bytes),
    ("changes.hash", Bytes),
    ("changes.signed", Bytes),
    ("clinic_keys.wrapped", Bytes),
    ("clinic_roll.clinics", Bytes),
    ("clinic_roll.seal", Bytes),
    // A clinic is open to whoever belongs to it, and no person.
    ("clinics.name", Words),
    ("clinics.seal", Bytes),
    ("clinics.rows_end", Bytes),
    ("compaction.rows_joint", Bytes),
    ("compaction.runs", Bytes),
    ("compaction.seal", Bytes),
    // People who were made up, and whose passwords are shown at every start.
    ("demonstration_accounts.email", Words),
    ("demonstration_accounts.full_name", Words),
    ("demonstration_accounts.password", Words),
    ("demonstration_accounts.roles", Words),
    ("devices.name", Bytes),
    ("document_keys.wrapped", Bytes),
    ("documents.bytes", Bytes),
    ("documents.heads", Bytes),
    ("documents.projection", Bytes),
    ("event_ends.events_end", Bytes),
    ("event_ends.seal", Bytes),
    // Ids, roles, counts and words of closed lists.
    ("events.detail", Words),
    ("events.link", Bytes),
    ("events.what", Words),
    ("feed.feed", Bytes),
    ("identities.hash", Bytes),
    ("identities.vouched", Bytes),
    ("invitations.email_hash", Bytes),
    ("invitations.roles", Words),
    ("invitations.token", Bytes),
    ("invitations.words", Bytes),
    ("late_work.change", Bytes),
    ("late_work.command", Bytes),
    ("late_work.hash", Bytes),
    ("late_work.reason", Bytes),
    ("links.email", Bytes),
    ("links.hash", Bytes),
    ("mails.letter", Bytes),
    ("memberships.roles", Words),
    ("passkeys.credential", Bytes),
    ("passkeys.name", Bytes),
    ("passkeys.public_key", Bytes),
    ("person_keys.wrapped", Bytes),
    ("recovery_codes.hash", Bytes),
    ("refresh_tokens.hash", Bytes),
    ("refresh_tokens.successor", Bytes),
    ("secrets.name", Words),
    ("secrets.value", Bytes),
    ("sign_in_steps.hash", Bytes),
    ("sign_in_steps.step", Bytes),
    ("signing_keys.id", Bytes),
    ("signing_keys.key", Bytes),
    ("totp.secret", Bytes),
    // A provider's address, and its name for a message.
    ("webhooks.issuer", Words),
    ("webhooks.message", Words),
];

async fn every_column_is_decided_about(engine: Engine) {
    let database = Database::new(engine).await;
    let storage = database.open().await;
    found_clinic(&storage, fresh_id(ClinicId), "").await;
    let decided = |kind: Kind| -> BTreeSet<String> {
        let of_kind = DECIDED.iter().filter(|(_, decided)| *decided == kind);
        of_kind.map(|(column, _)| (*column).to_owned()).collect()
    };
    match &database {
        // Ids are bytes here too, so that only words can be told from the rest.
        Database::Sqlite(folder) => {
            let connection = Connection::open(folder.path().join("clinic.db")).expect("opens");
            let mut select = connection
                .prepare(
                    "select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c
                     where m.type = 'table' and m.name not like 'sqlite_%' and c.type not in ('INTEGER', 'BLOB')",
                )
                .expect("a statement");
            let there = select.query_map([], |row| row.get(0)).expect("columns");
            let there: BTreeSet<String> = there.collect::<rusqlite::Result<_>>().expect("columns");
            assert_eq!(there, decided(Words));
        }
        Database::Postgres(url) => {
            let rows = sqlx::query(
                "select c.table_name || '.' || c.column_name, c.data_type::text from information_schema.columns c
                 where c.table_schema = 'public' and c.table_name <> '_sqlx_migrations'
                     and c.data_type not in ('uuid', 'bigint', 'integer', 'smallint', 'boolean')",
            )
            .fetch_all(&mut connect_to(url).await)
            .await
            .expect("columns");
            let of = |bytes: bool| -> BTreeSet<String> {
                let of_type = rows
                    .iter()
                    .filter(|row| (row.get::<String, _>(1) == "bytea") == bytes);
                of_type.map(|row| row.get(0)).collect()
            };
            assert_eq!(of(false), decided(Words));
            assert_eq!(of(true), decided(Bytes));
        }
    }
}
