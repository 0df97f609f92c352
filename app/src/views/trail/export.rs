//! What is listed, and all that lies behind it, as a table for other programs.
//!
//! Invariant: a file is whole or there is none. What was fetched before the clinic could not be reached any more is not
//! fetched again.

use super::records;
use crate::components::{Alert, Tint, icon, use_page_key, use_toasts, use_zone};
use crate::host::{self, Call, CallTrouble, Host, use_host};
use crate::text;
use dioxus::core::Task;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCloudOff, LdDownload};
use jiff::tz::TimeZone;
use local_core::{Query, View};
use shared_model::ids::DocumentId;
use shared_model::time::Timestamp;
use shared_model::trail::{LONGEST_PAGE, TrailEntry, csv_cell};
use std::collections::BTreeMap;

/// How it stands.
#[derive(Clone, Debug, PartialEq)]
enum Export {
    Idle,
    /// So many lines are here.
    Fetching(usize),
    /// It goes on where it stopped.
    Stopped(CallTrouble),
}

/// What has come so far.
#[derive(Clone, Debug, Default, PartialEq)]
struct Table {
    entries: Vec<TrailEntry>,
    /// Where it goes on, if anything has come.
    next: Option<String>,
}

/// `query` may not change while the component lives.
#[component]
pub(super) fn ExportButton(query: String) -> Element {
    let (host, toasts, zone) = (use_host(), use_toasts(), use_zone());
    let mut export = use_signal(|| Export::Idle);
    let mut table = use_signal(Table::default);
    let mut running = use_signal(|| None::<Task>);
    let run = use_callback(move |()| {
        if matches!(*export.peek(), Export::Fetching(_)) {
            return;
        }
        let (query, zone) = (query.clone(), zone.clone());
        running.set(Some(spawn(async move {
            if let Err(why) = fetch(host, &query, table, export).await {
                return export.set(Export::Stopped(why));
            }
            let entries = std::mem::take(&mut *table.write()).entries;
            export.set(Export::Idle);
            toasts.say(save(host, &entries, &zone).await);
        })));
    });
    let stop = move |_| {
        if let Some(task) = running.take() {
            task.cancel();
        }
        table.set(Table::default());
        export.set(Export::Idle);
    };
    use_page_key("x", text::trail_export_what(), move |()| run.call(()));
    let is_fetching = matches!(*export.read(), Export::Fetching(_));
    rsx! {
        button {
            class: "btn",
            r#type: "button",
            "aria-keyshortcuts": "X",
            title: text::trail_export_what(),
            "aria-disabled": is_fetching.then_some("true"),
            onclick: move |_| run.call(()),
            {icon(LdDownload)}
            {text::trail_export()}
            " "
            kbd { "X" }
        }
        div { class: "trail__export", role: "status",
            match &*export.read() {
                Export::Idle => VNode::empty(),
                Export::Fetching(count) => rsx! {
                    span { {text::trail_exporting(plural(*count), text::number(*count as u64))} }
                    button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: stop, {text::trail_export_stop()} }
                },
                Export::Stopped(why) => rsx! {
                    Alert { tone: Tint::Warn, icon: icon(LdCloudOff), title: text::trail_export_failed(), text: text::call_trouble_line(why), line: true,
                        button { class: "btn btn--sm", r#type: "button", onclick: move |_| run.call(()), {text::trail_export_on()} }
                    }
                },
            }
        }
    }
}

