//! Looks for tools that have several names, places or too old versions.

use std::path::{Path, PathBuf};

use crate::command::{on_path, output, program};

/// SQLite's build for the browser uses what clang 14 and 15 lack.
const OLDEST_CLANG: u32 = 16;
const OLDEST_NODE: u32 = 18;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clang {
    pub compiler: PathBuf,
    pub archiver: PathBuf,
}

/// What cargo's children need to compile C for the browser, where `.cargo/config.toml` names a compiler that this
/// machine lacks. Empty where it has it: cargo would take another spelling of the same compiler for a change, and
/// compile SQLite again.
pub(crate) fn wasm_compiler_env() -> Vec<(&'static str, PathBuf)> {
    if on_path(&["clang-19"]).is_some() && on_path(&["llvm-ar-19"]).is_some() {
        return Vec::new();
    }
    match wasm_clang() {
        Some(clang) => {
            vec![
                ("CC_wasm32_unknown_unknown", clang.compiler),
                ("AR_wasm32_unknown_unknown", clang.archiver),
            ]
        }
        None => Vec::new(),
    }
}

pub(super) fn wasm_clang() -> Option<Clang> {
    choose_clang(
        |name| {
            let brew = ["/opt/homebrew/opt/llvm/bin", "/usr/local/opt/llvm/bin"];
            on_path(&[name]).or_else(|| {
                brew.iter()
                    .map(|folder| Path::new(folder).join(name))
                    .find(|file| file.exists())
            })
        },
        |compiler| {
            // Apple's clang answers, but has no WebAssembly in it.
            let targets = output(program(compiler).arg("--print-targets")).ok()?;
            let version = major_version(&output(program(compiler).arg("--version")).ok()?)?;
            targets.contains("wasm32").then_some(version)
        },
    )
}

/// `find` says where a program is, `version` which clang it is.
fn choose_clang(
    find: impl Fn(&str) -> Option<PathBuf>,
    version: impl Fn(&Path) -> Option<u32>,
) -> Option<Clang> {
    // 19 first, because that is what the project is built with every day.
    let suffixes = ["-19", "-20", "-18", "-17", "-16", ""];
    suffixes.iter().find_map(|suffix| {
        let compiler = find(&format!("clang{suffix}"))?;
        let archiver = find(&format!("llvm-ar{suffix}"))?;
        (version(&compiler)? >= OLDEST_CLANG).then_some(Clang { compiler, archiver })
    })
}

pub(super) fn node_is_new_enough() -> bool {
    output(program("node").arg("--version"))
        .ok()
        .and_then(|version| major_version(&version))
        .is_some_and(|major| major >= OLDEST_NODE)
}

/// The browser for the tests. Ubuntu's `chromium-browser` package is a snap: where a snap runs, it is found too.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let mac = Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    on_path(&[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ])
    .or_else(|| mac.exists().then(|| mac.to_owned()))
}

/// The folder with `initdb` and `postgres`; Debian keeps it off PATH, one per version.
pub(crate) fn postgres_folder() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| {
            Some((
                major_version(entry.file_name().to_str()?)?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    folders.sort();
    folders.reverse();
    let brew = [
        "/opt/homebrew/opt/postgresql@17/bin",
        "/usr/local/opt/postgresql@17/bin",
    ];
    folders
        .into_iter()
        .map(|(_, folder)| folder)
        .chain(on_path(&["initdb"]).and_then(|file| Some(file.parent()?.to_owned())))
        .chain(brew.iter().map(PathBuf::from))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

pub(super) fn header_exists(name: &str) -> bool {
    ["/usr/include", "/usr/local/include"]
        .iter()
        .any(|folder| Path::new(folder).join(name).exists())
}

/// The first number in what a program says about its version: "Debian clang version 19.1.4 (1)" is 19.
fn major_version(said: &str) -> Option<u32> {
    let digits = said.find(|letter: char| letter.is_ascii_digit())?;
    said[digits..]
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_say_them() {
        let check = |said, expected| assert_eq!(major_version(said), expected, "{said}");
        check(
            "Debian clang version 19.1.4 (1~deb12u1)\nTarget: x86_64-pc-linux-gnu",
            Some(19),
        );
        check("Homebrew clang version 20.1.8", Some(20));
        check("v20.20.2\n", Some(20));
        check("15", Some(15));
        check("no version here", None);
    }

    /// A machine that has these programs; the suffixed ones have the suffix as their version.
    fn chosen(programs: &[&str], plain: u32) -> Option<String> {
        choose_clang(
            |name| programs.contains(&name).then(|| PathBuf::from(name)),
            |compiler| match compiler.to_str()?.rsplit_once('-') {
                Some((_, suffix)) => suffix.parse().ok(),
                None => Some(plain),
            },
        )
        .map(|clang| clang.compiler.display().to_string())
    }

    #[test]
    fn the_everyday_clang_comes_first_and_an_old_one_never() {
        let check = |programs: &[&str], plain, expected: Option<&str>| {
            assert_eq!(chosen(programs, plain).as_deref(), expected, "{programs:?}");
        };
        check(
            &["clang-20", "llvm-ar-20", "clang-19", "llvm-ar-19"],
            0,
            Some("clang-19"),
        );
        check(
            &["clang-17", "llvm-ar-17", "clang", "llvm-ar"],
            14,
            Some("clang-17"),
        );
        check(&["clang", "llvm-ar"], 21, Some("clang"));
        check(&["clang", "llvm-ar"], 14, None);
        // Without its archiver a compiler is of no use.
        check(&["clang-19", "clang-18", "llvm-ar-18"], 0, Some("clang-18"));
    }
}
