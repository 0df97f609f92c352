//! A screen that exists in memory only, with its keyboard and mouse.

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, EventMask, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT,
    MapState, StackMode, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Between two keys of somebody who types very fast: 80 keys a second.
const KEYS_APART: Duration = Duration::from_millis(12);
/// Letters that no American keyboard has: put on spare keys before anybody types.
const FURTHER_LETTERS: &str = "áéíýěščřžůúťďň–„“";
const SHIFT: u32 = 0xffe1;
const CONTROL: u32 = 0xffe3;
const WHEEL_UP: u8 = 4;
const WHEEL_DOWN: u8 = 5;

pub(crate) struct Screen {
    pub(crate) display: String,
    x: RustConnection,
    root: Window,
    /// Where each symbol is, and whether Shift goes with it.
    keys: HashMap<u32, (u8, bool)>,
    server: Child,
}

/// A window as whoever looks at the screen finds it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) window: Window,
    pub(crate) title: String,
    pub(crate) size: (u16, u16),
}

/// Red, green and blue of each point, line by line.
pub(crate) struct Picture {
    pub(crate) size: (u16, u16),
    pub(crate) points: Vec<u8>,
}

impl Drop for Screen {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Screen {
    pub(crate) fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            // It chooses a free number and says which.
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1000x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting Xvfb")?;
        let mut number = String::new();
        let said = server.stdout.take().context("Xvfb's output")?;
        BufReader::new(said).read_line(&mut number)?;
        let display = format!(":{}", number.trim());
        let (x, screen) = x11rb::connect(Some(&display)).context("Xvfb did not start")?;
        let root = x.setup().roots[screen].root;
        let mut screen = Self {
            display,
            x,
            root,
            keys: HashMap::new(),
            server,
        };
        screen.keys = screen.lay_out_keyboard()?;
        Ok(screen)
    }

    fn lay_out_keyboard(&self) -> Result<HashMap<u32, (u8, bool)>> {
        let (first, last) = (self.x.setup().min_keycode, self.x.setup().max_keycode);
        let map = self.x.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let width = usize::from(map.keysyms_per_keycode);
        let mut keys = HashMap::new();
        let mut spare = Vec::new();
        for (code, symbols) in (first..=last).zip(map.keysyms.chunks(width)) {
            if symbols.iter().all(|symbol| *symbol == 0) {
                spare.push(code);
            }
            for (shifted, symbol) in symbols.iter().take(2).enumerate() {
                if *symbol != 0 {
                    keys.entry(*symbol).or_insert((code, shifted == 1));
                }
            }
        }
        for letter in FURTHER_LETTERS.chars() {
            let code = spare.pop().context("the keyboard has no spare key left")?;
            let symbol = symbol(letter);
            self.x
                .change_keyboard_mapping(1, code, 2, &[symbol, symbol])?
                .check()?;
            keys.insert(symbol, (code, false));
        }
        Ok(keys)
    }

    fn fake(&self, kind: u8, detail: u8, at: (i16, i16)) -> Result<()> {
        self.x
            .xtest_fake_input(kind, detail, 0, self.root, at.0, at.1, 0)?
            .check()?;
        Ok(())
    }

    fn press(&self, symbol: u32, held: &[u32]) -> Result<()> {
        let &(code, shifted) = self
            .keys
            .get(&symbol)
            .with_context(|| format!("the keyboard has no key {symbol:#x}"))?;
        let mut held: Vec<u8> = held.iter().map(|symbol| self.keys[symbol].0).collect();
        if shifted {
            held.push(self.keys[&SHIFT].0);
        }
        for code in &held {
            self.fake(KEY_PRESS_EVENT, *code, (0, 0))?;
        }
        self.fake(KEY_PRESS_EVENT, code, (0, 0))?;
        self.fake(KEY_RELEASE_EVENT, code, (0, 0))?;
        for code in held.iter().rev() {
            self.fake(KEY_RELEASE_EVENT, *code, (0, 0))?;
        }
        Ok(())
    }

    pub(crate) fn write(&self, text: &str) -> Result<()> {
        for letter in text.chars() {
            self.press(symbol(letter), &[])?;
            std::thread::sleep(KEYS_APART);
        }
        Ok(())
    }

    /// "Return", "Tab", "Escape", or a letter with "Ctrl+" before it.
    pub(crate) fn key(&self, name: &str) -> Result<()> {
        let (held, name) = match name.strip_prefix("Ctrl+") {
            Some(name) => (&[CONTROL][..], name),
            None => (&[][..], name),
        };
        let symbol = match name {
            "Return" => 0xff0d,
            "Tab" => 0xff09,
            "Escape" => 0xff1b,
            "End" => 0xff57,
            letter if letter.len() == 1 => u32::from(letter.as_bytes()[0]),
            other => bail!("no key is called {other}"),
        };
        self.press(symbol, held)
    }

