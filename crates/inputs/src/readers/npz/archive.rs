//! Zip archives of arrays, on what rawzip reads of them: every check that it leaves to its caller.

use std::collections::HashSet;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use rawzip::{
    CompressionMethod, ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, RangeReader, ReaderAt, ZipArchive,
    ZipArchiveEntryWayfinder, ZipFileHeaderRecord, ZipLocator,
};

use crate::arrays::{MAX_EXPANSION, Packed, Stream};
use crate::files::{READ_BUFFER, read_up_to};
use crate::{InputError, formats};

/// Most names that a message lists.
const LISTED: usize = 20;

/// An archive whose directory is sound.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Box<dyn ReaderAt + 'a>>,
    pub(super) path: &'a Path,
    /// Its arrays, in the order of the archive.
    pub(super) entries: Vec<Entry>,
}

/// An array in an archive.
pub(super) struct Entry {
    /// Its name in NumPy: that of the file without `.npy`.
    pub(super) name: String,
    place: ZipArchiveEntryWayfinder,
    packed: Packed,
}

impl<'a> Archive<'a> {
    /// Reads the directory of an archive.
    pub(super) fn open(
        source: Box<dyn ReaderAt + 'a>,
        length: u64,
        path: &'a Path,
    ) -> Result<Self, InputError> {
        let read = |source| InputError::Io { path: path.to_owned(), action: "read", source };
        let mut start = vec![0; formats::LOOKED_AT];
        let found = read_up_to(&mut RangeReader::new(&source, 0..length), &mut start).map_err(read)?;
        start.truncate(found);
        if !start.starts_with(b"PK\x03\x04") {
            return Err(InputError::OtherFormat {
                path: path.to_owned(),
                expected: "arrays of numpy.savez, or a matrix of scipy.sparse.save_npz",
                found: formats::described(&start),
            });
        }
        // No record of the directory is longer.
        let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
        let zip = ZipLocator::new()
            .locate_in_reader(source, &mut buffer, length)
            .map_err(|(_, error)| failed(path, error))?;
        let mut entries = Vec::new();
        let mut names = HashSet::new();
        let mut places = Vec::new();
        let mut records = zip.entries(&mut buffer);
        let mut count = 0;
        while let Some(record) = records.next_entry().map_err(|error| failed(path, error))? {
            count += 1;
            let name = String::from_utf8_lossy(record.file_path().as_bytes()).into_owned();
            let packed = packed(path, &name, &record)?;
            if !names.insert(name.clone()) {
                return Err(damaged(path, &format!("entry `{name}`"), "occurs twice"));
            }
            places.push((record.local_header_offset(), record.wayfinder(), packed, name));
        }
        if count != zip.entries_hint() {
            let problem = format!("has {count} entries and claims {}", zip.entries_hint());
            return Err(damaged(path, "its directory", &problem));
        }
        places.sort_by_key(|&(start, ..)| start);
        let mut free = 0;
        for (start, place, packed, name) in places {
            let entry = zip.get_entry(place).map_err(|error| failed(path, error))?;
            let end = entry.compressed_data_range().1;
            if start < free || end > zip.directory_offset() {
                return Err(damaged(
                    path,
                    &format!("entry `{name}`"),
                    "overlaps another one, or the directory",
                ));
            }
            free = end;
            if let Some(name) = name.strip_suffix(".npy") {
                entries.push(Entry { name: name.to_owned(), place, packed });
            }
        }
        if entries.is_empty() {
            return Err(InputError::OtherFormat {
                path: path.to_owned(),
                expected: "arrays of numpy.savez, or a matrix of scipy.sparse.save_npz",
                found: "a zip archive without arrays (*.npy), such as a spreadsheet".to_owned(),
            });
        }
        Ok(Self { zip, path, entries })
    }

