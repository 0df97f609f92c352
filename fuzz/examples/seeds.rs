//! Writes the seeds of the corpus: what a real morning sends.
//!
//! `cargo run -p fuzz --example seeds`

#![allow(
    clippy::expect_used,
    reason = "a seed that cannot be made ends with its reason"
)]

use automerge::ActorId;
use fuzz::{CLINIC, DOCUMENT, NOW, VET, vet};
use shared_model::SCHEMA_VERSION;
use shared_model::clinical::VitalSign;
use shared_model::commands::{
    Command, RecordVitals, RegisterClient, RegisterPatient, StartVisit, WriteInSection,
};
use shared_model::documents::{Document, Kind, PROJECTION_VERSION, Section, Sex, Species, Stamp, project};
use shared_model::ids::{ClientId, DeviceId, PatientId, PhoneId, VisitId};
use shared_model::permissions::Feed;
use shared_model::protocol::{
    self, Accepted, ClientMessage, Content, Cursor, Entry, Goodbye, Hello, Page, Push, PushItem, Refusal,
    RefusalCode, ServerMessage, Welcome,
};
use std::fs;
use std::path::Path;
use uuid::Uuid;

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a file");
}

fn play(kind: Kind, commands: Vec<Command>) -> Document {
    let mut document = Document::genesis(kind, CLINIC, DOCUMENT);
    let stamp = Stamp {
        now: NOW,
        actor: ActorId::from([5; 16]),
        account: VET,
    };
    for mut command in commands {
        if let Command::WriteInSection(edit) = &mut command {
            edit.seen = document.heads().iter().map(|hash| hash.0).collect();
        }
        command.write(&mut document, &stamp).expect("a valid command");
    }
    document
}

fn documents() -> Vec<(&'static str, Document)> {
    let client = RegisterClient {
        client: ClientId::from(DOCUMENT),
        given_name: "Šárka".to_owned(),
        family_name: "Horáčková".to_owned(),
        phone: Some((PhoneId(Uuid::from_u128(3)), "+420 700 100 200".to_owned())),
        email: None,
        address: "Lipová 4".to_owned(),
        preferred_channel: None,
    };
    let patient = RegisterPatient {
        patient: PatientId::from(DOCUMENT),
        owner: ClientId(Uuid::from_u128(4)),
        name: "Rex".to_owned(),
        species: Species::Dog,
        breed: "Border Collie".to_owned(),
        colour: "tricolour".to_owned(),
        sex: Sex::Male,
        neutered: Some(true),
        born: None,
        microchip: "203164000000001".to_owned(),
    };
    let visit = VisitId::from(DOCUMENT);
    let start = StartVisit {
        visit,
        appointment: None,
        patient: PatientId(Uuid::from_u128(6)),
        vet: VET,
        reason: "Limping".to_owned(),
    };
    let vitals = RecordVitals {
        visit,
        set: visit.vitals(),
        readings: vec![(VitalSign::HeartRate, "96".to_owned())],
        mucous_membranes: None,
    };
    let words = |at: usize, delete: usize, insert: &str| WriteInSection {
        visit,
        section: Section::History,
        seen: Vec::new(),
        at,
        delete,
        insert: insert.to_owned(),
    };
    vec![
        ("client", play(Kind::Client, vec![client.into()])),
        ("patient", play(Kind::Patient, vec![patient.into()])),
        (
            "visit",
            play(
                Kind::Visit,
                vec![
                    start.into(),
                    vitals.into(),
                    words(0, 0, "Limps on the left. ").into(),
                    words(5, 3, "since Friday 🐕 ").into(),
                ],
            ),
        ),
    ]
}

fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| {
            let length = u16::try_from(frame.len()).expect("a short frame");
            [length.to_be_bytes().as_slice(), frame].concat()
        })
        .collect()
}

