//! Where a measurement was taken: what a rate means nothing without.

use std::process::Command;

use crate::Fault;

/// The processor's name and the cores that this process may use.
#[must_use]
pub fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = line("model name").unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH));
    let mut sets = vec![];
    #[cfg(target_arch = "x86_64")]
    for (name, present) in [
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("AVX-512", std::arch::is_x86_feature_detected!("avx512f")),
    ] {
        if present {
            sets.push(name);
        }
    }
    let family = match (line("cpu family"), line("model")) {
        (Some(family), Some(model)) => format!(" (family {family}, model {model})"),
        _ => String::new(),
    };
    format!("{model}{family}, {cores} cores, {}", sets.join(", "))
}

/// Versions of an interpreter, of NumPy and of SciPy.
///
/// # Errors
///
/// If the interpreter cannot be started, or NumPy or SciPy is not installed for it: with the
/// command that installs them.
pub fn python_versions(python: &str) -> Result<String, Fault> {
    const SCRIPT: &str = "import platform, numpy, scipy; \
        print(f'Python {platform.python_version()}, NumPy {numpy.__version__}, SciPy {scipy.__version__}')";
    let output = Command::new(python).args(["-c", SCRIPT]).output().map_err(|error| {
        format!("cannot start {python}: {error}; install Python 3 or name it with --python PROGRAM")
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = text.trim().lines().last().unwrap_or("it says nothing").to_owned();
    Err(format!(
        "{python} cannot import NumPy and SciPy ({reason}): install them with `{python} -m pip install -r \
         benches/peers/requirements.txt`, or name another interpreter with --python PROGRAM"
    )
    .into())
}
