//! What only the loaded rows tell of a job with stages: stages that do not fit their shape or their
//! values, and metrics that need rows which are not there.

use eigensweep_job::stages::{AlignmentDose, CorruptionDraw, StagesSpec};
use eigensweep_job::{Job, Level, Problem, Recovery};
use eigensweep_store::grid::Grid;
use eigensweep_theory::metrics::{Formula, On};
use eigensweep_theory::views::stages::{Chain, Domain, Dose, Fault, Stage, Tier, Views};

use super::setting::{self, Misbuilt, Settings};
use crate::features::RowFeatures;
use crate::samples::Samples;

/// Everything that is wrong; the same fault at several settings once.
pub(crate) fn check(job: &Job, staged: &StagesSpec, samples: &Samples) -> Vec<Problem> {
    let grid = Grid::new(&job.spec);
    let settings = Settings::new(&job.spec, staged, &grid);
    let mut problems = metrics(job, staged, samples);
    let on_rows = samples.features.iter().any(RowFeatures::act_on_rows);
    if on_rows && staged.draw == CorruptionDraw::Population {
        let message = "the population limit of a corruption needs moments, and features act on rows";
        let help = "write draw = \"once\": a draw a sample".to_owned();
        problems.push(job.source.problem_at("corruption.draw", message, "no closed form", Some(help)));
    }
    let of_leakage = job.spec.boundary.as_ref().filter(|boundary| boundary.recovery == Recovery::Leakage);
    let unmeasured = |what: &str| {
        let message = format!("recovery by leakage needs moments of all rows, and {what}");
        let help = "set boundary.recovery = \"distance\"".to_owned();
        job.source.problem_at("boundary.recovery", message, "no leakage", Some(help))
    };
    if on_rows && of_leakage.is_some() {
        problems.push(unmeasured("features act on rows"));
    }
    let mut add = |problem: Problem| {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    let (mut corrupted, mut is_corrupted) = (samples.domain, false);
    for &at in &settings.noise {
        match setting::corruption(staged, samples, &grid, at) {
            Err(misbuilt) => add(misbuilt.problem(job)),
            Ok(None) => {}
            Ok(Some(corruption)) => {
                is_corrupted = true;
                match of_corruption(job, staged, &*corruption, samples) {
                    Ok(domain) => corrupted = corrupted.min(domain),
                    Err(problem) => add(problem),
                }
                if of_leakage.is_some() && corruption.tier() != Tier::Moments {
                    add(unmeasured("the corruption has none"));
                }
            }
        }
    }
    let doses: Vec<bool> = grid
        .settings(Level::Within)
        .map(|setting| setting.value("alignment").or_else(|| staged.alignment.values().first().copied()))
        .map(|alignment| alignment.is_some_and(|alignment| alignment > 0.0))
        .collect();
    for views in &settings.views {
        for (number, chain) in settings.chains.iter().enumerate() {
            if !settings.of.contains(&number) {
                continue;
            }
            let build = || setting::views(chain, samples, &grid, views.at, None);
            match build() {
                Err(misbuilt) => add(misbuilt.problem(job)),
                Ok(stages) => {
                    let size = samples.shape.size();
                    if let Some(at) = stages.iter().position(|stage| stage.features(size) != size) {
                        add(job
                            .source
                            .problem_of_fault(&format!("{}[{at}]", chain.path), &of_another_size()));
                        continue;
                    }
                    let open = stages.iter().position(|stage| stage.tier() != Tier::Moments);
                    if let (Some(at), true) =
                        (open, is_corrupted && staged.draw == CorruptionDraw::Population)
                    {
                        add(of_open_views(job, &format!("{}[{at}]", chain.path)));
                        continue;
                    }
                    let (own, of_features) = (stages.len(), setting::behind(&job.spec, samples));
                    let misplaced = |(at, mut fault): (usize, Fault)| {
                        if at >= own {
                            return of_logarithm(job);
                        }
                        if at == 0 && samples.domain != Domain::Counts {
                            counts_where(samples).clone_into(&mut fault.help);
                        }
                        Misbuilt { path: chain.path.clone(), fault: fault.within(&format!("[{at}]")) }
                            .problem(job)
                    };
                    let stages = stages.into_iter().chain(of_features.into_iter().map(|(_, stage)| stage));
                    if let Err(fault) = Views::new(stages.collect()).check(samples.domain.min(corrupted)) {
                        add(misplaced(fault));
                    }
                }
            }
        }
    }
    // What is learned from and what is tried has features, too.
    let mut behind = setting::behind(&job.spec, samples).into_iter().map(|(_, stage)| stage);
    if behind.try_fold(samples.domain.min(corrupted), |domain, stage| stage.domain(domain)).is_err() {
        add(of_logarithm(job));
    }
    if doses.contains(&true) {
        settings.noise.iter().filter_map(|&at| dosed(job, staged, samples, &grid, at)).for_each(add);
    }
    problems
}

/// How values become counts.
fn counts_where(samples: &Samples) -> &'static str {
    if samples.bounded {
        "choose `data.range` so that values are: [0, 255] keeps bytes counts"
    } else {
        "give raw counts (of h5ad choose them with `data.matrix`: `layers/counts`), whole numbers from 0; normalized \
            and logarithmic values are none, [features] makes them of counts behind the views"
    }
}

