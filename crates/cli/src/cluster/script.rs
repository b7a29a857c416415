//! The batch scripts of `submit`: an array job that computes the shards, and the job that merges
//! them.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use eigensweep_store::format::counted;

use super::slurm_time;

/// What each task asks of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// Partition.
    pub(crate) partition: Option<String>,
    /// Account.
    pub(crate) account: Option<String>,
    /// Wall time.
    pub(crate) time: Option<Duration>,
    /// Memory a task, as SLURM writes it.
    pub(crate) memory: Option<String>,
    /// Processors a task.
    pub(crate) cpus: usize,
    /// Modules to load.
    pub(crate) modules: Vec<String>,
    /// Conda environment to activate.
    pub(crate) conda: Option<String>,
    /// Further arguments of `sbatch`.
    pub(crate) sbatch_arguments: Vec<String>,
}

/// What the scripts of one submission have in common. Every path is absolute and without control
/// characters and backslashes.
#[derive(Clone, Debug)]
pub(crate) struct Script<'a> {
    /// Name of the job.
    pub(crate) name: &'a str,
    /// This program.
    pub(crate) program: &'a str,
    /// The resolved job file.
    pub(crate) job: &'a str,
    /// The data set.
    pub(crate) output: &'a str,
    /// Where the scripts and what they print go.
    pub(crate) logs: &'a str,
    /// Shards.
    pub(crate) shards: u64,
    /// The command that wrote the script.
    pub(crate) command: &'a [String],
    /// What each task asks for.
    pub(crate) resources: &'a Resources,
}

impl Script<'_> {
    /// The script of an array job: shards `first` + 1 to `first` + `tasks`, at most so many at
    /// once.
    pub(crate) fn array(&self, first: u64, tasks: u64, concurrent: Option<u64>) -> String {
        let Self { job, output, shards, .. } = *self;
        let (from, to) = (first + 1, first + tasks);
        let mut text = self.head(&format!(
            "Shards {from} to {to} of {shards} of the job {job}. Submitted once more, it computes what is missing and no more."
        ));
        let cap = concurrent.map_or_else(String::new, |most| format!("%{most}"));
        let last = tasks - 1;
        let own = [format!("--array=0-{last}{cap}"), "--signal=B:USR2@60".to_owned()];
        self.directives(&mut text, "", self.resources.cpus, "%A_%a.out", &own);
        self.surroundings(&mut text);
        let _ = write!(
            text,
            "# Indices of an array are limited, shards are not.\n\
             offset={first}\n\
             # exec: signals go to the program, which stops and is put back into the queue before its time is over.\n\
             exec {} run {} \\\n    --output {} \\\n    --shard \"$((offset + SLURM_ARRAY_TASK_ID + 1))/{shards}\" \
             --time-limit auto --requeue --quiet\n",
            quote(self.program),
            quote(job),
            quote(output),
        );
        text
    }

    /// The script of the job that merges the shards.
    pub(crate) fn merge(&self) -> String {
        let mut text = self.head(&format!(
            "Verifies and joins {} in {}; fails if parts are missing.",
            counted(self.shards, "shard"),
            self.output
        ));
        self.directives(&mut text, "-merge", 1, "merge_%j.out", &[]);
        self.surroundings(&mut text);
        let (program, output) = (quote(self.program), quote(self.output));
        let _ = writeln!(text, "exec {program} merge {output} \\\n    --into {output}");
        text
    }

    fn head(&self, what: &str) -> String {
        let needs_login = !self.resources.modules.is_empty() || self.resources.conda.is_some();
        let shell = if needs_login { "#!/bin/bash -l" } else { "#!/bin/bash" };
        let command: Vec<_> = self.command.iter().map(|word| quote(word)).collect();
        // A line break would end the comment.
        let command: String = command.join(" ").chars().flat_map(visible).collect();
        let version = env!("CARGO_PKG_VERSION");
        format!("{shell}\n# {what}\n# Written by eigensweep {version}: {command}\n")
    }

    fn directives(&self, text: &mut String, suffix: &str, cpus: usize, log: &str, own: &[String]) {
        let Resources { partition, account, time, memory, sbatch_arguments, .. } = self.resources;
        directive(text, &format!("--job-name={}{suffix}", self.name));
        for (option, value) in [("partition", partition), ("account", account)] {
            value.iter().for_each(|value| directive(text, &format!("--{option}={value}")));
        }
        time.iter().for_each(|&time| directive(text, &format!("--time={}", slurm_time(time))));
        directive(text, &format!("--nodes=1 --ntasks=1 --cpus-per-task={cpus}"));
        memory.iter().for_each(|memory| directive(text, &format!("--mem={memory}")));
        // SLURM replaces %A and the like, and %% by %.
        let output = format!("--output={}/{log}", self.logs.replace('%', "%%"));
        directive(text, &quote(&output));
        directive(text, "--open-mode=append --requeue");
        own.iter().for_each(|argument| directive(text, argument));
        // Last, so that they win.
        sbatch_arguments.iter().for_each(|argument| directive(text, &quote(argument)));
    }

    fn surroundings(&self, text: &mut String) {
        // A warning would end the shell; the program asks how much time is left, and catches the
        // next one.
        text.push_str("\ntrap '' USR1 USR2\n");
        for module in &self.resources.modules {
            let _ = writeln!(text, "module load {} || exit 1", quote(module));
        }
        if let Some(environment) = &self.resources.conda {
            let _ = writeln!(
                text,
                "source \"$(\"${{CONDA_EXE:-conda}}\" info --base)/etc/profile.d/conda.sh\" || exit 1\n\
                 conda activate {} || exit 1",
                quote(environment)
            );
        }
    }
}

