//! Clinics are opened: by a system administrator over HTTP, and at the command line.

use crate::database::{Database, Engine, MASTER_KEY};
use crate::device::Device;
use crate::morning::on_both;
use crate::person::{Person, invite, post};
use crate::practice::{PASSWORD, Practice, fresh_id};
use crate::process::BINARY;
use crate::second_factor::set_up;
use serde_json::json;
use shared_model::accounts::{Clinic, OpenClinic, SignedIn, codes, links};
use shared_model::documents::ClinicProfile;
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::second_factor;
use std::process::Command;
use std::sync::atomic::AtomicI64;
use sync_server::storage::trail::TrailQuery;

on_both! {
    a_system_administrator_opens_a_clinic
}

const NEW_PASSWORD: &str = "quince-fathom-41-sled";

async fn accept(practice: &Practice, token: &str) -> (SignedIn, Device) {
    let device = fresh_id(DeviceId);
    let body = json!({
        "token": token, "full_name": "Bella Boss", "password": NEW_PASSWORD, "device": device,
    });
    let answer = post(practice.address, "/invitations/accept", body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    (
        answer.read(),
        Device::new(practice.address, device, &answer.json()),
    )
}

async fn a_system_administrator_opens_a_clinic(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let system = Person::of(&practice, "system", PASSWORD).await;
    let request = OpenClinic {
        clinic: fresh_id(ClinicId),
        name: "Southgate".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        administrator: invite("boss@example.org", &[Role::ClinicAdministrator], None),
    };
    for person in ["admin", "vet", "owner"] {
        let person = Person::of(&practice, person, PASSWORD).await;
        assert_eq!(person.try_get("/clinics").await.code(), codes::NOT_PERMITTED);
        assert_eq!(
            person.post("/clinics", &request).await.code(),
            codes::NOT_PERMITTED
        );
    }
    let nowhere = OpenClinic {
        time_zone: "Middle/Earth".to_owned(),
        ..request.clone()
    };
    assert_eq!(system.post("/clinics", &nowhere).await.code(), codes::BAD_REQUEST);
    let as_vet = OpenClinic {
        administrator: invite("boss@example.org", &[Role::Veterinarian], None),
        ..request.clone()
    };
    assert_eq!(system.post("/clinics", &as_vet).await.status, 403);
    for _ in 0..2 {
        let answer = system.post("/clinics", &request).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let opened: Clinic = answer.read();
        assert_eq!((opened.clinic, opened.members), (request.clinic, 0));
    }
    let clinics: Vec<Clinic> = system.get("/clinics").await;
    let names: Vec<&str> = clinics.iter().map(|clinic| clinic.name.as_str()).collect();
    assert_eq!(names, ["Practice", "Southgate"]);

    let token = letters
        .letter("boss@example.org", "Southgate invites you")
        .await
        .invitation();
    let (signed_in, mut boss) = accept(&practice, &token).await;
    assert_eq!(signed_in.principal.roles, [Role::ClinicAdministrator]);
    boss.connect().await;
    let profile = ClinicProfile::read(boss.document(request.clinic.profile())).0;
    assert_eq!(
        (profile.name.as_str(), profile.time_zone.as_str()),
        ("Southgate", "Europe/Vienna")
    );
    let once_more = system.post("/clinics", &request).await;
    assert_eq!(once_more.status, 200, "after it was taken up too");
    assert_eq!(letters.letters(), [], "one mail");
}

#[tokio::test]
async fn a_first_clinic_and_a_first_system_administrator_come_from_the_command_line() {
    let database = Database::new(Engine::Sqlite).await;
    let Database::Sqlite(folder) = &database else {
        unreachable!("as asked for")
    };
    let data = folder.path().to_owned();
    let admin = |arguments: &[&str]| {
        let done = Command::new(BINARY)
            .env_remove("DATABASE_URL")
            .env_remove("SMTP")
            .env("MASTER_KEY", MASTER_KEY)
            .arg("--data")
            .arg(&data)
            .arg("admin")
            .args(arguments)
            .output()
            .expect("it runs");
        (
            done.status.success(),
            String::from_utf8(done.stdout).expect("text"),
        )
    };
    let (done, said) = admin(&[
        "create-clinic",
        "--name",
        "Northgate",
        "--time-zone",
        "Europe/Prague",
        "--administrator",
        "boss@example.org",
        "--public-address",
        "https://records.example.org/",
    ]);
    assert!(done, "{said}");
    let (_, token) = said
        .split_once(&format!("https://records.example.org{}", links::INVITATION))
        .expect("the link to hand over");
    let nobody_yet = admin(&["make-system-administrator", "boss@example.org"]);
    assert!(!nobody_yet.0, "there is no account");

    let practice = Practice::open_on(database, |_| {}).await;
    let (signed_in, mut boss) = accept(&practice, token.trim()).await;
    assert_eq!(signed_in.memberships[0].clinic_name, "Northgate");
    boss.connect().await;
    let person = Person {
        server: practice.address,
        device: boss.device,
        signed_in,
    };
    assert_eq!(person.try_get("/clinics").await.status, 403);
    let made = admin(&["make-system-administrator", "Boss@example.org"]);
    assert!(made.0, "{}", made.1);
    let clinics: Vec<Clinic> = person.get("/clinics").await;
    assert_eq!(clinics.len(), 2);

    // Who has locked everybody out, themselves too, is helped by whoever runs the server.
    let nothing = admin(&["forget-second-factor", "boss@example.org"]);
    assert!(!nothing.0, "there is none");
    let now = AtomicI64::new(practice.settings.clock.now().0);
    set_up(&person, NEW_PASSWORD, &now).await;
    let boss_signs_in = || practice.sign_in("boss", NEW_PASSWORD, fresh_id(DeviceId));
    assert_eq!(boss_signs_in().await.code(), second_factor::codes::SECOND_FACTOR);
    let helped = admin(&["forget-second-factor", "Boss@example.org"]);
    assert!(helped.0, "{}", helped.1);
    assert_eq!(boss_signs_in().await.status, 200);
    let removed = TrailQuery {
        happenings: vec!["second_factor_removed".to_owned()],
        ..TrailQuery::default()
    };
    let clinic = person.signed_in.principal.clinic;
    let page = practice.storage.trail(clinic, removed, 10).await.expect("read");
    assert_eq!(page.told.len(), 1, "the clinic sees it");
    let badly = admin(&[
        "create-clinic",
        "--name",
        "X",
        "--time-zone",
        "Middle/Earth",
        "--administrator",
        "x@example.org",
    ]);
    assert!(!badly.0);
}
