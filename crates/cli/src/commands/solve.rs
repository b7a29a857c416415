//! `solve`: one problem in closed form.

use std::ops::Range;
use std::path::Path;
use std::{fmt, fs, iter};

use eigensweep_engine::EngineError;
use eigensweep_engine::given::views::{SAMPLED, SEED, StagedViews};
use eigensweep_engine::given::{Given, GivenError, GivenMoments, Matrix, centred};
use eigensweep_inputs::{
    Labels as Answers, columns, read_any_labels, read_any_matrix, write_matrix, write_vector,
};
use eigensweep_store::format::counted;
use eigensweep_theory::closed_forms::{self, ClosedForms, Encoder, Predictor};
use eigensweep_theory::paradigms::{self, Pencil};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::views::stages::Tier;
use eigensweep_theory::{Failure, InstructionSet, Paradigm};
use faer::Mat;
use serde_json::{Map, Value, json};

use super::table;
use crate::args::Solve;
use crate::exit::Exit;
use crate::report::CommandError;

/// Most classes or inputs that are named one by one.
const NAMED: usize = 10;

/// Fewest values of each spectrum that the tables show, and how many after the k-th.
const SHOWN: usize = 20;
const AFTER: usize = 5;

/// Difference of two eigenvalues, relative to the first, up to which rounding decides which of
/// their eigenvectors comes out.
const TIED: f64 = 1e-10;

pub(crate) fn call(arguments: &Solve) -> Result<Exit, CommandError> {
    let problem = read(arguments)?;
    let solution = solve(&problem.moments, arguments.dimension)
        .map_err(|(what, source)| unsolvable(what, source, &problem, arguments))?;
    problem.warn_of_inputs(arguments.center);
    problem.warn_of_rank(solution.rank);
    solution.warn_of_ties(problem.source != Source::Inputs || arguments.mean_views.is_some());
    if let Some(directory) = &arguments.write {
        solution.write(directory, &problem.moments)?;
    }
    if arguments.json {
        solution.print_json(&problem);
    } else {
        solution.print_tables(&problem);
    }
    Ok(Exit::Success)
}

/// What the file of labels was read as.
struct Labels(Answers);

impl Labels {
    /// One column of whole numbers or of words as classes unless they are said to be real; anything
    /// else as real targets.
    fn read(path: &Path, real: bool, samples: usize) -> Result<Self, CommandError> {
        let labels = read_any_labels(path, real)?;
        let found = labels.samples();
        if found != samples {
            // Before classes are counted among rows that do not belong to the inputs.
            let columns = match &labels {
                Answers::Classes(_) => 1,
                Answers::Targets(targets) => targets.ncols(),
            };
            let (expected, found) = ((samples, columns), (found, columns));
            let source = GivenError::Shape { matrix: Matrix::Labels, expected, found };
            return Err(CommandError::Misfit { source, path: path.to_path_buf() });
        }
        if let Answers::Classes(classes) = &labels
            && 2 * classes.count() > samples
        {
            tell!(
                "warning: {} holds {} classes in {samples} rows; if these whole numbers are no classes, give them as --targets",
                path.display(),
                classes.count()
            );
        }
        Ok(Self(labels))
    }

    /// Y (n × ℓ).
    fn matrix(&self) -> Mat<f64> {
        match &self.0 {
            Answers::Classes(classes) => classes.one_hot(),
            Answers::Targets(targets) => targets.clone(),
        }
    }

    fn json(&self) -> Value {
        match &self.0 {
            Answers::Classes(classes) => match classes.words() {
                Some(words) => json!({ "kind": "classes", "count": classes.count(), "values": words }),
                None => json!({ "kind": "classes", "count": classes.count(), "values": classes.values() }),
            },
            Answers::Targets(targets) => json!({ "kind": "targets", "count": targets.ncols() }),
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Answers::Classes(classes) => {
                let count = classes.count();
                let first = (0..count.min(NAMED)).map(|class| classes.name(class)).collect::<Vec<_>>();
                let rest = if count > NAMED { ", …" } else { "" };
                let noun = if count == 1 { "class" } else { "classes" };
                write!(f, "{count} {noun}, one-hot ({}{rest})", first.join(", "))
            }
            Answers::Targets(targets) => {
                write!(f, "{}", counted(targets.ncols() as u64, "real target"))
            }
        }
    }
}

