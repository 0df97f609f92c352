//! What every storage promises, asked of each.

use crate::database::{Database, Engine};
use crate::morning::on_both;
use crate::practice::{come_in, found_clinic, fresh_id, refresh_token};
use automerge::ChangeHash;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, ClientId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::{Feed, Role};
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use sync_server::identity::{
    NewRefreshToken, REPEAT_WITHIN_MS, RefreshVerdict, SignInLife, judge_refresh, random,
};
use sync_server::storage::{
    AcceptWrites, ActorRow, AuditRow, ChangeRow, DocumentRow, FeedChange, FeedRow, StepContent, Storage,
    StorageError, StoredDocument,
};
use uuid::Uuid;

on_both! {
    a_commit_is_seen_whole_and_a_dropped_one_not_at_all
    one_writer_at_a_time
    clinics_do_not_see_each_other
    documents_come_in_pages
    feeds_come_in_stretches
    what_was_lost_is_not_read_any_more
    accounts_and_memberships
    refresh_tokens
    a_refresh_token_that_is_exchanged_once_more
    two_who_refresh_at_the_same_moment
    stale_tokens_are_forgotten
    a_sign_in_whose_beginning_is_not_known_began_when_it_was_used_last
    actors_belong_to_whom_they_came_with_first
    secrets_stay
}

const OWNER: Feed = Feed::Client(ClientId(Uuid::from_u128(7)));

struct Store {
    database: Database,
    storage: Arc<dyn Storage>,
    clinic: ClinicId,
    /// Who comes in.
    account: AccountId,
}

async fn store(engine: Engine) -> Store {
    let database = Database::new(engine).await;
    let (storage, clinic) = (database.open().await, fresh_id(ClinicId));
    found_clinic(&storage, clinic, "").await;
    let owner = storage.people().account_by_email("owner@example.org").await;
    Store {
        database,
        storage,
        clinic,
        account: owner.expect("read").expect("known").account,
    }
}

fn document(number: u128) -> DocumentId {
    DocumentId(Uuid::from_u128(number))
}

fn stored(number: u128, size: usize) -> StoredDocument {
    StoredDocument {
        id: document(number),
        kind: Kind::Client,
        schema_version: 1,
        bytes: vec![number as u8; size],
        base: size / 2,
        max_op: 9,
        projection_version: 3,
        projection: vec![5; 4],
    }
}

/// One new document with one change of `size` bytes, in the staff's feed and `more`.
fn writes(head: u64, number: u128, size: usize, more: &[Feed]) -> AcceptWrites {
    let (head, feeds) = (head + 1, [&[Feed::Staff], more].concat());
    let mut writes = AcceptWrites::new(head, Timestamp(1_000));
    let (account, device, id) = (AccountId(Uuid::nil()), DeviceId(Uuid::nil()), document(number));
    writes.changes.push(ChangeRow {
        number: head,
        position: 0,
        document: id,
        hash: ChangeHash([number as u8; 32]),
        actor: vec![1; 16],
        seq: 1,
        account,
        device,
        signed: None,
        bytes: vec![number as u8; size],
    });
    writes.documents.push(DocumentRow {
        stored: stored(number, size),
        heads: vec![ChangeHash([number as u8; 32])],
        needed_at: Some(Timestamp(i64::try_from(number).expect("small"))),
    });
    for feed in feeds {
        writes.granted.push((feed, id));
        writes.feed.push(FeedRow {
            feed,
            number: head,
            document: id,
            what: FeedChange::Changes,
            size,
        });
    }
    writes.audit.push(AuditRow {
        number: head,
        position: 0,
        account,
        device,
        document: id,
        verb: "register_client".to_owned(),
    });
    writes
}

impl Store {
    async fn head(&self) -> u64 {
        self.storage.head(self.clinic).await.unwrap()
    }

    async fn write(&self, make: impl FnOnce(u64) -> AcceptWrites) {
        let tx = self.storage.begin_accept(self.clinic).await.unwrap();
        let writes = make(tx.head());
        tx.commit(Arc::new(writes)).await.unwrap();
    }

