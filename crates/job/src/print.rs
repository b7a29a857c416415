//! The resolved job as TOML: every key that applies, defaults and ranges written out, in canonical order.
//!
//! Parsing the result gives an equal [`JobSpec`]: floats are printed with the fewest digits that identify their bits.

use std::fmt::{Debug, Display};
use std::path::Path;

use super::JobSpec;
use super::adaptive::Adaptive;
use super::axis::Axis;
use super::data::{DataSpec, Teacher};
use super::spectrum::{Named, SpectrumShape, SpectrumSpec};

impl JobSpec {
    /// The job with every default filled in and every range written out, as a job file that parses to an equal
    /// `JobSpec`.
    ///
    /// Paths are printed as they were joined to the job file's directory, so a relative one holds from where the
    /// program was started; one that is not UTF-8 is printed with replacement characters and does not come back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Printer::default();
        out.table("job");
        out.key("name", quoted(&self.job.name));
        out.key("seed", self.job.seed);
        match self.job.adaptive {
            None => {
                out.key("replicates", self.job.replicates);
                out.key("first_replicate", self.job.first_replicate);
            }
            Some(Adaptive { min, max, relative_error }) => {
                let table = format!("{{ min = {min}, max = {max}, relative_error = {relative_error:?} }}");
                out.key("replicates", table);
            }
        }
        out.data(&self.data);
        out.table("corruption");
        out.key("kind", "\"spectral\"");
        out.axis("components", &self.corruption.components);
        out.spectrum(&self.corruption.spectrum);
        out.table("augmentation");
        out.key("kind", "\"spectral\"");
        out.spectrum(&self.augmentation.spectrum);
        out.axis("alignment", &self.augmentation.alignment);
        out.table("model");
        out.names("paradigms", self.model.paradigms.iter().map(|paradigm| paradigm.name));
        out.axis("dimension", &self.model.dimension);
        out.table("grid");
        out.axis("samples", &self.grid.samples);
        out.table("sampler");
        out.key("kind", quoted(self.sampler.name()));
        out.table("output");
        out.names("metrics", self.output.metrics.iter().map(|metric| metric.name));
        out.key("detail", quoted(self.output.detail.name()));
        out.key("part_rows", self.output.part_rows);
        out.key("max_failed", format!("{:?}", self.output.max_failed));
        out.text
    }
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn table(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("[{name}]\n"));
    }

    fn key(&mut self, key: &str, value: impl Display) {
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    /// A list of numbers. `Debug` prints a float with a point or an exponent, and so that its bits come back.
    fn list<T: Debug>(&mut self, key: &str, values: &[T]) {
        self.key(key, format!("{values:?}"));
    }

    fn axis<T: Copy + Debug>(&mut self, key: &str, axis: &Axis<T>) {
        match axis.only() {
            Some(value) => self.key(key, format!("{value:?}")),
            None => self.list(key, axis.values()),
        }
    }

    fn names<'n>(&mut self, key: &str, names: impl Iterator<Item = &'n str>) {
        self.list(key, &names.collect::<Vec<_>>());
    }

    fn path(&mut self, key: &str, path: &Path) {
        self.key(key, quoted(&path.to_string_lossy()));
    }

    fn spectrum(&mut self, spectrum: &SpectrumSpec) {
        match &spectrum.shape {
            SpectrumShape::Uniform => self.key("spectrum", quoted(Named::Uniform.name())),
            SpectrumShape::Flat => self.key("spectrum", quoted(Named::Flat.name())),
            SpectrumShape::PowerLaw { .. } => self.key("spectrum", quoted(Named::PowerLaw.name())),
            SpectrumShape::List(list) => self.list("spectrum", list),
        }
        self.axis("scale", &spectrum.scale);
        if let SpectrumShape::PowerLaw { decay } = &spectrum.shape {
            self.axis("decay", decay);
        }
    }

    fn data(&mut self, data: &DataSpec) {
        self.table("data");
        match data {
            DataSpec::Gaussian(gaussian) => {
                self.key("source", "\"gaussian\"");
                self.axis("components", &gaussian.components);
                self.spectrum(&gaussian.spectrum);
                match &gaussian.teacher {
                    Teacher::Classes { separation } => {
                        self.key("teacher", "\"classes\"");
                        self.key("label_count", gaussian.label_count);
                        self.axis("separation", separation);
                    }
                    Teacher::Linear { label_noise } => {
                        self.key("teacher", "\"linear\"");
                        self.key("label_count", gaussian.label_count);
                        self.axis("label_noise", label_noise);
                    }
                }
            }
            DataSpec::Idx(idx) => {
                self.key("source", "\"idx\"");
                self.path("images", &idx.images);
                self.path("labels", &idx.labels);
                if let Some(components) = &idx.components {
                    self.axis("components", components);
                }
            }
        }
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
