//! Reader of Parquet files: columns by name, or one column of lists.
//!
//! | column | as an input | as labels or groups |
//! |---|---|---|
//! | whole numbers of any width, booleans | bytes where all fit, else floats, else doubles | numbers |
//! | `float16`, `float32` | floats | numbers |
//! | `float64`, decimals | doubles | numbers |
//! | lists of these, all of one length | a feature an element, if it is the only column chosen | |
//! | texts, dictionaries of texts (categories) | | words |
//!
//! Pages are plain, or packed with zstd, snappy, gzip or lz4. What is null or no finite number is
//! refused, and so are dates and structures. Columns that pandas writes for an index without a name
//! (`__index_level_0__`) are no inputs unless they are named.
//!
//! **Nothing is trusted.** The footer's lists and the pages' sizes are checked against the bytes
//! that are there (`headers`), and packed lengths of texts against the values of their page
//! (`delta`), before the decoder, which allocates what they declare, sees them; its panics are
//! errors ([`decoding`](crate::decoding)).
//!
//! **Cost.** Columns are decoded a few at a time and written where they belong in the rows: memory
//! for the numbers, and for a few columns of a row group as they are packed. Whole numbers are
//! copied once when the first does not fit a byte, or a float.

mod delta;
mod headers;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Decimal256Type, DecimalType, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page as DataPage, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use self::headers::Page;
use super::choose::{INDEX, places};
use super::{Choice, Column, Contents, INPUTS, Inputs, Reader, Wanted, one_file};
use crate::compact::double;
use crate::decoding::guarded;
use crate::memory::may_fail;
use crate::{Blocks, Compact, Dense, InputError, files, formats};

/// Parquet files.
pub static PARQUET: Reader = Reader {
    name: "parquet",
    help: "columns of numbers, or one of lists, in Parquet files (polars, pandas, DuckDB, Arrow)",
    inputs: INPUTS,
    choices: &[Choice::Columns],
    columns: true,
    images: false,
    samples: "rows",
    features: "columns",
    files: one_file,
    read,
};

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let (file, _) = files::open(path)?;
    Table::open(file, path)?.contents(wanted)
}

/// Reads what is wanted of a Parquet file that is in memory; `path` is for messages only.
///
/// # Errors
///
/// * [`InputError::Io`]: it cannot be read.
/// * [`InputError::OtherFormat`]: it is something else.
/// * [`InputError::NoSuch`]: there is no column of a name.
/// * [`InputError::Unreadable`]: it is damaged, or a column that is needed has nulls, numbers that
///   are not finite, or is not of a type in the table above.
pub fn table_from(bytes: impl Into<Bytes>, path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    Table::open(bytes.into(), path)?.contents(wanted)
}

/// Rows that are decoded at a time, if they are not long.
const BATCH_ROWS: usize = 8192;

/// Numbers of lists that are decoded at a time.
const BATCH_VALUES: usize = 1 << 20;

/// Bytes of texts that are decoded at a time.
const BATCH_BYTES: usize = 1 << 26;

/// Columns that are decoded at a time.
const COLUMNS: usize = 16;

/// Bytes that the name of a class may have.
const MAX_WORD: usize = 4096;

/// Bytes that a value of a fixed width may take on a page, with its levels, and a page beyond them.
const VALUE_SLACK: u64 = 8;
const PAGE_SLACK: u64 = 1 << 16;

/// A source that several decoders read.
struct Shared<R>(Arc<R>);

impl<R: Length> Length for Shared<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for Shared<R> {
    type T = R::T;

    fn get_read(&self, start: u64) -> Result<R::T, ParquetError> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.0.get_bytes(start, length)
    }
}

/// What a column is decoded into.
enum Use {
    /// The inputs, at this feature.
    Input(usize),
    /// The inputs, all of them.
    Lists,
    /// Numbers or words beside them.
    Beside(Beside),
}

/// A column that is wanted beside the inputs.
enum Beside {
    Numbers(Vec<f64>),
    Words(Vec<String>),
}