/// Logarithms of what may be negative.
fn of_logarithm(job: &Job) -> Problem {
    let message = "`features.log1p` takes logarithms of values from 0, and there may be negative ones";
    let help = "leave it out, or the stages and the `data.range` that make values negative".to_owned();
    job.source.problem_at("features.log1p", message, "no logarithm", Some(help))
}

/// The fault of a stage that changes the number of features.
fn of_another_size() -> Fault {
    let message = "it changes the number of features, which views of a job cannot";
    Fault::new(
        "",
        message,
        "keep d rows in `matrix`; fewer features are principal components, `data.components`",
    )
}

/// Views that must see corrupted samples, of a job that has only the moments of their population.
fn of_open_views(job: &Job, place: &str) -> Problem {
    let message = "the population limit of a corruption has no corrupted samples, and this stage must see them: it has no \
                   closed form";
    let help =
        "write draw = \"once\" in [corruption], or views whose stages are closed in moments".to_owned();
    job.source.problem_at(place, message, "no closed form", Some(help))
}

/// Which values corrupted samples have, or why the corruption cannot be.
fn of_corruption(
    job: &Job,
    staged: &StagesSpec,
    corruption: &dyn Stage,
    samples: &Samples,
) -> Result<Domain, Problem> {
    let (size, bytes, samples) = (samples.shape.size(), samples.bounded, samples.domain);
    if staged.draw == CorruptionDraw::Population && corruption.tier() != Tier::Moments {
        let message = "the population limit of a corruption needs its closed form, which a stage here lacks";
        let help = "write draw = \"once\": a draw a sample";
        return Err(job.source.problem_at(
            "corruption.draw",
            message,
            "no closed form",
            Some(help.to_owned()),
        ));
    }
    if corruption.features(size) != size {
        return Err(job.source.problem_of_fault("corruption.stages", &of_another_size()));
    }
    corruption.domain(samples).map_err(|needed| {
        let message =
            format!("the corruption can be drawn at {} only, and {} come in", needed.name(), samples.name());
        let help = "put such a stage before those that change the values".to_owned();
        let help = if bytes {
            format!("{help}, or choose `data.range`: whole numbers such as [0, 255] are counts")
        } else {
            help
        };
        job.source.problem_at("corruption.stages", message, "cannot be drawn", Some(help))
    })
}

/// Why views cannot repeat the corruption at a setting.
fn dosed(job: &Job, staged: &StagesSpec, samples: &Samples, grid: &Grid, at: u64) -> Option<Problem> {
    let corruption = setting::corruption(staged, samples, grid, at).ok()??;
    if corruption.is_fixed() && staged.dose == AlignmentDose::Fixed {
        let message = "a corruption without randomness has none that views could repeat at a fixed strength";
        let help = "write dose = \"probability\" or dose = \"uniform\" in [augmentation], or alignment = 0";
        let problem =
            job.source.problem_at("augmentation.alignment", message, "no alignment", Some(help.into()));
        return Some(problem);
    }
    let before = corruption.domain(samples.domain).ok()?;
    let corruption = setting::corruption(staged, samples, grid, at).ok()??;
    let dosing = staged.alignment.values().iter().find_map(|&alignment| staged.dose.of(alignment))?;
    let dose = Chain { stages: vec![Box::new(Dose::new(corruption, dosing))] };
    let needed = dose.domain(before).err()?;
    let message = format!(
        "views cannot repeat the corruption: it is drawn at {} only, and corrupted samples have {}",
        needed.name(),
        before.name()
    );
    let help = Some("write alignment = 0, or another corruption".to_owned());
    Some(job.source.problem_at("augmentation.alignment", message, "cannot be drawn", help))
}

/// Metrics of predictions that the job has no rows for.
fn metrics(job: &Job, staged: &StagesSpec, samples: &Samples) -> Vec<Problem> {
    let refused = job.spec.output.metrics.iter().filter_map(|metric| {
        let Formula::Probed { on, .. } = metric.of else { return None };
        let (message, help) = if staged.draw == CorruptionDraw::Population {
            (
                "needs corrupted rows, which the population limit does not have",
                "write draw = \"once\" in [corruption]",
            )
        } else if on == On::HeldOut && samples.held_out.is_none() {
            ("needs rows that are held out", "write `test_share = 0.2` in [data], or name files of their own")
        } else {
            return None;
        };
        let message = format!("`{}` {message}", metric.name);
        Some(job.source.problem_at("output.metrics", message, "no such rows", Some(help.to_owned())))
    });
    refused.collect()
}

impl Misbuilt {
    /// As a problem of the job, where the stage stands.
    fn problem(self, job: &Job) -> Problem {
        let Self { path, fault } = self;
        let Fault { key, message, help } = fault;
        // `[2].size` of `augmentation.stages`.
        job.source.problem_at(&format!("{path}{key}"), message, "does not fit", Some(help))
    }
}
