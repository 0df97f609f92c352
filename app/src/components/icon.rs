//! Icons are drawn beside words and never stand for one: they are hidden from assistive technology.

use dioxus::prelude::*;
use dioxus_free_icons::IconShape;

/// A Lucide shape at the size of the text beside it.
pub(crate) fn icon(shape: impl IconShape) -> Element {
    draw(&shape, "icon")
}

pub(crate) fn icon_sm(shape: impl IconShape) -> Element {
    draw(&shape, "icon icon--sm")
}

pub(crate) fn icon_lg(shape: impl IconShape) -> Element {
    draw(&shape, "icon icon--lg")
}

pub(crate) fn icon_xl(shape: impl IconShape) -> Element {
    draw(&shape, "icon icon--xl")
}

fn draw(shape: &dyn IconShape, class: &'static str) -> Element {
    let (fill, stroke, stroke_width) = shape.fill_and_stroke("currentColor");
    rsx! {
        svg {
            class,
            "aria-hidden": "true",
            view_box: shape.view_box(),
            width: "16",
            height: "16",
            fill,
            stroke,
            stroke_width,
            stroke_linecap: shape.stroke_linecap(),
            stroke_linejoin: shape.stroke_linejoin(),
            {shape.child_elements()}
        }
    }
}