    async fn documents(&self, feed: Feed) -> Vec<u128> {
        let found = self
            .storage
            .documents_below(self.clinic, feed, None, 1 << 20)
            .await
            .unwrap();
        found.iter().map(|stored| stored.id.0.as_u128()).collect()
    }
}

async fn a_commit_is_seen_whole_and_a_dropped_one_not_at_all(engine: Engine) {
    let store = store(engine).await;
    assert_eq!(store.head().await, 1, "0 is no cursor");
    let tx = store.storage.begin_accept(store.clinic).await.unwrap();
    assert_eq!(tx.head(), 1);
    drop(tx);
    store.write(|head| writes(head, 10, 100, &[])).await;
    assert_eq!(store.head().await, 2);

    let mut tx = store.storage.begin_accept(store.clinic).await.unwrap();
    assert_eq!(tx.head(), 2);
    let loaded = tx
        .load(&[document(10), document(11)], &[vec![1; 16]])
        .await
        .unwrap();
    assert_eq!(loaded.documents, [stored(10, 100)]);
    assert!(loaded.actors.is_empty());
    // A commit that cannot be done leaves nothing of itself: the same number a second time.
    let mut twice = writes(2, 12, 10, &[]);
    twice.changes.push(twice.changes[0].clone());
    assert!(matches!(
        tx.commit(Arc::new(twice)).await,
        Err(StorageError::Failed(_))
    ));
    assert_eq!(store.head().await, 2);
    assert_eq!(store.documents(Feed::Staff).await, [10]);
    store.write(|head| writes(head, 12, 10, &[])).await;
    assert_eq!(store.documents(Feed::Staff).await, [12, 10]);
    store.storage.health().await.unwrap();
    let unknown = store.storage.begin_accept(fresh_id(ClinicId)).await;
    assert!(matches!(unknown.map(drop), Err(StorageError::NoSuchClinic)));
}

async fn one_writer_at_a_time(engine: Engine) {
    let store = store(engine).await;
    let first = store.storage.begin_accept(store.clinic).await.unwrap();
    let second = store.storage.begin_accept(store.clinic);
    tokio::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut second).await;
    assert!(early.is_err(), "the second waits");
    first.commit(Arc::new(writes(1, 10, 10, &[]))).await.unwrap();
    assert_eq!(
        second.await.unwrap().head(),
        2,
        "and then sees what the first did"
    );
}

async fn clinics_do_not_see_each_other(engine: Engine) {
    let store = store(engine).await;
    let other = fresh_id(ClinicId);
    found_clinic(&store.storage, other, "other-").await;
    store.write(|head| writes(head, 10, 10, &[])).await;
    assert_eq!(store.storage.head(other).await.unwrap(), 1);
    assert_eq!(store.storage.feed_size(other, Feed::Staff).await.unwrap(), 0);
    assert!(
        store
            .storage
            .documents_named(other, Feed::Staff, &[document(10)])
            .await
            .unwrap()
            .is_empty()
    );
    let elsewhere = store
        .storage
        .clinics_of(&[document(10), document(11)])
        .await
        .unwrap();
    assert_eq!(elsewhere, [(document(10), store.clinic)]);
}

async fn documents_come_in_pages(engine: Engine) {
    let store = store(engine).await;
    for number in 10..20 {
        let feeds: &[Feed] = if number % 2 == 0 { &[OWNER] } else { &[] };
        store.write(|head| writes(head, number, 1_000, feeds)).await;
    }
    let (storage, clinic) = (&store.storage, store.clinic);
    assert_eq!(storage.feed_size(clinic, Feed::Staff).await.unwrap(), 10);
    assert_eq!(storage.feed_size(clinic, OWNER).await.unwrap(), 5);
    assert_eq!(store.documents(OWNER).await, [18, 16, 14, 12, 10]);
    assert_eq!(store.documents(Feed::Everyone).await, []);
    let mut below = None;
    let mut seen = Vec::new();
    loop {
        let page = storage
            .documents_below(clinic, Feed::Staff, below, 3_200)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        assert_eq!(page[0].bytes.len(), 1_000);
        below = Some(last.id);
        seen.extend(page.iter().map(|stored| stored.id.0.as_u128()));
    }
    assert_eq!(seen, (10..20).rev().collect::<Vec<u128>>());
    let one = storage
        .documents_below(clinic, Feed::Staff, None, 1)
        .await
        .unwrap();
    assert_eq!(one.len(), 1, "at least one, however large");

    let needed = storage
        .documents_needed(clinic, OWNER, Timestamp(12), Timestamp(17), 10)
        .await
        .unwrap();
    assert_eq!(
        needed.iter().map(|d| d.id.0.as_u128()).collect::<Vec<_>>(),
        [12, 14, 16]
    );
    let named = storage
        .documents_named(
            clinic,
            OWNER,
            &[document(16), document(11), document(10), document(99)],
        )
        .await
        .unwrap();
    assert_eq!(
        named.iter().map(|d| d.id.0.as_u128()).collect::<Vec<_>>(),
        [16, 10]
    );
}

