//! The keys that work everywhere, and the dialogs that can be opened from everywhere.

use super::keyboard::{KeyBoard, Meant};
use super::use_clinic;
use crate::host;
use crate::route::Route;
use dioxus::prelude::*;
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use shared_model::ids::{AccountId, PatientId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;

/// The dialog over the page, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OpenDialog {
    #[default]
    None,
    Palette,
    NewClient,
    /// Whatever is known already of the booking to be made.
    Book {
        patient: Option<PatientId>,
        vet: Option<AccountId>,
        start: Option<Timestamp>,
    },
    Keys,
}

impl OpenDialog {
    /// A booking of which nothing is known yet.
    pub(crate) const BOOK: Self = Self::Book {
        patient: None,
        vet: None,
        start: None,
    };
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Dialogs {
    open: Signal<OpenDialog>,
    /// Was open when the device locked.
    aside: CopyValue<OpenDialog>,
}

impl Dialogs {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        Self {
            open: Signal::new(OpenDialog::None),
            aside: CopyValue::new(OpenDialog::None),
        }
    }

    pub(crate) fn now(self) -> OpenDialog {
        *self.open.read()
    }

    pub(crate) fn open(mut self, dialog: OpenDialog) {
        self.open.set(dialog);
    }

    pub(crate) fn close(mut self) {
        self.open.set(OpenDialog::None);
    }

    /// The device has locked.
    pub(crate) fn put_aside(mut self) {
        let open = *self.open.peek();
        self.aside.set(open);
        self.close();
    }

    /// Somebody has unlocked: the dialog opens again for who opened it. False if there is none.
    pub(crate) fn take_back(mut self, same_person: bool) -> bool {
        let aside = self.aside.replace(OpenDialog::None);
        let opens = same_person && aside != OpenDialog::None;
        if opens {
            self.open(aside);
        }
        opens
    }
}

pub(crate) fn use_dialogs() -> Dialogs {
    use_context::<Dialogs>()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcut {
    Palette,
    Book,
    NewClient,
    Keys,
    Lock,
    Day,
    Patients,
    Clients,
}

impl Shortcut {
    pub(super) fn of_key(key: &str) -> Option<Self> {
        match key {
            "b" | "B" => Some(Self::Book),
            "n" | "N" => Some(Self::NewClient),
            "l" | "L" => Some(Self::Lock),
            "?" => Some(Self::Keys),
            _ => None,
        }
    }

    /// The second key after G.
    pub(super) fn place(key: &str) -> Option<Self> {
        match key {
            "d" | "D" => Some(Self::Day),
            "p" | "P" => Some(Self::Patients),
            "c" | "C" => Some(Self::Clients),
            _ => None,
        }
    }
}

/// Listens to the keys of the whole program while the shell is shown.
pub(crate) fn use_shortcuts() {
    let keys = use_context::<KeyBoard>();
    let dialogs = use_dialogs();
    let clinic = use_clinic();
    let navigator = use_navigator();
    let host = host::use_host();
    use_hook(move || {
        let (meant, mut pressed) = unbounded::<Meant>();
        let listener = host::listen_keys(move |press| match keys.meaning(press, host::now()) {
            Some(what) => meant.unbounded_send(what).is_ok(),
            None => false,
        });
        spawn(async move {
            let _listener = listener;
            while let Some(what) = pressed.next().await {
                let staff = clinic
                    .peek()
                    .as_ref()
                    .and_then(|clinic| clinic.me.as_ref())
                    .is_some_and(Principal::is_staff);
                match what {
                    Meant::Nothing => {}
                    Meant::Page(act) => act.call(()),
                    // What an owner's screens do not have, keys do not have either.
                    Meant::Global(_) if !staff => {}
                    Meant::Global(shortcut) => {
                        let go = |route| drop(navigator.push(route));
                        match shortcut {
                            Shortcut::Palette => dialogs.open(OpenDialog::Palette),
                            Shortcut::Book => dialogs.open(OpenDialog::BOOK),
                            Shortcut::NewClient => dialogs.open(OpenDialog::NewClient),
                            Shortcut::Keys => dialogs.open(OpenDialog::Keys),
                            Shortcut::Lock => host.lock(),
                            Shortcut::Day => go(Route::Day {}),
                            Shortcut::Patients => go(Route::Patients {}),
                            Shortcut::Clients => go(Route::Clients {}),
                        }
                    }
                }
            }
        });
    });
}
