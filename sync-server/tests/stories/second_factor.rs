//! Authenticator apps, recovery codes and passkeys; clinics that ask for a second factor.

use crate::authenticator::Authenticator;
use crate::database::Engine;
use crate::http::{self, Response};
use crate::letter_box::LetterBox;
use crate::morning::on_both;
use crate::person::{Person, invite, post};
use crate::practice::{PASSWORD, Practice, found_clinic, fresh_id};
use serde_json::{Value, json};
use shared_model::accounts::{Member, SignedIn, codes as account_codes, links};
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::second_factor::{
    Factors, NewPasskey, PasskeyOffer, PasskeysOffered, Proven, RecoveryCodes, SecondStep, SignInRules,
    TotpOffer, codes,
};
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::Clock;
use totp_rs::{Builder, Secret};

on_both! {
    whoever_has_an_app_is_asked_for_its_code
    a_recovery_code_works_once_and_its_use_is_told
    another_password_ends_what_had_come_half_way
    a_step_to_set_one_up_replaces_none
    codes_are_guessed_slowly
    a_clinic_asks_its_staff_for_a_second_factor
    administrators_help_who_has_lost_everything
    what_is_proven_is_so_in_one_sign_in_for_minutes
    whatever_decides_about_signing_in_takes_both_factors
    what_a_clinic_asks_for_is_changed_with_both_factors
    whoever_guesses_at_the_second_factor_is_told_of
    a_step_to_set_one_up_takes_no_recovery_code
    owners_keep_theirs
    no_way_in_goes_round_the_second_factor
    an_app_shows_one_code_to_one
    a_passkey_is_enough_and_is_the_second_factor_too
    of_two_first_passkeys_one_is_the_first
    passkeys_that_do_not_hold_are_refused
}

const NEW: &str = "quince-fathom-41-sled";
const ORIGIN: &str = "http://localhost:8080";

/// A practice, its letters, and a clock that stories move.
struct Scene {
    practice: Practice,
    letters: LetterBox,
    now: Arc<AtomicI64>,
}

impl Scene {
    async fn open(engine: Engine) -> Self {
        let letters = LetterBox::open();
        let now = Arc::new(AtomicI64::new(1_700_000_000_000));
        let (mail, clock) = (letters.post(), Arc::clone(&now));
        let practice = Practice::open_with(engine, |settings| {
            settings.post = mail;
            settings.public_address = ORIGIN.to_owned();
            settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
        })
        .await;
        Self {
            practice,
            letters,
            now,
        }
    }

    fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    fn code(&self, secret: &str) -> String {
        code_at(secret, &self.now)
    }

    async fn sign_in(&self, name: &str) -> Response {
        self.practice.sign_in(name, PASSWORD, fresh_id(DeviceId)).await
    }

    /// Somebody's second step after the right password.
    async fn step(&self, name: &str) -> SecondStep {
        let asked = self.sign_in(name).await;
        assert_eq!(
            (asked.status.as_u16(), asked.code().as_str()),
            (401, codes::SECOND_FACTOR)
        );
        asked.read()
    }

    async fn second(&self, step: &SecondStep, way: &str, proof: &str) -> Response {
        let body = json!({ "step": step.step, "proof": { way: proof } });
        post(self.practice.address, "/sign-in/second", body).await
    }

    async fn set_up(&self, person: &Person) -> (String, Vec<String>) {
        set_up(person, PASSWORD, &self.now).await
    }

    /// Comes in with an app.
    async fn with_app(&self, name: &str, secret: &str) -> Person {
        let step = self.step(name).await;
        let signed_in: SignedIn = ok(self.second(&step, "totp", &self.code(secret)).await);
        self.later(30);
        Person {
            server: self.practice.address,
            device: fresh_id(DeviceId),
            signed_in,
        }
    }
}

/// What an app shows now that has scanned the code. `now` in milliseconds.
pub fn code_at(secret: &str, now: &AtomicI64) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new()
        .with_secret(secret)
        .build()
        .expect("as the standard says");
    let seconds = now.load(Ordering::Relaxed).unsigned_abs() / 1_000;
    totp.generate(seconds).to_string()
}

/// Sets an app up; its secret, and the recovery codes. Half a minute passes: the code that confirmed it is used.
pub async fn set_up(person: &Person, password: &str, now: &AtomicI64) -> (String, Vec<String>) {
    set_up_with(person, json!({ "password": password }), now).await
}

/// The same for whoever shows in another way that it is they.
pub async fn set_up_with(person: &Person, proof: Value, now: &AtomicI64) -> (String, Vec<String>) {
    let begin = json!({ "proven": person.proven_by(proof).await });
    let offer: TotpOffer = ok(person.post("/me/totp/begin", begin).await);
    let body = json!({ "offer": offer.offer, "code": code_at(&offer.secret, now) });
    let codes: RecoveryCodes = ok(person.post("/me/totp/confirm", body).await);
    now.fetch_add(30_000, Ordering::Relaxed);
    (offer.secret, codes.codes)
}

fn ok<T: serde::de::DeserializeOwned>(answer: Response) -> T {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.read()
}

