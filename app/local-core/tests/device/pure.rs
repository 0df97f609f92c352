//! The rule that local-core is pure, checked on what it is built from.

#[test]
fn local_core_depends_on_nothing_that_reads_clock_network_or_screen() {
    let manifest = include_str!("../../Cargo.toml");
    let section = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split("[target")
        .next()
        .unwrap();
    let names: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('['))
        .collect();
    assert_eq!(
        names,
        [
            "argon2",
            "automerge",
            "chacha20poly1305",
            "jiff",
            "minicbor",
            "rusqlite",
            "rust_decimal",
            "serde",
            "shared-model",
            "thiserror",
            "zeroize"
        ],
        "think before adding one: no Dioxus, no sockets, no clock, no randomness"
    );
}
