//! Installs by the machine's own package manager, rustup and cargo; or says exactly what to type.

use anyhow::Result;

use super::needs::{Need, Way};
use crate::command::{cargo, on_path, output, program, run, succeeds};

/// How this machine's packages can be installed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packages {
    AptAsRoot,
    AptBySudo,
    /// There is apt, but it would ask for a password: the person types the line.
    AptByHand,
    Brew,
    Unknown,
}

/// Installs what it can. What it cannot is returned as lines to type; empty if there are none.
pub(super) fn install(missing: &[&Need]) -> Result<String> {
    let by_hand = install_packages(missing)?;
    if !by_hand.is_empty() {
        return Ok(format!("    {by_hand}"));
    }
    for need in missing {
        match need.way {
            Way::RustTarget(target) => run(program("rustup").args(["target", "add", target]))?,
            Way::RustComponent(component) => run(program("rustup").args(["component", "add", component]))?,
            Way::Cargo(name) => {
                println!("Compiling {name}: once per machine, some minutes.");
                // Unoptimised: they are quick enough, and compiling them takes a third of the time.
                run(cargo()
                    .args(["install", "--locked", "--debug", name])
                    .env("CARGO_PROFILE_DEV_DEBUG", "false"))?;
            }
            Way::Debian(_) => {}
        }
    }
    Ok(String::new())
}

fn install_packages(missing: &[&Need]) -> Result<String> {
    let packages: Vec<&Need> = missing
        .iter()
        .copied()
        .filter(|need| matches!(need.way, Way::Debian(_)))
        .collect();
    if packages.is_empty() {
        return Ok(String::new());
    }
    let way = packages_here();
    match way {
        Packages::AptAsRoot | Packages::AptBySudo => {
            let apt = |words: &[&str]| {
                let mut command = if way == Packages::AptAsRoot {
                    program("apt-get")
                } else {
                    program("sudo")
                };
                if way == Packages::AptBySudo {
                    command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                }
                command.env("DEBIAN_FRONTEND", "noninteractive").args(words);
                command
            };
            // A machine may be new, its package lists empty. A source that does not answer is no reason to stop:
            // the install says whether what it needs is there.
            if run(&mut apt(&["update", "-qq"])).is_err() {
                println!("The package lists could not be brought up to date; trying with what is there.");
            }
            let names = debian_packages(&packages, |name| {
                output(program("apt-cache").args(["policy", name])).is_ok_and(|policy| {
                    policy.contains("Candidate:") && !policy.contains("Candidate: (none)")
                })
            });
            let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
            words.extend(&names);
            run(&mut apt(&words))?;
            Ok(String::new())
        }
        Packages::AptByHand => {
            let names = debian_packages(&packages, |_| true);
            Ok(format!("sudo apt-get install {}", names.join(" ")))
        }
        Packages::Brew => {
            let names: Vec<_> = packages
                .iter()
                .map(|need| need.brew)
                .filter(|name| !name.is_empty())
                .collect();
            let mut lines: Vec<_> = names.iter().map(|name| format!("brew install {name}")).collect();
            lines.extend(
                packages
                    .iter()
                    .filter(|need| need.brew.is_empty())
                    .map(|need| need.otherwise.to_owned()),
            );
            Ok(lines.join("\n    "))
        }
        Packages::Unknown => {
            let lines: Vec<_> = packages
                .iter()
                .map(|need| format!("{} ({}). {}", need.name, need.why, need.otherwise))
                .collect();
            Ok(lines.join("\n    "))
        }
    }
}

/// For each need the first set of packages that `available` knows whole; without one, its first set, so that apt's
/// own message names what is not to be had.
fn debian_packages<'a>(needs: &[&'a Need], available: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut names = Vec::new();
    for need in needs {
        if let Way::Debian(sets) = need.way {
            let set = sets
                .iter()
                .find(|set| set.iter().all(|name| available(name)))
                .or(sets.first());
            names.extend(set.into_iter().flat_map(|set| set.iter().copied()));
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn packages_here() -> Packages {
    let is_root = || output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if on_path(&["apt-get"]).is_some() {
        match () {
            () if is_root() => Packages::AptAsRoot,
            () if succeeds(program("sudo").args(["-n", "true"])) => Packages::AptBySudo,
            () => Packages::AptByHand,
        }
    } else if cfg!(target_os = "macos") {
        Packages::Brew
    } else {
        Packages::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::super::needs::NEEDS;
    use super::*;

    fn needs(names: &[&str]) -> Vec<&'static Need> {
        NEEDS
            .iter()
            .filter(|need| names.iter().any(|name| need.name.contains(name)))
            .collect()
    }

    #[test]
    fn the_first_set_of_packages_that_the_machine_knows_is_taken() {
        let clang = needs(&["clang 16"]);
        assert_eq!(debian_packages(&clang, |_| true), ["clang-19", "llvm-19"]);
        assert_eq!(
            debian_packages(&clang, |name| name.ends_with("18")),
            ["clang-18", "llvm-18"]
        );
        // apt then says itself that there is none.
        assert_eq!(debian_packages(&clang, |_| false), ["clang-19", "llvm-19"]);
    }

    #[test]
    fn a_package_that_two_needs_share_is_asked_for_once() {
        let names = debian_packages(&needs(&["C compiler", "WebKitGTK"]), |_| true);
        assert_eq!(
            names.iter().filter(|name| **name == "pkg-config").count(),
            1,
            "{names:?}"
        );
    }

    #[test]
    fn every_need_says_what_it_is_for_and_what_to_do_without_a_package_manager() {
        for need in NEEDS {
            assert!(
                !need.why.is_empty() && !need.otherwise.is_empty(),
                "{}",
                need.name
            );
        }
    }
}
