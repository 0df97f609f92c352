//! Signing in when somebody belongs to several clinics, and what a device gets with it.

use crate::database::Engine;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{OWNER, PASSWORD, Practice, fresh_id};
use serde_json::json;
use shared_model::accounts::{ChooseClinic, Me, SignedIn, codes};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use sync_server::storage::{NewAccount, NewClinic};

on_both! {
    who_belongs_to_two_clinics_says_which
    a_device_key_is_the_same_at_every_sign_in
}

/// The vet works at another clinic too.
async fn second_clinic(practice: &Practice) -> ClinicId {
    let found = practice
        .storage
        .people()
        .account_by_email("vet@example.org")
        .await;
    let vet = found.unwrap().expect("known");
    let clinic = fresh_id(ClinicId);
    let account = NewAccount {
        account: vet.account,
        email: vet.email,
        full_name: vet.full_name,
        password_hash: vet.password_hash,
        roles: vec![Role::Viewer],
        client: None,
    };
    let new = NewClinic {
        clinic,
        name: "Another".to_owned(),
        created_at: Timestamp(0),
        accounts: vec![account],
        demonstration: Vec::new(),
    };
    practice.storage.create_clinic(new).await.unwrap();
    clinic
}

async fn who_belongs_to_two_clinics_says_which(engine: Engine) {
    let practice = Practice::open(engine).await;
    let alone = Person::of(&practice, "vet", PASSWORD).await;
    assert_eq!(alone.signed_in.memberships.len(), 1);
    let second = second_clinic(&practice).await;
    let device = fresh_id(DeviceId);

    let wrong = practice.sign_in("vet", "guess", device).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (401, codes::WRONG_CREDENTIALS)
    );
    assert!(
        !wrong.json().to_string().contains("Another"),
        "nothing is told to who has not proved it"
    );
    let choose = practice.sign_in("vet", PASSWORD, device).await;
    assert_eq!(
        (choose.status.as_u16(), choose.code().as_str()),
        (409, codes::CHOOSE_CLINIC)
    );
    let ChooseClinic { memberships } = choose.read();
    let names: Vec<&str> = memberships.iter().map(|one| one.clinic_name.as_str()).collect();
    assert_eq!(names, ["Another", "Practice"]);

    let at = async |clinic: ClinicId| {
        let body = json!({
            "email": "Vet@Example.org", "password": PASSWORD, "device": device, "clinic": clinic,
        });
        post(practice.address, "/sign-in", body).await
    };
    let there = at(second).await;
    assert_eq!(there.header("cache-control"), "no-store");
    let there: SignedIn = there.read();
    assert_eq!((there.principal.clinic, there.memberships.len()), (second, 2));
    assert_eq!(there.principal.roles, [Role::Viewer]);
    let nowhere = at(fresh_id(ClinicId)).await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.code().as_str()),
        (403, codes::NO_MEMBERSHIP)
    );

    // The sign-in stays where it was begun.
    let body = json!({ "refresh_token": there.refresh_token, "device": device });
    let refreshed: SignedIn = post(practice.address, "/refresh", body).await.read();
    assert_eq!(
        (refreshed.principal.clinic, refreshed.memberships.len()),
        (second, 2)
    );
    let me: Me = alone.get("/me").await;
    assert_eq!(me.memberships.len(), 2);
    assert_eq!(me.email, "vet@example.org");
}

async fn a_device_key_is_the_same_at_every_sign_in(engine: Engine) {
    let practice = Practice::open(engine).await;
    let tablet = fresh_id(DeviceId);
    let key = async |name: &str, device| {
        let person = Person::on(&practice, name, PASSWORD, device).await;
        person.signed_in.device_key
    };
    let of_vet = key("vet", tablet).await;
    assert_eq!(of_vet.len(), 43, "32 bytes");
    assert_eq!(key("vet", tablet).await, of_vet);
    assert_eq!(
        key("desk", tablet).await,
        of_vet,
        "they share the tablet's records"
    );
    assert_ne!(key("vet", fresh_id(DeviceId)).await, of_vet);
    let of_owner = key("owner", tablet).await;
    assert_ne!(
        of_owner, of_vet,
        "an owner who names the tablet does not get its key"
    );
    let owner = Person::on(&practice, "owner", PASSWORD, tablet).await;
    assert_eq!(owner.signed_in.principal.client, Some(OWNER));
    let body = json!({ "refresh_token": owner.signed_in.refresh_token, "device": tablet });
    let refreshed: SignedIn = post(practice.address, "/refresh", body).await.read();
    assert_eq!(refreshed.device_key, of_owner);
    assert_ne!(refreshed.principal.account, AccountId(Default::default()));
}
