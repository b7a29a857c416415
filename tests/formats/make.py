"""Makes small files of every format × element type × compression, and what their own libraries read of each.

usage: make.py DIR

`DIR/cases.jsonl` has a line a file: what it is, how the example `read` is to read it, and what it should give.
Beside a file that is read, `NAME.npy` has its inputs as doubles and `NAME.labels` its labels, a line each, as
NumPy, pandas, polars, Arrow, DuckDB, SciPy, anndata or scanpy read them **of that file**.
"""

import csv
import gzip
import json
import struct
import sys
import warnings
from pathlib import Path

import anndata
import duckdb
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import scanpy as sc
import scipy.io
import scipy.sparse as sp

warnings.filterwarnings("ignore")
anndata.settings.allow_write_nullable_strings = True

ROWS, COLUMNS = 7, 5
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]
TYPES = [*FLOATS, *INTEGERS, "bool"]
NAMES = [f"x{at}" for at in range(COLUMNS)]

NUMBERS = np.array([3, -1, 3, 0, 7, -1, 3])
TARGETS = np.array([0.1, -1e-300, 2.5, 0.0, 1e300, 1 / 3, -7.0])
WORDS = np.array(["B cell", "naïve", "B cell", "T, or NK", "a;b", "naïve", "x"])

directory = Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
cases = []


def matrix(kind, rows=ROWS, columns=COLUMNS):
    """Values that tell types apart: extremes, subnormals, fractions, both zeros, the ends of what a double has exactly."""
    kind = np.dtype(kind)
    random = np.random.default_rng(17)
    if kind == bool:
        values = random.integers(0, 2, rows * columns).astype(bool)
    elif kind.kind in "iu":
        range_ = np.iinfo(kind)
        special = [range_.min, 0, 1, 100]
        # The largest of 64 bits has no double of the same value.
        special += [2**53, 2**62 + 2**20] if kind.itemsize == 8 else [range_.max, range_.max - 1]
        if kind.kind == "i":
            special += [-1, -(2**53) if kind.itemsize == 8 else -100]
        fill = random.integers(0, min(range_.max, 2**52), rows * columns - len(special))
        values = np.array([*special, *fill.tolist()], dtype=kind)
    else:
        range_ = np.finfo(kind)
        special = [range_.max, range_.min, range_.tiny, range_.smallest_subnormal, -range_.smallest_subnormal,
                   0.0, -0.0, 1 / 3, 0.1, 1 + range_.eps, 2.0 ** min(53, range_.nmant + 1)]
        fill = random.normal(size=rows * columns - len(special))
        values = np.array([*special, *fill], dtype=np.float64).astype(kind)
    return values.reshape(rows, columns)


def sparse(kind, rows=ROWS, columns=COLUMNS):
    """The same with zeros: an empty row, an empty column, no negative zero (of which no sparse matrix says anything)."""
    values = matrix(kind, rows, columns)
    keep = np.random.default_rng(3).random((rows, columns)) < 0.5
    keep[2], keep[:, 1], keep[0, 0] = False, False, True
    return np.where(keep, values, np.zeros((), values.dtype)) + np.zeros((), values.dtype)


def doubles(values):
    """As doubles of the same values."""
    values = np.ascontiguousarray(values)
    wide = values.astype(np.float64)
    if values.dtype.kind in "iu":
        assert all(int(a) == int(b) for a, b in zip(wide.flat, values.flat)), "no doubles of the same value"
    return wide


def case(path, source, what, element, layout, by, inputs=None, labels=None, arguments=(), is_sparse=False, refused=None):
    """Adds a file to the table.

    `what` and `element` are a row of it, and `layout` lists what differs within. `refused` is a part of the message
    where the file is not read.
    """
    name = f"{len(cases):04}"
    if refused is None:
        np.save(directory / f"{name}.npy", doubles(inputs))
        lines = [] if labels is None else [str(label) if isinstance(label, str) else repr(float(label)) for label in labels]
        (directory / f"{name}.labels").write_text("".join(line + "\n" for line in lines))
    cases.append({
        "name": name, "file": str(path), "source": source, "arguments": list(arguments), "what": what, "element": element,
        "layout": list(layout), "by": by, "sparse": is_sparse, "zeros": source != "mtx" and not is_sparse, "refused": refused,
    })


def place(name):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def zipped(path):
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


# --- npy -----------------------------------------------------------------------------------------------------------


