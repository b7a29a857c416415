//! ARCHITECTURE.md says where things are: every path of its table of places is there.

use std::path::Path;

#[test]
fn every_place_that_the_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let section = text.split("## Where would … go?").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut found = 0;
    for name in section.split('`').skip(1).step_by(2).filter(|name| name.contains('/')) {
        assert!(root.join(name).exists(), "{name} is not there");
        found += 1;
    }
    assert!(found > 20, "the table has places: {found}");
    // Every crate has its line.
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let name = format!("`crates/{}`", entry.unwrap().file_name().into_string().unwrap());
        assert!(text.contains(&name), "{name} has no line");
    }
}