fn plural(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Fetches what is not here yet, and says how much is.
async fn fetch(
    host: Host,
    query: &str,
    mut table: Signal<Table>,
    mut export: Signal<Export>,
) -> Result<(), CallTrouble> {
    loop {
        export.set(Export::Fetching(table.peek().entries.len()));
        let from = table.peek().next.clone();
        let call = Call::earlier_trail(query, from.as_deref(), LONGEST_PAGE);
        let page = host.call(call).await?;
        let mut table = table.write();
        table.entries.extend(page.entries);
        table.next = page.next;
        if table.next.is_none() {
            return Ok(());
        }
    }
}

/// What is said of it then.
async fn save(host: Host, entries: &[TrailEntry], zone: &TimeZone) -> String {
    if entries.is_empty() {
        return text::trail_export_nothing().to_owned();
    }
    let names = names(host, entries).await;
    let today = host::now().date_in(zone);
    let name = format!("{}-{today}.csv", text::trail_file_name());
    // Spreadsheets take a text for that of an old computer unless it begins so.
    let table = format!("\u{feff}{}", csv(entries, &names, zone));
    if host::save_text(&name, &table) {
        text::trail_exported(plural(entries.len()), text::number(entries.len() as u64))
    } else {
        text::trail_export_not_saved().to_owned()
    }
}

type Names = BTreeMap<DocumentId, String>;

/// Whom the records are about, as far as they are on this device.
async fn names(host: Host, entries: &[TrailEntry]) -> Names {
    let watched = host.watch(Query::Records(records(entries)));
    // The device answers at once; a table with kinds in place of names is better than none.
    const LOOK: u32 = 20;
    let mut names = Names::new();
    for _ in 0..2_000 / LOOK {
        host::sleep(LOOK).await;
        if let Some(View::Records(found)) = &*watched.view.peek() {
            names.extend(found.iter().cloned());
            break;
        }
    }
    host.unwatch(watched);
    names
}

fn csv(entries: &[TrailEntry], names: &Names, zone: &TimeZone) -> String {
    let head = [
        text::trail_csv_time(),
        text::trail_csv_until(),
        text::trail_csv_changes(),
        text::trail_csv_person(),
        text::trail_csv_what(),
        text::trail_csv_record(),
        text::trail_csv_kind(),
        text::trail_csv_device(),
        text::trail_csv_way(),
        text::trail_csv_person_id(),
        text::trail_csv_device_id(),
        text::trail_csv_record_id(),
        text::trail_csv_verb(),
        text::trail_csv_change(),
    ];
    let mut table = row(&head.map(str::to_owned));
    for entry in entries {
        table += &line(entry, names, zone);
    }
    table
}

fn line(entry: &TrailEntry, names: &Names, zone: &TimeZone) -> String {
    let about = entry.document.and_then(|record| names.get(&record));
    let about = about.map(String::as_str).unwrap_or_default();
    let moment = |at: Timestamp| format!("{} {}", at.date_in(zone), text::time_with_seconds(at, zone));
    row(&[
        moment(entry.at),
        entry.last_at.map(moment).unwrap_or_default(),
        entry.changes.unwrap_or(1).to_string(),
        text::trail_who(entry),
        text::trail_line(entry, about),
        about.to_owned(),
        entry
            .kind
            .map(text::kind_of_record)
            .unwrap_or_default()
            .to_owned(),
        entry.device_name.clone().unwrap_or_default(),
        text::trail_how(entry).unwrap_or_default(),
        entry.person.map(|id| id.to_string()).unwrap_or_default(),
        entry.device.map(|id| id.to_string()).unwrap_or_default(),
        entry.document.map(|id| id.to_string()).unwrap_or_default(),
        entry.verb.clone(),
        entry.change.clone().unwrap_or_default(),
    ])
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    cells.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::documents::Kind;
    use uuid::Uuid;

    #[test]
    fn a_table_says_what_the_screen_says() {
        let rex = DocumentId(Uuid::from_u128(7));
        let entry = TrailEntry {
            person_name: Some("Ana Novak".to_owned()),
            person: Some(shared_model::ids::AccountId(Uuid::from_u128(1))),
            document: Some(rex),
            kind: Some(Kind::Patient),
            device_name: Some("=cmd".to_owned()),
            ..TrailEntry::new(
                "1".to_owned(),
                Timestamp(1_795_435_200_000),
                "record_weight".to_owned(),
            )
        };
        let names = Names::from([(rex, "Rex".to_owned())]);
        let zone = TimeZone::get("Europe/Prague").expect("known");
        let table = csv(&[entry], &names, &zone);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("\"Time\",\"Until\",\"Changes\""), "{table}");
        assert!(
            lines[1].starts_with(
                "\"2026-11-23 13:00:00\",\"\",\"1\",\"Ana Novak\",\"Ana Novak recorded the weight of Rex\",\"Rex\",\
                 \"Patient\",\"'=cmd\""
            ),
            "{table}"
        );
        assert_eq!(lines.len(), 2);
    }
}
