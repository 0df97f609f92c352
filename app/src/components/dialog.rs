//! A dialog over its scrim; a sheet on a phone.
//!
//! Invariants: while it is open the focus stays inside, and when it closes the focus goes back to where it was. What holds it
//! open is asked first, whichever way somebody closes it.

use super::{KeyBoard, icon, use_element_id, use_held_open};
use crate::host::{self, FormerFocus};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdX;

/// `keep_open`: a click beside it does not close it, because something was typed. Esc and the button do.
#[component]
pub(crate) fn Dialog(
    #[props(into)] title: String,
    on_close: EventHandler<()>,
    #[props(default)] wide: bool,
    #[props(default)] keep_open: bool,
    #[props(default = VNode::empty())] foot: Element,
    children: Element,
) -> Element {
    let id = use_element_id("dialog");
    let title_id = format!("{id}-title");
    let class = if wide { "dialog dialog--wide" } else { "dialog" };
    let held = use_held_open();
    let close = move |()| held.leave(|| on_close.call(()));
    rsx! {
        Modal { id: id.clone(), class, labelled_by: title_id.clone(), on_close: close, keep_open,
            div { class: "dialog__head",
                h2 { class: "dialog__title", id: title_id, {title} }
                button {
                    class: "btn btn--quiet btn--icon",
                    r#type: "button",
                    "aria-label": text::close(),
                    onclick: move |_| close(()),
                    {icon(LdX)}
                }
            }
            div { class: "dialog__body", {children} }
            if foot != VNode::empty() {
                div { class: "dialog__foot", {foot} }
            }
        }
    }
}

/// The behaviour of a dialog without its looks.
#[component]
pub(crate) fn Modal(
    id: String,
    class: &'static str,
    #[props(default)] labelled_by: Option<String>,
    #[props(default)] label: Option<String>,
    on_close: EventHandler<()>,
    #[props(default)] keep_open: bool,
    children: Element,
) -> Element {
    let keys = use_context::<KeyBoard>();
    use_hook(|| keys.modal_opened());
    let former = use_hook(|| CopyValue::new(Some(FormerFocus::remember())));
    use_drop(move || {
        keys.modal_closed();
        let mut former = former;
        let former = former.write().take();
        if let Some(former) = former {
            former.give_back();
        }
    });
    let (first, last, inside) = (id.clone(), id.clone(), id.clone());
    let kept = id.clone();
    // A press that begins inside and ends beside it, as when text is selected, closes nothing.
    let mut pressed_beside = use_signal(|| false);
    rsx! {
        div {
            class: "scrim",
            onmousedown: move |_| pressed_beside.set(true),
            onclick: move |_| {
                if pressed_beside() && !keep_open {
                    on_close.call(());
                }
            },
            span { class: "visually-hidden", tabindex: "0", onfocus: move |_| host::focus_last_in(&first) }
            div {
                id,
                class,
                role: "dialog",
                "aria-modal": "true",
                "aria-labelledby": labelled_by,
                "aria-label": label,
                tabindex: "-1",
                onmounted: move |_| host::focus_into(&inside),
                onmousedown: move |event| {
                    event.stop_propagation();
                    pressed_beside.set(false);
                },
                onclick: move |event| {
                    event.stop_propagation();
                    spawn(keep_focus(kept.clone()));
                },
                onkeydown: move |event| {
                    if event.key() == Key::Escape {
                        event.stop_propagation();
                        on_close.call(());
                    }
                },
                {children}
            }
            span { class: "visually-hidden", tabindex: "0", onfocus: move |_| host::focus_first_in(&last) }
        }
    }
}

/// What was pressed may be gone, and the focus with it; Tab and Esc are heard in the dialog alone.
async fn keep_focus(id: String) {
    // Until what the press brought is drawn.
    host::sleep(30).await;
    if !host::has_focus_within(PROGRAM).await {
        host::focus_into(&id);
    }
}

/// The element that everything is drawn in, on the page and in the window.
const PROGRAM: &str = "main";
