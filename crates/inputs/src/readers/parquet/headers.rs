//! Headers of Parquet files, walked before they are decoded.
//!
//! The decoder allocates what headers declare: the lists of the footer, the children of its schema,
//! and pages by their size before compression. What is declared is held here against what is there.
//! It reads fields that it knows as what they should be, whatever their headers say, and passes
//! over elements of lists of booleans without a byte: where the two could part, the footer is
//! refused.
//!
//! Source: *Thrift compact protocol encoding* (Apache Thrift) and `parquet.thrift` (Apache Parquet,
//! format 2.11).

/// How deep structures may be: those of Parquet's own are six deep.
const DEPTH: usize = 24;

/// The depth of structures in a list of the outermost.
const OF_A_LIST: usize = 3;

/// What the decoder reads a field as.
#[derive(Clone, Copy)]
enum Shape {
    /// A number of variable length, or a list of them.
    Number,
    Numbers,
    Byte,
    Double,
    Text,
    /// A structure with these of its fields, or a list of them; the decoder skips all others.
    Structure(Fields),
    Structures(Fields),
}

type Fields = &'static [(i64, Shape)];

impl Shape {
    /// Whether a field of a kind is read as what it is.
    fn is(self, kind: u8) -> bool {
        match self {
            Self::Number => matches!(kind, 4..=6),
            Self::Byte => kind == 3,
            Self::Double => kind == 7,
            Self::Text => kind == 8,
            Self::Numbers | Self::Structures(_) => matches!(kind, 9 | 10),
            Self::Structure(_) => kind == 12,
        }
    }

    /// Whether elements of a kind may be in its list.
    fn holds(self, kind: u8) -> bool {
        match self {
            Self::Numbers => Self::Number.is(kind),
            Self::Structures(fields) => Self::Structure(fields).is(kind),
            Self::Number | Self::Byte | Self::Double | Self::Text | Self::Structure(_) => false,
        }
    }

    fn fields(self) -> Fields {
        match self {
            Self::Structure(fields) | Self::Structures(fields) => fields,
            Self::Number | Self::Numbers | Self::Byte | Self::Double | Self::Text => &[],
        }
    }
}

use Shape::{Byte, Double, Number, Numbers, Structure, Structures, Text};

/// Fields by their numbers in `parquet.thrift`; booleans are not among them, whose kind the decoder
/// looks at.
const FOOTER: Fields = &[
    (1, Number),
    (2, Structures(SCHEMA)),
    (3, Number),
    (4, Structures(ROW_GROUP)),
    (5, Structures(&[(1, Text), (2, Text)])),
    (6, Text),
    (7, Structures(&[(1, Structure(&[])), (2, Structure(&[]))])),
];
const SCHEMA: Fields = &[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Text),
    (5, Number),
    (6, Number),
    (7, Number),
    (8, Number),
    (9, Number),
    (10, Structure(LOGICAL)),
];
const EMPTY: Shape = Structure(&[]);
const TIME: Shape = Structure(&[(2, Structure(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))]);
const GEOGRAPHY: Shape = Structure(&[(1, Text), (2, Number)]);
const LOGICAL: Fields = &[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Structure(&[(1, Number), (2, Number)])),
    (6, EMPTY),
    (7, TIME),
    (8, TIME),
    (10, Structure(&[(1, Byte)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Structure(&[(1, Byte)])),
    (17, GEOGRAPHY),
    (18, GEOGRAPHY),
];
const ROW_GROUP: Fields = &[
    (1, Structures(COLUMN)),
    (2, Number),
    (3, Number),
    (4, Structures(&[(1, Number)])),
    (5, Number),
    (7, Number),
];
const COLUMN: Fields =
    &[(1, Text), (2, Number), (3, Structure(CHUNK)), (4, Number), (5, Number), (6, Number), (7, Number)];
const CHUNK: Fields = &[
    (1, Number),
    (2, Numbers),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
    (9, Number),
    (10, Number),
    (11, Number),
    (12, Structure(&[(1, Text), (2, Text), (3, Number), (4, Number), (5, Text), (6, Text)])),
    (13, Structures(&[(1, Number), (2, Number), (3, Number)])),
    (14, Number),
    (15, Number),
    (16, Structure(&[(1, Number), (2, Numbers), (3, Numbers)])),
    (17, Structure(&[(1, Structure(BOX)), (2, Numbers)])),
];
const BOX: Fields =
    &[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)];

