//! Small sets of labelled images in MNIST's format.

use std::fs;
use std::path::{Path, PathBuf};

use crate::random::Random;

/// An idx file of unsigned bytes.
#[must_use]
pub fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0x08, u8::try_from(shape.len()).unwrap()];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// The files of a labelled image set.
#[derive(Clone, Debug)]
pub struct Images {
    /// Its images.
    pub images: PathBuf,
    /// Their classes.
    pub labels: PathBuf,
}

impl Images {
    /// `[data]` of a job on these images, with further keys.
    #[must_use]
    pub fn source(&self, rest: &str) -> String {
        let (images, labels) = (self.images.display(), self.labels.display());
        format!("[data]\nsource = \"idx\"\nimages = '{images}'\nlabels = '{labels}'\n{rest}\n")
    }
}

/// Writes class images of `side` × `side` bytes: a pattern per class whose strength varies, and
/// pixel noise.
pub fn write_images(directory: &Path, samples: u32, side: u32, classes: u8) -> Images {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let class = u8::try_from(random.below(usize::from(classes))).unwrap();
        let (strength, slope) = (60.0 + 60.0 * random.uniform(), 40.0 * random.uniform());
        for at in 0..side * side {
            let (x, y) = (f64::from(at % side), f64::from(at / side));
            let wave = ((x + y * f64::from(class)) * 1.3 + f64::from(class)).sin();
            let noise = 50.0 * (random.uniform() - 0.5);
            let level = 110.0 + strength * wave * 0.6 + slope * (x - y) / f64::from(side) + noise;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
            pixels.push(level.clamp(0.0, 255.0) as u8);
        }
        labels.push(class);
    }
    let paths = Images { images: directory.join("images"), labels: directory.join("labels") };
    fs::write(&paths.images, idx(&[samples, side, side], &pixels)).unwrap();
    fs::write(&paths.labels, idx(&[samples], &labels)).unwrap();
    paths
}
