//! `submit`: a job as an array of shards in SLURM's queue, and a job after it that merges them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eigensweep_engine::input::Input;
use eigensweep_engine::simulation::Simulation;
use eigensweep_job::Job;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::counted;
use eigensweep_store::plan::Plan;
use indicatif::HumanBytes;

use super::table;
use crate::args::{Submit, memory_bytes};
use crate::cluster::{self, Resources, Script, SlurmError, Submission, SubmittedArray, quote};
use crate::exit::Exit;
use crate::job;
use crate::report::CommandError;

/// SLURM's own default of `MaxArraySize`.
const USUAL_ARRAY_SIZE: u64 = 1001;

pub(crate) fn call(arguments: &Submit, quiet: bool) -> Result<Exit, CommandError> {
    let job = job::read_absolute(&arguments.file.job, &arguments.file.set)?;
    let input = Arc::new(Input::load(&job)?);
    let plan = Plan::new(&job.spec, input.extents())?;
    warn(arguments, &job, &input, &plan);
    let output = arguments.output.clone().unwrap_or_else(|| job.spec.default_output());
    let output = absolute(&output)?;
    let logs = unused_directory(&output.join("logs"));
    let program =
        std::env::current_exe().map_err(CommandError::io("find the path of", Path::new("this program")))?;
    let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let resources = resources(arguments);
    let script = Script {
        name: &job.spec.job.name,
        program: script_path("this program", &program)?,
        job: &format!("{}/job.toml", script_path("--output", &logs)?),
        output: script_path("--output", &output)?,
        logs: script_path("--output", &logs)?,
        shards: arguments.shards,
        command: &command,
        resources: &resources,
    };
    let most = cluster::max_array_size();
    if most.is_none() && arguments.shards > USUAL_ARRAY_SIZE {
        tell!(
            "warning: SLURM does not say how large an array may be (MaxArraySize); taking its default, {USUAL_ARRAY_SIZE}"
        );
    }
    let arrays = arrays(arguments.shards, most.unwrap_or(USUAL_ARRAY_SIZE), arguments.concurrent);
    let arrays: Vec<Prepared> =
        arrays.iter().map(|array| Prepared::new(array, arrays.len(), &script)).collect();
    let merge = script.merge();
    if arguments.dry_run {
        print_scripts(&arrays, &merge, &logs);
        return Ok(Exit::Success);
    }
    cluster::look_for_sbatch()
        .map_err(|source| CommandError::NotSubmitted { source, undone: NOTHING.to_owned() })?;
    refuse_while_queued(&output)?;
    Dataset::create(&output, &job.spec, &input.facts())?;
    write(&logs, &job, &arrays, &merge)?;
    let (arrays, merge) = submit(&arrays, &logs)?;
    let submission = Submission {
        program: concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned(),
        host: eigensweep_host::machine::name(),
        time: eigensweep_host::machine::now(),
        directory: std::env::current_dir().unwrap_or_default(),
        command,
        logs,
        shards: arguments.shards,
        arrays,
        merge,
    };
    if !quiet {
        say_what_next(&submission, &output);
    }
    // They are queued whether or not that can be written down.
    if let Err(error) = cluster::record_submission(&output, submission) {
        tell!("warning: {error}; `status` will not show the jobs");
    }
    Ok(Exit::Success)
}

/// Says what is allowed but hardly meant.
fn warn(arguments: &Submit, job: &Job, input: &Arc<Input>, plan: &Plan) {
    if arguments.shards > plan.parts {
        let (shards, parts) = (counted(arguments.shards, "shard"), counted(plan.parts, "part"));
        tell!(
            "warning: {shards}, but the job has {parts}: shards without a part have nothing to do. Smaller parts come from \
             [output] part_rows"
        );
    }
    let needed = Simulation::new(&job.spec, Arc::clone(input), plan.clone()).memory_bytes(arguments.cpus);
    if let Some(granted) = arguments.memory.as_deref().and_then(memory_bytes).filter(|&bytes| bytes < needed)
    {
        let (granted, needed) = (HumanBytes(granted), HumanBytes(needed));
        tell!(
            "warning: --memory is {granted}, but a task with {} needs about {needed}",
            counted(arguments.cpus as u64, "thread")
        );
    }
}

