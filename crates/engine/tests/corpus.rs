//! The bodies of the fuzz targets over their corpus, as it is, cut short and with bits turned: a
//! short run for everyday. The long one is `cargo +nightly fuzz run <target>`.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use std::fs;
use std::path::Path;

use eigensweep_testkit::random::Random;

/// Runs a body over all that its corpus holds, and over `mutations` changes of each of its files.
fn run(target: &str, body: fn(&[u8]), mutations: u64) {
    run_within(target, |bytes| bodies::bounded(body, bytes), mutations);
}

/// [`run`] with a limit of its own.
fn run_within(target: &str, limited: impl Fn(&[u8]), mutations: u64) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no corpus", corpus.display());
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        limited(&bytes);
        let mut random = Random(bytes.len() as u64);
        let mut below = |end| random.below(end);
        for _ in 0..mutations {
            let mut bent = bytes.clone();
            match below(4) {
                0 => bent.truncate(below(bytes.len())),
                1 => {
                    let (start, length) = (below(bytes.len()), below(16));
                    bent.drain(start..(start + length).min(bytes.len()));
                }
                2 => {
                    let at = below(bytes.len());
                    bent.insert(at, u8::try_from(below(256)).unwrap());
                }
                _ => {
                    for _ in 0..=below(4) {
                        let at = below(bent.len());
                        if let Some(byte) = bent.get_mut(at) {
                            *byte ^= 1 << below(8);
                        }
                    }
                }
            }
            limited(&bent);
        }
    }
}

#[test]
fn job_files() {
    run("job", bodies::job, 60);
}

#[test]
fn conditions() {
    run("condition", bodies::condition, 300);
}

#[test]
fn records_of_data_sets() {
    run("records", bodies::records, 60);
}

/// A corpus of another format would be refused at once, and find nothing.
#[test]
fn the_corpus_is_of_this_format() {
    for name in ["quickstart", "adaptive"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/records").join(name);
        let (dataset, faults) = bodies::read_records(&fs::read(path).unwrap()).unwrap().unwrap();
        assert_eq!((dataset.sections().len(), faults.len()), (1, 1), "{name}: {faults:?}");
        assert!(dataset.rows() > 0);
    }
}

#[test]
fn matrix_market_files() {
    run("mtx", bodies::mtx, 100);
}

/// Says something in programs with the feature `hdf5` only.
#[test]
fn anndata_files() {
    run_within("h5ad", bodies::bounded_h5ad, 20);
}

#[test]
fn idx_files() {
    run("idx", bodies::idx, 300);
}

#[test]
fn npy_files() {
    run("npy", bodies::npy, 300);
}

#[test]
fn npz_files() {
    run("npz", bodies::npz, 100);
}

#[test]
fn parts() {
    run("part", bodies::part, 150);
}

#[test]
fn csv_files() {
    run_within("csv", bodies::bounded_csv, 300);
}

#[test]
fn parquet_files() {
    run_within("parquet", |bytes| bodies::within(bodies::ZSTD, bodies::parquet, bytes), 100);
}