async fn feeds_come_in_stretches(engine: Engine) {
    let store = store(engine).await;
    for number in 10..20 {
        let feeds: &[Feed] = if number == 13 { &[OWNER] } else { &[] };
        store.write(|head| writes(head, number, 1_000, feeds)).await;
    }
    let (storage, clinic, head) = (&store.storage, store.clinic, store.head().await);
    let (mut after, mut seen) = (1, Vec::new());
    while after < head {
        let stretch = storage
            .feed_after(clinic, Feed::Staff, after, head, 2_500)
            .await
            .unwrap();
        assert!(stretch.reached > after && stretch.steps.len() <= 2);
        for step in &stretch.steps {
            let StepContent::Changes(changes) = &step.content else {
                panic!("{step:?}")
            };
            assert_eq!(changes.len(), 1);
            seen.push((step.number, step.document.0.as_u128()));
        }
        after = stretch.reached;
    }
    assert_eq!(seen, (2..=11).zip(10..20).collect::<Vec<_>>());
    let owner = storage.feed_after(clinic, OWNER, 1, head, 2_500).await.unwrap();
    assert_eq!(
        (owner.steps.len(), owner.reached),
        (1, head),
        "gaps are passed over"
    );
    let nothing = storage.feed_after(clinic, OWNER, 5, 7, 2_500).await.unwrap();
    assert_eq!(
        (nothing.steps.len(), nothing.reached),
        (0, 7),
        "and nothing above the head is read"
    );

    let feeds = [Feed::Everyone, OWNER, Feed::Staff];
    let touched = async |after, head| storage.touched_feeds(clinic, &feeds, after, head).await.unwrap();
    assert_eq!(touched(1, head).await, [OWNER, Feed::Staff]);
    assert_eq!(touched(5, head).await, [Feed::Staff]);
    assert_eq!(touched(head, head + 5).await, []);
    assert_eq!(
        storage.heads(&[fresh_id(ClinicId), clinic]).await.unwrap(),
        [(clinic, head)]
    );
}

async fn what_was_lost_is_not_read_any_more(engine: Engine) {
    let store = store(engine).await;
    store.write(|head| writes(head, 10, 10, &[OWNER])).await;
    store
        .write(|head| {
            let mut lost = AcceptWrites::new(head + 1, Timestamp(0));
            lost.lost.push((OWNER, document(10)));
            lost.feed.push(FeedRow {
                feed: OWNER,
                number: head + 1,
                document: document(10),
                what: FeedChange::Revoked,
                size: 0,
            });
            lost
        })
        .await;
    let steps = async || {
        let head = store.head().await;
        store
            .storage
            .feed_after(store.clinic, OWNER, 1, head, 1_000)
            .await
            .unwrap()
            .steps
    };
    let after_loss = steps().await;
    assert!(matches!(after_loss[..], [ref only] if matches!(only.content, StepContent::Revoked)));
    assert_eq!(store.documents(OWNER).await, []);

    store
        .write(|head| {
            let mut back = AcceptWrites::new(head + 1, Timestamp(0));
            back.granted.push((OWNER, document(10)));
            back.feed.push(FeedRow {
                feed: OWNER,
                number: head + 1,
                document: document(10),
                what: FeedChange::Snapshot,
                size: 10,
            });
            back
        })
        .await;
    let forms: Vec<u8> = steps()
        .await
        .iter()
        .map(|step| match &step.content {
            StepContent::Changes(_) => 0,
            StepContent::Snapshot(found) => {
                assert_eq!(*found, stored(10, 10));
                1
            }
            StepContent::Revoked => 2,
        })
        .collect();
    assert_eq!(forms, [0, 2, 1]);
}

