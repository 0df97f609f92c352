//! What a line's changes did: what stood in each field before, and what after. Asked for when somebody wants to see it.

use crate::components::{icon_sm, use_clinic, use_is_online, use_today, use_zone};
use crate::host::{Call, CallTrouble, use_host};
use crate::text::{self, Spoken};
use dioxus::core::Task;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdArrowRight;
use shared_model::documents::Kind;
use shared_model::time::Timestamp;
use shared_model::trail::TrailChanges;

/// `lines` are their ids, `count` how many changes they have, and `taken` when the clinic took the last of them.
#[component]
pub(super) fn Changed(id: String, lines: Vec<String>, kind: Kind, count: u64, taken: Timestamp) -> Element {
    let (host, online) = (use_host(), use_is_online());
    let mut outcome = use_signal(|| None::<Result<TrailChanges, CallTrouble>>);
    let mut asking = use_signal(|| None::<Task>);
    let mut asked = use_signal(Vec::new);
    let mut has_failed = use_signal(|| false);
    let ask = use_callback(move |lines: Vec<String>| {
        if let Some(former) = asking.take() {
            former.cancel();
        }
        let call = Call::trail_changes(&lines);
        asked.set(lines);
        has_failed.set(false);
        asking.set(Some(spawn(async move {
            let answer = host.call(call).await;
            has_failed.set(answer.is_err());
            let is_told = matches!(&*outcome.peek(), Some(Ok(_)));
            if answer.is_ok() || !is_told {
                outcome.set(Some(answer));
            }
        })));
    });
    // While somebody still works on the record the line grows; what was told stays until there is more to tell. The clinic
    // notes who looks, so it is asked no more often than that, and again by whoever is back and had no answer.
    use_effect(use_reactive!(|lines| {
        let is_back = online() && *has_failed.peek();
        if is_back || *asked.peek() != lines {
            ask.call(lines);
        }
    }));
    let again = move |_| {
        outcome.set(None);
        ask.call(asked.peek().clone());
    };
    rsx! {
        div { id, class: "changed",
            match &*outcome.read() {
                None => rsx! {
                    p { class: "sub", role: "status", {text::asking_clinic()} }
                },
                Some(Err(why)) => rsx! {
                    p { class: "field__error", role: "alert", {text::call_trouble_line(why)} }
                    button { class: "btn btn--sm", r#type: "button", onclick: again, {text::try_again()} }
                },
                Some(Ok(changes)) => rsx! {
                    Told { changes: changes.clone(), kind, count, taken }
                },
            }
        }
    }
}

#[component]
fn Told(changes: TrailChanges, kind: Kind, count: u64, taken: Timestamp) -> Element {
    let (clinic, today, zone) = (use_clinic(), use_today(), use_zone());
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return VNode::empty();
    };
    let spoken = Spoken {
        settings: &clinic.settings,
        today,
        zone: &zone,
    };
    let said = text::said_of_changes(kind, &changes.fields, &spoken);
    let moment = |at: Timestamp| text::moment(at, today, &zone);
    let made = made_before(&changes, taken).map(|(first, last)| (moment(first), moment(last)));
    let plural = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    rsx! {
        if let Some((first, last)) = made {
            p { class: "sub",
                if first == last {
                    {text::changed_made_at(last)}
                } else {
                    {text::changed_made_between(first, last)}
                }
            }
        }
        for (at , group) in said.groups.iter().enumerate() {
            dl { key: "{at}", class: "changed__fields",
                for (at , field) in group.iter().enumerate() {
                    div { key: "{at}",
                        dt { {field.label} }
                        dd {
                            span { class: "visually-hidden", {text::changed_before()} }
                            if field.before.is_empty() {
                                span { class: "faint", {text::changed_nothing()} }
                            } else {
                                del { {field.before.clone()} }
                            }
                            {icon_sm(LdArrowRight)}
                            span { class: "visually-hidden", {text::changed_after()} }
                            if field.after.is_empty() {
                                span { class: "faint", {text::changed_nothing()} }
                            } else {
                                ins { {field.after.clone()} }
                            }
                        }
                    }
                }
            }
        }
        if said.without_words > 0 {
            p { class: "sub", {text::changed_without_words(said.without_words)} }
        } else if said.groups.is_empty() {
            p { class: "sub", {text::changed_nothing_more()} }
        }
        if changes.changes < count {
            p { class: "sub", {text::changed_not_all(plural(count), changes.changes)} }
        }
    }
}

/// When the first and the last of them were made, where the last was well before the clinic took it.
fn made_before(changes: &TrailChanges, taken: Timestamp) -> Option<(Timestamp, Timestamp)> {
    const WELL_MS: i64 = 60_000;
    let last = changes.made_until.filter(|made| taken.0 - made.0 >= WELL_MS)?;
    Some((changes.made_at.unwrap_or(last), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_done_well_before_has_a_time_of_its_own() {
        let made = |at: i64| {
            let changes = TrailChanges {
                changes: 1,
                made_at: Some(Timestamp(1_000)),
                made_until: Some(Timestamp(at)),
                fields: Vec::new(),
            };
            made_before(&changes, Timestamp(100_000))
        };
        assert_eq!(made(30_000), Some((Timestamp(1_000), Timestamp(30_000))));
        assert_eq!(made(50_000), None, "on its way");
        assert_eq!(made(500_000), None, "a device's clock that is ahead");
    }
}
