//! Changes of a client's contacts: what was touched is written, and nothing else.

use crate::components::{Dialog, FieldKind, SelectField, TextField, icon, use_toasts};
use crate::host::{fresh_id, use_host};
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdPlus, LdX};
use local_core::query::ClientView;
use shared_model::commands::EditClient;
use shared_model::documents::Channel;
use shared_model::ids::{EmailId, PhoneId};

const FIELDS: &[&str] = &["given_name", "family_name", "phone", "email", "address"];

/// A phone number or an address as it stands and as it was typed.
#[derive(Clone, PartialEq)]
struct Entry<I> {
    id: I,
    before: String,
    typed: Signal<String>,
}

impl<I: Copy> Entry<I> {
    fn new(id: I, before: &str) -> Self {
        Self {
            id,
            before: before.to_owned(),
            typed: Signal::new(before.to_owned()),
        }
    }

    fn touched(&self) -> Option<(I, String)> {
        let typed = self.typed.peek().trim().to_owned();
        (typed != self.before).then_some((self.id, typed))
    }
}

#[component]
pub(super) fn EditDialog(view: ClientView, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let before = use_hook(|| view.client.clone());
    let given = use_signal(|| before.given_name.clone());
    let family = use_signal(|| before.family_name.value.clone());
    let address = use_signal(|| before.address.clone());
    let channel_before = before.preferred_channel;
    let channel = use_signal(|| {
        channel_before
            .map(|channel| channel.word().to_owned())
            .unwrap_or_default()
    });
    let mut phones = use_signal(|| {
        let mut phones: Vec<Entry<PhoneId>> = before
            .phones
            .iter()
            .map(|phone| Entry::new(phone.id, &phone.number))
            .collect();
        if phones.is_empty() {
            phones.push(Entry::new(PhoneId(fresh_id()), ""));
        }
        phones
    });
    let mut emails = use_signal(|| {
        let mut emails: Vec<Entry<EmailId>> = before
            .emails
            .iter()
            .map(|email| Entry::new(email.id, &email.address))
            .collect();
        if emails.is_empty() {
            emails.push(Entry::new(EmailId(fresh_id()), ""));
        }
        emails
    });
    let id = view.id;
    let save = {
        let before = before.clone();
        move || {
            let touched =
                |typed: String, before: &str| (typed.trim() != before).then(|| typed.trim().to_owned());
            let command = EditClient {
                given_name: touched(given(), &before.given_name),
                family_name: touched(family(), &before.family_name.value),
                address: touched(address(), &before.address),
                preferred_channel: Channel::from_word(&channel())
                    .filter(|channel| Some(*channel) != channel_before),
                phones: phones.peek().iter().filter_map(Entry::touched).collect(),
                emails: emails.peek().iter().filter_map(Entry::touched).collect(),
                ..EditClient::of(id)
            };
            if command == EditClient::of(id) {
                return on_close.call(());
            }
            spawn(async move {
                match host.run(command).await {
                    Ok(_) => {
                        toasts.say(text::client_saved(format!("{} {}", given(), family()).trim()));
                        on_close.call(());
                    }
                    Err(failure) => refused.set(failure),
                }
            });
        }
    };
    let mut channels: Vec<(String, String)> = Channel::ALL
        .iter()
        .map(|channel| (channel.word().to_owned(), text::channel(*channel).to_owned()))
        .collect();
    if channel_before.is_none() {
        channels.insert(0, (String::new(), text::channel_any().to_owned()));
    }
    rsx! {
        Dialog {
            title: text::edit_of(before.full_name()),
            on_close,
            wide: true,
            keep_open: true,
            foot: rsx! {
                if let Some(why) = refused.besides(FIELDS) {
                    span { class: "field__error", {why} }
                }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "edit-client", {text::save()} }
            },
            form {
                id: "edit-client",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    save();
                },
                div { class: "form__columns",
                    TextField {
                        id: "edit-given",
                        label: text::given_name_label(),
                        value: given,
                        optional: true,
                        error: refused.of("given_name", text::given_name_label()),
                        autofocus: true,
                    }
                    TextField {
                        id: "edit-family",
                        label: text::family_name_label(),
                        value: family,
                        error: refused.of("family_name", text::family_name_label()),
                    }
                }
                for (index , entry) in phones.read().iter().cloned().enumerate() {
                    TextField {
                        key: "{entry.id}",
                        id: "edit-phone-{index}",
                        label: text::phone_label(),
                        value: entry.typed,
                        kind: FieldKind::Tel,
                        error: refused.of("phone", text::phone_label()).filter(|_| entry.touched().is_some()),
                        Clear { typed: entry.typed }
                    }
                }
                for (index , entry) in emails.read().iter().cloned().enumerate() {
                    TextField {
                        key: "{entry.id}",
                        id: "edit-email-{index}",
                        label: text::email_label(),
                        value: entry.typed,
                        kind: FieldKind::Email,
                        error: refused.of("email", text::email_label()).filter(|_| entry.touched().is_some()),
                        Clear { typed: entry.typed }
                    }
                }
                div { class: "row row--wrap",
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        onclick: move |_| phones.write().push(Entry::new(PhoneId(fresh_id()), "")),
                        {icon(LdPlus)}
                        {text::another_phone()}
                    }
                    button {
                        class: "btn btn--sm",
                        r#type: "button",
                        onclick: move |_| emails.write().push(Entry::new(EmailId(fresh_id()), "")),
                        {icon(LdPlus)}
                        {text::another_email()}
                    }
                }
                div { class: "form__columns",
                    TextField {
                        id: "edit-address",
                        label: text::address_label(),
                        value: address,
                        optional: true,
                        error: refused.of("address", text::address_label()),
                    }
                    SelectField { id: "edit-channel", label: text::reach_by(), value: channel, options: channels }
                }
            }
        }
    }
}

/// Emptying a number takes it back when the form is saved.
#[component]
fn Clear(typed: Signal<String>) -> Element {
    let mut typed = typed;
    rsx! {
        button {
            class: "btn btn--icon",
            r#type: "button",
            "aria-label": text::remove(),
            title: text::remove(),
            disabled: typed.read().is_empty(),
            onclick: move |_| typed.set(String::new()),
            {icon(LdX)}
        }
    }
}
