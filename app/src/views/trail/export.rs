//! What is listed, and all that lies behind it, as a table for other programs.
//!
//! Invariants: a file is whole or there is none; no more of it is in memory than a page. What was fetched before the clinic
//! could not be reached any more is not fetched again.

use super::Wanted;
use super::about::records;
use crate::components::{Alert, Tint, icon, use_page_key, use_toasts, use_today, use_zone};
use crate::host::{self, Call, CallTrouble, Host, TextFile, use_host};
use crate::text;
use dioxus::core::Task;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCloudOff, LdDownload};
use futures_util::future::{Either, select};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use local_core::{Query, View};
use shared_model::ids::DocumentId;
use shared_model::time::Timestamp;
use shared_model::trail::{LONGEST_PAGE, TrailEntry, TrailPage, csv_cell};
use std::collections::BTreeMap;
use std::pin::pin;

/// How it stands.
#[derive(Clone, Debug, PartialEq)]
enum Export {
    Idle,
    /// So many lines are in the file.
    Fetching(usize),
    /// The same while the clinic has it wait.
    Slowed(usize),
    Stopped(Obstacle),
}

/// Why it stopped.
#[derive(Clone, Debug, PartialEq)]
enum Obstacle {
    /// It goes on where it stopped.
    Clinic(CallTrouble),
    /// The device's records do not answer; it goes on too.
    Names,
    /// It has to begin anew.
    File,
}

impl Obstacle {
    fn words(&self) -> String {
        match self {
            Self::Clinic(why) => text::call_trouble_line(why),
            Self::Names => text::trail_export_no_names().to_owned(),
            Self::File => text::trail_export_not_saved().to_owned(),
        }
    }
}

/// A table that is being made.
struct Table {
    /// What it is of: when it was begun, today was another day perhaps.
    query: String,
    zone: TimeZone,
    file: TextFile,
    lines: usize,
    /// Where it goes on, if anything has come.
    next: Option<String>,
}

impl Table {
    fn begin(wanted: Wanted, today: Date, zone: TimeZone) -> Option<Self> {
        let mut file = TextFile::begin(&format!("{}-{today}.csv", text::trail_file_name()))?;
        // Spreadsheets take a text for that of an old computer unless it begins so.
        file.add(&format!("\u{feff}{}", head())).then(|| Self {
            query: wanted.query(today, &zone),
            zone,
            file,
            lines: 0,
            next: None,
        })
    }

    /// False if the file takes no more.
    fn add(&mut self, page: TrailPage, names: &Names) -> bool {
        self.lines += page.entries.len();
        self.next = page.next;
        self.file.add(&rows(&page.entries, names, &self.zone))
    }
}

/// `wanted` may not change while the component lives.
#[component]
pub(super) fn ExportButton(wanted: Wanted) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let (today, zone) = (use_today(), use_zone());
    let mut export = use_signal(|| Export::Idle);
    let mut table = use_signal(|| None::<Table>);
    let mut running = use_signal(|| None::<Task>);
    let run = use_callback(move |()| {
        if matches!(*export.peek(), Export::Fetching(_) | Export::Slowed(_)) {
            return;
        }
        let zone = zone.clone();
        running.set(Some(spawn(async move {
            let begun = table.take();
            let mut begun = match begun.or_else(|| Table::begin(wanted, today, zone)) {
                Some(table) => table,
                None => return export.set(Export::Stopped(Obstacle::File)),
            };
            match fetch(host, &mut begun, export).await {
                Ok(()) => {
                    export.set(Export::Idle);
                    toasts.say(save(begun));
                }
                Err(why) => {
                    if why != Obstacle::File {
                        table.set(Some(begun));
                    }
                    // It is said at the head of the page; who exports with the key may be far from there.
                    toasts.say(text::trail_export_failed());
                    export.set(Export::Stopped(why));
                }
            }
        })));
    });
    let stop = move |_| {
        if let Some(task) = running.take() {
            task.cancel();
        }
        export.set(Export::Idle);
    };
    use_page_key("x", text::trail_export_what(), move |()| run.call(()));
    let export = export.read();
    let is_fetching = matches!(*export, Export::Fetching(_) | Export::Slowed(_));
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
            match &*export {
                Export::Idle => VNode::empty(),
                Export::Fetching(count) | Export::Slowed(count) => {
                    let lines = text::number(*count as u64);
                    let words = match &*export {
                        Export::Slowed(_) => text::trail_export_slowed(lines),
                        _ => text::trail_exporting(plural(*count), lines),
                    };
                    rsx! {
                        span { {words} }
                        button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: stop, {text::trail_export_stop()} }
                    }
                }
                Export::Stopped(why) => {
                    let again = match why {
                        Obstacle::File => text::try_again(),
                        Obstacle::Clinic(_) | Obstacle::Names => text::trail_export_on(),
                    };
                    rsx! {
                        Alert { tone: Tint::Warn, icon: icon(LdCloudOff), title: text::trail_export_failed(), text: why.words(), line: true,
                            button { class: "btn btn--sm", r#type: "button", onclick: move |_| run.call(()), {again} }
                        }
                    }
                }
            }
        }
    }
}