/// Where S has what it has beyond X̄ᵀX̄/n from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nowhere.
    Inputs,
    Covariance,
    Views,
}

/// What the files hold.
struct Problem {
    moments: GivenMoments,
    labels: Labels,
    /// X (n × d); without views centred where that was asked for.
    inputs: Mat<f64>,
    views: Option<StagedViews>,
    source: Source,
}

/// The moments of the files, and what the labels were read as.
fn read(arguments: &Solve) -> Result<Problem, CommandError> {
    let inputs = read_any_matrix(&arguments.inputs)?;
    let views = arguments.views.as_deref().map(|path| read_views(path, &inputs)).transpose()?;
    let (most, of) = match &views {
        Some(views) if views.features() != inputs.ncols() => (views.features(), "features of a view"),
        Some(_) | None => (inputs.ncols(), "inputs"),
    };
    if !(1..=most).contains(&arguments.dimension) {
        return Err(CommandError::Dimension { found: arguments.dimension, most, of });
    }
    // The arguments make sure of exactly one of them.
    let path = arguments.targets.as_deref().or(arguments.labels.as_deref()).unwrap_or(Path::new(""));
    let labels = Labels::read(path, arguments.targets.is_some(), inputs.nrows())?;
    let misfit = |source: GivenError| {
        let file = match source.matrix() {
            Matrix::Inputs => Some(arguments.inputs.as_path()),
            Matrix::Labels => Some(path),
            Matrix::MeanViews => arguments.mean_views.as_deref(),
            Matrix::Covariance => arguments.covariance.as_deref(),
        };
        CommandError::Misfit { source, path: file.unwrap_or(path).to_path_buf() }
    };
    let matrix = labels.matrix();
    if let Some(mut views) = views {
        let moments = views.moments(inputs.as_ref(), matrix.as_ref(), arguments.center).map_err(misfit)?;
        return Ok(Problem { moments, labels, inputs, views: Some(views), source: Source::Views });
    }
    let given = |matrix: Mat<f64>| if arguments.center { centred(matrix.as_ref()).0 } else { matrix };
    let inputs = given(inputs);
    let mean_views = arguments.mean_views.as_deref().map(read_any_matrix).transpose()?.map(given);
    let covariance = arguments.covariance.as_deref().map(read_any_matrix).transpose()?;
    let given = Given {
        inputs: inputs.as_ref(),
        labels: matrix.as_ref(),
        mean_views: mean_views.as_ref().map(Mat::as_ref),
        covariance: covariance.as_ref().map(Mat::as_ref),
    };
    let moments = given.moments().map_err(misfit)?;
    let source = if covariance.is_some() { Source::Covariance } else { Source::Inputs };
    Ok(Problem { moments, labels, inputs, views: None, source })
}

/// The views of a file, for these inputs.
fn read_views(path: &Path, inputs: &Mat<f64>) -> Result<StagedViews, CommandError> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let text = fs::read_to_string(path).map_err(|source| CommandError::TextFile {
        what: "file of views",
        path: path.to_path_buf(),
        source,
    })?;
    let file = eigensweep_job::views_file(&path.display().to_string(), &text, directory)
        .map_err(CommandError::Views)?;
    StagedViews::new(&file, inputs.as_ref()).map_err(|error| match error {
        EngineError::Job(problems) => CommandError::Views(problems),
        error @ (EngineError::Input(_)
        | EngineError::Store(_)
        | EngineError::Io { .. }
        | EngineError::Threads { .. }) => CommandError::Engine(error),
    })
}

impl Problem {
    /// Says which inputs are constant; not of those that are zero in the views, which lower the rank.
    fn warn_of_inputs(&self, centred: bool) {
        let mut constant = columns::constant(self.inputs.as_ref());
        let moment = if self.views.is_some() { &self.moments.inputs } else { &self.moments.views };
        constant.retain(|&column| moment[(column, column)] > 0.0);
        if !constant.is_empty() {
            let remark = if centred { "" } else { "; nothing is centred without --center" };
            tell!("warning: {} the same in all samples{remark}", listed("input", &constant));
        }
    }

