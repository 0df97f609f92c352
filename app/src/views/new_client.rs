//! A new client with the first animal, in one form; whoever is there already is offered before it is saved.

use crate::components::{
    Alert, Dialog, FieldKind, OpenDialog, SelectField, TextField, Tint, icon, use_dialogs,
};
use crate::components::{use_toasts, use_today};
use crate::host::{fresh_id, use_host, use_query};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdUserCheck};
use local_core::query::Hit;
use local_core::{Query, View};
use shared_model::commands::RegisterClient;
use shared_model::documents::Channel;
use shared_model::ids::{ClientId, EmailId, PatientId, PhoneId};
use shared_model::values::digits;

use super::pet_fields::{PET_FIELDS, PetFields, use_pet_form};
use super::refused_fields::use_refused_fields;

const CLIENT_FIELDS: &[&str] = &["given_name", "family_name", "phone", "email", "address"];

/// Minted once, so that trying again after a mistake is the same client.
#[derive(Clone, Copy)]
struct Ids {
    client: ClientId,
    patient: PatientId,
    phone: PhoneId,
    email: EmailId,
}

#[component]
pub(crate) fn NewClientDialog(on_close: EventHandler<()>) -> Element {
    let (host, toasts, dialogs, navigator) = (use_host(), use_toasts(), use_dialogs(), use_navigator());
    let today = use_today();
    let (about_client, about_pet) = (use_refused_fields(), use_refused_fields());
    let ids = use_hook(|| Ids {
        client: ClientId(fresh_id()),
        patient: PatientId(fresh_id()),
        phone: PhoneId(fresh_id()),
        email: EmailId(fresh_id()),
    });
    let given = use_signal(String::new);
    let family = use_signal(String::new);
    let phone = use_signal(String::new);
    let email = use_signal(String::new);
    let address = use_signal(String::new);
    let channel = use_signal(String::new);
    let pet = use_pet_form();
    let save = use_callback(move |then_book: bool| {
        let filled = |text: String| Some(text).filter(|text| !text.trim().is_empty());
        let command = RegisterClient {
            client: ids.client,
            given_name: given(),
            family_name: family(),
            phone: filled(phone()).map(|number| (ids.phone, number)),
            email: filled(email()).map(|address| (ids.email, address)),
            address: address(),
            preferred_channel: Channel::from_word(&channel()),
        };
        let animal = if pet.is_empty() && !then_book {
            None
        } else {
            match pet.command(ids.patient, ids.client, today) {
                Some(animal) => Some(animal),
                None => return,
            }
        };
        let name = format!("{} {}", given().trim(), family().trim())
            .trim()
            .to_owned();
        let pet_name = pet.name();
        spawn(async move {
            if let Err(failure) = host.run(command).await {
                return about_client.set(failure);
            }
            if let Some(animal) = animal {
                if let Err(failure) = host.run(animal).await {
                    return about_pet.set(failure);
                }
                toasts.say(text::client_and_pet_registered(name, pet_name));
            } else {
                toasts.say(text::client_registered(name));
            }
            on_close.call(());
            if then_book {
                dialogs.open(OpenDialog::Book {
                    patient: Some(ids.patient),
                    vet: None,
                    start: None,
                });
            } else {
                navigator.push(Route::Client { id: ids.client });
            }
        });
    });
    let channels = std::iter::once((String::new(), text::channel_any().to_owned()))
        .chain(
            Channel::ALL
                .iter()
                .map(|channel| (channel.word().to_owned(), text::channel(*channel).to_owned())),
        )
        .collect();
    let trouble = about_client
        .besides(CLIENT_FIELDS)
        .or_else(|| about_pet.besides(PET_FIELDS));
    let typed = [given, family, phone, email, address]
        .iter()
        .any(|field| !field.read().is_empty());
    rsx! {
        Dialog {
            title: text::new_client(),
            on_close,
            wide: true,
            keep_open: typed,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()),
                    {text::not_now()}
                    " "
                    kbd { "Esc" }
                }
                button { class: "btn", r#type: "button", onclick: move |_| save.call(true), {text::save_and_book()} }
                button { class: "btn btn--primary", r#type: "submit", form: "new-client",
                    {text::save()}
                    " "
                    kbd { {text::enter_key()} }
                }
            },
            form {
                id: "new-client",
                class: "form",
                novalidate: true,
                oninput: move |_| {
                    about_client.clear();
                    about_pet.clear();
                },
                onsubmit: move |event| {
                    event.prevent_default();
                    save.call(false);
                },
                if let Some(why) = trouble {
                    Alert { tone: Tint::Danger, icon: icon(LdCircleAlert), title: why, line: true, urgent: true }
                }
                fieldset { class: "form__section",
                    legend { class: "form__legend", {text::client_legend()} }
                    div { class: "form__columns",
                        TextField {
                            id: "client-given",
                            label: text::given_name_label(),
                            value: given,
                            optional: true,
                            error: about_client.of("given_name", text::given_name_label()),
                            autofocus: true,
                        }
                        TextField {
                            id: "client-family",
                            label: text::family_name_label(),
                            value: family,
                            error: about_client.of("family_name", text::family_name_label()),
                        }
                    }
                    div { class: "form__columns",
                        TextField {
                            id: "client-phone",
                            label: text::phone_label(),
                            value: phone,
                            kind: FieldKind::Tel,
                            error: about_client.of("phone", text::phone_label()),
                        }
                        TextField {
                            id: "client-email",
                            label: text::email_label(),
                            value: email,
                            kind: FieldKind::Email,
                            optional: true,
                            error: about_client.of("email", text::email_label()),
                        }
                    }
                    Known { given, family, phone, on_close }
                    div { class: "form__columns",
                        TextField {
                            id: "client-address",
                            label: text::address_label(),
                            value: address,
                            optional: true,
                            error: about_client.of("address", text::address_label()),
                        }
                        SelectField { id: "client-channel", label: text::reach_by(), value: channel, options: channels }
                    }
                }
                fieldset { class: "form__section",
                    legend { class: "form__legend", {text::first_pet_legend()} }
                    PetFields { form: pet, refused: about_pet }
                }
            }
        }
    }
}