/// What is missing in the columns that are needed.
#[derive(Default)]
struct Gaps {
    /// Row and column of the first that was found.
    first: Option<(usize, usize)>,
    count: usize,
}

/// A Parquet file whose footer has been read.
struct Table<'a, R> {
    source: Arc<R>,
    path: &'a Path,
    metadata: ArrowReaderMetadata,
    names: Vec<String>,
}

impl<'a, R: ChunkReader + 'static> Table<'a, R> {
    fn open(source: R, path: &'a Path) -> Result<Self, InputError> {
        let length = source.len();
        let bytes = |start: u64, count: u64| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            source.get_bytes(start, count).map_err(|error| damaged(path, "its bytes", &error))
        };
        let start = bytes(0, length.min(formats::LOOKED_AT as u64))?;
        if !start.starts_with(b"PAR1") {
            return Err(InputError::OtherFormat {
                path: path.to_owned(),
                expected: "a Parquet file",
                found: formats::described(&start),
            });
        }
        // The footer, its length and the mark again.
        let cut = || {
            let error = ParquetError::General("it does not end with a footer".to_owned());
            damaged(path, "its end", &error)
        };
        let end = bytes(length.saturating_sub(8), length.min(8))?;
        let Some((footer, b"PAR1")) = end.split_first_chunk::<4>() else { return Err(cut()) };
        let footer = u64::from(u32::from_le_bytes(*footer));
        let begin = length.checked_sub(8 + footer).filter(|&begin| begin >= 4).ok_or_else(cut)?;
        if !headers::is_sound(&bytes(begin, footer)?) {
            let error = ParquetError::General("its lists are longer than the footer".to_owned());
            return Err(damaged(path, "its footer", &error));
        }
        // The Arrow schema that writers leave beside Parquet's own says nothing that is needed, and
        // its decoder panics on damaged bytes.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&source, options))
            .map_err(|error| damaged(path, "its footer", &error))?;
        let names = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { source: Arc::new(source), path, metadata, names })
    }

    fn contents(&self, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
        let places = places(self.path, &self.names, wanted)?;
        let others = places.others(&self.names);
        let mut inputs = places.inputs;
        if let Some(chosen) = wanted.inputs {
            inputs.retain(|&at| {
                let name = &self.names[at];
                !name.starts_with(INDEX) || chosen.columns.contains(name)
            });
            if inputs.is_empty() {
                let problem = "only an index of pandas is left for the inputs";
                return Err(self.refused("its columns", problem, "choose some with `columns`"));
            }
        }
        let lists = inputs.len() == 1 && element(self.kind(inputs[0])).is_some();
        let mut uses: Vec<(usize, Use)> = Vec::new();
        for (feature, &at) in inputs.iter().enumerate() {
            self.check_input(at, lists, inputs.len() == 1)?;
            uses.push((at, if lists { Use::Lists } else { Use::Input(feature) }));
        }
        for &at in &places.wanted {
            if !uses.iter().any(|&(used, _)| used == at) {
                uses.push((at, Use::Beside(self.beside(at)?)));
            }
        }
        uses.sort_by_key(|&(at, _)| at);

        let checked = self.check_pages(&uses)?;
        let rows = checked.rows;
        let features = if lists { checked.values.div_ceil(rows).max(1) } else { inputs.len() };
        let mut values = Compact::default();
        if let Some(start) = self.least(&inputs) {
            let count = rows.saturating_mul(features);
            values = start.zeros(count).map_err(|error| self.failed(error.into()))?;
        }
        let gaps = self.decode(&mut uses, &mut values, &checked, features)?;
        if let Some((row, at)) = gaps.first {
            let others = match gaps.count {
                1 => "the only such value".to_owned(),
                count => format!("one of {count} such values"),
            };
            return Err(self.refused(
                &self.place(row, at),
                &format!("the value is null ({others})"),
                &self.remedy(at, inputs.len() > 1 && inputs.contains(&at)),
            ));
        }

        let mut contents = Contents { others, ..Contents::default() };
        if wanted.inputs.is_some() {
            let bytes = |&at: &usize| matches!(self.kind(at), DataType::UInt8);
            let bounded =
                inputs.iter().all(|at| bytes(at) || element(self.kind(*at)) == Some(&DataType::UInt8));
            let all: Box<dyn Blocks> = match (values, bounded) {
                (Compact::Bytes(values), true) => Box::new(Dense::new(values, rows, features)?),
                (values, true | false) => values.into_rows(rows, features)?,
            };
            let names =
                if lists { Vec::new() } else { inputs.iter().map(|&at| self.names[at].clone()).collect() };
            contents.inputs = Some(Inputs { rows: all, names });
        }
        for at in places.wanted {
            let column = uses.iter().find_map(|(used, of)| match of {
                Use::Beside(beside) if *used == at => Some(beside),
                Use::Beside(_) | Use::Input(_) | Use::Lists => None,
            });
            contents.columns.extend(column.map(|column| match column {
                Beside::Numbers(numbers) => Column::Numbers(numbers.clone()),
                Beside::Words(words) => Column::Words(words.clone()),
            }));
        }
        Ok(contents)
    }

    /// The type of a column.
    fn kind(&self, at: usize) -> &DataType {
        self.metadata.schema().field(at).data_type()
    }

    /// The type that inputs of these columns begin with; `None` if there are none.
    fn least(&self, inputs: &[usize]) -> Option<Compact> {
        let least = |at: &usize| {
            let kind = self.kind(*at);
            let kind = element(kind).unwrap_or(kind);
            if matches!(kind, DataType::Float16 | DataType::Float32) {
                1
            } else if kind.is_floating() || kind.is_decimal() {
                2
            } else {
                0
            }
        };
        Some(match inputs.iter().map(least).max()? {
            0 => Compact::Bytes(Vec::new()),
            1 => Compact::Floats(Vec::new()),
            _ => Compact::Doubles(Vec::new()),
        })
    }

    /// Refuses a column of another type than inputs can be.
    fn check_input(&self, at: usize, lists: bool, alone: bool) -> Result<(), InputError> {
        let (kind, name) = (self.kind(at), &self.names[at]);
        if is_number(kind) || lists && element(kind).is_some_and(is_number) {
            return Ok(());
        }
        let out = match alone {
            true => "give a file with columns of numbers".to_owned(),
            false => format!("leave it out: `columns = [{:?}]`", format!("!{name}")),
        };
        let (problem, remedy) = if element(kind).is_some_and(is_number) {
            let alone = format!("choose it alone (`columns = [\"{name}\"]`), or {out}");
            ("it holds lists, beside other inputs".to_owned(), alone)
        } else if is_text(kind) {
            let labels = if alone { String::new() } else { format!(", or give it as `labels = {name:?}`") };
            ("it holds words".to_owned(), out + &labels)
        } else {
            (
                format!("it is of type {kind}, and inputs are numbers"),
                format!("{out}, or write it as numbers"),
            )
        };
        Err(self.refused(&format!("column `{name}`"), &problem, &remedy))
    }

    /// What a column beside the inputs is decoded into.
    fn beside(&self, at: usize) -> Result<Beside, InputError> {
        let kind = self.kind(at);
        if is_number(kind) {
            Ok(Beside::Numbers(Vec::new()))
        } else if is_text(kind) {
            Ok(Beside::Words(Vec::new()))
        } else {
            let problem = format!("it is of type {kind}, and labels and groups are numbers or words");
            let place = format!("column `{}`", self.names[at]);
            Err(self.refused(&place, &problem, "write it as one of them"))
        }
    }

    /// Walks all pages of the columns that are needed: sizes are what is there, and values as many
    /// as there are rows.
    fn check_pages(&self, uses: &[(usize, Use)]) -> Result<Checked, InputError> {
        let metadata = self.metadata.metadata();
        let mut checked = Checked { rows: 0, values: 0, groups: Vec::new(), page: 0 };
        for (group, of) in metadata.row_groups().iter().enumerate() {
            let contradiction = |what: &str| {
                let error = ParquetError::General(format!("{what} in row group {group} (from 0)"));
                damaged(self.path, "its footer", &error)
            };
            let rows = usize::try_from(of.num_rows()).map_err(|_| contradiction("less than no rows"))?;
            for (leaf, column) in of.columns().iter().enumerate() {
                let root = self.metadata.parquet_schema().get_column_root_idx(leaf);
                let Some((_, used)) = uses.iter().find(|&&(at, _)| at == root) else { continue };
                let name = &self.names[root];
                let (values, page) = self.check_chunk(column, name)?;
                let lists = matches!(used, Use::Lists);
                if !lists && values != rows as u64 {
                    return Err(contradiction(&format!(
                        "column `{name}` has {values} values for {rows} rows"
                    )));
                }
                if lists {
                    let values =
                        usize::try_from(values).ok().and_then(|more| checked.values.checked_add(more));
                    checked.values =
                        values.ok_or_else(|| contradiction("more values than memory can address"))?;
                } else if column.column_type() == Type::BYTE_ARRAY {
                    checked.page = checked.page.max(page);
                }
            }
            let all = checked.rows.checked_add(rows);
            checked.rows = all.ok_or_else(|| contradiction("more rows than memory can address"))?;
            checked.groups.push(rows);
        }
        if checked.rows == 0 {
            return Err(self.refused("its row groups", "there are no rows", "give a file with rows"));
        }
        Ok(checked)
    }

    /// Walks the pages of a column in a row group; the number of values, and the bytes of the
    /// largest page.
    fn check_chunk(&self, column: &ColumnChunkMetaData, name: &str) -> Result<(u64, usize), InputError> {
        let place = format!("column `{name}`");
        let refused = |problem: &str| damaged(self.path, &place, &ParquetError::General(problem.to_owned()));
        // The most bytes that one can stand for. Sources: the formats' descriptions; for zstd, a
        // block of 128 KiB of one byte takes four.
        let expansion = match column.compression() {
            Compression::UNCOMPRESSED => 1,
            Compression::SNAPPY => 32,
            Compression::GZIP(_) => 1032,
            Compression::LZ4 | Compression::LZ4_RAW => 256,
            Compression::ZSTD(_) => 1 << 15,
            other @ (Compression::BROTLI(_) | Compression::LZO) => {
                let codec = format!("{other}").split('(').next().unwrap_or_default().to_lowercase();
                let problem = format!("its pages are packed with {codec}, which is not read");
                return Err(self.refused(
                    &place,
                    &problem,
                    "write the file with zstd (or snappy, gzip, lz4)",
                ));
            }
        };
        let width = match column.column_type() {
            Type::BOOLEAN => Some(1),
            Type::INT32 | Type::FLOAT => Some(4),
            Type::INT64 | Type::DOUBLE => Some(8),
            Type::INT96 => Some(12),
            Type::FIXED_LEN_BYTE_ARRAY => {
                let length = column.column_descr().type_length();
                let width = u64::try_from(length).ok().filter(|&length| length <= 32);
                Some(width.ok_or_else(|| refused("its values are wider than numbers are"))?)
            }
            Type::BYTE_ARRAY => None,
        };
        let (mut at, length) =
            guarded(|| Ok(column.byte_range())).map_err(|error| damaged(self.path, &place, &error))?;
        let end = at.checked_add(length).filter(|&end| end <= self.source.len());
        let end = end.ok_or_else(|| refused("its pages would be beyond the end of the file"))?;
        let (mut values, mut largest, mut lengths) = (0_u64, 0, false);
        while at < end {
            let page = self.page(at, end - at).ok_or_else(|| refused("the header of a page is damaged"))?;
            let (left, packed) = (end - at - page.header as u64, page.packed);
            let wide = width.is_some_and(|width| {
                page.unpacked > page.values.saturating_mul(width + VALUE_SLACK).saturating_add(PAGE_SLACK)
            });
            // A value of a dictionary is a byte at least.
            let dictionary = !page.data && page.values > page.unpacked;
            if packed > left || page.unpacked > packed.saturating_mul(expansion) || wide || dictionary {
                return Err(refused("a page declares more than its bytes can hold"));
            }
            if page.data {
                values = values.saturating_add(page.values);
            }
            lengths |= page.lengths;
            largest = largest.max(usize::try_from(page.unpacked).unwrap_or(usize::MAX));
            at += page.header as u64 + packed;
        }
        if i64::try_from(values).ok() != Some(column.num_values()) {
            return Err(refused("its pages have another number of values than the footer says"));
        }
        let sound = !lengths
            || guarded(|| self.lengths_are_sound(column))
                .map_err(|error| damaged(self.path, &place, &error))?;
        match sound {
            true => Ok((values, largest)),
            false => Err(refused("a page declares more lengths of texts than it has values")),
        }
    }

    /// Whether pages of a column that pack the lengths of texts hold as many as they have values.
    fn lengths_are_sound(&self, column: &ColumnChunkMetaData) -> Result<bool, ParquetError> {
        let rows = usize::try_from(column.num_values()).unwrap_or(usize::MAX);
        let mut pages = SerializedPageReader::new(Arc::clone(&self.source), column, rows, None)?;
        while let Some(page) = pages.get_next_page()? {
            let streams = delta::streams(page.encoding());
            if streams == 0 {
                continue;
            }
            let values = match &page {
                DataPage::DataPageV2 { buf, rep_levels_byte_len, def_levels_byte_len, .. } => buf
                    .get(*rep_levels_byte_len as usize..)
                    .and_then(|rest| rest.get(*def_levels_byte_len as usize..)),
                // Levels of each kind that there is begin with the number of their bytes.
                DataPage::DataPage { buf, def_level_encoding, rep_level_encoding, .. } => {
                    let of = column.column_descr();
                    [(of.max_rep_level(), rep_level_encoding), (of.max_def_level(), def_level_encoding)]
                        .into_iter()
                        .filter(|&(most, _)| most > 0)
                        .try_fold(&buf[..], |rest, (_, &encoding)| {
                            let (length, rest) = rest.split_first_chunk::<4>()?;
                            rest.get(u32::from_le_bytes(*length) as usize..)
                                .filter(|_| encoding == Encoding::RLE)
                        })
                }
                DataPage::DictionaryPage { buf, .. } => Some(&buf[..]),
            };
            if !values.is_some_and(|values| delta::are_sound(values, streams, u64::from(page.num_values()))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The header of the page at a place, before so many bytes.
    fn page(&self, at: u64, left: u64) -> Option<Page> {
        // Statistics may be long.
        [1 << 9, 1 << 14, 1 << 24].into_iter().find_map(|most: u64| {
            let mut bytes = Vec::new();
            self.source.get_read(at).ok()?.take(left.min(most)).read_to_end(&mut bytes).ok()?;
            Page::read(&bytes)
        })
    }

    /// Decodes all that is needed, to where it belongs; what is missing is counted.
    fn decode(
        &self,
        uses: &mut [(usize, Use)],
        values: &mut Compact,
        checked: &Checked,
        features: usize,
    ) -> Result<Gaps, InputError> {
        let mut gaps = Gaps::default();
        let stride = features;
        let mut length = None;
        let mut first = 0;
        for (group, &rows) in checked.groups.iter().enumerate() {
            for some in uses.chunks_mut(COLUMNS) {
                let mut row = first;
                let texts = (BATCH_BYTES / checked.page.max(1)).max(1);
                let lists = some.iter().any(|(_, of)| matches!(of, Use::Lists));
                let batch_rows = BATCH_ROWS.min(texts).min(if lists {
                    (BATCH_VALUES / features).max(1)
                } else {
                    BATCH_ROWS
                });
                let schema = self.metadata.parquet_schema();
                let mut reader = guarded(|| {
                    let shared = Shared(Arc::clone(&self.source));
                    ParquetRecordBatchReaderBuilder::new_with_metadata(shared, self.metadata.clone())
                        .with_row_groups(vec![group])
                        .with_projection(ProjectionMask::roots(schema, some.iter().map(|&(at, _)| at)))
                        .with_batch_size(batch_rows)
                        .build()
                })
                .map_err(|error| damaged(self.path, "its pages", &error))?;
                loop {
                    let batch = guarded(|| Ok(reader.next().transpose()?));
                    let batch = batch.map_err(|error| {
                        let names: Vec<String> =
                            some.iter().map(|(at, _)| format!("`{}`", self.names[*at])).collect();
                        damaged(self.path, &format!("one of the columns {}", names.join(", ")), &error)
                    })?;
                    let Some(batch) = batch.filter(|batch| row + batch.num_rows() <= first + rows) else {
                        break;
                    };
                    for ((at, of), array) in some.iter_mut().zip(batch.columns()) {
                        let missing = array.logical_null_count();
                        if missing > 0 {
                            let null = (0..array.len()).find(|&at| array.is_null(at)).unwrap_or(0);
                            gaps.first.get_or_insert((row + null, *at));
                            gaps.count += missing;
                            continue;
                        }
                        let droppable = features > 1 && matches!(of, Use::Input(_));
                        let into = Target { table: self, at: *at, row, list: false, droppable };
                        match of {
                            Use::Input(feature) => {
                                let start = row * stride + *feature;
                                into.each(array, |index, value| {
                                    values
                                        .set(start + index * stride, value)
                                        .map_err(|error| self.failed(error.into()))
                                })?;
                            }
                            Use::Lists => into.lists(array, values, features, &mut length, &mut gaps)?,
                            Use::Beside(Beside::Numbers(numbers)) => {
                                may_fail(|| numbers.try_reserve(array.len()))
                                    .map_err(|error| self.failed(error.into()))?;
                                into.each(array, |_, value| {
                                    numbers.push(value);
                                    Ok(())
                                })?;
                            }
                            Use::Beside(Beside::Words(words)) => into.words(array, words)?,
                        }
                    }
                    row += batch.num_rows();
                }
                if row != first + rows {
                    let error =
                        ParquetError::General(format!("{} rows where {rows} are declared", row - first));
                    return Err(damaged(self.path, &format!("row group {group} (from 0)"), &error));
                }
            }
            first += rows;
        }
        // Lists that all have one length, of which there are not as many values as the pages said.
        if length.is_some_and(|length| length != features) && gaps.first.is_none() {
            let error = ParquetError::General("lists and their values differ in number".to_owned());
            return Err(damaged(self.path, "its lists", &error));
        }
        Ok(gaps)
    }

    /// That of a value that is none; an input may be left out where there are others.
    fn remedy(&self, at: usize, droppable: bool) -> String {
        let rows = "fill it in, or leave such rows out";
        match droppable {
            true => {
                format!("{rows}, or leave the column out: `columns = [{:?}]`", format!("!{}", self.names[at]))
            }
            false => rows.to_owned(),
        }
    }

    fn place(&self, row: usize, at: usize) -> String {
        format!("row {row} (from 0), column `{}`", self.names[at])
    }

    fn refused(&self, place: &str, problem: &str, remedy: &str) -> InputError {
        InputError::unreadable(self.path, place, problem, remedy)
    }

    fn failed(&self, source: std::io::Error) -> InputError {
        InputError::Io { path: self.path.to_owned(), action: "read", source }
    }
}

/// What the pages were found to hold.
struct Checked {
    /// Rows of all groups.
    rows: usize,
    /// Values of all lists.
    values: usize,
    /// Rows of each group.
    groups: Vec<usize>,
    /// Bytes of the largest page of texts.
    page: usize,
}

/// Where an array of a batch belongs.
struct Target<'t, 'a, R> {
    table: &'t Table<'a, R>,
    /// Its column.
    at: usize,
    /// The row of its first value.
    row: usize,
    /// Whether it is of one row.
    list: bool,
    /// Whether the inputs can do without the column.
    droppable: bool,
}

impl<R: ChunkReader + 'static> Target<'_, '_, R> {
    /// Hands out every number of an array without nulls, with its index.
    #[expect(clippy::wildcard_enum_match_arm, reason = "types that are no numbers are refused before")]
    fn each(
        &self,
        array: &dyn Array,
        mut put: impl FnMut(usize, f64) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        match array.data_type() {
            DataType::Boolean => array
                .as_boolean()
                .values()
                .iter()
                .enumerate()
                .try_for_each(|(at, one)| put(at, f64::from(u8::from(one)))),
            DataType::Int8 => self.exact::<Int8Type>(array, put),
            DataType::Int16 => self.exact::<Int16Type>(array, put),
            DataType::Int32 => self.exact::<Int32Type>(array, put),
            DataType::UInt8 => self.exact::<UInt8Type>(array, put),
            DataType::UInt16 => self.exact::<UInt16Type>(array, put),
            DataType::UInt32 => self.exact::<UInt32Type>(array, put),
            DataType::Int64 => self.whole::<Int64Type>(array, put),
            DataType::UInt64 => self.whole::<UInt64Type>(array, put),
            DataType::Float16 => self.exact::<Float16Type>(array, put),
            DataType::Float32 => self.exact::<Float32Type>(array, put),
            DataType::Float64 => self.exact::<Float64Type>(array, put),
            DataType::Decimal128(..) => self.decimals(array.as_primitive::<Decimal128Type>(), put),
            DataType::Decimal256(..) => self.decimals(array.as_primitive::<Decimal256Type>(), put),
            other => {
                let error = ParquetError::General(format!("a number of type {other}"));
                Err(damaged(self.table.path, &self.table.place(self.row, self.at), &error))
            }
        }
    }

    /// Numbers of a type that doubles hold.
    fn exact<T>(
        &self,
        array: &dyn Array,
        mut put: impl FnMut(usize, f64) -> Result<(), InputError>,
    ) -> Result<(), InputError>
    where
        T: ArrowPrimitiveType,
        T::Native: Into<f64>,
    {
        for (at, &value) in array.as_primitive::<T>().values().iter().enumerate() {
            let value = value.into();
            if !value.is_finite() {
                let problem = format!("the value is {value}");
                let remedy = self.table.remedy(self.at, self.droppable);
                return Err(self.table.refused(
                    &self.table.place(self.row_of(at), self.at),
                    &problem,
                    &remedy,
                ));
            }
            put(at, value)?;
        }
        Ok(())
    }

    /// Whole numbers of 64 bits.
    fn whole<T>(
        &self,
        array: &dyn Array,
        mut put: impl FnMut(usize, f64) -> Result<(), InputError>,
    ) -> Result<(), InputError>
    where
        T: ArrowPrimitiveType,
        T::Native: Into<i128>,
    {
        for (at, &whole) in array.as_primitive::<T>().values().iter().enumerate() {
            let whole: i128 = whole.into();
            let Some(value) = double(whole) else {
                let problem = format!("the value is {whole}, which no double holds exactly (beyond 2^53)");
                let place = self.table.place(self.row_of(at), self.at);
                return Err(self.table.refused(
                    &place,
                    &problem,
                    "rescale the column, or convert it to float64",
                ));
            };
            put(at, value)?;
        }
        Ok(())
    }

    /// The doubles that are nearest to decimals.
    fn decimals<T: DecimalType>(
        &self,
        array: &PrimitiveArray<T>,
        mut put: impl FnMut(usize, f64) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        (0..array.len()).try_for_each(|at| {
            let text = array.value_as_string(at);
            let value = text.parse().map_err(|_| {
                let error = ParquetError::General(format!("`{text}` is no number"));
                damaged(self.table.path, &self.table.place(self.row_of(at), self.at), &error)
            })?;
            put(at, value)
        })
    }

    /// Lists, each a row of so many features; those of another length than the first are refused.
    fn lists(
        &self,
        array: &ArrayRef,
        values: &mut Compact,
        features: usize,
        length: &mut Option<usize>,
        gaps: &mut Gaps,
    ) -> Result<(), InputError> {
        let Some(lists) = array.as_list_opt::<i32>() else {
            let error = ParquetError::General("they are of another type than the schema's".to_owned());
            return Err(damaged(self.table.path, "its lists", &error));
        };
        for (at, size) in lists.offsets().lengths().enumerate() {
            let first = *length.get_or_insert(size);
            if size != first || size == 0 {
                let problem = format!("the list has {size} numbers, where the first has {first}");
                let place = self.table.place(self.row + at, self.at);
                return Err(self.table.refused(&place, &problem, "give lists of one length"));
            }
        }
        let (Some(&from), Some(&to)) = (lists.offsets().first(), lists.offsets().last()) else {
            return Ok(());
        };
        let (from, to) = (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0));
        let numbers = lists.values().slice(from, to.saturating_sub(from));
        if numbers.logical_null_count() > 0 {
            let null = (0..numbers.len()).find(|&at| numbers.is_null(at)).unwrap_or(0);
            gaps.first.get_or_insert((self.row + null / length.unwrap_or(1).max(1), self.at));
            gaps.count += numbers.logical_null_count();
            return Ok(());
        }
        // Those of another length are refused when the shorter or longer one is met.
        if *length != Some(features) {
            return Ok(());
        }
        let start = self.row * features;
        for (list, row) in (0..lists.len()).zip(self.row..) {
            let into = Target { table: self.table, at: self.at, row, list: true, droppable: false };
            let numbers = numbers.slice(list * features, features);
            let first = start + list * features;
            let set = |index, value| {
                values.set(first + index, value).map_err(|error| self.table.failed(error.into()))
            };
            into.each(&numbers, set)?;
        }
        Ok(())
    }

    /// The row of a number of the array in hand.
    fn row_of(&self, index: usize) -> usize {
        if self.list { self.row } else { self.row + index }
    }

    fn words(&self, array: &ArrayRef, words: &mut Vec<String>) -> Result<(), InputError> {
        let Some(texts) = array.as_string_opt::<i32>() else {
            let error = ParquetError::General("they are of another type than the schema's".to_owned());
            return Err(damaged(self.table.path, "its texts", &error));
        };
        may_fail(|| words.try_reserve(texts.len())).map_err(|error| self.table.failed(error.into()))?;
        for (at, text) in texts.iter().flatten().enumerate() {
            if text.len() > MAX_WORD {
                let problem = format!("the text has {} bytes (at most {MAX_WORD})", text.len());
                let place = self.table.place(self.row + at, self.at);
                return Err(self.table.refused(&place, &problem, "name a column of labels"));
            }
            words.push(text.to_owned());
        }
        Ok(())
    }
}

/// Whether inputs can be of that type.
fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() && !matches!(kind, DataType::Decimal32(..) | DataType::Decimal64(..))
        || matches!(kind, DataType::Boolean)
}

/// Whether words are of that type.
fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8)
}

/// The type of a list's elements, if it is one of lists.
fn element(kind: &DataType) -> Option<&DataType> {
    if let DataType::List(field) = kind { Some(field.data_type()) } else { None }
}

/// The refusal of a damaged file.
fn damaged(path: &Path, place: &str, error: &ParquetError) -> InputError {
    let problem = if let ParquetError::General(problem) | ParquetError::EOF(problem) = error {
        problem.clone()
    } else {
        error.to_string()
    };
    let remedy = "the file is damaged or of a kind that is not read: fetch it again, or write it with polars or pandas";
    InputError::unreadable(path, place, problem, remedy)
}