async fn accounts_and_memberships(engine: Engine) {
    let store = store(engine).await;
    let owner = store
        .storage
        .people()
        .account_by_email("owner@example.org")
        .await
        .unwrap()
        .expect("known");
    assert!(
        store
            .storage
            .people()
            .account_by_email("nobody@example.org")
            .await
            .unwrap()
            .is_none()
    );
    let principals = store.storage.principals(owner.account).await.unwrap();
    assert_eq!(principals.len(), 1);
    assert_eq!(
        (principals[0].clinic, principals[0].name.as_str()),
        (store.clinic, "owner")
    );
    assert_eq!(principals[0].roles, [Role::Owner]);
    assert_eq!(principals[0].client, Some(crate::practice::OWNER));
    assert!(store.storage.demonstration_accounts().await.unwrap().is_empty());
}

async fn refresh_tokens(engine: Engine) {
    let store = store(engine).await;
    let (family, hash) = (random(), random());
    let token = NewRefreshToken {
        begun_at: Timestamp(10),
        ..token(&store, hash, family, 100)
    };
    come_in(store.storage.as_ref(), token.clone(), "Tablet").await;
    assert!(store.storage.family_lives(family, Timestamp(50)).await.unwrap());
    let rotate = async |hash: [u8; 32], fresh: [u8; 32], verdict: RefreshVerdict| {
        let judge = Box::new(move |stored: Option<&_>| {
            if stored.is_some() {
                verdict
            } else {
                RefreshVerdict::Refuse
            }
        });
        let (life, now) = (
            SignInLife {
                unused: 200,
                at_most: 190,
            },
            Timestamp(50),
        );
        store
            .storage
            .rotate_refresh_token(hash, fresh, life, now, judge)
            .await
            .unwrap()
    };
    let next = random();
    let (verdict, seen) = rotate(hash, next, RefreshVerdict::Rotate).await;
    assert_eq!(
        (verdict, seen.expect("known").rotated_at),
        (RefreshVerdict::Rotate, None)
    );
    let (_, seen) = rotate(hash, random(), RefreshVerdict::Refuse).await;
    assert_eq!(seen.expect("known").rotated_at, Some(Timestamp(50)));
    let (_, seen) = rotate(next, random(), RefreshVerdict::Refuse).await;
    let seen = seen.expect("the successor");
    assert_eq!(
        (seen.begun_at, seen.device, seen.account),
        (Timestamp(10), token.device, token.account)
    );
    assert_eq!(
        seen.expires_at,
        Timestamp(10 + 190),
        "no longer than its sign-in may last"
    );
    let ends = async |now| store.storage.family_ends(family, Timestamp(now)).await.unwrap();
    assert_eq!(ends(150).await, Some(Timestamp(200)), "with what is renewed");
    assert_eq!(ends(200).await, None);
    assert_eq!(
        rotate([0; 32], random(), RefreshVerdict::Rotate).await.0,
        RefreshVerdict::Refuse
    );
    rotate(next, random(), RefreshVerdict::EndFamily).await;
    assert!(!store.storage.family_lives(family, Timestamp(50)).await.unwrap());
}

fn token(store: &Store, hash: [u8; 32], family: [u8; 16], expires_at: i64) -> NewRefreshToken {
    NewRefreshToken {
        hash,
        family,
        ..refresh_token((store.account, store.clinic, fresh_id(DeviceId)), (0, expires_at))
    }
}

