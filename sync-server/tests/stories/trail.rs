//! The trail: everything that matters is in it, administrators read it, and whoever alters it is found out.

use crate::authenticator::Authenticator;
use crate::browser::{Browser, Place, finish, link};
use crate::database::{Database, Engine, MASTER_KEY};
use crate::device::{item, raw};
use crate::http::{self, Response};
use crate::issuer::{PAGE, Signing, sign};
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{MIA, PASSWORD, Practice, REX, fresh_id};
use crate::process::BINARY;
use crate::second_factor::{code_at, set_up};
use serde_json::{Value, json};
use shared_model::accounts::{SignedIn, links};
use shared_model::commands::EditPatient;
use shared_model::documents::Kind;
use shared_model::ids::{ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Role;
use shared_model::second_factor::{Factors, PasskeyOffer, Proven, SecondStep, SignInRules};
use shared_model::time::Timestamp;
use shared_model::trail::{FieldChange, FieldValue, TrailChanges, TrailEntry, TrailPage};
use shared_model::ways_in::LinkedIdentity;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::storage::trail::{Told, TrailQuery};
use sync_server::trail::{Break, Verdict, verify_trail};
use sync_server::{Clock, HeavyWork, compact_history};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

on_both! {
    whatever_is_altered_is_found
    a_change_that_is_said_to_be_somebody_elses_is_found
    a_compacted_trail_is_as_whole_and_as_guarded
    who_takes_the_trail_along_stands_in_it
    an_edit_does_not_pass_for_something_that_happened
    what_happens_beside_writing_is_in_it
    whatever_changes_a_way_in_is_in_it
    whatever_becomes_of_second_factors_is_in_it
    a_refused_passkey_is_in_it
    a_wrong_password_is_in_it_wherever_it_was_given
    what_administrators_decide_about_signing_in_is_done_with_its_line_or_not
    the_way_that_somebody_came_by_is_in_it
    administrators_read_it_with_filters_and_nobody_else
    its_lines_name_people_devices_and_records_as_they_are_called_now
    what_goes_on_after_midnight_is_found_from_then_on
    compaction_between_two_pages_tells_nothing_twice
    an_export_breaks_off_when_its_reader_may_no_longer_read
    what_stood_before_and_after_is_told_compacted_or_not
    a_long_trail_is_told_page_by_page
}

async fn verdict(practice: &Practice) -> Verdict {
    verify_trail(practice.storage.as_ref(), practice.clinic, &[])
        .await
        .expect("walked")
}

async fn is_whole(practice: &Practice) {
    let verdict = verdict(practice).await;
    assert!(matches!(verdict, Verdict::Whole(_)), "{verdict:?}");
}

fn detail(told: &Told) -> String {
    match told {
        Told::Happened(_, event) => event.detail.clone(),
        Told::Written(_) => String::new(),
    }
}

/// Waits until something is in the trail that is noted after its answer.
async fn until_noted(practice: &Practice, verb: &str, count: usize) {
    let query = TrailQuery {
        happenings: vec![verb.to_owned()],
        ..TrailQuery::default()
    };
    let noted = async {
        loop {
            let told = practice.storage.trail(practice.clinic, query.clone(), 100).await;
            if told.expect("read").told.len() >= count {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), noted)
        .await
        .unwrap_or_else(|_| panic!("{verb} is not in the trail"));
}

async fn count_of(practice: &Practice, verb: &str) -> usize {
    let query = TrailQuery {
        happenings: vec![verb.to_owned()],
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, query, 100).await;
    told.expect("read").told.len()
}

async fn read(practice: &Practice, token: &str, path: &str) -> Response {
    let bearer = format!("Bearer {token}");
    http::get(practice.address, path, &[("authorization", &bearer)]).await
}

/// Some writing, a refusal, reads and sign-ins.
pub async fn busy_practice(engine: Engine) -> Practice {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for name in ["Rexie", "Rexo", "Rex"] {
        desk.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        desk.settled().await;
    }
    let denied = desk.write(Kind::Patient, REX.into(), "weights/1/kg", "20");
    let refused = desk
        .refusals(vec![item(Kind::Patient, REX.into(), [raw(&denied)])])
        .await;
    assert_eq!(refused.len(), 1);
    until_noted(&practice, "work_refused", 1).await;
    for id in [DocumentId::from(REX), MIA.into()] {
        let answer = read(&practice, &desk.token, &format!("/api/v1/documents/{id}")).await;
        assert_eq!(answer.status, 200);
    }
    practice
}

/// Each tampering alone, undone before the next.
async fn each_is_found(practice: &Practice, tamperings: &[String]) {
    practice
        .database
        .run(
            "create table kept_audit as select * from audit;
             create table kept_events as select * from events;
             create table kept_clinics as select * from clinics",
        )
        .await;
    for sql in tamperings {
        is_whole(practice).await;
        practice.database.run(sql).await;
        let verdict = verdict(practice).await;
        assert!(matches!(verdict, Verdict::Broken(_)), "{sql}: {verdict:?}");
        practice
            .database
            .run(
                "delete from audit; insert into audit select * from kept_audit;
             delete from events; insert into events select * from kept_events;
             delete from clinics; insert into clinics select * from kept_clinics",
            )
            .await;
    }
    is_whole(practice).await;
    practice
        .database
        .run("drop table kept_audit; drop table kept_events; drop table kept_clinics")
        .await;
}

/// In the middle of what was written, and of what happened.
pub const A_ROW: &str =
    "number = (select min(number) + 2 from audit) and position = (select min(position) from audit)";
const AN_EVENT: &str = "number = 2";

fn tamperings() -> Vec<String> {
    let mut tamperings: Vec<String> = [
        "number = number + 1000",
        "position = position + 500",
        "account = device",
        "device = account",
        "document = account",
        "verb = verb || 'x'",
        "at = at + 1",
        "last_at = 5",
        "changes = 3",
        "hash = link",
        "link = null",
    ]
    .iter()
    .map(|set| format!("update audit set {set} where {A_ROW}"))
    .collect();
    tamperings.extend(
        [
            "number = number + 1000",
            "at = at - 1",
            "account = null",
            "device = null",
            "document = clinic",
            "what = what || 'x'",
            "detail = '{\"changes\":1}'",
        ]
        .iter()
        .map(|set| format!("update events set {set} where {AN_EVENT}")),
    );
    tamperings.extend(
        [
            // Taken out: from the middle, from the beginning, and the end.
            format!("delete from audit where {A_ROW}"),
            "delete from audit where number = (select min(number) from audit)".to_owned(),
            "delete from audit where number = (select max(number) from audit)".to_owned(),
            "delete from audit".to_owned(),
            format!("delete from events where {AN_EVENT}"),
            "delete from events where number = 1".to_owned(),
            "delete from events where number = (select max(number) from events)".to_owned(),
            "delete from events".to_owned(),
            // In another order.
            "update audit set link = (select link from audit order by number limit 1) where number = (select max(number) from audit)"
                .to_owned(),
            // Put in: a copy at another place, the last one too.
            format!(
                "insert into audit (clinic, number, position, account, device, document, verb, at, link)
                 select clinic, number, position + 700, account, device, document, verb, at, link from audit where {A_ROW}"
            ),
            "insert into audit (clinic, number, position, account, device, document, verb, at, link)
             select clinic, 999999, position, account, device, document, verb, at, link from audit
             where number = (select max(number) from audit)"
                .to_owned(),
            "insert into events (clinic, number, at, what, detail, link)
             select clinic, 999999, at, what, detail, link from events where number = 1"
                .to_owned(),
            // The ends themselves.
            "update clinics set rows_end = null".to_owned(),
            "update clinics set chained_after = 3".to_owned(),
        ],
    );
    tamperings
}

async fn whatever_is_altered_is_found(engine: Engine) {
    let practice = busy_practice(engine).await;
    let Verdict::Whole(ends) = verdict(&practice).await else {
        panic!("nobody altered it");
    };
    assert!(ends.rows >= 6 && ends.events >= 5, "{ends:?}");
    assert_eq!((ends.unchained, ends.unsealed, ends.unsealed_events), (0, 0, 0));
    each_is_found(&practice, &tamperings()).await;

    let (is_good, said) = verify_by_command(&practice);
    assert!(is_good && said.contains("are whole"), "{said}");

    // It names the first row that is wrong.
    practice
        .database
        .run(&format!("update audit set verb = 'forged' where {A_ROW}"))
        .await;
    let Verdict::Broken(Break::Row { number, position }) = verdict(&practice).await else {
        panic!("a row was altered");
    };
    assert_eq!((number, position), (4, 0));
    let (is_good, said) = verify_by_command(&practice);
    assert!(!is_good && said.contains("BROKEN: row 4.0 "), "{said}");
}

async fn a_change_that_is_said_to_be_somebody_elses_is_found(engine: Engine) {
    let practice = busy_practice(engine).await;
    let vet = practice.device("vet").await.principal.account;
    let blob = match engine {
        Engine::Sqlite => format!("x'{}'", vet.0.simple()),
        Engine::Postgres => format!("'{vet}'"),
    };
    practice
        .database
        .run("create table kept_changes as select * from changes")
        .await;
    for set in [
        format!("account = {blob}"),
        "device = account".to_owned(),
        "document = account".to_owned(),
        "hash = (select hash from changes order by number limit 1)".to_owned(),
        "signed = (select signed from changes order by number limit 1)".to_owned(),
        "signed = hash".to_owned(),
    ] {
        is_whole(&practice).await;
        let change = "number = (select max(number) from changes)";
        practice
            .database
            .run(&format!("update changes set {set} where {change}"))
            .await;
        let verdict = verdict(&practice).await;
        let found = matches!(verdict, Verdict::Broken(Break::Signature { .. }));
        assert!(found, "{set}: {verdict:?}");
        practice
            .database
            .run("delete from changes; insert into changes select * from kept_changes")
            .await;
    }
    is_whole(&practice).await;
}

/// What `admin audit verify` says, and whether it is content.
pub fn verify_by_command(practice: &Practice) -> (bool, String) {
    verify_with(practice, &[])
}

pub fn verify_with(practice: &Practice, options: &[&str]) -> (bool, String) {
    let mut command = Command::new(BINARY);
    match &practice.database {
        Database::Sqlite(folder) => command.arg("--data").arg(folder.path()),
        Database::Postgres(url) => command.args(["--database-url", url]),
    };
    let output = command
        .args(["admin", "audit", "verify"])
        .args(options)
        .env_remove("DATABASE_URL")
        .env("MASTER_KEY", MASTER_KEY)
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stdout).expect("text");
    (output.status.success(), said)
}

async fn a_compacted_trail_is_as_whole_and_as_guarded(engine: Engine) {
    let practice = busy_practice(engine).await;
    let until = practice.settings.clock.now();
    let compacted = compact_history(&practice.storage, until, HeavyWork::OnThreads)
        .await
        .expect("compacted");
    assert!(compacted.changes > 0);
    is_whole(&practice).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    for name in ["Rexus", "Rexor", "Rex"] {
        vet.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        vet.settled().await;
    }
    let runs = tamperings();
    each_is_found(&practice, &runs).await;
    // The joint between runs and single rows.
    for column in ["runs", "rows_joint"] {
        let tamper = format!(
            "create table kept_joint as select * from compaction;
             update compaction set {column} = (select link from events where number = 1)"
        );
        practice.database.run(&tamper).await;
        assert!(matches!(verdict(&practice).await, Verdict::Broken(_)), "{column}");
        practice
            .database
            .run(
                "delete from compaction; insert into compaction select * from kept_joint;
                 drop table kept_joint",
            )
            .await;
    }
    // And once more on top of the first.
    compact_history(
        &practice.storage,
        practice.settings.clock.now(),
        HeavyWork::OnThreads,
    )
    .await
    .expect("compacted");
    is_whole(&practice).await;
}

async fn what_happens_beside_writing_is_in_it(engine: Engine) {
    let practice = busy_practice(engine).await;
    let device = fresh_id(DeviceId);
    let wrong = practice.sign_in("vet", "wrong horse", device).await;
    assert_eq!(wrong.status, 401);
    until_noted(&practice, "sign_in_refused", 1).await;
    let nobody = practice.sign_in("nobody", PASSWORD, device).await;
    assert_eq!(nobody.status, 401);
    let told = practice
        .storage
        .trail(practice.clinic, TrailQuery::default(), 100)
        .await
        .expect("read")
        .told;
    let happened: BTreeSet<&str> = told
        .iter()
        .filter_map(|told| match told {
            Told::Happened(_, event) => Some(event.what.as_str()),
            Told::Written(_) => None,
        })
        .collect();
    let expected = [
        "record_read",
        "sign_in_refused",
        "signed_in",
        "signing_key_registered",
        "work_refused",
    ];
    assert_eq!(happened, BTreeSet::from(expected));
    let refused = told.iter().find_map(|told| match told {
        Told::Happened(_, event) if event.what == "work_refused" => Some(event),
        _ => None,
    });
    let refused = refused.expect("it is there");
    assert_eq!(refused.document, Some(REX.into()));
    assert_eq!(refused.detail, "{\"changes\":1,\"code\":\"NotPermitted\"}");
    assert!(
        told.windows(2)
            .all(|pair| pair[0].place().at >= pair[1].place().at)
    );
}

async fn the_way_that_somebody_came_by_is_in_it(engine: Engine) {
    let place = Place::open(engine).await;
    let (practice, letters) = (&place.practice, &place.letters);
    let admin = Person::of(practice, "admin", PASSWORD).await;
    let invited = async |email: &str| {
        admin.invite(email, &[Role::Technician], None).await;
        letters.letter(email, "invites you").await.invitation()
    };
    let token = invited("nora@example.org").await;
    let accept = json!({
        "token": token, "full_name": "Nora Novak", "password": "quince-fathom-41-sled", "device": fresh_id(DeviceId),
    });
    let accepted = post(practice.address, "/invitations/accept", accept).await;
    assert_eq!(accepted.status, 200, "{:?}", accepted.body);
    let token = invited("otto@example.org").await;
    let browser = Browser::sent(&place, Some(&token)).await;
    let code = browser.vouched("sub-1", "otto@example.org").await;
    let joined = finish(&place, &code, json!({ "full_name": "Otto" })).await;
    assert_eq!(joined.status, 200, "{:?}", joined.body);
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "otto@example.org").await;
    assert_eq!(finish(&place, &code, json!({})).await.status, 200);
    let now = place.seconds();
    let claims = json!({
        "azp": PAGE, "iss": place.issuer.address, "sub": "sub-1", "sid": "sess_1", "v": 2, "sts": "active",
        "iat": now, "nbf": now, "exp": now + 60,
    });
    let session = json!({
        "provider": "acme", "session_token": sign(Signing::Rs256(0), &claims), "device": fresh_id(DeviceId),
    });
    let entered = post(practice.address, "/openid/session", session).await;
    assert_eq!(entered.status, 200, "{:?}", entered.body);

    let signed_in = TrailQuery {
        happenings: vec!["signed_in".to_owned()],
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, signed_in, 100).await;
    let ways: Vec<String> = told.expect("read").told.iter().rev().map(detail).collect();
    let expected = [
        "password",
        "invitation",
        "invitation_with_provider",
        "provider",
        "session_token",
    ];
    assert_eq!(ways, expected.map(|way| json!({ "way": way }).to_string()));
}

