//! Formats of files by their first bytes, so that a file of the wrong kind is named for what it is.
//!
//! The one table of them: every reader asks it where the first bytes are not its own.

use std::path::Path;

use crate::InputError;
use crate::files::{self, read_up_to};
use crate::gzip::{self, Members};
use crate::readers::{self, Reader};

/// Bytes of a file that are looked at: a tar archive tells itself at 257.
pub(crate) const LOOKED_AT: usize = 512;

/// A format of files.
struct Format {
    /// What it is called, with its article.
    name: &'static str,
    /// Where its mark is.
    place: usize,
    /// Bytes that all its files have there.
    mark: &'static [u8],
    /// The name that a reader of it has, or would have.
    reader: &'static str,
}

const fn format(name: &'static str, place: usize, mark: &'static [u8], reader: &'static str) -> Format {
    Format { name, place, mark, reader }
}

/// Excel writes it, as "Unicode text".
const UTF_16: &str =
    "text in UTF-16, which `iconv -f UTF-16 -t UTF-8` converts (Excel: save as \"CSV UTF-8\")";

/// Sources: the specification of each.
const FORMATS: [Format; 30] = [
    format("a NumPy array (npy)", 0, b"\x93NUMPY", "npy"),
    format("an idx file", 0, b"\0\0\x08", "idx"),
    format("an idx file", 0, b"\0\0\x09", "idx"),
    format("an idx file", 0, b"\0\0\x0b", "idx"),
    format("an idx file", 0, b"\0\0\x0c", "idx"),
    format("an idx file", 0, b"\0\0\x0d", "idx"),
    format("an idx file", 0, b"\0\0\x0e", "idx"),
    format("a zip archive, such as npz or a spreadsheet", 0, b"PK\x03\x04", "npz"),
    format("an empty zip archive", 0, b"PK\x05\x06", ""),
    format("a Parquet file", 0, b"PAR1", "parquet"),
    format("an HDF5 file, such as h5ad", 0, b"\x89HDF\r\n\x1a\n", "h5ad"),
    format("an Arrow file (Feather)", 0, b"ARROW1", ""),
    format("a Matrix Market file (mtx)", 0, b"%%MatrixMarket", "mtx"),
    format("a MATLAB file", 0, b"MATLAB 5.0", ""),
    format("a pickle of Python", 0, b"\x80\x02", ""),
    format("a pickle of Python", 0, b"\x80\x03", ""),
    format("a pickle of Python", 0, b"\x80\x04", ""),
    format("a pickle of Python", 0, b"\x80\x05", ""),
    format("a PNG image", 0, b"\x89PNG", ""),
    format("a JPEG image", 0, b"\xff\xd8\xff", ""),
    format("a PDF", 0, b"%PDF-", ""),
    format("text in UTF-32, which `iconv -f UTF-32 -t UTF-8` converts", 0, b"\xff\xfe\0\0", ""),
    format("text in UTF-32, which `iconv -f UTF-32 -t UTF-8` converts", 0, b"\0\0\xfe\xff", ""),
    format(UTF_16, 0, b"\xff\xfe", ""),
    format(UTF_16, 0, b"\xfe\xff", ""),
    format("a bzip2 file", 0, b"BZh", ""),
    format("an xz file", 0, b"\xfd7zXZ\0", ""),
    format("a Zstandard file", 0, b"\x28\xb5\x2f\xfd", ""),
    format("a tar archive", 257, b"ustar", ""),
    format("the pointer to a file that `git lfs pull` fetches", 0, b"version https://git-lfs", ""),
];

