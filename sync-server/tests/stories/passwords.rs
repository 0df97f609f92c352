//! Passwords changed, forgotten and chosen anew; addresses verified and changed.

use crate::database::Engine;
use crate::http;
use crate::letter_box::LetterBox;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, Practice, fresh_id};
use axum::http::Method;
use serde_json::json;
use shared_model::accounts::{Me, codes, links};
use shared_model::ids::DeviceId;
use shared_model::protocol::Goodbye;
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use sync_server::Clock;

on_both! {
    a_changed_password_ends_every_other_sign_in
    a_forgotten_password_is_chosen_anew_once
    a_new_address_is_confirmed_and_the_old_one_told
    a_new_password_takes_back_an_address_that_was_asked_for
    a_link_to_a_former_address_leads_nowhere
    a_new_address_that_waits_is_taken_back
    an_address_is_verified_by_its_mail
    a_name_is_changed
}

const NEW: &str = "quince-fathom-41-sled";

async fn a_changed_password_ends_every_other_sign_in(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    practice.enter_records().await;
    let mut other = practice.device("vet").await;
    other.connect().await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let guess = json!({ "proof": { "password": "guess" } });
    let guess = vet.post("/me/prove", guess).await;
    assert_eq!(guess.code(), codes::WRONG_CREDENTIALS);
    let word = vet.proven(PASSWORD).await;
    let change = async |word: &str, new: &str| {
        vet.post("/me/password", json!({ "proven": word, "new": new }))
            .await
    };
    assert_eq!(change("guess", NEW).await.code(), codes::LINK_NO_LONGER_VALID);
    for weak in ["correct", "vet@example.org", "Practice2026"] {
        assert_eq!(change(&word, weak).await.code(), codes::WEAK_PASSWORD, "{weak}");
    }
    assert_eq!(change(&word, &"x".repeat(2_000)).await.code(), codes::BAD_REQUEST);
    let done = change(&word, NEW).await;
    assert_eq!(
        (done.status.as_u16(), done.header("cache-control")),
        (204, "no-store")
    );
    assert_eq!(other.goodbye().await, Goodbye::SignIn);
    let me: Me = vet.get("/me").await;
    assert_eq!(me.full_name, "vet", "the one that changed it stays");
    assert_eq!(
        practice.sign_in("vet", PASSWORD, fresh_id(DeviceId)).await.status,
        401
    );
    Person::of(&practice, "vet", NEW).await;
    let told = letters.letter("vet@example.org", "password was changed").await;
    assert!(told.plain.contains(links::FORGOT_PASSWORD));
}