/// Passwords, addresses, devices, and tokens that somebody has copied.
async fn whatever_changes_a_way_in_is_in_it(engine: Engine) {
    let place = Place::open(engine).await;
    let (practice, letters) = (&place.practice, &place.letters);
    let vet = Person::of(practice, "vet", PASSWORD).await;
    let linked: LinkedIdentity = link(&place, &vet, "sub-1", "vet@example.org").await.read();
    until_noted(practice, "provider_linked", 1).await;
    assert_eq!(link(&place, &vet, "sub-1", "vet@example.org").await.status, 200);
    let word = vet.proven(PASSWORD).await;
    assert_eq!(vet.unlink(linked.identity, &word).await.status, 204);
    until_noted(practice, "provider_unlinked", 1).await;
    let query = TrailQuery {
        happenings: vec!["provider_linked".to_owned()],
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, query, 100).await;
    assert_eq!(
        told.expect("read").told.len(),
        1,
        "what was linked already was not linked"
    );

    let change = json!({ "proven": word, "new": "quince-fathom-41-sled" });
    assert_eq!(vet.post("/me/password", change).await.status, 204);
    until_noted(practice, "password_changed", 1).await;
    let forgot = json!({ "email": "vet@example.org" });
    assert_eq!(
        post(practice.address, "/password/forgot", forgot).await.status,
        202
    );
    let link = letters.letter("vet@example.org", "A new password").await;
    let reset = json!({ "token": link.token(links::RESET_PASSWORD), "password": "lantern beagle orchard" });
    assert_eq!(post(practice.address, "/password/reset", reset).await.status, 204);
    until_noted(practice, "password_changed", 2).await;

    let desk = Person::of(practice, "desk", PASSWORD).await;
    let new = json!({ "proven": desk.proven(PASSWORD).await, "email": "front@example.org" });
    assert_eq!(desk.post("/me/email", new).await.status, 202);
    until_noted(practice, "new_address_asked", 1).await;
    let link = letters.letter("front@example.org", "Confirm").await;
    let follow = json!({ "token": link.token(links::VERIFY_EMAIL) });
    assert_eq!(post(practice.address, "/email/verify", follow).await.status, 204);
    until_noted(practice, "address_confirmed", 1).await;
    let new = json!({ "proven": desk.proven(PASSWORD).await, "email": "other@example.org" });
    assert_eq!(desk.post("/me/email", new).await.status, 202);
    until_noted(practice, "new_address_asked", 2).await;
    for _ in 0..2 {
        assert_eq!(desk.delete("/me/email").await.status, 204);
    }
    until_noted(practice, "new_address_taken_back", 1).await;
    assert_eq!(count_of(practice, "new_address_taken_back").await, 1);

    let phone = Person::of(practice, "tech", PASSWORD).await;
    let path = format!(
        "/me/devices/{}",
        Person::of(practice, "tech", PASSWORD).await.device
    );
    assert_eq!(phone.tell(&format!("{path}/sign-out")).await.status, 204);
    until_noted(practice, "device_signed_out", 1).await;
    assert_eq!(phone.tell(&format!("{path}/lost")).await.status, 204);
    until_noted(practice, "device_lost", 1).await;
    assert_eq!(phone.delete(&format!("{path}/lost")).await.status, 204);
    until_noted(practice, "device_found", 1).await;

    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token, "device": phone.device });
        post(practice.address, "/refresh", body).await
    };
    let copied = &phone.signed_in.refresh_token;
    let next: SignedIn = refresh(copied).await.read();
    assert_eq!(refresh(&next.refresh_token).await.status, 200);
    assert_eq!(refresh(copied).await.status, 401);
    until_noted(practice, "refresh_token_reused", 1).await;
    is_whole(practice).await;
}

