//! A SLURM of small scripts that write down how they were called; `tests/slurm/run.sh` has a real
//! one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::Place;

/// A directory whose `bin/` stands for SLURM's commands.
pub struct Cluster {
    pub place: Place,
}

impl Cluster {
    /// SLURM that numbers jobs from 101 and has arrays of at most `most` tasks.
    pub fn new(most: u64) -> Self {
        let cluster = Self { place: Place::new() };
        fs::create_dir(cluster.place.path("bin")).unwrap();
        cluster.command(
            "sbatch",
            "count=$(cat count 2>/dev/null || echo 100)\necho $((count + 1)) | tee count\nfor last; do :; done\n\
             [ -f \"$last\" ] || { echo \"no script $last\" >&2; exit 1; }",
        );
        cluster.command(
            "scontrol",
            &format!("case $1 in show) echo 'MaxArraySize            = {most}' ;; esac"),
        );
        cluster.command("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2\nexit 1");
        cluster.command("sacct", "echo 'Slurm accounting storage is disabled' >&2\nexit 1");
        cluster.command("scancel", "");
        cluster
    }

    /// Replaces a command; every call is a line in `calls`.
    pub fn command(&self, name: &str, body: &str) {
        let text = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\ncd {:?}\necho \"{name} $*\" >>calls\n{body}\n",
            self.place.directory.path()
        );
        let path = self.place.write(&format!("bin/{name}"), text.as_bytes());
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn calls(&self) -> String {
        fs::read_to_string(self.place.path("calls")).unwrap_or_default()
    }

    /// Runs the program with these commands on its path, and in the environment only what is given.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
        let path = self.place.path("bin");
        let mut command = self.place.eigensweep(arguments);
        command.env_clear().env("PATH", path).envs(environment.iter().copied());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// A text with the parts that differ from run to run replaced.
    pub fn fixed(&self, text: &str) -> String {
        text.replace(env!("CARGO_BIN_EXE_eigensweep"), "PROGRAM")
            .replace(&self.place.directory.path().display().to_string(), "PLACE")
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }
}
