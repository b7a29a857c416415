//! Reduces idx images to principal components and prints the variances: `reduce IMAGES LABELS COMPONENTS`.
//!
//! Also the measurement behind the crate's claims on time and memory: run it in release under `/usr/bin/time -v`.

use std::error::Error;
use std::path::PathBuf;

use eigensweep_inputs::{LabelledRows, principal_components, read_images, read_labels};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [images, labels, components] = arguments.as_slice() else {
        return Err("usage: reduce IMAGES LABELS COMPONENTS".into());
    };
    let images = read_images(&PathBuf::from(images))?;
    let labels = read_labels(&PathBuf::from(labels))?;
    let components = principal_components(&images, components.parse()?)?;
    let rows = LabelledRows::with_classes(components.scores(), &labels)?;
    println!("{} samples, {} inputs, {} labels", rows.samples(), rows.features(), rows.labels());
    for (index, variance) in components.variances().iter().enumerate() {
        println!("{index:4} {variance:14.3} {:7.4}", variance / components.total_variance());
    }
    Ok(())
}
