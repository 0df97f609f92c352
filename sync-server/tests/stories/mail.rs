//! Mails on their way: what is put off leaves later, what is refused never does, and two nodes send a mail once.

use crate::database::{Database, Engine};
use crate::letter_box::LetterBox;
use crate::morning::on_both;
use crate::person::{Person, invite, post};
use crate::practice::{PASSWORD, Practice};
use serde_json::json;
use shared_model::accounts::{Invitation, Sent, codes};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use sync_server::Clock;
use sync_server::mail::{MailWay, Post};

on_both! {
    an_invitation_says_how_far_its_mail_came
    a_mail_that_was_put_off_leaves_later
    without_a_mail_server_nobody_is_invited
}

/// The invitation to such an address, once its mail has come so far.
async fn until_sent(practice: &Practice, email: &str, expected: Sent) -> Invitation {
    let waiting = async {
        loop {
            let people = practice.storage.people();
            let invitations = people.invitations(practice.clinic).await.unwrap();
            let found = invitations.into_iter().find(|one| one.invitation.email == email);
            let invitation = found.expect("invited").invitation;
            if invitation.sent == expected {
                return invitation;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("settled in time")
}

async fn an_invitation_says_how_far_its_mail_came(engine: Engine) {
    let (practice, letters) = Practice::with_mail(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let invited = admin.invite("nora@example.org", &[Role::Technician], None).await;
    assert_eq!(
        (invited.sent, invited.invited_by.as_str()),
        (Sent::Waiting, "admin")
    );
    let letter = letters.letter("nora@example.org", "invites you").await;
    assert_eq!(letter.from, "no-reply@clinic.example");
    assert_eq!(letter.subject, "Practice invites you");
    assert!(
        letter.plain.starts_with("Hello Somebody New,\n"),
        "{}",
        letter.plain
    );
    until_sent(&practice, "nora@example.org", Sent::Sent).await;

    admin
        .invite("refused@example.org", &[Role::Technician], None)
        .await;
    until_sent(&practice, "refused@example.org", Sent::Refused).await;
    assert_eq!(
        letters.turned_away(1).await,
        ["refused@example.org"],
        "not tried again"
    );
}

async fn a_mail_that_was_put_off_leaves_later(engine: Engine) {
    let letters = LetterBox::open();
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let (post, clock) = (letters.post(), Arc::clone(&now));
    let practice = Practice::open_with(engine, |settings| {
        settings.post = post;
        settings.look_for_mails_every = Duration::from_millis(10);
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    admin.invite("busy@example.org", &[Role::Technician], None).await;
    assert_eq!(letters.turned_away(1).await, ["busy@example.org"]);
    let invited = until_sent(&practice, "busy@example.org", Sent::Waiting).await;
    assert_eq!(letters.letters(), [], "it waits for its time");
    loop {
        // It may not have been written down yet when to try again: then the first step was before that.
        now.fetch_add(10_000, Ordering::Relaxed);
        let arrives = letters.letter("busy@example.org", "invites you");
        if tokio::time::timeout(Duration::from_millis(200), arrives)
            .await
            .is_ok()
        {
            break;
        }
    }
    let sent = until_sent(&practice, "busy@example.org", Sent::Sent).await;
    assert_eq!(sent.id, invited.id);
}

async fn without_a_mail_server_nobody_is_invited(engine: Engine) {
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let invited = admin
        .post(
            "/invitations",
            invite("nora@example.org", &[Role::Technician], None),
        )
        .await;
    assert_eq!(
        (invited.status.as_u16(), invited.code().as_str()),
        (503, codes::NO_MAIL)
    );
    let forgot = post(
        practice.address,
        "/password/forgot",
        json!({ "email": "vet@example.org" }),
    )
    .await;
    assert_eq!(forgot.code(), codes::NO_MAIL);
    let open: Vec<Invitation> = admin.get("/invitations").await;
    assert_eq!(open, []);
}

/// Every node looks for mails all the time, and each mail comes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_a_mail_once() {
    let letters = LetterBox::open();
    let post = letters.post();
    let one = Practice::open_with(Engine::Postgres, |settings| {
        settings.post = post;
        settings.look_for_mails_every = Duration::from_millis(1);
    })
    .await;
    let _two = Practice::second_node(&one).await;
    let admin = Person::of(&one, "admin", PASSWORD).await;
    for number in 0..30 {
        let email = format!("nora-{number}@example.org");
        admin.invite(&email, &[Role::Technician], None).await;
    }
    for number in 0..30 {
        let email = format!("nora-{number}@example.org");
        letters.letter(&email, "invites you").await;
        until_sent(&one, &email, Sent::Sent).await;
    }
    assert_eq!(letters.letters(), [], "none came twice");
}

#[tokio::test]
async fn a_server_that_is_tried_out_writes_mails_into_a_folder() {
    let database = Database::new(Engine::Sqlite).await;
    let Database::Sqlite(folder) = &database else {
        unreachable!("as asked for")
    };
    let folder = folder.path().join("mail");
    let post = Post::new(
        MailWay::Folder(folder.clone()),
        "Clinic <no-reply@clinic.example>",
    );
    let post = post.expect("a sender");
    let practice = Practice::open_on(database, |settings| settings.post = post).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    admin.invite("nora@example.org", &[Role::Technician], None).await;
    until_sent(&practice, "nora@example.org", Sent::Sent).await;
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert_eq!(files.len(), 1);
    let mail = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(mail.contains("Subject: Practice invites you"), "{mail}");
}