async fn whatever_becomes_of_second_factors_is_in_it(engine: Engine) {
    let place = Place::open(engine).await;
    let practice = &place.practice;
    let vet = Person::of(practice, "vet", PASSWORD).await;
    let admin = Person::of(practice, "admin", PASSWORD).await;
    let (secret, list) = set_up(&vet, PASSWORD, &place.now).await;
    until_noted(practice, "second_factor_added", 1).await;
    let step = async || {
        let asked = practice.sign_in("vet", PASSWORD, fresh_id(DeviceId)).await;
        let step: SecondStep = asked.read();
        step.step
    };
    let second = async |step: &str, way: &str, proof: &str| {
        let body = json!({ "step": step, "proof": { way: proof } });
        post(practice.address, "/sign-in/second", body).await.status
    };
    let begun = step().await;
    assert_eq!(second(&begun, "totp", "000000").await, 401);
    until_noted(practice, "second_factor_refused", 1).await;
    assert_eq!(second(&begun, "totp", &code_at(&secret, &place.now)).await, 200);
    place.pass(30_000);
    assert_eq!(second(&step().await, "recovery_code", &list[0]).await, 200);
    until_noted(practice, "recovery_code_used", 1).await;
    let ways = TrailQuery {
        happenings: vec!["signed_in".to_owned()],
        account: Some(vet.account()),
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, ways, 100).await;
    let told = told.expect("read").told;
    let ways: Vec<Value> = told
        .iter()
        .map(|told| serde_json::from_str(&detail(told)).expect("JSON"))
        .collect();
    assert_eq!(
        ways,
        [
            json!({ "way": "password", "second": "recovery_code" }),
            json!({ "way": "password", "second": "totp" }),
            json!({ "way": "password" }),
        ]
    );

    let asked = vet
        .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
        .await;
    let asked: SecondStep = asked.read();
    let shown = json!({ "step": asked.step, "proof": { "recovery_code": list[1] } });
    let proven: Proven = vet.post("/me/prove/second", shown).await.read();
    let word = json!({ "proven": proven.proven });
    assert_eq!(vet.post("/me/recovery-codes", &word).await.status, 200);
    until_noted(practice, "recovery_codes_renewed", 1).await;
    assert_eq!(vet.post("/me/totp/remove", &word).await.status, 204);
    until_noted(practice, "second_factor_removed", 1).await;

    assert_eq!(admin.ask_for_second_factor(true).await.status, 200);
    until_noted(practice, "sign_in_rules_changed", 1).await;
    set_up(&vet, PASSWORD, &place.now).await;
    until_noted(practice, "second_factor_added", 2).await;
    assert_eq!(admin.take_factors_away(vet.account()).await.status, 204);
    until_noted(practice, "second_factor_removed", 2).await;
    let removed = TrailQuery {
        happenings: vec!["second_factor_removed".to_owned()],
        account: Some(admin.account()),
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, removed, 100).await;
    let of: Vec<String> = told.expect("read").told.iter().map(detail).collect();
    assert_eq!(of, [json!({ "of": vet.account() }).to_string()]);
    is_whole(practice).await;
}