    /// What S is, in words.
    fn moment(&self) -> &'static str {
        if self.views.is_some() { "S of these views" } else { "S = X̄ᵀX̄/n + Σ" }
    }

    /// Says where S is singular and which inputs make it so, or else which inputs only the views
    /// tell from others.
    fn warn_of_rank(&self, rank: usize) {
        let Self { moments, .. } = self;
        let size = moments.size();
        if rank < size {
            tell!(
                "warning: {} has rank {rank} of {size}: {}. The answer is that on its range, with the maps of smallest norm",
                self.moment(),
                self.deficiency()
            );
            return;
        }
        let by = if self.views.is_some() { "--views" } else { "--covariance or --mean-views" };
        let (samples, inputs) = (moments.samples, moments.inputs.nrows());
        let dependent = columns::dependent(moments.inputs.as_ref());
        if !moments.is_square() {
            // Features of views are no inputs.
        } else if samples < inputs {
            tell!("warning: {samples} samples do not determine {inputs} inputs: the answer is that of {by}");
        } else if !dependent.is_empty() {
            tell!(
                "warning: {} linear in the inputs before: what tells them apart is {by}",
                listed("input", &dependent)
            );
        }
    }

    /// What makes S singular, in words.
    fn deficiency(&self) -> String {
        let moments = &self.moments;
        let (samples, size) = (moments.samples, moments.size());
        // Stages may move features about: feature 3 of a view need not be of input 3.
        let (noun, before, everywhere) = match &self.views {
            Some(_) => ("feature", "features", "views"),
            None => ("input", "inputs", "samples"),
        };
        let (zero, linear): (Vec<usize>, Vec<usize>) = columns::dependent(moments.views.as_ref())
            .into_iter()
            .partition(|&column| moments.views[(column, column)] <= 0.0);
        let mut faults = Vec::new();
        if !zero.is_empty() {
            faults.push(format!("{} zero in all {everywhere}", listed(noun, &zero)));
        }
        if samples < size && self.source == Source::Inputs {
            faults.push(format!("{samples} samples do not determine {size} inputs"));
        } else if !linear.is_empty() {
            faults.push(format!("{} linear in the {before} before", listed(noun, &linear)));
        } else if zero.is_empty() {
            faults.push(format!("some {before} are linear in others up to rounding"));
        }
        faults.join("; ")
    }
}

/// The error of a problem without a solution, with the inputs at fault.
fn unsolvable(what: &'static str, source: Failure, problem: &Problem, arguments: &Solve) -> CommandError {
    let remedy = match source {
        Failure::DimensionAboveRank { rank } => {
            let why = problem.deficiency();
            return CommandError::AboveRank { found: arguments.dimension, rank, why };
        }
        Failure::NotPositiveDefinite { pivot } if problem.views.is_some() => {
            format!(
                ". S of these views is negative in some direction, most along feature {pivot} (from 0): give the file of views a `floor`"
            )
        }
        Failure::NotPositiveDefinite { pivot } => {
            format!(
                ". S = X̄ᵀX̄/n + Σ is negative in some direction, most along input {pivot} (from 0): a --covariance must be \
                 positive semidefinite"
            )
        }
        Failure::NoConvergence => String::new(),
        Failure::NotFinite => ". The numbers are too large: rescale the inputs".to_owned(),
    };
    CommandError::Unsolvable { what, source, remedy }
}

/// `inputs 3, 5 and 8 (from 0) are`, ten at most.
fn listed(noun: &str, columns: &[usize]) -> String {
    let shown: Vec<String> = columns.iter().take(NAMED).map(usize::to_string).collect();
    match &shown[..] {
        [only] => format!("{noun} {only} (from 0) is"),
        _ if columns.len() > shown.len() => {
            format!("{noun}s {}, … (from 0; {} in all) are", shown.join(", "), columns.len())
        }
        [first @ .., last] => format!("{noun}s {} and {last} (from 0) are", first.join(", ")),
        [] => String::new(),
    }
}