/// What a file is that begins with these bytes, of which [`LOOKED_AT`] suffice, and what reads it.
pub(crate) fn described(start: &[u8]) -> String {
    if start.starts_with(&gzip::MAGIC) {
        let mut unpacked = vec![0; LOOKED_AT];
        // Cut off, so that it ends with an error; what came before is what there is to see.
        let found = read_each(&mut Members::new(start), &mut unpacked);
        let unpacked = &unpacked[..found];
        // One file in the world is gzip of itself.
        let inner = if unpacked.starts_with(&gzip::MAGIC) { "gzip".to_owned() } else { described(unpacked) };
        return format!("gzip of {inner}; `gunzip` unpacks it");
    }
    let (name, reader) = match FORMATS.iter().find(|format| format.has(start)) {
        Some(format) => (format.name.to_owned(), format.reader),
        None => by_text(start),
    };
    let job = readers::named(reader).map(|reader| format!("`source = \"{}\"` of a job", reader.name));
    // `solve` reads what `crate::npy` does.
    let solve = (reader == "npy").then(|| "`eigensweep solve`".to_owned());
    let readers: Vec<String> = job.into_iter().chain(solve).collect();
    if readers.is_empty() { name } else { format!("{name}, which {} reads", readers.join(" or ")) }
}

impl Format {
    fn has(&self, start: &[u8]) -> bool {
        start.get(self.place..).is_some_and(|rest| rest.starts_with(self.mark))
    }
}

/// Text of some kind, or the bytes themselves.
fn by_text(start: &[u8]) -> (String, &'static str) {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // A letter that the end cuts in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    let readable = !text.is_empty() && text.chars().all(|c| !c.is_control() || "\t\r\n".contains(c));
    if !readable {
        if let Some(text) = almost_text(start) {
            return (text, "");
        }
        let bytes: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        return (format!("a file of no known format, whose first bytes are [{}]", bytes.join(" ")), "");
    }
    let (head, line) = (text.trim_start().to_ascii_lowercase(), text.lines().next().unwrap_or_default());
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return (
            "a web page (HTML), perhaps the answer of a server that did not have the file".to_owned(),
            "",
        );
    }
    if line.contains([',', ';', '\t']) {
        return ("text in columns, such as CSV".to_owned(), "csv");
    }
    ("text".to_owned(), "csv")
}

/// What keeps bytes from being text that are, but for a few; with the remedy.
fn almost_text(start: &[u8]) -> Option<String> {
    let control = |byte: &u8| byte.is_ascii_control() && !b"\t\r\n\0".contains(byte);
    let letters = start.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    if start.iter().any(control) || 2 * letters < start.len() || letters == 0 {
        return None;
    }
    let line_of = |at: usize| 1 + start[..at].iter().filter(|&&byte| byte == b'\n').count();
    let nul_at = |place: usize| start.len() > 3 && start.chunks_exact(2).all(|pair| pair[place] == 0);
    if nul_at(0) || nul_at(1) {
        let order = if nul_at(0) { "UTF-16BE" } else { "UTF-16LE" };
        return Some(format!("text in UTF-16, which `iconv -f {order} -t UTF-8` converts"));
    }
    if let Some(at) = start.iter().position(|&byte| byte == 0) {
        return Some(format!(
            "text but for a NUL byte at byte {at} (from 0, line {}): damaged, or not written in UTF-8 (Python: \
             `encoding=\"utf-8\"`)",
            line_of(at)
        ));
    }
    let at = std::str::from_utf8(start).err()?.valid_up_to();
    Some(format!(
        "text that is not in UTF-8: byte {:02x} at byte {at} (from 0, line {}), perhaps Latin-1, which `iconv -f \
         LATIN1 -t UTF-8` converts",
        start[at],
        line_of(at)
    ))
}

/// Whether a file that begins with these bytes may be text in columns.
pub(crate) fn may_be_table(start: &[u8]) -> bool {
    let known = FORMATS.iter().any(|format| format.has(start));
    !known && !start.contains(&0) && !by_text(start).0.starts_with("a web page")
}