    pub(crate) fn point(&self, at: (i16, i16)) -> Result<()> {
        self.fake(MOTION_NOTIFY_EVENT, 0, at)
    }

    fn button(&self, button: u8, at: (i16, i16)) -> Result<()> {
        self.point(at)?;
        self.fake(BUTTON_PRESS_EVENT, button, at)?;
        self.fake(BUTTON_RELEASE_EVENT, button, at)
    }

    pub(crate) fn click(&self, at: (i16, i16)) -> Result<()> {
        self.button(1, at)
    }

    pub(crate) fn scroll(&self, at: (i16, i16), down: bool) -> Result<()> {
        self.button(if down { WHEEL_DOWN } else { WHEEL_UP }, at)
    }

    fn property(&self, window: Window, name: &str) -> Result<Vec<u8>> {
        let name = self.x.intern_atom(false, name.as_bytes())?.reply()?.atom;
        // A window may be gone before it is asked.
        Ok(self
            .x
            .get_property(false, window, name, AtomEnum::ANY, 0, 1024)?
            .reply()
            .map(|found| found.value)
            .unwrap_or_default())
    }

    /// The windows of a program, those that nobody can see left out.
    pub(crate) fn windows_of(&self, process: u32) -> Result<Vec<Shown>> {
        let mut shown = Vec::new();
        for window in self.x.query_tree(self.root)?.reply()?.children {
            let owner = self.property(window, "_NET_WM_PID")?;
            let visible = self
                .x
                .get_window_attributes(window)?
                .reply()
                .is_ok_and(|looks| looks.map_state == MapState::VIEWABLE);
            if !visible || owner != process.to_ne_bytes() {
                continue;
            }
            let title = String::from_utf8(self.property(window, "_NET_WM_NAME")?)?;
            if let Ok(size) = self.x.get_geometry(window)?.reply() {
                shown.push(Shown {
                    window,
                    title,
                    size: (size.width, size.height),
                });
            }
        }
        Ok(shown)
    }

    pub(crate) fn resize(&self, window: Window, (width, height): (u32, u32)) -> Result<()> {
        let size = ConfigureWindowAux::new().width(width).height(height);
        self.x.configure_window(window, &size)?.check()?;
        Ok(())
    }

    /// Puts a window over all others.
    pub(crate) fn raise(&self, window: Window) -> Result<()> {
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.x.configure_window(window, &above)?.check()?;
        Ok(())
    }

    /// Asks a window to close, as the cross in its corner does.
    pub(crate) fn close(&self, window: Window) -> Result<()> {
        let atom =
            |name: &str| -> Result<u32> { Ok(self.x.intern_atom(false, name.as_bytes())?.reply()?.atom) };
        let protocols = atom("WM_PROTOCOLS")?;
        let message = ClientMessageEvent::new(32, window, protocols, [atom("WM_DELETE_WINDOW")?, 0, 0, 0, 0]);
        self.x
            .send_event(false, window, EventMask::NO_EVENT, message)?
            .check()?;
        Ok(())
    }

    /// What the screen shows where a window is, whatever lies over it.
    pub(crate) fn picture(&self, shown: &Shown) -> Result<Picture> {
        let at = self
            .x
            .translate_coordinates(shown.window, self.root, 0, 0)?
            .reply()?;
        let (width, height) = shown.size;
        let image = self
            .x
            .get_image(
                ImageFormat::Z_PIXMAP,
                self.root,
                at.dst_x,
                at.dst_y,
                width,
                height,
                u32::MAX,
            )?
            .reply()?;
        let points = image
            .data
            .chunks_exact(4)
            .flat_map(|point| [point[2], point[1], point[0]])
            .collect();
        Ok(Picture {
            size: shown.size,
            points,
        })
    }
}

/// X's symbol for a letter.
fn symbol(letter: char) -> u32 {
    match u32::from(letter) {
        latin if latin < 0x100 => latin,
        other => 0x0100_0000 | other,
    }
}

impl Picture {
    pub(crate) fn point(&self, x: u16, y: u16) -> [u8; 3] {
        let at = 3 * (usize::from(y) * usize::from(self.size.0) + usize::from(x));
        [self.points[at], self.points[at + 1], self.points[at + 2]]
    }

    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        let (width, height) = self.size;
        ensure!(
            self.points.len() == 3 * usize::from(width) * usize::from(height),
            "the picture is cut off"
        );
        let file = std::fs::File::create(file).with_context(|| format!("{}", file.display()))?;
        let mut encoder =
            png::Encoder::new(std::io::BufWriter::new(file), u32::from(width), u32::from(height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.points)?;
        writer.finish()?;
        Ok(())
    }
}
