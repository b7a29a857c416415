//! Every key of a job file, table by table.

use std::ops::RangeInclusive;

use eigensweep_inputs::readers::{Choice, Orientation, READERS, Reader};
use eigensweep_theory::features;
use eigensweep_theory::metrics::{self, Asked, Metric};
use eigensweep_theory::paradigms;
use eigensweep_theory::views::KINDS;
use eigensweep_theory::views::stages::{Severities, Takes, Unless};

use super::super::boundary::Recovery;
use super::super::chains;
use super::super::numbers::Allowed;
use super::super::spec::{
    Detail, HeldOutRows, MOST_PART_ROWS, ROW_GROUP_ROWS, Sampler, Signal, SpectrumShape, ValueRange,
};
use super::super::stages::{AlignmentDose, CorruptionDraw};
use super::super::values::Values;
use super::{
    Default, GROUPS, Identity, Key, Kind, LABELS, Level, SPECTRAL, STAGES, Shown, TARGETS, VIEWS, When,
    unique,
};

/// Most of what is counted in 31 bits: replicates, classes.
const MOST: u64 = i32::MAX.unsigned_abs() as u64;

/// How many replicates there may be.
pub(in super::super) const REPLICATES: RangeInclusive<u64> = 1..=MOST;

/// A number of components or dimensions; the data set's columns hold it in 32 bits.
const DIMENSION: Allowed = Allowed::whole(
    "a whole number from 1 to 2147483647",
    |value| (1.0..=2_147_483_647.0).contains(&value),
    "it counts components, of which there must be one",
);

const SAMPLES: Allowed = Allowed::whole(
    "a whole number from 1 to 10^15",
    |value| (1.0..=1e15).contains(&value),
    "a sample needs at least one observation, and past 10^15 the moments of a sample are those of the population to \
     every digit",
);

const SEPARATION: Allowed = Allowed::share(
    "above 0 and below 1",
    |value| value > 0.0 && value < 1.0,
    "the share of the variance along the class directions that lies between classes: at 0 there are no classes, at 1 \
     nothing else",
);

/// Variances that may be zero.
const NOT_NEGATIVE: Allowed = Allowed::real(
    "at least 0",
    |value| value >= 0.0,
    "eigenvalues of a covariance are variances: 0 leaves the direction without any",
);

/// Variances of components that are there.
const POSITIVE: Allowed =
    Allowed::real("above 0", |value| value > 0.0, "every important component has a positive variance");

const DECAY: Allowed = Allowed::real(
    "at least 0",
    |value| value >= 0.0,
    "eigenvalue i is scale · i^(−decay): the first is the largest, and 0 makes all equal",
);

/// A number from 0 to 1.
const fn share(help: &'static str) -> Allowed {
    Allowed::share("from 0 to 1", |value| (0.0..=1.0).contains(&value), help)
}

impl<T: Into<String>> From<T> for Default {
    fn from(value: T) -> Self {
        Self::Is(value.into())
    }
}

fn key(path: &'static str, kind: Kind, default: impl Into<Default>, help: impl Into<String>) -> Key {
    let (table, name) = path.split_once('.').unwrap_or((path, ""));
    in_table(table, name, kind, default, help)
}

fn in_table(
    table: &'static str,
    name: &'static str,
    kind: Kind,
    default: impl Into<Default>,
    help: impl Into<String>,
) -> Key {
    let (path, default, help) = (format!("{table}.{name}"), default.into(), help.into());
    let (when, axis, enters) = (Vec::new(), None, Identity::Study);
    let (relative, silent, shown) = (false, false, Shown::Full);
    let same_as = None;
    Key { table, name, path, when, kind, default, axis, relative, enters, shown, silent, same_as, help }
}

/// One of these words, the first unless given.
fn word(path: &'static str, words: Vec<&'static str>, help: impl Into<String>) -> Key {
    let default = words.first().map_or_else(String::new, |word| format!("{word:?}"));
    key(path, Kind::Word(words), default, help)
}

/// A number, whose help is that of the values that it takes.
fn number(path: &'static str, allowed: Allowed, default: impl Into<Default>) -> Key {
    key(path, Kind::Number(allowed), default, allowed.help)
}