def python_2(path, array):
    """As NumPy of Python 2 on 32-bit machines wrote it: long integers in the shape."""
    shape = ", ".join(f"{size}L" for size in array.shape)
    order = array.flags.f_contiguous and not array.flags.c_contiguous
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': {order}, 'shape': ({shape}), }}"
    header += " " * (-(len(header) + 11) % 16) + "\n"
    data = array.tobytes(order="F" if order else "C")
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def npy():
    labels = {"numbers": NUMBERS, "words": WORDS, "words, big-endian": WORDS.astype(">U8"),
              "bytes": np.char.encode(WORDS, "utf-8"), "fractions": TARGETS, "big-endian": NUMBERS.astype(">i2")}
    label_files = {}
    for name, values in labels.items():
        label_files[name] = place(f"npy/labels-{name}.npy")
        np.save(label_files[name], values)
    turn = 0
    for kind in TYPES:
        for end, endian in [("<", "little"), (">", "big")]:
            for order in ["C", "Fortran"]:
                for version in ["version 1", "2", "3", "Python 2"]:
                    array = np.array(matrix(kind).astype(np.dtype(kind).newbyteorder(end)), order=order[0])
                    path = place(f"npy/{kind}-{endian}-{order}-{version}.npy")
                    if version == "Python 2":
                        python_2(path, array)
                    else:
                        with open(path, "wb") as file:
                            np.lib.format.write_array(file, array, version=(int(version[-1]), 0))
                    of = list(label_files)[turn % len(label_files)]
                    turn += 1
                    read = np.load(label_files[of])
                    read = np.char.decode(read, "utf-8") if read.dtype.kind == "S" else read
                    case(path, "npy", "npy", kind, [endian + "-endian", order + " order", version], "NumPy",
                         np.load(path), read.tolist(), [f"labels=file:{label_files[of]}"])
    # Other shapes: a vector is a column; of several dimensions the first counts samples.
    for shape in [(35,), (7, 5, 1), (7, 1, 5, 1), (5, 7, 1)]:
        for order in ["C", "Fortran"]:
            path = place(f"npy/shape-{'x'.join(map(str, shape))}-{order}.npy")
            np.save(path, np.array(matrix("float32").reshape(shape), order=order[0]))
            read = np.load(path)
            case(path, "npy", "npy, other shapes", "float32", ["×".join(map(str, shape)), f"{order} order"], "NumPy",
                 read.reshape(len(read), -1))
    path = place("npy/packed.npy")
    np.save(path, matrix("float32"))
    case(zipped(path), "npy", "npy", "refused", ["gzip"], "", refused="gzip of a NumPy array")
    for name, array, message in [
        ("2^53 + 1", np.array([[2**53 + 1]]), "9007199254740993"),
        ("NaN", np.array([[1.0, np.nan]]), "[0, 1]"),
        ("objects", np.array([[1, "a"]], dtype=object), "O"),
        ("complex", np.array([[1j]]), "c16"),
    ]:
        path = place(f"npy/refused-{name}.npy")
        np.save(path, array, allow_pickle=True)
        case(path, "npy", "npy", "refused", [name], "", refused=message)


# --- npz -----------------------------------------------------------------------------------------------------------


def npz():
    kinds = {"numbers": NUMBERS, "words": WORDS, "fractions": TARGETS}
    for turn, kind in enumerate(TYPES):
        for save, packing in [(np.savez, "stored"), (np.savez_compressed, "deflate")]:
            for order in ["C", "Fortran"]:
                labels = list(kinds)[(turn + (order == "C")) % len(kinds)]
                path = place(f"npz/{kind}-{packing}-{order}.npz")
                save(path, X=np.array(matrix(kind), order=order[0]), y=kinds[labels], other=np.zeros((3, 3)))
                with np.load(path) as read:
                    case(path, "npz", "npz", kind, [packing, f"{order} order"], "NumPy", read["X"], read["y"].tolist(),
                         ["labels=y"])
                    if kind == "float32":
                        case(path, "npz", "npz, by `matrix`", "float64", [packing], "NumPy", read["other"], None,
                             ["matrix=other"])
    for kind in ["int8", "uint8", "int16", "int32", "int64", "uint64", "float32", "float64", "bool"]:
        for make, layout in [(sp.csr_matrix, "csr"), (sp.csc_matrix, "csc"), (sp.coo_matrix, "coo"),
                             (sp.csr_array, "csr array"), (sp.coo_array, "coo array")]:
            for packed in [False, True]:
                path = place(f"npz/scipy-{kind}-{layout}-{packed}.npz")
                sp.save_npz(path, make(sparse(kind)), compressed=packed)
                case(path, "npz", "npz, sparse", kind, [layout, "deflate" if packed else "stored"], "SciPy",
                     sp.load_npz(path).toarray(), is_sparse=True)
    # Entries of the same place are summed, in any order.
    twice = sp.coo_matrix((np.array([1.5, 0.25, 4.0, 2.0]), ([0, 0, 2, 1], [1, 1, 0, 2])), shape=(3, 3))
    path = place("npz/scipy-twice.npz")
    sp.save_npz(path, twice)
    case(path, "npz", "npz, sparse, entries twice", "float64", ["coo"], "SciPy", sp.load_npz(path).toarray(),
         is_sparse=True)
    for make, layout in [(sp.bsr_matrix, "bsr"), (sp.dia_matrix, "dia")]:
        path = place(f"npz/scipy-{layout}.npz")
        sp.save_npz(path, make(sparse("float64")))
        case(path, "npz", "npz", "refused", [layout], "", refused=layout)


# --- csv -----------------------------------------------------------------------------------------------------------


