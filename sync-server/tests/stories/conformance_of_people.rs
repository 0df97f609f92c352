//! What every storage promises about people, asked of each.

use crate::database::{Database, Engine};
use crate::morning::on_both;
use crate::practice::{come_in, found_clinic, fresh_id, refresh_token};
use futures_util::future::join_all;
use shared_model::accounts::Sent;
use shared_model::ids::{AccountId, ClinicId, DeviceId, InvitationId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use std::sync::Arc;
use sync_server::identity::{RefreshVerdict, SignInLife, judge_refresh, judge_roles, random};
use sync_server::storage::people::{
    Account, Added, Factor, LinkPurpose, LostReport, MailOutcome, NewFactor, NewInvitation, NewLink, NewMail,
    OpenedClinic, PeopleStorage, StoredTotp, TakeUp, TakenAway, TakenUp, Taker, Unneeded,
};
use sync_server::storage::{NewAccount, NewClinic, Storage};
use uuid::Uuid;
use zeroize::Zeroizing;

on_both! {
    an_address_has_one_account
    links_work_once_and_in_time
    a_new_address_takes_effect_when_it_is_confirmed
    an_invitation_is_taken_up_once
    an_invitation_with_a_known_id_is_the_known_one
    a_clinic_is_opened_with_its_first_invitation
    a_mail_is_leased_to_one_at_a_time
    what_is_settled_is_forgotten_in_time
    a_device_keeps_the_name_it_was_given
    a_lost_device_keeps_its_proof
    roles_are_judged_on_what_is_there
    a_code_is_used_by_one_of_many_at_once
    codes_do_not_outlive_the_last_factor
}

struct People {
    _database: Database,
    storage: Arc<dyn Storage>,
    clinic: ClinicId,
}

impl People {
    async fn new(engine: Engine) -> Self {
        let database = Database::new(engine).await;
        let (storage, clinic) = (database.open().await, fresh_id(ClinicId));
        found_clinic(&storage, clinic, "").await;
        Self {
            _database: database,
            storage,
            clinic,
        }
    }

    fn here(&self) -> &dyn PeopleStorage {
        self.storage.people()
    }

    async fn account(&self, name: &str) -> Account {
        let email = format!("{name}@example.org");
        let found = self.here().account_by_email(&email).await.unwrap();
        found.expect("known")
    }

    fn invitation(&self, email: &str, roles: &[Role]) -> NewInvitation {
        NewInvitation {
            clinic: self.clinic,
            id: fresh_id(InvitationId),
            account: fresh_id(AccountId),
            email: email.to_owned(),
            full_name: "New".to_owned(),
            roles: roles.to_vec(),
            client: None,
            invited_by: None,
            invited_by_name: "Admin".to_owned(),
            invited_at: Timestamp(10),
            expires_at: Timestamp(100),
            token: random(),
            mail: Some(mail(email)),
        }
    }
}

fn mail(to: &str) -> NewMail {
    NewMail {
        mail: Uuid::from_bytes(random()),
        recipient: to.to_owned(),
        recipient_name: "New".to_owned(),
        subject: "subject".to_owned(),
        plain: "words".to_owned(),
        html: "<p>words</p>".to_owned(),
        due_at: Timestamp(10),
    }
}

fn link(account: AccountId, purpose: LinkPurpose, email: &str) -> NewLink {
    NewLink {
        hash: random(),
        account,
        purpose,
        email: email.to_owned(),
        expires_at: Timestamp(100),
    }
}

fn new_taker() -> Taker {
    Taker::New {
        full_name: "Nora New".to_owned(),
        password_hash: "hash".to_owned(),
    }
}

async fn an_address_has_one_account(engine: Engine) {
    let people = People::new(engine).await;
    let vet = people.account("vet").await;
    for spelling in ["VET@example.org", "Vet@Example.Org"] {
        let found = people.here().account_by_email(spelling).await.unwrap();
        assert_eq!(found.expect("the same").account, vet.account);
        let second = NewClinic {
            clinic: fresh_id(ClinicId),
            name: "Second".to_owned(),
            created_at: Timestamp(0),
            accounts: vec![NewAccount {
                account: fresh_id(AccountId),
                email: spelling.to_owned(),
                full_name: "Vet again".to_owned(),
                password_hash: String::new(),
                roles: vec![Role::Veterinarian],
                client: None,
            }],
            demonstration: Vec::new(),
        };
        let clinic = second.clinic;
        assert!(people.storage.create_clinic(second).await.is_err());
        assert_eq!(
            people.here().clinic_name(clinic).await.unwrap(),
            None,
            "nothing of it"
        );
    }
    let memberships = people.here().memberships(vet.account).await.unwrap();
    assert_eq!(memberships.len(), 1);
    assert_eq!(
        (memberships[0].clinic, memberships[0].clinic_name.as_str()),
        (people.clinic, "Practice")
    );
    let clinics = people.here().clinics_with_members().await.unwrap();
    assert_eq!((clinics[0].members, clinics[0].created_at), (6, Timestamp(1_000)));
}

async fn links_work_once_and_in_time(engine: Engine) {
    let people = People::new(engine).await;
    let vet = people.account("vet").await;
    let reset = LinkPurpose::ResetPassword;
    let (first, second) = (
        link(vet.account, reset, &vet.email),
        link(vet.account, reset, &vet.email),
    );
    people.here().add_link(first.clone(), vec![]).await.unwrap();
    people.here().add_link(second.clone(), vec![]).await.unwrap();
    let look = async |hash, purpose, now| people.here().link(hash, purpose, Timestamp(now)).await.unwrap();
    assert_eq!(
        look(first.hash, reset, 50).await,
        None,
        "a later one takes its place"
    );
    assert!(look(second.hash, reset, 99).await.is_some());
    assert_eq!(look(second.hash, reset, 100).await, None, "too late");
    assert_eq!(
        look(second.hash, LinkPurpose::ConfirmEmail, 50).await,
        None,
        "for something else"
    );

    let token = refresh_token((vet.account, people.clinic, fresh_id(DeviceId)), (0, 1_000));
    come_in(people.storage.as_ref(), token.clone(), "Phone").await;
    let set = async |hash, now| {
        let set = people
            .here()
            .reset_password(hash, Timestamp(now), "another", None);
        set.await.unwrap()
    };
    assert_eq!(set(second.hash, 100).await, None);
    assert!(
        people
            .storage
            .family_lives(token.family, Timestamp(50))
            .await
            .unwrap()
    );
    assert_eq!(set(second.hash, 50).await, Some(vet.account));
    assert_eq!(set(second.hash, 50).await, None, "once");
    let after = people.account("vet").await;
    assert_eq!(
        (after.password_hash.as_str(), after.email_verified),
        ("another", true)
    );
    assert!(
        !people
            .storage
            .family_lives(token.family, Timestamp(50))
            .await
            .unwrap(),
        "sign-ins end"
    );
}

async fn a_new_address_takes_effect_when_it_is_confirmed(engine: Engine) {
    let people = People::new(engine).await;
    let vet = people.account("vet").await;
    let confirm = LinkPurpose::ConfirmEmail;
    let new = link(vet.account, confirm, "new@example.org");
    people
        .here()
        .add_link(new.clone(), vec![mail("new@example.org")])
        .await
        .unwrap();
    let waiting = people.account("vet").await;
    assert_eq!(waiting.new_email.as_deref(), Some("new@example.org"));
    let confirmed = people
        .here()
        .confirm_email(new.hash, Timestamp(50))
        .await
        .unwrap();
    assert_eq!(confirmed, Some(vet.account));
    let moved = people.account("new").await;
    assert_eq!(
        (moved.account, moved.new_email, moved.email_verified),
        (vet.account, None, true)
    );
    assert!(
        people
            .here()
            .account_by_email("vet@example.org")
            .await
            .unwrap()
            .is_none()
    );

    // Somebody else has it by the time it is confirmed.
    let taken = link(vet.account, confirm, "Desk@example.org");
    people.here().add_link(taken.clone(), vec![]).await.unwrap();
    assert_eq!(
        people
            .here()
            .confirm_email(taken.hash, Timestamp(50))
            .await
            .unwrap(),
        None
    );
    let still = people.account("new").await;
    assert_eq!(
        (still.account, still.new_email),
        (vet.account, None),
        "nothing waits any more"
    );
    // The present address, verified, is no new one.
    let present = link(vet.account, confirm, "NEW@example.org");
    people.here().add_link(present, vec![]).await.unwrap();
    assert_eq!(people.account("new").await.new_email, None);
}

async fn an_invitation_is_taken_up_once(engine: Engine) {
    let people = People::new(engine).await;
    let invitation = people.invitation("nora@example.org", &[Role::Technician]);
    people
        .here()
        .invite(invitation.clone())
        .await
        .unwrap()
        .expect("kept");
    let take_up = async |token, now, who| {
        let take_up = TakeUp {
            clinic: people.clinic,
            token,
            now: Timestamp(now),
            who,
            identity: None,
        };
        people.here().take_up(take_up).await.unwrap()
    };
    assert_eq!(take_up(random(), 50, new_taker()).await, TakenUp::Gone);
    assert_eq!(
        take_up(invitation.token, 100, new_taker()).await,
        TakenUp::Gone,
        "expired"
    );
    let desk = people.account("desk").await;
    let somebody_else = Taker::Existing(desk.account);
    assert_eq!(take_up(invitation.token, 50, somebody_else).await, TakenUp::Gone);
    let (one, other) = tokio::join!(
        take_up(invitation.token, 50, new_taker()),
        take_up(invitation.token, 50, new_taker())
    );
    let mut both = [one, other];
    both.sort_by_key(|taken| *taken == TakenUp::Gone);
    assert_eq!(both, [TakenUp::Member(invitation.account), TakenUp::Gone]);
    let nora = people.account("nora").await;
    assert_eq!((nora.full_name.as_str(), nora.email_verified), ("Nora New", true));

    // Somebody who is a member already becomes more.
    let more = people.invitation("desk@example.org", &[Role::Veterinarian]);
    let kept = people.here().invite(more.clone()).await.unwrap().expect("kept");
    assert_eq!((kept.invitation.account, kept.has_account), (desk.account, true));
    assert_eq!(
        take_up(more.token, 50, new_taker()).await,
        TakenUp::Gone,
        "it has an account"
    );
    let taken = take_up(more.token, 50, Taker::Existing(desk.account)).await;
    assert_eq!(taken, TakenUp::Member(desk.account));
    let memberships = people.here().memberships(desk.account).await.unwrap();
    assert_eq!(memberships[0].roles, [Role::FrontDesk, Role::Veterinarian]);
    assert_eq!(people.here().invitations(people.clinic).await.unwrap(), []);
}

async fn an_invitation_with_a_known_id_is_the_known_one(engine: Engine) {
    let people = People::new(engine).await;
    let first = people.invitation("nora@example.org", &[Role::Technician]);
    let kept = people.here().invite(first.clone()).await.unwrap().expect("kept");
    let again = NewInvitation {
        email: "other@example.org".to_owned(),
        token: random(),
        mail: Some(mail("other@example.org")),
        ..first.clone()
    };
    assert_eq!(people.here().invite(again).await.unwrap(), Some(kept.clone()));
    let leased = people
        .here()
        .lease_mails(Timestamp(10), Timestamp(20), 10)
        .await
        .unwrap();
    assert_eq!(leased.len(), 1, "one mail");
    assert_eq!(kept.invitation.sent, Sent::Waiting);

    // Nobody is invited as somebody else.
    let vet = people.account("vet").await;
    let foreign = NewInvitation {
        account: vet.account,
        ..people.invitation("thief@example.org", &[Role::Technician])
    };
    assert_eq!(people.here().invite(foreign).await.unwrap(), None);

    // Another link, and the former is void; then none at all.
    let look = async |token| {
        let found = people
            .here()
            .invitation_of_link(people.clinic, token, Timestamp(50));
        found.await.unwrap().is_some()
    };
    let token = random();
    let renew = people.here().renew_invitation(
        people.clinic,
        first.id,
        token,
        Timestamp(300),
        Some(mail("nora@example.org")),
    );
    assert_eq!(
        renew.await.unwrap().expect("open").invitation.expires_at,
        Timestamp(300)
    );
    assert!(look(token).await && !look(first.token).await);
    let withdraw = async || {
        let withdraw = people
            .here()
            .withdraw_invitation(people.clinic, first.id, Timestamp(60));
        withdraw.await.unwrap()
    };
    assert!(withdraw().await && !withdraw().await);
    assert!(!look(token).await);
    let due = people
        .here()
        .lease_mails(Timestamp(500), Timestamp(600), 10)
        .await
        .unwrap();
    assert_eq!(due, [], "its mail does not leave any more");
    assert!(
        !people
            .here()
            .invitation(people.clinic, first.id)
            .await
            .unwrap()
            .expect("kept")
            .open,
        "a repetition still finds it"
    );
}

async fn a_clinic_is_opened_with_its_first_invitation(engine: Engine) {
    let people = People::new(engine).await;
    let clinic = fresh_id(ClinicId);
    let opened = OpenedClinic {
        clinic,
        name: "Southgate".to_owned(),
        created_at: Timestamp(5),
    };
    let invitation = NewInvitation {
        clinic,
        ..people.invitation("boss@example.org", &[Role::ClinicAdministrator])
    };
    let open = async |invitation: &NewInvitation| {
        people
            .here()
            .open_clinic(opened.clone(), invitation.clone())
            .await
            .unwrap()
    };
    let vet = people.account("vet").await;
    let as_somebody_else = NewInvitation {
        account: vet.account,
        ..invitation.clone()
    };
    assert_eq!(open(&as_somebody_else).await, None);
    assert_eq!(
        people.here().clinic_name(clinic).await.unwrap(),
        None,
        "neither of both"
    );
    let first = open(&invitation).await.expect("opened");
    assert_eq!(first.clinic_name, "Southgate");
    assert_eq!(open(&invitation).await, Some(first), "the same again");
    let another = NewInvitation {
        id: fresh_id(InvitationId),
        ..invitation
    };
    assert_eq!(open(&another).await, None, "there is such a clinic");
}

async fn a_mail_is_leased_to_one_at_a_time(engine: Engine) {
    let people = People::new(engine).await;
    let invitation = people.invitation("nora@example.org", &[Role::Technician]);
    people.here().invite(invitation.clone()).await.unwrap();
    let mail = invitation.mail.clone().expect("a mail");
    let lease = async |now| {
        let leased = people
            .here()
            .lease_mails(Timestamp(now), Timestamp(now + 100), 10);
        leased.await.unwrap()
    };
    assert_eq!(lease(9).await, [], "not due");
    let (one, other) = tokio::join!(lease(10), lease(10));
    assert_eq!(one.len() + other.len(), 1);
    let leased = [one, other].concat().remove(0);
    assert_eq!((&leased.mail, leased.attempts), (&mail, 1));
    assert_eq!(lease(109).await, []);
    assert_eq!(lease(110).await[0].attempts, 2, "whoever had it has died");
    let settle = async |outcome| people.here().settle_mail(mail.mail, outcome).await.unwrap();
    settle(MailOutcome::Again {
        due_at: Timestamp(130),
    })
    .await;
    assert_eq!(lease(129).await, []);
    assert_eq!(lease(130).await[0].attempts, 3);
    let sent = async || {
        let stored = people
            .here()
            .invitation(people.clinic, invitation.id)
            .await
            .unwrap();
        stored.expect("kept").invitation.sent
    };
    assert_eq!(sent().await, Sent::Waiting);
    settle(MailOutcome::Refused { at: Timestamp(140) }).await;
    assert_eq!(sent().await, Sent::Refused);
    settle(MailOutcome::Sent { at: Timestamp(140) }).await;
    assert_eq!(sent().await, Sent::Sent);
    assert_eq!(lease(10_000).await, []);
}

async fn what_is_settled_is_forgotten_in_time(engine: Engine) {
    let people = People::new(engine).await;
    let day = 24 * 3_600_000;
    let open = people.invitation("open@example.org", &[Role::Technician]);
    let closed = people.invitation("closed@example.org", &[Role::Technician]);
    for invitation in [&open, &closed] {
        people.here().invite(invitation.clone()).await.unwrap();
        let sent = MailOutcome::Sent { at: Timestamp(50) };
        let mail = invitation.mail.as_ref().expect("a mail").mail;
        people.here().settle_mail(mail, sent).await.unwrap();
    }
    people
        .here()
        .withdraw_invitation(people.clinic, closed.id, Timestamp(60))
        .await
        .unwrap();
    let vet = people.account("vet").await;
    let old = link(vet.account, LinkPurpose::ResetPassword, &vet.email);
    people.here().add_link(old, vec![]).await.unwrap();
    assert_eq!(people.here().forget_settled(Timestamp(99)).await.unwrap(), 0);
    assert_eq!(
        people.here().forget_settled(Timestamp(100)).await.unwrap(),
        1,
        "the link"
    );
    assert_eq!(
        people.here().forget_settled(Timestamp(40 * day)).await.unwrap(),
        3
    );
    let left = people.here().invitations(people.clinic).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].invitation.id, left[0].invitation.sent),
        (open.id, Sent::Sent)
    );
}