fn plural(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Fetches what is not in the table yet, page by page, and says how much is.
async fn fetch(host: Host, table: &mut Table, mut export: Signal<Export>) -> Result<(), Obstacle> {
    loop {
        export.set(Export::Fetching(table.lines));
        let call = Call::earlier_trail(&table.query, table.next.as_deref(), LONGEST_PAGE);
        let page = match host.call(call).await {
            Ok(page) => page,
            Err(CallTrouble::SlowDown(seconds)) => {
                export.set(Export::Slowed(table.lines));
                host::sleep(u32::try_from(seconds.saturating_mul(1_000)).unwrap_or(u32::MAX)).await;
                continue;
            }
            Err(why) => return Err(Obstacle::Clinic(why)),
        };
        let names = names(host, &page.entries).await.ok_or(Obstacle::Names)?;
        if !table.add(page, &names) {
            return Err(Obstacle::File);
        }
        if table.next.is_none() {
            return Ok(());
        }
    }
}

/// What is said of it then.
fn save(table: Table) -> String {
    let lines = table.lines;
    if lines == 0 {
        text::trail_export_nothing().to_owned()
    } else if table.file.save() {
        text::trail_exported(plural(lines), text::number(lines as u64))
    } else {
        text::trail_export_not_saved().to_owned()
    }
}

type Names = BTreeMap<DocumentId, String>;

/// Whom the records of a page are about, as far as they are on this device. `None` if its records do not answer.
async fn names(host: Host, entries: &[TrailEntry]) -> Option<Names> {
    const PATIENCE_MS: u32 = 30_000;
    let records = records(entries);
    if records.is_empty() {
        return Some(Names::new());
    }
    let look = pin!(host.look(Query::Records(records)));
    let patience = pin!(host::sleep(PATIENCE_MS));
    match select(look, patience).await {
        Either::Left((Some(View::Records(found)), _)) => {
            Some(found.into_iter().map(|record| (record.id, record.name)).collect())
        }
        Either::Left(_) | Either::Right(_) => None,
    }
}

fn head() -> String {
    let head = [
        text::trail_csv_time(),
        text::trail_csv_until(),
        text::trail_csv_offset(),
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
    row(&head.map(str::to_owned))
}

fn rows(entries: &[TrailEntry], names: &Names, zone: &TimeZone) -> String {
    entries.iter().map(|entry| line(entry, names, zone)).collect()
}

fn line(entry: &TrailEntry, names: &Names, zone: &TimeZone) -> String {
    let about = entry.document.and_then(|record| names.get(&record));
    let about = about.map(String::as_str).unwrap_or_default();
    let moment = |at: Timestamp| format!("{} {}", at.date_in(zone), text::time_with_seconds(at, zone));
    row(&[
        moment(entry.at),
        entry.last_at.map(moment).unwrap_or_default(),
        format!("UTC{}", entry.at.in_zone(zone).offset()),
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
        let table = head() + &rows(&[entry], &names, &zone);
        let lines: Vec<&str> = table.lines().collect();
        assert!(
            lines[0].starts_with("\"Time\",\"Until\",\"UTC offset\",\"Changes\""),
            "{table}"
        );
        assert!(
            lines[1].starts_with(
                "\"2026-11-23 13:00:00\",\"\",\"UTC+01\",\"1\",\"Ana Novak\",\"Ana Novak recorded the weight of Rex\",\"Rex\",\
                 \"Patient\",\"'=cmd\""
            ),
            "{table}"
        );
        assert_eq!(lines.len(), 2);
    }
}
