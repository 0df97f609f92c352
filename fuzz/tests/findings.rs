//! Every input in `corpus/`, the seeds and what fuzzing found, is tried on its target again.

use std::fs;
use std::path::Path;

#[test]
fn nothing_of_the_corpus_breaks_a_promise() {
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut tried = 0;
        for file in fs::read_dir(&folder).expect("every target has a corpus") {
            let file = file.expect("it can be listed").path();
            let input = fs::read(&file).expect("it can be read");
            let kept = std::panic::catch_unwind(|| target(&input));
            assert!(kept.is_ok(), "{} breaks a promise", file.display());
            tried += 1;
        }
        assert!(tried >= 3, "{} has {tried} inputs", folder.display());
    }
}
