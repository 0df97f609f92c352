//! The device is locked: who works here, and what each of them unlocks it with.
//!
//! Place in the flow: before there is a core. Invariant: nothing of any record is on this screen, and nothing on it needs a
//! network but signing in.

mod keypad;
mod set_pin;
mod unlock_form;

pub(crate) use set_pin::{PinBanner, PinDialog};

use crate::components::{Avatar, Size, Tint, icon, logo, use_dialogs, use_held_open, use_title, use_toasts};
use crate::host::{self, Locked, UnlockTrouble, use_host};
use crate::text;
use crate::views::sign_in::{LeftAlert, SignInForm, WithoutPassword};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdArrowLeft, LdChevronRight, LdCloudOff, LdLock, LdUserPlus};
use local_core::unlock::PersonHere;
use shared_model::ids::AccountId;
use unlock_form::UnlockForm;

/// What stands in the middle of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    People,
    Person(AccountId),
    SignIn,
}

impl Shown {
    fn first(locked: &Locked) -> Self {
        match &locked.people[..] {
            _ if locked.signs_in => Self::SignIn,
            [] => Self::SignIn,
            [only] => Self::Person(only.account),
            _ => Self::People,
        }
    }
}

#[component]
pub(crate) fn LockPage(locked: Locked) -> Element {
    use_title(text::locked());
    let (toasts, dialogs, held) = (use_toasts(), use_dialogs(), use_held_open());
    use_hook(move || {
        // Whoever comes next is somebody else, perhaps.
        toasts.clear();
        dialogs.put_aside();
    });
    let mut shown = use_signal(|| Shown::first(&locked));
    // Lives here, so that it outlives the form of a way that is gone.
    let trouble = use_signal(|| None::<UnlockTrouble>);
    let now_shown = shown();
    let person = match now_shown {
        Shown::Person(account) => locked
            .people
            .iter()
            .find(|person| person.account == account)
            .cloned(),
        Shown::People | Shown::SignIn => None,
    };
    let nobody = locked.people.is_empty();
    let mut show = move |next: Shown| {
        let mut trouble = trouble;
        trouble.set(None);
        shown.set(next);
    };
    rsx! {
        main { class: "sign-in lock", id: "content",
            div { class: "sign-in__card",
                div { class: "sign-in__brand",
                    if let Some(person) = &person {
                        Avatar { initials: text::initials(&person.name), tone: Tint::Violet, size: Size::Large }
                        h1 { {person.name.clone()} }
                    } else {
                        {logo()}
                        h1 {
                            if now_shown == Shown::SignIn {
                                {text::sign_in_to_clinic()}
                            } else {
                                {text::who_works_here()}
                            }
                        }
                    }
                    Waiting { waiting: locked.waiting }
                }
                LeftAlert {}
                if let Some(person) = person {
                    UnlockForm { key: "{person.account}", person, trouble }
                } else if now_shown == Shown::SignIn {
                    SignInForm {}
                } else {
                    People { people: locked.people.clone(), on_choose: move |account| show(Shown::Person(account)) }
                }
                div { class: "lock__other",
                    if !nobody && now_shown != Shown::People && (locked.people.len() > 1 || now_shown == Shown::SignIn) {
                        button { class: "btn btn--quiet", r#type: "button", onclick: move |_| held.leave(|| show(Shown::People)),
                            {icon(LdArrowLeft)}
                            {text::who_works_here()}
                        }
                    }
                    if now_shown == Shown::SignIn {
                        WithoutPassword {}
                    } else {
                        button { class: "btn btn--quiet", r#type: "button", onclick: move |_| show(Shown::SignIn),
                            {icon(LdUserPlus)}
                            {text::sign_in_with_email()}
                        }
                    }
                }
            }
            p { class: "sign-in__foot",
                {icon(LdLock)}
                {text::locked_why()}
            }
        }
    }
}

/// What the clinic does not have yet, as a number alone.
#[component]
fn Waiting(waiting: Option<u64>) -> Element {
    let words = match waiting {
        Some(0) => return rsx! {},
        Some(count) => text::locked_waiting(i64::try_from(count).unwrap_or(i64::MAX)),
        None => text::locked_may_wait().to_owned(),
    };
    rsx! {
        p { class: "sub lock__waiting",
            {icon(LdCloudOff)}
            {words}
        }
    }
}

#[component]
fn People(people: Vec<PersonHere>, on_choose: EventHandler<AccountId>) -> Element {
    rsx! {
        ul { class: "people", id: "people", "aria-label": text::who_works_here(), onmounted: |_| host::focus_first_in("people"),
            for person in people {
                li { key: "{person.account}",
                    button {
                        class: "list__row",
                        r#type: "button",
                        onclick: move |_| on_choose.call(person.account),
                        Avatar { initials: text::initials(&person.name), tone: Tint::Violet }
                        span { class: "list__main",
                            span { class: "list__title", {person.name.clone()} }
                        }
                        span { class: "list__end list__sub",
                            if person.pin_tries.is_some() {
                                {text::pin()}
                            } else if person.has_password {
                                {text::password()}
                            } else {
                                {text::sign_in()}
                            }
                            {icon(LdChevronRight)}
                        }
                    }
                }
            }
        }
    }
}

/// Over everything while the device is about to lock: what is typed is being saved beneath it.
#[component]
pub(crate) fn LockCover() -> Element {
    let covered = use_host().covered;
    rsx! {
        if covered() {
            div { class: "lock-cover", role: "status",
                {logo()}
                p { class: "sub", {text::locking()} }
            }
        }
    }
}