const PAGE: Fields = &[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Number),
    (5, Structure(&[(1, Number), (2, Number), (3, Number), (4, Number), (5, Structure(STATISTICS))])),
    (6, EMPTY),
    (7, Structure(&[(1, Number), (2, Number)])),
    (
        8,
        Structure(&[
            (1, Number),
            (2, Number),
            (3, Number),
            (4, Number),
            (5, Number),
            (6, Number),
            (8, Structure(STATISTICS)),
        ]),
    ),
];
const STATISTICS: Fields = &[(1, Text), (2, Text), (3, Number), (4, Number), (5, Text), (6, Text)];

/// What is called with a number: the depth of its structure, the field of the outermost structure
/// that it is in (0 if it is the outermost's), its own, and its value.
type See<'a> = &'a mut dyn FnMut(usize, i64, i64, i64);

/// What a page's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Bytes of the header itself.
    pub(super) header: usize,
    /// Whether it holds values, and no dictionary or index.
    pub(super) data: bool,
    /// Bytes that follow the header.
    pub(super) packed: u64,
    /// Bytes of the same unpacked.
    pub(super) unpacked: u64,
    /// Values, or entries of a dictionary.
    pub(super) values: u64,
    /// Whether lengths of texts are packed as differences.
    pub(super) lengths: bool,
}

impl Page {
    /// Reads a page's header, with which `bytes` begin; `None` if it is none, or cut.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut page = Self::default();
        let (mut kind, mut negative) = (None, false);
        let mut walk = Walk::over(bytes);
        walk.structure(PAGE, 0, 0, &mut |depth, parent, field, number| {
            if depth > 1 {
                return;
            }
            let size = u64::try_from(number);
            let to = match (parent, field) {
                (0, 1) => {
                    kind = Some(number);
                    return;
                }
                (0, 2) => &mut page.unpacked,
                (0, 3) => &mut page.packed,
                (5 | 7 | 8, 1) => &mut page.values,
                // Encodings by their numbers: `DELTA_LENGTH_BYTE_ARRAY`, `DELTA_BYTE_ARRAY`.
                (5, 2) | (8, 4) => {
                    page.lengths |= matches!(number, 6 | 7);
                    return;
                }
                _ => return,
            };
            match size {
                Ok(size) => *to = size,
                Err(_) => negative = true,
            }
        })?;
        page.header = bytes.len() - walk.bytes.len();
        page.data = matches!(kind?, 0 | 3);
        (!negative).then_some(page)
    }
}

/// Whether the footer is one structure, in which no list is longer than its bytes, and the elements
/// of the schema have no more children in all than there can be elements.
pub(super) fn is_sound(footer: &[u8]) -> bool {
    let mut children = Some(0_u64);
    let walked = Walk::over(footer).structure(FOOTER, 0, 0, &mut |depth, parent, field, number| {
        // Field 2 is the schema, whose elements' field 5 is the number of their children.
        if (depth, parent, field) == (OF_A_LIST, 2, 5) {
            let more = u64::try_from(number).ok();
            children = children.zip(more).and_then(|(all, more)| all.checked_add(more));
        }
    });
    walked.is_some() && children.is_some_and(|all| all <= footer.len() as u64)
}

/// Bytes in Thrift's compact protocol that are still ahead.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
}

impl<'a> Walk<'a> {
    pub(super) fn over(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << place;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let zigzag = self.unsigned()?;
        let half = (zigzag >> 1).cast_signed();
        Some(if zigzag & 1 == 0 { half } else { !half })
    }

