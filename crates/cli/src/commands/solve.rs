//! `solve`: one problem in closed form.

use std::path::Path;
use std::{fmt, fs, iter};

use eigensweep_engine::EngineError;
use eigensweep_engine::given::solution::{
    self, Dimension, NAMED, Solution, Solved, Source, check_dimension, many_classes,
};
use eigensweep_engine::given::views::{SAMPLED, SEED, StagedViews};
use eigensweep_engine::given::{Given, GivenError, GivenMoments, Matrix, centred};
use eigensweep_inputs::{
    InputError, Labels as Answers, read_any_labels, read_any_matrix, whole_file, write_matrix, write_vector,
};
use eigensweep_job::ViewsFile;
use eigensweep_store::format::counted;
use eigensweep_theory::paradigms;
use eigensweep_theory::views::stages::Tier;
use faer::Mat;
use serde_json::{Map, Value, json};

use super::table;
use crate::args::Solve;
use crate::exit::Exit;
use crate::report::CommandError;

/// Fewest values of each spectrum that the tables show, and how many after the k-th.
const SHOWN: usize = 20;
const AFTER: usize = 5;

/// An argument as it is typed, with its value.
fn spelled(name: &str, value: Option<usize>) -> String {
    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("--{}{value}", name.replace('_', "-"))
}

pub(crate) fn call(arguments: &Solve) -> Result<Exit, CommandError> {
    let files = read(arguments)?;
    // Now and not after the work.
    if let Some(directory) = &arguments.write {
        fs::create_dir_all(directory).map_err(CommandError::io("create", directory))?;
        whole_file::check(&directory.join("mu.npy")).map_err(InputError::from)?;
    }
    let problem = solution::Problem {
        moments: &files.moments,
        inputs: Some(files.inputs.as_ref()),
        source: files.source,
        centred: arguments.center,
        spelling: spelled,
    };
    let solution = problem.solve(&paradigms::ALL, Dimension::Exactly(arguments.dimension))?;
    for remark in problem.remarks(&solution) {
        tell!("warning: {remark}");
    }
    if let Some(directory) = &arguments.write {
        write(&solution, directory, &files.moments)?;
    }
    if arguments.json {
        print_json(&solution, &files);
    } else {
        print_tables(&solution, &files);
    }
    Ok(Exit::Success)
}

/// What readers say of a job's keys, in words of the command, which takes whole files.
pub(crate) fn in_files(text: &str) -> String {
    const WORDS: [(&str, &str); 3] = [
        ("choose it alone", "write it to a file of its own"),
        ("choose some with `columns`", "give a file that has others"),
        (
            "say which one it is: `{ file = \"…\", column = \"…\" }`",
            "write the one that is meant to its own file",
        ),
    ];
    /// Up to a value and the end of the quotation, and what stands for all of it.
    const VALUES: [(&str, &str, &str); 4] = [
        (" (`columns = [", "`)", ""),
        (": `columns = [", "`", ""),
        (" with `columns = [", "`", ""),
        ("give it as `labels = ", "`", "write it to a file for `--labels`"),
    ];
    let mut text = WORDS.iter().fold(text.to_owned(), |text, (word, file)| text.replace(word, file));
    for (key, end, file) in VALUES {
        while let Some((before, after)) = text.split_once(key) {
            let (_, after) = after.split_once(end).unwrap_or(("", after));
            text = format!("{before}{file}{after}");
        }
    }
    super::diagnose::spelled(&text)
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
        if let Answers::Classes(classes) = &labels {
            let name = path.display().to_string();
            if let Some(remark) = many_classes(&name, classes.count(), samples, spelled) {
                tell!("warning: {remark}");
            }
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

/// What the files hold.
struct Files {
    moments: GivenMoments,
    labels: Labels,
    /// X (n × d); without views centred where that was asked for.
    inputs: Mat<f64>,
    views: Option<StagedViews>,
    source: Source,
}

/// The moments of the files, and what the labels were read as.
fn read(arguments: &Solve) -> Result<Files, CommandError> {
    let inputs = read_any_matrix(&arguments.inputs)?;
    let views = arguments.views.as_deref().map(|path| read_views(path, &inputs)).transpose()?;
    let (most, of) = match &views {
        Some(views) if views.features() != inputs.ncols() => (views.features(), "features of a view"),
        Some(_) | None => (inputs.ncols(), "inputs"),
    };
    check_dimension(arguments.dimension, (most, of), spelled)?;
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
        let moments =
            views.moments(inputs.as_ref(), Some(matrix.as_ref()), arguments.center).map_err(misfit)?;
        return Ok(Files { moments, labels, inputs, views: Some(views), source: Source::Views });
    }
    let given = |matrix: Mat<f64>| if arguments.center { centred(matrix.as_ref()).0 } else { matrix };
    let inputs = given(inputs);
    let mean_views = arguments.mean_views.as_deref().map(read_any_matrix).transpose()?.map(given);
    let covariance = arguments.covariance.as_deref().map(read_any_matrix).transpose()?;
    let given = Given {
        inputs: inputs.as_ref(),
        labels: Some(matrix.as_ref()),
        mean_views: mean_views.as_ref().map(Mat::as_ref),
        covariance: covariance.as_ref().map(Mat::as_ref),
    };
    let moments = given.moments().map_err(misfit)?;
    let source = match (&covariance, &mean_views) {
        (Some(_), _) => Source::Covariance,
        (None, Some(_)) => Source::MeanViews,
        (None, None) => Source::Inputs,
    };
    Ok(Files { moments, labels, inputs, views: None, source })
}

/// A file of views.
pub(super) fn views_file(path: &Path) -> Result<ViewsFile, CommandError> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let text = fs::read_to_string(path).map_err(|source| CommandError::TextFile {
        what: "file of views",
        path: path.to_path_buf(),
        source,
    })?;
    eigensweep_job::views_file(&path.display().to_string(), &text, directory).map_err(CommandError::Views)
}

