//! Recovery codes, shown this once: they are copied, printed or saved before anything goes on. Invariant: no button or key of
//! what they are shown in leaves them, nor does the browser's way back, and no reload without being asked, before the tick that
//! says that they are kept. A device that locks itself does: whoever comes back makes new ones (`at_stake`).

use super::at_stake::use_codes_at_stake;
use crate::components::{Alert, Tint, icon, use_hold_open};
use crate::host::{self, use_host};
use crate::text;
use crate::views::door::GateForm;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCopy, LdDownload, LdPrinter, LdTriangleAlert};
use jiff::tz::TimeZone;
use shared_model::ids::AccountId;

/// `whose` they are; `None` for somebody who is on their way in.
#[component]
pub(in crate::views) fn KeepRecoveryCodes(
    codes: Vec<String>,
    whose: Option<AccountId>,
    busy: bool,
    #[props(default)] in_dialog: bool,
    on_kept: EventHandler<()>,
) -> Element {
    let host = use_host();
    let stake = use_codes_at_stake(whose, true);
    use_hook(|| stake.begins());
    // Nobody's clinic is known before they are in.
    let zone = host::system_zone().and_then(|zone| TimeZone::get(&zone).ok());
    let today = text::date_plain(host::now().date_in(&zone.unwrap_or(TimeZone::UTC)));
    let mut kept = use_signal(|| false);
    let mut missing = use_signal(|| false);
    let mut said = use_signal(|| None::<&'static str>);
    let all = codes.join("\n");
    let go_on = use_callback(move |()| {
        if busy {
            return;
        }
        missing.set(!kept());
        if kept() {
            if whose.is_some() {
                host.codes_are_kept();
            }
            on_kept.call(());
        } else {
            host::focus("codes-kept");
        }
    });
    // Behind a gate are others' ways in, which need no clinic: whoever has kept the codes is not in their way without one.
    use_hold_open(in_dialog || !kept(), go_on);
    rsx! {
        GateForm {
            id: "recovery-codes",
            in_dialog,
            action: if busy { text::asking_clinic() } else { text::go_on() },
            waits: busy,
            on_submit: move |()| go_on.call(()),
            // A dialog has its title.
            if !in_dialog {
                h2 { class: "card__title", {text::recovery_codes()} }
            }
            p { class: "sub", {text::recovery_codes_what_for()} }
            ol { class: "codes", tabindex: "-1", "data-autofocus": "", "aria-label": text::recovery_codes(),
                for code in &codes {
                    li { key: "{code}", code { {code.clone()} } }
                }
            }
            div { class: "codes__keep",
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    onclick: {
                        let all = all.clone();
                        move |_| {
                            let copying = host::copy_to_clipboard(&all);
                            spawn(async move {
                                let copied = copying.await;
                                said.set(Some(if copied { text::copied_it() } else { text::codes_not_copied() }));
                            });
                        }
                    },
                    {icon(LdCopy)}
                    {text::copy_it()}
                }
                button { class: "btn btn--sm", r#type: "button", onclick: move |_| host::print_page(),
                    {icon(LdPrinter)}
                    {text::print_codes()}
                }
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    onclick: {
                        let all = text::codes_file(&all, &today);
                        move |_| {
                            let saved = host::save_text(&format!("{}.txt", text::codes_file_name()), &all);
                            said.set(Some(if saved { text::codes_saved() } else { text::codes_not_saved() }));
                        }
                    },
                    {icon(LdDownload)}
                    {text::save_codes()}
                }
            }
            p { class: "sub", role: "status", {said().unwrap_or_default()} }
            label { class: "check",
                input {
                    id: "codes-kept",
                    r#type: "checkbox",
                    checked: kept(),
                    "aria-describedby": missing().then_some("codes-kept-error"),
                    onchange: move |event| {
                        kept.set(event.checked());
                        missing.set(false);
                        if event.checked() {
                            stake.ends();
                        } else {
                            stake.begins();
                        }
                    },
                }
                {text::codes_are_kept()}
            }
            if missing() {
                div { id: "codes-kept-error",
                    Alert { tone: Tint::Warn, icon: icon(LdTriangleAlert), title: text::codes_not_kept(), line: true, urgent: true }
                }
            }
        }
        section { class: "print-sheet print-sheet--codes", "aria-hidden": "true",
            h1 { {text::recovery_codes_of(text::app_name())} }
            p { {text::recovery_codes_paper(today)} }
            ol { class: "codes",
                for code in &codes {
                    li { key: "{code}", code { {code.clone()} } }
                }
            }
        }
    }
}
