//! Erasing a person: they are out at once, nothing tells of them any more, and what they did stays whole.

use crate::at_rest::everything;
use crate::database::{Database, Engine, MASTER_KEY, connect_to};
use crate::http;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, Practice, REX, found_clinic, fresh_id, refresh_token};
use crate::process::BINARY;
use crate::sealed_people::{EMAIL, Quirina, count, mail};
use rusqlite::{Connection, params};
use serde_json::json;
use shared_model::accounts::{Me, codes, links};
use shared_model::commands::EditPatient;
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::permissions::{Feed, Role};
use shared_model::protocol::Goodbye;
use shared_model::time::Timestamp;
use shared_model::trail::{CameBy, Detail, Happening};
use sqlx::Row;
use std::process::{Command, Output};
use sync_server::identity::random;
use sync_server::storage::people::{BegunSignIn, Erasure, NewInvitation, TakeUp, TakenUp, Taker};
use sync_server::storage::trail::{Told, TrailQuery};
use sync_server::trail::{Verdict, verify_trail};

on_both! {
    whoever_is_erased_is_out_at_once_and_what_they_did_stays
    nothing_of_them_is_left_in_the_database
    a_clinic_keeps_an_administrator
}

fn erase(practice: &Practice, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    match &practice.database {
        Database::Sqlite(folder) => command.arg("--data").arg(folder.path()),
        Database::Postgres(url) => command.args(["--database-url", url]),
    };
    command
        .args(["admin", "erase-person"])
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env("MASTER_KEY", MASTER_KEY)
        .output()
        .expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn whoever_is_erased_is_out_at_once_and_what_they_did_stays(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    practice.enter_records().await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let mut device = practice.device("vet").await;
    device.connect().await;
    device
        .until("the first sync is complete", |device| {
            device.number(Feed::Staff) > 0
        })
        .await;
    device.run(EditPatient {
        name: Some("Barnabas".to_owned()),
        ..EditPatient::of(REX)
    });
    device.settled().await;

    let told = erase(&practice, &["Vet@example.org"]);
    assert!(told.status.success(), "{}", said(&told));
    for words in [
        "vet <vet@example.org>",
        "membership: Practice (veterinarian)",
        "names of 2 devices",
        "medical records of the clinic",
        "Nothing was done",
    ] {
        assert!(said(&told).contains(words), "{words}: {}", said(&told));
    }
    let me: Me = vet.get("/me").await;
    assert_eq!(me.email, "vet@example.org", "nothing was");

    let done = erase(&practice, &["vet@example.org", "--yes"]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("Erased. Delete copies"), "{}", said(&done));
    assert_eq!(device.goodbye().await, Goodbye::SignIn, "told in the session");
    assert_eq!(vet.try_get("/me").await.status, 401);
    let again = practice.sign_in("vet", PASSWORD, vet.device).await;
    assert_eq!(again.code(), codes::WRONG_CREDENTIALS, "as one that never was");
    let refresh = json!({ "refresh_token": vet.signed_in.refresh_token, "device": vet.device });
    let refresh = http::post(practice.address, "/api/v1/refresh", &refresh).await;
    assert_eq!(refresh.code(), codes::SIGN_IN_AGAIN);
    let people = practice.storage.people();
    assert!(people.account(vet.account()).await.unwrap().is_none());
    assert!(people.traces(vet.account()).await.unwrap().is_none());
    let members = people.members(practice.clinic).await.unwrap();
    assert!(members.iter().all(|member| member.account != vet.account()));
    let once_more = erase(&practice, &[&vet.account().to_string(), "--yes"]);
    assert!(!once_more.status.success());
    assert!(
        said(&once_more).contains("nobody has an account"),
        "{}",
        said(&once_more)
    );

    // Their work, with its signatures and links, is theirs still, by an id that leads to nobody.
    let verdict = verify_trail(practice.storage.as_ref(), practice.clinic, &[])
        .await
        .unwrap();
    assert!(matches!(verdict, Verdict::Whole(_)), "{verdict:?}");
    let of = |query| practice.storage.trail(practice.clinic, query, 100);
    let of_them = TrailQuery {
        account: Some(vet.account()),
        ..TrailQuery::default()
    };
    let of_them = of(of_them).await.unwrap().told;
    assert!(of_them.iter().any(|told| matches!(told, Told::Written(_))));
    let erased = TrailQuery {
        happenings: vec![Happening::PersonErased.word().to_owned()],
        ..TrailQuery::default()
    };
    let erased = of(erased).await.unwrap().told;
    let [Told::Happened(_, event)] = erased.as_slice() else {
        panic!("once: {erased:?}")
    };
    assert_eq!(event.detail, json!({ "of": vet.account() }).to_string());

    // The address is anybody's again, as somebody else's account.
    admin.invite("vet@example.org", &[Role::Veterinarian], None).await;
    let token = letters
        .letter("vet@example.org", "")
        .await
        .token(links::INVITATION);
    let accept = json!({
        "token": token, "full_name": "New Vet", "password": "a fresh start 2031",
        "device": fresh_id(shared_model::ids::DeviceId), "device_name": "Tablet",
    });
    let accepted = post(practice.address, "/invitations/accept", accept).await;
    assert_eq!(accepted.status, 200, "{:?}", accepted.body);
    let found = people
        .account_by_email("vet@example.org")
        .await
        .unwrap()
        .expect("new");
    assert_ne!(found.account, vet.account());
    assert_eq!(found.full_name, "New Vet");
}

/// The bytes by which she could be found or opened.
async fn traces_in_bytes(database: &Database, quirina: &Quirina) -> Vec<Vec<u8>> {
    let account = quirina.account;
    let (wrapped, email_hash): (Vec<u8>, Vec<u8>) = match database {
        Database::Sqlite(folder) => Connection::open(folder.path().join("clinic.db"))
            .and_then(|connection| {
                let sql = "select k.wrapped, a.email_hash from person_keys k join accounts a on a.account = k.account
                           where k.account = ?1";
                connection.query_row(sql, params![account.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .expect("there"),
        Database::Postgres(url) => {
            let row = sqlx::query(
                "select k.wrapped, a.email_hash from person_keys k join accounts a on a.account = k.account
                 where k.account = $1",
            )
            .bind(account.0)
            .fetch_one(&mut connect_to(url).await)
            .await
            .expect("there");
            (row.get(0), row.get(1))
        }
    };
    vec![wrapped, email_hash, quirina.credential.clone()]
}

async fn nothing_of_them_is_left_in_the_database(engine: Engine) {
    let database = Database::new(engine).await;
    let storage = database.open().await;
    // So many that their rows lie on several pages, hers among them.
    for number in 0..60 {
        found_clinic(&storage, fresh_id(ClinicId), &format!("{number}.")).await;
    }
    let quirina = Quirina::at(&storage, fresh_id(ClinicId)).await;
    for number in 60..100 {
        found_clinic(&storage, fresh_id(ClinicId), &format!("{number}.")).await;
    }
    let people = storage.people();
    let elsewhere = fresh_id(ClinicId);
    found_clinic(&storage, elsewhere, "elsewhere.").await;
    let to_her = NewInvitation {
        clinic: elsewhere,
        id: fresh_id(InvitationId),
        account: fresh_id(AccountId),
        email: EMAIL.to_uppercase(),
        full_name: "Quirina".to_owned(),
        roles: vec![Role::Technician],
        client: None,
        invited_by: None,
        invited_by_name: "Elsewhere".to_owned(),
        invited_at: Timestamp(10),
        expires_at: Timestamp(1 << 50),
        token: random(),
        mail: Some(mail(EMAIL, "Come, Quirina")),
    };
    people.invite(to_her.clone()).await.unwrap().expect("kept");
    let bytes = traces_in_bytes(&database, &quirina).await;
    let found = async |database: &Database| {
        let all = everything(database).await;
        let is_there = |bytes: &&Vec<u8>| all.windows(bytes.len()).any(|window| window == bytes.as_slice());
        bytes.iter().filter(is_there).count()
    };
    assert_eq!(found(&database).await, 3);
    let traces = people.traces(quirina.account).await.unwrap().expect("there");
    assert_eq!(
        (
            traces.memberships.len(),
            traces.devices,
            traces.identities,
            traces.second_factors
        ),
        (1, 1, 1, 1)
    );
    assert_eq!((traces.links, traces.invitations, traces.mails), (1, 1, 2));

    let erased = people.erase(quirina.account, Timestamp(50)).await.unwrap();
    assert_eq!(erased, Erasure::Erased { swept: true });
    assert_eq!(found(&database).await, 0, "nor in free space");
    assert_eq!(
        people.erase(quirina.account, Timestamp(60)).await.unwrap(),
        Erasure::NoSuch
    );
    assert!(people.account_by_email(EMAIL).await.unwrap().is_none());
    let identity = people.identity(&quirina.identity.issuer, &quirina.identity.subject);
    assert!(identity.await.unwrap().is_none());
    assert!(people.passkey(&quirina.credential).await.unwrap().is_none());
    let link = people.invitation_of_link(elsewhere, to_her.token, Timestamp(60));
    assert!(link.await.unwrap().is_none());
    let due = people
        .lease_mails(Timestamp(60), Timestamp(70), 10)
        .await
        .unwrap();
    let to: Vec<&str> = due.iter().map(|leased| leased.mail.recipient.as_str()).collect();
    assert_eq!(to, ["xaver@oberfeld.example"], "to nobody but others");
    // Her device is known by its id, and the invitation that she wrote is nobody's.
    let devices = people.devices(quirina.account, Timestamp(60)).await.unwrap();
    assert_eq!(
        (devices[0].device, devices[0].name.as_str()),
        (quirina.device, "")
    );
    let clinic = quirina.invitation.clinic;
    let hers = people.invitation(clinic, quirina.invitation.id).await.unwrap();
    assert_eq!(hers.expect("open").invitation.invited_by, "");
    let rows = "select count(*) from accounts where erased_at = 50 and email is null and full_name is null
                and new_email is null and email_hash is null and password_hash = ''";
    assert_eq!(count(&database, rows).await, 1);
    let token = refresh_token((quirina.account, clinic, quirina.device), (70, 1 << 50));
    let how = Detail::came(CameBy::Password, None);
    let begun = BegunSignIn::new(token, "Again".to_owned(), &how);
    let refused = people.begin_sign_in(begun).await;
    assert!(refused.is_err(), "nothing is written of her any more");
    people.rename_account(quirina.account, "Quirina").await.unwrap();
    assert!(people.account(quirina.account).await.unwrap().is_none());

    // Her address is free, her account's id is not.
    let as_her = NewInvitation {
        clinic,
        id: fresh_id(InvitationId),
        account: quirina.account,
        ..to_her.clone()
    };
    assert_eq!(people.invite(as_her).await.unwrap(), None);
    let anew = NewInvitation {
        clinic,
        id: fresh_id(InvitationId),
        account: fresh_id(AccountId),
        token: random(),
        mail: None,
        ..to_her
    };
    people.invite(anew.clone()).await.unwrap().expect("kept");
    let take_up = TakeUp {
        clinic,
        token: anew.token,
        now: Timestamp(80),
        who: Taker::New {
            full_name: "Quirina".to_owned(),
            password_hash: "hash".to_owned(),
        },
        identity: None,
    };
    assert_eq!(
        people.take_up(take_up).await.unwrap(),
        TakenUp::Member(anew.account)
    );
}

async fn a_clinic_keeps_an_administrator(engine: Engine) {
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let refused = erase(&practice, &["admin@example.org", "--yes"]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("Practice would be without an administrator"),
        "{}",
        said(&refused)
    );
    let me: Me = admin.get("/me").await;
    assert_eq!(me.email, "admin@example.org", "nothing was done");
    // At a clinic that has another one it does not matter.
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let roles = [Role::Veterinarian, Role::ClinicAdministrator];
    assert_eq!(admin.change_roles(vet.account(), &roles).await.status, 204);
    let done = erase(&practice, &[&admin.account().to_string(), "--yes"]);
    assert!(done.status.success(), "{}", said(&done));
}