def text():
    delimiters = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " "}
    by = "pandas"
    for kind in ["uint8", "int64", "float32", "float64"]:
        values = matrix(kind)
        for called, delimiter in delimiters.items():
            for headed in [True, False]:
                for ends in ["LF", "CRLF"]:
                    path = place(f"csv/{kind}-{called}-{headed}-{ends}.csv")
                    frame = pd.DataFrame(values, columns=NAMES)
                    labels = NUMBERS if called == "blank" else WORDS
                    if headed:
                        frame["kind"] = labels
                    # Blanks between names are told by the numbers below.
                    frame.to_csv(path, sep=delimiter, index=False, header=headed,
                                 lineterminator="\r\n" if ends == "CRLF" else "\n")
                    read = pd.read_csv(path, sep=delimiter, header=0 if headed else None, float_precision="round_trip")
                    numbers = read.iloc[:, :COLUMNS].to_numpy(np.float64)
                    classes = read["kind"].tolist() if headed else None
                    arguments = ["labels=kind"] if headed else []
                    layout = [called, "names" if headed else "no names", ends]
                    case(path, "csv", "csv", kind, [*layout, "plain"], by, numbers, classes, arguments)
                    case(zipped(path), "csv", "csv", kind, [*layout, "gzip"], by, numbers, classes, arguments)

    values = matrix("float64")
    frame = pd.DataFrame(values, columns=NAMES).assign(kind=WORDS)
    path = place("csv/index.csv")
    frame.to_csv(path)
    read = pd.read_csv(path, index_col=0, float_precision="round_trip")
    case(path, "csv", "csv, others", "float64", ["pandas with its index"], by, read[NAMES], read["kind"].tolist(), ["labels=kind"])

    path = place("csv/numbered.csv")
    pd.DataFrame(values).to_csv(path, index=False)
    read = pd.read_csv(path, float_precision="round_trip")
    case(path, "csv", "csv, others", "float64", ["pandas without names"], by, read)

    path = place("csv/mark.csv")
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    read = pd.read_csv(path, encoding="utf-8-sig", float_precision="round_trip")
    case(path, "csv", "csv, others", "float64", ["byte order mark"], by, read[NAMES], read["kind"].tolist(), ["labels=kind"])

    path = place("csv/quoted.csv")
    odd = frame.assign(kind=['say "so"', "a,b", "", "c\td", " e ", "a,b", "f"]).replace({"kind": {"": "g"}})
    odd.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    read = pd.read_csv(path, float_precision="round_trip")
    case(path, "csv", "csv, others", "float64", ["all quoted"], by, read[NAMES], read["kind"].tolist(), ["labels=kind"])

    path = place("csv/some.csv")
    frame.assign(id=np.arange(ROWS) * 10, note="n").to_csv(path, index=False)
    read = pd.read_csv(path, float_precision="round_trip")
    case(path, "csv", "csv, others", "float64", ["by `columns`"], by, read[["x0", "x2", "x3", "x4"]], read["kind"].tolist(),
         ["labels=kind", "columns=x*,!x1"])
    case(path, "csv", "csv, others", "float64", ["targets"], by, read[["x0", "x1", "x2", "x3"]], read["x4"].tolist(),
         ["targets=x4", "columns=x*"])

    for kind in ["float64", "float32", "uint8"]:
        path = place(f"csv/polars-{kind}.csv")
        pl.DataFrame(matrix(kind), schema=NAMES).with_columns(kind=pl.Series(WORDS)).write_csv(path)
        read = pl.read_csv(path)
        case(path, "csv", "csv, of polars", kind, ["comma"], "polars", read.select(NAMES).to_numpy(), read["kind"].to_list(),
             ["labels=kind"])

    for delimiter, called in [(" ", "blank"), (",", "comma"), ("\t", "tab")]:
        for header in ["", " ".join(NAMES) if delimiter == " " else delimiter.join(NAMES)]:
            path = place(f"csv/savetxt-{called}-{bool(header)}.txt")
            np.savetxt(path, values, delimiter=delimiter, header=header)
            case(path, "csv", "csv, numpy.savetxt", "float64", [called], "NumPy", np.loadtxt(path, delimiter=delimiter))
    path = place("csv/savetxt-wide.txt")
    np.savetxt(path, values, fmt="%26.17g")
    case(path, "csv", "csv, numpy.savetxt", "float64", ["blanks that align"], "NumPy", np.loadtxt(path))
    path = place("csv/savetxt-whole.txt.gz")
    np.savetxt(path, matrix("int32"), fmt="%d")
    case(path, "csv", "csv, numpy.savetxt", "int32", ["gzip"], "NumPy", np.loadtxt(path))

    for name, content, message in [
        ("missing", "a,b\n1,2\n,3\n", "line 3, column `a`"),
        ("NaN", "a,b\n1,2\n3,nan\n", "line 3, column `b`"),
        ("ragged", "a,b\n1,2\n3\n", "line 3"),
        ("words", "a,b\n1,2\n3,x\n", "`x` is no number"),
        ("a name twice", "a,a\n1,2\n", "columns 1, 2"),
    ]:
        path = place(f"csv/refused-{name}.csv")
        path.write_text(content)
        case(path, "csv", "csv", "refused", [name], "", refused=message)


# --- Parquet -------------------------------------------------------------------------------------------------------


