//! The clinics that one belongs to, and going over to another.

use crate::components::{Dialog, Pill, Tint, icon, use_me, use_toasts};
use crate::text;
use crate::views::sign_in::SignInForm;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdHospital;
use shared_model::accounts::{Me, Membership};

#[component]
pub(super) fn MyClinics(me: Me, offline: bool) -> Element {
    let here = use_me().map(|me| me.clinic);
    let mut going = use_signal(|| None::<Membership>);
    rsx! {
        div { class: "card",
            ul { class: "list",
                for one in me.memberships.clone() {
                    li { key: "{one.clinic}", class: "list__row",
                        {icon(LdHospital)}
                        div { class: "list__main",
                            div { class: "list__title", {one.clinic_name.clone()} }
                            div { class: "list__sub", {text::roles(&one.roles)} }
                        }
                        div { class: "list__end",
                            if Some(one.clinic) == here {
                                Pill { tone: Tint::Accent, small: true, {text::you_are_here()} }
                            } else {
                                button {
                                    class: "btn btn--sm",
                                    r#type: "button",
                                    disabled: offline,
                                    onclick: move |_| going.set(Some(one.clone())),
                                    {text::go_there()}
                                }
                            }
                        }
                    }
                }
            }
        }
        if let Some(to) = going() {
            GoDialog { to, email: me.email, on_close: move |()| going.set(None) }
        }
    }
}

#[component]
fn GoDialog(to: Membership, email: String, on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let name = to.clinic_name.clone();
    rsx! {
        Dialog { title: text::go_to_clinic(&to.clinic_name), on_close,
            p { class: "sub", {text::go_to_clinic_why()} }
            SignInForm {
                in_dialog: true,
                clinic: to.clinic,
                email,
                on_done: move |()| {
                    toasts.say(text::now_at_clinic(&name));
                    on_close.call(());
                },
            }
        }
    }
}
