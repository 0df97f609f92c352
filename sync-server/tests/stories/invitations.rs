//! From an invitation to the first work at a clinic.

use crate::database::Engine;
use crate::device::Device;
use crate::morning::on_both;
use crate::person::{Person, invite, post};
use crate::practice::{OTHER_OWNER, OWNER, PASSWORD, Practice, fresh_id};
use serde_json::json;
use shared_model::accounts::{Invitation, Invite, Invited, Me, SignedIn, codes};
use shared_model::ids::{AccountId, DeviceId};
use shared_model::permissions::Role;
use shared_model::protocol::Goodbye;
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::Clock;

on_both! {
    somebody_new_comes_to_the_clinic
    somebody_who_has_an_account_keeps_it
    an_owner_is_invited_with_their_record
    nobody_gives_more_than_they_may
    the_same_invitation_again_invites_once
    withdrawn_expired_and_sent_again
    more_roles_reach_whoever_is_connected
}

const NEW_PASSWORD: &str = "quince-fathom-41-sled";

fn accept(token: &str, password: &str, device: DeviceId) -> serde_json::Value {
    json!({
        "token": token, "full_name": "Nora Novak", "password": password,
        "device": device, "device_name": "Nora's phone",
    })
}

async fn somebody_new_comes_to_the_clinic(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    practice.enter_records().await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let invited = admin.invite(" Nora@Example.org", &[Role::Technician], None).await;
    assert_eq!(invited.email, "nora@example.org");
    let token = letters
        .letter("nora@example.org", "Practice invites you")
        .await
        .invitation();

    let seen: Invited = post(practice.address, "/invitations/look", json!({ "token": token }))
        .await
        .read();
    assert_eq!(
        (seen.clinic_name.as_str(), seen.invited_by.as_str()),
        ("Practice", "admin")
    );
    assert_eq!((seen.roles, seen.has_account), (vec![Role::Technician], false));

    let device = fresh_id(DeviceId);
    for weak in ["short", "password1234", "nora.novak", "practice1"] {
        let answer = post(
            practice.address,
            "/invitations/accept",
            accept(&token, weak, device),
        )
        .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (422, codes::WEAK_PASSWORD),
            "{weak}"
        );
    }
    let answer = post(
        practice.address,
        "/invitations/accept",
        accept(&token, NEW_PASSWORD, device),
    )
    .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let signed_in: SignedIn = answer.read();
    assert_eq!(signed_in.principal.account, invited.account);
    assert_eq!(signed_in.principal.name, "Nora Novak");

    // The first work.
    let mut nora = Device::new(practice.address, device, &json!(signed_in));
    nora.connect().await;
    assert_eq!(nora.documents.len(), 5);
    let person = Person {
        server: practice.address,
        device,
        signed_in,
    };
    let me: Me = person.get("/me").await;
    assert!(me.email_verified, "whoever reads the mail has the address");
    let open: Vec<Invitation> = admin.get("/invitations").await;
    assert_eq!(open, []);

    for path in ["/invitations/look", "/invitations/accept"] {
        let again = post(practice.address, path, accept(&token, NEW_PASSWORD, device)).await;
        assert_eq!(
            (again.status.as_u16(), again.code().as_str()),
            (410, codes::LINK_NO_LONGER_VALID)
        );
    }
    Person::of(&practice, "nora", NEW_PASSWORD).await;
}

async fn somebody_who_has_an_account_keeps_it(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let owner = Person::of(&practice, "owner", PASSWORD).await;
    let invited = admin.invite("owner@example.org", &[Role::Technician], None).await;
    assert_eq!(invited.account, owner.account(), "the address's own");
    let token = letters
        .letter("owner@example.org", "invites you")
        .await
        .invitation();
    let seen: Invited = post(practice.address, "/invitations/look", json!({ "token": token }))
        .await
        .read();
    assert!(seen.has_account);
    let device = fresh_id(DeviceId);
    let wrong = post(
        practice.address,
        "/invitations/accept",
        accept(&token, NEW_PASSWORD, device),
    )
    .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (401, codes::WRONG_CREDENTIALS)
    );
    let right = post(
        practice.address,
        "/invitations/accept",
        accept(&token, PASSWORD, device),
    )
    .await;
    let signed_in: SignedIn = right.read();
    assert_eq!(signed_in.principal.account, owner.account());
    assert_eq!(signed_in.principal.name, "owner", "the name is theirs");
    assert_eq!(signed_in.principal.roles, [Role::Owner, Role::Technician]);
    assert_eq!(signed_in.principal.client, Some(OWNER));
}

async fn an_owner_is_invited_with_their_record(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    practice.enter_records().await;
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    for (roles, client) in [
        (&[Role::Owner][..], None),
        (&[Role::FrontDesk][..], Some(OTHER_OWNER)),
    ] {
        let odd = desk
            .post("/invitations", invite("mia@example.org", roles, client))
            .await;
        assert!([403, 422].contains(&odd.status.as_u16()), "{:?}", odd.body);
    }
    desk.invite("mia@example.org", &[Role::Owner], Some(OTHER_OWNER))
        .await;
    let letter = letters.letter("mia@example.org", "invites you").await;
    assert!(letter.plain.contains("your pets' records"), "{}", letter.plain);
    let device = fresh_id(DeviceId);
    let answer = accept(&letter.invitation(), NEW_PASSWORD, device);
    let signed_in = post(practice.address, "/invitations/accept", answer).await.json();
    let mut owner = Device::new(practice.address, device, &signed_in);
    assert_eq!(owner.principal.client, Some(OTHER_OWNER));
    owner.connect().await;
    assert_eq!(
        owner.documents.len(),
        3,
        "the clinic's profile, themselves, their animal"
    );
}

