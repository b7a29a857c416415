//! Sizes of the caches of this machine's first core, which decide what a working set is read from.
//!
//! Called by [`limits`](crate::limits), which measures the bandwidth of each level.

use std::path::Path;

/// Where Linux describes the caches of the first core.
const DIRECTORY: &str = "/sys/devices/system/cpu/cpu0/cache";

/// Sizes in bytes of the data caches of a core: of three levels, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches([usize; 3]);

impl Default for Caches {
    /// 32 KiB, 512 KiB and 16 MiB.
    fn default() -> Self {
        Self([32 << 10, 512 << 10, 16 << 20])
    }
}

impl Caches {
    /// What the system says; the default of a level that it says nothing about.
    #[must_use]
    pub fn detect() -> Self {
        Self::read(Path::new(DIRECTORY))
    }

    /// Bytes of each level, the nearest first.
    #[must_use]
    pub fn sizes(self) -> [usize; 3] {
        self.0
    }

    fn read(directory: &Path) -> Self {
        let mut caches = Self::default();
        for index in 0..8 {
            let entry = directory.join(format!("index{index}"));
            let text = |name: &str| std::fs::read_to_string(entry.join(name)).ok();
            let (Some(level), Some(kind), Some(size)) = (text("level"), text("type"), text("size")) else {
                continue;
            };
            let level = level.trim().parse::<usize>().ok().and_then(|level| level.checked_sub(1));
            let known = level.and_then(|level| caches.0.get_mut(level));
            if let (Some(to), Some(bytes), true) = (known, bytes(&size), kind.trim() != "Instruction") {
                *to = bytes;
            }
        }
        // A level that is not there holds no more than the one before it.
        caches.0[1] = caches.0[1].max(caches.0[0]);
        caches.0[2] = caches.0[2].max(caches.0[1]);
        caches
    }
}

/// Reads `32K`, `1024K`, `4M`; `None` if it is nothing of that kind, or zero.
fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let (number, unit) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    number.parse::<usize>().ok()?.checked_mul(unit).filter(|&bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Caches, bytes};

    #[test]
    fn sizes_are_read_with_and_without_units() {
        assert_eq!(bytes("32K\n"), Some(32 << 10));
        assert_eq!(bytes("4M"), Some(4 << 20));
        assert_eq!(bytes("512"), Some(512));
        for text in ["", "K", "-1K", "0", "many", "1.5M"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    fn describe(directory: &Path, index: usize, [level, kind, size]: [&str; 3]) {
        let entry = directory.join(format!("index{index}"));
        std::fs::create_dir(&entry).unwrap();
        for (name, text) in [("level", level), ("type", kind), ("size", size)] {
            std::fs::write(entry.join(name), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn data_caches_are_found_and_the_rest_is_the_default() {
        let directory = tempfile::tempdir().unwrap();
        describe(directory.path(), 0, ["1", "Data", "48K"]);
        describe(directory.path(), 1, ["1", "Instruction", "64K"]);
        describe(directory.path(), 2, ["2", "Unified", "1024K"]);
        assert_eq!(Caches::read(directory.path()).sizes(), [48 << 10, 1 << 20, 16 << 20]);
        assert_eq!(Caches::read(&directory.path().join("absent")), Caches::default());
    }

    #[test]
    fn levels_grow() {
        let directory = tempfile::tempdir().unwrap();
        describe(directory.path(), 0, ["2", "Unified", "64M"]);
        assert_eq!(Caches::read(directory.path()).sizes(), [32 << 10, 64 << 20, 64 << 20]);
    }
}
