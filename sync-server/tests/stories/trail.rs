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
use shared_model::ids::{DeviceId, DocumentId};
use shared_model::permissions::Role;
use shared_model::second_factor::{Factors, PasskeyOffer, Proven, SecondStep, SignInRules};
use shared_model::ways_in::LinkedIdentity;
use std::collections::BTreeSet;
use std::process::Command;
use sync_server::storage::trail::{Told, TrailQuery};
use sync_server::trail::{Break, Verdict, verify_trail};
use sync_server::{HeavyWork, compact_history};

on_both! {
    whatever_is_altered_is_found
    a_change_that_is_said_to_be_somebody_elses_is_found
    a_compacted_trail_is_as_whole_and_as_guarded
    what_happens_beside_writing_is_in_it
    whatever_changes_a_way_in_is_in_it
    whatever_becomes_of_second_factors_is_in_it
    a_refused_passkey_is_in_it
    a_wrong_password_is_in_it_wherever_it_was_given
    what_administrators_decide_about_signing_in_is_done_with_its_line_or_not
    the_way_that_somebody_came_by_is_in_it
}

async fn verdict(practice: &Practice) -> Verdict {
    verify_trail(practice.storage.as_ref(), practice.clinic, &[])
        .await
        .expect("walked")
}

pub async fn is_whole(practice: &Practice) {
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
pub async fn until_noted(practice: &Practice, verb: &str, count: usize) {
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

pub async fn read(practice: &Practice, token: &str, path: &str) -> Response {
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
