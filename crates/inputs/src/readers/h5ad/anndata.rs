//! What AnnData puts where in an HDF5 file.

use std::path::Path;

use half::f16;
use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{
    Attribute, ByteOrder, Dataset, Datatype, Hdf5File, OpenOptions, StringPadding, StringSize, VarLenKind,
};

use crate::compact::double;
use crate::files;
use crate::memory::may_fail;
use crate::readers::{Column, Contents, Inputs, Wanted};
use crate::sparse::{Entries, most_rows};
use crate::{Compact, InputError, formats};

/// Most bytes that one of a deflate stream can stand for, as in [`idx`](crate::readers::idx).
const MAX_EXPANSION: u64 = 1032;

/// Bytes that any array may have.
const FEW_BYTES: u64 = 1 << 16;

const WRITE_AGAIN: &str = "open it in Python and write it again with anndata's `write_h5ad`";

/// Reads what is wanted of a file.
pub(super) fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let (mut file, length) = files::open(path)?;
    let mut start = vec![0; formats::LOOKED_AT];
    let failed = |source| InputError::Io { path: path.to_owned(), action: "read", source };
    let found = files::read_up_to(&mut file, &mut start).map_err(failed)?;
    drop(file);
    contents(Hdf5File::open_with_options(path, options(length)), &start[..found], length, path, wanted)
}

/// What is wanted of a file's bytes; `path` is for messages only.
///
/// # Errors
///
/// * [`InputError::OtherFormat`]: it is no HDF5 file.
/// * [`InputError::NoSuch`]: there is no such matrix, or no such column in `obs`.
/// * [`InputError::Unreadable`]: something in it is damaged, missing, not finite, or of a type or
///   compression that is not read.
pub fn h5ad_from(bytes: &[u8], path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let length = bytes.len() as u64;
    let start = &bytes[..bytes.len().min(formats::LOOKED_AT)];
    contents(Hdf5File::from_bytes_with_options(bytes, options(length)), start, length, path, wanted)
}

/// Limits by the length of the file.
fn options(length: u64) -> OpenOptions {
    let most = usize::try_from(most_bytes(length)).unwrap_or(usize::MAX);
    OpenOptions {
        // Every chunk is read once.
        chunk_cache_bytes: 0,
        max_chunk_bytes: most.min(hdf5_reader::DEFAULT_MAX_CHUNK_BYTES),
        max_read_bytes: most,
        ..OpenOptions::default()
    }
}

fn most_bytes(length: u64) -> u64 {
    length.saturating_mul(MAX_EXPANSION).max(FEW_BYTES)
}

fn contents(
    opened: Result<Hdf5File, Error>,
    start: &[u8],
    length: u64,
    path: &Path,
    wanted: &Wanted<'_>,
) -> Result<Contents, InputError> {
    let file = match opened {
        Ok(file) => file,
        Err(Error::InvalidMagic) => {
            return Err(InputError::OtherFormat {
                path: path.to_owned(),
                expected: "an HDF5 file, such as .h5ad",
                found: formats::described(start),
            });
        }
        Err(error) => return Err(unreadable(path, "header", &error)),
    };
    let file = File { file, path, length };
    let mut contents = Contents::default();
    for &name in wanted.columns {
        contents.columns.push(file.column(name)?);
    }
    if let Some(chosen) = wanted.inputs {
        contents.inputs = Some(file.inputs(chosen.matrix.as_deref().unwrap_or("X"))?);
    }
    Ok(contents)
}

/// A file that is open.
struct File<'a> {
    file: Hdf5File,
    path: &'a Path,
    length: u64,
}

/// What is at a place of a file.
enum Object {
    Group(Group),
    Array(Box<Dataset>),
}

