//! What a job asks for beyond others: exactly the cells that they lack, each once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::{AxisValues, JobSpec, NotAnExtension, remainder};
use super::job;

/// Axes of a small job, and the values that a larger one may have on each, in an order of its own.
const AXES: [(&str, [&str; 4]); 4] = [
    ("grid.samples", ["40", "10", "30", "20"]),
    ("corruption.scale", ["1.0", "0.5", "0.0", "2.5"]),
    ("augmentation.alignment", ["0.1", "3.0", "2.0", "1.0"]),
    ("model.dimension", ["2", "1", "4", "3"]),
];

/// A box: first replicate and their number; of each axis which of the values, as bits.
type Chosen = (u32, u32, [usize; 4]);

/// Which values of an axis these bits are; never none.
fn values(axis: usize, bits: usize) -> Vec<&'static str> {
    let some: Vec<&str> = (0..4).filter(|at| bits >> at & 1 == 1).map(|at| AXES[axis].1[at]).collect();
    if some.is_empty() { vec![AXES[axis].1[bits % 4]] } else { some }
}

fn spec((first, count, bits): Chosen) -> JobSpec {
    let mut text = format!(
        "job.first_replicate = {first}\njob.replicates = {}\ndata.components = 3\ncorruption.components = 1\n",
        count.max(1)
    );
    for (axis, bits) in bits.into_iter().enumerate() {
        text.push_str(&format!("{} = [{}]\n", AXES[axis].0, values(axis, bits).join(", ")));
    }
    job(&text).spec
}

/// The cells of a job: replicate and bits of the values of all axes.
fn cells(spec: &JobSpec) -> Vec<Vec<u64>> {
    let mut cells: Vec<Vec<u64>> = spec.job.range().map(|replicate| vec![replicate.into()]).collect();
    for axis in spec.axes() {
        let values: Vec<u64> = match axis.values {
            AxisValues::Integers(values) => values.iter().map(|value| value.unsigned_abs()).collect(),
            AxisValues::Floats(values) => values.iter().map(|value| value.to_bits()).collect(),
        };
        cells = cells
            .iter()
            .flat_map(|cell| values.iter().map(move |&value| [&cell[..], &[value]].concat()))
            .collect();
    }
    cells
}

/// How often each cell is in any of these jobs.
fn counts<'a>(specs: impl IntoIterator<Item = &'a JobSpec>) -> BTreeMap<Vec<u64>, u32> {
    let mut counts = BTreeMap::new();
    for cell in specs.into_iter().flat_map(cells) {
        *counts.entry(cell).or_insert(0) += 1;
    }
    counts
}

/// New jobs and earlier ones together are the whole: every cell in one of them, and in one new one
/// only if in no earlier one.
fn assert_exact(whole: &JobSpec, earlier: &[JobSpec], new: &[JobSpec]) {
    let (all, old, new) = (counts([whole]), counts(earlier), counts(new));
    for cell in all.keys() {
        let expected = u32::from(!old.contains_key(cell));
        assert_eq!(new.get(cell).copied().unwrap_or(0), expected, "{cell:?}");
    }
    assert!(new.keys().all(|cell| all.contains_key(cell)), "nothing that was not asked for");
}

/// The part of a box that another allows.
fn within(part: Chosen, whole: Chosen) -> Chosen {
    let (first, count) = (part.0 % whole.1.max(1), part.1);
    let bits = std::array::from_fn(|axis| {
        let of = |bits| values(axis, bits);
        let (some, all) = (of(part.2[axis]), of(whole.2[axis]));
        let common = (0..4).filter(|&at| some.contains(&AXES[axis].1[at]) && all.contains(&AXES[axis].1[at]));
        let common = common.fold(0, |bits, at| bits | 1 << at);
        if common == 0 { whole.2[axis] } else { common }
    });
    (whole.0 + first, count.min(whole.1.max(1) - first).max(1), bits)
}

fn chosen() -> impl Strategy<Value = Chosen> {
    (0..3_u32, 1..5_u32, proptest::array::uniform4(0..16_usize))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever boxes were there before, overlapping ones included.
    #[test]
    fn the_remainder_is_what_is_new(whole in chosen(), parts in proptest::collection::vec(chosen(), 0..5)) {
        let earlier: Vec<JobSpec> = parts.into_iter().map(|part| spec(within(part, whole))).collect();
        let whole = spec(whole);
        let new = remainder(&whole, &earlier).unwrap();
        assert_exact(&whole, &earlier, &new);
        prop_assert_eq!(remainder(&whole, &earlier).unwrap(), new.clone(), "a function of its arguments");
        let all = [&earlier[..], &new].concat();
        prop_assert_eq!(remainder(&whole, &all).unwrap(), vec![], "nothing is left");
    }

    /// As a data set grows: each job holds the one before, and its sections are what was new each
    /// time.
    #[test]
    fn growth_is_exact_at_every_step(largest in chosen(), steps in proptest::collection::vec(chosen(), 1..5)) {
        // Smaller and smaller ones, from the end.
        let mut jobs = vec![largest];
        for step in steps {
            jobs.push(within(step, jobs[jobs.len() - 1]));
        }
        let mut sections: Vec<JobSpec> = Vec::new();
        for job in jobs.iter().rev().map(|&job| spec(job)) {
            let new = remainder(&job, &sections).unwrap();
            assert_exact(&job, &sections, &new);
            // One for each direction at most: replicates before and after, and four axes.
            prop_assert!(new.len() <= 6, "{} sections", new.len());
            sections.extend(new);
            // The sections tile the job: a lost one is what the others lack, in one piece.
            for lost in 0..sections.len() {
                let mut others = sections.clone();
                let lost = others.remove(lost);
                let again = remainder(&job, &others).unwrap();
                prop_assert_eq!(counts(&again), counts([&lost]));
                prop_assert_eq!(again.len(), 1);
            }
        }
    }

    /// A job that lacks a cell of an earlier one is no extension of it, and the other way round.
    #[test]
    fn what_is_lacking_is_noticed(a in chosen(), b in chosen()) {
        let (a, b) = (spec(a), spec(b));
        let all = counts([&b]);
        let holds = cells(&a).iter().all(|cell| all.contains_key(cell));
        prop_assert_eq!(remainder(&b, std::slice::from_ref(&a)).is_ok(), holds);
    }
}

#[test]
fn the_reason_names_the_axis() {
    let reason = |text: &str, earlier: &str| remainder(&job(text).spec, &[job(earlier).spec]).unwrap_err();
    let common = "data.components = 3\n";
    let with = |rest: &str| format!("{common}{rest}");
    let less = reason(&with("grid.samples = [10, 20]"), &with("grid.samples = [10, 30, 20]"));
    assert_eq!(less, NotAnExtension::Value { name: "samples", value: 30.0 });
    assert_eq!(less.to_string(), "samples 30, which the job no longer asks for");
    let less = reason(&with("job.replicates = 7"), &with("job.replicates = 9"));
    assert_eq!(less, NotAnExtension::Replicates { earlier: 0..9, job: 0..7 });
    assert_eq!(less.to_string(), "replicates 0 to 8, but the job asks for replicates 0 to 6");
    let less = reason(&with(""), &with("data.spectrum = \"flat\""));
    assert_eq!(less, NotAnExtension::Axes);
}
