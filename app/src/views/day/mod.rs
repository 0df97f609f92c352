//! The day: who comes when and to whom, who waits, and where two want one time.
//!
//! Invariant: the page draws what the view says; what is being moved is the only thing it knows better, until dropped.

mod act;
mod agenda;
mod appointment;
mod card;
mod clock;
mod grid;
mod moving;
mod place;
mod print;
mod side;
mod stage;

use crate::components::OpenDialog;
use crate::components::{
    Alert, Drawer, DrawerButton, Tint, icon, use_clinic, use_dialogs, use_page_key, use_title, use_today,
};
use crate::host::{self, use_query};
use crate::route::Route;
use crate::text;
use crate::views::receipt::use_as_of;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdChevronLeft, LdChevronRight, LdClock, LdMoonStar, LdPlus, LdPrinter,
};
use jiff::civil::Date;
use local_core::query::{DayItem, DayView, Stage};
use local_core::{Query, View};
use shared_model::documents::Kind;
use shared_model::ids::AppointmentId;
use shared_model::permissions::{Principal, may_create};
use shared_model::time::Timestamp;

use agenda::Agenda;
use appointment::AppointmentDialog;
use clock::use_minute;
use grid::Grid;
use moving::{MoveBar, Mover, use_mover};
use print::DaySheet;
use side::Side;

/// What the parts of the page share.
#[derive(Clone, Copy, PartialEq)]
struct Page {
    view: Memo<Option<DayView>>,
    /// The appointment whose dialog is open.
    opened: Signal<Option<AppointmentId>>,
    minute: ReadSignal<Timestamp>,
    mover: Mover,
    /// May who is signed in begin a visit?
    starts_visits: Memo<bool>,
}

impl Page {
    fn item(self, id: AppointmentId) -> Option<DayItem> {
        let view = self.view.read();
        view.as_ref()?.items.iter().find(|item| item.id == id).cloned()
    }
}

fn use_page() -> Page {
    use_context::<Page>()
}

/// `None` is today, also after midnight.
#[component]
pub(crate) fn DayPage(date: Option<Date>) -> Element {
    let answer = use_query(Query::Day(date));
    let view = use_memo(move || match &*answer.read() {
        Some(View::Day(view)) => Some(view.clone()),
        _ => None,
    });
    let clinic = use_clinic();
    let minute = use_minute();
    use_title(text::nav_day());
    let starts_visits = use_memo(move || {
        let me = clinic.read().as_ref().and_then(|clinic| clinic.me.clone());
        me.is_some_and(|me: Principal| may_create(&me, Kind::Visit).is_ok())
    });
    let mover = use_mover(view);
    let page = use_context_provider(|| Page {
        view,
        opened: Signal::new(None),
        minute,
        mover,
        starts_visits,
    });
    if view.read().is_none() {
        return rsx! {
            div { class: "page", "aria-busy": "true",
                p { class: "sub", {text::day_opening()} }
            }
        };
    }
    rsx! {
        div { class: "work work--end",
            div { class: "work__main",
                div {
                    class: "day",
                    onpointermove: move |event| mover.pointer_moved(&event),
                    onpointerup: move |_| mover.pointer_up(),
                    onkeydown: move |event| mover.key(&event),
                    Head {}
                    MoveBar {}
                    Notice {}
                    Grid {}
                    Agenda {}
                    BookHere {}
                }
            }
            Side {}
        }
        DaySheet {}
        if let Some(item) = page.opened.read().and_then(|id| page.item(id)) {
            AppointmentDialog { key: "{item.id}", item }
        }
    }
}

const BEFORE_ID: &str = "day-before";
const TODAY_ID: &str = "day-today";
const AFTER_ID: &str = "day-after";

/// Today and any other day are pages of their own: the button that was pressed is drawn anew, and gets the focus again.
fn keep_focus(id: &'static str) {
    dioxus::core::spawn_forever(async move {
        host::sleep(50).await;
        host::focus(id);
    });
}