    /// The array of that name.
    pub(super) fn named(&self, what: &'static str, name: &str) -> Result<&Entry, InputError> {
        self.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().take(LISTED).map(|entry| &*entry.name).collect();
            let more = if self.entries.len() > LISTED { ", …" } else { "" };
            InputError::NoSuch {
                path: self.path.to_owned(),
                what,
                name: name.to_owned(),
                there: format!("its {} arrays are {}{more}", self.entries.len(), names.join(", ")),
            }
        })
    }

    /// The array of that name, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// What messages call an array: a file within the archive.
    pub(super) fn inside(&self, name: &str) -> PathBuf {
        inside(self.path, name)
    }

    /// The bytes of an array, unpacked and verified up to their end.
    pub(super) fn stream<'b>(&'b self, entry: &Entry, path: &'b Path) -> Result<Stream<'b>, InputError> {
        let place = self.zip.get_entry(entry.place).map_err(|error| failed(self.path, error))?;
        let raw = BufReader::with_capacity(READ_BUFFER, place.reader());
        let source: Box<dyn Read + 'b> = if entry.packed == Packed::Deflated {
            Box::new(place.verifying_reader(DeflateDecoder::new(raw)))
        } else {
            Box::new(place.verifying_reader(raw))
        };
        let length = entry.place.uncompressed_size_hint();
        Ok(Stream { source, length, packed: entry.packed, path })
    }

    /// Reads an array to its end, and holds none of it.
    pub(super) fn verify(&self, entry: &Entry, path: &Path) -> Result<(), InputError> {
        let mut stream = self.stream(entry, path)?;
        let copied = io::copy(&mut stream.source, &mut io::sink());
        copied.map(drop).map_err(|error| stream.failed(error))
    }
}

/// A file within an archive, whatever its name: joining an absolute path would leave the archive
/// out.
fn inside(path: &Path, name: &str) -> PathBuf {
    let mut inside = path.as_os_str().to_owned();
    inside.push(format!("/{name}.npy"));
    inside.into()
}

/// How an entry is packed, if that is read.
fn packed(path: &Path, name: &str, record: &ZipFileHeaderRecord<'_>) -> Result<Packed, InputError> {
    let refused = |problem: String, remedy: &str| {
        InputError::unreadable(path, format!("entry `{name}`"), problem, remedy)
    };
    let flags = record.flags();
    if flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked() {
        return Err(refused("is encrypted".to_owned(), "write the archive with numpy.savez"));
    }
    let (packed, size) = (record.compressed_size_hint(), record.uncompressed_size_hint());
    let method = record.compression_method();
    let (packing, allowed) = if method == CompressionMethod::STORE {
        (Packed::Stored, packed)
    } else if method == CompressionMethod::DEFLATE {
        (Packed::Deflated, packed.saturating_mul(MAX_EXPANSION))
    } else {
        let problem = format!("is packed by method {method}, which is not read");
        return Err(refused(problem, "write the archive with numpy.savez or numpy.savez_compressed"));
    };
    if size > allowed || (packing == Packed::Stored && size != packed) {
        let problem = format!("claims {size} bytes, which its {packed} bytes in the archive cannot hold");
        return Err(refused(problem, FETCH_AGAIN));
    }
    Ok(packing)
}

const FETCH_AGAIN: &str = "the archive is damaged: fetch it again, or test it with `unzip -t`";

fn damaged(path: &Path, place: &str, problem: &str) -> InputError {
    InputError::unreadable(path, place, problem, FETCH_AGAIN)
}

/// The refusal of what rawzip does not understand.
fn failed(path: &Path, error: rawzip::Error) -> InputError {
    let problem = error.to_string();
    if let ErrorKind::IO(source) = error.into_kind()
        && source.kind() != io::ErrorKind::UnexpectedEof
    {
        return InputError::Io { path: path.to_owned(), action: "read", source };
    }
    damaged(path, "its directory", &problem)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::inside;

    #[test]
    fn an_array_is_named_after_its_archive_even_if_its_name_is_an_absolute_path() {
        for (name, expected) in [("X", "a/data.npz/X.npy"), ("/etc/X", "a/data.npz//etc/X.npy")] {
            assert_eq!(inside(Path::new("a/data.npz"), name).to_str(), Some(expected));
        }
    }
}