impl Store {
    /// What the server's own judge says to a device that presents a token at a moment.
    async fn present(&self, device: DeviceId, hash: [u8; 32], fresh: [u8; 32], now: i64) -> RefreshVerdict {
        let now = Timestamp(now);
        let judge = Box::new(move |stored: Option<&_>| judge_refresh(stored, device, now));
        self.storage
            .rotate_refresh_token(hash, fresh, SignInLife::default(), now, judge)
            .await
            .unwrap()
            .0
    }
}

async fn a_refresh_token_that_is_exchanged_once_more(engine: Engine) {
    use RefreshVerdict::{EndFamily, Refuse, Rotate};
    let store = store(engine).await;
    let [first, lost, second, third, fourth] = [(); 5].map(|()| random::<32>());
    let begin = async || {
        let family = random();
        let token = token(&store, first, family, 1_000_000_000);
        come_in(store.storage.as_ref(), token.clone(), "Tablet").await;
        (family, token.device)
    };

    // The answer with `lost` never arrived: the device asks again, and again.
    let (family, device) = begin().await;
    assert_eq!(store.present(device, first, lost, 1_000).await, Rotate);
    assert_eq!(store.present(device, first, second, 2_000).await, Rotate);
    assert_eq!(store.present(device, first, third, 3_000).await, Rotate);
    assert_eq!(
        store.present(device, third, fourth, 4_000).await,
        Rotate,
        "and goes on with it"
    );
    assert!(
        store
            .storage
            .family_lives(family, Timestamp(4_000))
            .await
            .unwrap()
    );
    // Now the successor is in use: whoever comes with the former token has a copy.
    assert_eq!(store.present(device, first, random(), 5_000).await, EndFamily);
    assert!(
        !store
            .storage
            .family_lives(family, Timestamp(5_000))
            .await
            .unwrap()
    );
    assert_eq!(store.present(device, fourth, random(), 6_000).await, Refuse);

    // A successor that was replaced and turns up after all: somebody else has got it, or had the former one.
    let (family, device) = begin().await;
    assert_eq!(store.present(device, first, lost, 1_000).await, Rotate);
    assert_eq!(store.present(device, first, second, 2_000).await, Rotate);
    assert_eq!(store.present(device, lost, third, 3_000).await, EndFamily);
    assert!(
        !store
            .storage
            .family_lives(family, Timestamp(3_000))
            .await
            .unwrap()
    );

    // Another device does not get that patience.
    let (family, device) = begin().await;
    assert_eq!(store.present(device, first, lost, 1_000).await, Rotate);
    assert_eq!(
        store.present(fresh_id(DeviceId), first, second, 2_000).await,
        EndFamily
    );
    assert!(
        !store
            .storage
            .family_lives(family, Timestamp(2_000))
            .await
            .unwrap()
    );

    // Nor does anybody for ever; asking again does not prolong it.
    let (_, device) = begin().await;
    assert_eq!(store.present(device, first, lost, 1_000).await, Rotate);
    let last = 1_000 + REPEAT_WITHIN_MS;
    assert_eq!(store.present(device, first, second, last).await, Rotate);
    assert_eq!(store.present(device, first, third, last + 1).await, EndFamily);
}

async fn two_who_refresh_at_the_same_moment(engine: Engine) {
    let store = store(engine).await;
    for _ in 0..20 {
        let (family, first, next) = (random(), random(), random());
        let token = token(&store, first, family, 1_000_000_000);
        come_in(store.storage.as_ref(), token.clone(), "Tablet").await;
        assert_eq!(
            store.present(token.device, first, next, 1_000).await,
            RefreshVerdict::Rotate
        );
        // One repeats the former token while the other uses its successor: both cannot be the device.
        let (repeated, used) = tokio::join!(
            store.present(token.device, first, random(), 2_000),
            store.present(token.device, next, random(), 2_000),
        );
        let ended = [repeated, used]
            .iter()
            .filter(|verdict| **verdict == RefreshVerdict::Rotate)
            .count();
        assert!(ended <= 1, "{repeated:?} {used:?}");
        assert!(
            !store
                .storage
                .family_lives(family, Timestamp(2_000))
                .await
                .unwrap()
        );
    }
}