def parquet():
    def add(path, kind, layout, by, reader, labels=True, columns=NAMES, what="parquet"):
        if reader == "polars":
            read = pl.read_parquet(path)
            inputs, column = read.select(columns).to_numpy(), read["kind"].cast(pl.String).to_list() if labels else None
        elif reader == "Arrow":
            read = pq.read_table(path)
            inputs = np.column_stack([read[name].to_numpy() for name in columns])
            column = [str(word) for word in read["kind"].to_pylist()] if labels else None
        elif reader == "DuckDB":
            read = duckdb.sql(f"SELECT * FROM '{path}'").fetchnumpy()
            inputs = np.column_stack([read[name] for name in columns])
            column = [str(word) for word in read["kind"]] if labels else None
        else:
            read = pd.read_parquet(path)
            inputs, column = read[columns].to_numpy(), read["kind"].astype(str).tolist() if labels else None
        case(path, "parquet", what, kind, layout, by, inputs, column, ["labels=kind"] if labels else [])

    codecs = {"none": "uncompressed", "Snappy": "snappy", "gzip": "gzip", "Zstandard": "zstd", "LZ4": "lz4"}
    for kind in TYPES:
        values = matrix(kind)
        columns = {name: values[:, at] for at, name in enumerate(NAMES)}
        for called, codec in codecs.items():
            # Each is read by another library than wrote it.
            path = place(f"parquet/polars-{kind}-{codec}.parquet")
            try:
                words = pl.Series(WORDS, dtype=pl.Categorical if codec == "gzip" else pl.String)
                pl.DataFrame(columns).with_columns(kind=words).write_parquet(path, compression=codec, row_group_size=3)
                add(path, kind, ["polars", called], "Arrow", "Arrow")
            except (TypeError, pl.exceptions.PolarsError) as error:
                print(f"polars does not write {kind}: {error}", file=sys.stderr)

            words = pa.array(WORDS)
            words = words.dictionary_encode() if codec in ("snappy", "lz4") else words
            table = pa.table({**{name: pa.array(column) for name, column in columns.items()}, "kind": words})
            for pages in ["1.0", "2.0"]:
                path = place(f"parquet/arrow-{kind}-{codec}-{pages}.parquet")
                pq.write_table(table, path, compression="none" if codec == "uncompressed" else codec, row_group_size=4,
                               data_page_version=pages)
                reader = "pandas" if kind == "float16" else "polars"
                add(path, kind, [f"Arrow (pages {pages[0]})", called], reader, reader)

            if kind != "float16":
                path = place(f"parquet/pandas-{kind}-{codec}.parquet")
                frame = pd.DataFrame(columns).assign(kind=pd.Categorical(WORDS))
                # An index with a hole is a column of its own.
                frame.index = [0, 1, 2, 3, 4, 5, 9]
                frame.to_parquet(path, compression=None if codec == "uncompressed" else codec)
                add(path, kind, ["pandas", called], "DuckDB", "DuckDB")

                path = place(f"parquet/duckdb-{kind}-{codec}.parquet")
                whole = pa.table({**{name: pa.array(column) for name, column in columns.items()}, "kind": pa.array(WORDS)})
                duckdb.register("whole", whole)
                duckdb.sql(f"COPY (SELECT * FROM whole) TO '{path}' (FORMAT parquet, COMPRESSION {codec})")
                duckdb.unregister("whole")
                add(path, kind, ["DuckDB", called], "polars", "polars")

    # Encodings of Arrow's.
    for kind, encoding in [("float32", "BYTE_STREAM_SPLIT"), ("float64", "BYTE_STREAM_SPLIT"), ("float64", "PLAIN"),
                           ("int32", "DELTA_BINARY_PACKED"), ("int64", "DELTA_BINARY_PACKED"), ("uint8", "PLAIN")]:
        path = place(f"parquet/encoded-{kind}-{encoding}.parquet")
        values = matrix(kind)
        table = pa.table({**{name: values[:, at] for at, name in enumerate(NAMES)}, "kind": pa.array(WORDS)})
        encodings = {**dict.fromkeys(NAMES, encoding), "kind": "DELTA_BYTE_ARRAY"}
        pq.write_table(table, path, use_dictionary=False, column_encoding=encodings)
        add(path, kind, [encoding], "polars", "polars", what="parquet, encodings of Arrow")

    for called, kind in [("DECIMAL(9, 2)", pa.decimal128(9, 2)), ("DECIMAL(18, 4)", pa.decimal128(18, 4))]:
        path = place(f"parquet/decimal-{kind.precision}.parquet")
        numbers = [1, -1, 0, 12345, -99999, 7, 250]
        column = [pa.scalar(number, pa.int64()).cast(pa.decimal128(19, 0)).cast(kind).as_py() / 4 for number in numbers]
        table = pa.table({"x0": pa.array([value.quantize(value.__class__(10) ** -kind.scale) for value in column], kind)})
        pq.write_table(table, path)
        read = pl.read_parquet(path)["x0"].to_list()
        case(path, "parquet", "parquet, decimals", "decimal", [called], "polars", np.array([[float(value)] for value in read]))

    # A column of lists.
    for kind in FLOATS + ["uint8", "int64"]:
        values = matrix(kind)
        flat = pa.array(values.ravel())
        lists = {
            "list": pa.ListArray.from_arrays(np.arange(0, ROWS * COLUMNS + 1, COLUMNS, dtype=np.int32), flat),
            "large list": pa.LargeListArray.from_arrays(np.arange(0, ROWS * COLUMNS + 1, COLUMNS), flat),
            "list of fixed size": pa.FixedSizeListArray.from_arrays(flat, COLUMNS),
        }
        for called, column in lists.items():
            for codec, packing in [("none", "none"), ("snappy", "Snappy"), ("zstd", "Zstandard")]:
                path = place(f"parquet/lists-{kind}-{called}-{codec}.parquet")
                table = pa.table({"embedding": column, "kind": pa.array(NUMBERS), "name": pa.array(WORDS)})
                pq.write_table(table, path, compression=codec, row_group_size=3)
                reader = "Arrow" if kind == "float16" else "polars"
                read = pl.read_parquet(path) if reader == "polars" else pq.read_table(path)
                rows = read["embedding"].to_list() if reader == "polars" else read["embedding"].to_pylist()
                case(path, "parquet", "parquet, lists", kind, ["Arrow", called, packing], reader,
                     np.array(rows, dtype=values.dtype), read["kind"].to_numpy().tolist(),
                     ["columns=embedding", "labels=kind"])
    for kind in ["float32", "float64"]:
        for called, of in [("array", pl.Array), ("list", pl.List)]:
            path = place(f"parquet/polars-{called}-{kind}.parquet")
            dtype = pl.Float32 if kind == "float32" else pl.Float64
            dtype = of(dtype, COLUMNS) if of is pl.Array else of(dtype)
            pl.DataFrame({"embedding": pl.Series(matrix(kind).tolist(), dtype=dtype), "kind": WORDS}).write_parquet(path)
            read = pq.read_table(path)
            case(path, "parquet", "parquet, lists", kind, ["polars", called, "Zstandard"], "Arrow",
                 np.array(read["embedding"].to_pylist()), read["kind"].to_pylist(), ["columns=embedding", "labels=kind"])

    # Labels of other kinds.
    base = {name: matrix("float32")[:, at] for at, name in enumerate(NAMES)}
    for called, column in [("numbers", pa.array(NUMBERS)), ("booleans", pa.array(NUMBERS > 0)),
                           ("8-bit numbers", pa.array(np.abs(NUMBERS).astype("uint8"))), ("fractions", pa.array(TARGETS)),
                           ("large strings", pa.array(WORDS, pa.large_string())), ("string views", pa.array(WORDS.tolist(), pa.string_view()))]:
        path = place(f"parquet/labels-{called}.parquet")
        pq.write_table(pa.table({**base, "kind": column}), path)
        read = pq.read_table(path)["kind"].to_pylist()
        case(path, "parquet", "parquet, labels", "float32", [called], "Arrow",
             np.column_stack([pq.read_table(path)[name].to_numpy() for name in NAMES]), read, ["labels=kind"])

    words = {**base, "kind": pa.array(WORDS)}
    for name, table, options, message in [
        ("brotli", words, {"compression": "brotli"}, "brotli"),
        ("null", {"x": pa.array([1.0, None])}, {}, "null"),
        ("NaN", {"x": pa.array([1.0, float("nan")])}, {}, "x"),
        ("2^53 + 1", {"x": pa.array([2**53 + 1])}, {}, "9007199254740993"),
        ("dates", {"x": pa.array([1], pa.date32())}, {}, "Date32"),
        ("lists of other lengths", {"x": pa.array([[1.0], [1.0, 2.0]])}, {}, "x"),
        ("words", words, {}, "it holds words"),
    ]:
        path = place(f"parquet/refused-{name}.parquet")
        pq.write_table(pa.table(table), path, **options)
        case(path, "parquet", "parquet", "refused", [name], "", refused=message)


