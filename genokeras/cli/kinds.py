"""What a file or folder holds: genes, sequences, images or texts; decided quickly, by names and first lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import itertools
import json
import lzma
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from genokeras.cli.group import Failure

GENES, SEQUENCES, IMAGES, TEXTS = KINDS = ("genes", "sequences", "images", "texts")
_FIRST_WORDS = {"Genome": GENES, "Sequence": SEQUENCES, "Image": IMAGES, "Text": TEXTS}

# The same as in the readers, which take seconds to import; a test compares them.
FASTA_SUFFIXES = (".fa", ".fasta", ".fna", ".ffn", ".fas", ".fastq", ".fq")
PACKED_SUFFIXES = (".gz", ".bz2", ".xz")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SEQUENCE_COLUMNS = ("sequence", "sequences", "seq", "dna", "rna")
TEXT_COLUMNS = ("text", "texts", "sentence", "message", "document", "review")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
COUNT_NAMES = (
    "matrix.mtx",
    "quant.sf",
    "quant.genes.sf",
    "abundance.tsv",
    "readspergene.out.tab",
    ".genes.results",
    ".counts",
)

_LABELS = ("label", "labels")
_UNPACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
# Columns of numbers that may stand beside a sequence or a text; with more, the table may be one of genes.
MOST_NUMBERS = 8
_ROWS = 5
_CHARACTERS = 1_000_000


def _bare_name(path: Path) -> str:
    name = path.name.lower()
    return next((name.removesuffix(end) for end in PACKED_SUFFIXES if name.endswith(end)), name)


def kind_of(estimator: object) -> str:
    """The kind of samples that an estimator or an exported model is for."""
    name = str(getattr(estimator, "reads", type(estimator).__name__))
    return next(kind for word, kind in _FIRST_WORDS.items() if name.startswith(word))


def find_kind(data: Path, delimiter: str | None = None, known: Collection[str | None] = ()) -> str:
    """Tell what DATA holds.

    Parameters
    ----------
    data : Path
        A file or folder; what is not there counts as genes, whose reader says so.
    delimiter : str, optional
        What separates the fields of a text file.
    known : collection of str or None
        Columns of labels and groups, which are not among the numbers of a table.

    Raises
    ------
    Failure
        If it may be one or the other, or a folder holds neither images nor texts; the message names ``--kind``.
    """
    if data.is_dir():
        return _kind_of_folder(data)
    name = _bare_name(data)
    if name.endswith(FASTA_SUFFIXES):
        return SEQUENCES
    if "-idx" in name or ".idx" in name or name.endswith(("ubyte", *IMAGE_SUFFIXES)):
        return IMAGES
    if not data.is_file():
        return GENES
    try:
        columns = _first_rows(data, Path(name).suffix, delimiter)
    except (OSError, EOFError, ValueError, RecursionError, csv.Error, lzma.LZMAError, zlib.error):
        return GENES  # damaged: the reader says how
    return GENES if columns is None else _kind_of_columns(data, columns, known)


def _kind_of_folder(folder: Path) -> str:
    images = texts = False
    if _holds_counts(folder):
        return GENES
    for file in importlib.import_module("genokeras.support.walking").shown_files(folder):
        images = images or file.name.lower().endswith(IMAGE_SUFFIXES)
        texts = texts or file.name.lower().endswith(".txt")
        if images and texts:
            raise Failure(
                f"{folder} holds both images and .txt files: say which with --kind images or --kind texts."
            )
    if not images and not texts:
        raise Failure(
            f"{folder} is a folder without images, .txt files, matrix.mtx or counts. Give a file, or a folder with a folder of "
            "images or texts for each class."
        )
    return IMAGES if images else TEXTS


def _holds_counts(folder: Path) -> bool:
    """Whether it is a 10x folder, or a sample's counts lie in it or in a folder of it."""
    found = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_file()]
    if any(_bare_name(path).endswith(COUNT_NAMES) for path in found):
        return True
    first = next((path for path in sorted(found) if _bare_name(path).endswith((".txt", ".tsv"))), None)
    return first is not None and _counts_genes(first)


def _counts_genes(file: Path) -> bool:
    """Whether the lines are a gene and how often it was read, as HTSeq writes them."""
    try:
        with _opened(file) as lines:
            rows = [line.rstrip("\r\n").split("\t") for line in itertools.islice(lines, _ROWS)]
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
        return False
    return len(rows) > 1 and all(
        len(row) == 2 and row[1].isdecimal() and not row[0].isdecimal() for row in rows
    )


