//! The desktop app in a real window, on a screen that exists in memory only.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{output, program, target_dir};

/// What the window is called: the app's name, as the views set it.
const TITLE: &str = "Vet Clinic";

/// Opens the built app's window and waits until it is on the screen.
pub(crate) fn opens_a_window() -> Result<()> {
    let home = tempfile::tempdir()?;
    let screen = Screen::start()?;
    let mut app = program(target_dir().join("debug/app"));
    app.env("DISPLAY", &screen.display)
        // A new person's machine: nothing is found there, nothing of ours is touched.
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        // There is no graphics card here; and WebKit's sandbox refuses root, which CI is.
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
        .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
    let mut app = EndedOnDrop(app.spawn().context("starting the desktop app")?);

    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = app.0.try_wait()? {
            bail!("the desktop app ended by itself with {status}");
        }
        let windows = output(program("xwininfo").args(["-root", "-tree", "-display", &screen.display]))?;
        if windows.lines().any(|line| line.contains(&format!("\"{TITLE}"))) {
            println!("The desktop app shows its window.");
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("no window called {TITLE} within a minute; there are:\n{windows}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

struct Screen {
    display: String,
    _server: EndedOnDrop,
}

impl Screen {
    fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            // It chooses a free number and says which.
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1440x900x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting Xvfb")?;
        let mut number = String::new();
        let said = server.stdout.take().context("Xvfb's output")?;
        let server = EndedOnDrop(server);
        BufReader::new(said).read_line(&mut number)?;
        if number.trim().is_empty() {
            bail!("Xvfb did not start");
        }
        Ok(Self {
            display: format!(":{}", number.trim()),
            _server: server,
        })
    }
}

struct EndedOnDrop(Child);

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