impl File<'_> {
    /// What is at a place, if anything is.
    fn object(&self, at: &str) -> Result<Option<Object>, InputError> {
        if let Some(array) = self.found(at, self.file.dataset(at))? {
            return Ok(Some(Object::Array(Box::new(array))));
        }
        Ok(self.found(at, self.file.group(at))?.map(Object::Group))
    }

    /// An array of the file that has to be there.
    fn array(&self, at: &str) -> Result<Dataset, InputError> {
        let missing = || self.refused(at, "there is no such array".to_owned(), WRITE_AGAIN);
        self.found(at, self.file.dataset(at))?.ok_or_else(missing)
    }

    /// Tells what is not there from what cannot be read.
    fn found<T>(&self, at: &str, result: Result<T, Error>) -> Result<Option<T>, InputError> {
        match result {
            Ok(object) => Ok(Some(object)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreadable(self.path, at, &error)),
        }
    }

    fn refused(&self, place: &str, problem: String, remedy: &str) -> InputError {
        InputError::unreadable(self.path, place, problem, remedy)
    }

    /// The names in a group, or the fields of a table of old; none where there is neither.
    fn names(&self, at: &str) -> Result<Vec<String>, InputError> {
        match self.object(at)? {
            None => Ok(Vec::new()),
            Some(Object::Array(array)) => Ok(fields(&array).map(|(name, _, _)| name.to_owned()).collect()),
            Some(Object::Group(group)) => {
                let (groups, arrays) =
                    group.member_names().map_err(|error| unreadable(self.path, at, &error))?;
                Ok(groups.into_iter().chain(arrays).filter(|name| !name.starts_with("__")).collect())
            }
        }
    }

    fn inputs(&self, name: &str) -> Result<Inputs, InputError> {
        let (places, var): (Vec<String>, _) = match name.split_once('/') {
            None if name == "X" => (vec!["X".to_owned()], "var"),
            Some(("raw", "X")) => (vec!["raw/X".to_owned(), "raw.X".to_owned()], "raw/var"),
            Some(("layers", _)) => (vec![name.to_owned()], "var"),
            Some(("obsm", _)) => (vec![name.to_owned()], ""),
            Some(_) | None => (Vec::new(), ""),
        };
        for place in &places {
            match self.object(place)? {
                Some(Object::Array(array)) => return self.dense(place, &array, var),
                Some(Object::Group(group)) => return self.sparse(place, &group, var),
                None => {}
            }
        }
        // A table of old has each matrix as a field of arrays.
        if let Some(("obsm", field)) = name.split_once('/')
            && let Some(Object::Array(table)) = self.object("obsm")?
            && let Some((_, offset, datatype)) = fields(&table).find(|&(name, _, _)| name == field)
        {
            return self.field(name, &table, offset, datatype);
        }
        if name == "X" && self.object("matrix")?.is_some() {
            return self.cell_ranger();
        }
        let mut there: Vec<String> = Vec::new();
        for (at, prefix) in
            [("X", ""), ("raw/X", ""), ("raw.X", ""), ("layers", "layers/"), ("obsm", "obsm/")]
        {
            match (prefix, self.object(at)?.is_some()) {
                ("", true) => there.push(at.replace("raw.X", "raw/X")),
                (_, true) => there.extend(self.names(at)?.iter().map(|name| format!("{prefix}{name}"))),
                (_, false) => {}
            }
        }
        Err(self.no_such("matrix", name, &there))
    }

    fn no_such(&self, what: &'static str, name: &str, there: &[String]) -> InputError {
        let there = match there {
            [] => "the file has none".to_owned(),
            names => {
                let more = if names.len() > 20 { ", …" } else { "" };
                format!("there are {}{more}", names[..names.len().min(20)].join(", "))
            }
        };
        InputError::NoSuch { path: self.path.to_owned(), what, name: name.to_owned(), there }
    }

    /// A dense matrix.
    fn dense(&self, at: &str, array: &Dataset, var: &str) -> Result<Inputs, InputError> {
        let shape: Vec<usize> = array.shape().iter().filter_map(|&size| usize::try_from(size).ok()).collect();
        let [samples, features] = shape[..] else {
            let problem = format!("the array has the shape {:?}", array.shape());
            return Err(self.refused(at, problem, "name a matrix of cells × genes"));
        };
        let values = self.numbers(at, array, features)?;
        Ok(Inputs { rows: values.into_rows(samples, features)?, names: self.index(var, Some(features))? })
    }

    /// A matrix in a field of a table.
    fn field(
        &self,
        at: &str,
        table: &Dataset,
        offset: usize,
        datatype: &Datatype,
    ) -> Result<Inputs, InputError> {
        let Datatype::Array { base, dims } = datatype else {
            return Err(self.refused(at, "it is no matrix".to_owned(), WRITE_AGAIN));
        };
        let (size, features) = match (size_of(base), dims[..].first().map(|&size| usize::try_from(size))) {
            (Some(size), Some(Ok(features))) if dims.len() == 1 => (size, features),
            (Some(_) | None, Some(_) | None) => {
                return Err(self.refused(at, "it is no matrix of numbers".to_owned(), WRITE_AGAIN));
            }
        };
        let (mut values, mut samples) = (Compact::default(), 0);
        self.elements(at, table, &mut |row| {
            samples += 1;
            for column in 0..features {
                let bytes = row.get(offset + column * size..).and_then(|rest| rest.get(..size));
                let value =
                    bytes.ok_or_else(|| "it is cut short".to_owned()).and_then(|of| number(of, base))?;
                values.push(value).map_err(|_| "there is no memory for it".to_owned())?;
            }
            Ok(())
        })?;
        Ok(Inputs { rows: values.into_rows(samples, features)?, names: Vec::new() })
    }

    /// A sparse matrix by rows or by columns.
    fn sparse(&self, at: &str, group: &Group, var: &str) -> Result<Inputs, InputError> {
        let attribute = |names: [&str; 2]| names.iter().find_map(|name| group.attribute(name).ok());
        let encoding = attribute(["encoding-type", "h5sparse_format"]);
        let encoding = encoding.and_then(|encoding| encoding.read_string().ok()).unwrap_or_default();
        let by_rows = match encoding.as_str() {
            "csr_matrix" | "csr" => true,
            "csc_matrix" | "csc" => false,
            other => {
                let problem = format!("its encoding-type is `{other}`");
                return Err(self.refused(at, problem, "dense arrays, csr_matrix and csc_matrix are read"));
            }
        };
        let shape = attribute(["shape", "h5sparse_shape"]).map(|shape| whole(&shape)).unwrap_or_default();
        let [samples, features] = shape[..] else {
            return Err(self.refused(at, "it has no shape of two numbers".to_owned(), WRITE_AGAIN));
        };
        let rows = self.compressed(at, by_rows, samples, features)?;
        Ok(Inputs { rows, names: self.index(var, Some(features))? })
    }

    /// Counts of Cell Ranger: genes × cells by columns, which is cells × genes by rows.
    fn cell_ranger(&self) -> Result<Inputs, InputError> {
        let shape = self.numbers("matrix/shape", &self.array("matrix/shape")?, 1)?;
        let shape: Vec<usize> = shape.iter().filter_map(index_of).collect();
        let [features, samples] = shape[..] else {
            return Err(self.refused("matrix/shape", "it is not two numbers".to_owned(), WRITE_AGAIN));
        };
        let rows = self.compressed("matrix", true, samples, features)?;
        let mut names = Vec::new();
        for at in ["matrix/features/name", "matrix/gene_names"] {
            if let Some(Object::Array(array)) = self.object(at)? {
                names = self.words(at, &array)?;
                break;
            }
        }
        self.check_names("matrix/features/name", &names, features)?;
        Ok(Inputs { rows, names })
    }

    /// `data`, `indices` and `indptr` of a group.
    fn compressed(
        &self,
        at: &str,
        by_rows: bool,
        samples: usize,
        features: usize,
    ) -> Result<Box<dyn crate::Blocks>, InputError> {
        let most = most_rows(self.length);
        if samples.max(features) as u64 > most || samples == 0 || features == 0 {
            let problem =
                format!("the shape {samples} × {features} is not one of this file ({most} at most)");
            return Err(self.refused(at, problem, WRITE_AGAIN));
        }
        let indices_at = format!("{at}/indices");
        let (outer, inner) = if by_rows { (samples, features) } else { (features, samples) };
        let mut indices: Vec<u32> = Vec::new();
        self.each_number(&indices_at, &self.array(&indices_at)?, &mut |value| {
            let index =
                index_of(value).filter(|&index| index < inner).and_then(|index| u32::try_from(index).ok());
            let Some(index) = index else { return Err(format!("{value} is no index below {inner}")) };
            may_fail(|| indices.try_reserve(1)).map_err(|_| "there is no memory for it".to_owned())?;
            indices.push(index);
            Ok(())
        })?;
        let starts_at = format!("{at}/indptr");
        let starts = self.numbers(&starts_at, &self.array(&starts_at)?, 1)?;
        let starts: Vec<usize> = starts.iter().map(|start| index_of(start).unwrap_or(usize::MAX)).collect();
        let fits = starts.len() == outer + 1
            && starts.first() == Some(&0)
            && starts.last() == Some(&indices.len())
            && starts.is_sorted();
        if !fits {
            let problem = format!("it is not {} ascending numbers from 0 to {}", outer + 1, indices.len());
            return Err(self.refused(&starts_at, problem, WRITE_AGAIN));
        }
        let data_at = format!("{at}/data");
        let (mut entries, mut line, mut seen) = (Entries::default(), 0_usize, 0_usize);
        self.each_number(&data_at, &self.array(&data_at)?, &mut |value| {
            while starts.get(line + 1).is_some_and(|&end| end <= seen) {
                line += 1;
            }
            let place = indices.get(seen).copied().zip(u32::try_from(line).ok());
            let Some((index, outer)) = place else { return Err("it is longer than the indices".to_owned()) };
            seen += 1;
            let (sample, feature) = if by_rows { (outer, index) } else { (index, outer) };
            entries.push(sample, feature, value).map_err(|_| "there is no memory for it".to_owned())
        })?;
        if seen != indices.len() {
            let problem = format!("{seen} values, where there are {} indices", indices.len());
            return Err(self.refused(&data_at, problem, WRITE_AGAIN));
        }
        drop(indices);
        entries.into_rows(samples, features)
    }

    /// The names of a table's rows; none if there is no such table.
    fn index(&self, at: &str, expected: Option<usize>) -> Result<Vec<String>, InputError> {
        if at.is_empty() {
            return Ok(Vec::new());
        }
        let names = match self.object(at)? {
            None if at == "raw/var" => return self.index("raw.var", expected),
            None => return Ok(Vec::new()),
            Some(Object::Array(table)) => {
                let fields: Vec<_> = fields(&table).collect();
                let named = fields.iter().find(|&&(name, _, _)| ["index", "_index"].contains(&name));
                let Some(&(_, offset, datatype)) = named.or(fields.first()) else { return Ok(Vec::new()) };
                match self.table_column(at, &table, offset, datatype)? {
                    Column::Words(words) => words,
                    Column::Numbers(_) | Column::Numbered(_) => Vec::new(),
                }
            }
            Some(Object::Group(group)) => {
                let index = group.attribute("_index").ok().and_then(|index| index.read_string().ok());
                let at = format!("{at}/{}", index.as_deref().unwrap_or("_index"));
                match self.object(&at)? {
                    Some(Object::Array(array)) if !is_number(array.dtype()) => self.words(&at, &array)?,
                    Some(_) | None => Vec::new(),
                }
            }
        };
        if let Some(expected) = expected {
            self.check_names(at, &names, expected)?;
        }
        Ok(names)
    }

    fn check_names(&self, at: &str, names: &[String], expected: usize) -> Result<(), InputError> {
        if names.is_empty() || names.len() == expected {
            return Ok(());
        }
        let problem = format!("{} names, where the matrix has {expected} columns", names.len());
        Err(self.refused(at, problem, WRITE_AGAIN))
    }

    /// A column of `obs`.
    fn column(&self, name: Option<&str>) -> Result<Column, InputError> {
        let Some(name) = name else {
            let remedy = format!("name one of obs: {}", self.names("obs")?.join(", "));
            return Err(self.refused("obs", "it has several columns".to_owned(), &remedy));
        };
        let at = format!("obs/{name}");
        if let Some(Object::Array(table)) = self.object("obs")? {
            let Some((_, offset, datatype)) = fields(&table).find(|&(field, _, _)| field == name) else {
                return Err(self.no_such("column of obs", name, &self.names("obs")?));
            };
            let column = self.table_column(&at, &table, offset, datatype)?;
            return self.with_categories(&at, column, &format!("uns/{name}_categories"));
        }
        match self.object(&at)? {
            None => Err(self.no_such("column of obs", name, &self.names("obs")?)),
            Some(Object::Array(array)) if is_number(array.dtype()) => {
                let values = self.numbers(&at, &array, 1)?;
                let column = Column::Numbers(values.iter().collect());
                self.with_categories(&at, column, &format!("obs/__categories/{name}"))
            }
            Some(Object::Array(array)) => Ok(Column::Words(self.words(&at, &array)?)),
            Some(Object::Group(_)) => {
                let codes_at = format!("{at}/codes");
                if self.object(&codes_at)?.is_some() {
                    let codes = self.numbers(&codes_at, &self.array(&codes_at)?, 1)?;
                    let column = Column::Numbers(codes.iter().collect());
                    return self.with_categories(&at, column, &format!("{at}/categories"));
                }
                // Pandas' types that know of missing values.
                let mask_at = format!("{at}/mask");
                let mask = self.numbers(&mask_at, &self.array(&mask_at)?, 1)?;
                if let Some(row) = mask.iter().position(|missing| missing.abs() > 0.0) {
                    return Err(self.missing(&at, row));
                }
                let values_at = format!("{at}/values");
                let values = self.array(&values_at)?;
                if is_number(values.dtype()) {
                    return Ok(Column::Numbers(self.numbers(&values_at, &values, 1)?.iter().collect()));
                }
                Ok(Column::Words(self.words(&values_at, &values)?))
            }
        }
    }

    fn missing(&self, at: &str, row: usize) -> InputError {
        let remedy = "fill it, or leave the cell out: `cells[cells.obs[NAME].notna()]`";
        self.refused(at, format!("cell {row} (from 0) has no value"), remedy)
    }

    /// What codes stand for, if there are categories.
    fn with_categories(&self, at: &str, column: Column, categories_at: &str) -> Result<Column, InputError> {
        let codes = match (&column, self.object(categories_at)?) {
            (Column::Numbers(codes), Some(Object::Array(categories))) => (codes, categories),
            (Column::Numbers(_) | Column::Words(_) | Column::Numbered(_), _) => return Ok(column),
        };
        let (codes, array) = codes;
        let of = |row: usize, code: f64, number: usize| match index_of(code) {
            Some(code) if code < number => Ok(code),
            None if (code + 1.0).abs() <= 0.0 => Err(self.missing(at, row)),
            Some(_) | None => {
                let problem = format!("cell {row} (from 0) has the code {code} of {number} categories");
                Err(self.refused(at, problem, WRITE_AGAIN))
            }
        };
        let codes = codes.iter().copied().enumerate();
        if is_number(array.dtype()) {
            let categories = self.numbers(categories_at, &array, 1)?;
            let categories: Vec<f64> = categories.iter().collect();
            let numbers = codes.map(|(row, code)| Ok(categories[of(row, code, categories.len())?]));
            return Ok(Column::Numbers(numbers.collect::<Result<_, InputError>>()?));
        }
        let categories = self.words(categories_at, &array)?;
        let longest = categories.iter().map(String::len).max().unwrap_or_default() as u64;
        let bytes = longest.saturating_mul(codes.len() as u64);
        if bytes > most_bytes(self.length) {
            let problem = format!("categories of {longest} bytes are too long");
            return Err(self.refused(categories_at, problem, WRITE_AGAIN));
        }
        let words = codes.map(|(row, code)| Ok(categories[of(row, code, categories.len())?].clone()));
        Ok(Column::Words(words.collect::<Result<_, InputError>>()?))
    }

    /// A field of a table as a column.
    fn table_column(
        &self,
        at: &str,
        table: &Dataset,
        offset: usize,
        datatype: &Datatype,
    ) -> Result<Column, InputError> {
        let size = size_of(datatype).unwrap_or_default();
        let of = |row: &[u8]| -> Result<Vec<u8>, String> {
            let bytes = row.get(offset..).and_then(|rest| rest.get(..size));
            bytes.map(<[u8]>::to_vec).ok_or_else(|| "it is cut short".to_owned())
        };
        if is_number(datatype) {
            let mut numbers = Vec::new();
            self.elements(at, table, &mut |row| {
                numbers.push(finite(number(&of(row)?, datatype)?)?);
                Ok(())
            })?;
            return Ok(Column::Numbers(numbers));
        }
        let mut words = Vec::new();
        let mut budget = self.length;
        self.elements(at, table, &mut |row| {
            words.push(word(&of(row)?, datatype, table, &mut budget)?);
            Ok(())
        })?;
        Ok(Column::Words(words))
    }

    /// All numbers of an array of rows of `width`, row-major.
    fn numbers(&self, at: &str, array: &Dataset, width: usize) -> Result<Compact, InputError> {
        let mut values = Compact::default();
        let datatype = array.dtype();
        self.elements(at, array, &mut |bytes| {
            let value = number(bytes, datatype)?;
            if !value.is_finite() {
                let (row, column) = (values.len() / width.max(1), values.len() % width.max(1));
                return Err(match width {
                    0 | 1 => format!("entry {row} (from 0) is {value}; every one must be finite"),
                    _ => format!("entry [{row}, {column}] is {value}; every one must be finite"),
                });
            }
            values.push(value).map_err(|_| "there is no memory for it".to_owned())
        })?;
        Ok(values)
    }

    fn each_number(
        &self,
        at: &str,
        array: &Dataset,
        each: &mut dyn FnMut(f64) -> Result<(), String>,
    ) -> Result<(), InputError> {
        let datatype = array.dtype();
        self.elements(at, array, &mut |bytes| each(finite(number(bytes, datatype)?)?))
    }

    /// All strings of an array.
    fn words(&self, at: &str, array: &Dataset) -> Result<Vec<String>, InputError> {
        let mut words = Vec::new();
        let mut budget = self.length;
        self.elements(at, array, &mut |bytes| {
            words.push(word(bytes, array.dtype(), array, &mut budget)?);
            Ok(())
        })?;
        Ok(words)
    }

    /// Calls `each` with the bytes of every element, row-major. Holds a row of chunks at a time.
    fn elements(
        &self,
        at: &str,
        array: &Dataset,
        each: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), InputError> {
        let unreadable = |error: Error| unreadable(self.path, at, &error);
        let size = array.raw_element_size().map_err(unreadable)?;
        let total = array.num_elements().map_err(unreadable)?.checked_mul(size as u64);
        let most =
            if array.chunks().is_some() { most_bytes(self.length) } else { self.length.max(FEW_BYTES) };
        if size == 0 || total.is_none_or(|total| total > most) {
            let problem = format!("the shape {:?} is more than the file can hold", array.shape());
            return Err(self.refused(at, problem, "the file is damaged or cut short, fetch it again"));
        }
        let mut each = |bytes: &[u8]| {
            let remedy = "mend it in Python, and write the file again";
            each(bytes).map_err(|problem| self.refused(at, problem, remedy))
        };
        let Some(chunk) = array.chunks() else {
            let bytes = array.read_raw_bytes().map_err(unreadable)?;
            return bytes.chunks_exact(size).try_for_each(each);
        };
        // Arrays of one dimension are one column.
        let two = |shape: &[u64]| match *shape {
            [rows] => Some((rows, 1)),
            [rows, columns] => Some((rows, columns)),
            _ => None,
        };
        let chunk: Vec<u64> = chunk.into_iter().map(u64::from).collect();
        let (Some((rows, columns)), Some((high, wide))) = (two(array.shape()), two(&chunk)) else {
            let problem = format!("the shape {:?} is not of one or two dimensions", array.shape());
            return Err(self.refused(at, problem, WRITE_AGAIN));
        };
        if rows == 0 || columns == 0 {
            return Ok(());
        }
        if high == 0 || wide == 0 {
            return Err(self.refused(at, "its chunks are empty".to_owned(), WRITE_AGAIN));
        }
        let (mut row, mut band) = (0, Vec::new());
        for piece in array.iter_chunks().map_err(unreadable)? {
            let piece = piece.map_err(unreadable)?;
            if row >= rows {
                break;
            }
            if two(piece.offsets()) != Some((row, band.len() as u64 * wide)) && piece.offsets() != [row] {
                break;
            }
            band.push(piece);
            if (band.len() as u64) < columns.div_ceil(wide) {
                continue;
            }
            for line in 0..high.min(rows - row) {
                for (across, piece) in band.iter().enumerate() {
                    let width = wide.min(columns - across as u64 * wide);
                    let within =
                        |elements: u64| usize::try_from(elements).unwrap_or(usize::MAX).saturating_mul(size);
                    let bytes =
                        piece.bytes().get(within(line * wide)..).and_then(|rest| rest.get(..within(width)));
                    let Some(bytes) = bytes else {
                        return Err(self.refused(at, "a chunk is cut short".to_owned(), WRITE_AGAIN));
                    };
                    bytes.chunks_exact(size).try_for_each(&mut each)?;
                }
            }
            row += high;
            band.clear();
        }
        if row < rows {
            let problem = format!("the chunk at row {row}, column {} is missing", band.len() as u64 * wide);
            return Err(self.refused(at, problem, WRITE_AGAIN));
        }
        Ok(())
    }
}

