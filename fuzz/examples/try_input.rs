//! Tries one input on a target, with everything that panics shown: `cargo run -p fuzz --example try_input -- pushes FILE`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the one who started it"
)]

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(file)) = (arguments.next(), arguments.next()) else {
        eprintln!("which target, and which file?");
        std::process::exit(2);
    };
    let target = fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = target else {
        eprintln!("there is no target {name}");
        std::process::exit(2);
    };
    match std::fs::read(&file) {
        Ok(input) => target(&input),
        Err(error) => {
            eprintln!("{file}: {error}");
            std::process::exit(2);
        }
    }
    println!("nothing is broken");
}
