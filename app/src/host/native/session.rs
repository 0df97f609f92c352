//! What the system says of the person's session on this computer: its screen is locked, or everything goes to sleep.
//!
//! Place in the flow: beside the page. Invariant: where nobody says anything, the program works as without it, and locks by
//! its clock.

use futures_channel::mpsc::{UnboundedReceiver, unbounded};

/// Something comes whenever nobody is to see the records any more. To be called on the window's thread.
pub(crate) fn session_locks() -> UnboundedReceiver<()> {
    let (locks, heard) = unbounded();
    #[cfg(target_os = "linux")]
    logind::listen(locks);
    #[cfg(not(target_os = "linux"))]
    drop(locks);
    heard
}

/// systemd's login manager, or what takes its place under the same name.
#[cfg(target_os = "linux")]
mod logind {
    use futures_channel::mpsc::UnboundedSender;
    use gio::glib::{Variant, VariantDict, VariantTy};
    use gio::prelude::*;
    use gio::{BusType, Cancellable, DBusCallFlags, DBusConnection, DBusSignalFlags};

    const NAME: &str = "org.freedesktop.login1";
    const OBJECT: &str = "/org/freedesktop/login1";
    const MANAGER: &str = "org.freedesktop.login1.Manager";
    const SESSION: &str = "org.freedesktop.login1.Session";
    const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

    pub(super) fn listen(locks: UnboundedSender<()>) {
        gio::bus_get(BusType::System, Cancellable::NONE, move |bus| {
            // A computer without a bus has nobody to ask.
            let Ok(bus) = bus else { return };
            let sleeps = |said: &Variant| said.try_child_value(0).and_then(|going| going.get()) == Some(true);
            when(&bus, (MANAGER, "PrepareForSleep", OBJECT), sleeps, &locks);
            // The connection would go with whoever holds it last, and nothing more would be heard.
            std::mem::forget(bus.clone());
            // This program's session, or the one on its person's screen.
            let asked = ("auto",).to_variant();
            let answer = VariantTy::new("(o)").ok();
            let (flags, any_time) = (DBusCallFlags::NONE, -1);
            let of_session = bus.clone();
            bus.call(
                Some(NAME),
                OBJECT,
                MANAGER,
                "GetSession",
                Some(&asked),
                answer,
                flags,
                any_time,
                Cancellable::NONE,
                move |found| {
                    // There may be a login manager and no session, as for a program that somebody started from afar.
                    let Ok(found) = found else { return };
                    let path = found.child_value(0);
                    let Some(path) = path.str() else { return };
                    when(&of_session, (SESSION, "Lock", path), |_| true, &locks);
                    when(
                        &of_session,
                        (PROPERTIES, "PropertiesChanged", path),
                        is_locked,
                        &locks,
                    );
                },
            );
        });
    }

    /// Tells `locks` of every signal of an object that means it, for as long as the program lives.
    fn when(
        bus: &DBusConnection,
        (interface, signal, object): (&str, &str, &str),
        means_it: impl Fn(&Variant) -> bool + 'static,
        locks: &UnboundedSender<()>,
    ) {
        let locks = locks.clone();
        bus.signal_subscribe(
            Some(NAME),
            Some(interface),
            Some(signal),
            Some(object),
            None,
            DBusSignalFlags::NONE,
            move |_, _, _, _, _, said| {
                if means_it(said) {
                    // The window is closing if nobody listens.
                    drop(locks.unbounded_send(()));
                }
            },
        );
    }

    /// The desktop has locked its screen and says so here.
    fn is_locked(said: &Variant) -> bool {
        let Some(changed) = said.try_child_value(1) else {
            return false;
        };
        VariantDict::new(Some(&changed))
            .lookup::<bool>("LockedHint")
            .is_ok_and(|locked| locked == Some(true))
    }
}