/// Whether something is not there, rather than damaged.
fn is_absent(error: &Error) -> bool {
    if let Error::Context { source, .. } = error {
        return is_absent(source);
    }
    matches!(error, Error::GroupNotFound(_) | Error::DatasetNotFound(_))
}

fn unreadable(path: &Path, place: &str, error: &Error) -> InputError {
    let problem = error.to_string();
    let remedy = if problem.contains("unsupported filter") {
        "its compression is not read (32000 is lzf, 32001 blosc, 32015 zstd): write it with compression='gzip'"
    } else {
        "the file may be damaged or cut short: fetch it again, or write it again with anndata"
    };
    InputError::unreadable(path, place, problem, remedy)
}

/// The fields of a table: name, offset and type; none of other arrays.
fn fields(array: &Dataset) -> impl Iterator<Item = (&str, usize, &Datatype)> {
    let fields = if let Datatype::Compound { fields, .. } = array.dtype() { fields.as_slice() } else { &[] };
    fields.iter().map(|field| (field.name.as_str(), field.byte_offset as usize, &field.datatype))
}

/// Bytes of an element.
fn size_of(datatype: &Datatype) -> Option<usize> {
    hdf5_reader::dtype_element_size(datatype).ok().filter(|&size| size > 0)
}

fn is_number(datatype: &Datatype) -> bool {
    if let Datatype::Enum { base, .. } = datatype {
        return is_number(base);
    }
    matches!(datatype, Datatype::FixedPoint { .. } | Datatype::FloatingPoint { .. })
}