def digits(kind):
    """As many as tell all numbers apart. After more of a 32-bit float, SciPy 1.17 writes zero bytes, and crashes on them."""
    return 8 if kind == "float32" else 17


# --- Matrix Market -------------------------------------------------------------------------------------------------


def mtx():
    labels = place("mtx/labels.txt")
    labels.write_text("".join(f"{word.replace(',', '')}\n" for word in WORDS))
    words = pd.read_csv(labels, header=None, sep="\t")[0].tolist()

    def add(path, element, layout, is_sparse):
        # SciPy adds values to zeros, of which a negative zero becomes a positive one.
        for packed in [False, True]:
            read = scipy.io.mmread(path)
            read = read.toarray() if sp.issparse(read) else read
            file = zipped(path) if packed else path
            packing = "gzip" if packed else "plain"
            case(file, "mtx", "mtx", element, [layout, packing, "samples a row"], "SciPy", read,
                 words if len(read) == ROWS else None, [f"labels=file:{labels}"] if len(read) == ROWS else [], is_sparse)
            case(file, "mtx", "mtx", element, [layout, packing, "features a row"], "SciPy", read.T, None,
                 ["rows=features"], is_sparse)

    for kind, element, field in [("float64", "real", "real"), ("float32", "real", "real"), ("int64", "integer", "integer"),
                                 ("uint8", "integer", "integer"), ("uint32", "unsigned-integer", "unsigned-integer"),
                                 ("uint64", "unsigned-integer", "unsigned-integer"), ("bool", "pattern", "pattern")]:
        path = place(f"mtx/coordinate-{kind}.mtx")
        scipy.io.mmwrite(path, sp.coo_matrix(sparse(kind)), field=None if kind.startswith("uint") else field, precision=digits(kind), symmetry="general")
        add(path, element, "coordinate", True)
        if field != "pattern":
            path = place(f"mtx/array-{kind}.mtx")
            scipy.io.mmwrite(path, matrix(kind), field=None if kind.startswith("uint") else field, precision=digits(kind), symmetry="general")
            add(path, element, "array", False)
    for sign, symmetry in [(1, "symmetric"), (-1, "skew-symmetric")]:
        for kind, element in [("float64", "real"), ("int32", "integer")]:
            square = np.tril(sparse(kind)[:5] // 4 if kind == "int32" else sparse(kind)[:5], -1)
            square = square + sign * square.T
            path = place(f"mtx/{symmetry}-coordinate-{kind}.mtx")
            scipy.io.mmwrite(path, sp.coo_matrix(square), precision=17, symmetry=symmetry)
            add(path, element, symmetry, True)
            path = place(f"mtx/{symmetry}-array-{kind}.mtx")
            scipy.io.mmwrite(path, square, precision=17, symmetry=symmetry)
            case(path, "mtx", "mtx", "refused", [f"{symmetry} array"], "", refused="as `array` (general")

    # Folders of 10x: genes × cells.
    counts = sparse("uint8")
    for name, features, packed in [("v2", "genes.tsv", False), ("v3", "features.tsv", True), ("v3-plain", "features.tsv", False)]:
        folder = directory / f"mtx/{name}"
        folder.mkdir(parents=True)
        scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(counts.T), field="integer")
        extra = "" if features == "genes.tsv" else "\tGene Expression"
        (folder / features).write_text("".join(f"ENSG{at}\tgene {at}{extra}\n" for at in range(COLUMNS)))
        (folder / "barcodes.tsv").write_text("".join(f"AAAC{at}-1\n" for at in range(ROWS)))
        # What scanpy reads is always packed where it is of version 3.
        by_scanpy = features == "genes.tsv" or packed
        if packed:
            for file in list(folder.iterdir()):
                zipped(file)
                file.unlink()
        read = sc.read_10x_mtx(folder).X.toarray() if by_scanpy else scipy.io.mmread(folder / "matrix.mtx").toarray().T
        case(folder, "mtx", "mtx, folder of 10x", "integer", [features, "gzip" if packed else "plain"],
             "scanpy" if by_scanpy else "SciPy", read, words, [f"labels=file:{labels}"], True)

    path = place("mtx/refused-complex.mtx")
    scipy.io.mmwrite(path, sp.coo_matrix(np.array([[1j]])))
    case(path, "mtx", "mtx", "refused", ["complex"], "", refused="complex")
    path = place("mtx/refused-index.mtx")
    path.write_text("%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1.0\n")
    case(path, "mtx", "mtx", "refused", ["an index beyond the sizes"], "", refused="line 3")


