//! Shards: together they are what one run is, bit for bit, however many there are and in whatever
//! order they run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Barrier;

use eigensweep_job::Job;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, files, leftovers};
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::{job, prepare};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::rows::read_rows;
use crate::three_parts::{part_path, three_parts};

/// Sixteen parts of two units each, over columns of different cost.
const SIXTEEN_PARTS: &str = r#"
[job]
seed = 5
replicates = 7
[data]
components = [2, 6]
label_count = 2
[corruption]
components = 2
scale = [1, 10]
[augmentation]
alignment = [0.5, 2]
[model]
dimension = 2
[grid]
samples = [20, 300]
[output]
part_rows = 24
"#;

fn shard(index: u64, count: u64) -> Shard {
    Shard::new(index, count).unwrap()
}

/// The shards of N in an order that is neither theirs nor its reverse: every third, then those
/// between.
fn shuffled(count: u64) -> impl Iterator<Item = Shard> {
    (0..3).flat_map(move |first| (1..=count).skip(first).step_by(3)).map(move |index| shard(index, count))
}

/// Names and contents of several data sets' files in one map; each file is in one data set only,
/// but for sections.
fn union(roots: &[std::path::PathBuf]) -> [BTreeMap<String, Vec<u8>>; 3] {
    let mut all: [BTreeMap<String, Vec<u8>>; 3] = Default::default();
    for root in roots {
        for (at, (all, found)) in all.iter_mut().zip(contents(root)).enumerate() {
            for (name, bytes) in found {
                let before = all.insert(name.clone(), bytes.clone());
                assert!(before.is_none_or(|before| at == 2 && before == bytes), "{name} twice");
            }
        }
    }
    all
}

/// Shards in one directory and in one each, on several threads, shuffled, against one run.
fn assert_shards_are_the_whole(job: &Job) {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole");
    run_to_the_end(&whole, job, 1);
    let (whole_bytes, whole_rows) = (contents(&whole), read_rows(&whole));
    for (count, threads) in [(2, 1), (3, 2), (5, 7), (16, 1), (40, 2)] {
        let shared = directory.path().join(format!("shared-{count}"));
        let mut own = Vec::new();
        for shard in shuffled(count) {
            let ran = run_shard(&shared, job, shard, threads, u64::MAX).unwrap();
            assert!(ran.outcome.complete && ran.repairs.is_empty(), "{shard}: {ran:?}");
            if count > 5 {
                continue;
            }
            let root = directory.path().join(format!("own-{count}-{}", shard.index()));
            let alone = run_shard(&root, job, shard, threads, u64::MAX).unwrap();
            assert_eq!(alone.committed, ran.committed, "which parts are whose depends on I and N only");
            own.push(root);
        }
        assert!(contents(&shared) == whole_bytes, "{count} shards in one directory");
        assert!(own.is_empty() || union(&own) == whole_bytes, "{count} shards in a directory each");
        assert!(read_rows(&shared) == whole_rows);
        let rest = run_to_the_end(&shared, job, 1);
        assert_eq!((rest.committed.len(), rest.repairs.len()), (0, 0), "nothing is left to do");
    }
}

#[test]
fn shards_are_the_whole() {
    let job = job(SIXTEEN_PARTS, &[]);
    assert_eq!(prepare(&job).plan().parts, 16);
    assert_shards_are_the_whole(&job);
}

#[test]
fn shards_of_images_are_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 60, 4, 3);
    let rest = "[corruption]\ncomponents = 3\n[augmentation]\nalignment = [0.5, 2]\n[model]\ndimension = 2\n[grid]\n\
        samples = [20, 50]\n[job]\nreplicates = 6\n[output]\npart_rows = 24\n";
    let job = job(&format!("{}{rest}", images.source("components = [3, 5]")), &[]);
    assert!(prepare(&job).plan().parts >= 6);
    assert_shards_are_the_whole(&job);
}

/// All shards at once, in one directory.
#[test]
fn shards_side_by_side_are_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, shared) = (directory.path().join("whole"), directory.path().join("shared"));
    let job = job(SIXTEEN_PARTS, &[]);
    run_to_the_end(&whole, &job, 2);
    let start = Barrier::new(5);
    std::thread::scope(|scope| {
        for index in 1..=5 {
            let (start, shared, job) = (&start, &shared, &job);
            scope.spawn(move || {
                start.wait();
                let ran = run_shard(shared, job, shard(index, 5), 2, u64::MAX).unwrap();
                assert!(ran.outcome.complete);
            });
        }
    });
    assert!(contents(&shared) == contents(&whole));
    assert_eq!(leftovers(&shared), [""; 0]);
}