async fn proven_with(person: &Person, way: &str, proof: &str) -> String {
    let asked = person
        .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
        .await;
    assert_eq!(asked.code(), codes::SECOND_FACTOR);
    let step: SecondStep = asked.read();
    let body = json!({ "step": step.step, "proof": { way: proof } });
    let proven: Proven = ok(person.post("/me/prove/second", body).await);
    proven.proven
}

async fn whoever_has_an_app_is_asked_for_its_code(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let none: Factors = vet.get("/me/factors").await;
    assert_eq!(
        (none.totp_since, none.recovery_codes, none.demanded),
        (None, 0, false)
    );

    let wrong = vet
        .post("/me/prove", json!({ "proof": { "password": "guess" } }))
        .await;
    assert_eq!(wrong.code(), account_codes::WRONG_CREDENTIALS);
    let proven = vet.proven(PASSWORD).await;
    let offer: TotpOffer = ok(vet.post("/me/totp/begin", json!({ "proven": proven })).await);
    assert!(
        offer.address.starts_with("otpauth://totp/localhost"),
        "{}",
        offer.address
    );
    let bits = usize::from(offer.side) * usize::from(offer.side);
    assert_eq!(offer.modules.len(), bits.div_ceil(8), "a square");
    let confirm = async |code: &str| {
        vet.post("/me/totp/confirm", json!({ "offer": offer.offer, "code": code }))
            .await
    };
    assert_eq!(confirm("000000").await.code(), codes::WRONG_CODE);
    assert_eq!(scene.sign_in("vet").await.status, 200, "an offer is nothing yet");
    let first = scene.code(&offer.secret);
    let list: RecoveryCodes = ok(confirm(&first).await);
    assert_eq!(list.codes.len(), 10);
    assert_eq!(confirm(&first).await.code(), account_codes::LINK_NO_LONGER_VALID);
    scene
        .letters
        .letter("vet@example.org", "was set up for your account")
        .await;

    let step = scene.step("vet").await;
    assert_eq!(
        (step.totp, step.recovery_codes, step.passkey.as_deref()),
        (true, true, None)
    );
    assert_eq!(
        scene.second(&step, "totp", "000000").await.code(),
        codes::WRONG_CODE
    );
    assert_eq!(
        scene.second(&step, "totp", &first).await.code(),
        codes::WRONG_CODE,
        "it confirmed the app: it is used"
    );
    assert_eq!(
        scene.second(&step, "set_up", "").await.status,
        422,
        "no such proof"
    );
    scene.later(30);
    let code = scene.code(&offer.secret);
    let twice = scene.step("vet").await;
    let signed_in: SignedIn = ok(scene.second(&step, "totp", &code).await);
    assert_eq!(
        scene.second(&twice, "totp", &code).await.code(),
        codes::WRONG_CODE,
        "a code works once"
    );
    scene.later(30);
    let next = scene.code(&offer.secret);
    assert_eq!(
        scene.second(&step, "totp", &next).await.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "so does a step"
    );
    let late = scene.step("vet").await;
    scene.later(600);
    let code = scene.code(&offer.secret);
    assert_eq!(
        scene.second(&late, "totp", &code).await.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "after ten minutes"
    );
    let inside = Person {
        server: scene.practice.address,
        device: fresh_id(DeviceId),
        signed_in,
    };
    let factors: Factors = inside.get("/me/factors").await;
    assert!(factors.totp_since.is_some());
    assert_eq!(factors.recovery_codes, 10);

    // Taken away by who shows it, and told.
    scene.later(30);
    let word = proven_with(&inside, "totp", &scene.code(&offer.secret)).await;
    let gone = inside.post("/me/totp/remove", json!({ "proven": word })).await;
    assert_eq!(gone.status, 204, "{:?}", gone.body);
    scene.letters.letter("vet@example.org", "was taken away").await;
    assert_eq!(scene.sign_in("vet").await.status, 200);
    let none: Factors = inside.get("/me/factors").await;
    assert_eq!((none.totp_since, none.recovery_codes), (None, 0));
    let again = inside.post("/me/totp/remove", json!({ "proven": word })).await;
    assert_eq!(again.status, 404);
}