# --- h5ad ----------------------------------------------------------------------------------------------------------


def cells(x, **more):
    obs = pd.DataFrame({
        "category": pd.Categorical(WORDS), "words": WORDS.astype(object), "numbers": NUMBERS, "fractions": TARGETS,
        "booleans": NUMBERS > 0, "numbered categories": pd.Categorical(NUMBERS),
        "ordered": pd.Categorical(WORDS, categories=sorted(set(WORDS), reverse=True), ordered=True),
        "nullable": pd.array(NUMBERS, dtype="Int64"), "nullable booleans": pd.array(NUMBERS > 0, dtype="boolean"),
        "strings": pd.array(WORDS, dtype="string"),
        "gap": pd.Categorical(["a", None, "b", "a", "a", "b", "a"]),
    }, index=[f"cell {at}" for at in range(ROWS)])
    var = pd.DataFrame(index=[f"gene {at}" for at in range(x.shape[1])])
    return anndata.AnnData(x, obs=obs, var=var, **more)


def h5ad():
    columns = ["category", "words", "numbers", "fractions", "booleans", "numbered categories", "ordered", "nullable",
               "nullable booleans", "strings"]
    makes = {"dense": (matrix, np.asarray, False), "csr": (sparse, sp.csr_matrix, True), "csc": (sparse, sp.csc_matrix, True),
             "csr array": (sparse, sp.csr_array, True)}

    def number(value):
        return str(value) if isinstance(value, str) else float(value)

    def add(path, element, layout, place_, arguments, column, is_sparse, what="h5ad"):
        read = anndata.read_h5ad(path)
        x = place_(read)
        x = x.toarray() if sp.issparse(x) else np.asarray(x)
        labels = None if column is None else [number(value) for value in read.obs[column].tolist()]
        arguments = [*arguments, *([f"labels={column}"] if column else [])]
        case(path, "h5ad", what, element, layout, "anndata", x, labels, arguments, is_sparse)

    turn = 0
    for kind in ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "float16"]:
        for layout, (make, into, is_sparse) in makes.items():
            if kind == "float16" and is_sparse:
                continue
            for packing in [None, "gzip", "lzf"]:
                path = place(f"h5ad/{kind}-{layout}-{packing}.h5ad")
                cells(into(make(kind))).write_h5ad(path, compression=packing)
                if packing == "lzf":
                    case(path, "h5ad", "h5ad", "refused", ["lzf"], "", refused="32000 is lzf")
                    continue
                column = columns[turn % len(columns)]
                turn += 1
                add(path, kind, [layout, packing or "none"], lambda read: read.X, [], column, is_sparse)

    # The other matrices, and all columns.
    for packing in [None, "gzip"]:
        path = place(f"h5ad/all-{packing}.h5ad")
        whole = cells(sp.csr_matrix(sparse("float32")), layers={"counts": sp.csr_matrix(sparse("uint16")), "dense": matrix("float64")},
                      obsm={"X_pca": matrix("float64", ROWS, 3), "sparse": sp.csr_matrix(sparse("float32"))})
        whole.raw = cells(sp.csc_matrix(sparse("float32", ROWS, 9)))
        whole.write_h5ad(path, compression=packing)
        packing = packing or "none"
        for column in columns:
            add(path, "float32", [column, packing], lambda read: read.X, [], column, True, "h5ad, columns of obs")
        add(path, "float32", ["`raw/X`", packing], lambda read: read.raw.X, ["matrix=raw/X"], "category", True, "h5ad, `matrix`")
        add(path, "uint16", ["`layers`", packing], lambda read: read.layers["counts"], ["matrix=layers/counts"], None, True, "h5ad, `matrix`")
        add(path, "float64", ["`layers`", packing], lambda read: read.layers["dense"], ["matrix=layers/dense"], None, False, "h5ad, `matrix`")
        add(path, "float64", ["`obsm`", packing], lambda read: read.obsm["X_pca"], ["matrix=obsm/X_pca"], None, False, "h5ad, `matrix`")
        add(path, "float32", ["`obsm` sparse", packing], lambda read: read.obsm["sparse"], ["matrix=obsm/sparse"], None, True, "h5ad, `matrix`")
        case(path, "h5ad", "h5ad", "refused", ["a missing category"], "", arguments=["labels=gap"], refused="cell 1 (from 0)")
        case(path, "h5ad", "h5ad", "refused", ["no such matrix"], "", arguments=["matrix=layers/none"], refused="layers/counts")

    # Chunks that do not divide the matrix, with the filters that h5py has besides.
    for called, options in [("none", {}), ("gzip", {"compression": "gzip"}),
                            ("gzip + shuffle + Fletcher32", {"compression": "gzip", "shuffle": True, "fletcher32": True})]:
        for kind in ["float32", "float64", "int32"]:
            path = place(f"h5ad/chunks-{called}-{kind}.h5ad")
            cells(matrix(kind)).write_h5ad(path)
            with h5py.File(path, "r+") as file:
                attributes = dict(file["X"].attrs)
                del file["X"]
                data = file.create_dataset("X", data=matrix(kind), chunks=(3, 2), **options)
                data.attrs.update(attributes)
            add(path, kind, ["chunks of 3 × 2", called], lambda read: read.X, [], "category", False, "h5ad, by h5py")
    # The format of HDF5 1.10 and later.
    for kind in ["float32", "int64"]:
        path = place(f"h5ad/latest-{kind}.h5ad")
        with h5py.File(path, "w", libver="latest") as file:
            from anndata.io import write_elem
            write_elem(file, "/", cells(sp.csr_matrix(sparse(kind))))
        add(path, kind, ["csr"], lambda read: read.X, [], "category", True, "h5ad, HDF5 of version 1.10 on")

    # Counts of Cell Ranger.
    path = place("h5ad/cellranger.h5")
    # Numbers that a 32-bit float has: scanpy makes such of them.
    counts = sp.csc_matrix(sparse("uint8").T.astype("int32"))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name, data in [("data", counts.data), ("indices", counts.indices.astype("int64")), ("indptr", counts.indptr.astype("int64")),
                           ("shape", np.array(counts.shape, dtype="int32")), ("barcodes", np.array([b"AAAC%d-1" % at for at in range(ROWS)]))]:
            group.create_dataset(name, data=data, compression="gzip")
        features = group.create_group("features")
        for name, word in [("id", "ENSG"), ("name", "gene"), ("feature_type", "Gene Expression"), ("genome", "GRCh38")]:
            features.create_dataset(name, data=np.array([f"{word}{at if name in ('id', 'name') else ''}".encode() for at in range(COLUMNS)]))
        features.create_dataset("_all_tag_keys", data=np.array([b"genome"]))
    case(path, "h5ad", "h5ad, .h5 of Cell Ranger", "int32", ["gzip"], "scanpy", sc.read_10x_h5(path).X.toarray(), is_sparse=True)

    # What comes with scanpy: 700 cells.
    path = Path(sc.__file__).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
    for at, of, column, is_sparse in [("X", lambda read: read.X, "bulk_labels", False), ("raw/X", lambda read: read.raw.X, "louvain", True),
                                      ("obsm/X_pca", lambda read: read.obsm["X_pca"], "n_genes", False),
                                      ("obsm/X_umap", lambda read: read.obsm["X_umap"], "percent_mito", False)]:
        x = of(anndata.read_h5ad(path))
        add(path, x.dtype.name, [f"`{at}`"], of, [f"matrix={at}"], column, is_sparse, "h5ad, scanpy's own file")


