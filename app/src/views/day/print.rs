//! The day on paper: a table per person, with a box to tick.

use crate::components::{use_clinic, use_today, use_zone};
use crate::text;
use dioxus::prelude::*;
use local_core::query::Stage;

use super::stage::{sub, title};
use super::use_page;

#[component]
pub(super) fn DaySheet() -> Element {
    let page = use_page();
    let clinic = use_clinic();
    let zone = use_zone();
    let today = use_today();
    let view = page.view.read();
    let clinic = clinic.read();
    let (Some(view), Some(clinic)) = (view.as_ref(), clinic.as_ref()) else {
        return VNode::empty();
    };
    let printed = (page.minute)();
    let by = clinic.me.as_ref().map(|me| me.name.clone()).unwrap_or_default();
    let booked = text::booked_count(i64::try_from(view.booked).unwrap_or(0));
    rsx! {
        article { class: "print-sheet",
            header { class: "print-sheet__head",
                div {
                    h1 { {text::date_long(view.date, today)} }
                    p { {text::printed_by(booked, by, text::moment(printed, today, &zone))} }
                }
                address { class: "print-sheet__clinic",
                    b { {clinic.profile.name.clone()} }
                    br {}
                    {clinic.profile.address.clone()}
                    br {}
                    {clinic.profile.phone.clone()}
                }
            }
            for (index , column) in view.columns.iter().enumerate().filter(|(_, column)| column.count > 0) {
                h2 { key: "{column.vet}", {column.name.clone()} }
                table { class: "print-table",
                    thead {
                        tr {
                            th { span { class: "visually-hidden", {text::done_box()} } }
                            th { {text::time_label()} }
                            th { {text::patient_label()} }
                            th { {text::why_label()} }
                            th { class: "num", {text::minutes_label()} }
                        }
                    }
                    tbody {
                        for item in view.items.iter().filter(|item| item.column == index && item.stage != Stage::Cancelled) {
                            tr { key: "{item.id}",
                                td { div { class: "print-box" } }
                                td { {text::clock(item.start_minute)} }
                                td { b { {title(item)} } }
                                td { {sub(item)} }
                                td { class: "num", "{item.minutes}" }
                            }
                        }
                    }
                }
            }
            footer { class: "print-sheet__foot", {text::personal_data()} }
        }
    }
}