fn finite(value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("a value is {value}; every one must be finite")) }
}

/// A whole number that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast back is the test")]
fn index_of(value: f64) -> Option<usize> {
    let index = value as usize;
    (value >= 0.0 && (index as f64 - value).abs() <= 0.0 && index < usize::MAX).then_some(index)
}

/// The whole numbers of an attribute.
fn whole(attribute: &Attribute) -> Vec<usize> {
    let Some(size) = size_of(&attribute.datatype) else { return Vec::new() };
    let values = attribute.raw_data.chunks_exact(size).map(|bytes| number(bytes, &attribute.datatype));
    values.filter_map(|value| value.ok().and_then(index_of)).collect()
}

/// The number that bytes stand for.
#[expect(clippy::cast_possible_truncation, reason = "floats have few bits")]
fn number(bytes: &[u8], datatype: &Datatype) -> Result<f64, String> {
    if let Datatype::Enum { base, .. } = datatype {
        return number(bytes, base);
    }
    let exact =
        |value: i128| double(value).ok_or_else(|| format!("no double holds {value} exactly (beyond 2^53)"));
    match (datatype, bytes.len()) {
        (Datatype::FloatingPoint { byte_order, .. }, 8) => Ok(f64::from_bits(bits(bytes, *byte_order))),
        (Datatype::FloatingPoint { byte_order, .. }, 4) => {
            Ok(f64::from(f32::from_bits(bits(bytes, *byte_order) as u32)))
        }
        (Datatype::FloatingPoint { byte_order, .. }, 2) => {
            Ok(f16::from_bits(bits(bytes, *byte_order) as u16).into())
        }
        (Datatype::FixedPoint { signed: true, byte_order, .. }, size @ 1..=8) => {
            let unused = 64 - 8 * size;
            let value = (bits(bytes, *byte_order) << unused).cast_signed() >> unused;
            exact(value.into())
        }
        (Datatype::FixedPoint { signed: false, byte_order, .. }, 1..=8) => {
            exact(bits(bytes, *byte_order).into())
        }
        (datatype, size) => {
            Err(format!("its elements are {datatype:?} of {size} bytes, no numbers that are read"))
        }
    }
}