async fn a_device_keeps_the_name_it_was_given(engine: Engine) {
    let people = People::new(engine).await;
    let (vet, device) = (people.account("vet").await.account, fresh_id(DeviceId));
    let remember = async |name, now| {
        let token = refresh_token((vet, people.clinic, device), (now, 100));
        come_in(people.storage.as_ref(), token, name).await;
        let devices = people.here().devices(vet, Timestamp(now)).await.unwrap();
        (
            devices[0].name.clone(),
            devices[0].first_seen.0,
            devices[0].last_seen.0,
        )
    };
    assert_eq!(remember("Web browser", 5).await, ("Web browser".to_owned(), 5, 5));
    assert_eq!(remember("Desktop", 6).await, ("Desktop".to_owned(), 5, 6));
    assert!(people.here().name_device(vet, device, "Room 2").await.unwrap());
    assert_eq!(remember("Desktop", 7).await, ("Room 2".to_owned(), 5, 7));
    let desk = people.account("desk").await.account;
    assert!(!people.here().name_device(desk, device, "Mine").await.unwrap());
}

async fn a_lost_device_keeps_its_proof(engine: Engine) {
    let people = People::new(engine).await;
    let (vet, admin) = (
        people.account("vet").await.account,
        people.account("admin").await.account,
    );
    let device = fresh_id(DeviceId);
    let token = refresh_token((vet, people.clinic, device), (1, 100));
    let report = async |judge: fn(&[(AccountId, ClinicId)]) -> bool| {
        let report = people
            .here()
            .report_lost(vet, device, admin, Timestamp(20), Box::new(judge));
        report.await.unwrap()
    };
    assert_eq!(report(|_| true).await, LostReport::NoSuchDevice);
    come_in(people.storage.as_ref(), token.clone(), "Phone").await;
    assert_eq!(
        report(|signed_in| signed_in.is_empty()).await,
        LostReport::NotPermitted
    );
    assert!(!people.here().is_lost(device).await.unwrap());
    assert_eq!(report(|signed_in| signed_in.len() == 1).await, LostReport::Noted);
    assert!(people.here().is_lost(device).await.unwrap());
    assert!(
        !people
            .storage
            .family_lives(token.family, Timestamp(50))
            .await
            .unwrap()
    );
    let about = people.here().devices(vet, Timestamp(30)).await.unwrap().remove(0);
    assert_eq!(
        (about.lost_at, about.purged_at, about.signed_in),
        (Some(Timestamp(20)), None, false)
    );

    // Long after its tokens have run out it is still told, and nobody else is.
    people
        .storage
        .forget_stale_tokens(Timestamp(1 << 50))
        .await
        .unwrap();
    let rotate = async |hash| {
        let now = Timestamp(1 << 50);
        let judge = Box::new(move |stored: Option<&_>| judge_refresh(stored, device, now));
        let rotate = people
            .storage
            .rotate_refresh_token(hash, random(), SignInLife::default(), now, judge);
        rotate.await.unwrap().0
    };
    assert_eq!(rotate(token.hash).await, RefreshVerdict::DeviceLost);
    assert_eq!(rotate(random()).await, RefreshVerdict::Refuse);
    assert!(
        !people
            .here()
            .note_purged(device, random(), Timestamp(40))
            .await
            .unwrap()
    );
    assert!(
        people
            .here()
            .note_purged(device, token.hash, Timestamp(40))
            .await
            .unwrap()
    );
    assert!(
        people
            .here()
            .note_purged(device, token.hash, Timestamp(50))
            .await
            .unwrap()
    );
    let about = people.here().devices(vet, Timestamp(30)).await.unwrap().remove(0);
    assert_eq!(about.purged_at, Some(Timestamp(40)));

    let found = people
        .here()
        .report_found(vet, device, Timestamp(60), Box::new(|_| true));
    assert_eq!(found.await.unwrap(), LostReport::Noted);
    assert!(!people.here().is_lost(device).await.unwrap());
    assert_eq!(
        rotate(token.hash).await,
        RefreshVerdict::Refuse,
        "its people sign in anew"
    );
}

