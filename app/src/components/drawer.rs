//! The sides of a page that fold away where the screen is narrow: drawers on a tablet, sheets on a phone.

use super::icon_lg;
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdMenu;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawer {
    /// The navigation.
    Nav,
    /// What stands left of the work.
    Context,
    /// What stands right of it.
    Side,
}

impl Drawer {
    /// The value of `data-drawer` on the shell.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nav => "nav",
            Self::Context => "context",
            Self::Side => "side",
        }
    }

    /// The id of the element that slides in.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Nav => "navigation",
            Self::Context => "page-context",
            Self::Side => "page-side",
        }
    }
}

/// Which drawer is open. Where the screen is wide the word means nothing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Drawers(Signal<Option<Drawer>>);

impl Drawers {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        Self(Signal::new(None))
    }

    pub(crate) fn now(self) -> Option<Drawer> {
        *self.0.read()
    }

    pub(crate) fn open(mut self, drawer: Drawer) {
        self.0.set(Some(drawer));
        spawn(async move {
            // It can take the focus once it is visible.
            host::sleep(50).await;
            host::focus_first_in(drawer.id());
        });
    }

    pub(crate) fn close(mut self) {
        if self.0.peek().is_some() {
            self.0.set(None);
        }
    }
}

pub(crate) fn use_drawers() -> Drawers {
    use_context::<Drawers>()
}

/// The button that opens a side of the page; shown only where the side is folded away.
#[component]
pub(crate) fn DrawerButton(drawer: Drawer, children: Element) -> Element {
    let drawers = use_drawers();
    rsx! {
        button {
            class: "btn btn--sm drawer__open",
            r#type: "button",
            "aria-expanded": "{drawers.now() == Some(drawer)}",
            onclick: move |_| drawers.open(drawer),
            {children}
        }
    }
}

/// First in a side: closes it where it is a drawer.
#[component]
pub(crate) fn DrawerClose() -> Element {
    let drawers = use_drawers();
    rsx! {
        button { class: "btn btn--quiet btn--sm drawer__close", r#type: "button", onclick: move |_| drawers.close(),
            {text::close()}
        }
    }
}

/// The three lines that open the navigation.
#[component]
pub(crate) fn NavButton() -> Element {
    let drawers = use_drawers();
    rsx! {
        button {
            class: "btn btn--quiet btn--icon top__menu",
            r#type: "button",
            "aria-label": text::menu(),
            "aria-expanded": "{drawers.now() == Some(Drawer::Nav)}",
            onclick: move |_| drawers.open(Drawer::Nav),
            {icon_lg(LdMenu)}
        }
    }
}
