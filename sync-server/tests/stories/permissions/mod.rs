//! Everybody tries everything: each role on each kind of document with each verb, their own and others', here and at
//! another clinic. The page for administrators, the device before it keeps anything, the server over its own protocol,
//! over HTTP and to automerge-repo have to say the same to every case.

mod cases;
mod clinic;
mod page;

use crate::database::Engine;
use crate::device::{Device, Heard, item, raw};
use crate::guest::{Guest, name, ticket};
use crate::http;
use crate::practice::{PASSWORD, Practice, fresh_id};
use automerge::transaction::Transactable;
use automerge::{ActorId, ROOT};
use axum::http::Method;
use cases::{Case, PEOPLE, Verb, Whose, writes};
use clinic::{Attempt, Hand, Ids, OWN, Records, State, attempt, prepare, witness};
use page::Section;
use shared_model::SCHEMA_VERSION;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::permissions::{Principal, Role};
use shared_model::protocol::{self, Accepted, PROTOCOL_VERSION, Push, PushItem, SinglePush};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use sync_server::identity::{Passwords, RequestLimit, random};
use sync_server::storage::{NewAccount, NewClinic};

const EVERYTHING: &[Role] = &[
    Role::FrontDesk,
    Role::Technician,
    Role::Veterinarian,
    Role::ClinicAdministrator,
];
/// Changes of one push.
const BATCH: usize = 800;

/// Of changes.
type Hashes = BTreeSet<Vec<u8>>;