/// More shards than parts: some have nothing to do, and say that they are complete.
#[test]
fn empty_shards_are_done_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let job = three_parts();
    let mut empty = 0;
    for index in 1..=10 {
        let ran = run_shard(directory.path(), &job, shard(index, 10), 2, u64::MAX).unwrap();
        assert!(ran.outcome.complete);
        empty += u32::from(ran.outcome.rows == 0);
    }
    assert_eq!(empty, 7);
    assert_eq!(files(&directory.path().join("data")).len(), 3);
}

/// A shard that was stopped goes on, and does what is its own only.
#[test]
fn a_stopped_shard_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(SIXTEEN_PARTS, &[]);
    let own = |shard: Shard| shard.parts(prepare(&job).plan());
    let second = shard(2, 2);
    let stopped = run_shard(directory.path(), &job, second, 1, 1).unwrap();
    assert!(!stopped.outcome.complete);
    let rest = run_shard(directory.path(), &job, second, 2, u64::MAX).unwrap();
    let all: Vec<u64> = stopped.committed.iter().chain(&rest.committed).map(|&(_, part)| part).collect();
    assert_eq!(all, own(second).collect::<Vec<u64>>());
}

/// The parts of other shards are theirs to repair: they may be writing them.
#[test]
fn a_shard_repairs_its_own_parts_only() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    run_to_the_end(root, &three_parts(), 1);
    let whole = contents(root);
    let harm = |part| std::fs::write(part_path(root, part), b"PAR1 PAR1").unwrap();
    harm(0);
    harm(2);
    let repaired = |index: u64| -> Vec<(u32, u64)> {
        let ran = run_shard(root, &three_parts(), shard(index, 3), 1, u64::MAX).unwrap();
        assert_eq!(ran.repairs.len(), ran.committed.len());
        ran.committed
    };
    assert_eq!(repaired(2), []);
    assert_eq!(repaired(3), [(0, 2)]);
    assert!(contents(root) != whole, "part 0 is as it was");
    assert_eq!(repaired(1), [(0, 0)]);
    assert!(contents(root) == whole);
}

/// Shards of another number go on from where others stopped: what is done is done.
#[test]
fn the_number_of_shards_may_change() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let job = job(SIXTEEN_PARTS, &[]);
    run_shard(root, &job, shard(2, 3), 1, u64::MAX).unwrap();
    run_shard(root, &job, shard(1, 7), 1, u64::MAX).unwrap();
    let rest: usize =
        (1..=2).map(|i| run_shard(root, &job, shard(i, 2), 1, u64::MAX).unwrap().committed.len()).sum();
    let done = 14 - rest;
    assert!((5..10).contains(&done), "{done} were done");
    let whole = tempfile::tempdir().unwrap();
    run_parts(whole.path(), &job, 1, u64::MAX).unwrap();
    assert!(contents(root) == contents(whole.path()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    /// Random small jobs, random numbers of shards and threads.
    #[test]
    fn shards_of_random_jobs_are_the_whole(
        (replicates, part_rows, count) in (1..9_u32, 1..60_u32, 1..9_u64),
        (signal, noise, alphas, sizes) in (1..3_usize, 1..3_usize, 1..4_usize, 1..4_usize),
        threads in 1..4_usize,
    ) {
        let list = |from: &[&str], count: usize| format!("[{}]", from[..count].join(", "));
        let set = [
            format!("job.replicates={replicates}"),
            format!("output.part_rows={part_rows}"),
            format!("data.components={}", list(&["3", "2"], signal)),
            format!("corruption.components={}", list(&["2", "4"], noise)),
            format!("augmentation.alignment={}", list(&["1", "0", "7"], alphas)),
            format!("grid.samples={}", list(&["30", "10", "99"], sizes)),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let job = job(SIXTEEN_PARTS, &set);
        let directory = tempfile::tempdir().unwrap();
        let root = |name: &str| directory.path().join(name);
        run_to_the_end(&root("whole"), &job, 1);
        let run = |shard: Shard, root: &Path| run_shard(root, &job, shard, threads, u64::MAX).unwrap();
        shuffled(count).for_each(|shard| drop(run(shard, &root("shards"))));
        prop_assert!(contents(&root("shards")) == contents(&root("whole")));
    }
}