/// The reader of a file, told by its first bytes.
///
/// # Errors
///
/// [`InputError::OtherFormat`] if there is none, or that of the system.
pub(crate) fn reader_of(path: &Path) -> Result<&'static Reader, InputError> {
    let (mut file, _) = files::open(path)?;
    let mut start = vec![0; LOOKED_AT];
    let failed = |source| InputError::Io { path: path.to_owned(), action: "read", source };
    let found = read_up_to(&mut file, &mut start).map_err(failed)?;
    start.truncate(found);
    let packed = start.clone();
    if start.starts_with(&gzip::MAGIC) {
        start = vec![0; LOOKED_AT];
        let found = read_each(&mut Members::new(&*packed), &mut start);
        start.truncate(found);
    }
    let name =
        FORMATS.iter().find(|format| format.has(&start)).map_or_else(|| by_text(&start).1, |of| of.reader);
    readers::named(name).ok_or_else(|| InputError::OtherFormat {
        path: path.to_owned(),
        expected: "a file of a format that is read",
        found: described(&packed),
    })
}

/// Reads what comes before the end, or before an error.
fn read_each(source: &mut impl std::io::Read, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while filled < buffer.len() && matches!(read_up_to(source, &mut buffer[filled..=filled]), Ok(1)) {
        filled += 1;
    }
    filled
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::{FORMATS, described};

    #[test]
    fn every_known_format_is_named() {
        for format in &FORMATS {
            let bytes = [&vec![7; format.place][..], format.mark, b" and more"].concat();
            let found = described(&bytes);
            assert!(found.starts_with(format.name), "{found}");
        }
        for (bytes, name) in [
            (&b"\n <!DOCTYPE HTML>\n<p>404"[..], "a web page (HTML)"),
            (b"<html lang=en>", "a web page (HTML)"),
            (b"a,b\n1,2\n", "text in columns, such as CSV"),
            (b"1;2", "text in columns, such as CSV"),
            ("température\tx".as_bytes(), "text in columns, such as CSV"),
            (b"once upon a time", "text"),
            (b"caf\xe9 1\n", "text that is not in UTF-8: byte e9 at byte 3 (from 0, line 1)"),
            (b"a\n1\0\n", "text but for a NUL byte at byte 3 (from 0, line 2)"),
            (b"a\0,\0b\0", "text in UTF-16, which `iconv -f UTF-16LE"),
            (b"\0\0\0\0", "a file of no known format"),
            (b"\x01\x02\x03\x04\x05", "a file of no known format, whose first bytes are [01 02 03 04]"),
            (b"", "a file of no known format"),
        ] {
            assert!(described(bytes).starts_with(name), "{}", described(bytes));
        }
        // Half a letter at the end.
        assert!(described(&"naïve".as_bytes()[..3]).starts_with("text, which"));
    }

    #[test]
    fn what_reads_a_format_is_said() {
        assert_eq!(
            described(b"\x93NUMPY\x01\0"),
            "a NumPy array (npy), which `source = \"npy\"` of a job or `eigensweep solve` reads"
        );
        assert_eq!(described(b"\0\0\x08\x03"), "an idx file, which `source = \"idx\"` of a job reads");
        assert_eq!(described(b"PAR1"), "a Parquet file, which `source = \"parquet\"` of a job reads");
        assert_eq!(
            described(b"a,b"),
            "text in columns, such as CSV, which `source = \"csv\"` of a job reads"
        );
        assert_eq!(described(b"BZh9"), "a bzip2 file");
    }

    #[test]
    fn what_is_inside_gzip_is_looked_at() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"\x93NUMPY\x01\0").unwrap();
        encoder.write_all(&[3; 5000]).unwrap();
        let packed = encoder.finish().unwrap();
        for bytes in [&packed[..], &packed[..packed.len() - 9]] {
            let found = described(bytes);
            assert!(
                found.starts_with("gzip of a NumPy array (npy)") && found.ends_with("unpacks it"),
                "{found}"
            );
        }
        assert!(described(&packed[..5]).starts_with("gzip of a file of no known format"), "nothing to see");
    }
}
