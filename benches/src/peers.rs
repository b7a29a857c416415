//! Other programs that simulate Figure 3, run as children on one thread, and what they print of
//! their time.
//!
//! A peer takes `--images FILE --labels FILE --replicates N --out FILE` and runs the whole protocol
//! (180 rows a replicate). The last line that it prints is one of
//!
//! | line | meaning |
//! |---|---|
//! | `12.345` | seconds of the simulation alone |
//! | `12.345 1800` | seconds, rows |
//! | `12.345 s, 146 rows/s` | seconds; the rate is not read |

use std::path::Path;
use std::process::Command;

use crate::Fault;
use crate::figure3::{ROWS_PER_REPLICATE, Timed};

/// What keeps a numerical library on one thread.
const ONE_THREAD: [&str; 3] = ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"];

/// A program to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name in the table.
    pub name: String,
    /// Program and leading arguments.
    pub command: Vec<String>,
    /// Replicates that it is asked for.
    pub replicates: u32,
}

impl Peer {
    /// A script of `benches/peers`.
    #[must_use]
    pub fn script(file: &str, python: &str, replicates: u32) -> Self {
        let path = format!("{}/peers/{file}", env!("CARGO_MANIFEST_DIR"));
        Self { name: file.to_owned(), command: vec![python.to_owned(), path], replicates }
    }

    /// Reads `NAME=COMMAND…` or `NAME:REPLICATES=COMMAND…`. The command is split at blanks; one
    /// whose first word ends in `.py` is run by `python`.
    ///
    /// # Errors
    ///
    /// If the text has no name or no command, or its number of replicates is not one.
    pub fn parse(text: &str, python: &str, replicates: u32) -> Result<Self, Fault> {
        let usage = || format!("`{text}` is not NAME=COMMAND or NAME:REPLICATES=COMMAND");
        let (name, command) = text.split_once('=').ok_or_else(usage)?;
        let (name, replicates) = match name.split_once(':') {
            None => (name, replicates),
            Some((name, count)) => (name, count.parse().ok().filter(|&n| n > 0).ok_or_else(usage)?),
        };
        let mut command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if name.is_empty() || command.is_empty() {
            return Err(usage().into());
        }
        if command[0].ends_with(".py") {
            command.insert(0, python.to_owned());
        }
        Ok(Self { name: name.to_owned(), command, replicates })
    }

    /// Runs the peer in `directory`, where it may leave files.
    ///
    /// # Errors
    ///
    /// If it cannot be started, fails, or does not print its time.
    pub fn run(&self, images: &Path, labels: &Path, directory: &Path) -> Result<Timed, Fault> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command.arg("--images").arg(images).arg("--labels").arg(labels);
        command.arg("--replicates").arg(self.replicates.to_string());
        command.arg("--out").arg(directory.join("peer.csv"));
        // No bytecode beside scripts that are only read.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        for name in ONE_THREAD {
            command.env(name, "1");
        }
        let output = command
            .output()
            .map_err(|error| format!("{}: cannot start {}: {error}", self.name, self.command[0]))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} failed ({}):\n{}", self.name, output.status, text.trim()).into());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.trim_end().lines().last().unwrap_or_default();
        let (seconds, rows) = read_time(line).ok_or_else(|| {
            format!("{}: its last line, `{line}`, does not say how long it took", self.name)
        })?;
        let expected = u64::from(self.replicates) * ROWS_PER_REPLICATE;
        match rows.filter(|&rows| rows != expected) {
            Some(rows) => Err(format!("{}: {rows} rows instead of {expected}", self.name).into()),
            None => Ok(Timed { seconds, rows: expected }),
        }
    }
}

/// Seconds and, where they are told, rows of a peer's last line; `None` if it is none of the forms
/// above.
fn read_time(line: &str) -> Option<(f64, Option<u64>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let rows = match words[..] {
        [_] | [_, "s"] | [_, "s,", _, "rows/s"] => None,
        [_, rows] => Some(rows.parse().ok()?),
        _ => return None,
    };
    let seconds: f64 = words[0].parse().ok()?;
    (seconds.is_finite() && seconds > 0.0).then_some((seconds, rows))
}

#[cfg(test)]
mod tests {
    use super::{Peer, read_time};

    #[test]
    fn times_are_read_in_each_form() {
        assert_eq!(read_time("12.345"), Some((12.345, None)));
        assert_eq!(read_time("12.345 1800"), Some((12.345, Some(1800))));
        assert_eq!(read_time("12.345 s, 146 rows/s"), Some((12.345, None)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for line in ["", "done", "0", "nan", "-1", "1 2 3", "1.5 many", "wrote 3.5"] {
            assert_eq!(read_time(line), None, "{line}");
        }
    }

    #[test]
    fn commands_are_split_and_scripts_get_the_interpreter() {
        let peer = Peer::parse("own:3=tool --fast", "py", 7).unwrap();
        assert_eq!((peer.name.as_str(), peer.replicates), ("own", 3));
        assert_eq!(peer.command, ["tool", "--fast"]);
        let peer = Peer::parse("old=dir/old.py", "py", 7).unwrap();
        assert_eq!((peer.command, peer.replicates), (vec!["py".into(), "dir/old.py".into()], 7));
    }

    #[test]
    fn commands_without_name_command_or_count_are_refused() {
        for text in ["tool", "=tool", "own=", "own:0=tool", "own:x=tool"] {
            assert!(Peer::parse(text, "py", 7).is_err(), "{text}");
        }
    }
}
