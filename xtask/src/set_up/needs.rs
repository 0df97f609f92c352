//! The table of needs: one row per tool.

use super::find;
use crate::command::{cargo, on_path, output, program, succeeds};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Compiling anything at all.
    Build,
    /// The browser app.
    Web,
    /// Formatting and lints.
    Lint,
    /// Licences and sources of dependencies.
    Licences,
    /// The tests in Rust.
    Tests,
    /// The server's tests against Postgres.
    Postgres,
    /// The tests in a browser.
    Browser,
    /// The desktop app and its window test.
    Desktop,
}

pub(super) struct Need {
    pub name: &'static str,
    pub why: &'static str,
    pub purpose: Purpose,
    pub found: fn() -> bool,
    pub way: Way,
    /// Homebrew's formula, where macOS does not bring the tool.
    pub brew: &'static str,
    /// What to do where none of the ways works.
    pub otherwise: &'static str,
}

pub(super) enum Way {
    /// Debian's package names: the first set that the machine's package list knows whole.
    Debian(&'static [&'static [&'static str]]),
    RustTarget(&'static str),
    RustComponent(&'static str),
    /// `cargo install --locked`
    Cargo(&'static str),
}

pub(super) const NEEDS: &[Need] = &[
    Need {
        name: "a C compiler",
        why: "SQLite and the password hashing contain C",
        purpose: Purpose::Build,
        found: || on_path(&["cc", "gcc", "clang"]).is_some(),
        way: Way::Debian(&[&["build-essential", "pkg-config"]]),
        brew: "",
        otherwise: "On macOS: xcode-select --install",
    },
    Need {
        name: "Rust's WebAssembly target",
        why: "the browser app is compiled to it",
        purpose: Purpose::Web,
        found: || {
            let listed = output(program("rustup").args(["target", "list", "--installed"]));
            match listed {
                Ok(targets) => targets.lines().any(|target| target == "wasm32-unknown-unknown"),
                // A Rust that did not come from rustup: its own standard library tells.
                Err(_) => output(program("rustc").args(["--print", "sysroot"])).is_ok_and(|sysroot| {
                    std::path::Path::new(sysroot.trim())
                        .join("lib/rustlib/wasm32-unknown-unknown")
                        .exists()
                }),
            }
        },
        way: Way::RustTarget("wasm32-unknown-unknown"),
        brew: "",
        otherwise: "Install Rust by rustup (https://rustup.rs).",
    },
    Need {
        name: "clang 16 or newer, with llvm-ar",
        why: "it compiles SQLite for the browser",
        purpose: Purpose::Web,
        found: || find::wasm_clang().is_some(),
        way: Way::Debian(&[
            &["clang-19", "llvm-19"],
            &["clang-18", "llvm-18"],
            &["clang-17", "llvm-17"],
            &["clang-16", "llvm-16"],
        ]),
        brew: "llvm",
        otherwise: "Apple's own clang cannot compile to WebAssembly; Homebrew's llvm can.",
    },
    Need {
        name: "rustfmt",
        why: "the formatting is checked",
        purpose: Purpose::Lint,
        found: || succeeds(cargo().args(["fmt", "--version"])),
        way: Way::RustComponent("rustfmt"),
        brew: "",
        otherwise: "Install Rust by rustup (https://rustup.rs).",
    },
    Need {
        name: "clippy",
        why: "the lints are checked",
        purpose: Purpose::Lint,
        found: || succeeds(cargo().args(["clippy", "--version"])),
        way: Way::RustComponent("clippy"),
        brew: "",
        otherwise: "Install Rust by rustup (https://rustup.rs).",
    },
    Need {
        name: "cargo-deny",
        why: "licences and sources of dependencies are checked",
        purpose: Purpose::Licences,
        found: || succeeds(cargo().args(["deny", "--version"])),
        way: Way::Cargo("cargo-deny"),
        brew: "cargo-deny",
        otherwise: "Type: cargo install --locked cargo-deny",
    },
    Need {
        name: "cargo-nextest",
        why: "it runs the tests",
        purpose: Purpose::Tests,
        found: || succeeds(cargo().args(["nextest", "--version"])),
        way: Way::Cargo("cargo-nextest"),
        brew: "cargo-nextest",
        otherwise: "Type: cargo install --locked cargo-nextest",
    },
    Need {
        name: "PostgreSQL's programs",
        why: "the server's storage is tested on a private throw-away cluster",
        purpose: Purpose::Postgres,
        found: || find::postgres_folder().is_some(),
        way: Way::Debian(&[&["postgresql"]]),
        brew: "postgresql@17",
        otherwise: "Put initdb and postgres on PATH.",
    },
    Need {
        name: "openssl",
        why: "it signs the certificate of a throw-away PostgreSQL that speaks TLS",
        purpose: Purpose::Postgres,
        found: || on_path(&["openssl"]).is_some(),
        way: Way::Debian(&[&["openssl"]]),
        brew: "openssl",
        otherwise: "Put openssl on PATH.",
    },
    Need {
        name: "Node 18 or newer, with npm",
        why: "it drives the browser in the tests",
        purpose: Purpose::Browser,
        found: || find::node_is_new_enough() && on_path(&["npm"]).is_some(),
        way: Way::Debian(&[&["nodejs", "npm"]]),
        brew: "node",
        otherwise: "The system's Node is too old: install a current one from your system's packages.",
    },
    Need {
        name: "Chromium or Chrome",
        why: "the browser tests run in it",
        purpose: Purpose::Browser,
        found: || find::chromium().is_some(),
        way: Way::Debian(&[&["chromium"], &["chromium-browser"]]),
        brew: "--cask google-chrome",
        otherwise: "Put chromium, chromium-browser or google-chrome on PATH, or name it in CHROMIUM.",
    },
    Need {
        name: "WebKitGTK and xdo",
        why: "the desktop window is made with them",
        purpose: Purpose::Desktop,
        found: || {
            cfg!(not(target_os = "linux"))
                || (succeeds(program("pkg-config").args(["--exists", "webkit2gtk-4.1"]))
                    && find::header_exists("xdo.h"))
        },
        way: Way::Debian(&[&["libwebkit2gtk-4.1-dev", "libxdo-dev", "pkg-config"]]),
        brew: "",
        otherwise: "Install the development files of WebKitGTK 4.1 and libxdo.",
    },
    Need {
        name: "OpenSSL's development files",
        why: "the desktop app's records are encrypted with its libcrypto",
        purpose: Purpose::Desktop,
        found: || {
            cfg!(not(target_os = "linux")) || succeeds(program("pkg-config").args(["--exists", "libcrypto"]))
        },
        way: Way::Debian(&[&["libssl-dev", "pkg-config"]]),
        brew: "",
        otherwise: "Install the development files of OpenSSL.",
    },
    Need {
        name: "dbus-daemon",
        why: "the desktop test has a login manager of its own, which sends it to sleep",
        purpose: Purpose::Desktop,
        found: || cfg!(not(target_os = "linux")) || on_path(&["dbus-daemon"]).is_some(),
        way: Way::Debian(&[&["dbus-daemon"]]),
        brew: "",
        otherwise: "Install dbus-daemon.",
    },
    Need {
        name: "Xvfb",
        why: "the desktop test has its window on a screen in memory",
        purpose: Purpose::Desktop,
        found: || cfg!(not(target_os = "linux")) || on_path(&["Xvfb"]).is_some(),
        way: Way::Debian(&[&["xvfb"]]),
        brew: "",
        otherwise: "Install Xvfb.",
    },
];
