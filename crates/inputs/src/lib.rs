//! Inputs and labels from files, and their principal components.
//!
//! This crate reads what a job names (images and labels, matrices), reduces inputs to the leading
//! principal components of their raw centred features, and joins inputs with labels into the rows
//! `A = [X₁ Y]` that the samplers draw from. The engine calls it once a job, before anything random
//! happens; the program's `solve` reads and writes npy matrices with it. It knows nothing of jobs,
//! paradigms, noise or views.
//!
//! ```no_run
//! use std::path::Path;
//! use eigensweep_inputs::readers::{IDX, Chosen, Wanted};
//! use eigensweep_inputs::principal_components;
//!
//! let wanted = Wanted { inputs: Some(&Chosen::default()), columns: &[] };
//! let contents = (IDX.read)(Path::new("train-images-idx3-ubyte.gz"), &wanted)?;
//! let images = contents.inputs.expect("as wanted").rows;
//! assert_eq!(principal_components(&*images, 50)?.variances().len(), 50);
//! # Ok::<(), eigensweep_inputs::InputError>(())
//! ```
//!
//! | module | is about |
//! |---|---|
//! | [`blocks`] | rows of bytes, `f32` or `f64`, read a block at a time |
//! | [`source`] | files as a job names them: inputs, labels, targets, groups |
//! | [`sparse`] | rows most of whose entries are zero |
//! | [`counts`] | normalization, log1p and most variable genes of counts |
//! | [`compact`] | numbers as the least type that holds them |
//! | [`decoding`] | decoders of others, whose panics are errors |
//! | [`columns`] | columns that are constant, or linear combinations of others |
//! | [`readers`] | formats that a job can name, a file each |
//! | [`npy`] | NumPy's file format |
//! | [`labels`] | classes of samples |
//! | [`moments`] | means and second moments, exact for bytes |
//! | [`pca`] | principal components |
//! | [`labelled`] | inputs and labels side by side |
//! | [`memory`] | allocations that fail |
//! | [`whole_file`] | files that appear whole or not at all |
//!
//! Files are not trusted: sizes are checked before they are allocated, and every refusal is a
//! [`InputError`] that names the file, the place and the remedy. Each reader also comes as a
//! function of any [`std::io::Read`] and a known length ([`images_from`], [`labels_from`],
//! [`matrix_from`], [`npy::inputs_from`](readers::npy::inputs_from)), which is what a fuzzer calls.

mod arrays;
pub mod blocks;
pub mod columns;
pub mod compact;
pub mod counts;
pub mod decoding;
mod error;
mod files;
mod formats;
mod gzip;
pub mod labelled;
pub mod labels;
pub mod memory;
pub mod moments;
pub mod npy;
pub mod pca;
pub mod readers;
pub mod source;
pub mod sparse;
pub mod whole_file;

pub use blocks::{Blocks, Dense, Element};
pub use compact::Compact;
pub use error::InputError;
pub use labelled::LabelledRows;
pub use labels::{ClassLabels, Labels, MAX_CLASSES};
pub use moments::MAX_SAMPLES;
pub use npy::{matrix_from, matrix_into, read_matrix, write_matrix, write_vector};
pub use pca::{MAX_FEATURES, PrincipalComponents, principal_components};
pub use readers::idx::{images_from, labels_from};
pub use source::{Answers, Columns, Source, SourceFiles, read_any_labels, read_any_matrix};
pub use sparse::Sparse;