/// The places (from 0) of the values that are tied with the k-th, where the next one is: which of
/// their directions are kept is undetermined. Empty where it is not.
fn tied(pencil: &Pencil, values: &[f64], k: usize) -> Range<usize> {
    let eigenvalue = |at: usize| values.get(at).map(|&value| (pencil.eigenvalue)(value));
    let Some((first, kth)) = eigenvalue(0).zip(k.checked_sub(1).and_then(eigenvalue)) else { return 0..0 };
    let is_tied = |at: &usize| eigenvalue(*at).is_some_and(|value| (value - kth).abs() <= TIED * first.abs());
    let mut places = (0..values.len()).filter(is_tied);
    match (places.next(), places.next_back()) {
        (Some(from), Some(last)) if last >= k => from..last + 1,
        _ => 0..0,
    }
}

/// What one paradigm makes of the problem.
struct Solved {
    paradigm: &'static Paradigm,
    /// All r values of its pencil, descending, if it learns a representation.
    spectrum: Option<Vec<f64>>,
    objective: f64,
    /// `None` where a view has another number of features than an input.
    loss: Option<f64>,
    /// Its maps, by their symbols in the paper.
    maps: Vec<(&'static str, Mat<f64>)>,
}

/// All paradigms, those that learn a representation first.
struct Solution {
    dimension: usize,
    /// Of S.
    rank: usize,
    paradigms: Vec<Solved>,
}

/// The solution, or the paradigm that has none and why.
fn solve(problem: &GivenMoments, dimension: usize) -> Result<Solution, (&'static str, Failure)> {
    let (size, labels, inputs) = (problem.size(), problem.labels(), problem.inputs.nrows());
    let (no_inputs, no_labels) = (Mat::zeros(size, size), Mat::zeros(size, labels));
    let mut moments = problem.view();
    if !problem.is_square() {
        (moments.inputs, moments.input_labels) = (no_inputs.as_ref(), no_labels.as_ref());
    }
    let input_power = (0..inputs).map(|i| problem.inputs[(i, i)]).sum();
    // What is left of terms that cancel is zero up to their rounding, some units for each input.
    let settled = |value: f64, terms: f64| {
        let rounding = 8.0 * f64::EPSILON * size as f64 * terms.abs();
        if value.abs() <= rounding { 0.0 } else { value }
    };
    let mut forms = ClosedForms::new(size.max(inputs), labels);
    let mut probe = Probe::new(InstructionSet::detect(), size, labels);
    let mut solver = forms.problem(moments);
    let mut rank = 0;
    let solve = |paradigm: &'static Paradigm| {
        let unsolvable = |failure| (paradigm.name, failure);
        let (map, pencil) = (paradigm.map, paradigm.spectrum.as_ref());
        Ok(match solver.solve(paradigm).map_err(unsolvable)? {
            closed_forms::Solution::Encoder(encoder @ Encoder { spectrum, decoder, .. }) => {
                let basis = encoder.leading(dimension).map_err(unsolvable)?;
                let decoder = pencil.and_then(|pencil| pencil.decoder).zip(decoder);
                let decoder = decoder.map(|(name, map)| (name, map.subcols(0, dimension).to_owned()));
                let loss = probe.loss(basis, moments.inputs, moments.input_labels, moments.label_power);
                Solved {
                    paradigm,
                    spectrum: Some(spectrum.values.to_vec()),
                    objective: pencil.map_or(f64::NAN, |pencil| {
                        // Where nothing is kept, nothing is subtracted.
                        let terms = (pencil.objective)(&vec![0.0; dimension], input_power);
                        settled((pencil.objective)(&spectrum.values[..dimension], input_power), terms)
                    }),
                    loss: problem.is_square().then(|| settled(loss, moments.label_power)),
                    maps: iter::once((map, basis.transpose().to_owned())).chain(decoder).collect(),
                }
            }
            closed_forms::Solution::Predictor(Predictor { rank: found, objective, loss, map: model }) => {
                rank = found;
                let maps = vec![(map, model.transpose().to_owned())];
                let [objective, loss] = [objective, loss].map(|value| settled(value, moments.label_power));
                let loss = problem.is_square().then_some(loss);
                Solved { paradigm, spectrum: None, objective, loss, maps }
            }
        })
    };
    let mut paradigms = paradigms::ALL;
    paradigms.sort_by_key(|paradigm| paradigm.spectrum.is_none());
    let paradigms = paradigms.into_iter().map(solve).collect::<Result<_, _>>()?;
    Ok(Solution { dimension, rank, paradigms })
}