async fn a_recovery_code_works_once_and_its_use_is_told(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (_, list) = scene.set_up(&vet).await;
    let step = scene.step("vet").await;
    let by_hand = list[0].to_uppercase().replace('-', " ");
    let _: SignedIn = ok(scene.second(&step, "recovery_code", &by_hand).await);
    let told = scene
        .letters
        .letter("vet@example.org", "recovery code of your account was used")
        .await;
    assert!(told.plain.contains("You have 9 left"), "{}", told.plain);
    assert!(
        !told.plain.contains("signed in"),
        "it may have proved something: {}",
        told.plain
    );
    let step = scene.step("vet").await;
    for used in [&list[0], "00000-00000", ""] {
        assert_eq!(
            scene.second(&step, "recovery_code", used).await.code(),
            codes::WRONG_CODE
        );
    }

    let word = proven_with(&vet, "recovery_code", &list[1]).await;
    let fresh: RecoveryCodes = ok(vet.post("/me/recovery-codes", json!({ "proven": word })).await);
    let told = scene
        .letters
        .letter("vet@example.org", "New recovery codes")
        .await;
    assert!(!told.plain.contains("authenticator"), "{}", told.plain);
    let step = scene.step("vet").await;
    assert_eq!(
        scene.second(&step, "recovery_code", &list[2]).await.code(),
        codes::WRONG_CODE,
        "the new list takes the place of the old one"
    );
    let _: SignedIn = ok(scene.second(&step, "recovery_code", &fresh.codes[2]).await);

    // Of two who use one at the same moment, one comes in.
    let (one, other) = (scene.step("vet").await, scene.step("vet").await);
    let (one, other) = tokio::join!(
        scene.second(&one, "recovery_code", &fresh.codes[3]),
        scene.second(&other, "recovery_code", &fresh.codes[3]),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

async fn another_password_ends_what_had_come_half_way(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, _) = scene.set_up(&vet).await;
    let word = proven_with(&vet, "totp", &scene.code(&secret)).await;
    scene.later(30);
    let step = scene.step("vet").await;
    let change = json!({ "proven": word, "new": NEW });
    assert_eq!(vet.post("/me/password", change).await.status, 204);
    let late = scene.second(&step, "totp", &scene.code(&secret)).await;
    assert_eq!(late.code(), account_codes::LINK_NO_LONGER_VALID);
    let anew = scene.practice.sign_in("vet", NEW, fresh_id(DeviceId)).await;
    let _: SignedIn = ok(scene.second(&anew.read(), "totp", &scene.code(&secret)).await);
}

async fn a_step_to_set_one_up_replaces_none(engine: Engine) {
    let scene = Scene::open(engine).await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let _: SignInRules = ok(admin.ask_for_second_factor(true).await);
    let begun = async || {
        let asked = scene.sign_in("vet").await;
        assert_eq!(asked.code(), codes::SECOND_FACTOR_TO_SET_UP);
        let step: SecondStep = asked.read();
        let begin = json!({ "step": step.step });
        let offer: TotpOffer = ok(post(scene.practice.address, "/sign-in/totp/begin", begin).await);
        (step, offer)
    };
    let confirm = async |(step, offer): &(SecondStep, TotpOffer)| {
        let body = json!({ "step": step.step, "offer": offer.offer, "code": scene.code(&offer.secret) });
        post(scene.practice.address, "/sign-in/totp/confirm", body).await
    };
    // A stranger who knows the password has come as far, at the same time.
    let (vets, strangers, another) = (begun().await, begun().await, begun().await);
    let _: RecoveryCodes = ok(confirm(&vets).await);
    let (one, other) = tokio::join!(confirm(&strangers), confirm(&another));
    for refused in [one, other] {
        assert_eq!(refused.code(), account_codes::LINK_NO_LONGER_VALID);
    }
    scene.later(30);
    scene.with_app("vet", &vets.1.secret).await;
}

async fn codes_are_guessed_slowly(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, list) = scene.set_up(&vet).await;
    let step = scene.step("vet").await;
    for _ in 0..5 {
        assert_eq!(
            scene.second(&step, "totp", "000000").await.code(),
            codes::WRONG_CODE
        );
    }
    // Whichever kind: with a new step, or another one's code, too.
    let slowed = scene.second(&step, "recovery_code", &list[0]).await;
    assert_eq!(slowed.code(), account_codes::SLOW_DOWN);
    let another = scene.step("vet").await;
    let slowed = scene.second(&another, "totp", &scene.code(&secret)).await;
    assert_eq!(slowed.code(), account_codes::SLOW_DOWN);
    scene.later(30);
    let _: SignedIn = ok(scene.second(&another, "totp", &scene.code(&secret)).await);
}

/// Whoever has come so far has the password. One mail says so, however long they go on.
async fn whoever_guesses_at_the_second_factor_is_told_of(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, list) = scene.set_up(&vet).await;
    let guesses = || {
        let letters = scene.letters.letters();
        letters
            .iter()
            .filter(|letter| letter.subject.contains("Wrong codes"))
            .count()
    };
    // Letters leave in the order in which they were written.
    let all_have_come = async |colleague: &str| {
        let colleague_here = Person::of(&scene.practice, colleague, PASSWORD).await;
        colleague_here.tell("/me/email/verification").await;
        let to = format!("{colleague}@example.org");
        scene.letters.letter(&to, "your address?").await;
    };
    let step = scene.step("vet").await;
    for _ in 0..4 {
        let wrong = scene.second(&step, "totp", "000000").await;
        assert_eq!(wrong.code(), codes::WRONG_CODE);
    }
    let _: SignedIn = ok(scene.second(&step, "recovery_code", &list[0]).await);
    all_have_come("desk").await;
    assert_eq!(guesses(), 0, "slips, and then the right one");

    let step = scene.step("vet").await;
    for _ in 0..5 {
        let wrong = scene.second(&step, "totp", "000000").await;
        assert_eq!(wrong.code(), codes::WRONG_CODE);
    }
    let told = scene.letters.letter("vet@example.org", "Wrong codes").await;
    assert!(told.plain.contains(links::FORGOT_PASSWORD), "{}", told.plain);
    assert_eq!(scene.second(&step, "totp", "000000").await.status, 429);
    for _ in 0..3 {
        scene.later(60);
        let wrong = scene.second(&step, "totp", "000000").await;
        assert_eq!(wrong.code(), codes::WRONG_CODE);
    }
    scene.later(60);
    scene.with_app("vet", &secret).await;
    all_have_come("tech").await;
    assert_eq!(guesses(), 0, "one within a quarter of an hour");
}

