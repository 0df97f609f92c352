//! How far an appointment is, as a word, an icon and the attribute that the stylesheet knows.

use crate::components::icon;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdBan, LdCheck, LdCircleDashed, LdClock, LdReceiptText, LdStethoscope, LdTriangleAlert, LdUserX,
};
use local_core::query::{DayItem, Stage};
use shared_model::time::Timestamp;

/// The stage at this moment: somebody becomes late without anything being written.
pub(super) fn stage_now(item: &DayItem, now: Timestamp) -> Stage {
    match item.stage {
        Stage::Expected if now.minutes_since(item.start) > 10 => Stage::Late,
        stage => stage,
    }
}

pub(super) fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Expected => text::stage_expected(),
        Stage::Late => text::stage_late(),
        Stage::Waiting => text::stage_waiting(),
        Stage::InRoom => text::stage_in_room(),
        Stage::Ready => text::stage_ready(),
        Stage::Departed => text::stage_departed(),
        Stage::Cancelled => text::stage_cancelled(),
    }
}

/// The value of `data-status`.
pub(super) fn status(item: &DayItem, stage: Stage) -> &'static str {
    match stage {
        _ if item.clash => "clash",
        Stage::Expected => "booked",
        Stage::Late => "late",
        Stage::Waiting => "wait",
        Stage::InRoom => "exam",
        Stage::Ready => "bill",
        Stage::Departed => "done",
        Stage::Cancelled => "cancelled",
    }
}

pub(super) fn status_icon(item: &DayItem, stage: Stage) -> Element {
    if item.clash || !item.rival_slots.is_empty() {
        return icon(LdTriangleAlert);
    }
    stage_icon(stage)
}

pub(super) fn stage_icon(stage: Stage) -> Element {
    match stage {
        Stage::Expected => icon(LdCircleDashed),
        Stage::Late => icon(LdUserX),
        Stage::Waiting => icon(LdClock),
        Stage::InRoom => icon(LdStethoscope),
        Stage::Ready => icon(LdReceiptText),
        Stage::Departed => icon(LdCheck),
        Stage::Cancelled => icon(LdBan),
    }
}

/// "Rex", or what the type is called where the animal is not known.
pub(super) fn title(item: &DayItem) -> String {
    if item.patient_name.is_empty() {
        item.type_name.clone()
    } else {
        item.patient_name.clone()
    }
}

/// "Vomiting since night · Petra Novak".
pub(super) fn sub(item: &DayItem) -> String {
    let reason = if item.reason.is_empty() {
        &item.type_name
    } else {
        &item.reason
    };
    [reason.as_str(), item.client_name.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

/// "10:20, 30 minutes, waiting, Consultation: ", for those who hear the card instead of seeing it.
pub(super) fn spoken(item: &DayItem, stage: Stage) -> String {
    let mut words = text::card_spoken(
        text::clock(item.start_minute),
        item.minutes,
        stage_word(stage),
        &item.type_name,
    );
    if item.clash {
        words.push_str(", ");
        words.push_str(text::card_spoken_clash());
    }
    words.push_str(": ");
    words
}

pub(super) fn end_minute(item: &DayItem) -> i16 {
    item.start_minute.saturating_add(length(item.minutes))
}

pub(super) fn length(minutes: u16) -> i16 {
    i16::try_from(minutes).unwrap_or(24 * 60)
}
