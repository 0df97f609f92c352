//! A seed is a run: what it finds can be found again.

use simulation::{Replay, run};

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in 1..=12 {
        let (first, second) = (run(seed, &[]), run(seed, &[]));
        let differs = first
            .lines
            .iter()
            .zip(&second.lines)
            .find(|(first, second)| first != second);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert!(
            first.lines.len() > 50,
            "seed {seed} does something: {} lines",
            first.lines.len()
        );
    }
    assert_ne!(
        run(1, &[]).digest,
        run(2, &[]).digest,
        "another seed is another run"
    );
}

#[test]
fn a_kept_run_is_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let without = [simulation::Class::Clock];
    let outcome = run(7, &without);
    let file = Replay::of(&outcome, &without)
        .write(folder.path())
        .expect("the folder can be written");
    let kept = Replay::read(&file).expect("what was written can be read");
    assert_eq!(run(kept.seed, &kept.without()).digest, kept.digest);
}
