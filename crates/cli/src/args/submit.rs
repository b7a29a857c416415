//! What can be typed after `submit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{JobFile, threads};
use crate::cluster;

/// Most shards of one job: what a controller takes without complaint, in some tens of arrays.
const MOST_SHARDS: u64 = 100_000;

#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) file: JobFile,
    /// Tasks to divide the job into
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SHARDS))]
    pub(crate) shards: u64,
    /// Directory of the data set, on a file system that all nodes share [default: output/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Partition [default: the site's]
    #[arg(long, value_name = "P", value_parser = word)]
    pub(crate) partition: Option<String>,
    /// Wall time of a task: 3h, 90m or, as SLURM has it, 90 (minutes), 1-12:00:00. A task that does
    /// not get done is run again and resumes [default: the partition's]
    #[arg(long, value_name = "T", value_parser = time)]
    pub(crate) time: Option<Duration>,
    /// Memory of a task: 800M, 4G [default: the site's]
    #[arg(long, value_name = "M", value_parser = memory)]
    pub(crate) memory: Option<String>,
    /// Processors of a task
    #[arg(long, value_name = "C", value_parser = threads, default_value_t = 1)]
    pub(crate) cpus: usize,
    /// Account to charge
    #[arg(long, value_name = "A", value_parser = word)]
    pub(crate) account: Option<String>,
    /// Module to load first (module load M); may be repeated
    #[arg(long, value_name = "M", value_parser = line)]
    pub(crate) module: Vec<String>,
    /// Conda environment to activate first
    #[arg(long, value_name = "ENV", value_parser = line)]
    pub(crate) conda: Option<String>,
    /// Further argument of sbatch, such as --sbatch-arg=--qos=high; for the array and the merge
    /// job; may be repeated
    #[arg(long, value_name = "ARG", allow_hyphen_values = true, value_parser = argument)]
    pub(crate) sbatch_arg: Vec<String>,
    /// Tasks that may run at once
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) concurrent: Option<u64>,
    /// Print the scripts, and write and submit nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Text that fits into one line of a script.
fn line(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(char::is_control) {
        true => Err("give a text of one line".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Names as SLURM has them, or a list of them.
fn word(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || "_-.,+@/:".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("give a name: letters, digits, `_`, `-`, `.`".to_owned()),
    }
}

fn argument(text: &str) -> Result<String, String> {
    match line(text)?.strip_prefix('-') {
        Some(_) => Ok(text.to_owned()),
        None => Err("give one option of sbatch with its value, such as --sbatch-arg=--qos=high".to_owned()),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match cluster::duration(text) {
        Ok(Duration::ZERO) => Err("no job gets done in no time".to_owned()),
        time => time.map_err(|error| error.to_string()),
    }
}

fn memory(text: &str) -> Result<String, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let one_unit = text.len() - digits.len() <= 1;
    match digits.parse::<u64>() {
        Ok(1..) if one_unit => Ok(text.to_owned()),
        _ => Err("give megabytes, or a whole number with K, M, G or T, such as 4G".to_owned()),
    }
}

/// Bytes of such a text.
pub(crate) fn memory_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let shift = match &text[digits.len()..] {
        "K" => 10,
        "G" => 30,
        "T" => 40,
        _ => 20,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::{argument, memory, memory_bytes, time, word};

    #[test]
    fn what_sbatch_would_not_understand_is_refused() {
        for text in ["800", "800M", "4G", "1T"] {
            assert_eq!(memory(text).as_deref(), Ok(text));
        }
        for text in ["", "0", "G", "4GB", "4GG", "-1", "1.5G", "4g"] {
            assert!(memory(text).is_err(), "{text}");
        }
        assert_eq!(memory_bytes("800"), Some(800 << 20));
        assert_eq!(memory_bytes("4G"), Some(4 << 30));
        assert_eq!(memory_bytes("99999999999999T"), None);
        assert!(time("0").is_err() && time("30M").is_err() && time("1-12").is_ok() && time("3h").is_ok());
        assert!(
            word("gpu,long").is_ok() && word("a b").is_err() && word("").is_err() && word("a\n").is_err()
        );
        assert!(argument("--qos=a b").is_ok() && argument("qos").is_err() && argument("--a\n--b").is_err());
    }
}