/// Codes that outlived the factors that they stood in for let nobody in.
async fn a_step_to_set_one_up_takes_no_recovery_code(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (_, list) = scene.set_up(&vet).await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let _: SignInRules = ok(admin.ask_for_second_factor(true).await);
    // As a race of builds before may have left it.
    scene.practice.database.run("delete from totp").await;
    let asked = scene.sign_in("vet").await;
    assert_eq!(asked.code(), codes::SECOND_FACTOR_TO_SET_UP);
    let shown = scene.second(&asked.read(), "recovery_code", &list[0]).await;
    assert_eq!(shown.code(), codes::WRONG_CODE);
}

async fn a_clinic_asks_its_staff_for_a_second_factor(engine: Engine) {
    let scene = Scene::open(engine).await;
    scene.practice.enter_records().await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let refused = vet.ask_for_second_factor(true).await;
    assert_eq!(refused.code(), account_codes::NOT_PERMITTED);
    assert_eq!(
        vet.try_get("/clinic/sign-in").await.code(),
        account_codes::NOT_PERMITTED
    );
    let before: SignInRules = admin.get("/clinic/sign-in").await;
    assert!(!before.second_factor);
    let _: SignInRules = ok(admin.ask_for_second_factor(true).await);

    let _: Factors = vet.get("/me/factors").await;
    assert_eq!(
        scene.sign_in("owner").await.status,
        200,
        "owners are asked for nothing"
    );
    let whoever_runs_it = scene.sign_in("system").await;
    assert_eq!(whoever_runs_it.code(), codes::SECOND_FACTOR_TO_SET_UP);
    let asked = scene.sign_in("vet").await;
    assert_eq!(
        (asked.status.as_u16(), asked.code().as_str()),
        (401, codes::SECOND_FACTOR_TO_SET_UP)
    );
    let step: SecondStep = asked.read();
    assert_eq!(
        (step.totp, step.recovery_codes, step.passkey.as_deref()),
        (false, false, None)
    );
    let finish = async || {
        let body = json!({ "step": step.step, "proof": "set_up" });
        post(scene.practice.address, "/sign-in/second", body).await
    };
    assert_eq!(finish().await.code(), codes::WRONG_CODE, "nothing is set up yet");
    let begin = json!({ "step": step.step });
    let offer: TotpOffer = ok(post(scene.practice.address, "/sign-in/totp/begin", begin).await);
    let confirm = json!({ "step": step.step, "offer": offer.offer, "code": scene.code(&offer.secret) });
    let list: RecoveryCodes = ok(post(scene.practice.address, "/sign-in/totp/confirm", &confirm).await);
    assert_eq!(list.codes.len(), 10);
    let again = post(scene.practice.address, "/sign-in/totp/confirm", &confirm).await;
    assert_eq!(again.code(), account_codes::LINK_NO_LONGER_VALID);
    let _: SignedIn = ok(finish().await);
    assert_eq!(finish().await.code(), account_codes::LINK_NO_LONGER_VALID);

    scene.later(30);
    let inside = scene.with_app("vet", &offer.secret).await;
    let factors: Factors = inside.get("/me/factors").await;
    assert!(factors.demanded);
    let word = proven_with(&inside, "totp", &scene.code(&offer.secret)).await;
    let last = inside.post("/me/totp/remove", json!({ "proven": word })).await;
    assert_eq!(last.code(), codes::LAST_SECOND_FACTOR);
    let _: SignInRules = ok(admin.ask_for_second_factor(false).await);
    assert_eq!(
        inside
            .post("/me/totp/remove", json!({ "proven": word }))
            .await
            .status,
        204
    );
    assert_eq!(scene.sign_in("vet").await.status, 200);
}

