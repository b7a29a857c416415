//! Inputs and labels from files, and their principal components.
//!
//! This crate reads what a job names (idx images and labels, npy matrices), reduces images to the leading principal
//! components of their raw centred pixels, and joins inputs with labels into the rows `A = [X₁ Y]` that the samplers
//! draw from. The engine calls it once a job, before anything random happens; the program's `solve` reads and writes
//! npy matrices with it. It knows nothing of jobs, paradigms, noise or views.
//!
//! ```no_run
//! use std::path::Path;
//! use eigensweep_inputs::{LabelledRows, principal_components, read_images, read_labels};
//!
//! let images = read_images(Path::new("train-images-idx3-ubyte.gz"))?;
//! let labels = read_labels(Path::new("train-labels-idx1-ubyte.gz"))?;
//! let components = principal_components(&images, 50)?;
//! let rows = LabelledRows::with_classes(components.scores(), &labels)?;
//! assert_eq!(rows.row(0).len(), 50 + 10);
//! # Ok::<(), eigensweep_inputs::InputError>(())
//! ```
//!
//! | module | is about |
//! |---|---|
//! | [`idx`] | MNIST's file format, plain or gzip |
//! | [`npy`] | NumPy's file format |
//! | [`images`] | raw samples in bytes: images and class labels |
//! | [`inputs`] | clean inputs `X₁` in doubles |
//! | [`moments`] | exact sums and second moments of pixels |
//! | [`pca`] | principal components and centring |
//! | [`labelled`] | inputs and labels side by side |
//!
//! Files are not trusted: sizes are checked before they are allocated, and every refusal is a [`InputError`] that
//! names the file, the place and the remedy. Each reader also comes as a function of any [`std::io::Read`] and a known
//! length ([`images_from`], [`labels_from`], [`matrix_from`]), which is what a fuzzer calls.

mod error;
mod files;
pub mod idx;
pub mod images;
pub mod inputs;
pub mod labelled;
pub mod moments;
pub mod npy;
pub mod pca;
pub mod readers;

pub use error::InputError;
pub use idx::{images_from, labels_from, read_images, read_labels};
pub use images::{ClassLabels, Images};
pub use inputs::Inputs;
pub use labelled::LabelledRows;
pub use moments::{MAX_SAMPLES, means};
pub use npy::{matrix_from, matrix_into, read_matrix, write_matrix};
pub use pca::{MAX_FEATURES, PrincipalComponents, centred, principal_components};