async fn a_forgotten_password_is_chosen_anew_once(engine: Engine) {
    let letters = LetterBox::open();
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let (mail, clock) = (letters.post(), Arc::clone(&now));
    let practice = Practice::open_with(engine, |settings| {
        settings.post = mail;
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    practice.enter_records().await;
    let mut device = practice.device("vet").await;
    device.connect().await;
    let forgot = async || {
        let asked = post(
            practice.address,
            "/password/forgot",
            json!({ "email": " Vet@Example.org" }),
        )
        .await;
        assert_eq!((asked.status.as_u16(), asked.body.as_ref()), (202, &b""[..]));
        letters
            .letter("vet@example.org", "A new password")
            .await
            .token(links::RESET_PASSWORD)
    };
    let reset = async |token: &str, password: &str| {
        post(
            practice.address,
            "/password/reset",
            json!({ "token": token, "password": password }),
        )
        .await
    };
    let late = forgot().await;
    now.fetch_add(3_600_000, Ordering::Relaxed);
    assert_eq!(
        reset(&late, NEW).await.code(),
        codes::LINK_NO_LONGER_VALID,
        "after an hour"
    );
    let first = forgot().await;
    let token = forgot().await;
    assert_eq!(
        reset(&first, NEW).await.code(),
        codes::LINK_NO_LONGER_VALID,
        "there is a later one"
    );
    assert_eq!(reset(&token, "vet12345").await.code(), codes::WEAK_PASSWORD);
    assert_eq!(
        reset(&token, NEW).await.status,
        204,
        "a weak one does not use it up"
    );
    assert_eq!(
        reset(&token, NEW).await.code(),
        codes::LINK_NO_LONGER_VALID,
        "once"
    );
    assert_eq!(device.goodbye().await, Goodbye::SignIn);
    assert_eq!(
        practice.sign_in("vet", PASSWORD, fresh_id(DeviceId)).await.status,
        401
    );
    let vet = Person::of(&practice, "vet", NEW).await;
    let me: Me = vet.get("/me").await;
    assert!(me.email_verified);
    letters.letter("vet@example.org", "password was changed").await;
}

async fn a_new_address_is_confirmed_and_the_old_one_told(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let word = vet.proven(PASSWORD).await;
    let change = async |word: &str, email: &str| {
        let answer = vet
            .post("/me/email", json!({ "proven": word, "email": email }))
            .await;
        answer.status.as_u16()
    };
    assert_eq!(change("guess", "new@example.org").await, 410);
    assert_eq!(change(&word, "nonsense").await, 422);
    assert_eq!(change(&word, "New@example.org").await, 202);
    let me: Me = vet.get("/me").await;
    assert_eq!(
        (me.email.as_str(), me.new_email.as_deref()),
        ("vet@example.org", Some("new@example.org"))
    );
    let told = letters.letter("vet@example.org", "about to change").await;
    assert!(told.plain.contains("new@example.org"));
    let token = letters
        .letter("new@example.org", "Confirm")
        .await
        .token(links::VERIFY_EMAIL);
    let follow = async || post(practice.address, "/email/verify", json!({ "token": token })).await;
    assert_eq!(follow().await.status, 204);
    assert_eq!(follow().await.code(), codes::LINK_NO_LONGER_VALID);
    let me: Me = vet.get("/me").await;
    assert_eq!(
        (me.email.as_str(), me.new_email, me.email_verified),
        ("new@example.org", None, true)
    );

    // Somebody else's address: the answer is the same, and it is they who are told.
    assert_eq!(change(&word, "desk@example.org").await, 202);
    let told = letters.letter("desk@example.org", "has an account").await;
    assert!(!told.plain.contains('#'), "without a link");
    Person::of(&practice, "desk", PASSWORD).await;
}

/// Whoever knew the password may have asked for it: they keep no way in.
async fn a_new_password_takes_back_an_address_that_was_asked_for(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let thief = Person::of(&practice, "vet", PASSWORD).await;
    let wait_at = async |thief: &Person, password: &str, email: &str| {
        let ask = json!({ "proven": thief.proven(password).await, "email": email });
        assert_eq!(thief.post("/me/email", ask).await.status, 202);
        letters.letter(email, "Confirm").await.token(links::VERIFY_EMAIL)
    };
    let follow = async |token: &str| post(practice.address, "/email/verify", json!({ "token": token })).await;
    let waiting = wait_at(&thief, PASSWORD, "thief@example.org").await;
    let change = json!({ "proven": vet.proven(PASSWORD).await, "new": NEW });
    assert_eq!(vet.post("/me/password", change).await.status, 204);
    let me: Me = vet.get("/me").await;
    assert_eq!(me.new_email, None);
    assert_eq!(follow(&waiting).await.code(), codes::LINK_NO_LONGER_VALID);

    // Chosen anew by mail, too.
    let thief = Person::of(&practice, "vet", NEW).await;
    let waiting = wait_at(&thief, NEW, "crook@example.org").await;
    let forgot = json!({ "email": "vet@example.org" });
    assert_eq!(
        post(practice.address, "/password/forgot", forgot).await.status,
        202
    );
    let link = letters.letter("vet@example.org", "A new password").await;
    let another = "lantern beagle orchard";
    let reset = json!({ "token": link.token(links::RESET_PASSWORD), "password": another });
    assert_eq!(post(practice.address, "/password/reset", reset).await.status, 204);
    assert_eq!(follow(&waiting).await.code(), codes::LINK_NO_LONGER_VALID);
    let me: Me = Person::of(&practice, "vet", another).await.get("/me").await;
    assert_eq!((me.email.as_str(), me.new_email), ("vet@example.org", None));
}

/// Whoever reads the mails of an address that was given up chooses no password any more.
async fn a_link_to_a_former_address_leads_nowhere(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let forgot = json!({ "email": "vet@example.org" });
    assert_eq!(
        post(practice.address, "/password/forgot", forgot).await.status,
        202
    );
    let former = letters.letter("vet@example.org", "A new password").await;
    let ask = json!({ "proven": vet.proven(PASSWORD).await, "email": "new@example.org" });
    assert_eq!(vet.post("/me/email", ask).await.status, 202);
    let confirm = letters.letter("new@example.org", "Confirm").await;
    let follow = json!({ "token": confirm.token(links::VERIFY_EMAIL) });
    assert_eq!(post(practice.address, "/email/verify", follow).await.status, 204);
    let reset = json!({ "token": former.token(links::RESET_PASSWORD), "password": NEW });
    let late = post(practice.address, "/password/reset", reset).await;
    assert_eq!(late.code(), codes::LINK_NO_LONGER_VALID);
    Person::of(&practice, "new", PASSWORD).await;
}

async fn a_new_address_that_waits_is_taken_back(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let follow = async |token: &str| post(practice.address, "/email/verify", json!({ "token": token })).await;
    let ask = json!({ "proven": vet.proven(PASSWORD).await, "email": "new@example.org" });
    assert_eq!(vet.post("/me/email", ask).await.status, 202);
    let waiting = letters.letter("new@example.org", "Confirm").await;
    for _ in 0..2 {
        assert_eq!(vet.delete("/me/email").await.status, 204);
        let me: Me = vet.get("/me").await;
        assert_eq!((me.email.as_str(), me.new_email), ("vet@example.org", None));
    }
    let late = follow(&waiting.token(links::VERIFY_EMAIL)).await;
    assert_eq!(late.code(), codes::LINK_NO_LONGER_VALID);

    // The mail that verifies the present address is no new one.
    assert_eq!(vet.tell("/me/email/verification").await.status, 202);
    let present = letters.letter("vet@example.org", "your address?").await;
    assert_eq!(vet.delete("/me/email").await.status, 204);
    assert_eq!(follow(&present.token(links::VERIFY_EMAIL)).await.status, 204);
    let nobody = http::request(
        practice.address,
        Method::DELETE,
        "/api/v1/me/email",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(nobody.status, 401);
}

async fn an_address_is_verified_by_its_mail(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let me: Me = vet.get("/me").await;
    assert!(!me.email_verified);
    assert_eq!(vet.tell("/me/email/verification").await.status, 202);
    let token = letters
        .letter("vet@example.org", "your address?")
        .await
        .token(links::VERIFY_EMAIL);
    assert_eq!(
        post(practice.address, "/email/verify", json!({ "token": token }))
            .await
            .status,
        204
    );
    let me: Me = vet.get("/me").await;
    assert!(me.email_verified && me.new_email.is_none());
    assert_eq!(vet.tell("/me/email/verification").await.status, 202);
    let change = json!({ "proven": vet.proven(PASSWORD).await, "email": "new@example.org" });
    assert_eq!(vet.post("/me/email", change).await.status, 202);
    letters.letter("new@example.org", "Confirm").await;
    assert!(
        letters
            .letters()
            .iter()
            .all(|letter| !letter.subject.contains("your address?")),
        "what is verified is not asked about again"
    );
}

async fn a_name_is_changed(engine: Engine) {
    let practice = Practice::open(engine).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let me: Me = vet
        .patch("/me", json!({ "full_name": " Dr Vera Veith " }))
        .await
        .read();
    assert_eq!(me.full_name, "Dr Vera Veith");
    assert_eq!(
        vet.patch("/me", json!({ "full_name": "" })).await.code(),
        codes::BAD_REQUEST
    );
}

/// The fastest answers about a known and an unknown address, in seconds.
async fn fastest_answers(practice: &Practice) -> (f64, f64) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut bodies = Vec::new();
    for _ in 0..4 {
        for (person, times) in [("vet", &mut known), ("nobody", &mut unknown)] {
            let begin = Instant::now();
            let body = json!({ "email": format!("{person}@example.org") });
            let answer = post(practice.address, "/password/forgot", body).await;
            times.push(begin.elapsed());
            assert_eq!(answer.status, 202);
            bodies.push(answer.body);
        }
    }
    assert!(bodies.iter().all(|body| body.is_empty()), "the same words");
    let fastest = |times: &[Duration]| times.iter().min().expect("some").as_secs_f64();
    (fastest(&known), fastest(&unknown))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_for_a_new_password_does_not_tell_who_has_an_account() {
    let (practice, letters) = Practice::with_mail(Engine::Sqlite).await;
    let mut seen = Vec::new();
    let mut alike = false;
    // A machine with much to do makes one of them late now and then; a difference that is one shows every time.
    for _ in 0..6 {
        let (known, unknown) = fastest_answers(&practice).await;
        seen.push((known, unknown));
        alike |= (0.5..2.0).contains(&(known / unknown));
    }
    assert!(alike, "not the same time: {seen:?}");
    letters.letter("vet@example.org", "A new password").await;
}

/// Nor by who is signed in and asks for it as their own, however often, and is told nothing.
#[tokio::test]
async fn a_letter_box_is_not_filled_up_by_colleagues() {
    let (practice, letters) = Practice::with_mail(Engine::Sqlite).await;
    for name in ["vet", "tech"] {
        let asker = Person::of(&practice, name, PASSWORD).await;
        let ask = json!({ "proven": asker.proven(PASSWORD).await, "email": "victim@example.org" });
        for _ in 0..6 {
            assert_eq!(asker.post("/me/email", &ask).await.status, 202);
        }
    }
    let last = Person::of(&practice, "desk", PASSWORD).await;
    assert_eq!(last.tell("/me/email/verification").await.status, 202);
    letters.letter("desk@example.org", "your address?").await;
    let all = letters.letters();
    let count = all
        .iter()
        .filter(|letter| letter.to == "victim@example.org")
        .count();
    assert!((1..=5).contains(&count), "{count} of twelve");
}

#[tokio::test]
async fn a_letter_box_is_not_filled_up_by_strangers() {
    let (practice, letters) = Practice::with_mail(Engine::Sqlite).await;
    for _ in 0..12 {
        let body = json!({ "email": "vet@example.org" });
        assert_eq!(post(practice.address, "/password/forgot", body).await.status, 202);
    }
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    vet.tell("/me/email/verification").await;
    letters.letter("vet@example.org", "your address?").await;
    let links = letters.letters().len();
    assert!((1..=5).contains(&links), "{links} of twelve");
}
