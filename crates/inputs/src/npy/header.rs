//! Reads the header of an npy file without trusting it; the data are [`npy`](super)'s affair.
//!
//! npyz parses the header's dictionary. Three things that it takes on trust are looked at here
//! first: it allocates the header's declared length (up to 4 GiB), its grammar recurses on
//! brackets, and it multiplies the dimensions unchecked. So the length is limited, brackets are
//! counted, and the product of *all* numbers in the header outside strings must fit 64 bits, which
//! bounds the product of the dimensions wherever they stand.
//!
//! Source: NumPy Enhancement Proposal 1, *A Simple File Format for NumPy Arrays*.

use std::io::Read;

use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

use crate::arrays::{Array, Stream, Type};
use crate::{InputError, formats};

/// Longest header taken, bytes. Source: the default of `max_header_size` in `numpy.load`.
const MAX_HEADER: usize = 10_000;

/// Deepest nesting of brackets taken: a dictionary that holds a list of records, each a tuple with
/// a shape.
const MAX_DEPTH: usize = 4;

/// What every npy file starts with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads the header, which is where the data start.
pub(super) fn read(stream: &mut Stream<'_>) -> Result<Array, InputError> {
    // Magic, version, and a length of two bytes in version 1, of four in versions 2 and 3.
    let path = stream.path;
    let malformed = |problem: String| InputError::NpyHeader { path: path.to_owned(), problem };
    let mut bytes = Vec::new();
    let cut = append(stream, &mut bytes, 8).err();
    if !bytes.iter().zip(MAGIC).all(|(found, expected)| found == expected) {
        // What came before an error is enough to tell.
        let rest = (formats::LOOKED_AT - bytes.len()) as u64;
        let _ = stream.source.by_ref().take(rest).read_to_end(&mut bytes);
        return Err(InputError::OtherFormat {
            path: path.to_owned(),
            expected: "a NumPy array (numpy.save)",
            found: formats::described(&bytes),
        });
    }
    cut.map_or(Ok(()), Err)?;
    let version = bytes[6];
    append(stream, &mut bytes, if version == 1 { 2 } else { 4 })?;
    // Little-endian; four bytes at most, so nothing is shifted out.
    let length = bytes[8..].iter().rev().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err(malformed(format!(
            "its header declares {length} bytes, more than the {MAX_HEADER} that NumPy reads"
        )));
    }
    let start = bytes.len();
    append(stream, &mut bytes, length)?;
    screen(&mut bytes[start..]).map_err(|problem| malformed(problem.to_owned()))?;
    let header = NpyHeader::from_reader(&*bytes).map_err(|error| malformed(error.to_string()))?;
    let dtype = header.dtype();
    let (of, big) = match &dtype {
        DType::Plain(plain) => (element(plain), plain.endianness() == Endianness::Big),
        DType::Array(..) | DType::Record(_) => (RECORD, false),
    };
    Ok(Array {
        header: bytes.len() as u64,
        shape: header.shape().to_vec(),
        of,
        type_name: dtype.descr(),
        big,
        fortran: header.order() == Order::Fortran,
    })
}

/// What elements with several fields are.
const RECORD: Type = Type::Other {
    problem: "a structured array is several arrays",
    remedy: "save one field, say `a['x']`, or numpy.lib.recfunctions.structured_to_unstructured(a)",
};

/// The type of NumPy's name.
fn element(of: &TypeStr) -> Type {
    let other = |problem, remedy| Type::Other { problem, remedy };
    let words = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    match (of.type_char(), of.size_field()) {
        (TypeChar::Bool, _) => Type::Bool,
        (TypeChar::Int, 1) => Type::I8,
        (TypeChar::Int, 2) => Type::I16,
        (TypeChar::Int, 4) => Type::I32,
        (TypeChar::Int, 8) => Type::I64,
        (TypeChar::Uint, 1) => Type::U8,
        (TypeChar::Uint, 2) => Type::U16,
        (TypeChar::Uint, 4) => Type::U32,
        (TypeChar::Uint, 8) => Type::U64,
        (TypeChar::Float, 2) => Type::F16,
        (TypeChar::Float, 4) => Type::F32,
        (TypeChar::Float, 8) => Type::F64,
        (TypeChar::ByteStr, size) => Type::Bytes(words(size)),
        (TypeChar::UnicodeStr, size) => Type::Characters(words(size)),
        (TypeChar::Int | TypeChar::Uint | TypeChar::Float, _) => other(
            "floats and integers of more than 64 bits are not read",
            "convert them with `a.astype(float)`",
        ),
        (TypeChar::Complex, _) => {
            other("complex numbers are not read", "save both parts, numpy.hstack([a.real, a.imag])")
        }
        (TypeChar::DateTime | TypeChar::TimeDelta, _) => {
            other("dates and times are not read", "make numbers of them, `a.astype('int64').astype(float)`")
        }
        (TypeChar::Object, _) => other(
            "these are objects of Python (a pickle), which only Python reads",
            "save numbers (`a.astype(float)`) or words (`a.astype(str)`) with \
             numpy.save(…, allow_pickle=False)",
        ),
        // Raw bytes, and what NumPy may add.
        (_, _) => other("these are bytes of no type", "say what they are, such as `a.view('<f4')`"),
    }
}

