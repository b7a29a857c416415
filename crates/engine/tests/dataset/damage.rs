//! Damage of every kind is found, reported and repaired, and what is nobody's damage is left alone.

use std::fs;
use std::path::Path;

use eigensweep_store::dataset::Dataset;
use eigensweep_testkit::data_set::run_to_the_end;
use eigensweep_testkit::files::{contents, tree};

use crate::three_parts::{
    PART_ROWS, REFERENCE, copy, edit_json, edit_record, part_path, record_path, three_parts,
};

/// A kind of damage; what is reported (file without its hash, words of the fault), if anything;
/// which parts are computed again.
struct Damage {
    name: &'static str,
    harm: fn(&Path),
    reported: Option<(&'static str, &'static str)>,
    again: &'static [u64],
}

const DAMAGES: &[Damage] = &[
    Damage {
        name: "a truncated part",
        harm: |root| {
            let path = part_path(root, 1);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        },
        reported: Some(("data/part-000-000001-", "bytes instead of")),
        again: &[1],
    },
    Damage {
        name: "an emptied part",
        harm: |root| fs::write(part_path(root, 0), b"").unwrap(),
        reported: Some(("data/part-000-000000-", "has 0 bytes instead of")),
        again: &[0],
    },
    Damage {
        name: "a flipped bit",
        harm: |root| {
            let path = part_path(root, 2);
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        },
        reported: Some(("data/part-000-000002-", "does not match its checksum")),
        again: &[2],
    },
    Damage {
        name: "a byte less",
        harm: |root| {
            let path = part_path(root, 2);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        },
        reported: Some(("data/part-000-000002-", "bytes instead of")),
        again: &[2],
    },
    Damage {
        name: "another part's bytes of the same length",
        harm: |root| {
            let other = fs::read(part_path(root, 0)).unwrap();
            let path = part_path(root, 1);
            let length = fs::read(&path).unwrap().len();
            fs::write(&path, other.iter().copied().cycle().take(length).collect::<Vec<u8>>()).unwrap();
        },
        reported: Some(("data/part-000-000001-", "does not match its checksum")),
        again: &[1],
    },
    Damage {
        name: "another checksum in the record",
        harm: |root| edit_record(root, 1, "blake3", "00".repeat(32).into()),
        reported: Some(("data/part-000-000001-", "does not match its checksum")),
        again: &[1],
    },
    Damage {
        name: "a record of another section's hash",
        harm: |root| edit_record(root, 0, "section_hash", "00".repeat(32).into()),
        reported: Some(("commits/000-000000.json", "does not belong to this data set's plan")),
        again: &[0],
    },
    Damage {
        name: "a deleted part",
        harm: |root| fs::remove_file(part_path(root, 1)).unwrap(),
        reported: Some(("data/part-000-000001-", "is missing or unreadable")),
        again: &[1],
    },
    Damage {
        name: "a garbled commit record",
        harm: |root| fs::write(record_path(root, 1), b"{\"format_version\": 2, \"section_ha").unwrap(),
        reported: Some(("commits/000-000001.json", "is not a commit record")),
        again: &[1],
    },
    Damage {
        name: "an emptied commit record",
        harm: |root| fs::write(record_path(root, 2), b"").unwrap(),
        reported: Some(("commits/000-000002.json", "is not a commit record")),
        again: &[2],
    },
    Damage {
        name: "a commit record that is no text",
        harm: |root| fs::write(record_path(root, 0), [0xff, 0xfe, 0x00]).unwrap(),
        reported: Some(("commits/000-000000.json", "is not a commit record")),
        again: &[0],
    },
    Damage {
        name: "a commit record with other rows",
        harm: |root| edit_record(root, 1, "rows", 7.into()),
        reported: Some(("commits/000-000001.json", "does not belong to this data set's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record with rows past all counting",
        harm: |root| edit_record(root, 1, "rows", u64::MAX.into()),
        reported: Some(("commits/000-000001.json", "does not belong to this data set's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record under another part's name",
        harm: |root| {
            fs::copy(record_path(root, 0), record_path(root, 1)).unwrap();
        },
        reported: Some(("commits/000-000001.json", "does not belong to this data set's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record beyond the plan",
        harm: |root| {
            fs::copy(record_path(root, 0), record_path(root, 99)).unwrap();
            edit_record(root, 99, "part", 99.into());
        },
        reported: Some(("commits/000-000099.json", "does not belong to this data set's plan")),
        again: &[],
    },
    Damage {
        name: "a commit record that points outside",
        harm: |root| edit_record(root, 2, "file", "../../elsewhere".into()),
        reported: Some(("data/../../elsewhere", "is missing or unreadable")),
        again: &[2],
    },
    Damage {
        name: "a deleted commit record",
        harm: |root| fs::remove_file(record_path(root, 0)).unwrap(),
        reported: None,
        again: &[0],
    },
    Damage {
        name: "all commit records gone",
        harm: |root| fs::remove_dir_all(root.join("commits")).unwrap(),
        reported: None,
        again: &[0, 1, 2],
    },
    Damage {
        name: "a part that nobody recorded",
        harm: |root| {
            fs::copy(part_path(root, 1), root.join("data/part-000-000001-00000000.parquet")).unwrap();
        },
        reported: None,
        again: &[],
    },
    Damage {
        name: "leftovers of a kill",
        harm: |root| {
            fs::write(root.join("staging/part-000001.aBcDeF"), b"half a part").unwrap();
            fs::write(root.join("staging/000-000001.json.gHiJkL"), b"{").unwrap();
        },
        reported: None,
        again: &[],
    },
    Damage {
        name: "no staging directory",
        harm: |root| fs::remove_dir_all(root.join("staging")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a missing manifest",
        harm: |root| fs::remove_file(root.join("manifest.json")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "an emptied manifest",
        harm: |root| fs::write(root.join("manifest.json"), b"").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a garbled manifest",
        harm: |root| fs::write(root.join("manifest.json"), b"{\"format_version\": \"one\"}").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a missing section",
        harm: |root| fs::remove_file(root.join("sections/000.json")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "an emptied section",
        harm: |root| fs::write(root.join("sections/000.json"), b"").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a garbled section",
        harm: |root| fs::write(root.join("sections/000.json"), b"{\"format_version\": 2, \"num").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a section with other extents, of which the division into parts is a function",
        harm: |root| {
            let extents = serde_json::json!({ "signal": 1, "labels": 1_000_000_000 });
            edit_json(&root.join("sections/000.json"), "extents", extents);
        },
        reported: None,
        again: &[],
    },
    Damage {
        name: "a section under another number",
        harm: |root| fs::rename(root.join("sections/000.json"), root.join("sections/007.json")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "an emptied job file",
        harm: |root| fs::write(root.join("job.toml"), b"").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a missing job file",
        harm: |root| fs::remove_file(root.join("job.toml")).unwrap(),
        reported: None,
        again: &[],
    },
];

/// Every kind of damage is reported, and a run computes what it touched, to the same bytes.
#[test]
fn damage_is_repaired_to_the_same_bytes() {
    let whole = contents(REFERENCE.path());
    let others = ["job.toml", "manifest.json"].map(|name| fs::read(REFERENCE.path().join(name)).unwrap());
    for damage in DAMAGES {
        let directory = copy();
        let root = directory.path();
        (damage.harm)(root);
        let ran = run_to_the_end(root, &three_parts(), 2);
        let name = damage.name;
        let reported: Vec<_> = ran.repairs.iter().map(|r| (r.file.as_str(), r.fault.as_str())).collect();
        match (damage.reported, &reported[..]) {
            (None, []) => {}
            (Some((file, fault)), [(found_file, found_fault)]) => {
                assert!(found_file.starts_with(file), "{name}: {reported:?}");
                assert!(found_fault.contains(fault), "{name}: {reported:?}");
            }
            _ => panic!("{name}: {reported:?}"),
        }
        let again: Vec<(u32, u64)> = damage.again.iter().map(|&part| (0, part)).collect();
        assert_eq!(ran.committed, again, "{name}");
        assert!(contents(root) == whole, "{name}: the same parts and records");
        for (file, expected) in ["job.toml", "manifest.json"].iter().zip(&others) {
            assert!(fs::read(root.join(file)).unwrap() == *expected, "{name}: the same {file}");
        }
    }
}

/// What is in `data/` and has no part's name is not the program's to delete.
#[test]
fn strange_files_in_data_are_left_alone() {
    let directory = copy();
    let strange = directory.path().join("data/notes.txt");
    fs::write(&strange, b"mine").unwrap();
    let ran = run_to_the_end(directory.path(), &three_parts(), 1);
    assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0));
    assert_eq!(fs::read(strange).unwrap(), b"mine");
}

/// Reading finds what writing would repair, and changes nothing: sizes at once, every byte if
/// asked.
#[test]
fn readers_find_damage_and_leave_it() {
    let found = |root: &Path, verify: bool| -> Vec<(String, String)> {
        let before = tree(root);
        let (dataset, faults) = Dataset::read(root, verify).unwrap();
        assert!(tree(root) == before, "nothing changes");
        assert_eq!(dataset.rows_done(), dataset.rows() - PART_ROWS * faults.len() as u64);
        assert!(faults.iter().all(|fault| fault.part == Some((0, 1))), "{faults:?}");
        faults.into_iter().map(|fault| (fault.file, fault.fault)).collect()
    };
    assert_eq!(found(REFERENCE.path(), true), []);
    let truncated = copy();
    let path = part_path(truncated.path(), 1);
    fs::write(&path, b"PAR1").unwrap();
    let name = format!("data/{}", path.file_name().unwrap().to_str().unwrap());
    let [(file, fault)] = &found(truncated.path(), false)[..] else { panic!("one fault") };
    assert_eq!(file, &name);
    assert!(fault.contains("has 4 bytes instead of"), "{fault}");
    let flipped = copy();
    let path = part_path(flipped.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[700] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    assert_eq!(found(flipped.path(), false), [], "sizes say nothing of a flipped bit");
    let fault = "does not match its checksum".to_owned();
    assert_eq!(found(flipped.path(), true), [(name, fault)]);
}
