//! One client: how to reach them, their animals, what is booked.

mod edit;
mod owner_app;
mod pets;

use crate::components::{Avatar, EmptyState, OpenDialog, Pill, Size, Tint, icon, icon_xl};
use crate::components::{use_clinic, use_dialogs, use_is_staff, use_me, use_page_key, use_title_of};
use crate::host::use_query;
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdFileQuestion, LdMail, LdMapPin, LdPencil, LdPhone, LdPlus, LdSmartphone,
};
use local_core::query::ClientView;
use local_core::{Query, View};
use shared_model::accounts::may_give;
use shared_model::documents::{Channel, Kind};
use shared_model::ids::ClientId;
use shared_model::permissions::{Role, may_write};

use super::TrailOfRecord;
pub(crate) use super::new_client::NewClientDialog;
use super::patient_page::{Appointments, Two, TwoValues};
use super::receipt::ReceiptLine;
use edit::EditDialog;
use owner_app::OwnerAppDialog;
use pets::Pets;

#[component]
pub(crate) fn ClientPage(id: ClientId) -> Element {
    let answer = use_query(Query::Client(id));
    match &*answer.read() {
        Some(View::Client(view)) if view.id == id => rsx! {
            for view in [view.as_ref().clone()] {
                Sheet { key: "{view.id}", view }
            }
        },
        Some(View::Missing) => rsx! {
            EmptyState {
                icon: icon_xl(LdFileQuestion),
                title: text::client_missing(),
                text: text::client_missing_text(),
                page: true,
                actions: rsx! {
                    Link { class: "btn btn--primary", to: Route::Clients {}, {text::to_the_clients()} }
                },
            }
        },
        _ => rsx! {
            div { class: "page", "aria-busy": "true",
                p { class: "sub", {text::client_opening()} }
            }
        },
    }
}

#[component]
fn Sheet(view: ClientView) -> Element {
    let dialogs = use_dialogs();
    let clinic = use_clinic();
    let staff = use_is_staff();
    let mut editing = use_signal(|| false);
    let may_edit = {
        let clinic = clinic.read();
        let me = clinic.as_ref().and_then(|clinic| clinic.me.as_ref());
        me.is_some_and(|me| may_write(me, Kind::Client, &[view.id], "address").is_ok())
    };
    use_page_key("e", text::edit_client(), move |()| {
        if may_edit {
            editing.set(true);
        }
    });
    let name = view.client.full_name();
    use_title_of(text::page_of_client(), &name);
    let prefers = view
        .client
        .preferred_channel
        .map(|channel| text::prefers(text::channel(channel)));
    let family = Two::of(
        "family_name",
        text::family_name_label(),
        &view.client.family_name,
        |name: &String| (name.clone(), name.clone()),
    );
    let alive: Vec<_> = view
        .pets
        .iter()
        .filter(|pet| !pet.deceased)
        .map(|pet| pet.id)
        .collect();
    // With one animal it is clear whom a booking is for.
    let only = if let [only] = alive.as_slice() {
        Some(*only)
    } else {
        None
    };
    rsx! {
        div { class: "page",
            div { class: "page__head",
                Avatar { initials: text::initials(&name), tone: Tint::Info, size: Size::Large }
                div {
                    h1 { {name} }
                    if let Some(prefers) = prefers {
                        p { class: "sub", {prefers} }
                    }
                }
                div { class: "push",
                    if may_edit {
                        button {
                            class: "btn",
                            r#type: "button",
                            "aria-keyshortcuts": "E",
                            onclick: move |_| editing.set(true),
                            {icon(LdPencil)}
                            {text::edit()}
                            " "
                            kbd { "E" }
                        }
                    }
                    if staff {
                        button {
                            class: "btn btn--primary",
                            r#type: "button",
                            onclick: move |_| dialogs.open(OpenDialog::Book { patient: only, vet: None, start: None }),
                            {icon(LdPlus)}
                            {text::book()}
                        }
                    }
                }
            }
            if let Some(two) = family {
                TwoValues { kind: Kind::Client, document: view.id.into(), two }
            }
            div { class: "client-columns",
                div {
                    Pets { client: view.id, pets: view.pets.clone(), may_add: may_edit }
                    Appointments {
                        upcoming: view.upcoming.clone(),
                        past: view.past.clone(),
                        with_names: true,
                        book: only.filter(|_| staff),
                    }
                }
                div {
                    Reach { view: view.clone() }
                }
            }
        }
        if editing() {
            EditDialog { view, on_close: move |()| editing.set(false) }
        }
    }
}

#[component]
fn Reach(view: ClientView) -> Element {
    let client = view.client.clone();
    let first = |channel: Channel| {
        (client.preferred_channel == Some(channel)).then(|| text::channel_first(text::channel(channel)))
    };
    let by_phone = first(Channel::Phone).or_else(|| first(Channel::Sms));
    let invites = use_me().is_some_and(|me| may_give(&me.roles, &[Role::Owner]));
    let mut inviting = use_signal(|| false);
    let nothing = client.phones.is_empty() && client.emails.is_empty() && client.address.is_empty();
    rsx! {
        section { class: "card", "aria-labelledby": "reach-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "reach-title", {text::reach_title()} }
            }
            div { class: "list",
                for (index , phone) in client.phones.iter().enumerate() {
                    div { key: "{phone.id}", class: "contact",
                        {icon(LdPhone)}
                        a { href: "tel:{phone.number}", {phone.number.clone()} }
                        if !phone.label.is_empty() {
                            span { class: "faint", {phone.label.clone()} }
                        }
                        if let Some(words) = by_phone.clone().filter(|_| index == 0) {
                            Pill { tone: Tint::Accent, small: true, {words} }
                        }
                    }
                }
                for (index , email) in client.emails.iter().enumerate() {
                    div { key: "{email.id}", class: "contact",
                        {icon(LdMail)}
                        a { href: "mailto:{email.address}", {email.address.clone()} }
                        if let Some(words) = first(Channel::Email).filter(|_| index == 0) {
                            Pill { tone: Tint::Accent, small: true, {words} }
                        }
                    }
                }
                if !client.address.is_empty() {
                    div { class: "contact",
                        {icon(LdMapPin)}
                        span { {client.address.clone()} }
                        if let Some(words) = first(Channel::Post) {
                            Pill { tone: Tint::Accent, small: true, {words} }
                        }
                    }
                }
                if nothing {
                    div { class: "list__row",
                        p { class: "sub", {text::no_contacts()} }
                    }
                }
            }
            if invites {
                div { class: "card__foot",
                    button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| inviting.set(true),
                        {icon(LdSmartphone)}
                        {text::invite_to_owners_app()}
                    }
                }
            }
            div { class: "card__foot",
                ReceiptLine { receipt: view.receipt }
                TrailOfRecord { document: view.id.into() }
            }
        }
        if inviting() {
            OwnerAppDialog { view, on_close: move |()| inviting.set(false) }
        }
    }
}