/// At sign-in, to prove anew, and to take an invitation up; with the device.
async fn a_wrong_password_is_in_it_wherever_it_was_given(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let device = fresh_id(DeviceId);
    assert_eq!(practice.sign_in("vet", "guess", device).await.status, 401);
    until_noted(&practice, "sign_in_refused", 1).await;
    let guess = json!({ "proof": { "password": "guess" } });
    assert_eq!(vet.post("/me/prove", guess).await.status, 401);
    until_noted(&practice, "sign_in_refused", 2).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    admin
        .invite("vet@example.org", &[Role::Veterinarian, Role::Technician], None)
        .await;
    let token = letters
        .letter("vet@example.org", "invites you")
        .await
        .invitation();
    let accept = json!({ "token": token, "full_name": "", "password": "guess", "device": device });
    assert_eq!(
        post(practice.address, "/invitations/accept", accept).await.status,
        401
    );
    until_noted(&practice, "sign_in_refused", 3).await;
    let refused = TrailQuery {
        happenings: vec!["sign_in_refused".to_owned()],
        account: Some(vet.account()),
        ..TrailQuery::default()
    };
    let told = practice.storage.trail(practice.clinic, refused, 100).await;
    let devices = told.expect("read").told.into_iter().map(|told| match told {
        Told::Happened(_, event) => event.device,
        Told::Written(_) => None,
    });
    let mut devices: Vec<_> = devices.flatten().collect();
    let mut expected = vec![device, vet.device, device];
    devices.sort_unstable();
    expected.sort_unstable();
    assert_eq!(devices, expected);
}