fn main() {
    let cursor = Cursor {
        feed: Feed::Staff,
        number: 7,
        bootstrap: None,
    };
    let hello = ClientMessage::Hello(Hello {
        protocol: 1,
        schema_version: SCHEMA_VERSION,
        token: "a token".to_owned(),
        device: DeviceId(Uuid::from_u128(5)),
        actor: vec![5; 16].into(),
        cursors: vec![cursor.clone()],
        signing_key: [5; 32].into(),
    });
    write("frames", "hello", &protocol::encode(&hello));
    write("frames", "ping", &protocol::encode(&ClientMessage::Ping));
    write(
        "frames",
        "want",
        &protocol::encode(&ClientMessage::Want(DOCUMENT)),
    );
    let welcome = ServerMessage::Welcome(Welcome {
        principal: vet(),
        heads: vec![(Feed::Staff, 9)],
        server_time: NOW,
    });
    write("frames", "welcome", &protocol::encode(&welcome));
    let goodbye = ServerMessage::Goodbye(Goodbye::Later);
    write("frames", "goodbye", &protocol::encode(&goodbye));
    for (name, document) in documents() {
        write("documents", name, &document.save());
        let genesis = Document::genesis(document.kind, CLINIC, DOCUMENT);
        let changes: Vec<Vec<u8>> = document
            .changes_since(&genesis.heads())
            .iter()
            .map(|change| change.raw_bytes().to_vec())
            .collect();
        let mut grown = genesis.save();
        changes.iter().for_each(|change| grown.extend(change));
        write("documents", &format!("{name}-grown"), &grown);
        let push = |number: u64, changes: &[Vec<u8>]| {
            protocol::encode(&ClientMessage::Push(Push {
                number,
                items: vec![PushItem {
                    kind: document.kind,
                    document: DOCUMENT,
                    schema_version: SCHEMA_VERSION,
                    changes: changes.iter().cloned().map(Into::into).collect(),
                    signatures: Vec::new(),
                }],
            }))
        };
        write("frames", &format!("push-{name}"), &push(1, &changes));
        write("pushes", name, &framed(&[push(1, &changes)]));
        let singly: Vec<Vec<u8>> = changes
            .iter()
            .enumerate()
            .map(|(number, change)| push(number as u64, std::slice::from_ref(change)))
            .collect();
        write("pushes", &format!("{name}-singly"), &framed(&singly));
        let entry = |content| Entry {
            kind: document.kind,
            document: DOCUMENT,
            schema_version: SCHEMA_VERSION,
            content,
        };
        let page = |number: u64, entries: &[Entry], plain: bool| {
            let body = if plain {
                // As a body begins that is not deflated.
                [&[0], &protocol::encode(&entries)[..]].concat()
            } else {
                protocol::pack(entries)
            };
            protocol::encode(&ServerMessage::Page(Page {
                number,
                cursor: cursor.clone(),
                body: body.into(),
            }))
        };
        let snapshot = entry(Content::Snapshot {
            bytes: document.save().into(),
            projection_version: PROJECTION_VERSION,
            projection: project(&document),
        });
        let old_rows = entry(Content::Snapshot {
            bytes: document.save().into(),
            projection_version: 0,
            projection: project(&document),
        });
        let steps = entry(Content::Changes(
            changes.iter().cloned().map(Into::into).collect(),
        ));
        write(
            "frames",
            &format!("page-{name}"),
            &page(1, std::slice::from_ref(&snapshot), false),
        );
        write(
            "device",
            name,
            &framed(&[page(1, std::slice::from_ref(&old_rows), true)]),
        );
        write(
            "device",
            &format!("{name}-steps"),
            &framed(&[page(1, std::slice::from_ref(&steps), true)]),
        );
        write(
            "device",
            &format!("{name}-revoked"),
            &framed(&[
                page(1, &[old_rows], true),
                page(2, &[entry(Content::Revoked)], true),
            ]),
        );
        let refused = ServerMessage::Accepted(Accepted {
            push: 0,
            refused: vec![Refusal {
                document: DOCUMENT,
                change: vec![1; 32].into(),
                code: RefusalCode::NotPermitted,
                reason: "no".to_owned(),
            }],
            server_time: NOW,
        });
        write(
            "device",
            &format!("{name}-refused"),
            &framed(&[protocol::encode(&refused)]),
        );
    }
}
