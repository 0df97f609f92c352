//! This device has nowhere to keep the records: why, and what to do about it.

use crate::components::{EmptyState, icon, icon_xl, use_title};
use crate::host::{self, HostTrouble, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdAppWindow, LdCircleAlert, LdCopy, LdHardDrive, LdPackage, LdRefreshCw,
};
use local_core::StorageTrouble;

#[component]
pub(crate) fn NoStorePage(trouble: HostTrouble) -> Element {
    use_title(text::cannot_open());
    let copied = use_signal(|| None::<bool>);
    let host = use_host();
    let (icon, title, words) = match &trouble {
        HostTrouble::NoPrivateFiles => (
            icon_xl(LdHardDrive),
            text::private_window(),
            text::private_window_do().to_owned(),
        ),
        HostTrouble::OpenElsewhere | HostTrouble::Storage(StorageTrouble::InUse) => (
            icon_xl(LdAppWindow),
            text::open_elsewhere(),
            text::open_elsewhere_do().to_owned(),
        ),
        HostTrouble::Storage(StorageTrouble::NewerStore) => (
            icon_xl(LdPackage),
            text::update_needed(),
            text::storage(StorageTrouble::NewerStore).to_owned(),
        ),
        HostTrouble::Storage(trouble) => (
            icon_xl(LdHardDrive),
            text::records_cannot_be_opened(),
            text::storage(*trouble).to_owned(),
        ),
        HostTrouble::Other(_) => (
            icon_xl(LdCircleAlert),
            text::something_broke(),
            text::something_broke_do().to_owned(),
        ),
    };
    let private = trouble == HostTrouble::NoPrivateFiles;
    rsx! {
        main { class: "sign-in", id: "content",
            div { class: "sign-in__card", role: "alert",
                EmptyState {
                    icon,
                    title,
                    text: words,
                    page: true,
                    actions: rsx! {
                        if private {
                            CopyAddress { copied }
                        } else {
                            button { class: "btn btn--primary", r#type: "button", onclick: move |_| host.open_again(),
                                {crate::components::icon(LdRefreshCw)}
                                {text::try_again()}
                            }
                        }
                    },
                }
                if let HostTrouble::Other(detail) = &trouble {
                    p { class: "faint", {detail.clone()} }
                }
            }
        }
    }
}

#[component]
fn CopyAddress(copied: Signal<Option<bool>>) -> Element {
    let mut copied = copied;
    rsx! {
        button {
            class: "btn btn--primary",
            r#type: "button",
            onclick: move |_| {
                let copying = host::copy_address();
                spawn(async move { copied.set(Some(copying.await)) });
            },
            {icon(LdCopy)}
            span { "aria-live": "polite",
                {copied().map_or(text::copy_address(), text::whether_copied)}
            }
        }
    }
}