async fn what_administrators_decide_about_signing_in_is_done_with_its_line_or_not(engine: Engine) {
    let place = Place::open(engine).await;
    let practice = &place.practice;
    let admin = Person::of(practice, "admin", PASSWORD).await;
    let vet = Person::of(practice, "vet", PASSWORD).await;
    set_up(&vet, PASSWORD, &place.now).await;
    until_noted(practice, "second_factor_added", 1).await;
    practice.database.run("alter table events rename to away").await;
    assert_eq!(admin.ask_for_second_factor(true).await.status, 503);
    assert_eq!(admin.take_factors_away(vet.account()).await.status, 503);
    practice.database.run("alter table away rename to events").await;
    let rules: SignInRules = admin.get("/clinic/sign-in").await;
    assert!(!rules.second_factor);
    let factors: Factors = vet.get("/me/factors").await;
    assert!(factors.totp_since.is_some());
    assert_eq!(admin.ask_for_second_factor(true).await.status, 200);
    assert_eq!(count_of(practice, "sign_in_rules_changed").await, 1);
    assert_eq!(admin.take_factors_away(vet.account()).await.status, 204);
    assert_eq!(count_of(practice, "second_factor_removed").await, 1);
    is_whole(practice).await;
}

/// One that does not hold, as the second factor and alone.
async fn a_refused_passkey_is_in_it(engine: Engine) {
    let practice = Practice::open_with(engine, |settings| {
        "http://localhost:8080".clone_into(&mut settings.public_address);
    })
    .await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let word = vet.proven(PASSWORD).await;
    let offer: PasskeyOffer = vet
        .post("/me/passkeys/begin", json!({ "proven": word }))
        .await
        .read();
    let mut authenticator = Authenticator::new("http://localhost:8080");
    let credential = authenticator.create(&offer.options);
    let body = json!({ "offer": offer.offer, "credential": credential, "name": "a" });
    assert_eq!(vet.post("/me/passkeys/finish", body).await.status, 200);
    authenticator.verifies = false;

    let asked = practice.sign_in("vet", PASSWORD, fresh_id(DeviceId)).await;
    let step: SecondStep = asked.read();
    let credential = authenticator.get(step.passkey.as_deref().expect("options"));
    let body = json!({ "step": step.step, "proof": { "passkey": credential } });
    let refused = post(practice.address, "/sign-in/second", body).await;
    assert_eq!(refused.status, 401);
    until_noted(&practice, "second_factor_refused", 1).await;

    let offer: PasskeyOffer = post(practice.address, "/passkeys/begin", json!({})).await.read();
    let credential = authenticator.get(&offer.options);
    let body = json!({ "offer": offer.offer, "credential": credential, "device": fresh_id(DeviceId) });
    let refused = post(practice.address, "/passkeys/finish", body).await;
    assert_eq!(refused.status, 401);
    until_noted(&practice, "sign_in_refused", 1).await;
    is_whole(&practice).await;
}

