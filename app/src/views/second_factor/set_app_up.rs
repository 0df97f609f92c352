//! Setting an authenticator app up: a code to scan or to type, and the first code that comes back.

use super::code_field::{CodeField, use_typed_code};
use super::qr_code::QrCode;
use crate::components::{TroubleLine, seconds_to_wait, use_slowed};
use crate::host::{self, CallTrouble, Secret};
use crate::text;
use crate::views::door::GateForm;
use dioxus::prelude::*;
use shared_model::second_factor::TotpOffer;

#[component]
pub(in crate::views) fn SetAppUp(
    offer: TotpOffer,
    busy: bool,
    trouble: Signal<Option<CallTrouble>>,
    #[props(default)] in_dialog: bool,
    on_code: EventHandler<Secret>,
) -> Element {
    let typed = use_typed_code();
    let slowed = use_slowed(trouble, seconds_to_wait, CallTrouble::SlowDown);
    let waits = busy || slowed();
    let mut copied = use_signal(|| None::<bool>);
    let on_this_device = host::device() != host::Device::Computer;
    let submit = move |()| {
        if waits {
            return;
        }
        if let Some(code) = typed.take() {
            on_code.call(code);
        }
    };
    rsx! {
        GateForm {
            id: "set-up",
            in_dialog,
            action: if busy { text::asking_clinic() } else { text::go_on() },
            waits,
            on_submit: submit,
            match trouble() {
                Some(trouble) if trouble != CallTrouble::WrongCode => rsx! {
                    TroubleLine { trouble: trouble.clone() }
                    if trouble.leaves_open_whether_done() {
                        p { class: "sub", {text::app_may_be_set_up()} }
                    }
                },
                _ => rsx! {},
            }
            // Nothing of it scrolls away before it was read.
            ol { class: "steps", tabindex: "-1", "data-autofocus": "",
                li { {text::get_an_app()} }
                li {
                    if on_this_device {
                        a { class: "btn btn--block", href: offer.address.clone(), {text::open_in_app()} }
                        p { class: "sub", {text::scan_elsewhere()} }
                    } else {
                        {text::scan_code()}
                    }
                    QrCode { side: offer.side, modules: offer.modules.clone(), label: text::qr_code() }
                    details { class: "by-hand",
                        summary { {text::cannot_scan()} }
                        p { class: "sub", {text::type_secret()} }
                        code { class: "by-hand__secret", id: "totp-secret", {in_fours(&offer.secret)} }
                        button {
                            class: "btn btn--sm",
                            r#type: "button",
                            onclick: {
                                let secret = offer.secret.clone();
                                move |_| {
                                    let copying = host::copy_to_clipboard(&secret);
                                    spawn(async move { copied.set(Some(copying.await)) });
                                }
                            },
                            {text::copy_it()}
                        }
                        p { class: "sub", role: "status", {copied().map(text::whether_copied).unwrap_or_default()} }
                    }
                }
                li {
                    CodeField { label: text::first_code(), typed, trouble, on_whole: submit }
                }
            }
        }
    }
}

/// As somebody reads it off.
fn in_fours(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let fours: Vec<String> = letters.chunks(4).map(|four| four.iter().collect()).collect();
    fours.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_off_in_fours() {
        assert_eq!(in_fours("ABCDEFGHIJ"), "ABCD EFGH IJ");
        assert_eq!(in_fours(""), "");
    }
}