/// At most eight bytes as a number, in the order that they have.
fn bits(bytes: &[u8], order: ByteOrder) -> u64 {
    let place = |(at, &byte): (usize, &u8)| u64::from(byte) << (8 * at);
    match order {
        ByteOrder::LittleEndian => bytes.iter().enumerate().map(place).sum(),
        ByteOrder::BigEndian => bytes.iter().rev().enumerate().map(place).sum(),
    }
}

/// The string that bytes stand for. `budget` is how many more bytes strings outside of the array
/// may have: as many as the file, where none is used twice.
fn word(bytes: &[u8], datatype: &Datatype, array: &Dataset, budget: &mut u64) -> Result<String, String> {
    let outside = matches!(
        datatype,
        Datatype::String { size: StringSize::Variable, .. }
            | Datatype::VarLen { kind: VarLenKind::String, .. }
    );
    let bytes = if let Datatype::String { size: StringSize::Fixed(_), padding, .. } = datatype {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        match padding {
            StringPadding::SpacePad => bytes[..end].trim_ascii_end().to_vec(),
            StringPadding::NullTerminate | StringPadding::NullPad => bytes[..end].to_vec(),
        }
    } else if outside {
        let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
        *budget = budget.checked_sub(u64::from(length)).ok_or("its strings are longer than the file")?;
        array.resolve_vlen_reference_bytes(bytes, 1).map_err(|error| error.to_string())?
    } else {
        return Err(format!("its elements are {datatype:?}, not strings"));
    };
    String::from_utf8(bytes).map_err(|_| "a string is no UTF-8".to_owned())
}