/// `spectrum`, `scale` and `decay` of one covariance: its shape and largest eigenvalue unless
/// given.
fn spectrum(
    [spectrum, scale, decay]: [&'static str; 3],
    (shape, named): (&'static str, &'static str),
    allowed: Allowed,
    [scales, decays]: [&'static str; 2],
    level: Level,
) -> [Key; 3] {
    let largest = Default::Listed { named, listed: |_| "1".to_owned(), words: "`1`" };
    [
        key(spectrum, Kind::Spectrum(allowed), shape, "how the eigenvalues relate to each other")
            .shown(Shown::Common),
        number(scale, allowed, largest)
            .help("the largest eigenvalue (of `\"uniform\"` its upper bound), or what multiplies a list")
            .shown(Shown::Common)
            .axis(scales, level),
        // 1/i: a convention, not derived.
        number(decay, DECAY, "1")
            .when("spectrum", SpectrumShape::POWER_LAW)
            .because("this spectrum", "only spectrum = \"power-law\" has a decay")
            .axis(decays, level),
    ]
}

/// The scale of noise may be measured against the data.
fn against_data(key: Key) -> Key {
    if key.name != "scale" {
        return key;
    }
    let relative = "`{ relative = x }` is x times the largest eigenvalue of the clean data (of drawn data that of \
        the replicate's population, of files that of all rows); the column holds x";
    let help = format!("{}; {relative}", key.help);
    key.help(&help).relative()
}

/// A number of components: those of Appendix C, or as many as a list of eigenvalues has.
fn components(path: &'static str, column: &'static str, level: Level) -> Key {
    let default = Default::Listed { named: "50", listed: |length| length.to_string(), words: "its length" };
    number(path, DIMENSION, default).shown(Shown::Common).axis(column, level)
}

/// Keys that have a meaning beside these words only, before all their other conditions.
fn only(name: &'static str, is: &[&'static str], keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.iter_mut().for_each(|key| key.when.insert(0, When { key: name, is: is.to_vec(), otherwise: None }));
    keys
}

/// Keys of jobs with stages only, before all their other conditions.
fn with_stages(keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
    beside(
        STAGES,
        ("no stages", "only a job with stages has it: list them in [corruption] or [augmentation]"),
        keys,
    )
}

/// Keys of jobs without stages only.
fn without_stages(keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
    beside(
        SPECTRAL,
        ("stages", "a job has stages or spectra, in both tables alike: leave out this key, or the stages"),
        keys,
    )
}

fn beside(
    views: &'static str,
    otherwise: (&'static str, &'static str),
    keys: impl IntoIterator<Item = Key>,
) -> Vec<Key> {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    for key in &mut keys {
        key.when.insert(0, When { key: VIEWS, is: vec![views], otherwise: Some(otherwise) });
    }
    keys
}

/// Every key, in canonical order.
pub(super) fn declare() -> Vec<Key> {
    [job(), data(), corruption(), augmentation(), others(), boundary()].into_iter().flatten().collect()
}

fn job() -> Vec<Key> {
    let name = "it names the directory of the results: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`";
    let left = |values: &Values| 0..=MOST - values.whole("job.replicates").unwrap_or(1);
    let seed = "the seed is a non-negative integer of 64 bits";
    let first = "the number of the first replicate: the job computes the rest of a longer one";
    vec![
        key("job.name", Kind::Text, Default::Derived("the file's name without extension"), name)
            .enters(Identity::Nothing),
        key("job.seed", Kind::Whole(|_| 0..=u64::MAX), "0", seed).shown(Shown::Common),
        // Those of the paper's figures.
        key("job.replicates", Kind::Replicates, "100", "how often each cell is drawn anew, at least once")
            .shown(Shown::Common)
            .enters(Identity::Extensible),
        key("job.first_replicate", Kind::Whole(left), "0", first)
            .when("replicates", "a number")
            .because("adaptive replicates", "checkpoints count from the first replicate")
            .enters(Identity::Extensible),
    ]
}

fn data() -> Vec<Key> {
    let files: Vec<&'static str> = READERS.iter().map(|reader| reader.name).collect();
    let rows = [&[GLYPHS], &files[..]].concat();
    let mut help =
        "where inputs and labels come from: `\"gaussian\"` draws them; `\"glyphs\"` draws images of \
        digits, 28 × 28 pixels"
            .to_owned();
    READERS.iter().for_each(|reader| help.push_str(&format!("; `{:?}` reads {}", reader.name, reader.help)));
    let source = word("data.source", [&[GAUSSIAN], &rows[..]].concat(), help);
    let mut keys = vec![source.shown(Shown::Minimal)];
    let count = "how many images are drawn, those that are held out included";
    keys.extend(only("source", &[GLYPHS], [key("data.count", Kind::Whole(|_| 1..=MOST), "20000", count)]));
    keys.extend(of_files(&files));
    let teacher =
        "how labels come from the signal: one-hot classes with means of their own, or linear targets";
    let classes = "ℓ, the number of classes: one class is no distinction";
    let mut drawn = vec![
        components("data.components", "signal_components", Level::Data)
            .help("k₀, the number of important components"),
    ];
    drawn.extend(spectrum(
        ["data.spectrum", "data.scale", "data.decay"],
        // A scale equal to that of the views (Appendix C): the weak noise of Appendix C (10³) then
        // lies below the strongest signal and above the weakest.
        ("\"power-law\"", "1e4"),
        POSITIVE,
        ["signal_scale", "signal_decay"],
        Level::Data,
    ));
    let signal = "whether inputs are drawn, or given, with a second moment that is the spectrum itself for every n, as in \
        the paper; labels are drawn either way";
    drawn.extend([
        word("data.signal", Signal::ALL.map(Signal::name).to_vec(), signal).silent(),
        word("data.teacher", vec!["classes", "linear"], teacher).shown(Shown::Common),
        // Ten, as MNIST has.
        key("data.label_count", Kind::Whole(|_| 2..=MOST), "10", classes)
            .when("teacher", "classes")
            .shown(Shown::Common),
        key("data.label_count", Kind::Whole(|_| 1..=MOST), "10", "ℓ, the number of targets")
            .when("teacher", "linear"),
        number("data.separation", SEPARATION, "0.5")
            .when("teacher", "classes")
            .axis("separation", Level::Data),
        // Not 0, so that the best loss is not zero.
        number("data.label_noise", share("the share of the labels' variance that is noise"), "0.1")
            .when("teacher", "linear")
            .axis("label_noise", Level::Data),
    ]);
    keys.extend(only("source", &[GAUSSIAN], drawn));
    let principal = number("data.components", DIMENSION, Default::Derived("the raw features"))
        .help("k₀, the principal components to keep")
        .axis("signal_components", Level::Data);
    keys.extend(only("source", &rows, [principal]));
    keys.extend(with_stages(held_out(&rows)));
    keys.extend(ranges());
    keys
}

/// The readers for which something holds, by name.
fn readers(holds: impl Fn(&Reader) -> bool) -> Vec<&'static str> {
    READERS.iter().filter(|reader| holds(reader)).map(|reader| reader.name).collect()
}