impl Solution {
    /// Writes the maps, and the moments that they are of: S before its floor.
    fn write(&self, directory: &Path, moments: &GivenMoments) -> Result<(), CommandError> {
        fs::create_dir_all(directory).map_err(|source| CommandError::Io {
            action: "create",
            path: directory.to_path_buf(),
            source,
        })?;
        let maps = self.paradigms.iter().flat_map(|solved| &solved.maps).map(|(name, map)| (*name, map));
        let arrays = [
            ("C", &moments.cross),
            ("G", &moments.mean_views),
            ("S", moments.unfloored.as_ref().unwrap_or(&moments.views)),
            ("B", &moments.view_labels),
        ];
        for (name, matrix) in maps.chain(arrays) {
            write_matrix(&directory.join(format!("{name}.npy")), matrix.as_ref())?;
        }
        write_vector(&directory.join("mu.npy"), moments.mean.col_as_slice(0))?;
        Ok(())
    }

    /// Each paradigm that learns a representation with its pencil and its spectrum.
    fn spectra(&self) -> impl Iterator<Item = (&'static Paradigm, &'static Pencil, &[f64])> {
        self.paradigms.iter().filter_map(|solved| {
            Some((solved.paradigm, solved.paradigm.spectrum.as_ref()?, solved.spectrum.as_deref()?))
        })
    }

    /// Says where rounding decides what is kept.
    fn warn_of_ties(&self, views: bool) {
        let k = self.dimension;
        for (paradigm, pencil, values) in self.spectra() {
            let (Some(&first), symbol) = (values.first(), pencil.symbol) else { continue };
            let among = tied(pencil, values, k);
            if !views && values.len() > 1 && among == (0..values.len()) {
                tell!(
                    "warning: without --covariance, --mean-views or --views the views are the inputs: every {symbol} of {} is {}, and which \
                     directions it keeps is undetermined",
                    paradigm.name,
                    table::number((pencil.eigenvalue)(first))
                );
            } else if among.contains(&k) {
                tell!(
                    "warning: {symbol} {k} and {} of {} are tied: which of their directions it keeps is undetermined; choose another \
                     --dimension",
                    k + 1,
                    paradigm.name
                );
            }
        }
    }

    /// Whether the i-th direction is kept (from 0), in words: where it is tied with one on the
    /// other side of k, rounding decides.
    fn kept(&self, i: usize) -> String {
        let of = |(paradigm, pencil, values): (&'static Paradigm, &Pencil, &[f64])| {
            tied(pencil, values, self.dimension).contains(&i).then_some(paradigm.name)
        };
        let tied: Vec<&str> = self.spectra().filter_map(of).collect();
        let kept = if i < self.dimension { "yes" } else { "" };
        match tied.as_slice() {
            [] => kept.to_owned(),
            tied if tied.len() == self.spectra().count() => "tied".to_owned(),
            tied => format!("{kept} (tied: {})", tied.join(", ")).trim_start().to_owned(),
        }
    }

    fn print_json(&self, problem: &Problem) {
        let Problem { moments, labels, .. } = problem;
        let size = moments.size();
        let numbers = [
            ("n", moments.samples),
            ("d", moments.inputs.nrows()),
            ("k", self.dimension),
            ("rank", self.rank),
        ];
        let mut object: Map<String, Value> =
            numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
        object.insert("labels".to_owned(), labels.json());
        if let Some(views) = &problem.views {
            object.insert("views".to_owned(), views_json(views));
        }
        for Solved { paradigm, objective, loss, .. } in &self.paradigms {
            let loss_name = if paradigm.spectrum.is_some() { "probing_loss" } else { "loss" };
            object
                .insert(paradigm.name.replace('-', "_"), json!({ "objective": objective, loss_name: loss }));
        }
        for (paradigm, pencil, values) in self.spectra() {
            // Beyond the rank they are 0.
            let all: Vec<f64> = values.iter().copied().chain(iter::repeat(0.0)).take(size).collect();
            object[&paradigm.name.replace('-', "_")][pencil.name.replace(' ', "_")] = all.into();
        }
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    }

