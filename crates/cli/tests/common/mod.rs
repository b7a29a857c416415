//! Runs the program in a temporary directory.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

#[cfg(unix)]
pub mod cluster;

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use eigensweep_testkit::idx::idx;
use tempfile::TempDir;

/// A directory with a small job, and where its data set would go.
pub struct Place {
    pub directory: TempDir,
}

/// A job of 36 rows that takes milliseconds.
pub const SMALL_JOB: &str = r#"
[job]
seed = 3
replicates = 3

[data]
components = 4
label_count = 3

[corruption]
components = 3

[augmentation]
alignment = [0.1, 10.0]

[grid]
samples = [50, 500]
"#;

impl Place {
    pub fn new() -> Self {
        let place = Self { directory: TempDir::new().unwrap() };
        place.write("small.toml", SMALL_JOB.as_bytes());
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The program with these arguments, run in the directory.
    pub fn eigensweep(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep"));
        command.current_dir(self.directory.path()).args(arguments).env("NO_COLOR", "1");
        command
    }

    /// Runs it; returns exit code, standard output and standard error.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.eigensweep(arguments).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// Everything below a directory with its bytes, in order.
    pub fn contents(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(name)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                found.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
        found.sort();
        found
    }

    /// Images (n × 3 × 3) and labels in idx format; returns the arguments that make a job read
    /// them.
    pub fn idx(&self, images: u32, labels: u32) -> Vec<String> {
        let pixels: Vec<u8> = (0..images * 9).map(|i| u8::try_from(i * i * 31 % 251).unwrap()).collect();
        self.write("images.idx", &idx(&[images, 3, 3], &pixels));
        let classes: Vec<u8> = (0..labels).map(|i| u8::try_from(i % 4).unwrap()).collect();
        self.write("labels.idx", &idx(&[labels], &classes));
        self.write(
            "real.toml",
            b"[job]\nreplicates = 2\n[data]\nsource = \"idx\"\nimages = \"images.idx\"\nlabels = \"labels.idx\"\n\
              components = 4\n[corruption]\ncomponents = 3\n[grid]\nsamples = [20, 40]\n",
        );
        ["run", "real.toml", "--output", "out"].map(str::to_owned).to_vec()
    }
}