/// The views of a file, for these inputs.
fn read_views(path: &Path, inputs: &Mat<f64>) -> Result<StagedViews, CommandError> {
    StagedViews::new(&views_file(path)?, inputs.as_ref()).map_err(|error| match error {
        EngineError::Job(problems) => CommandError::Views(problems),
        error @ (EngineError::Input(_)
        | EngineError::Store(_)
        | EngineError::Io { .. }
        | EngineError::Threads { .. }) => CommandError::Engine(error),
    })
}

/// Writes the maps, and the moments that they are of: S before its floor.
fn write(solution: &Solution, directory: &Path, moments: &GivenMoments) -> Result<(), CommandError> {
    let maps = solution.paradigms.iter().flat_map(|solved| &solved.maps).map(|(name, map)| (*name, map));
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

/// Whether the i-th direction is kept (from 0), in words: where it is tied with one on the other
/// side of k, rounding decides.
fn kept(solution: &Solution, i: usize) -> String {
    let k = solution.dimension;
    let of = |(solved, ..): (&Solved, _, _)| solved.tied(k).contains(&i).then_some(solved.paradigm.name);
    let tied: Vec<&str> = solution.spectra().filter_map(of).collect();
    let kept = if i < k { "yes" } else { "" };
    match tied.as_slice() {
        [] => kept.to_owned(),
        tied if tied.len() == solution.spectra().count() => "tied".to_owned(),
        tied => format!("{kept} (tied: {})", tied.join(", ")).trim_start().to_owned(),
    }
}

fn print_json(solution: &Solution, files: &Files) {
    let Files { moments, labels, .. } = files;
    let size = moments.size();
    let numbers = [
        ("n", moments.samples),
        ("d", moments.inputs.nrows()),
        ("k", solution.dimension),
        ("rank", solution.rank),
    ];
    let mut object: Map<String, Value> =
        numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
    object.insert("labels".to_owned(), labels.json());
    if let Some(views) = &files.views {
        object.insert("views".to_owned(), views_json(views));
    }
    for Solved { paradigm, objective, loss, .. } in &solution.paradigms {
        let loss_name = if paradigm.spectrum.is_some() { "probing_loss" } else { "loss" };
        object.insert(paradigm.name.replace('-', "_"), json!({ "objective": objective, loss_name: loss }));
    }
    for (solved, pencil, values) in solution.spectra() {
        // Beyond the rank they are 0.
        let all: Vec<f64> = values.iter().copied().chain(iter::repeat(0.0)).take(size).collect();
        object[&solved.paradigm.name.replace('-', "_")][pencil.name.replace(' ', "_")] = all.into();
    }
    table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
}

fn print_tables(solution: &Solution, files: &Files) {
    let Solution { dimension, rank, .. } = solution;
    let Files { moments, labels, .. } = files;
    let (samples, size, inputs) = (moments.samples, moments.size(), moments.inputs.nrows());
    table::print(&format!("n = {samples}, d = {inputs}, k = {dimension}, rank of S = {rank}"));
    table::print(&format!("labels: {labels}"));
    if let Some(views) = &files.views {
        table::print(&format!("views: {}", said(views)));
    }
    let mut losses = table::new(&["paradigm", "objective", "loss"].map(str::to_owned), 1);
    for Solved { paradigm, objective, loss, .. } in &solution.paradigms {
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
    let headings = solution.spectra().map(|(solved, pencil, _)| {
        let value = pencil.name.trim_end_matches('s');
        format!("{value} {} ({})", pencil.symbol, solved.paradigm.name)
    });
    let headings: Vec<String> =
        iter::once("i".to_owned()).chain(headings).chain(["kept".to_owned()]).collect();
    let mut spectra = table::new(&headings, 0);
    let shown = SHOWN.max(solution.dimension.saturating_add(AFTER));
    for i in 0..(*rank).min(shown) {
        let kept = kept(solution, i);
        let values = solution.spectra().map(|(_, _, values)| table::number(values[i]));
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
