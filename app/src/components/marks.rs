//! Small marks beside a name: who it is, which animal, what is true of it.

use super::Tint;
use dioxus::prelude::*;
use shared_model::documents::Species;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Size {
    Small,
    #[default]
    Normal,
    Large,
}

/// A person's two letters. The name stands beside it.
#[component]
pub(crate) fn Avatar(
    #[props(into)] initials: String,
    #[props(default = Tint::Accent)] tone: Tint,
    #[props(default)] size: Size,
) -> Element {
    let class = if size == Size::Large {
        "avatar avatar--lg"
    } else {
        "avatar"
    };
    rsx! {
        span { class, "data-tone": tone.word(), "aria-hidden": "true", {initials} }
    }
}

/// An animal's kind as a drawing. Its name stands beside it.
#[component]
pub(crate) fn SpeciesMark(species: Species, #[props(default)] size: Size) -> Element {
    let class = match size {
        Size::Small => "species species--sm",
        Size::Normal => "species",
        Size::Large => "species species--lg",
    };
    rsx! {
        span { class, "data-species": drawing(species), "aria-hidden": "true" }
    }
}

/// Which of the drawings a species has.
fn drawing(species: Species) -> &'static str {
    match species {
        Species::Dog => "dog",
        Species::Cat => "cat",
        Species::Rabbit => "rabbit",
        Species::GuineaPig | Species::Rodent => "rodent",
        Species::Ferret => "ferret",
        Species::Bird => "bird",
        Species::Reptile => "reptile",
        Species::Horse => "horse",
        Species::Other => "other",
    }
}

/// A word that cannot be pressed.
#[component]
pub(crate) fn Pill(
    #[props(default)] tone: Tint,
    #[props(default = VNode::empty())] icon: Element,
    #[props(default)] small: bool,
    children: Element,
) -> Element {
    rsx! {
        span { class: if small { "pill pill--sm" } else { "pill" }, "data-tone": tone.word(),
            {icon}
            {children}
        }
    }
}

/// A count beside a word; `said` is what the count means, for those who do not see where it stands.
#[component]
pub(crate) fn Badge(
    count: u64,
    #[props(default = Tint::Accent)] tone: Tint,
    #[props(into)] said: String,
) -> Element {
    rsx! {
        span { class: "badge", "data-tone": tone.word(),
            "{count}"
            span { class: "visually-hidden", " {said}" }
        }
    }
}
