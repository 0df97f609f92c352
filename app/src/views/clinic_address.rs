//! Where the clinic is: asked of people whose program came from no clinic's server.

use crate::components::TextField;
use crate::host::{self, AddressTrouble, use_host};
use crate::text;
use dioxus::prelude::*;

const FIELD: &str = "clinic-address";

#[derive(Clone, Copy, PartialEq)]
pub(super) struct ClinicAddress {
    is_asked: bool,
    typed: Signal<String>,
    trouble: Signal<Option<AddressTrouble>>,
}

/// Asked unless it is known: where records of a clinic are, open or locked, everybody signs in at that one. With another
/// address whoever stands before a locked device would have the tokens of all who unlock it later.
pub(super) fn use_clinic_address() -> ClinicAddress {
    let host = use_host();
    ClinicAddress {
        is_asked: use_hook(|| host::asks_for_address() && !host.has_a_clinic()),
        typed: use_signal(host::remembered_address),
        trouble: use_signal(|| None),
    }
}

impl ClinicAddress {
    /// Whether it is the first field that waits to be filled.
    pub(super) fn comes_first(self) -> bool {
        self.is_asked && host::remembered_address().is_empty()
    }

    /// Keeps what was typed; false if it is no address, which the field then says.
    pub(super) fn keep(mut self) -> bool {
        if self.is_asked {
            self.trouble.set(host::keep_address(&self.typed.peek()).err());
        }
        if self.trouble.peek().is_some() {
            host::focus(FIELD);
        }
        self.trouble.peek().is_none()
    }
}

#[component]
pub(super) fn AddressField(address: ClinicAddress) -> Element {
    let mut trouble = address.trouble;
    let autofocus = use_hook(|| address.comes_first());
    if !address.is_asked {
        return rsx! {};
    }
    rsx! {
        TextField {
            id: FIELD,
            label: text::clinic_address(),
            value: address.typed,
            hint: text::clinic_address_hint().to_owned(),
            autocomplete: "url",
            autofocus,
            error: trouble().map(|trouble| text::address_trouble(trouble).to_owned()),
            on_input: move |_| trouble.set(None),
        }
    }
}