    fn print_tables(&self, problem: &Problem) {
        let Self { dimension, rank, .. } = self;
        let Problem { moments, labels, .. } = problem;
        let (samples, size, inputs) = (moments.samples, moments.size(), moments.inputs.nrows());
        table::print(&format!("n = {samples}, d = {inputs}, k = {dimension}, rank of S = {rank}"));
        table::print(&format!("labels: {labels}"));
        if let Some(views) = &problem.views {
            table::print(&format!("views: {}", said(views)));
        }
        let mut losses = table::new(&["paradigm", "objective", "loss"].map(str::to_owned), 1);
        for Solved { paradigm, objective, loss, .. } in &self.paradigms {
            losses.add_row([
                paradigm.name.to_owned(),
                table::number(*objective),
                loss.map_or_else(|| "–".to_owned(), table::number),
            ]);
        }
        table::print(&losses.to_string());
        table::print(if moments.is_square() {
            "loss: probing loss of the inputs through the encoder; for supervised, its squared loss on them"
        } else {
            "loss: none, as an input has another number of features than a view"
        });
        let headings = self.spectra().map(|(paradigm, pencil, _)| {
            let value = pencil.name.trim_end_matches('s');
            format!("{value} {} ({})", pencil.symbol, paradigm.name)
        });
        let headings: Vec<String> =
            iter::once("i".to_owned()).chain(headings).chain(["kept".to_owned()]).collect();
        let mut spectra = table::new(&headings, 0);
        let shown = SHOWN.max(self.dimension.saturating_add(AFTER));
        for i in 0..(*rank).min(shown) {
            let kept = self.kept(i);
            let values = self.spectra().map(|(_, _, values)| table::number(values[i]));
            spectra.add_row(iter::once((i + 1).to_string()).chain(values).chain([kept]));
        }
        table::print(&spectra.to_string());
        if *rank > shown {
            table::print(&format!("the first {shown} of {size}; --json has all"));
        }
        if *rank < size {
            table::print(&format!("beyond the rank, from {} to {size}: 0", rank + 1));
        }
    }
}

/// What views are, as JSON.
fn views_json(views: &StagedViews) -> Value {
    let stages: Vec<Value> =
        views.stages().iter().map(|(name, tier)| json!({ "name": name, "tier": tier.name() })).collect();
    let mut object = json!({
        "tier": views.tier().name(),
        "features": views.features(),
        "stages": stages,
        "corruption": views.is_corrupted().then_some("population"),
        "floor": views.floor(),
    });
    if views.tier() == Tier::Sampled {
        object["sampled"] = SAMPLED.into();
        object["seed"] = SEED.into();
    }
    object
}

/// What views are, in words.
fn said(views: &StagedViews) -> String {
    let names: Vec<&str> = views.stages().iter().map(|(name, _)| name.as_str()).collect();
    let mut words = vec![match &names[..] {
        [] => "the samples as they are".to_owned(),
        names => names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", "),
    }];
    if names.len() > NAMED {
        words[0] += &format!(", … ({} in all)", counted(names.len() as u64, "stage"));
    }
    words.push(views.tier().name().to_owned());
    if views.tier() == Tier::Sampled {
        words.push(format!("{SAMPLED} views of each sample, seed {SEED}"));
    }
    if views.is_corrupted() {
        words.push("of inputs corrupted in the limit of many samples".to_owned());
    }
    words.push(format!("{} of a view", counted(views.features() as u64, "feature")));
    if views.floor() > 0.0 {
        words.push(format!("floor {}", table::coordinate(views.floor())));
    }
    words.join("; ")
}
