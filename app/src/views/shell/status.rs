//! How the connection stands, in words: never more than what the clinic has acknowledged.

use crate::components::{PageLink, Pill, Popover, Tint, icon, use_clinic, use_minute, use_status, use_zone};
use crate::host::{self, Device, use_host, use_query};
use crate::route::Route;
use crate::text;
use crate::views::outbox::{OthersLine, grouped};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCircleCheck, LdClock, LdCloudDownload, LdCloudOff, LdCloudUpload, LdHardDrive, LdRefreshCw,
    LdTriangleAlert, LdUsers,
};
use jiff::tz::TimeZone;
use local_core::query::{Connection, OthersWork, StatusView};
use local_core::{Query, StorageTrouble, View};
use shared_model::time::Timestamp;

/// What the pill says, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PillState {
    NotSaving(StorageTrouble),
    Offline {
        since: Option<Timestamp>,
        waiting: u64,
    },
    /// The clinic and this device do not talk until somebody does something; a banner says what.
    Stopped {
        waiting: u64,
    },
    Connecting,
    /// The first records arrive.
    Receiving,
    Sending(u64),
    /// What waits builds on a colleague's work, which only the colleague can send.
    Held(u64),
    Attention(u64),
    Clinic(Timestamp),
}

impl PillState {
    fn of(status: &StatusView, now: Timestamp) -> Self {
        if let Some(trouble) = status.storage {
            return Self::NotSaving(trouble);
        }
        let waiting = status.waiting;
        match status.connection {
            Connection::SignedOut | Connection::NoFeeds | Connection::Stopped(_) => Self::Stopped { waiting },
            Connection::Connecting { since: None } if status.waiting == 0 => Self::Connecting,
            Connection::Connecting { since } | Connection::Offline { since } => {
                Self::Offline { since, waiting }
            }
            Connection::Online if waiting > status.held => Self::Sending(waiting - status.held),
            Connection::Online if status.first_sync.is_some() || status.catching_up => Self::Receiving,
            Connection::Online if status.needs_attention > 0 => Self::Attention(status.needs_attention),
            Connection::Online if waiting > 0 => Self::Held(waiting),
            Connection::Online => Self::Clinic(now),
        }
    }

    fn word(self) -> Option<&'static str> {
        match self {
            Self::NotSaving(_) => Some("full"),
            Self::Offline { .. } | Self::Stopped { .. } | Self::Held(_) => Some("offline"),
            Self::Connecting | Self::Receiving => None,
            Self::Sending(_) => Some("sending"),
            Self::Attention(_) => Some("attention"),
            Self::Clinic(_) => Some("clinic"),
        }
    }

    fn icon(self) -> Element {
        match self {
            Self::NotSaving(_) => icon(LdHardDrive),
            Self::Offline { .. } | Self::Stopped { .. } => icon(LdCloudOff),
            Self::Connecting => icon(LdRefreshCw),
            Self::Receiving => icon(LdCloudDownload),
            Self::Sending(_) => icon(LdCloudUpload),
            Self::Held(_) => icon(LdClock),
            Self::Attention(_) => icon(LdTriangleAlert),
            Self::Clinic(_) => icon(LdCircleCheck),
        }
    }

    fn words(self, zone: &TimeZone) -> String {
        match self {
            Self::NotSaving(StorageTrouble::Full) => text::status_disk_full().to_owned(),
            Self::NotSaving(_) => text::status_not_saving().to_owned(),
            Self::Offline { since, waiting } => {
                let offline = match since {
                    Some(since) => text::status_offline_since(text::time_of(since, zone)),
                    None => text::status_offline().to_owned(),
                };
                with_waiting(offline, waiting)
            }
            Self::Stopped { waiting } => with_waiting(text::status_not_connected().to_owned(), waiting),
            Self::Connecting => text::status_connecting().to_owned(),
            Self::Receiving => text::status_receiving().to_owned(),
            Self::Sending(waiting) => text::status_sending(waiting),
            Self::Held(waiting) => text::status_held(i64::try_from(waiting).unwrap_or(i64::MAX)),
            Self::Attention(_) => text::needs_attention().to_owned(),
            Self::Clinic(now) => text::status_at_clinic(text::time_of(now, zone)),
        }
    }

    /// What fits on a phone.
    fn short(self, zone: &TimeZone) -> String {
        match self {
            Self::NotSaving(_) => text::status_not_saving().to_owned(),
            Self::Offline { waiting, .. } | Self::Stopped { waiting } if waiting > 0 => {
                text::status_offline_short(waiting)
            }
            Self::Offline { .. } | Self::Stopped { .. } => text::status_offline().to_owned(),
            Self::Connecting => text::status_connecting_short().to_owned(),
            Self::Receiving => text::status_receiving().to_owned(),
            Self::Sending(waiting) => text::number(waiting),
            Self::Held(count) | Self::Attention(count) => text::number(count),
            Self::Clinic(now) => text::time_of(now, zone),
        }
    }

    /// What is read out when it changes: without the clock, which changes every minute.
    fn said(self) -> String {
        match self {
            Self::Clinic(_) => text::yours_at_clinic().to_owned(),
            Self::Offline { .. } => text::status_offline().to_owned(),
            Self::Sending(_) | Self::Connecting | Self::Receiving => String::new(),
            other => other.words(&TimeZone::UTC),
        }
    }
}