/// Reads `count` more bytes, a number that the caller has bounded, or what there is of them.
fn append(stream: &mut Stream<'_>, bytes: &mut Vec<u8>, count: usize) -> Result<(), InputError> {
    let start = bytes.len();
    bytes.resize(start + count, 0);
    let found = stream.fill(&mut bytes[start..]);
    bytes.truncate(start + *found.as_ref().unwrap_or(&0));
    if found? < count {
        return Err(stream.truncated("the header", (start + count) as u64, bytes.len() as u64));
    }
    Ok(())
}

/// Refuses header text that npyz could not be given safely, and blanks what it does not know: the
/// `L` that Python 2 ends long dimensions with, `(40L, 5L)`.
///
/// NumPy writes none of what is refused for good: escapes, adjoining quotes (Python's triple ones),
/// arithmetic, and numbers that are not plain decimals. Without them, what this scan takes for a
/// string is what Python does.
fn screen(text: &mut [u8]) -> Result<(), &'static str> {
    let mut depth = 0_usize;
    let mut product = 1_u64;
    let mut number: Option<u64> = None;
    let mut quote = None;
    let mut previous = b' ';
    for at in 0..=text.len() {
        let byte = *text.get(at).unwrap_or(&b' ');
        let byte = match (byte, number, text.get(at + 1)) {
            // A letter or digit after it makes it something else, which is refused below.
            (b'L', Some(_), next) if quote.is_none() && !next.is_some_and(u8::is_ascii_alphanumeric) => {
                text[at] = b' ';
                b' '
            }
            _ => byte,
        };
        if !(byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n')) || byte == b'\\' {
            return Err("its header holds bytes that no NumPy header does");
        }
        if matches!(byte, b'\'' | b'"') {
            if matches!(previous, b'\'' | b'"') {
                return Err("its header holds adjoining quotes");
            }
            match quote {
                None => quote = Some(byte),
                Some(open) if open == byte => quote = None,
                Some(_) => {}
            }
        } else if quote.is_none() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'+' | b'-' | b'.' | b'_' => return Err("its header holds a number that is no dimension"),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err("its header is nested too deeply");
            }
        }
        number = match (byte, number) {
            (b'0'..=b'9', _) if quote.is_none() => {
                let digit = u64::from(byte - b'0');
                let value = number.unwrap_or(0).checked_mul(10).and_then(|tens| tens.checked_add(digit));
                Some(value.ok_or("a dimension in its header does not fit 64 bits")?)
            }
            (_, None) => None,
            (b'a'..=b'z' | b'A'..=b'Z', Some(_)) if quote.is_none() => {
                return Err("its header holds a number that is no dimension");
            }
            (_, Some(value)) => {
                // A zero must not hide an overflow among the others, so it counts as one.
                product = product
                    .checked_mul(value.max(1))
                    .ok_or("the product of the dimensions in its header does not fit 64 bits")?;
                None
            }
        };
        previous = byte;
    }
    match quote {
        None => Ok(()),
        Some(_) => Err("its header holds a string without an end"),
    }
}

#[cfg(test)]
mod tests {
    use super::screen;

    #[test]
    fn what_numpy_writes_passes() {
        for text in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }    \n",
            "{'descr': '|b1', 'fortran_order': True, 'shape': (70000,), }\n",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n",
            "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,), }\n",
            "{'descr': [('a', '<f8'), ('b', '<i4', (2, 3))], 'fortran_order': False, 'shape': (2,), }\n",
        ] {
            assert_eq!(screen(&mut text.as_bytes().to_vec()), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_long_numbers_of_python_2_are_numbers() {
        let mut text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (40L, 5L), 'L': 'a1L'}".to_vec();
        assert_eq!(screen(&mut text), Ok(()));
        let shown = String::from_utf8_lossy(&text);
        assert!(shown.contains("(40 , 5 )") && shown.ends_with("'L': 'a1L'}"), "{shown}");
        for other in ["(40LL,)", "(40l,)", "(40L5,)", "(L40L,)", "(1L_0,)"] {
            let mut bytes = other.as_bytes().to_vec();
            let read = screen(&mut bytes);
            assert!(read.is_err() || bytes == b"(L40 ,)", "{other}");
        }
        // They count as any other.
        assert!(screen(&mut b"(4294967296L, 4294967296L)".to_vec()).is_err());
    }

    #[test]
    fn what_would_hurt_npyz_does_not() {
        for text in [
            "((((((1))))))",
            "{'shape': (4294967296, 4294967296)}",
            "{'shape': (0, 4294967296, 4294967296)}",
            "{'shape': (99999999999999999999,)}",
            "{'shape': (0xffffffffffffffff, 2)}",
            "{'shape': (1_0,)}",
            "{'shape': (2+3j,)}",
            "{'a': ''' ' ''', 'shape': (1,)}",
            "{'a': '\\'', 'shape': (1,)}",
            "{'a",
            "{'d\u{e9}': 1}",
        ] {
            assert!(screen(&mut text.as_bytes().to_vec()).is_err(), "{text}");
        }
    }
}