#[component]
fn Head() -> Element {
    let page = use_page();
    let today = use_today();
    let navigator = use_navigator();
    let as_of = use_as_of();
    let view = page.view.read();
    let Some(view) = view.as_ref() else {
        return VNode::empty();
    };
    let date = view.date;
    let go = move |to: Option<Date>| {
        if let Some(to) = to {
            let route = if to == today {
                Route::Day {}
            } else {
                Route::DayOn { date: to }
            };
            navigator.push(route);
        }
    };
    let before = move || {
        go(date.yesterday().ok());
        keep_focus(BEFORE_ID);
    };
    let after = move || {
        go(date.tomorrow().ok());
        keep_focus(AFTER_ID);
    };
    use_page_key("t", text::go_to_today(), move |()| go(Some(today)));
    let waiting = view
        .items
        .iter()
        .filter(|item| item.stage == Stage::Waiting)
        .count();
    rsx! {
        div { class: "day__head",
            h1 { {text::date_long(date, today)} }
            span { class: "pill", {summary(view)} }
            if let Some(as_of) = as_of {
                span { class: "faint", role: "status", {as_of} }
            }
            div { class: "push",
                button {
                    id: BEFORE_ID,
                    class: "btn btn--sm btn--icon",
                    r#type: "button",
                    "aria-label": text::day_before(),
                    onclick: move |_| before(),
                    {icon(LdChevronLeft)}
                }
                button {
                    id: TODAY_ID,
                    class: "btn btn--sm",
                    r#type: "button",
                    "aria-keyshortcuts": "T",
                    onclick: move |_| {
                        go(Some(today));
                        keep_focus(TODAY_ID);
                    },
                    {text::today()}
                    " "
                    kbd { "T" }
                }
                button {
                    id: AFTER_ID,
                    class: "btn btn--sm btn--icon",
                    r#type: "button",
                    "aria-label": text::day_after(),
                    onclick: move |_| after(),
                    {icon(LdChevronRight)}
                }
                button {
                    class: "btn btn--sm btn--icon day__view",
                    r#type: "button",
                    "aria-label": text::print_day(),
                    title: text::print_day(),
                    onclick: move |_| host::print_page(),
                    {icon(LdPrinter)}
                }
                DrawerButton { drawer: Drawer::Side,
                    {icon(LdClock)}
                    {text::waiting_count(i64::try_from(waiting).unwrap_or(0))}
                }
            }
        }
    }
}

/// "46 booked · 9 done · 1 clash".
fn summary(view: &DayView) -> String {
    if view.booked == 0 {
        return text::nothing_booked_yet().to_owned();
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut parts = vec![text::booked_count(count(view.booked))];
    if view.done > 0 {
        parts.push(text::done_count(count(view.done)));
    }
    if !view.clashes.is_empty() {
        parts.push(text::clash_count(count(view.clashes.len())));
    }
    parts.join(" · ")
}

/// A closed day, or nobody to book with: a sentence above the grid.
#[component]
fn Notice() -> Element {
    let page = use_page();
    let today = use_today();
    let view = page.view.read();
    let Some(view) = view.as_ref() else {
        return VNode::empty();
    };
    let (title, words) = if view.columns.is_empty() {
        (text::nobody_bookable(), text::nobody_bookable_text().to_owned())
    } else if view.hours.is_none() {
        let date = text::date_long(view.date, today);
        (text::closed_day(), text::closed_day_text(date))
    } else {
        return VNode::empty();
    };
    rsx! {
        div { class: "day__notice",
            Alert { tone: Tint::Warn, icon: icon(LdMoonStar), title, text: words, line: true }
        }
    }
}

/// On a phone the button floats.
#[component]
fn BookHere() -> Element {
    let dialogs = use_dialogs();
    rsx! {
        button {
            class: "btn btn--primary fab",
            r#type: "button",
            onclick: move |_| dialogs.open(OpenDialog::BOOK),
            {icon(LdPlus)}
            {text::book()}
        }
    }
}