async fn administrators_read_it_with_filters_and_nobody_else(engine: Engine) {
    let practice = busy_practice(engine).await;
    let admin = practice.device("admin").await;
    for person in ["desk", "vet", "tech", "owner", "system"] {
        let other = practice.device(person).await;
        for path in ["/api/v1/audit", "/api/v1/audit.csv"] {
            let answer = read(&practice, &other.token, path).await;
            assert_eq!(answer.status, 403, "{person}");
            assert_eq!(answer.json()["code"], "not_permitted");
        }
    }
    let asked = async |query: &str| -> Value {
        let answer = read(&practice, &admin.token, &format!("/api/v1/audit?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
        answer.json()
    };
    let entries = |page: &Value| page["entries"].as_array().expect("a list").clone();
    let all = entries(&asked("limit=100").await);
    assert!(all.len() > 10, "{}", all.len());

    // Page by page it is the same list.
    let (mut paged, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = asked(&query).await;
        paged.extend(entries(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);

    let check = async |query: String, wanted: &dyn Fn(&Value) -> bool| {
        let expected: Vec<Value> = all.iter().filter(|entry| wanted(entry)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query}");
        assert_eq!(
            entries(&asked(&format!("limit=100&{query}")).await),
            expected,
            "{query}"
        );
    };
    let edit = all
        .iter()
        .find(|entry| entry["verb"] == "edit_patient")
        .expect("an edit");
    for field in ["person", "device", "document", "verb"] {
        let value = edit[field].as_str().expect("a text");
        check(format!("{field}={value}"), &|entry| entry[field] == edit[field]).await;
    }
    let several = ["work_refused", "record_read"];
    check(format!("happening={}", several.join(",")), &|entry| {
        several.iter().any(|word| entry["verb"] == *word)
    })
    .await;
    check("verb=edit_patient&happening=work_refused".to_owned(), &|entry| {
        entry["verb"] == "edit_patient" || entry["verb"] == "work_refused"
    })
    .await;
    let middle = all[all.len() / 2]["at"].as_i64().expect("a moment");
    check(format!("from={middle}"), &|entry| {
        entry["at"].as_i64() >= Some(middle)
    })
    .await;
    check(format!("to={middle}"), &|entry| {
        entry["at"].as_i64() < Some(middle)
    })
    .await;
    for odd in ["cursor=x", "person=me", "from=yesterday"] {
        let answer = read(&practice, &admin.token, &format!("/api/v1/audit?{odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
        assert_eq!(answer.json()["code"], "bad_request");
    }

    let csv = read(&practice, &admin.token, "/api/v1/audit.csv?verb=edit_patient").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = std::str::from_utf8(&csv.body).expect("text").lines().collect();
    assert!(lines[0].starts_with("at,last_at,changes,person"));
    assert_eq!(lines.len(), 1 + 3, "three edits");
    assert!(lines[1].contains("\"edit_patient\""), "{}", lines[1]);

    // Another clinic's administrator finds nothing of it.
    crate::practice::found_clinic(&practice.storage, fresh_id(ClinicId), "other-").await;
    let other = practice.device("other-admin").await;
    let theirs = read(&practice, &other.token, "/api/v1/audit").await.json();
    assert_eq!(entries(&theirs).len(), 1, "their own sign-in: {theirs}");
}

async fn who_takes_the_trail_along_stands_in_it(engine: Engine) {
    let practice = busy_practice(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let exported = async || {
        let query = TrailQuery {
            happenings: vec!["trail_exported".to_owned()],
            account: Some(admin.account()),
            ..TrailQuery::default()
        };
        let told = practice.storage.trail(practice.clinic, query, 100).await;
        told.expect("read").told.len()
    };
    // The page on the screen asks every minute.
    let page: TrailPage = admin.get("/audit").await;
    assert!(!page.entries.is_empty());
    let _: TrailPage = admin.get("/audit?limit=100").await;
    assert_eq!(exported().await, 0);
    assert_eq!(admin.try_get("/audit.csv?verb=edit_patient").await.status, 200);
    assert_eq!(exported().await, 1);
    let _: TrailPage = admin.get("/audit?limit=101").await;
    assert_eq!(exported().await, 2);
    let last = &page.entries[page.entries.len() - 1].id;
    let _: TrailPage = admin.get(&format!("/audit?limit=1000&cursor={last}")).await;
    assert_eq!(exported().await, 3, "whoever begins with a short page too");
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    assert_eq!(desk.try_get("/audit.csv").await.status, 403);
    assert_eq!(exported().await, 3);
    is_whole(&practice).await;
}

async fn an_edit_does_not_pass_for_something_that_happened(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    let change = vet.write_as("record_read", Kind::Patient, REX.into(), "name", "Rexie");
    vet.outbox.push((Kind::Patient, REX.into(), change));
    vet.settled().await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let asked = async |query: &str| -> Vec<TrailEntry> {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        page.entries
    };
    let edits = asked("verb=record_read").await;
    let [edit] = edits.as_slice() else {
        panic!("one edit: {edits:?}")
    };
    assert!(!edit.is_happening && edit.happening().is_none() && edit.change_verb().is_none());
    assert_eq!(asked("happening=record_read").await, []);
    let answer = read(
        &practice,
        &admin.signed_in.access_token,
        &format!("/api/v1/documents/{REX}"),
    )
    .await;
    assert_eq!(answer.status, 200);
    let read = asked("happening=record_read").await;
    assert!(
        read.len() == 1 && read[0].is_happening && read[0].happening().is_some(),
        "{read:?}"
    );
    assert_eq!(asked("verb=record_read").await.len(), 1);
    let csv = admin
        .try_get("/audit.csv?verb=record_read&happening=record_read")
        .await;
    let table = std::str::from_utf8(&csv.body).expect("text");
    assert!(
        table.contains("\"false\",\"record_read\"") && table.contains("\"true\",\"record_read\""),
        "{table}"
    );
}

async fn its_lines_name_people_devices_and_records_as_they_are_called_now(engine: Engine) {
    let practice = busy_practice(engine).await;
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let account = desk.account();
    assert_eq!(admin.change_roles(account, &[Role::Viewer]).await.status, 204);
    let path = format!("/staff/{account}/devices/{}/lost", desk.device);
    assert_eq!(admin.tell(&path).await.status, 204);
    let stranger = fresh_id(DeviceId);
    assert_eq!(practice.sign_in("vet", "wrong horse", stranger).await.status, 401);
    until_noted(&practice, "sign_in_refused", 1).await;
    let lines = async |query: &str| -> Vec<TrailEntry> {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        page.entries
    };
    let latest = async |word: &str| {
        let found = lines(&format!("verb={word}&happening={word}")).await;
        found.into_iter().next().unwrap_or_else(|| panic!("no {word}"))
    };

    let edit = latest("edit_patient").await;
    assert_eq!(edit.kind, Some(Kind::Patient));
    let name = edit.person_name.expect("somebody of the clinic");
    assert!(!name.is_empty() && edit.device_name.is_some(), "{name}");
    assert_eq!(edit.detail, None, "a change of a record says no more");

    let changed = latest("roles_changed").await;
    let detail = changed.detail.expect("whose they are");
    assert_eq!(detail.of, Some(account));
    assert_eq!(detail.roles, Some(vec!["viewer".to_owned()]));
    assert_eq!(changed.of_name.as_deref(), Some(name.as_str()));
    let lost = latest("device_lost").await;
    assert_eq!(lost.of_name.as_deref(), Some(name.as_str()));
    assert!(lost.of_device_name.is_some());

    // Nobody has signed in there: it has no name, and is told apart from one that somebody gave none.
    let refused = latest("sign_in_refused").await;
    assert_eq!(refused.device, Some(stranger));
    assert_eq!(refused.device_name, None);
    assert!(refused.person_name.is_some_and(|name| !name.is_empty()));

    let renamed = admin.patch("/me", json!({ "full_name": "Eva of the Northgate" }));
    assert_eq!(renamed.await.status, 200);
    let now = latest("roles_changed").await.person_name;
    assert_eq!(now.as_deref(), Some("Eva of the Northgate"));

    // Every word of a detail is told, of each line as it is stored.
    let mut told: BTreeMap<String, Value> = BTreeMap::new();
    for entry in lines("limit=100").await {
        if let Some(detail) = &entry.detail {
            told.insert(entry.id, json!(detail));
        }
    }
    let stored = practice.storage.trail_events(practice.clinic, 0, 1_000).await;
    let stored = stored.expect("read").into_iter().map(|stored| {
        let id = format!("{}.event.{}.0", stored.event.at.0, stored.number);
        let detail: Value = serde_json::from_str(&stored.event.detail).expect("JSON");
        (id, detail)
    });
    assert_eq!(told, stored.collect());

    let csv = admin.try_get("/audit.csv?verb=edit_patient").await;
    let table = std::str::from_utf8(&csv.body).expect("text");
    assert!(
        table.contains(&format!("\"{name}\"")) && table.contains("\"patient\""),
        "{table}"
    );
}

const MIDNIGHT: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

/// Somebody edits a record ten minutes before midnight, at midnight, and ten minutes after it, which it is now.
async fn edits_around_midnight(engine: Engine) -> Practice {
    let now = Arc::new(AtomicI64::new(MIDNIGHT - 60 * MINUTE));
    let clock = Arc::clone(&now);
    let practice = Practice::open_with(engine, |settings| {
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    practice.enter_records().await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for (minute, name) in [(-10, "Rexie"), (0, "Rexo"), (10, "Rex")] {
        now.store(MIDNIGHT + minute * MINUTE, Ordering::Relaxed);
        desk.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        desk.settled().await;
    }
    practice
}

async fn compact(practice: &Practice) {
    let until = practice.settings.clock.now();
    let compacted = compact_history(&practice.storage, until, HeavyWork::OnThreads).await;
    assert!(compacted.expect("compacted").changes > 0);
}

/// A run that compaction made begins on one day and ends on the next.
async fn what_goes_on_after_midnight_is_found_from_then_on(engine: Engine) {
    let practice = edits_around_midnight(engine).await;
    compact(&practice).await;
    let found = async |from: Option<i64>, to: Option<i64>| {
        let query = TrailQuery {
            verbs: vec!["edit_patient".to_owned()],
            from: from.map(|minute| Timestamp(MIDNIGHT + minute * MINUTE)),
            to: to.map(|minute| Timestamp(MIDNIGHT + minute * MINUTE)),
            ..TrailQuery::default()
        };
        let told = practice.storage.trail(practice.clinic, query, 100).await;
        let minutes = |at: Timestamp| (at.0 - MIDNIGHT) / MINUTE;
        let run = |told: Told| match told {
            Told::Written(run) => (minutes(run.at), run.last_at.map(minutes), run.changes),
            Told::Happened(..) => panic!("an edit is written"),
        };
        told.expect("read").told.into_iter().map(run).collect::<Vec<_>>()
    };
    let run = [(-10, Some(10), Some(3))];
    assert_eq!(found(None, None).await, run);
    assert_eq!(found(Some(0), None).await, run, "two of them are of this day");
    assert_eq!(found(Some(10), None).await, run);
    assert_eq!(found(Some(11), None).await, []);
    assert_eq!(found(None, Some(0)).await, run, "one is of the day before");
    assert_eq!(found(Some(-20), Some(-10)).await, []);

    // The longest that there can be: two hundred changes, each less than an hour after the one before.
    let minutes = 199 * 60;
    practice
        .database
        .run(&format!(
            "insert into audit (clinic, number, position, account, device, document, verb, at, last_at, changes)
             select clinic, 999999, 0, account, device, document, verb, {MIDNIGHT} + {} * {MINUTE},
                 {MIDNIGHT} + {} * {MINUTE}, 200
             from audit where verb = 'edit_patient'",
            20,
            20 + minutes
        ))
        .await;
    let long = [(20, Some(20 + minutes), Some(200))];
    assert_eq!(
        found(Some(20 + minutes), None).await,
        long,
        "until its last moment"
    );
    assert_eq!(found(Some(21 + minutes), None).await, []);
}

/// Of three edits two have been told when compaction makes one run of them.
async fn compaction_between_two_pages_tells_nothing_twice(engine: Engine) {
    let practice = edits_around_midnight(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let page = async |query: &str| -> TrailPage { admin.get(&format!("/audit?{query}")).await };
    let told = |page: &TrailPage| -> Vec<(i64, Option<i64>, Option<u32>)> {
        let minute = |at: Timestamp| (at.0 - MIDNIGHT) / MINUTE;
        let entries = page.entries.iter();
        entries
            .map(|entry| (minute(entry.at), entry.last_at.map(minute), entry.changes))
            .collect()
    };
    let edits = "verb=edit_patient&limit=2";
    let first = page(edits).await;
    assert_eq!(told(&first), [(10, None, None), (0, None, None)]);
    compact(&practice).await;
    let second = page(&format!("{edits}&cursor={}", first.next.expect("one more"))).await;
    assert_eq!(told(&second), [(-10, Some(0), None)], "the rest of it");
    assert_eq!((second.entries[0].change.as_ref(), second.next), (None, None));

    // A run that was one from the first page on is told in whole, wherever pages end.
    let all = "verb=edit_patient&happening=signed_in&limit=1";
    let first = page(all).await;
    assert_eq!(told(&first), [(10, None, None)], "who reads came in");
    let second = page(&format!("{all}&cursor={}", first.next.expect("more"))).await;
    assert_eq!(told(&second), [(-10, Some(10), Some(3))]);
    assert!(second.entries[0].change.is_some());
}

/// Somebody who takes their time over a long one is no administrator any more.
async fn an_export_breaks_off_when_its_reader_may_no_longer_read(engine: Engine) {
    const LINES: usize = 20_000;
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let both = [Role::Veterinarian, Role::ClinicAdministrator];
    assert_eq!(admin.change_roles(vet.account(), &both).await.status, 204);
    // More than lies on the way between two ends of a connection.
    let word = "x".repeat(1_000);
    practice
        .database
        .run(&format!(
            "insert into events (clinic, number, at, what, detail, link)
             with recursive ones (one) as (select 1 union all select one + 1 from ones where one < {LINES})
             select clinic, number + one + 1000, at, '{word}', detail, link from ones, events where number = 1"
        ))
        .await;
    let lines = |text: &[u8]| {
        text.split(|byte| *byte == b'\n')
            .filter(|line| line.len() > word.len())
            .count()
    };
    let is_whole = |text: &[u8]| text.ends_with(b"\r\n0\r\n\r\n");

    let mut slow = Download::begin(&admin, &format!("/audit.csv?happening={word}")).await;
    slow.read_on(10_000).await;
    assert_eq!(
        vet.change_roles(admin.account(), &[Role::Viewer]).await.status,
        204
    );
    slow.read_on(usize::MAX).await;
    let seen = lines(&slow.read);
    assert!(
        (1..LINES).contains(&seen) && !is_whole(&slow.read),
        "{seen} lines"
    );

    let mut slow = Download::begin(&vet, &format!("/audit.csv?happening={word}")).await;
    slow.read_on(10_000).await;
    slow.read_on(usize::MAX).await;
    assert_eq!(lines(&slow.read), LINES);
    assert!(is_whole(&slow.read), "who still may gets all of it");
}

/// An answer as it comes over the wire, no faster than it is read.
struct Download {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Download {
    async fn begin(person: &Person, path: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(64 << 10).expect("set");
        let mut stream = socket.connect(person.server).await.expect("connected");
        let request = format!(
            "GET /api/v1{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            person.server, person.signed_in.access_token
        );
        stream.write_all(request.as_bytes()).await.expect("asked");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Until so much has come in all, or the connection ends.
    async fn read_on(&mut self, until: usize) {
        while self.read.len() < until {
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

async fn what_stood_before_and_after_is_told_compacted_or_not(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for name in ["Rexie", "Rexo"] {
        desk.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        desk.settled().await;
    }
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let lines = async |verb: &str| -> Vec<String> {
        let page: TrailPage = admin.get(&format!("/audit?verb={verb}&happening={verb}")).await;
        page.entries.into_iter().map(|entry| entry.id).collect()
    };
    let path = |lines: &[String]| format!("/audit/changes?lines={}", lines.join(","));
    let told = async |lines: &[String]| -> TrailChanges { admin.get(&path(lines)).await };
    let name = |before: &str, after: &str| {
        [FieldChange {
            field: "name".to_owned(),
            before: Some(FieldValue::Text(before.to_owned())),
            after: Some(FieldValue::Text(after.to_owned())),
        }]
    };

    let edits = lines("edit_patient").await;
    assert_eq!(edits.len(), 2);
    assert_eq!(told(&edits[..1]).await.fields, name("Rexie", "Rexo"));
    assert_eq!(told(&edits[1..]).await.fields, name("Rex", "Rexie"));
    let twice = told(&[edits[0].clone(), edits[0].clone()]).await;
    assert_eq!(
        (twice.changes, twice.fields.as_slice()),
        (1, name("Rexie", "Rexo").as_slice())
    );
    let both = told(&edits).await;
    assert_eq!(
        (both.changes, both.fields.as_slice()),
        (2, name("Rex", "Rexo").as_slice())
    );
    let registered = lines("register_patient").await;
    assert_eq!(registered.len(), 2);
    let fields = told(&registered[..1]).await.fields;
    assert!(fields.iter().all(|field| field.before.is_none()), "{fields:?}");
    assert!(fields.iter().any(|field| field.field == "species"), "{fields:?}");

    compact_history(
        &practice.storage,
        practice.settings.clock.now(),
        HeavyWork::OnThreads,
    )
    .await
    .expect("compacted");
    let run = lines("edit_patient").await;
    assert_eq!(run.len(), 1);
    assert_eq!(told(&run).await, both, "it says the same as before");

    // That somebody looked is in the trail, and nobody else looks.
    let looked = lines("change_read").await;
    assert_eq!(looked.len(), 6);
    for (odd, status) in [
        (registered.clone(), 400),
        (looked[..1].to_vec(), 400),
        (vec!["5.row.17".to_owned()], 400),
        (vec!["5.row.99999.0".to_owned()], 404),
    ] {
        let answer = admin.try_get(&path(&odd)).await;
        assert_eq!(answer.status, status, "{odd:?}: {:?}", answer.body);
    }
    for person in ["desk", "vet", "owner", "system"] {
        let other = Person::of(&practice, person, PASSWORD).await;
        assert_eq!(other.try_get(&path(&run)).await.status, 403, "{person}");
    }
    crate::practice::found_clinic(&practice.storage, fresh_id(ClinicId), "other-").await;
    let other = Person::of(&practice, "other-admin", PASSWORD).await;
    assert_eq!(other.try_get(&path(&run)).await.status, 404);
    is_whole(&practice).await;
}

/// As many lines as a busy clinic has in a month, all of them at one moment: the worst for whoever goes on behind a page.
async fn a_long_trail_is_told_page_by_page(engine: Engine) {
    const LINES: usize = 20_000;
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    practice
        .database
        .run(&format!(
            "insert into events (clinic, number, at, what, detail, link)
             with recursive ones (one) as (select 1 union all select one + 1 from ones where one < {LINES})
             select clinic, number + one + 1000, at, 'record_read', detail, link from ones, events where number = 1"
        ))
        .await;
    let (mut seen, mut query) = (BTreeSet::new(), "happening=record_read&limit=1000".to_owned());
    loop {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        assert!(page.entries.len() <= 1_000);
        seen.extend(page.entries.into_iter().map(|entry| entry.id));
        match page.next {
            Some(next) => query = format!("happening=record_read&limit=1000&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), LINES, "each once");
    let csv = admin.try_get("/audit.csv?happening=record_read").await;
    assert_eq!(csv.body.split(|byte| *byte == b'\n').count(), LINES + 2);
}
