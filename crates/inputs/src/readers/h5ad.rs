//! `h5ad`: AnnData's files of single cells, and the `.h5` files of counts of Cell Ranger (10x).
//!
//! | `matrix` | what | shape |
//! |---|---|---|
//! | `X` | the main matrix, the default; that of a file of Cell Ranger | cells × genes |
//! | `raw/X` | what was kept of it before preprocessing | cells × genes |
//! | `layers/NAME` | another of the same shape, such as counts | cells × genes |
//! | `obsm/NAME` | something about cells, such as components | cells × any |
//!
//! Matrices are dense, or sparse by rows or by columns, of integers or floats; sparse ones come as
//! sparse rows. Labels, groups and targets are columns of `obs`: categories, words, numbers or
//! booleans, without missing values. Features are called by the index of `var`. Files of AnnData
//! 0.6 (compound tables, `raw.X`) to 0.12 are read.
//!
//! HDF5 is read only by programs that are built with the feature `hdf5`, since the format is large;
//! the name is known without it.
//!
//! **Nothing is trusted.** Memory grows with the chunks that arrive; an array may not declare more
//! than deflate can pack into the file. What links outside of the file is not followed.
//!
//! **Cost.** One pass over the arrays that are wanted. 12 bytes a sparse entry beside its value, or
//! once more 4 and the value if the file is by columns.
//!
//! Source: the AnnData developers, *On-disk format*, versions 0.7 to 0.12 of the package `anndata`.

#[cfg(feature = "hdf5")]
mod anndata;

use std::path::Path;

#[cfg(feature = "hdf5")]
pub use anndata::h5ad_from;

use crate::InputError;
use crate::readers::{Choice, Contents, INPUTS, Reader, Wanted, one_file};

/// Files of AnnData, and of Cell Ranger in HDF5.
pub static H5AD: Reader = Reader {
    name: "h5ad",
    help: "single cells in AnnData's HDF5 files, and counts of Cell Ranger (10x .h5); needs the feature `hdf5`",
    inputs: INPUTS,
    choices: &[Choice::Matrix],
    columns: true,
    images: false,
    samples: "cells",
    features: "genes",
    files: one_file,
    read,
};

#[cfg(feature = "hdf5")]
fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    anndata::read(path, wanted)
}

#[cfg(not(feature = "hdf5"))]
fn read(path: &Path, _: &Wanted<'_>) -> Result<Contents, InputError> {
    let remedy = "build it with `cargo build --release --features hdf5`, or write the matrix as .mtx or .npy";
    Err(InputError::unreadable(path, "HDF5", "this program was built without it", remedy))
}

#[cfg(all(test, not(feature = "hdf5")))]
mod tests {
    use std::path::Path;

    use super::H5AD;
    use crate::readers::Wanted;

    #[test]
    fn a_program_without_the_feature_says_how_to_get_it() {
        let error = (H5AD.read)(Path::new("cells.h5ad"), &Wanted { inputs: None, columns: &[] }).unwrap_err();
        assert!(error.to_string().contains("--features hdf5"), "{error}");
    }
}
