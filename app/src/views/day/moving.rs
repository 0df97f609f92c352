//! Moving an appointment, with the pointer or with keys: the state of it and the bar that says where it would go.

use crate::components::{icon, use_clinic};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdTriangleAlert;
use jiff::tz::TimeZone;
use local_core::query::{DayItem, DayView};
use shared_model::documents::Slot;
use shared_model::ids::AppointmentId;
use shared_model::time::Timestamp;
use std::rc::Rc;

use super::act::{Acts, use_acts};
use super::place::{Moving, Place, STEP, Span, is_closed, taken_by};
use super::stage::title;
use super::use_page;

/// The element that has the focus while something is moved by keys.
pub(super) const GRID_ID: &str = "day-grid";

/// A press becomes a drag after so many pixels, so that a shaky click still opens the card.
const SLACK: f64 = 6.0;

/// Where a pointer went down on a card.
#[derive(Clone, Copy, PartialEq)]
struct Press {
    id: AppointmentId,
    at: (f64, f64),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Mover {
    view: Memo<Option<DayView>>,
    pub(super) moving: Signal<Option<Moving>>,
    pressed: Signal<Option<Press>>,
    /// A drag has just ended; the click that follows it opens nothing.
    dragged: Signal<bool>,
    /// Dropped there, and to be focused as soon as the view shows it there.
    landed: Signal<Option<Moving>>,
    /// The columns' common box on the screen.
    pub(super) body: Signal<Option<Rc<MountedData>>>,
    move_to: Callback<(DayItem, Slot, String)>,
    zone: ReadSignal<TimeZone>,
}

pub(super) fn card_id(id: AppointmentId) -> String {
    format!("appointment-{id}")
}

pub(super) fn use_mover(view: Memo<Option<DayView>>) -> Mover {
    let acts: Acts = use_acts();
    let move_to =
        use_callback(move |(item, slot, place): (DayItem, Slot, String)| acts.move_to(&item, slot, place));
    let clinic = use_clinic();
    let zone = use_memo(move || {
        clinic
            .read()
            .as_ref()
            .map_or(TimeZone::UTC, |clinic| clinic.profile.zone())
    });
    let moving = use_signal(|| None);
    let pressed = use_signal(|| None);
    let dragged = use_signal(|| false);
    let mut landed = use_signal(|| None::<Moving>);
    use_effect(move || {
        let Some(moving) = *landed.read() else { return };
        let view = view.read();
        let item = view
            .as_ref()
            .and_then(|view| view.items.iter().find(|item| item.id == moving.id));
        if item.is_some_and(|item| item.column == moving.to.column && item.start_minute == moving.to.minute) {
            host::focus(&card_id(moving.id));
            landed.set(None);
        }
    });
    let body = use_signal(|| None);
    use_hook(|| Mover {
        view,
        moving,
        pressed,
        dragged,
        landed,
        body,
        move_to,
        zone: zone.into(),
    })
}

impl Mover {
    fn item(self, id: AppointmentId) -> Option<DayItem> {
        let view = self.view.peek();
        view.as_ref()?.items.iter().find(|item| item.id == id).cloned()
    }

    fn span(self) -> (Span, usize) {
        let view = self.view.peek();
        view.as_ref().map_or((Span { from: 480, to: 1080 }, 0), |view| {
            (Span::of(view.hours, &view.items), view.columns.len())
        })
    }

    /// By keys, from the card or from its dialog.
    pub(super) fn start(mut self, id: AppointmentId) {
        if let Some(item) = self.item(id) {
            self.moving.set(Some(Moving::of(&item)));
            // At once, because the next key may come at once, and after the dialog that may have asked for it has given
            // the focus back.
            host::focus(GRID_ID);
            spawn(async move {
                host::sleep(30).await;
                if self.moving.peek().is_some() {
                    host::focus(GRID_ID);
                }
            });
        }
    }

    pub(super) fn leave(mut self) {
        if let Some(moving) = self.moving.take() {
            spawn(async move {
                // Its card is drawn again first.
                host::sleep(30).await;
                host::focus(&card_id(moving.id));
            });
        }
        self.pressed.set(None);
    }

    /// Drops it where it is.
    pub(super) fn drop_here(mut self) {
        let Some(moving) = self.moving.take() else { return };
        self.pressed.set(None);
        let view = self.view.peek();
        let (Some(view), Some(item)) = (view.as_ref(), self.item(moving.id)) else {
            return;
        };
        let Some(column) = view.columns.get(moving.to.column) else {
            return;
        };
        if moving.to != moving.from {
            let slot = Slot {
                start: Timestamp::at_wall_clock(view.date, moving.to.minute, &self.zone.peek()),
                vet: column.vet,
                ..item.slot
            };
            let place = text::clock_and_vet(text::clock(moving.to.minute), &column.name);
            self.move_to.call((item, slot, place));
        }
        self.landed.set(Some(moving));
    }