fn with_waiting(state: String, waiting: u64) -> String {
    if waiting == 0 {
        state
    } else {
        text::joined(state, saved_here(waiting))
    }
}

/// "4 saved on this tablet".
pub(crate) fn saved_here(waiting: u64) -> String {
    let count = text::number(waiting);
    match host::device() {
        Device::Computer => text::saved_on_computer(count),
        Device::Tablet => text::saved_on_tablet(count),
        Device::Phone => text::saved_on_phone(count),
    }
}

/// Where one's own work is, in a few words: never more than is true.
pub(crate) fn standing_of(status: &StatusView) -> String {
    if status.waiting > 0 {
        saved_here(status.waiting)
    } else if status.needs_attention > 0 {
        text::needs_attention_count(i64::try_from(status.needs_attention).unwrap_or(i64::MAX))
    } else if status.others.is_empty() {
        text::all_at_clinic().to_owned()
    } else {
        text::yours_at_clinic().to_owned()
    }
}

/// The pill alone, as the gallery shows it.
#[component]
pub(crate) fn StatusPill(state: PillState, zone: TimeZone) -> Element {
    rsx! {
        span { class: "status", "data-state": state.word(), PillFace { state, zone } }
    }
}

#[component]
fn PillFace(state: PillState, zone: TimeZone) -> Element {
    rsx! {
        {state.icon()}
        span { class: "status__words", {state.words(&zone)} }
        span { class: "status__short", "aria-hidden": "true", {state.short(&zone)} }
    }
}

/// The pill with what waits below it.
#[component]
pub(crate) fn Status() -> Element {
    let status = use_status();
    let minute = use_minute();
    let zone = use_zone();
    let state = status
        .read()
        .as_ref()
        .map(|status| PillState::of(status, minute()));
    let Some(state) = state else { return rsx! {} };
    rsx! {
        Popover {
            label: text::status_details(),
            class: "status",
            state: state.word(),
            button: rsx! {
                PillFace { state, zone }
            },
            Details {}
        }
        span { class: "visually-hidden", role: "status", {state.said()} }
    }
}

fn others_refused(other: &OthersWork) -> String {
    let count = i64::try_from(other.refused).unwrap_or(i64::MAX);
    let name = if other.name.is_empty() {
        text::somebody()
    } else {
        &other.name
    };
    text::others_refused(count, name)
}

/// So many lines; the rest is on the page.
const SHOWN: usize = 5;

