//! A passkey is given a name, then made.

use crate::components::{FieldKind, TextField, TroubleLine, use_hold_open};
use crate::host::{self, Call, CallTrouble, PasskeyTrouble, Secret, use_host};
use crate::text;
use crate::views::door::GateForm;
use crate::views::second_factor::{PasskeyTroubleLine, use_codes_at_stake};
use dioxus::prelude::*;
use shared_model::values::Invalid;

/// `on_made` is called with the recovery codes that came with the first factor, with none otherwise; `on_late` if the word
/// counts no more; `on_over` if it may be done: what was begun counts no more, or the answer was lost.
#[component]
pub(super) fn MakePasskey(
    word: Secret,
    typed: Signal<String>,
    in_dialog: bool,
    on_made: EventHandler<Vec<String>>,
    on_late: EventHandler<()>,
    on_over: EventHandler<()>,
) -> Element {
    let host = use_host();
    let mut missing = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let mut trouble = use_signal(|| None::<CallTrouble>);
    let mut no_passkey = use_signal(|| None::<PasskeyTrouble>);
    // Recovery codes may be on their way.
    let mut finishing = use_signal(|| false);
    let whose = use_hook(|| host.person());
    let stake = use_codes_at_stake(whose, false);
    let stay = use_callback(|()| {});
    use_hold_open(finishing(), stay);
    let make = move |()| {
        if busy() {
            return;
        }
        let name = typed.peek().trim().to_owned();
        missing.set(name.is_empty());
        if missing() {
            return host::focus("passkey-name");
        }
        busy.set(true);
        trouble.set(None);
        no_passkey.set(None);
        let word = word.clone();
        spawn(async move {
            let begun = match host.call(Call::begin_passkey(&word)).await {
                Ok(begun) => begun,
                Err(why) => {
                    busy.set(false);
                    return match why {
                        CallTrouble::LinkNoLongerValid => on_late.call(()),
                        why => trouble.set(Some(why)),
                    };
                }
            };
            let credential = match host::make_passkey(&begun.options).await {
                Ok(credential) => credential,
                Err(why) => {
                    busy.set(false);
                    return no_passkey.set(Some(why));
                }
            };
            finishing.set(true);
            stake.begins();
            let made = host
                .call(Call::finish_passkey(begun.offer, &credential, name))
                .await;
            finishing.set(false);
            busy.set(false);
            stake.answered(&made);
            match made {
                Ok(new) => on_made.call(new.recovery_codes),
                Err(CallTrouble::LinkNoLongerValid) => on_over.call(()),
                Err(why) if why.leaves_open_whether_done() => {
                    // Their person is told so.
                    stake.ends();
                    on_over.call(());
                }
                Err(why) => trouble.set(Some(why)),
            }
        });
    };
    rsx! {
        GateForm {
            id: "make-passkey",
            in_dialog,
            action: if busy() { text::waiting_for_passkey() } else { text::make_passkey() },
            waits: busy(),
            on_submit: make,
            p { class: "sub", {text::make_passkey_do()} }
            if let Some(trouble) = trouble() {
                TroubleLine { trouble }
            }
            if let Some(trouble) = no_passkey() {
                PasskeyTroubleLine { trouble }
            }
            TextField {
                id: "passkey-name",
                label: text::passkey_name(),
                value: typed,
                kind: FieldKind::Text,
                autofocus: true,
                hint: text::passkey_name_hint().to_owned(),
                error: missing().then(|| text::invalid(text::passkey_name(), Invalid::Empty)),
                on_input: move |_| missing.set(false),
            }
        }
    }
}