fn resources(arguments: &Submit) -> Resources {
    Resources {
        partition: arguments.partition.clone(),
        account: arguments.account.clone(),
        time: arguments.time,
        memory: arguments.memory.clone(),
        cpus: arguments.cpus,
        modules: arguments.module.clone(),
        conda: arguments.conda.clone(),
        sbatch_arguments: arguments.sbatch_arg.clone(),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, CommandError> {
    std::path::absolute(path).map_err(CommandError::io("find the path of", path))
}

/// A path that a batch script can hold.
fn script_path<'p>(what: &'static str, path: &'p Path) -> Result<&'p str, CommandError> {
    // SLURM takes a backslash in --output as a wish for a literal name.
    path.to_str()
        .filter(|text| !text.contains(|c: char| c.is_control() || c == '\\'))
        .ok_or_else(|| CommandError::ScriptPath { what, path: path.to_path_buf() })
}

/// The first of `submit-1`, `submit-2`, … that is not there.
fn unused_directory(logs: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let path = logs.join(format!("submit-{number}"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

/// The tasks of one array job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Array {
    /// Shards before its first.
    first: u64,
    tasks: u64,
    concurrent: Option<u64>,
}

/// Shards as array jobs of at most `most` tasks. What may run at once is shared out, so that no
/// more do, but at least one each.
fn arrays(shards: u64, most: u64, concurrent: Option<u64>) -> Vec<Array> {
    let count = shards.div_ceil(most.max(1));
    let bound = |total: u64, at: u64| u64::try_from(u128::from(total) * u128::from(at) / u128::from(count));
    let slice =
        |total: u64, at: u64| bound(total, at + 1).unwrap_or(total) - bound(total, at).unwrap_or(total);
    let mut first = 0;
    (0..count)
        .map(|at| {
            let tasks = slice(shards, at);
            let array = Array { first, tasks, concurrent: concurrent.map(|most| slice(most, at).max(1)) };
            first += tasks;
            array
        })
        .collect()
}

/// An array job's script, ready to be written.
struct Prepared {
    array: Array,
    file: String,
    text: String,
}

impl Prepared {
    fn new(array: &Array, count: usize, script: &Script<'_>) -> Self {
        let Array { first, tasks, concurrent } = *array;
        let file = match count {
            1 => "array.sbatch".to_owned(),
            _ => format!("array-{}.sbatch", first + 1),
        };
        Self { array: *array, file, text: script.array(first, tasks, concurrent) }
    }
}

const MERGE: &str = "merge.sbatch";

const NOTHING: &str = "Nothing was submitted";

/// Arguments of `sbatch` for the job after these: it runs however they end, and ends if that cannot
/// be.
fn merge_arguments(arrays: &[String]) -> Vec<String> {
    let dependency = format!("--dependency=afterany:{}", arrays.join(":"));
    vec!["--parsable".to_owned(), dependency, "--kill-on-invalid-dep=yes".to_owned()]
}

fn print_scripts(arrays: &[Prepared], merge: &str, logs: &Path) {
    let path = |file: &str| logs.join(file).display().to_string();
    let scripts = arrays.iter().map(|array| (array.file.as_str(), array.text.as_str()));
    for (file, text) in scripts.chain([(MERGE, merge)]) {
        table::print(&format!("# ---- {}\n{text}", path(file)));
    }
    table::print("# ---- submitted with");
    for array in arrays {
        table::print(&format!("# sbatch --parsable {}", quote(&path(&array.file))));
    }
    let ids: Vec<String> = (1..=arrays.len()).map(|number| format!("ARRAY{number}")).collect();
    table::print(&format!("# sbatch {} {}", merge_arguments(&ids).join(" "), quote(&path(MERGE))));
}

/// Refuses while jobs of an earlier submission may still write: they and these would compute the
/// same.
fn refuse_while_queued(output: &Path) -> Result<(), CommandError> {
    let submitted: Vec<u64> = cluster::read_submissions(output)?.iter().flat_map(Submission::jobs).collect();
    // Where SLURM cannot tell, locks keep two tasks from one shard.
    let states = cluster::job_states(&submitted).unwrap_or_default();
    let mut alive: Vec<u64> = states.iter().filter(|state| state.is_alive()).map(|state| state.job).collect();
    alive.dedup();
    if alive.is_empty() {
        return Ok(());
    }
    let jobs = alive.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    Err(CommandError::StillQueued { output: output.to_path_buf(), jobs })
}

fn write(logs: &Path, job: &Job, arrays: &[Prepared], merge: &str) -> Result<(), CommandError> {
    fs::create_dir(logs).map_err(CommandError::io("create", logs))?;
    let job = job.spec.to_toml();
    let scripts = arrays.iter().map(|array| (array.file.as_str(), array.text.as_str()));
    for (file, text) in scripts.chain([(MERGE, merge), ("job.toml", &job)]) {
        let path = logs.join(file);
        fs::write(&path, text).map_err(CommandError::io("write", &path))?;
    }
    Ok(())
}

/// Submits all, or takes back what was submitted.
fn submit(arrays: &[Prepared], logs: &Path) -> Result<(Vec<SubmittedArray>, u64), CommandError> {
    let mut submitted = Vec::new();
    for Prepared { array: Array { first, tasks, .. }, file, .. } in arrays {
        match cluster::submit(&["--parsable".to_owned()], &logs.join(file)) {
            Ok(job) => submitted.push(SubmittedArray { job, first_shard: first + 1, tasks: *tasks }),
            Err(error) => return Err(take_back(&submitted, error)),
        }
    }
    let ids: Vec<String> = submitted.iter().map(|array| array.job.to_string()).collect();
    match cluster::submit(&merge_arguments(&ids), &logs.join(MERGE)) {
        Ok(merge) => Ok((submitted, merge)),
        Err(error) => Err(take_back(&submitted, error)),
    }
}

fn take_back(submitted: &[SubmittedArray], source: SlurmError) -> CommandError {
    let jobs: Vec<u64> = submitted.iter().map(|array| array.job).collect();
    let list = jobs.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    let undone = match jobs.is_empty() {
        true => NOTHING.to_owned(),
        false => match cluster::cancel(&jobs) {
            Ok(()) => format!("What was submitted before (jobs {list}) is taken back"),
            Err(error) => {
                format!("Jobs {list} are queued and could not be taken back ({error}): scancel {list}")
            }
        },
    };
    CommandError::NotSubmitted { source, undone }
}

fn say_what_next(submission: &Submission, output: &Path) {
    let jobs: Vec<String> = submission.jobs().iter().map(u64::to_string).collect();
    let arrays: Vec<String> = submission
        .arrays
        .iter()
        .map(|array| {
            format!("{} (shards {} to {})", array.job, array.first_shard, array.first_shard + array.tasks - 1)
        })
        .collect();
    let output = output.display().to_string();
    table::print(&format!("array job {}; merge job {}", arrays.join(", "), submission.merge));
    for (command, does) in [
        (format!("squeue --jobs={}", jobs.join(",")), "shows the queue"),
        (format!("eigensweep status {}", quote(&output)), "shows what is done"),
        (format!("scancel {}", jobs.join(" ")), "takes the jobs back; what is done stays"),
    ] {
        table::print(&format!("  {command}\n      {does}"));
    }
    table::print(&format!("scripts and messages: {}", submission.logs.display()));
}

#[cfg(test)]
mod tests {
    use super::{Array, arrays, merge_arguments};

    #[test]
    fn arrays_stay_below_the_sites_limit() {
        let whole = Array { first: 0, tasks: 4, concurrent: Some(2) };
        assert_eq!(arrays(4, 1001, Some(2)), [whole]);
        for (shards, most) in [(1, 1), (10, 3), (10, 10), (11, 10), (2500, 1001)] {
            let found = arrays(shards, most, None);
            let mut next = 0;
            for array in &found {
                assert_eq!(array.first, next);
                assert!((1..=most).contains(&array.tasks), "{shards} in {most}: {found:?}");
                next += array.tasks;
            }
            assert_eq!(next, shards);
        }
    }

    #[test]
    fn what_may_run_at_once_is_shared_out() {
        let caps = |concurrent| {
            let found = arrays(10, 3, Some(concurrent));
            found.iter().map(|array| array.concurrent.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(caps(10).iter().sum::<u64>(), 10);
        assert_eq!(caps(2), [1, 1, 1, 1]);
        assert_eq!(merge_arguments(&["1".to_owned(), "2".to_owned()])[1], "--dependency=afterany:1:2");
    }
}