def _kind_of_columns(data: Path, columns: dict[str, list[Any]], known: Collection[str | None]) -> str:
    words = {name.strip().lower(): name for name, values in columns.items() if _are_words(values)}
    found = {
        kind: next((words[name] for name in usual if name in words), None)
        for kind, usual in ((SEQUENCES, SEQUENCE_COLUMNS), (TEXTS, TEXT_COLUMNS))
    }
    there = {kind: column for kind, column in found.items() if column is not None}
    if not there:
        if _bare_name(data).endswith(JSON_SUFFIXES):
            raise Failure(
                f"{data.name} has neither sequences nor texts under a usual name, such as 'sequence' or 'text': it has "
                f"{', '.join(columns) or 'nothing'}. Say what it holds with --kind, and rename what holds it."
            )
        return GENES
    if len(there) > 1:
        raise Failure(
            f"{data.name} has a column {found[SEQUENCES]!r} and a column {found[TEXTS]!r}: say which it is about with "
            "--kind sequences or --kind texts."
        )
    (kind, column), beside = there.popitem(), {*known, *_LABELS}
    numbers = [name for name, values in columns.items() if name not in beside and _are_numbers(values)]
    if len(numbers) > MOST_NUMBERS:
        raise Failure(
            f"{data.name} has a column {column!r} and {len(numbers)} columns of numbers: say what it is about with --kind {kind} "
            "or --kind genes."
        )
    return kind


def _are_words(values: Sequence[Any]) -> bool:
    return any(value not in ("", None) and not _is_number(value) for value in values)


def _are_numbers(values: Sequence[Any]) -> bool:
    there = [value for value in values if value not in ("", None)]
    return bool(there) and all(_is_number(value) for value in there)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


# ---- the first rows of a table, column by column


def _first_rows(data: Path, suffix: str, delimiter: str | None) -> dict[str, list[Any]] | None:
    """None of a file that cannot hold sequences or texts."""
    if suffix == ".parquet":
        return _from_parquet(data)
    if suffix not in (".csv", ".tsv", ".txt", *JSON_SUFFIXES):
        return None
    with _opened(data) as lines:
        return _from_json(lines) if suffix in JSON_SUFFIXES else _from_text(lines, suffix, delimiter)


def _opened(data: Path) -> TextIO:
    # Some files are packed and not called so.
    with data.open("rb") as raw:
        start = raw.read(6)
    opener = next((opener for mark, opener in _UNPACKERS.items() if start.startswith(mark)), open)
    text: TextIO = opener(data, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return text


def _from_text(lines: TextIO, suffix: str, delimiter: str | None) -> dict[str, list[Any]]:
    header, below = _header(lines)
    separator = delimiter or {".csv": ",", ".tsv": "\t"}.get(suffix, "")
    if len(separator) != 1 or separator not in header:
        separator = max(",\t;", key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in _limited(csv.reader(below, delimiter=separator)):
        for name, value in zip(names, row, strict=False):
            columns[name].append(value.strip())
    return columns


def _header(lines: Iterable[str]) -> tuple[str, Iterator[str]]:
    """The header and the lines below: the first one without ``#``, or the last one with it where only that names sequences or texts."""
    above, rest = "", iter(lines)
    for line in rest:
        if line.startswith("#"):
            above = line.lstrip("#").lstrip()
        elif above and _names_content_of(above, line):
            return above, itertools.chain([line], rest)
        elif line.strip():
            return line, rest
    return above, rest


def _names_content_of(above: str, line: str) -> bool:
    """Whether a line names sequences or texts, and as many columns as the one below it, which names none."""
    separator = max(",\t;", key=above.count)
    names, below = (
        [name.strip().lower() for name in next(csv.reader([text], delimiter=separator), [])]
        for text in (above, line)
    )
    usual = {*SEQUENCE_COLUMNS, *TEXT_COLUMNS}
    return len(names) == len(below) and not usual.isdisjoint(names) and usual.isdisjoint(below)


def _limited(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The first rows; fewer where the quotes or fields of one are odd."""
    for _ in range(_ROWS):
        try:
            yield next(rows)
        except (StopIteration, csv.Error):
            return


def _from_json(lines: TextIO) -> dict[str, list[Any]]:
    text = lines.read(_CHARACTERS).lstrip("[ \t\r\n")
    first = json.JSONDecoder().raw_decode(text)[0]
    return {str(name): [value] for name, value in first.items()} if isinstance(first, dict) else {}


def _from_parquet(data: Path) -> dict[str, list[Any]]:
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        schema = importlib.import_module("pyarrow.parquet").read_schema(data)
    except ImportError as error:
        from genokeras.support.extras import needs

        raise Failure(f"{data.name}: {needs('reading parquet', 'pyarrow', 'parquet')}.") from error
    number = (pyarrow.types.is_integer, pyarrow.types.is_floating)
    return {field.name: [0.0 if any(is_(field.type) for is_ in number) else "text"] for field in schema}