/// What was said to one case, by whom.
struct Said {
    case: Case,
    verdicts: Vec<(&'static str, bool)>,
}

/// Cases to which not everybody said what the page says.
fn differences(page: &[Section], said: &[Said]) -> Vec<String> {
    let section = |kind: Kind| page.iter().find(|section| section.kind == kind);
    let differs = |said: &&Said| {
        let expected = said
            .case
            .is_permitted(section(said.case.kind).expect("every kind is on the page"));
        said.verdicts.iter().any(|(_, verdict)| *verdict != expected)
    };
    let told = |said: &Said| {
        let Case {
            who,
            kind,
            whose,
            verb,
            row,
        } = &said.case;
        format!(
            "{} {verb:?} {} {} ({whose:?}): {:?}",
            PEOPLE[*who].0,
            kind.word(),
            row.as_ref().map_or("", |row| row.fields.as_str()),
            said.verdicts
        )
    };
    said.iter().filter(differs).map(told).collect()
}

async fn sign_up(practice: &Practice, clinic: ClinicId, prefix: &str) {
    let password_hash = Passwords::new().await.hash(PASSWORD.to_owned()).await;
    let account = |name: String, roles: &[Role]| NewAccount {
        account: fresh_id(AccountId),
        email: format!("{}@example.org", address(prefix, &name)),
        full_name: name,
        password_hash: password_hash.clone(),
        roles: roles.to_vec(),
        client: roles.contains(&Role::Owner).then_some(OWN),
    };
    let mut accounts: Vec<NewAccount> = PEOPLE
        .iter()
        .map(|(name, roles)| account((*name).to_owned(), roles))
        .collect();
    accounts.extend(["maker", "second"].map(|name| account(name.to_owned(), EVERYTHING)));
    let new = NewClinic {
        clinic,
        name: "Practice".to_owned(),
        created_at: Timestamp(0),
        accounts,
        demonstration: Vec::new(),
    };
    practice.storage.create_clinic(new).await.expect("created");
}

fn address(prefix: &str, name: &str) -> String {
    format!("{prefix}-{}", name.replace(' ', "-"))
}

async fn device(practice: &Practice, prefix: &str, name: &str) -> Device {
    practice.device(&address(prefix, name)).await
}

fn hand(device: &Device) -> Hand {
    Hand {
        principal: device.principal.clone(),
        actor: device.actor.clone(),
    }
}

fn items(changes: &[(Kind, DocumentId, Vec<u8>)]) -> Vec<PushItem> {
    let mut items: Vec<PushItem> = Vec::new();
    for (kind, document, bytes) in changes {
        match items.last_mut().filter(|item| item.document == *document) {
            Some(item) => item.changes.push(bytes.clone().into()),
            None => items.push(item(*kind, *document, [bytes.clone()])),
        }
    }
    items
}

/// Prepared documents go to the server as anything else does.
async fn settle(device: &Device, changes: Vec<(Kind, DocumentId, automerge::Change)>) {
    let changes: Vec<_> = changes
        .iter()
        .map(|(kind, id, change)| (*kind, *id, raw(change)))
        .collect();
    let refused = push_over_http(device, &changes).await;
    assert_eq!(refused, Some(BTreeSet::new()));
}

/// Hashes that a server did not take; `None` if it talks to this person about no documents at all.
async fn refused_by_socket(device: &mut Device, attempts: &[Attempt]) -> Option<Hashes> {
    device.dial().await;
    device.send(&protocol::ClientMessage::Hello(device.hello())).await;
    match device.hear().await {
        Heard::Welcome(_) => {}
        Heard::Goodbye(protocol::Goodbye::NotPermitted) => return None,
        other => panic!("no welcome but {other:?}"),
    }
    let mut refused = BTreeSet::new();
    for batch in attempts.chunks(BATCH) {
        let refusals = device.refusals(items(&bytes(batch))).await;
        refused.extend(refusals.into_iter().map(|refusal| refusal.change.to_vec()));
    }
    Some(refused)
}

async fn push_over_http(device: &Device, changes: &[(Kind, DocumentId, Vec<u8>)]) -> Option<Hashes> {
    let mut refused = BTreeSet::new();
    for (number, batch) in changes.chunks(BATCH).enumerate() {
        let single = SinglePush {
            protocol: PROTOCOL_VERSION,
            schema_version: SCHEMA_VERSION,
            actor: device.actor.to_bytes().to_vec().into(),
            push: Push {
                number: number as u64,
                items: device.signed(items(batch)),
            },
            signing_key: device.key().public().into(),
        };
        let bearer = format!("Bearer {}", device.token);
        let answer = http::request(
            device.server,
            Method::POST,
            "/api/v1/push",
            &[("authorization", &bearer)],
            protocol::encode(&single),
        )
        .await;
        match answer.status.as_u16() {
            200 => {}
            403 => return None,
            other => panic!("{other}: {:?}", answer.body),
        }
        let accepted: Accepted = protocol::decode(&answer.body).expect("an answer");
        assert_eq!(accepted.push, number as u64);
        refused.extend(
            accepted
                .refused
                .into_iter()
                .map(|refusal| refusal.change.to_vec()),
        );
    }
    Some(refused)
}

fn bytes(attempts: &[Attempt]) -> Vec<(Kind, DocumentId, Vec<u8>)> {
    let bytes = |attempt: &Attempt| (attempt.kind, attempt.document, raw(&attempt.change));
    attempts.iter().map(bytes).collect()
}

/// All that one hand tries, in order, with what its device said.
fn attempts(
    page: &[Section],
    who: usize,
    records: &mut Records,
    hand: &Hand,
    maker: &Hand,
    ids: &mut Ids,
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for section in page {
        for whose in [Whose::Own, Whose::Others, Whose::OtherClinic] {
            for case in writes(section, who, whose) {
                attempts.push(attempt(case, section, records, hand, maker, ids));
            }
        }
    }
    attempts
}

fn verdict(attempt: &Attempt, refused: Option<&Hashes>) -> bool {
    refused.is_some_and(|refused| !refused.contains(&attempt.change.hash().0.to_vec()))
}

#[allow(
    clippy::print_stdout,
    reason = "how many cases there were is part of what it shows"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn device_server_and_page_say_the_same_to_everybody_about_everything() {
    let started = Instant::now();
    let page = page::read();
    assert_eq!(page.len(), Kind::ALL.len());
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        // All of the clinic's people ask for everything from one machine, without a pause.
        let any = RequestLimit {
            at_once: 1_000_000,
            per_minute: 1_000_000,
        };
        settings.request_limits.address = any;
        settings.request_limits.account = any;
    })
    .await;
    let (here, elsewhere) = (fresh_id(ClinicId), fresh_id(ClinicId));
    sign_up(&practice, here, "here").await;
    sign_up(&practice, elsewhere, "elsewhere").await;

    let maker = device(&practice, "here", "maker").await;
    let second = device(&practice, "here", "second").await;
    let stranger = device(&practice, "elsewhere", "maker").await;
    let mut ids = Ids::default();
    let both = [Whose::Own, Whose::Others];
    let (mut shared, changes) = prepare(
        &page,
        here,
        &both,
        &[State::Full, State::Closed],
        &hand(&maker),
        &mut ids,
    );
    settle(&maker, changes).await;
    let witnessed = witness(&mut shared, &hand(&second));
    settle(&second, witnessed).await;
    let (foreign, changes) = prepare(
        &page,
        elsewhere,
        &[Whose::OtherClinic],
        &[State::Open, State::Blank],
        &hand(&stranger),
        &mut ids,
    );
    settle(&stranger, changes).await;
    shared.extend(foreign);

    let mut said = Vec::new();
    let mut reading = BTreeMap::new();
    for (who, (person, _)) in PEOPLE.iter().enumerate() {
        let mut by_way: Vec<(Vec<Attempt>, Option<Hashes>)> = Vec::new();
        for over_http in [false, true] {
            let mut device = device(&practice, "here", person).await;
            // Fields that are written once are tried on documents of one's own.
            let (own, changes) = prepare(
                &page,
                here,
                &both,
                &[State::Open, State::Blank],
                &hand(&maker),
                &mut ids,
            );
            settle(&maker, changes).await;
            let mut records = shared.clone();
            records.extend(own);
            if reading.is_empty() {
                reading.extend(records.iter().map(|(key, record)| (*key, record.document.id)));
            }
            let attempts = attempts(&page, who, &mut records, &hand(&device), &hand(&maker), &mut ids);
            let refused = match over_http {
                true => push_over_http(&device, &bytes(&attempts)).await,
                false => refused_by_socket(&mut device, &attempts).await,
            };
            by_way.push((attempts, refused));
        }
        let (by_http, refused_by_http) = by_way.pop().expect("two ways");
        let (by_socket, refused_by_socket) = by_way.pop().expect("two ways");
        for (socket, http) in by_socket.into_iter().zip(by_http) {
            said.push(Said {
                verdicts: vec![
                    ("device", socket.by_device),
                    ("device", http.by_device),
                    ("socket", verdict(&socket, refused_by_socket.as_ref())),
                    ("http", verdict(&http, refused_by_http.as_ref())),
                ],
                case: socket.case,
            });
        }
    }
    let written = said.len();
    for who in 0..PEOPLE.len() {
        said.extend(reads(&practice, who, &page, &reading).await);
    }

    let differences = differences(&page, &said);
    println!(
        "{} cases ({written} of writing), {} verdicts, {} permitted, {} differences, {:?}",
        said.len(),
        said.iter().map(|said| said.verdicts.len()).sum::<usize>(),
        said.iter().filter(|said| said.verdicts[0].1).count(),
        differences.len(),
        started.elapsed()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Every way in which somebody could come to read a document, and what another program may write in it.
async fn reads(
    practice: &Practice,
    who: usize,
    page: &[Section],
    reading: &BTreeMap<(Kind, Whose, State), DocumentId>,
) -> Vec<Said> {
    let (person, _) = PEOPLE[who];
    let mut device = device(practice, "here", person).await;
    let bearer = format!("Bearer {}", device.token);
    let mut by_socket = BTreeSet::new();
    if device.try_connect().await {
        device.offline();
        device.cursors.clear();
        device.connect().await;
        by_socket.extend(device.documents.keys().copied());
    }
    let has_ticket = ticket(practice.address, &device.token).await.status == 200;
    let mut guest = match has_ticket {
        true => Some(Guest::of(practice, &address("here", person)).await),
        false => None,
    };
    let mut said = Vec::new();
    for section in page {
        for whose in [Whose::Own, Whose::Others, Whose::OtherClinic] {
            let id = reading[&(section.kind, whose, State::Open)];
            let path = format!("/api/v1/documents/{id}");
            let answer = http::get(practice.address, &path, &[("authorization", &bearer)]).await;
            let by_http = match answer.status.as_u16() {
                200 => true,
                404 => false,
                other => panic!("{other}: {:?}", answer.body),
            };
            let by_guest = match &mut guest {
                Some(guest) => {
                    guest.request(id).await;
                    guest
                        .until("an answer", |guest| {
                            guest.has(id) || guest.unavailable.contains(&name(id))
                        })
                        .await;
                    guest.has(id)
                }
                None => false,
            };
            // What other programs write comes the same way: a field on which nothing but the role decides.
            let plain = |row: &&page::FieldRow| {
                let is_text = section.kind.texts().contains(&row.fields.as_str());
                row.conditions.is_empty() && !is_text && row.fields != "owners/*/*"
            };
            if let Some(row) = section.fields.iter().find(plain) {
                let taken = match &mut guest {
                    Some(guest) if by_guest => {
                        let entry = fresh_id(|id| id);
                        let key = clinic::field(&row.fields, entry);
                        guest.change(id, |tx| tx.put(ROOT, key, entry.to_string()).expect("put"));
                        guest.is_taken(id).await
                    }
                    _ => false,
                };
                said.push(Said {
                    case: Case {
                        who,
                        kind: section.kind,
                        whose,
                        verb: Verb::Write,
                        row: Some(row.clone()),
                    },
                    verdicts: vec![("automerge-repo", taken)],
                });
            }
            said.push(Said {
                case: Case {
                    who,
                    kind: section.kind,
                    whose,
                    verb: Verb::Read,
                    row: None,
                },
                verdicts: vec![
                    ("socket", by_socket.contains(&id)),
                    ("http", by_http),
                    ("automerge-repo", by_guest),
                ],
            });
        }
    }
    said
}

/// A rule that says something else on one side is found, and nothing but it.
#[test]
fn a_rule_that_one_side_has_otherwise_is_found() {
    let mut page = page::read();
    let clinic = fresh_id(ClinicId);
    let person = |roles: &[Role]| Hand {
        principal: Principal {
            account: fresh_id(AccountId),
            clinic,
            roles: roles.to_vec(),
            client: Some(OWN),
            name: String::new(),
        },
        actor: ActorId::from(random::<16>()),
    };
    let mut ids = Ids::default();
    let maker = person(EVERYTHING);
    let states = [State::Open, State::Blank, State::Full, State::Closed];
    let (mut records, _) = prepare(
        &page,
        clinic,
        &[Whose::Own, Whose::Others],
        &states,
        &maker,
        &mut ids,
    );
    witness(&mut records, &person(EVERYTHING));
    let (foreign, _) = prepare(
        &page,
        fresh_id(ClinicId),
        &[Whose::OtherClinic],
        &states,
        &maker,
        &mut ids,
    );
    records.extend(foreign);
    let mut said = Vec::new();
    for (who, (_, roles)) in PEOPLE.iter().enumerate() {
        let mut records = records.clone();
        let attempts = attempts(&page, who, &mut records, &person(roles), &maker, &mut ids);
        said.extend(attempts.into_iter().map(|attempt| Said {
            verdicts: vec![("device", attempt.by_device)],
            case: attempt.case,
        }));
    }
    assert_eq!(differences(&page, &said), [""; 0]);

    let visit = page.iter_mut().find(|section| section.kind == Kind::Visit);
    let assessment = visit
        .and_then(|visit| visit.fields.iter_mut().find(|row| row.fields == "assessment"))
        .expect("on the page");
    assessment.roles.push(Role::Technician);
    let found = differences(&page, &said);
    // The technician and the owner who is one, on a visit of each client.
    assert_eq!(found.len(), 4, "{found:#?}");
    let expected = "Write visit assessment";
    assert!(found.iter().all(|case| case.contains(expected)), "{found:#?}");
}