/// What names files, and what is chosen of them.
fn of_files(files: &[&'static str]) -> Vec<Key> {
    const LABELS_HELP: &str = "what is to be learned: one column of whole numbers or of words is classes, anything else \
        real targets";
    const TARGETS_HELP: &str =
        "what is to be learned, as real numbers whatever it looks like; a list of columns, too";
    const MATRIX_HELP: &str = "the array of the file that holds the inputs: of npz by name; of h5ad `X`, `raw/X`, \
        `layers/NAME` or `obsm/NAME`";
    const COLUMNS_HELP: &str = "the columns that are inputs, as patterns with `*` and `?`; one that begins with `!` takes \
        columns out";
    let mut keys = Vec::new();
    for file in unique(READERS.iter().map(|reader| reader.inputs)) {
        let of = readers(|reader| reader.inputs == file);
        let key = in_table("data", file.key, Kind::Path, Default::Required, file.help);
        keys.extend(only("source", &of, [key.enters(Identity::Nothing)]));
    }
    let rows = Kind::Word(Orientation::ALL.map(Orientation::name).to_vec());
    let choices = [
        (Choice::Matrix, Kind::Text, "the only one, or `X`", MATRIX_HELP),
        (Choice::Columns, Kind::Patterns, "all that are nothing else", COLUMNS_HELP),
        (Choice::Rows, rows, "samples; features in a 10x folder", "what a row of the file is"),
    ];
    for (choice, kind, default, help) in choices {
        let of = readers(|reader| reader.choices.contains(&choice));
        let key = in_table("data", choice.key(), kind, Default::Derived(default), help);
        if !of.is_empty() {
            keys.extend(only("source", &of, [key]));
        }
    }
    let columns = [(LABELS, "`targets`", LABELS_HELP), (TARGETS, "`labels`", TARGETS_HELP)];
    let columns = columns.map(|(name, default, help)| {
        in_table("data", name, Kind::Columns, Default::Derived(default), help).enters(Identity::Nothing)
    });
    keys.extend(only("source", files, columns));
    keys
}

/// `range` of each kind of sources, with stages and without.
fn ranges() -> Vec<Key> {
    const HELP: &str = "what the least and the largest value become: of bytes 0 and 255, of other types those of the rows \
        that are learned from; `\"none\"` leaves values as they are, `\"auto\"` all but the bytes of images \
        (arrays of more than two dimensions, or with a `shape`), which it maps to [0, 1]";
    let images = [&[GLYPHS], &readers(|reader| reader.images)[..]].concat();
    let others = readers(|reader| !reader.images);
    let range = |of: &[&'static str], words, default: &str| {
        only("source", of, [key("data.range", Kind::Range(words), default, HELP).silent()])
    };
    const OWN: &[&str] = &[ValueRange::OWN];
    const BOTH: &[&str] = &[ValueRange::OWN, ValueRange::AUTO];
    let all = [&images[..], &others].concat();
    let mut keys = without_stages(range(&all, OWN, "\"none\""));
    keys.extend(with_stages(range(&images, OWN, "[0.0, 1.0]")));
    if !others.is_empty() {
        keys.extend(with_stages(range(&others, BOTH, "\"auto\"")));
    }
    keys
}

/// `shape`, and the rows that nothing is learned from.
fn held_out(rows: &[&'static str]) -> Vec<Key> {
    let shape = "channels, rows and columns of a sample, channel by channel and row by row";
    let of_source = Default::Derived("what the source says, or one row of features");
    let mut keys = only("source", rows, [key("data.shape", Kind::Shape, of_source, shape)]);
    for file in unique(READERS.iter().map(|reader| reader.inputs)) {
        let help = format!("the same of rows that nothing is learned from: {}", file.help);
        let none = Default::Derived("no rows of their own");
        let key = in_table("data", test_key(file.key), Kind::Path, none, help).enters(Identity::Nothing);
        keys.extend(only("source", &readers(|reader| reader.inputs == file), [key]));
    }
    let files = readers(|_| true);
    for name in [LABELS, TARGETS] {
        let help = format!("`{name}` of the rows that nothing is learned from");
        let same = Default::Derived("the same columns of their file");
        let key = in_table("data", test_key(name), Kind::Columns, same, help).enters(Identity::Nothing);
        keys.extend(only("source", &files, [key]));
    }
    let groups = in_table("data", GROUPS, Kind::Columns, Default::Derived("no groups"), GROUPS_HELP);
    keys.extend(only("source", &files, [groups.enters(Identity::Nothing)]));
    let share = Allowed::share("above 0 and below 1", |value| value > 0.0 && value < 1.0, TEST_SHARE);
    let share = number("data.test_share", share, Default::Derived("no rows are held out"));
    const WHICH: &str = "which rows a share is: the last ones, or random ones, chosen once a job; of whole groups where there \
        are some";
    let which = word("data.test_rows", HeldOutRows::ALL.map(HeldOutRows::name).to_vec(), WHICH).silent();
    keys.extend(only("source", rows, [share, which]));
    keys
}

const GROUPS_HELP: &str =
    "what samples belong together (donors, batches): a held-out share does not divide a group";

const TEST_SHARE: &str =
    "the share of the rows that nothing is learned from: what was learned is tried on them";

/// The source of drawn moments.
pub(in super::super) const GAUSSIAN: &str = "gaussian";

/// The source of drawn images.
pub(in super::super) const GLYPHS: &str = "glyphs";

/// `test_images` of `images`: a name for each key of a reader, made once.
pub(in super::super) fn test_key(file: &str) -> &'static str {
    chains::intern(format!("test_{file}"))
}

fn corruption() -> Vec<Key> {
    let kind = "Gaussian noise γ ~ N(0, Γ), once a sample (Section 4.1)";
    let paths = ["corruption.spectrum", "corruption.scale", "corruption.decay"];
    let columns = ["noise_scale", "noise_decay"];
    let mut keys = vec![
        word("corruption.kind", vec!["spectral"], kind),
        components("corruption.components", "noise_components", Level::Noise)
            .help("p, the number of noise components"),
    ];
    // The weak noise of Appendix C.
    let shape = spectrum(paths, ("\"uniform\"", "1e3"), NOT_NEGATIVE, columns, Level::Noise);
    keys.extend(shape.map(against_data));
    keys.iter_mut().filter(|key| key.relative).for_each(|key| key.shown = Shown::Minimal);
    let mut keys = without_stages(keys);
    let tables = Severities::ALL.map(Severities::name).to_vec();
    let severity = "how strong the corruption is, 0 for none: fills in what is not given of the stages' keys";
    let draw = "how samples are corrupted: a draw a sample, or the limit of many samples in closed form";
    let chain = "what is done to the samples, one stage after another; none leaves them clean";
    keys.extend(with_stages([
        word(
            "corruption.severities",
            tables,
            "whose severities are meant: those of ImageNet-C or of CIFAR-C",
        ),
        number("corruption.severity", SEVERITY, Default::Derived("the stages' own keys"))
            .help(severity)
            .axis("severity", Level::Noise),
        word("corruption.draw", vec![CorruptionDraw::Once.name(), CorruptionDraw::Population.name()], draw),
        key("corruption.stages", Kind::Stages(Level::Noise), "[]", chain),
    ]));
    keys
}

const SEVERITY: Allowed = Allowed::whole(
    "a whole number from 0 to 5",
    |value| (0.0..=5.0).contains(&value),
    "0 is no corruption, and the tables of severities have five",
);

const ALIGNMENT: Allowed = Allowed::real(
    "at least 0",
    |value| value >= 0.0,
    "the dose of the corruption that is first in every view of a corrupted sample; 0 leaves it out",
);

const FLOOR: Allowed = Allowed::real(
    "at least 0",
    |value| value >= 0.0,
    "white noise of floor · tr S / d, last in the views; at 0, models are solved on the range of S",
);

fn augmentation() -> Vec<Key> {
    let help: Vec<_> = KINDS.iter().map(|kind| format!("`{:?}`: {}", kind.name, kind.help)).collect();
    let kinds = KINDS.iter().map(|kind| kind.name).collect();
    let with_spectrum: Vec<_> = KINDS.iter().filter(|kind| kind.spectrum).map(|kind| kind.name).collect();
    let paths = ["augmentation.spectrum", "augmentation.scale", "augmentation.decay"];
    let columns = ["augmentation_scale", "augmentation_decay"];
    let mut keys = vec![word("augmentation.kind", kinds, help.join("; "))];
    // The scale of Appendix C.
    let shape = spectrum(paths, ("\"uniform\"", "1e4"), NOT_NEGATIVE, columns, Level::Views);
    keys.extend(only("kind", &with_spectrum, shape.map(against_data)));
    for kind in KINDS {
        let parameters = kind.parameters.iter().map(|one| {
            let allowed = Kind::Number(Allowed::real(one.words, one.holds, one.help));
            in_table("augmentation", one.key, allowed, format!("{:?}", one.default), one.help)
                .axis(one.column, if one.clean { Level::Views } else { Level::Within })
                .shown(Shown::Minimal)
        });
        keys.extend(only("kind", &[kind.name], parameters));
    }
    let mut keys = without_stages(keys);
    let doses = AlignmentDose::ALL.map(AlignmentDose::name).to_vec();
    let dose = "what `alignment` is: the strength of the corruption, its probability, or the largest of uniformly \
        drawn strengths";
    let chain = "what makes a view of a sample, one stage after another";
    let mut of_stages = vec![
        number("augmentation.alignment", ALIGNMENT, "0.0").axis("alignment", Level::Within),
        word("augmentation.dose", doses, dose),
        number("augmentation.floor", FLOOR, "0.0").axis("floor", Level::Views),
        key("augmentation.stages", Kind::Stages(Level::Views), "[]", chain),
    ];
    of_stages.extend(paradigms::ALL.iter().map(|paradigm| {
        let help = format!("the stages of {} in place of those above", paradigm.name);
        let above = Default::Derived("those above");
        in_table("augmentation", paradigm.name, Kind::Own(Level::Views), above, help)
    }));
    keys.extend(with_stages(of_stages));
    keys
}

/// Most views that are drawn of a sample: the subspace is that of all of them long before, and a
/// block of samples takes half a gigabyte at a thousand features.
const MOST_VIEWS: u64 = 1024;

/// `[features]`, `[model]`, `[grid]`, `[sampler]` and `[output]`.
fn others() -> Vec<Key> {
    let views = "m, the views that are drawn of each sample where a stage has no closed form";
    let mut keys = features();
    keys.extend(with_stages([key("features.views", Kind::Whole(|_| 2..=MOST_VIEWS), "8", views)]));
    keys.extend(common());
    keys
}

/// What library sizes are scaled to.
const LIBRARY: Allowed = Allowed::real(
    "above 0",
    |value| value > 0.0,
    "what the values of each row sum to after scaling, as scanpy's `normalize_total`: a number such as 1e4, or the \
     `\"median\"` of the rows that are learned from; of all features, and of the rows as the source has them, whatever \
     is thinned later",
);

/// What is done to the features of rows, but for the number of views that are drawn.
fn features() -> Vec<Key> {
    let files: Vec<&'static str> = READERS.iter().map(|reader| reader.name).collect();
    let rows = [&[GLYPHS], &files[..]].concat();
    let log = "whether `ln(1 + x)` takes the place of each value, after `normalize`; for values from 0";
    let variable = "how many of the most variable features are kept (scanpy's flavour `seurat`, by normalized values of \
        the rows that are learned from; those that tie with the last, too), before anything else sees them";
    let center = "whether means are taken off; jobs centre last in any case, so that only maps notice";
    let standardize = "whether features are divided by their standard deviations, before components";
    let components = "the same as `data.components`: k₀, the principal components to keep";
    let kinds: Vec<_> = features::KINDS.iter().map(|kind| kind.name).collect();
    let help: Vec<_> =
        features::KINDS.iter().map(|kind| format!("`{:?}`: {}", kind.name, kind.help)).collect();
    let flag = |path, help: &str| key(path, Kind::Flag, "false", help).silent();
    let mut keys = vec![
        key(
            "features.normalize",
            Kind::NumberOr(LIBRARY, &[MEDIAN]),
            Default::Derived("rows keep their scale"),
            LIBRARY.help,
        ),
        flag("features.log1p", log),
        key("features.variable", Kind::Whole(|_| 1..=MOST), Default::Derived("all features"), variable),
        flag("features.center", center),
        flag("features.standardize", standardize),
        number("features.components", DIMENSION, Default::Derived("`data.components`"))
            .help(components)
            .same_as("data.components")
            .axis("signal_components", Level::Data),
        word("features.kind", kinds, help.join("; ")).silent(),
    ];
    for kind in features::KINDS {
        let own = kind.keys.iter().filter_map(|one| {
            let (Takes::Number(bounds), Unless::Number(default)) = (one.takes, one.unless) else {
                return None;
            };
            let allowed = match bounds.whole {
                true => Allowed::whole(bounds.words, bounds.holds, one.help),
                false => Allowed::real(bounds.words, bounds.holds, one.help),
            };
            let default = if bounds.whole { format!("{default}") } else { format!("{default:?}") };
            Some(in_table("features", one.name, Kind::Number(allowed), default, one.help))
        });
        keys.extend(only("kind", &[kind.name], own));
    }
    only("data.source", &rows, keys)
}

/// The word for a library size that the data have themselves.
pub(in super::super) const MEDIAN: &str = "median";

fn common() -> Vec<Key> {
    let paradigms: Vec<_> = paradigms::ALL.iter().map(|paradigm| paradigm.name).collect();
    let all = format!("{paradigms:?}");
    let metrics = |staged: bool| {
        let there: Vec<&'static Metric> =
            metrics::nameable().filter(|metric| staged || !metric.is_probed()).collect();
        let asked = |metric: &Metric| match metric.asked {
            Asked::ByDefault => true,
            Asked::WithStages => staged,
            Asked::With(_) | Asked::Always | Asked::ByName => false,
        };
        let by_default = there.iter().filter(|metric| asked(metric)).map(|metric| metric.name);
        let by_default: Vec<&str> = by_default.collect();
        let words = Kind::Words(there.iter().map(|metric| metric.name).collect());
        key("output.metrics", words, format!("{by_default:?}"), "what is reported").shown(Shown::Common)
    };
    let dimension = Default::Derived("`data.components`, if that is one number; otherwise *required*");
    let sampler = "how moments are drawn: themselves, or from every noise vector (n up to 10⁸)";
    let detail = "a row a replicate, or count, mean, variance, extremes and quantiles over replicates only";
    let part_rows = "rows of a Parquet file: small files for short tests, large ones for long runs";
    let max_failed = share("the share of rows without a value above which `run` exits with 3");
    let mut keys = vec![
        key("model.paradigms", Kind::Words(paradigms), all, "what is trained").shown(Shown::Common),
        number("model.dimension", DIMENSION, dimension)
            .help("k, the number of features that each model learns, at most k₀ + p")
            .shown(Shown::Common)
            .axis("dimension", Level::Dimension),
        // Those of Appendix C.
        number("grid.samples", SAMPLES, "{ from = 100, to = 51200, ratio = 2 }")
            .help("n, the observations of a sample")
            .shown(Shown::Minimal)
            .axis("samples", Level::Samples),
    ];
    keys.extend(without_stages([word("sampler.kind", Sampler::ALL.map(Sampler::name).to_vec(), sampler)]));
    keys.extend(without_stages([metrics(false)]));
    keys.extend(with_stages([metrics(true)]));
    keys.extend([
        word("output.detail", Detail::ALL.map(Detail::name).to_vec(), detail).shown(Shown::Common),
        // Eight row groups: 25 to 30 MB on disk.
        key(
            "output.part_rows",
            Kind::Whole(|_| 1..=MOST_PART_ROWS),
            (8 * ROW_GROUP_ROWS).to_string(),
            part_rows,
        )
        .enters(Identity::Extensible),
        number("output.max_failed", max_failed, "0.01").enters(Identity::Nothing),
    ]);
    keys
}

/// A tolerance of `[boundary]`.
const TOLERANCE: Allowed = Allowed::share(
    "above 0 and below 1",
    |value| value > 0.0 && value < 1.0,
    "a replicate recovers where its leakage is below this, or its distance below this share of that at α = 0",
);

const PRECISION: Allowed = Allowed::real(
    "above 0",
    |value| value > 0.0,
    "the half width of the interval of log α (0.02: 2 % of α) at which no replicate is added",
);

const CONFIDENCE: Allowed = Allowed::share(
    "above 0 and below 1",
    |value| value > 0.0 && value < 1.0,
    "the least probability that the interval holds α*",
);

const QUANTILES: Allowed = Allowed::share(
    "above 0 and below 1",
    |value| value > 0.0 && value < 1.0,
    "probabilities of recovery, beside ½, whose alignments are reported; 0.1 and 0.9 give the transition's width",
);

/// Defaults: those under which the coverage of the intervals was measured.
fn boundary() -> Vec<Key> {
    let recovery = "what a replicate recovers by: its leakage, or its distance against that at α = 0";
    let tolerance = Default::Derived("1/(2k) of leakage, 0.5 of distance");
    let least = "the replicates that every cell is traced with at least (`job.replicates` is not used)";
    let most = "the replicates after which none is added, however wide the interval still is";
    let count = |path, default: &str, help| key(path, Kind::Whole(|_| 2..=MOST_TRACED), default, help);
    vec![
        word("boundary.recovery", Recovery::ALL.map(Recovery::name).to_vec(), recovery),
        number("boundary.tolerance", TOLERANCE, tolerance),
        number("boundary.precision", PRECISION, "0.02"),
        number("boundary.confidence", CONFIDENCE, "0.95"),
        key("boundary.quantiles", Kind::Numbers(QUANTILES), "[0.1, 0.9]", QUANTILES.help),
        count("boundary.min_replicates", "24", least),
        count("boundary.max_replicates", "4096", most),
    ]
}

/// Most replicates of a boundary's cell: their order statistics then take some milliseconds.
const MOST_TRACED: u64 = 1 << 20;