    pub(super) fn key(self, event: &KeyboardEvent) {
        let mut moving = self.moving;
        let (span, columns) = self.span();
        let mut step = |minutes, aside| {
            if let Some(moving) = moving.write().as_mut() {
                moving.step(minutes, aside, span, columns);
            }
        };
        if self.moving.peek().is_none() {
            return;
        }
        match event.key() {
            Key::ArrowUp => step(-STEP, 0),
            Key::ArrowDown => step(STEP, 0),
            Key::PageUp => step(-60, 0),
            Key::PageDown => step(60, 0),
            Key::ArrowLeft => step(0, -1),
            Key::ArrowRight => step(0, 1),
            Key::Escape => self.leave(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    pub(super) fn pressed(mut self, id: AppointmentId, event: &PointerEvent) {
        // A finger scrolls; it moves appointments by way of the card's dialog.
        if event.pointer_type() != "touch"
            && event.trigger_button() == Some(dioxus::html::input_data::MouseButton::Primary)
        {
            let at = event.client_coordinates();
            self.dragged.set(false);
            self.pressed.set(Some(Press { id, at: (at.x, at.y) }));
        }
    }

    pub(super) fn pointer_moved(self, event: &PointerEvent) {
        let Some(press) = *self.pressed.peek() else { return };
        if event.held_buttons().is_empty() {
            // Released outside of the page: it stays where it was shown last, and the bar asks what to do.
            let mut pressed = self.pressed;
            pressed.set(None);
            return;
        }
        let at = event.client_coordinates();
        let at = (at.x, at.y);
        let begins = self.moving.peek().is_none();
        if begins && (at.0 - press.at.0).abs().max((at.1 - press.at.1).abs()) < SLACK {
            return;
        }
        self.follow(press, at);
    }

    /// Puts what is dragged under the pointer.
    fn follow(mut self, press: Press, at: (f64, f64)) {
        let Some(body) = self.body.peek().clone() else {
            return;
        };
        let Some(item) = self.item(press.id) else { return };
        let (span, columns) = self.span();
        spawn(async move {
            let Ok(rect) = body.get_client_rect().await else {
                return;
            };
            let size = (rect.size.width, rect.size.height);
            let inside = |(x, y): (f64, f64)| (x - rect.origin.x, y - rect.origin.y);
            // The button may have been released while the box was measured.
            if self.pressed.peek().is_none() {
                return;
            }
            let mut moving = (*self.moving.peek()).unwrap_or_else(|| Moving::of(&item));
            let held_at = *moving.held_at.get_or_insert_with(|| {
                let pressed = span.at(inside(press.at), size, columns);
                (pressed.minute - item.start_minute).max(0)
            });
            let under = span.at(inside(at), size, columns);
            let place = Place {
                minute: under.minute - held_at,
                ..under
            };
            moving.put(place, span, columns);
            self.dragged.set(true);
            if *self.moving.peek() != Some(moving) {
                self.moving.set(Some(moving));
            }
        });
    }

    pub(super) fn pointer_up(mut self) {
        let dragging = self.pressed.take().is_some() && self.moving.peek().is_some();
        if dragging {
            self.drop_here();
        }
    }

    fn is_dragging(self) -> bool {
        self.pressed.read().is_some() && self.moving.read().is_some_and(|moving| moving.held_at.is_some())
    }

    /// Whether the click that has come belongs to a drag.
    pub(super) fn was_drag(mut self) -> bool {
        self.dragged.replace(false)
    }

    /// A press on an empty place while something is moved by keys puts it there.
    pub(super) fn put(mut self, place: Place) {
        let (span, columns) = self.span();
        if let Some(moving) = self.moving.write().as_mut() {
            moving.put(place, span, columns);
        }
    }
}

/// Says where it would go, to eyes and ears, and how to end it.
#[component]
pub(super) fn MoveBar() -> Element {
    let page = use_page();
    let mover = page.mover;
    let Some(moving) = *mover.moving.read() else {
        return VNode::empty();
    };
    let view = page.view.read();
    let (Some(view), Some(item)) = (view.as_ref(), page.item(moving.id)) else {
        return VNode::empty();
    };
    let vet = view
        .columns
        .get(moving.to.column)
        .map(|column| column.name.clone())
        .unwrap_or_default();
    let taken = taken_by(view, &moving).map(title);
    let closed = is_closed(view.hours, moving.to.minute, moving.end());
    // A drag shows itself; the bar would push the grid away from under the pointer.
    let class = if mover.is_dragging() {
        "visually-hidden"
    } else {
        "move-bar"
    };
    rsx! {
        div { class,
            div { role: "status",
                b { {text::moving_to(text::clock(moving.to.minute), title(&item), vet)} }
                if let Some(other) = taken {
                    " "
                    span { {icon(LdTriangleAlert)} {text::moving_onto(other)} }
                } else if closed {
                    " "
                    span { {icon(LdTriangleAlert)} {text::moving_to_closed()} }
                }
            }
            if moving.held_at.is_none() {
                span { "aria-hidden": "true",
                    kbd { "↑" }
                    kbd { "↓" }
                    {text::ten_minutes()}
                }
                span { "aria-hidden": "true",
                    kbd { "←" }
                    kbd { "→" }
                    {text::other_vet()}
                }
            }
            div { class: "push",
                button { class: "btn btn--sm", r#type: "button", onclick: move |_| mover.leave(),
                    {text::leave_at(text::clock(moving.from.minute))}
                    " "
                    kbd { "Esc" }
                }
                button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| mover.drop_here(),
                    {text::move_here()}
                    " "
                    kbd { {text::enter_key()} }
                }
            }
        }
    }
}
