//! Figure 3 with a few replicates against the reference simulation, where both the reference and
//! MNIST lie beside the project.

use std::path::Path;

use eigensweep_benches::agreement::{Compared, Summary, compare, read_dataset, read_reference};
use eigensweep_benches::figure3::{Changes, Figure3, Files};

/// With so few replicates a standard error is itself uncertain by 13 %, and t of 29 degrees of
/// freedom reaches 6 in one of 600,000 cells.
const REPLICATES: u32 = 30;
const LARGEST: f64 = 6.0;
/// Over 180 independent cells it would be 1.03 ± 0.06; these are correlated.
const ROOT_MEAN_SQUARE: f64 = 2.0;

#[test]
fn figure_3_agrees_with_the_explicit_simulation() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let reference = beside.join("reference/figure3_mnist.json");
    let images = beside.join("data/mnist/train-images-idx3-ubyte.gz");
    let labels = beside.join("data/mnist/train-labels-idx1-ubyte.gz");
    if let Some(absent) = [&reference, &images, &labels].into_iter().find(|file| !file.is_file()) {
        println!("skipped: {} is not there", absent.display());
        return;
    }
    let files = Files { images: Some(images), labels: Some(labels) };
    let figure =
        Figure3::load(&Changes { pixels: false, files, replicates: REPLICATES, distance_only: true })
            .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("figure3");
    figure.run_into(&root, 2).unwrap();
    let compared = compare(&read_dataset(&root).unwrap(), &read_reference(&reference).unwrap()).unwrap();
    assert_eq!(compared.len(), 180);
    for z in [Compared::z_distance, Compared::z_loss] {
        let summary = Summary::of(&compared.iter().map(z).collect::<Vec<_>>());
        assert!(summary.largest < LARGEST, "{summary:?}");
        assert!(summary.root_mean_square < ROOT_MEAN_SQUARE, "{summary:?}");
    }
}