/// People with that name or number who are here already.
#[component]
fn Known(
    given: Signal<String>,
    family: Signal<String>,
    phone: Signal<String>,
    on_close: EventHandler<()>,
) -> Element {
    let number = digits(&phone.read());
    let name = format!("{} {}", given.read().trim(), family.read().trim());
    // A number says more than a name; a few letters say nothing.
    let asked = if number.len() >= 6 {
        phone.read().trim().to_owned()
    } else if family.read().trim().chars().count() >= 3 {
        name.trim().to_owned()
    } else {
        String::new()
    };
    let answer = use_query(Query::Search(asked.clone()));
    let people: Vec<(ClientId, String, String, String)> = match &*answer.read() {
        Some(View::Search(found)) if !asked.is_empty() && found.text == asked => found
            .hits
            .iter()
            .filter_map(|hit| match hit {
                Hit::Client {
                    id,
                    name,
                    phone,
                    pets,
                } => Some((*id, name.clone(), phone.clone(), pets.clone())),
                Hit::Patient { .. } => None,
            })
            .take(3)
            .collect(),
        _ => return VNode::empty(),
    };
    if people.is_empty() {
        return VNode::empty();
    }
    rsx! {
        section { class: "alert alert--plain", role: "status",
            {icon(LdUserCheck)}
            p { class: "alert__title", {text::already_here()} }
            ul { class: "alert__text list",
                for (id , name , phone , pets) in people {
                    li { key: "{id}",
                        Link {
                            class: "list__row",
                            to: Route::Client { id },
                            onclick: move |_| on_close.call(()),
                            div { class: "list__main",
                                div { class: "list__title",
                                    {name}
                                    " "
                                    span { {phone} }
                                }
                                div { class: "list__sub", {pets} }
                            }
                        }
                    }
                }
            }
        }
    }
}
