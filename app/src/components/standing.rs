//! What every screen may ask: which clinic, who is signed in, how the connection stands, what day it is there.

use crate::host::{self, use_query};
use dioxus::prelude::*;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use local_core::query::{ClinicView, StatusView};
use local_core::{Query, View};
use shared_model::permissions::{Principal, Role};
use shared_model::time::Timestamp;

#[derive(Clone, Copy)]
struct Standing {
    clinic: ReadSignal<Option<ClinicView>>,
    status: ReadSignal<Option<StatusView>>,
    minute: ReadSignal<Timestamp>,
}

/// Watches both for everything below; once, at the root of what is shown to somebody signed in.
pub(crate) fn provide_clinic() {
    let clinic_view = use_query(Query::Clinic);
    let status_view = use_query(Query::Status);
    let clinic = use_memo(move || match &*clinic_view.read() {
        Some(View::Clinic(clinic)) => Some(clinic.clone()),
        _ => None,
    });
    let status = use_memo(move || match &*status_view.read() {
        Some(View::Status(status)) => Some(status.clone()),
        _ => None,
    });
    let mut minute = use_signal(host::now);
    use_future(move || async move {
        loop {
            let into = u32::try_from(host::now().0.rem_euclid(60_000)).unwrap_or(0);
            host::sleep(60_000 - into).await;
            minute.set(host::now());
        }
    });
    use_context_provider(|| Standing {
        minute: minute.into(),
        clinic: clinic.into(),
        status: status.into(),
    });
}

/// `None` until the first answer came.
pub(crate) fn use_clinic() -> ReadSignal<Option<ClinicView>> {
    use_context::<Standing>().clinic
}

pub(crate) fn use_status() -> ReadSignal<Option<StatusView>> {
    use_context::<Standing>().status
}

/// The clinic's time zone.
pub(crate) fn use_zone() -> TimeZone {
    use_clinic()
        .read()
        .as_ref()
        .map_or(TimeZone::UTC, |clinic| clinic.profile.zone())
}

/// The device's clock, told anew every minute.
pub(crate) fn use_minute() -> ReadSignal<Timestamp> {
    use_context::<Standing>().minute
}

/// The day it is at the clinic now.
pub(crate) fn use_today() -> Date {
    use_minute().read().date_in(&use_zone())
}

/// Who is signed in.
pub(crate) fn use_me() -> Option<Principal> {
    let clinic = use_clinic();
    let clinic = clinic.read();
    clinic.as_ref().and_then(|clinic| clinic.me.clone())
}

/// Whether somebody of the clinic is signed in, and not an owner.
pub(crate) fn use_is_staff() -> bool {
    use_me().is_some_and(|me| me.is_staff())
}

/// Whether they have this role.
pub(crate) fn use_may(role: Role) -> bool {
    use_me().is_some_and(|me| me.roles.contains(&role))
}