#[component]
fn Details() -> Element {
    let host = use_host();
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let status = use_status();
    let clinic = use_clinic();
    let outbox = use_query(Query::Outbox);
    let status = status.read();
    let Some(status) = status.as_ref() else {
        return rsx! {};
    };
    let clinic = clinic.read();
    let clinic_name = clinic
        .as_ref()
        .map(|clinic| clinic.profile.name.clone())
        .unwrap_or_default();
    let lines = match &*outbox.read() {
        Some(View::Outbox(outbox)) => grouped(&outbox.waiting),
        _ => Vec::new(),
    };
    let online = status.connection == Connection::Online;
    let others = status.others.clone();
    let heard = status.last_heard.map(|at| text::moment(at, today, &zone));
    let title = standing_of(status);
    let more = lines.len().saturating_sub(SHOWN);
    rsx! {
        div { class: "popover__head",
            h2 { class: "popover__title", {title} }
            p { class: "sub",
                match (online, status.waiting, heard) {
                    (true, 0, _) if status.needs_attention > 0 => text::nothing_lost().to_owned(),
                    (true, 0, _) if others.is_empty() => text::everything_sent(clinic_name),
                    (true, 0, _) => text::yours_all_sent().to_owned(),
                    (true, waiting, _) if waiting > status.held => text::being_sent().to_owned(),
                    (true, ..) => text::held_why(i64::try_from(status.held).unwrap_or(i64::MAX)),
                    (false, _, Some(heard)) => text::last_heard(heard),
                    (false, _, None) => text::never_heard().to_owned(),
                }
            }
        }
        if !lines.is_empty() {
            ul { class: "list waiting-list",
                for line in lines.into_iter().take(SHOWN) {
                    li { key: "{line.seq}", class: "list__row",
                        div { class: "list__main",
                            div { class: "list__title", {text::change(&line.verb, line.kind, &line.about)} }
                            div { class: "list__sub list__sub--faint", {text::moment(line.made_at, today, &zone)} }
                        }
                        div { class: "list__end",
                            Pill { tone: Tint::Warn, small: true, icon: icon(LdClock), {text::waiting()} }
                        }
                    }
                }
            }
        }
        if !others.is_empty() {
            ul { class: "list waiting-list popover__others",
                for other in others.iter().filter(|other| other.waiting > 0) {
                    li { key: "{other.account}", class: "list__row",
                        {icon(LdUsers)}
                        OthersLine { other: other.clone() }
                    }
                }
                for other in others.iter().filter(|other| other.refused > 0) {
                    li { key: "{other.account}-refused", class: "list__row",
                        {icon(LdUsers)}
                        div { class: "list__main list__sub", {others_refused(other)} }
                    }
                }
            }
        }
        if !online || status.waiting + status.needs_attention > 0 || others.iter().any(|other| other.refused > 0) {
            div { class: "popover__foot",
                if !online {
                    p { {text::sent_when_reached()} }
                }
                div { class: "row row--wrap",
                    if !online {
                        button { class: "btn btn--sm", r#type: "button", onclick: move |_| host.network_hint(),
                            {icon(LdRefreshCw)}
                            {text::try_now()}
                        }
                    }
                    if status.waiting > 0 {
                        PageLink { to: Route::Waiting {}, class: "btn btn--sm btn--quiet",
                            if more > 0 {
                                {text::show_all_waiting(text::number(status.waiting))}
                            } else {
                                {text::what_waits()}
                            }
                        }
                    }
                    if status.needs_attention > 0 {
                        PageLink { to: Route::NeedsAttention {}, class: "btn btn--sm btn--quiet",
                            {text::needs_attention_count(i64::try_from(status.needs_attention).unwrap_or(i64::MAX))}
                        }
                    } else if others.iter().any(|other| other.refused > 0) {
                        PageLink { to: Route::NeedsAttention {}, class: "btn btn--sm btn--quiet", {text::needs_attention()} }
                    }
                }
            }
        }
    }
}
