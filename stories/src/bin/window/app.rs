//! The desktop program as a process, and a person before its window.

use crate::page::Page;
use crate::screen::{Screen, Shown};
use crate::told::until;
use anyhow::{Context, Result, ensure};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

/// Where the mouse is to turn its wheel: inside of what can be scrolled, whatever that is.
const MIDDLE: i16 = 500;

/// A computer account of somebody: where their programs keep things.
pub(crate) struct Account {
    pub(crate) home: PathBuf,
    /// Before all others on the account's PATH; `xdg-open` there notes what it is asked to open.
    programs: PathBuf,
    /// What `xdg-open` was asked to open, line by line.
    pub(crate) opened: PathBuf,
    /// The computer's bus, on which its login manager is.
    bus: String,
}

impl Account {
    pub(crate) fn new(home: &Path, bus: &str) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let account = Self {
            home: home.to_owned(),
            programs: home.join("bin"),
            opened: home.join("opened"),
            bus: bus.to_owned(),
        };
        std::fs::create_dir_all(&account.programs)?;
        let opener = account.programs.join("xdg-open");
        std::fs::write(&opener, "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \"$HOME/opened\"\n")?;
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755))?;
        Ok(account)
    }

    /// Where the platform wants an account's records.
    pub(crate) fn records(&self) -> PathBuf {
        self.home.join(".local/share/vetclinic")
    }

    fn path(&self) -> Result<std::ffi::OsString> {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.programs.clone()).chain(std::env::split_paths(&others));
        Ok(std::env::join_paths(all)?)
    }
}

pub(crate) struct App {
    process: Child,
    pub(crate) page: Page,
}

impl Drop for App {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl App {
    pub(crate) fn start(program: &Path, account: &Account, screen: &Screen) -> Result<Self> {
        // Free a moment ago; nobody else on this machine is handed the same number so soon.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let said = std::fs::File::options()
            .create(true)
            .append(true)
            .open(account.home.join("said"))?;
        // As programs see a full disk where root cannot be kept from writing: see `fill_disk`.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\""]).arg(program);
        for name in [
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "WAYLAND_DISPLAY",
            "VET_CLINIC_SERVER",
        ] {
            command.env_remove(name);
        }
        command
            .env("DISPLAY", &screen.display)
            // A new person's machine: nothing is found there, nothing of ours is touched.
            .env("HOME", &account.home)
            .env("PATH", account.path()?)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &account.bus)
            .env("GDK_BACKEND", "x11")
            // No desktop runs here that would answer.
            .env("NO_AT_BRIDGE", "1")
            .env("GTK_USE_PORTAL", "0")
            // There is no graphics card here; and WebKit's sandbox refuses root, which CI is.
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
            .env("WEBKIT_INSPECTOR_HTTP_SERVER", format!("127.0.0.1:{port}"))
            .stdout(said.try_clone()?)
            .stderr(said);
        let process = command.spawn().context("starting the desktop program")?;
        Ok(Self {
            process,
            page: Page::at(port),
        })
    }

    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_none())
    }

    /// The power is gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// From now on the disk takes nothing from the program; or it does again.
    pub(crate) fn fill_disk(&self, full: bool) -> Result<()> {
        let limit = if full { "--fsize=1:" } else { "--fsize=unlimited:" };
        let process = self.process.id().to_string();
        let done = Command::new("prlimit")
            .args([limit, "--pid", &process])
            .status()?;
        ensure!(done.success(), "prlimit ended with {done}");
        Ok(())
    }

    pub(crate) async fn ended(&mut self) -> Result<ExitStatus> {
        until("the program has ended", async || Ok(self.process.try_wait()?)).await
    }

    /// The window whose title says that the program is shown.
    pub(crate) fn window(&mut self, screen: &Screen) -> Result<Option<Shown>> {
        ensure!(self.is_running()?, "the program has ended by itself");
        let mut windows = screen.windows_of(self.process.id())?;
        windows.retain(|window| window.title.ends_with("Vet Clinic"));
        Ok(windows.pop())
    }

    pub(crate) async fn titled(&mut self, screen: &Screen, title: &str) -> Result<Shown> {
        let mut last = String::new();
        until(&format!("the window is called “{title}”"), async || {
            let shown = self.window(screen)?;
            last = shown
                .as_ref()
                .map(|shown| shown.title.clone())
                .unwrap_or_default();
            Ok(shown.filter(|shown| shown.title == title))
        })
        .await
        .with_context(|| format!("the last title was “{last}”"))
    }

    /// A further window of the program, as the system's own dialogs are.
    pub(crate) fn other_window(&self, screen: &Screen, title: &str) -> Result<Option<Shown>> {
        let windows = screen.windows_of(self.process.id())?;
        Ok(windows.into_iter().find(|window| window.title == title))
    }

    pub(crate) async fn reads(&mut self, words: &str) -> Result<()> {
        until(&format!("the window reads “{words}”"), async || {
            Ok(self.page.text().await?.contains(words).then_some(()))
        })
        .await
    }

    /// Clicks what is called so, once it holds still, scrolling to it where it is out of sight.
    pub(crate) async fn click(&mut self, screen: &Screen, name: &str) -> Result<()> {
        let mut former = None;
        let at = until(&format!("“{name}” can be clicked"), async || {
            let Some(place) = self.page.place(name).await? else {
                return Ok(None);
            };
            let at = (place.x, place.y);
            if former.replace(at) != Some(at) {
                return Ok(None);
            }
            if !place.reachable {
                screen.scroll((place.x, MIDDLE), place.y > MIDDLE)?;
            }
            Ok(place.reachable.then_some(at))
        })
        .await?;
        screen.click(at)
    }

    /// Clicks into a field. Only then do keys go there: no hand is so fast that it would get ahead of the screen.
    pub(crate) async fn enter(&mut self, screen: &Screen, name: &str) -> Result<()> {
        self.click(screen, name).await?;
        self.is_in(name).await
    }

    pub(crate) async fn is_in(&mut self, name: &str) -> Result<()> {
        until(&format!("“{name}” has the focus"), async || {
            Ok(self.page.is_focused(name).await?.then_some(()))
        })
        .await
    }

    /// Types into the field that has the focus, and sees it there.
    pub(crate) async fn write(&mut self, screen: &Screen, words: &str) -> Result<()> {
        screen.write(words)?;
        until(&format!("the field shows “{words}”"), async || {
            Ok(self.page.typed().await?.filter(|typed| typed == words).map(drop))
        })
        .await
    }

    /// The line that says whether the notes are saved, and where.
    pub(crate) async fn notes_are(&mut self, state: &str) -> Result<()> {
        until(&format!("the notes are said to be “{state}”"), async || {
            let said = self.page.text_of(".saved").await?.unwrap_or_default();
            Ok(said.trim().starts_with(state).then_some(()))
        })
        .await
    }
}
