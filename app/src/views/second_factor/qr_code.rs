//! A QR code, drawn from its modules.

use dioxus::prelude::*;
use std::fmt::Write as _;

/// What the standard wants to be left white around it, in modules (ISO/IEC 18004, 6.3.8).
const MARGIN: usize = 4;

/// `modules` row by row, eight to a byte from the highest bit on; dark on white in both themes, as cameras want it.
#[component]
pub(super) fn QrCode(side: u16, modules: Vec<u8>, #[props(into)] label: String) -> Element {
    let side = usize::from(side);
    let whole = side + 2 * MARGIN;
    rsx! {
        svg {
            class: "qr-code",
            role: "img",
            "aria-label": label,
            view_box: "0 0 {whole} {whole}",
            shape_rendering: "crispEdges",
            rect { width: "{whole}", height: "{whole}", fill: "#fff" }
            path { d: path(side, &modules), fill: "#000" }
        }
    }
}

/// A row's dark modules that lie side by side are one stroke.
fn path(side: usize, modules: &[u8]) -> String {
    let is_dark = |row: usize, column: usize| {
        let at = row * side + column;
        modules
            .get(at / 8)
            .is_some_and(|byte| byte & (0b1000_0000 >> (at % 8)) != 0)
    };
    let mut path = String::new();
    for row in 0..side {
        let mut column = 0;
        while column < side {
            let dark = (column..side).take_while(|at| is_dark(row, *at)).count();
            if dark > 0 {
                let (x, y) = (column + MARGIN, row + MARGIN);
                write!(path, "M{x} {y}h{dark}v1h-{dark}z").expect("a string takes everything");
            }
            column += dark.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_drawn_where_they_lie() {
        // # # .
        // . . #
        // # . #
        assert_eq!(
            path(3, &[0b1100_0110, 0b1000_0000]),
            "M4 4h2v1h-2zM6 5h1v1h-1zM4 6h1v1h-1zM6 6h1v1h-1z"
        );
        assert_eq!(path(3, &[]), "", "what did not come is light");
    }
}