async fn administrators_help_who_has_lost_everything(engine: Engine) {
    let scene = Scene::open(engine).await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let desk = Person::of(&scene.practice, "desk", PASSWORD).await;
    scene.set_up(&vet).await;
    let staff: Vec<Member> = admin.get("/staff").await;
    for member in &staff {
        let expected = Some(member.account == vet.account());
        assert_eq!(member.has_second_factor, expected, "{}", member.email);
    }
    let owners: Vec<Member> = desk.get("/owners").await;
    assert!(owners.iter().all(|owner| owner.has_second_factor.is_none()));
    assert!(!owners.is_empty());
    let refused = desk.take_factors_away(vet.account()).await;
    assert_eq!(refused.code(), account_codes::NOT_PERMITTED);
    let elsewhere = fresh_id(ClinicId);
    found_clinic(&scene.practice.storage, elsewhere, "other-").await;
    let stranger = Person::of(&scene.practice, "other-admin", PASSWORD).await;
    assert_eq!(
        stranger.take_factors_away(vet.account()).await.status,
        404,
        "of another clinic"
    );
    assert_eq!(
        admin.take_factors_away(admin.account()).await.code(),
        account_codes::NOT_PERMITTED,
        "one's own"
    );
    let none = admin.take_factors_away(desk.account()).await;
    assert_eq!(none.status, 404, "has none");
    assert_eq!(admin.take_factors_away(vet.account()).await.status, 204);
    scene.letters.letter("vet@example.org", "was taken away").await;
    assert_eq!(scene.sign_in("vet").await.status, 200);

    // Whoever belongs elsewhere too is not this administrator's to let in with less.
    let invited = stranger
        .invite("vet@example.org", &[Role::Veterinarian], None)
        .await;
    let token = scene
        .letters
        .letter("vet@example.org", "invites you")
        .await
        .invitation();
    let body = json!({
        "token": token, "full_name": "", "password": PASSWORD, "device": fresh_id(DeviceId),
    });
    assert_eq!(
        post(scene.practice.address, "/invitations/accept", body)
            .await
            .status,
        200,
        "{invited:?}"
    );
    scene.set_up(&vet).await;
    let refused = admin.take_factors_away(vet.account()).await;
    assert_eq!(refused.code(), account_codes::NOT_PERMITTED);

    // Nor is whoever is more here than this administrator could make them.
    let system = Person::of(&scene.practice, "system", PASSWORD).await;
    scene.set_up(&system).await;
    let refused = admin.take_factors_away(system.account()).await;
    assert_eq!(refused.code(), account_codes::NOT_PERMITTED);
    scene.step("system").await;
}

async fn what_is_proven_is_so_in_one_sign_in_for_minutes(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let elsewhere = Person::of(&scene.practice, "vet", PASSWORD).await;
    let desk = Person::of(&scene.practice, "desk", PASSWORD).await;
    let word = vet.proven(PASSWORD).await;
    let begin =
        async |person: &Person, word: &str| person.post("/me/totp/begin", json!({ "proven": word })).await;
    for other in [&elsewhere, &desk] {
        assert_eq!(
            begin(other, &word).await.code(),
            account_codes::LINK_NO_LONGER_VALID
        );
    }
    for none in ["", "guess"] {
        assert_eq!(
            begin(&vet, none).await.code(),
            account_codes::LINK_NO_LONGER_VALID
        );
    }
    let offer: TotpOffer = ok(begin(&vet, &word).await);
    // An offer is of one sign-in, and for as few minutes.
    let confirm = async |person: &Person| {
        let body = json!({ "offer": offer.offer, "code": scene.code(&offer.secret) });
        person.post("/me/totp/confirm", body).await
    };
    for other in [&elsewhere, &desk] {
        assert_eq!(confirm(other).await.code(), account_codes::LINK_NO_LONGER_VALID);
    }
    let passkey: PasskeyOffer = ok(vet.post("/me/passkeys/begin", json!({ "proven": word })).await);
    let credential = Authenticator::new(ORIGIN).create(&passkey.options);
    let made = json!({ "offer": passkey.offer, "credential": credential, "name": "a" });
    let finish = async |person: &Person| person.post("/me/passkeys/finish", &made).await;
    for other in [&elsewhere, &desk] {
        assert_eq!(finish(other).await.code(), account_codes::LINK_NO_LONGER_VALID);
    }
    scene.later(5 * 60);
    assert_eq!(confirm(&vet).await.code(), account_codes::LINK_NO_LONGER_VALID);
    assert_eq!(finish(&vet).await.code(), account_codes::LINK_NO_LONGER_VALID);
    assert_eq!(
        begin(&vet, &word).await.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "after five minutes"
    );

    // With a factor the password alone proves nothing any more.
    let (secret, _) = scene.set_up(&vet).await;
    let asked = elsewhere
        .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
        .await;
    assert_eq!(asked.code(), codes::SECOND_FACTOR);
    let step: SecondStep = asked.read();
    let body = json!({ "step": step.step, "proof": { "totp": scene.code(&secret) } });
    let other = vet.post("/me/prove/second", body).await;
    assert_eq!(
        other.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "a step of another sign-in"
    );
    let as_sign_in = json!({ "step": step.step, "proof": { "totp": scene.code(&secret) } });
    let none = post(scene.practice.address, "/sign-in/second", as_sign_in).await;
    assert_eq!(
        none.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "nobody signs in with it"
    );
}

