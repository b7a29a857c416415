//! What makes two runs runs of one study, and two sections the same section.
//!
//! Everything that a row depends on is in a hash; names, paths and the layout of files are not,
//! contents of input files are. The **study** is what all rows of a data set share: the job without
//! replicates and values of axes. A **section** is a box of cells of the study with its layout; see
//! [`super::section`].

use std::collections::{BTreeMap, BTreeSet};

use crate::columns::{FORMAT_VERSION, ThresholdsOf};
use eigensweep_job::JobSpec;
use eigensweep_job::keys::{self, Identity as Enters};
use eigensweep_sampling::streams::SCHEME;

/// Hashes of a job (or a section of one) with its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// BLAKE3 of the study as hexadecimal text.
    pub study: String,
    /// BLAKE3 of the job: of the study, its axes and replicates, and how they are divided into
    /// parts.
    pub hash: String,
    /// The job as resolved, in TOML.
    pub job: String,
    /// The job in TOML without names, paths and what no file depends on: what goes into the parts.
    pub content: String,
    /// What the study is the hash of, beside the content of input files: keys in TOML, and axes.
    shared: String,
}

impl Identity {
    /// The identity of a job whose input files have this fingerprint.
    #[must_use]
    pub fn new(spec: &JobSpec, fingerprint: &str) -> Self {
        Self::with(spec, fingerprint, ThresholdsOf::default())
    }

    /// Hashes of a job with its input, for rows with such thresholds.
    pub(super) fn with(spec: &JobSpec, fingerprint: &str, thresholds: ThresholdsOf) -> Self {
        let job = spec.to_toml();
        let axes = spec.axes();
        let nothing = |key: &str| keys::enters(key) == Enters::Nothing;
        let content = without(&spec.content(), nothing);
        // How far adaptive replicates go is part of the study: the rows that there are depend on
        // it.
        let adaptive = spec.job.adaptive.is_some();
        let varying = |key: &str| {
            keys::enters(key) == Enters::Extensible && !(adaptive && key == "job.replicates")
                || axes.iter().any(|axis| axis.key == key)
        };
        let mut study = without(&without(&spec.study(), nothing), varying);
        for axis in &axes {
            study.push_str(axis.name);
            study.push_str(if axis.relative { " relative\n" } else { "\n" });
        }
        let (shared, study) = (study.clone(), hash("eigensweep study 2", &[&study, fingerprint]));
        let replicates = format!("{:?}", spec.job.range());
        let purpose = match thresholds {
            ThresholdsOf::Dimension if thresholds_differ(spec) => "eigensweep job 3",
            ThresholdsOf::Dimension | ThresholdsOf::Components => "eigensweep job 2",
        };
        Self { hash: hash(purpose, &[&study, &content, &replicates]), study, job, content, shared }
    }

    /// What of a study is not as in another one, in words: `job.seed (3, not 4)`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> String {
        // All keys the same, it is the other thing that a study is the hash of.
        differing(&self.shared, &other.shared).unwrap_or_else(|| "the content of its input files".to_owned())
    }

    /// The same of a section, where any is.
    pub(super) fn section_difference(&self, other: &Self) -> Option<String> {
        differing(&self.content, &other.content)
    }
}

/// The keys whose values two jobs in TOML have each their own, some of many, with both values where
/// they are short.
fn differing(job: &str, other: &str) -> Option<String> {
    /// Longest value that is shown.
    const SHOWN: usize = 40;
    /// Most keys that are.
    const LISTED: usize = 4;
    let [own, others] = [job, other].map(|job| entries(job).collect::<BTreeMap<_, _>>());
    let keys: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
    let differing = keys.into_iter().filter(|key| own.get(*key) != others.get(*key)).map(|key| {
        match (own.get(key), others.get(key)) {
            (Some(own), Some(other)) if own.len() + other.len() <= SHOWN => {
                format!("{key} ({own}, not {other})")
            }
            _ => key.clone(),
        }
    });
    let mut differing: Vec<String> = differing.collect();
    if differing.len() > LISTED {
        let more = differing.split_off(LISTED).len();
        differing.push(format!("{more} more"));
    }
    (!differing.is_empty()).then(|| differing.join(", "))
}

/// Each key of a job in TOML, `table.key`, with its value; of what is no key, the line with
/// nothing.
fn entries(job: &str) -> impl Iterator<Item = (String, &str)> {
    let mut table = "";
    job.lines().filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name;
            return None;
        }
        Some(match line.split_once(" = ") {
            Some((key, value)) => (format!("{table}.{key}"), value),
            None => (line.to_owned(), ""),
        })
    })
}

/// Whether rows of a job may have other thresholds at k than at k₀: with a k other than k₀.
pub(super) fn thresholds_differ(spec: &JobSpec) -> bool {
    let dimensions = spec.model.dimension.values();
    spec.data.components().is_some_and(|components| {
        components.values().iter().any(|components| dimensions.iter().any(|k| k != components))
    })
}

/// BLAKE3 of texts, the scheme of the random streams and the format's version.
fn hash(purpose: &str, texts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(SCHEME.as_bytes());
    hasher.update(&FORMAT_VERSION.to_le_bytes());
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// A resolved job without the lines of some keys, `table.key`.
fn without(job: &str, left_out: impl Fn(&str) -> bool) -> String {
    let mut table = "";
    let mut text = String::new();
    for line in job.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name;
        }
        let key = line.split_once(" = ").map(|(key, _)| format!("{table}.{key}"));
        if !key.is_some_and(|key| left_out(&key)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Identity;
    use eigensweep_job as job;

    const JOB: &str = "[data]\nsource = \"glyphs\"\n[model]\ndimension = 2\n[augmentation]\nfloor = [0]\nstages = [{ kind = \
        \"dropout\", probability = [0.1], fill = \"a.npy\" }, { kind = \"sometimes\", probability = 0.5, stages = [] }]";

    fn identity(from: &str, to: &str) -> Identity {
        let text = JOB
            .replace("stages = [] }", "stages = [{ kind = \"dropout\", probability = 0 }] }")
            .replace(from, to);
        Identity::new(&job::parse("a.toml", &text, &[], Path::new("")).unwrap().spec, "input")
    }

    #[test]
    fn a_study_with_stages_grows_along_their_axes_and_is_another_one_with_other_stages() {
        let of = |from, to| identity(from, to).study;
        let one = of("", "");
        for (from, to) in [
            ("probability = [0.1]", "probability = [0.1, 0.2]"),
            ("floor = [0]", "floor = [0, 1]"),
            ("a.npy", "elsewhere/a.npy"),
        ] {
            assert_eq!(of(from, to), one, "{to}");
        }
        for (from, to) in [
            ("probability = 0.5", "probability = 0.6"),
            ("probability = [0.1]", "probability = 0.1"),
            ("probability = [0.1]", "name = \"b\", probability = [0.1]"),
            ("\"a.npy\"", "1"),
            ("[augmentation]", "[corruption]\ndraw = \"population\"\n[augmentation]"),
        ] {
            assert_ne!(of(from, to), one, "{to}");
        }
        // What a section is does depend on the values.
        assert_ne!(identity("[0.1]", "[0.1, 0.2]").hash, identity("", "").hash);
        assert_eq!(identity("a.npy", "b.npy").hash, identity("", "").hash);
    }
}