async fn nobody_gives_more_than_they_may(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let check = async |person: &str, roles: &[Role], expected: u16| {
        let person = Person::of(&practice, person, PASSWORD).await;
        let client = roles.contains(&Role::Owner).then_some(OWNER);
        let answer = person
            .post("/invitations", invite("nora@example.org", roles, client))
            .await;
        assert_eq!(answer.status, expected, "{roles:?}: {:?}", answer.body);
    };
    check("desk", &[Role::FrontDesk], 403).await;
    check("vet", &[Role::Owner, Role::Technician], 403).await;
    check("owner", &[Role::Owner], 403).await;
    check("admin", &[Role::SystemAdministrator], 403).await;
    check("admin", &[], 403).await;
    check("admin", &[Role::ClinicAdministrator, Role::Veterinarian], 200).await;
    check("system", &[Role::ClinicAdministrator], 200).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let boss = admin
        .invite("boss@example.org", &[Role::ClinicAdministrator], None)
        .await;
    let open: Vec<Invitation> = desk.get("/invitations").await;
    assert_eq!(open, [], "the desk sees what it could have written");
    let path = format!("/invitations/{}", boss.id);
    assert_eq!(desk.delete(&path).await.status, 403);
    assert_eq!(desk.tell(&format!("{path}/again")).await.status, 403);
    let nobody = post(
        practice.address,
        "/invitations",
        invite("x@example.org", &[Role::Viewer], None),
    )
    .await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.code().as_str()),
        (401, codes::NOT_SIGNED_IN)
    );
    letters.letter("boss@example.org", "invites you").await;
}

async fn the_same_invitation_again_invites_once(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let request = invite("nora@example.org", &[Role::Technician], None);
    let first: Invitation = admin.post("/invitations", &request).await.read();
    let again: Invitation = admin.post("/invitations", &request).await.read();
    assert_eq!((first.id, first.account), (again.id, again.account));
    letters.letter("nora@example.org", "invites you").await;
    admin.invite("next@example.org", &[Role::Technician], None).await;
    letters.letter("next@example.org", "invites you").await;
    assert_eq!(letters.letters(), [], "one mail");
    let foreign = Invite {
        account: admin.account(),
        ..invite("thief@example.org", &[Role::Technician], None)
    };
    assert_eq!(
        admin.post("/invitations", foreign).await.status,
        422,
        "as somebody else"
    );
    let no_address = invite("nora", &[Role::Technician], None);
    assert_eq!(
        admin.post("/invitations", no_address).await.code(),
        codes::BAD_REQUEST
    );
    assert_ne!(first.account, AccountId(Default::default()));
}

async fn withdrawn_expired_and_sent_again(engine: Engine) {
    let letters = crate::letter_box::LetterBox::open();
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let (mail, clock) = (letters.post(), Arc::clone(&now));
    let practice = Practice::open_with(engine, |settings| {
        settings.post = mail;
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let invited = admin.invite("nora@example.org", &[Role::Technician], None).await;
    let first = letters
        .letter("nora@example.org", "invites you")
        .await
        .invitation();
    let look = async |token: &str| {
        let answer = post(practice.address, "/invitations/look", json!({ "token": token })).await;
        answer.status.as_u16()
    };
    assert_eq!(look(&first).await, 200);
    now.fetch_add(7 * 24 * 3_600_000, Ordering::Relaxed);
    assert_eq!(look(&first).await, 410, "after seven days");

    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let path = format!("/invitations/{}", invited.id);
    let again: Invitation = admin.tell(&format!("{path}/again")).await.read();
    assert_eq!(
        again.expires_at.0,
        now.load(Ordering::Relaxed) + 7 * 24 * 3_600_000
    );
    let second = letters
        .letter("nora@example.org", "invites you")
        .await
        .invitation();
    assert_eq!((look(&first).await, look(&second).await), (410, 200));

    for _ in 0..2 {
        assert_eq!(admin.delete(&path).await.status, 204);
    }
    assert_eq!(look(&second).await, 410);
    assert_eq!(admin.tell(&format!("{path}/again")).await.status, 404);
    assert_eq!(admin.delete("/invitations/nonsense").await.status, 404);
    for token in ["", "nonsense", &"a".repeat(10_000), &first[..first.len() - 1]] {
        assert_eq!(look(token).await, 410, "the same words for all of them");
    }
}

async fn more_roles_reach_whoever_is_connected(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    practice.enter_records().await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    admin.invite("desk@example.org", &[Role::Technician], None).await;
    let token = letters
        .letter("desk@example.org", "invites you")
        .await
        .invitation();
    let taken = accept(&token, PASSWORD, fresh_id(DeviceId));
    assert_eq!(
        post(practice.address, "/invitations/accept", taken).await.status,
        200
    );
    assert_eq!(desk.goodbye().await, Goodbye::Later, "it comes back and is told");
    let welcome = desk.greet().await;
    assert_eq!(welcome.principal.roles, [Role::FrontDesk, Role::Technician]);
}
