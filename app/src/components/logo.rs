//! The clinic's mark: a paw on a tile.

use dioxus::prelude::*;

pub(crate) fn logo() -> Element {
    rsx! {
        svg { view_box: "0 0 32 32", "aria-hidden": "true",
            rect { class: "logo__tile", width: "32", height: "32", rx: "8" }
            g {
                class: "logo__paw",
                transform: "translate(16 16) scale(.92) translate(-12 -12.3)",
                stroke_linecap: "round",
                stroke_linejoin: "round",
                path { d: "M12 12.3c-2.7 0-5.1 2.7-5.1 5.1 0 1.7 1.2 2.6 2.7 2.6.9 0 1.6-.4 2.4-.4s1.5.4 2.4.4c1.5 0 2.7-.9 2.7-2.6 0-2.4-2.4-5.1-5.1-5.1z" }
                ellipse { cx: "5.1", cy: "11.3", rx: "1.5", ry: "2", transform: "rotate(-22 5.1 11.3)" }
                ellipse { cx: "9.2", cy: "6.5", rx: "1.6", ry: "2.2", transform: "rotate(-7 9.2 6.5)" }
                ellipse { cx: "14.8", cy: "6.5", rx: "1.6", ry: "2.2", transform: "rotate(7 14.8 6.5)" }
                ellipse { cx: "18.9", cy: "11.3", rx: "1.5", ry: "2", transform: "rotate(22 18.9 11.3)" }
            }
        }
    }
}
