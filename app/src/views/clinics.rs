//! All clinics of the server, for whoever looks after it, and opening one more.

use crate::components::{
    CallDialog, EmptyState, FieldKind, Pill, ServerSays, TextField, icon, icon_xl, use_asked, use_may,
    use_page_key, use_sending, use_title, use_toasts, use_zone,
};
use crate::host::{self, Call, Deed, fresh_id};
use crate::text;
use crate::views::staff::{NotForYou, invitation_of};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdHospital, LdPlus};
use shared_model::accounts::{Clinic, Invite, OpenClinic};
use shared_model::ids::ClinicId;
use shared_model::permissions::Role;
use shared_model::values::Invalid;

#[component]
pub(crate) fn ClinicsPage() -> Element {
    use_title(text::clinics());
    if use_may(Role::SystemAdministrator) {
        rsx! {
            Clinics {}
        }
    } else {
        rsx! {
            NotForYou { words: text::only_system_administrators() }
        }
    }
}

#[component]
fn Clinics() -> Element {
    let (clinics, asking) = use_asked(Call::clinics());
    let zone = use_zone();
    let mut opening = use_signal(|| false);
    let offline = asking.is_unreachable();
    use_page_key("o", text::open_a_clinic(), move |()| {
        opening.set(!asking.is_unreachable())
    });
    let count = clinics
        .as_ref()
        .map(|clinics: &Vec<Clinic>| i64::try_from(clinics.len()).unwrap_or(i64::MAX));
    rsx! {
        div { class: "page",
            div { class: "page__head",
                h1 { {text::clinics()} }
                if let Some(count) = count {
                    Pill { {text::clinic_count(count)} }
                }
                div { class: "push",
                    button {
                        class: "btn btn--primary",
                        r#type: "button",
                        disabled: offline,
                        "aria-keyshortcuts": "O",
                        onclick: move |_| opening.set(true),
                        {icon(LdPlus)}
                        {text::open_a_clinic()}
                        " "
                        kbd { "O" }
                    }
                }
            }
            div { class: "stack",
                ServerSays { asking }
                if let Some(clinics) = clinics {
                    if clinics.is_empty() {
                        EmptyState { icon: icon_xl(LdHospital), title: text::no_clinics(), text: text::no_clinics_why() }
                    }
                    ul { class: "card list people-list",
                        for one in clinics {
                            li { key: "{one.clinic}", class: "list__row person",
                                {icon(LdHospital)}
                                span { class: "person__who list__title", {one.name.clone()} }
                                span { class: "list__sub", {text::people_count(i64::from(one.members))} }
                                span { class: "person__when list__sub", {text::open_since(text::date_plain(one.created_at.date_in(&zone)))} }
                            }
                        }
                    }
                }
            }
        }
        if opening() {
            OpenDialog { on_close: move |()| opening.set(false) }
        }
    }
}

#[component]
fn OpenDialog(on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    // Minted once, so that trying again opens one clinic.
    let ids = use_hook(|| {
        CopyValue::new((
            ClinicId(fresh_id()),
            invitation_of(vec![Role::ClinicAdministrator], None),
        ))
    });
    let name = use_signal(String::new);
    let zone = use_signal(|| host::system_zone().unwrap_or_default());
    let person = use_signal(String::new);
    let email = use_signal(String::new);
    let mut tried = use_signal(|| false);
    let missing = move |value: Signal<String>, label: &str| {
        (tried() && value.read().trim().is_empty()).then(|| text::invalid(label, Invalid::Empty))
    };
    let no_zone = use_memo(move || jiff::tz::TimeZone::get(zone.read().trim()).is_err());
    let submit = move |()| {
        tried.set(true);
        let typed = |field: Signal<String>| field.peek().trim().to_owned();
        let fields = [
            ("clinic-name", name),
            ("clinic-person", person),
            ("clinic-email", email),
        ];
        if let Some((id, _)) = fields.iter().find(|(_, field)| field.peek().trim().is_empty()) {
            return host::focus(id);
        }
        if no_zone() {
            return host::focus("clinic-zone");
        }
        let (clinic, invite) = ids.peek().clone();
        let open = OpenClinic {
            clinic,
            name: typed(name),
            time_zone: typed(zone),
            administrator: Invite {
                full_name: typed(person),
                email: typed(email),
                ..invite
            },
        };
        sending.send(Deed::open_clinic(&open), move |_| {
            toasts.say(text::clinic_opened(open.name, open.administrator.email));
            on_close.call(());
        });
    };
    rsx! {
        CallDialog {
            title: text::open_a_clinic(),
            action: text::open_clinic_and_invite(),
            sending,
            on_close,
            keep_open: !name.read().is_empty(),
            on_submit: submit,
            div { class: "form__columns",
                TextField { id: "clinic-name", label: text::clinic_name(), value: name, autofocus: true, error: missing(name, text::clinic_name()) }
                TextField {
                    id: "clinic-zone",
                    label: text::time_zone(),
                    value: zone,
                    hint: text::time_zone_hint().to_owned(),
                    error: (tried() && no_zone()).then(|| text::time_zone_odd().to_owned()),
                }
            }
            fieldset { class: "form__section",
                legend { class: "form__legend", {text::first_administrator()} }
                div { class: "form__columns",
                    TextField { id: "clinic-person", label: text::full_name(), value: person, error: missing(person, text::full_name()) }
                    TextField {
                        id: "clinic-email",
                        label: text::email(),
                        value: email,
                        kind: FieldKind::Email,
                        error: missing(email, text::email()),
                    }
                }
                p { class: "sub", {text::first_administrator_why()} }
            }
        }
    }
}
