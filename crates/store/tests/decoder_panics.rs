//! A panic of Parquet's decoder is an error that names the file, and prints nothing. In a process
//! of its own: what is called at a panic is one for all threads.

use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use eigensweep_store::dataset::read_columns;

static TOLD: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_panic_of_the_decoder_is_an_error_and_says_nothing_beside_it() {
    panic::set_hook(Box::new(|_| {
        TOLD.fetch_add(1, Ordering::Relaxed);
    }));
    // Found by fuzzing: pages that promise more values than they have.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/part/contradicting-pages");
    let names = ["replicate", "distance", "threshold_squared", "status"];
    let error = read_columns(&path, &names).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(error.contains("contradicting-pages") && error.contains("contradict each other"), "{error}");
    assert_eq!(TOLD.load(Ordering::Relaxed), 0, "the decoder's panic");
    // Any other panic is told as ever, on this thread and on others.
    assert!(panic::catch_unwind(|| panic!("ours")).is_err());
    assert!(std::thread::spawn(|| panic!("theirs")).join().is_err());
    assert_eq!(TOLD.load(Ordering::Relaxed), 2);
}
