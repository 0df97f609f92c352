//! What members are changes, and they are gone, while they are connected: at once, on every node.

use crate::database::Engine;
use crate::guest::Guest;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, Practice};
use serde_json::json;
use shared_model::accounts::{Member, codes};
use shared_model::permissions::Role;
use shared_model::protocol::{ClientMessage, Goodbye};
use std::time::Duration;

on_both! {
    other_roles_are_told_in_the_next_welcome
    whoever_leaves_is_out_at_once
    a_clinic_keeps_an_administrator
    who_sees_whom
}

async fn other_roles_are_told_in_the_next_welcome(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut vet, mut desk) = (practice.device("vet").await, practice.device("desk").await);
    vet.connect().await;
    desk.connect().await;
    let mut guest = Guest::of(&practice, "vet").await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let account = vet.principal.account;
    assert_eq!(admin.change_roles(account, &[Role::Viewer]).await.status, 204);
    assert_eq!(vet.goodbye().await, Goodbye::Later);
    assert!(guest.error().await.contains("changed"));
    assert_eq!(vet.greet().await.principal.roles, [Role::Viewer]);
    desk.run(crate::practice::register_client(
        crate::practice::fresh_id(shared_model::ids::ClientId),
        "Undisturbed",
    ));
    desk.settled().await;

    for (person, expected) in [("vet", 403), ("desk", 403), ("owner", 403), ("system", 403)] {
        let person = Person::of(&practice, person, PASSWORD).await;
        let answer = person.change_roles(account, &[Role::Veterinarian]).await;
        assert_eq!(answer.status, expected);
    }
    let odd = admin.change_roles(account, &[Role::Owner]).await;
    assert_eq!(odd.code(), codes::BAD_REQUEST, "an owner has a client record");
}

async fn whoever_leaves_is_out_at_once(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    let mut guest = Guest::of(&practice, "vet").await;
    let person = Person::of(&practice, "vet", PASSWORD).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let path = format!("/staff/{}", person.account());
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(vet.goodbye().await, Goodbye::SignIn);
    assert!(guest.error().await.contains("ticket"));

    vet.dial().await;
    vet.send(&ClientMessage::Hello(vet.hello())).await;
    assert_eq!(vet.goodbye().await, Goodbye::SignIn, "its token begins nothing");
    assert_eq!(person.try_get("/me").await.status, 401);
    let body = json!({ "refresh_token": person.signed_in.refresh_token, "device": person.device });
    let refreshed = post(practice.address, "/refresh", body).await;
    assert_eq!(refreshed.status, 401);
    let again = practice.sign_in("vet", PASSWORD, person.device).await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (403, codes::NO_MEMBERSHIP)
    );
    assert_eq!(admin.delete(&path).await.status, 404, "nobody is there any more");
}

async fn a_clinic_keeps_an_administrator(engine: Engine) {
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let me = admin.account();
    for roles in [&[][..], &[Role::FrontDesk][..]] {
        let refused = admin.change_roles(me, roles).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (409, codes::LAST_ADMINISTRATOR)
        );
    }
    let both = [Role::FrontDesk, Role::ClinicAdministrator];
    assert_eq!(admin.change_roles(desk.account(), &both).await.status, 204);
    // Each takes it from the other.
    let (one, other) = tokio::join!(
        admin.change_roles(desk.account(), &[Role::FrontDesk]),
        desk.change_roles(me, &[Role::Viewer])
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 403], "one wins");
}

async fn who_sees_whom(engine: Engine) {
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let staff: Vec<Member> = admin.get("/staff").await;
    let names: Vec<&str> = staff.iter().map(|member| member.full_name.as_str()).collect();
    assert_eq!(names, ["admin", "desk", "system", "tech", "vet"]);
    assert_eq!((staff[0].devices, staff[1].devices), (1, 0));
    assert!(staff[0].last_seen.is_some() && staff[1].last_seen.is_none());
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let owners: Vec<Member> = desk.get("/owners").await;
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].email, "owner@example.org");
    let owner = Person::of(&practice, "owner", PASSWORD).await;
    for (person, path) in [(&desk, "/staff"), (&owner, "/staff"), (&owner, "/owners")] {
        assert_eq!(person.try_get(path).await.code(), codes::NOT_PERMITTED);
    }
}

/// The other node hears of it, and of nothing but whom it concerns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_on_another_node_ends_too() {
    let one = Practice::open_with(Engine::Postgres, |settings| {
        settings.ticket_checked_every = Duration::from_secs(3_600);
    })
    .await;
    one.enter_records().await;
    let two = Practice::second_node(&one).await;
    crate::nodes::listening(&one, 2).await;
    let (mut vet, mut tech, mut desk) = (
        two.device("vet").await,
        two.device("tech").await,
        two.device("desk").await,
    );
    let mut guest = Guest::of(&two, "vet").await;
    for device in [&mut vet, &mut tech, &mut desk] {
        device.connect().await;
    }
    let admin = Person::of(&one, "admin", PASSWORD).await;
    let viewer = admin.change_roles(tech.principal.account, &[Role::Viewer]).await;
    assert_eq!(viewer.status, 204);
    assert_eq!(tech.goodbye().await, Goodbye::Later);
    let gone = admin.delete(&format!("/staff/{}", vet.principal.account)).await;
    assert_eq!(gone.status, 204);
    assert_eq!(vet.goodbye().await, Goodbye::SignIn);
    assert!(guest.error().await.contains("ticket"));
    desk.run(crate::practice::register_client(
        crate::practice::fresh_id(shared_model::ids::ClientId),
        "Undisturbed",
    ));
    desk.settled().await;
}