/// As the migration finds it that came with the beginning.
async fn a_sign_in_whose_beginning_is_not_known_began_when_it_was_used_last(engine: Engine) {
    const DAY: i64 = 24 * 3_600_000;
    let mut store = store(engine).await;
    let (used, next, ends) = (Timestamp(1_700_000_000_000), random(), random());
    for (hash, family, end) in [(next, random(), used.0 + 60 * DAY), (ends, random(), 60 * DAY)] {
        let token = token(&store, hash, family, end);
        come_in(store.storage.as_ref(), token, "Tablet").await;
    }
    let migration = match engine {
        Engine::Sqlite => include_str!("../../../migrations/server/sqlite/0012_sign_ins_end.sql"),
        Engine::Postgres => include_str!("../../../migrations/server/postgres/0012_sign_ins_end.sql"),
    };
    store
        .database
        .run("alter table refresh_tokens drop column begun_at")
        .await;
    store.database.run(migration).await;
    store.storage = store.database.open().await;
    for (hash, begun_at) in [(next, used), (ends, Timestamp(0))] {
        let judge = Box::new(|_: Option<&_>| RefreshVerdict::Refuse);
        let life = SignInLife::default();
        let (_, seen) = store
            .storage
            .rotate_refresh_token(hash, random(), life, used, judge)
            .await
            .unwrap();
        assert_eq!(seen.expect("it is there").begun_at, begun_at);
    }
}

async fn stale_tokens_are_forgotten(engine: Engine) {
    let store = store(engine).await;
    let (expired, living) = (random(), random());
    let first = random();
    let add = async |token| come_in(store.storage.as_ref(), token, "Tablet").await;
    add(token(&store, random(), expired, 1_000)).await;
    let lives = token(&store, first, living, 1_000_000_000);
    add(lives.clone()).await;
    let next = random();
    assert_eq!(
        store.present(lives.device, first, next, 500).await,
        RefreshVerdict::Rotate
    );
    let forget = async |now| store.storage.forget_stale_tokens(Timestamp(now)).await.unwrap();
    assert_eq!(forget(999).await, 0);
    assert!(store.storage.family_lives(expired, Timestamp(999)).await.unwrap());
    assert!(
        !store
            .storage
            .family_lives(expired, Timestamp(1_000))
            .await
            .unwrap(),
        "it ends before it is forgotten"
    );
    assert_eq!(forget(1_000).await, 1);
    assert!(!store.storage.family_lives(expired, Timestamp(999)).await.unwrap());
    // A used token is remembered for a week, to notice its reuse.
    let week = 7 * 24 * 3_600_000;
    assert_eq!(forget(500 + week).await, 0);
    assert_eq!(forget(501 + week).await, 1);
    assert!(
        store
            .storage
            .family_lives(living, Timestamp(501 + week))
            .await
            .unwrap()
    );
    let renewed = store.present(lives.device, next, random(), 501 + week).await;
    assert_eq!(renewed, RefreshVerdict::Rotate);
}

async fn actors_belong_to_whom_they_came_with_first(engine: Engine) {
    let store = store(engine).await;
    let row = |account, device| ActorRow {
        actor: vec![9; 16],
        account,
        device,
    };
    let (account, device) = (fresh_id(AccountId), fresh_id(DeviceId));
    let bind = async |clinic, row| store.storage.bind_actor(clinic, row).await.unwrap();
    assert!(bind(store.clinic, row(account, device)).await);
    assert!(bind(store.clinic, row(account, device)).await);
    assert!(!bind(store.clinic, row(account, fresh_id(DeviceId))).await);
    assert!(!bind(store.clinic, row(fresh_id(AccountId), device)).await);
    let mut tx = store.storage.begin_accept(store.clinic).await.unwrap();
    let loaded = tx.load(&[], &[vec![9; 16], vec![8; 16]]).await.unwrap();
    assert_eq!(loaded.actors, [row(account, device)]);
}

async fn secrets_stay(engine: Engine) {
    let store = store(engine).await;
    assert_eq!(store.storage.secret("one", [1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.storage.secret("one", [2; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.storage.secret("two", [2; 32]).await.unwrap(), [2; 32]);
}
