//! The host's name, its instruction sets, the time, programs on PATH.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Threads that this process may use.
#[must_use]
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Seconds since 1970-01-01 UTC.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// The host's name, as the kernel or the environment tells it.
#[must_use]
pub fn name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The first program of that name on PATH.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|place| place.join(name)).find(|program| program.is_file())
}

/// What this was built with.
#[must_use]
pub fn features() -> String {
    format!("{} build for {}", env!("EIGENSWEEP_PROFILE"), std::env::consts::OS)
}

/// The instruction sets that matter for the kernels.
#[must_use]
pub fn instruction_set() -> String {
    let mut found = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    for (name, present) in [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ] {
        if present {
            found.push(name);
        }
    }
    found.join(" ")
}