# --- idx -----------------------------------------------------------------------------------------------------------


def idx():
    kinds = [(0x08, "uint8"), (0x09, "int8"), (0x0B, "int16"), (0x0C, "int32"), (0x0D, "float32"), (0x0E, "float64")]

    def write(path, code, array):
        dimensions = b"".join(struct.pack(">I", size) for size in array.shape)
        path.write_bytes(bytes([0, 0, code, array.ndim]) + dimensions + array.astype(array.dtype.newbyteorder(">")).tobytes())

    def read(path, kind):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = struct.unpack_from(f">{data[3]}I", data, 4)
        return np.frombuffer(data, np.dtype(kind).newbyteorder(">"), offset=4 + 4 * data[3]).reshape(shape)

    for code, kind in kinds:
        labels = place(f"idx/labels-{kind}.idx")
        write(labels, code, np.abs(NUMBERS).astype(kind))
        for shape in [(7, 5), (7, 5, 1), (7, 1, 5, 1)]:
            path = place(f"idx/{kind}-{len(shape)}.idx")
            write(path, code, matrix(kind).reshape(shape))
            for file, of in [(path, labels), (zipped(path), zipped(labels))]:
                case(file, "idx", "idx", kind, [f"{len(shape)} dimensions", "gzip" if file != path else "plain"], "NumPy",
                     read(file, kind).reshape(ROWS, COLUMNS), read(of, kind).tolist(), [f"labels=file:{of}"])
    path = place("idx/refused-cut.idx")
    write(path, 8, matrix("uint8"))
    path.write_bytes(path.read_bytes()[:-1])
    case(path, "idx", "idx", "refused", ["cut short"], "", refused="cut")