fn directive(text: &mut String, argument: &str) {
    let _ = writeln!(text, "#SBATCH {argument}");
}

/// A word for a shell, and for the lines of `sbatch`, which keep to a shell's quotation marks.
pub(crate) fn quote(word: &str) -> Cow<'_, str> {
    // Words come from arguments and paths, which hold no NUL.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed("''"))
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    escaped.into_iter().flatten().chain((!c.is_control()).then_some(c))
}

#[cfg(test)]
mod tests {
    use super::{Resources, Script};

    #[test]
    fn words_stay_words() {
        let command = ["eigensweep", "submit", "a b", "two\nlines"].map(str::to_owned);
        let resources = Resources {
            cpus: 2,
            modules: vec!["gcc/13 $(reboot)".to_owned()],
            conda: Some("it's".to_owned()),
            sbatch_arguments: vec!["--comment=a b".to_owned()],
            ..Resources::default()
        };
        let script = Script {
            name: "job",
            program: "/opt/eigen sweep",
            job: "/d/$HOME/job.toml",
            output: "/d/it's 100%",
            logs: "/d/it's 100%/logs",
            shards: 9,
            command: &command,
            resources: &resources,
        };
        let text = script.array(4, 5, Some(2));
        for line in [
            "#!/bin/bash -l",
            "# Shards 5 to 9 of 9 of the job /d/$HOME/job.toml. Submitted once more, it computes what is missing and no more.",
            "#SBATCH --array=0-4%2",
            "#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=2",
            "#SBATCH \"--output=/d/it's 100%%/logs/%A_%a.out\"",
            "#SBATCH '--comment=a b'",
            "module load 'gcc/13 $(reboot)' || exit 1",
            "conda activate \"it's\" || exit 1",
            "offset=4",
            "exec '/opt/eigen sweep' run '/d/$HOME/job.toml' \\",
            "    --output \"/d/it's 100%\" \\",
        ] {
            assert!(text.lines().any(|found| found == line), "no line {line} in:\n{text}");
        }
        assert!(text.contains("submit 'a b' 'two\\nlines'\n"), "{text}");
        let merge = script.merge();
        assert!(merge.contains("#SBATCH --job-name=job-merge\n") && !merge.contains("--array"), "{merge}");
        assert!(merge.ends_with("--into \"/d/it's 100%\"\n"), "{merge}");
    }
}