async fn roles_are_judged_on_what_is_there(engine: Engine) {
    let people = People::new(engine).await;
    let admin = people.account("admin").await.account;
    let vet = people.account("vet").await.account;
    let change = async |giver, account, roles: &[Role]| {
        let new = roles.to_vec();
        let judge = Box::new(move |members: &[_]| judge_roles(members, giver, account, &new));
        let change = people
            .here()
            .change_roles(people.clinic, account, roles.to_vec(), judge);
        change.await.unwrap()
    };
    let both = [Role::Veterinarian, Role::ClinicAdministrator];
    change(admin, vet, &both).await.expect("permitted");
    // Two who demote each other at the same moment: one of them is an administrator no more when it is their turn.
    let (one, other) = tokio::join!(
        change(admin, vet, &[Role::Veterinarian]),
        change(vet, admin, &[Role::FrontDesk])
    );
    assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
    let members = people.here().members(people.clinic).await.unwrap();
    let administrators = members
        .iter()
        .filter(|member| member.roles.contains(&Role::ClinicAdministrator));
    assert_eq!(administrators.count(), 1);
    assert_eq!(members.len(), 6);
}

async fn a_code_is_used_by_one_of_many_at_once(engine: Engine) {
    let people = People::new(engine).await;
    let here = people.here();
    let vet = people.account("vet").await.account;
    assert!(!here.use_totp(vet, 7).await.unwrap(), "there is no app");
    let recovery_codes: Vec<[u8; 32]> = vec![random(), random()];
    let new = NewFactor {
        account: vet,
        factor: Factor::Totp {
            totp: StoredTotp {
                secret: Zeroizing::new(random()),
                since: Timestamp(10),
            },
            step: 7,
        },
        only_first: true,
        recovery_codes: recovery_codes.clone(),
        mail: None,
    };
    assert_eq!(here.add_factor(new).await.unwrap(), Added::WithCodes);
    assert!(!here.use_totp(vet, 7).await.unwrap(), "it confirmed the app");
    let used = join_all((0..8).map(|_| here.use_totp(vet, 9))).await;
    let count = used.into_iter().filter(|used| *used.as_ref().unwrap()).count();
    assert_eq!(count, 1);
    for former in [8, 9] {
        assert!(!here.use_totp(vet, former).await.unwrap(), "{former}");
    }
    assert!(here.use_totp(vet, 10).await.unwrap());
    let code = recovery_codes[0];
    let used = join_all((0..8).map(|_| here.use_recovery_code(vet, code, None))).await;
    let count = used.into_iter().filter(|used| *used.as_ref().unwrap()).count();
    assert_eq!(count, 1);
    assert_eq!(here.factors(vet).await.unwrap().recovery_codes, 1);
}

