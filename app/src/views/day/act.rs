//! What can be done with an appointment: one command, one sentence that says what happened, and the way back.

use crate::components::{Toasts, use_toasts};
use crate::host::{Host, use_host};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus::router::Navigator;
use local_core::query::DayItem;
use shared_model::commands::{
    CancelAppointment, CheckIn, CheckOut, Command, MoveAppointment, ReinstateAppointment, StartVisit,
    UndoCheckIn, UndoCheckOut,
};
use shared_model::documents::Slot;
use shared_model::ids::VisitId;

use super::stage::title;

/// The steps of an appointment's way, forward and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    CheckIn,
    UndoCheckIn,
    StartVisit,
    OpenVisit,
    CheckOut,
    UndoCheckOut,
    Reinstate,
}

#[derive(Clone, Copy)]
pub(super) struct Acts {
    host: Host,
    toasts: Toasts,
    navigator: Navigator,
}

pub(super) fn use_acts() -> Acts {
    let (host, toasts, navigator) = (use_host(), use_toasts(), use_navigator());
    Acts {
        host,
        toasts,
        navigator,
    }
}

impl Acts {
    /// The task belongs to the root: what started it may be closed before it ends.
    fn run(self, command: impl Into<Command>, done: String, undo: Option<Command>) {
        let command = command.into();
        let Self { host, toasts, .. } = self;
        dioxus::core::spawn_forever(async move {
            match host.run(command).await {
                Ok(_) => match undo {
                    Some(undo) => toasts.undo(done, undo),
                    None => toasts.say(done),
                },
                Err(failure) => toasts.failed(&failure),
            }
        });
    }

    /// Does one step of an appointment's way.
    pub(super) fn take(self, step: Step, item: &DayItem) {
        let appointment = item.id;
        let name = title(item);
        let (command, done, undo): (Command, String, Option<Command>) = match step {
            Step::CheckIn => (
                CheckIn { appointment }.into(),
                text::checked_in(name),
                Some(UndoCheckIn { appointment }.into()),
            ),
            Step::UndoCheckIn => (
                UndoCheckIn { appointment }.into(),
                text::check_in_undone(name),
                Some(CheckIn { appointment }.into()),
            ),
            Step::CheckOut => (
                CheckOut { appointment }.into(),
                text::checked_out(name),
                Some(UndoCheckOut { appointment }.into()),
            ),
            Step::UndoCheckOut => (
                UndoCheckOut { appointment }.into(),
                text::check_out_undone(name),
                Some(CheckOut { appointment }.into()),
            ),
            Step::Reinstate => (
                ReinstateAppointment { appointment }.into(),
                text::reinstated(text::clock(item.start_minute), name),
                None,
            ),
            Step::StartVisit => return self.start_visit(item),
            Step::OpenVisit => return self.open_visit(item),
        };
        self.run(command, done, undo);
    }

    pub(super) fn cancel(self, item: &DayItem, reason: String) {
        let appointment = item.id;
        let undo = ReinstateAppointment { appointment }.into();
        let done = text::cancelled(text::clock(item.start_minute), title(item));
        self.run(CancelAppointment { appointment, reason }, done, Some(undo));
    }

    /// `place` says the new place: "10:50, Dr Lind".
    pub(super) fn move_to(self, item: &DayItem, slot: Slot, place: String) {
        let appointment = item.id;
        let undo = MoveAppointment {
            appointment,
            slot: item.slot,
        };
        let done = text::moved(title(item), place);
        self.run(MoveAppointment { appointment, slot }, done, Some(undo.into()));
    }

    /// Decides between two places that were chosen at the same time; there is nothing to go back to.
    pub(super) fn settle(self, item: &DayItem, slot: Slot, place: String) {
        let appointment = item.id;
        self.run(
            MoveAppointment { appointment, slot },
            text::moved(title(item), place),
            None,
        );
    }

    /// Opens the visit's page once the visit is on this device.
    fn start_visit(self, item: &DayItem) {
        let Some(patient) = item.patient else { return };
        let visit = VisitId::of_appointment(item.id);
        let command = StartVisit {
            visit,
            appointment: Some(item.id),
            patient,
            vet: item.slot.vet,
            reason: item.reason.clone(),
        };
        let Self {
            host,
            toasts,
            navigator,
        } = self;
        dioxus::core::spawn_forever(async move {
            match host.run(command).await {
                Ok(_) => drop(navigator.push(Route::Visit { id: visit })),
                Err(failure) => toasts.failed(&failure),
            }
        });
    }

    fn open_visit(self, item: &DayItem) {
        let id = item.visit.unwrap_or_else(|| VisitId::of_appointment(item.id));
        self.navigator.push(Route::Visit { id });
    }
}
