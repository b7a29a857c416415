//! Reduces idx images to principal components and prints the variances: `reduce IMAGES LABELS COMPONENTS`.
//!
//! Also the measurement behind the crate's claims on time and memory: run it in release under `/usr/bin/time -v`.

use std::error::Error;
use std::path::PathBuf;

use eigensweep_inputs::readers::{Chosen, IDX};
use eigensweep_inputs::{Answers, Columns, LabelledRows, Labels, SourceFiles, principal_components};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [images, labels, components] = arguments.as_slice() else {
        return Err("usage: reduce IMAGES LABELS COMPONENTS".into());
    };
    let labels = Columns { file: Some(PathBuf::from(labels)), names: Vec::new() };
    let files = SourceFiles {
        reader: &IDX,
        inputs: PathBuf::from(images),
        chosen: Chosen::default(),
        answers: Some(Answers::Labels(labels)),
        groups: None,
    };
    let source = files.read()?;
    let components = principal_components(&*source.inputs.rows, components.parse()?)?;
    let Some(Labels::Classes(labels)) = source.labels else {
        return Err("labels are no classes".into());
    };
    let rows = LabelledRows::with_classes(components.scores(), &labels)?;
    println!("{} samples, {} inputs, {} labels", rows.samples(), rows.features(), rows.labels());
    for (index, variance) in components.variances().iter().enumerate() {
        println!("{index:4} {variance:14.3} {:7.4}", variance / components.total_variance());
    }
    Ok(())
}
