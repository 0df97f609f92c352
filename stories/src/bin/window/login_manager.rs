//! The computer's login manager, as far as it says what becomes of the person's session: on a bus of its own, because the
//! real one would send the machine to sleep.

use anyhow::{Context, Result, ensure};
use gio::glib::VariantTy;
use gio::prelude::*;
use gio::{Cancellable, DBusCallFlags, DBusConnection, DBusConnectionFlags};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const NAME: &str = "org.freedesktop.login1";

pub(crate) struct LoginManager {
    daemon: Child,
    bus: DBusConnection,
    /// Where programs find the bus.
    pub(crate) address: String,
}

impl Drop for LoginManager {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl LoginManager {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let listen = format!("unix:dir={}", folder.display());
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1", "--address", &listen])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting dbus-daemon")?;
        let said = daemon.stdout.take().context("it was to be read")?;
        let mut address = String::new();
        BufReader::new(said).read_line(&mut address)?;
        let address = address.trim().to_owned();
        let bus = DBusConnection::for_address_sync(
            &address,
            DBusConnectionFlags::AUTHENTICATION_CLIENT | DBusConnectionFlags::MESSAGE_BUS_CONNECTION,
            None,
            Cancellable::NONE,
        )?;
        let owned = bus.call_sync(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "RequestName",
            Some(&(NAME, 0_u32).to_variant()),
            VariantTy::new("(u)").ok(),
            DBusCallFlags::NONE,
            -1,
            Cancellable::NONE,
        )?;
        ensure!(
            owned.child_value(0).get() == Some(1_u32),
            "the name is somebody else's"
        );
        Ok(Self { daemon, bus, address })
    }

    /// The computer is about to sleep.
    pub(crate) fn go_to_sleep(&self) -> Result<()> {
        self.bus.emit_signal(
            None,
            "/org/freedesktop/login1",
            &format!("{NAME}.Manager"),
            "PrepareForSleep",
            Some(&(true,).to_variant()),
        )?;
        Ok(self.bus.flush_sync(Cancellable::NONE)?)
    }
}