async fn whatever_decides_about_signing_in_takes_both_factors(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let before = vet.proven(PASSWORD).await;
    let elsewhere = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, _) = scene.set_up(&vet).await;
    let shown = async || {
        let code = scene.code(&secret);
        scene.later(30);
        code
    };
    let changes = async |word: &str| {
        let begin = json!({ "provider": "none", "return_to": "page", "challenge": "0".repeat(64) });
        let nobody = format!("/me/identities/{}/remove", uuid::Uuid::nil());
        let no_passkey = format!("/me/passkeys/{}/remove", uuid::Uuid::nil());
        let requests = [
            ("/me/password", json!({ "proven": word, "new": NEW })),
            ("/me/email", json!({ "proven": word, "email": "new@example.org" })),
            ("/me/openid/begin", json!({ "proven": word, "begin": begin })),
            (nobody.as_str(), json!({ "proven": word })),
            ("/me/recovery-codes", json!({ "proven": word })),
            ("/me/totp/begin", json!({ "proven": word })),
            ("/me/passkeys/begin", json!({ "proven": word })),
            (no_passkey.as_str(), json!({ "proven": word })),
            // Whoever has taken the last one away has none to show: the last of all.
            ("/me/totp/remove", json!({ "proven": word })),
        ];
        let mut statuses = Vec::new();
        for (path, body) in requests {
            statuses.push(vet.post(path, body).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(
        changes(&before).await,
        [410; 9],
        "one from before there was a factor"
    );
    let first = vet
        .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
        .await;
    let first: SecondStep = first.read();
    let other = proven_with(&elsewhere, "totp", &shown().await).await;
    for (what, word) in [
        ("none", ""),
        ("the first factor alone", &first.step),
        ("that of another sign-in", &other),
    ] {
        assert_eq!(changes(word).await, [410; 9], "{what}");
    }
    let old = proven_with(&vet, "totp", &shown().await).await;
    scene.later(5 * 60);
    assert_eq!(changes(&old).await, [410; 9], "after five minutes");
    let word = proven_with(&vet, "totp", &shown().await).await;
    // There is no such provider, and nothing of it is linked.
    assert_eq!(
        changes(&word).await,
        [204, 202, 404, 404, 200, 200, 200, 404, 204]
    );
}

/// What administrators change of how others sign in takes as much.
async fn what_a_clinic_asks_for_is_changed_with_both_factors(engine: Engine) {
    let scene = Scene::open(engine).await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let before = admin.proven(PASSWORD).await;
    let (secret, _) = scene.set_up(&admin).await;
    scene.set_up(&vet).await;
    let remove = format!("/staff/{}/second-factor/remove", vet.account());
    let changes = async |word: &str| {
        let rules = json!({ "proven": word, "rules": { "second_factor": true } });
        let rules = admin.put("/clinic/sign-in", rules).await;
        let removed = admin.post(&remove, json!({ "proven": word })).await;
        [rules.status.as_u16(), removed.status.as_u16()]
    };
    let asked = json!({ "proof": { "password": PASSWORD } });
    let first: SecondStep = admin.post("/me/prove", asked).await.read();
    let of_vet = json!({ "second_factor": true });
    assert_eq!(
        admin.put("/clinic/sign-in", of_vet).await.status,
        422,
        "without any"
    );
    assert_eq!(admin.delete(&remove).await.status, 405, "nor so");
    for (what, word) in [
        ("none", ""),
        ("the first factor alone", first.step.as_str()),
        ("one from before there was a factor", before.as_str()),
    ] {
        assert_eq!(changes(word).await, [410; 2], "{what}");
    }
    let rules: SignInRules = admin.get("/clinic/sign-in").await;
    assert!(!rules.second_factor);
    scene.step("vet").await;
    let word = proven_with(&admin, "totp", &scene.code(&secret)).await;
    assert_eq!(changes(&word).await, [200, 204]);
}

/// How owners sign in is no business of whoever administers the clinic.
async fn owners_keep_theirs(engine: Engine) {
    let scene = Scene::open(engine).await;
    let admin = Person::of(&scene.practice, "admin", PASSWORD).await;
    let owner = Person::of(&scene.practice, "owner", PASSWORD).await;
    scene.set_up(&owner).await;
    let refused = admin.take_factors_away(owner.account()).await;
    assert_eq!(refused.code(), account_codes::NOT_FOUND);
    scene.step("owner").await;
}

async fn no_way_in_goes_round_the_second_factor(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, _) = scene.set_up(&vet).await;

    // Not a password chosen anew by mail.
    let forgot = json!({ "email": "vet@example.org" });
    assert_eq!(
        post(scene.practice.address, "/password/forgot", forgot)
            .await
            .status,
        202
    );
    let letter = scene.letters.letter("vet@example.org", "A new password").await;
    let reset = json!({ "token": letter.token(links::RESET_PASSWORD), "password": NEW });
    assert_eq!(
        post(scene.practice.address, "/password/reset", reset)
            .await
            .status,
        204
    );
    let asked = scene.practice.sign_in("vet", NEW, fresh_id(DeviceId)).await;
    assert_eq!(asked.code(), codes::SECOND_FACTOR);

    // Nor an invitation to another clinic, which is taken up all the same.
    let elsewhere = fresh_id(ClinicId);
    found_clinic(&scene.practice.storage, elsewhere, "other-").await;
    let admin = Person::of(&scene.practice, "other-admin", PASSWORD).await;
    let answer = admin
        .post(
            "/invitations",
            invite("vet@example.org", &[Role::Veterinarian], None),
        )
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = scene
        .letters
        .letter("vet@example.org", "invites you")
        .await
        .invitation();
    let accept = json!({ "token": token, "full_name": "", "password": NEW, "device": fresh_id(DeviceId) });
    let asked = post(scene.practice.address, "/invitations/accept", accept).await;
    assert_eq!(asked.code(), codes::SECOND_FACTOR);
    let step: SecondStep = asked.read();
    let signed_in: SignedIn = ok(scene.second(&step, "totp", &scene.code(&secret)).await);
    assert_eq!(signed_in.principal.clinic, elsewhere);
}

/// Of two who have the same code at the same moment, one comes in.
async fn an_app_shows_one_code_to_one(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let (secret, _) = scene.set_up(&vet).await;
    let (one, other) = (scene.step("vet").await, scene.step("vet").await);
    let code = scene.code(&secret);
    let (one, other) = tokio::join!(
        scene.second(&one, "totp", &code),
        scene.second(&other, "totp", &code),
    );
    let mut answers = [said(&one), said(&other)];
    answers.sort();
    assert_eq!(
        answers,
        [(200, String::new()), (401, codes::WRONG_CODE.to_owned())]
    );
}

/// Status and code.
fn said(answer: &Response) -> (u16, String) {
    let status = answer.status.as_u16();
    let code = if status == 200 {
        String::new()
    } else {
        answer.code()
    };
    (status, code)
}

/// A passkey of somebody; the authenticator, and the recovery codes that came with the first one.
async fn make_passkey(person: &Person, word: &str, name: &str) -> (Authenticator, NewPasskey) {
    let offer: PasskeyOffer = ok(person.post("/me/passkeys/begin", json!({ "proven": word })).await);
    let mut authenticator = Authenticator::new(ORIGIN);
    let credential = authenticator.create(&offer.options);
    let body = json!({ "offer": offer.offer, "credential": credential, "name": name });
    let made: NewPasskey = ok(person.post("/me/passkeys/finish", &body).await);
    let again = person.post("/me/passkeys/finish", &body).await;
    assert_eq!(again.code(), account_codes::LINK_NO_LONGER_VALID);
    (authenticator, made)
}

async fn begin_with_passkey(scene: &Scene) -> PasskeyOffer {
    ok(post(scene.practice.address, "/passkeys/begin", json!({})).await)
}

async fn enter_with_passkey(scene: &Scene, offer: &PasskeyOffer, credential: &str) -> Response {
    let body = json!({ "offer": offer.offer, "credential": credential, "device": fresh_id(DeviceId) });
    post(scene.practice.address, "/passkeys/finish", body).await
}

async fn a_passkey_is_enough_and_is_the_second_factor_too(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let word = vet.proven(PASSWORD).await;
    let (mut authenticator, made) = make_passkey(&vet, &word, "The reception's laptop").await;
    assert_eq!(made.recovery_codes.len(), 10);
    scene
        .letters
        .letter("vet@example.org", "was set up for your account")
        .await;
    let here: PasskeysOffered = ok(http::get(scene.practice.address, "/api/v1/passkeys", &[]).await);
    assert!(here.offered);
    let factors: Factors = vet.get("/me/factors").await;
    assert_eq!((factors.passkeys.len(), factors.offers_passkeys), (1, true));
    assert_eq!(factors.passkeys[0].name, "The reception's laptop");
    assert_eq!(factors.passkeys[0].last_used, None);

    // Nobody says who they are.
    let offer = begin_with_passkey(&scene).await;
    let credential = authenticator.get(&offer.options);
    let signed_in: SignedIn = ok(enter_with_passkey(&scene, &offer, &credential).await);
    assert_eq!(signed_in.principal.account, vet.account());
    let again = enter_with_passkey(&scene, &offer, &credential).await;
    assert_eq!(
        again.code(),
        account_codes::LINK_NO_LONGER_VALID,
        "an answer is good once"
    );

    // After a password it is asked for.
    let step = scene.step("vet").await;
    assert_eq!((step.totp, step.recovery_codes), (false, true));
    let options = step.passkey.clone().expect("options");
    let credential = authenticator.get(&options);
    let _: SignedIn = ok(scene.second(&step, "passkey", &credential).await);
    let factors: Factors = vet.get("/me/factors").await;
    assert!(factors.passkeys[0].last_used.is_some());

    let word = {
        let asked = vet
            .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
            .await;
        let step: SecondStep = asked.read();
        let credential = authenticator.get(step.passkey.as_deref().expect("options"));
        let body = json!({ "step": step.step, "proof": { "passkey": credential } });
        let proven: Proven = ok(vet.post("/me/prove/second", body).await);
        proven.proven
    };
    let (_, second) = make_passkey(&vet, &word, "Telephone").await;
    assert_eq!(second.recovery_codes.len(), 0, "there is a list already");
    let remove = format!("/me/passkeys/{}/remove", made.passkey.passkey);
    assert_eq!(vet.post(&remove, json!({ "proven": word })).await.status, 204);
    let offer = begin_with_passkey(&scene).await;
    let credential = authenticator.get(&offer.options);
    let gone = enter_with_passkey(&scene, &offer, &credential).await;
    assert_eq!(gone.code(), codes::PASSKEY_REFUSED);
}

/// Whoever had no second factor to show adds none to one that has come meanwhile.
async fn of_two_first_passkeys_one_is_the_first(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let word = vet.proven(PASSWORD).await;
    let made = async |name: &str| {
        let offer: PasskeyOffer = ok(vet.post("/me/passkeys/begin", json!({ "proven": word })).await);
        let credential = Authenticator::new(ORIGIN).create(&offer.options);
        json!({ "offer": offer.offer, "credential": credential, "name": name })
    };
    let (one, other) = (made("one").await, made("other").await);
    let (one, other) = tokio::join!(
        vet.post("/me/passkeys/finish", one),
        vet.post("/me/passkeys/finish", other),
    );
    let (first, late) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(late.code(), account_codes::LINK_NO_LONGER_VALID);
    let first: NewPasskey = ok(first);
    assert_eq!(first.recovery_codes.len(), 10);
    let factors: Factors = vet.get("/me/factors").await;
    assert_eq!((factors.passkeys.len(), factors.recovery_codes), (1, 10));
    let step = scene.step("vet").await;
    let _: SignedIn = ok(scene
        .second(&step, "recovery_code", &first.recovery_codes[0])
        .await);

    // Nor does an app that was offered before take the place of anything.
    let desk = Person::of(&scene.practice, "desk", PASSWORD).await;
    let begin = json!({ "proven": desk.proven(PASSWORD).await });
    let offer: TotpOffer = ok(desk.post("/me/totp/begin", begin).await);
    let elsewhere = Person::of(&scene.practice, "desk", PASSWORD).await;
    let (secret, _) = scene.set_up(&elsewhere).await;
    let body = json!({ "offer": offer.offer, "code": scene.code(&offer.secret) });
    let late = desk.post("/me/totp/confirm", body).await;
    assert_eq!(late.code(), account_codes::LINK_NO_LONGER_VALID);
    scene.with_app("desk", &secret).await;
}

async fn passkeys_that_do_not_hold_are_refused(engine: Engine) {
    let scene = Scene::open(engine).await;
    let vet = Person::of(&scene.practice, "vet", PASSWORD).await;
    let desk = Person::of(&scene.practice, "desk", PASSWORD).await;
    let (mut of_vet, _) = make_passkey(&vet, &vet.proven(PASSWORD).await, "a").await;
    let (mut of_desk, _) = make_passkey(&desk, &desk.proven(PASSWORD).await, "b").await;
    let refused = async |why: &str, answer: Response| {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, codes::PASSKEY_REFUSED),
            "{why}"
        );
    };

    // Somebody else's is no second factor of mine.
    let step = scene.step("vet").await;
    let options = step.passkey.clone().expect("options");
    let credential = of_desk.get(&options);
    refused(
        "another person's",
        scene.second(&step, "passkey", &credential).await,
    )
    .await;
    for odd in ["", "{}", "null", &"[".repeat(10_000)] {
        refused("no credential", scene.second(&step, "passkey", odd).await).await;
    }

    let offer = begin_with_passkey(&scene).await;
    let other_offer = begin_with_passkey(&scene).await;
    let credential = of_vet.get(&other_offer.options);
    refused(
        "another challenge",
        enter_with_passkey(&scene, &offer, &credential).await,
    )
    .await;

    let offer = begin_with_passkey(&scene).await;
    of_vet.origin = "http://localhost.example.org".to_owned();
    let credential = of_vet.get(&offer.options);
    refused(
        "of another page",
        enter_with_passkey(&scene, &offer, &credential).await,
    )
    .await;
    of_vet.origin = ORIGIN.to_owned();

    of_vet.verifies = false;
    let credential = of_vet.get(&offer.options);
    refused(
        "nobody was recognised",
        enter_with_passkey(&scene, &offer, &credential).await,
    )
    .await;
    of_vet.verifies = true;

    let credential = of_vet.get(&offer.options);
    let signature = credential.find("\"signature\":\"").expect("signed") + 20;
    let mut touched = credential.into_bytes();
    touched[signature] = if touched[signature] == b'A' { b'B' } else { b'A' };
    let touched = String::from_utf8(touched).expect("text");
    refused(
        "another signature",
        enter_with_passkey(&scene, &offer, &touched).await,
    )
    .await;

    let credential = of_vet.get(&offer.options);
    let _: SignedIn = ok(enter_with_passkey(&scene, &offer, &credential).await);
    // A copy of the authenticator counts from where it was copied.
    of_vet.counter = 1;
    let offer = begin_with_passkey(&scene).await;
    let credential = of_vet.get(&offer.options);
    refused("a copy", enter_with_passkey(&scene, &offer, &credential).await).await;

    let offer: PasskeyOffer = {
        let other = Person::of(&scene.practice, "tech", PASSWORD).await;
        let body = json!({ "proven": other.proven(PASSWORD).await });
        let tech = Person::of(&scene.practice, "tech", PASSWORD).await;
        let other = tech.post("/me/passkeys/begin", &body).await;
        assert_eq!(other.code(), account_codes::LINK_NO_LONGER_VALID);
        let body = json!({ "proven": tech.proven(PASSWORD).await });
        ok(tech.post("/me/passkeys/begin", body).await)
    };
    let credential = Authenticator::new(ORIGIN).create(&offer.options);
    let stolen = desk
        .post(
            "/me/passkeys/finish",
            json!({ "offer": offer.offer, "credential": credential, "name": "c" }),
        )
        .await;
    assert_eq!(stolen.code(), account_codes::LINK_NO_LONGER_VALID);
}