    /// A structure, with each of its numbers and of those of structures in it.
    fn structure(&mut self, fields: Fields, depth: usize, parent: i64, see: See<'_>) -> Option<()> {
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => self.signed()?,
                step => field + i64::from(step),
            };
            // The decoder's are 16 bits wide: others would be another field's to it.
            i16::try_from(field).ok()?;
            let kind = head & 0xf;
            let shape = fields.iter().find(|of| of.0 == field).map(|of| of.1);
            if shape.is_some_and(|shape| !shape.is(kind)) {
                return None;
            }
            match kind {
                1 | 2 => {}
                4..=6 => {
                    let number = self.signed()?;
                    see(depth, parent, field, number);
                }
                _ => self.value(kind, shape, depth, if depth == 0 { field } else { parent }, see)?,
            }
        }
    }

    fn value(
        &mut self,
        kind: u8,
        shape: Option<Shape>,
        depth: usize,
        parent: i64,
        see: See<'_>,
    ) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match kind {
            3 => self.skip(1),
            4..=6 => self.unsigned().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.unsigned()?;
                self.skip(usize::try_from(length).ok()?)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
                // An element is a byte at least.
                if count > self.bytes.len() as u64 {
                    return None;
                }
                let kind = head & 0xf;
                if count > 0 && shape.is_some_and(|shape| !shape.holds(kind)) {
                    return None;
                }
                let element = shape.map(Shape::fields).map(Structure).filter(|_| kind == 12);
                (0..count).try_for_each(|_| self.value(kind, element, depth + 2, parent, see))
            }
            11 => {
                let count = self.unsigned()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                if count > self.bytes.len() as u64 {
                    return None;
                }
                (0..count).try_for_each(|_| {
                    self.value(kinds >> 4, None, depth + 2, parent, see)?;
                    self.value(kinds & 0xf, None, depth + 2, parent, see)
                })
            }
            12 => self.structure(shape.map_or(&[], Shape::fields), depth + 1, parent, see),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, is_sound};

    /// A data page of 5 values, 40 bytes packed in 20: fields 1, 2, 3 and 5 with its 1.
    const DATA: [u8; 12] = [0x15, 0, 0x15, 80, 0x15, 40, 0x2c, 0x15, 10, 0, 0, 99];

    #[test]
    fn sizes_and_values_of_a_page_are_read() {
        let expected = Page { header: 11, data: true, packed: 20, unpacked: 40, values: 5, lengths: false };
        assert_eq!(Page::read(&DATA), Some(expected));
        for end in 0..11 {
            assert_eq!(Page::read(&DATA[..end]), None, "{end}");
        }
        // The encoding is field 2 there.
        let packed = [&DATA[..9], &[0x15, 12], &DATA[9..]].concat();
        assert!(Page::read(&packed).unwrap().lengths);
        // Statistics that are no structure.
        let other = [&DATA[..9], &[0x45, 2], &DATA[9..]].concat();
        assert_eq!(Page::read(&other), None);
        let mut negative = DATA;
        negative[3] = 1;
        assert_eq!(Page::read(&negative), None);
    }

    #[test]
    fn lists_and_texts_that_are_longer_than_the_rest_are_unsound() {
        assert!(is_sound(&[0x29, 0x2c, 0, 0, 0]));
        for bytes in [
            // A list of 2^31 structures; a text of as many bytes; a structure in itself, for ever.
            &[0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0, 0][..],
            &[0x68, 0xff, 0xff, 0xff, 0xff, 7, 0],
            &[0xdc; 100],
            &[0xdb, 9, 0xcc, 0, 0],
            &[],
        ] {
            assert!(!is_sound(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn what_would_be_read_as_something_else_is_unsound() {
        // The schema's first element has a name; then one that is a number, as a structure.
        assert!(is_sound(&[0x29, 0x1c, 0x48, 1, b'x', 0, 0]));
        assert!(!is_sound(&[0x29, 0x1c, 0x45, 1, 0, 0]));
        // A list of numbers for the row groups; a list of booleans where nothing is known.
        assert!(!is_sound(&[0x49, 0x15, 2, 0]));
        assert!(is_sound(&[0xd9, 0x15, 2, 0]));
        assert!(!is_sound(&[0xd9, 0x12, 2, 0]));
    }

    #[test]
    fn a_schema_with_more_children_than_elements_is_unsound() {
        // A schema of one element with so many children; the number is field 5.
        let footer = |children: &[u8]| [&[0x29, 0x1c, 0x55], children, &[0, 0]].concat();
        assert!(is_sound(&footer(&[2])));
        for many in [&[0xfe, 1][..], &[1], &[0xfc, 0xff, 0xea, 0xfe, 0x25]] {
            assert!(!is_sound(&footer(many)), "{many:?}");
        }
        // Field 65541, which is field 5 in 16 bits.
        assert!(!is_sound(&[0x29, 0x1c, 0x05, 0x8a, 0x80, 0x08, 0xfe, 1, 0, 0]));
    }
}