async fn codes_do_not_outlive_the_last_factor(engine: Engine) {
    let people = People::new(engine).await;
    let here = people.here();
    let vet = people.account("vet").await.account;
    let none = here.set_recovery_codes(vet, vec![random()], None).await.unwrap();
    assert!(!none, "there is nothing that they would stand in for");
    assert_eq!(here.factors(vet).await.unwrap().recovery_codes, 0);
    for round in 0..20 {
        let new = NewFactor {
            account: vet,
            factor: Factor::Totp {
                totp: StoredTotp {
                    secret: Zeroizing::new(random()),
                    since: Timestamp(10),
                },
                step: 7,
            },
            only_first: true,
            recovery_codes: vec![random()],
            mail: None,
        };
        assert_eq!(here.add_factor(new).await.unwrap(), Added::WithCodes);
        let anew = here.set_recovery_codes(vet, (0..10).map(|_| random()).collect(), None);
        let (anew, taken) = tokio::join!(anew, here.take_away(vet, Unneeded::Totp, None, Vec::new()));
        anew.unwrap();
        assert_eq!(taken.unwrap(), TakenAway::Done);
        let left = here.factors(vet).await.unwrap();
        assert_eq!((left.has_any(), left.recovery_codes), (false, 0), "{round}");
    }
}
