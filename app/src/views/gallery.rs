//! Every part in every state, for whoever works on the looks.

use crate::components::{
    Alert, Avatar, Badge, ComboOption, Combobox, Dialog, EmptyState, FieldKind, Menu, MenuButton, MenuItem,
    PasswordField, Pill, Segmented, SelectField, Size, SpeciesMark, Switch, TabPanel, Tabs, TextArea,
    TextField, Tint, TroubleLine, icon, icon_xl, use_title, use_toasts, use_zone,
};
use crate::host::CallTrouble;
use crate::text;
use crate::views::shell::{AllBanners, PillState, StatusPill};
use crate::views::staff::{RoleCards, RolePills};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCheck, LdCircleDashed, LdClock, LdEllipsis, LdHand, LdInbox, LdPawPrint, LdPencil, LdPlus,
    LdStethoscope, LdTrash2, LdTriangleAlert,
};
use local_core::StorageTrouble;
use shared_model::documents::{AlertKind, Species};
use shared_model::permissions::Role;
use shared_model::values::Invalid;

#[component]
pub(crate) fn GalleryPage() -> Element {
    use_title(text::gallery());
    rsx! {
        div { class: "page",
            div { class: "page__head",
                h1 { {text::gallery()} }
            }
            div { class: "client-columns",
                div {
                    Part { title: text::gallery_buttons(), Buttons {} }
                    Part { title: text::gallery_pills(), Pills {} }
                    Part { title: text::gallery_connection(), ConnectionStates {} }
                    Part { title: text::gallery_fields(), Fields {} }
                    Part { title: text::gallery_tabs(), TabsAndTable {} }
                    Part { title: text::gallery_alerts(), Alerts {} }
                    section { class: "card",
                        div { class: "card__head",
                            h2 { class: "card__title", {text::gallery_banners()} }
                        }
                        AllBanners {}
                    }
                }
                div {
                    Part { title: text::gallery_marks(), Marks {} }
                    Part { title: text::gallery_menu(), Menus {} }
                    Part { title: text::gallery_over(), OverThePage {} }
                    Part { title: text::gallery_long_work(), LongWork {} }
                    Part { title: text::gallery_roles(), Roles {} }
                    Part { title: text::gallery_clinic_says(),
                        for trouble in CLINIC_SAYS {
                            TroubleLine { trouble }
                        }
                    }
                    Part { title: text::gallery_two_values(), TwoValues {} }
                    Part { title: text::gallery_empty(),
                        EmptyState {
                            icon: icon_xl(LdPawPrint),
                            title: text::no_patients_yet(),
                            text: text::nobody_yet_why(),
                            actions: rsx! {
                                button { class: "btn btn--primary", r#type: "button", {text::new_client()} }
                            },
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Part(title: String, children: Element) -> Element {
    rsx! {
        section { class: "card",
            div { class: "card__head",
                h2 { class: "card__title", {title} }
            }
            div { class: "card__body stack", {children} }
        }
    }
}

#[component]
fn Buttons() -> Element {
    rsx! {
        div { class: "row row--wrap",
            button { class: "btn btn--primary", r#type: "button",
                {icon(LdPlus)}
                {text::book()}
                " "
                kbd { "B" }
            }
            button { class: "btn", r#type: "button", {text::new_client()} }
            button { class: "btn btn--quiet", r#type: "button", {text::show_more()} }
            button { class: "btn btn--danger", r#type: "button", {text::sign_out()} }
            button { class: "btn btn--danger btn--primary", r#type: "button", {text::sign_out_anyway()} }
            button { class: "btn", r#type: "button", disabled: true, {text::later()} }
            button { class: "btn", r#type: "button", "aria-pressed": "true", {text::show()} }
            button { class: "btn btn--icon", r#type: "button", "aria-label": text::menu(), {icon(LdEllipsis)} }
        }
        div { class: "row row--wrap",
            button { class: "btn btn--sm btn--primary", r#type: "button", {text::try_now()} }
            button { class: "btn btn--sm", r#type: "button",
                {text::new_client()}
                " "
                kbd { "N" }
            }
            button { class: "btn btn--lg btn--primary", r#type: "button", {text::sign_in()} }
        }
    }
}

#[component]
fn Pills() -> Element {
    rsx! {
        div { class: "row row--wrap",
            Pill { {text::role(Role::FrontDesk)} }
            Pill { tone: Tint::Accent, icon: icon(LdCircleDashed), {text::change_booked()} }
            Pill { tone: Tint::Info, icon: icon(LdStethoscope), {text::change_visit_started()} }
            Pill { tone: Tint::Ok, icon: icon(LdCheck), {text::change_checked_out()} }
            Pill { tone: Tint::Warn, icon: icon(LdClock), {text::minutes(18)} }
            Pill { tone: Tint::Danger, icon: icon(LdTriangleAlert), {text::alert_kind(AlertKind::Allergy)} }
            Pill { tone: Tint::Violet, icon: icon(LdHand), {text::alert_kind(AlertKind::Handling)} }
            Pill { tone: Tint::Warn, small: true, icon: icon(LdClock), {text::waiting()} }
        }
        div { class: "row row--wrap",
            button { class: "chip", r#type: "button", "aria-pressed": "true", {text::today()} }
            button { class: "chip", r#type: "button", "aria-pressed": "false", {text::tomorrow()} }
            Badge { count: 3, said: text::waiting() }
            Badge { count: 1, tone: Tint::Danger, said: text::to_decide() }
        }
    }
}

#[component]
fn ConnectionStates() -> Element {
    let zone = use_zone();
    let now = crate::host::now();
    let since = Some(now.plus_minutes(-11));
    let states = [
        PillState::Clinic(now),
        PillState::Offline { since, waiting: 4 },
        PillState::Offline { since, waiting: 0 },
        PillState::Stopped { waiting: 4 },
        PillState::Connecting,
        PillState::Sending(3),
        PillState::Held(2),
        PillState::Attention(1),
        PillState::NotSaving(StorageTrouble::Full),
        PillState::NotSaving(StorageTrouble::ReadOnly),
    ];
    rsx! {
        div { class: "row row--wrap",
            for state in states {
                StatusPill { state, zone: zone.clone() }
            }
        }
    }
}

#[component]
fn Fields() -> Element {
    let name = use_signal(|| text::role_owner().to_owned());
    let short = use_signal(|| "601".to_owned());
    let weight = use_signal(|| "19.4".to_owned());
    let date = use_signal(|| "2020-09-20".to_owned());
    let notes = use_signal(String::new);
    let species = use_signal(|| Species::Dog.word().to_owned());
    let combo = use_signal(String::new);
    let mut segment = use_signal(|| "day".to_owned());
    let mut on = use_signal(|| true);
    let all = Species::ALL
        .iter()
        .map(|species| (species.word().to_owned(), text::species(*species).to_owned()));
    let typed = combo.read().to_lowercase();
    let offered: Vec<ComboOption> = Species::ALL
        .iter()
        .filter(|species| text::species(**species).to_lowercase().contains(&typed))
        .map(|species| ComboOption {
            key: species.word().to_owned(),
            title: text::species(*species).to_owned(),
            sub: String::new(),
            lead: Some(*species),
            is_new: false,
        })
        .collect();
    rsx! {
        div { class: "form__columns",
            TextField { id: "g-name", label: text::role_owner(), value: name, hint: text::list_of_keys_why().to_owned() }
            TextField {
                id: "g-phone",
                label: text::channel_phone(),
                value: short,
                kind: FieldKind::Tel,
                error: text::invalid(text::channel_phone(), Invalid::TooSmall),
            }
            TextField { id: "g-weight", label: text::change_weight(), value: weight, kind: FieldKind::Decimal, unit: "kg".to_owned() }
            TextField { id: "g-date", label: text::date(), value: date, kind: FieldKind::Date, optional: true }
            SelectField { id: "g-species", label: text::species_label(), value: species, options: all.collect::<Vec<_>>() }
            Combobox {
                id: "g-combo",
                label: text::find_pet_or_person(),
                text: combo,
                options: offered,
                on_pick: move |key: String| {
                    let mut combo = combo;
                    combo.set(key);
                },
            }
        }
        TextArea { id: "g-notes", label: text::change_notes(), value: notes, optional: true }
        div { class: "row row--wrap",
            Segmented {
                label: text::date(),
                options: vec![("day".to_owned(), text::today().to_owned()), ("next".to_owned(), text::tomorrow().to_owned())],
                value: segment(),
                on_pick: move |picked| segment.set(picked),
            }
            Switch { label: text::theme_dark(), on: on(), on_change: move |now| on.set(now) }
            Switch { label: text::theme_light(), on: !on(), on_change: move |now: bool| on.set(!now) }
        }
    }
}

#[component]
fn TabsAndTable() -> Element {
    let mut tab = use_signal(|| "species".to_owned());
    rsx! {
        Tabs {
            id: "g-tabs",
            label: text::gallery_tabs(),
            tabs: vec![
                ("species".to_owned(), text::species_label().to_owned()),
                ("roles".to_owned(), text::roles_label().to_owned()),
            ],
            value: tab(),
            on_pick: move |picked| tab.set(picked),
        }
        TabPanel { id: "g-tabs", value: tab(),
            div { class: "table-wrap",
                table { class: "table",
                    thead {
                        tr {
                            th { scope: "col", {text::species_label()} }
                            th { scope: "col", class: "num", {text::change_weight()} }
                        }
                    }
                    tbody {
                        for (species , kg) in [(Species::Dog, "19.4"), (Species::Cat, "4.1"), (Species::Horse, "512")] {
                            tr { key: "{kg}", "aria-selected": (species == Species::Cat).then_some("true"),
                                th { scope: "row", {text::species(species)} }
                                td { class: "num", {text::weight(kg)} }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Alerts() -> Element {
    rsx! {
        Alert { tone: Tint::Danger, icon: icon(LdTriangleAlert), title: text::alert_kind(AlertKind::Allergy), text: text::nothing_lost(),
            button { class: "btn btn--sm", r#type: "button", {text::show()} }
        }
        Alert { tone: Tint::Warn, icon: icon(LdHand), title: text::alert_kind(AlertKind::Handling) }
        Alert { tone: Tint::Info, icon: icon(LdInbox), title: text::new_build(), text: text::new_build_why() }
        Alert { tone: Tint::Ok, icon: icon(LdCheck), title: text::all_at_clinic(), line: true }
    }
}

#[component]
fn Marks() -> Element {
    rsx! {
        div { class: "row row--wrap",
            for species in Species::ALL.iter().copied() {
                SpeciesMark { key: "{species:?}", species }
            }
        }
        div { class: "row row--wrap",
            SpeciesMark { species: Species::Dog, size: Size::Small }
            SpeciesMark { species: Species::Cat, size: Size::Large }
            Avatar { initials: "AM", tone: Tint::Violet }
            Avatar { initials: "TK", tone: Tint::Info, size: Size::Large }
        }
    }
}

fn items() -> Vec<MenuItem> {
    vec![
        MenuItem {
            shortcut: Some("E"),
            ..MenuItem::new("edit", text::change_details(), icon(LdPencil))
        },
        MenuItem {
            checked: Some(true),
            ..MenuItem::new("waiting", text::waiting(), icon(LdClock))
        },
        MenuItem {
            danger: true,
            apart: true,
            ..MenuItem::new("remove", text::change_cancelled(), icon(LdTrash2))
        },
    ]
}

#[component]
fn Menus() -> Element {
    let toasts = use_toasts();
    let mut open = use_signal(|| false);
    rsx! {
        div { class: "row row--wrap",
            MenuButton { label: text::menu(), items: items(), on_pick: move |key: String| toasts.say(key),
                {text::menu()}
                {icon(LdEllipsis)}
            }
            button { class: "btn", r#type: "button", onclick: move |_| open.toggle(), {text::show()} }
        }
        if open() {
            Menu {
                id: "g-menu",
                label: text::menu(),
                title: text::dog().to_owned(),
                items: items(),
                on_pick: move |_| open.set(false),
                on_close: move |()| open.set(false),
            }
        }
    }
}

#[component]
fn OverThePage() -> Element {
    let toasts = use_toasts();
    let mut open = use_signal(|| false);
    let name = use_signal(String::new);
    rsx! {
        div { class: "row row--wrap",
            button { class: "btn", r#type: "button", onclick: move |_| toasts.say(text::undone()), {text::gallery_toast()} }
            button { class: "btn", r#type: "button", onclick: move |_| open.set(true), {text::gallery_dialog()} }
        }
        if open() {
            Dialog {
                title: text::gallery_dialog(),
                on_close: move |()| open.set(false),
                keep_open: !name.read().is_empty(),
                foot: rsx! {
                    button { class: "btn", r#type: "button", onclick: move |_| open.set(false),
                        {text::close()}
                        " "
                        kbd { {text::key_esc()} }
                    }
                    button { class: "btn btn--primary", r#type: "button", onclick: move |_| open.set(false), {text::book()} }
                },
                TextField { id: "g-dialog", label: text::email(), value: name, kind: FieldKind::Email }
            }
        }
    }
}

#[component]
fn LongWork() -> Element {
    rsx! {
        div { class: "progress",
            div { class: "progress__words",
                span { id: "g-progress", {text::records_arrived(text::number(4_210), text::number(10_000))} }
            }
            progress { class: "progress__bar", max: "10000", value: "4210", "aria-labelledby": "g-progress" }
        }
    }
}

const CLINIC_SAYS: [CallTrouble; 7] = [
    CallTrouble::Unreachable,
    CallTrouble::SlowDown(95),
    CallTrouble::SignInAgain,
    CallTrouble::WeakPassword,
    CallTrouble::LastAdministrator,
    CallTrouble::NoMail,
    CallTrouble::Odd,
];

#[component]
fn Roles() -> Element {
    let chosen = use_signal(|| vec![Role::Veterinarian]);
    let password = use_signal(String::new);
    rsx! {
        RoleCards { chosen, giver: vec![Role::ClinicAdministrator], missing: true }
        RolePills { roles: Role::ALL.to_vec() }
        PasswordField {
            id: "g-password",
            label: text::new_password(),
            value: password,
            new: true,
            error: text::password_too_short(8).to_owned(),
        }
    }
}

#[component]
fn TwoValues() -> Element {
    rsx! {
        div { class: "two-values",
            for kg in ["19.4", "19.9"] {
                button { key: "{kg}", class: "two-values__choice", r#type: "button",
                    b { {text::weight(kg)} }
                    span { class: "faint", {text::clock(586)} }
                }
            }
        }
    }
}