# --- Files of many blocks --------------------------------------------------------------------------------------------


def large():
    """So many values that every reader takes several blocks, chunks, batches and groups of columns."""
    values = np.random.default_rng(5).normal(size=(2500, 300)).astype("float32")
    names = [f"x{at}" for at in range(values.shape[1])]
    labels = [f"class {at % 7}" for at in range(len(values))]

    def add(path, source, layout, by, inputs, is_sparse=False, arguments=()):
        case(path, source, "larger, 2,500 × 300", "float32", [f"{source} {layout}".strip()], by, inputs, arguments=arguments, is_sparse=is_sparse)

    for order in ["C", "Fortran"]:
        path = place(f"large/{order}.npy")
        np.save(path, np.array(values, order=order[0]))
        add(path, "npy", f"in {order} order", "NumPy", np.load(path))
        path = place(f"large/{order}.npz")
        np.savez_compressed(path, X=np.array(values, order=order[0]))
        add(path, "npz", f"in {order} order", "NumPy", np.load(path)["X"])
    path = place("large/table.csv")
    pd.DataFrame(values, columns=names).assign(kind=labels).to_csv(path, index=False)
    read = pd.read_csv(path, float_precision="round_trip")
    case(zipped(path), "csv", "larger, 2,500 × 300", "float32", ["csv gzip"], "pandas", read[names], labels, ["labels=kind"])
    frame = pl.DataFrame(values, schema=names)
    for size in [700, 2500]:
        path = place(f"large/columns-{size}.parquet")
        frame.write_parquet(path, row_group_size=size, data_page_size=4000)
        add(path, "parquet", f"in row groups of {size}", "Arrow", np.column_stack([column.to_numpy() for column in pq.read_table(path)]))
    path = place("large/lists.parquet")
    pl.DataFrame({"x": pl.Series(values.tolist(), dtype=pl.List(pl.Float32))}).write_parquet(path, row_group_size=1200)
    add(path, "parquet", "lists", "Arrow", np.array(pq.read_table(path)["x"].to_pylist()))
    few = np.where(values > 1, values, np.float32(0))
    path = place("large/few.mtx")
    scipy.io.mmwrite(path, sp.coo_matrix(few), precision=digits("float32"))
    add(zipped(path), "mtx", "gzip", "SciPy", scipy.io.mmread(path).toarray(), True)
    for layout, x in [("dense", values), ("csr", sp.csr_matrix(few)), ("csc", sp.csc_matrix(few))]:
        for packing in [None, "gzip"]:
            path = place(f"large/{layout}-{packing}.h5ad")
            anndata.AnnData(x).write_h5ad(path, compression=packing)
            read = anndata.read_h5ad(path).X
            add(path, "h5ad", f"{layout} {packing or ''}", "anndata", read.toarray() if sp.issparse(read) else read, sp.issparse(read))


for make in [npy, npz, text, parquet, mtx, h5ad, idx, large]:
    make()
with open(directory / "cases.jsonl", "w") as file:
    file.writelines(json.dumps(one) + "\n" for one in cases)
versions = {module.__name__: module.__version__ for module in [np, pd, pl, pa, duckdb, scipy, anndata, sc, h5py]}
(directory / "versions.json").write_text(json.dumps(versions))
print(f"{len(cases)} files and readings in {directory}")
