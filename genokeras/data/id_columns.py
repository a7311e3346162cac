"""Which column of a table names its rows: by what it is called, and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from genokeras.data.numerals import to_numbers

ID_NAMES = frozenset(
    [
        "sample",
        "samples",
        "id",
        "ids",
        "sample_id",
        "sampleid",
        "sample_name",
        "sample_ids",
        "cell",
        "cells",
        "cell_id",
        "cellid",
        "barcode",
        "barcodes",
        "index",
        "idx",
        "rownames",
        "row_names",
        "row",
        "unnamed",
        "patient",
        "patient_id",
        "geo_accession",
        "gene",
        "genes",
        "gene_id",
        "gene_name",
        "gene_symbol",
        "symbol",
        "name",
        "probe",
        "probe_id",
        "feature",
    ]
)
# Words that names of ids are made of, such as "Patient No", "hospital_number" or "SampleID"; no gene is called like that.
_SAMPLES = (
    "samples?|patient(?:en|s)?|subjects?|participants?|individuals?|donors?|persons?|proband|specimen|aliquot|animals?|"
    "cells?|records?|rows?|observations?|obs|cases?|tumou?r|tissue|biopsy|library|hospital|lab|study|run|slide|array|chip|"
    "serial|geo|gsm"
)
_GENES = (
    "genes?|entrez|ensembl|hugo|hgnc|symbols?|probes?|probesets?|transcripts?|ncbi|refseq|locus|orf|features?|targets?|"
    "reporters?|proteins?|uniprot|mirna|cpg"
)
_MARKS = (
    "ids?|no|nr|num|numbers?|nummer|index|idx|codes?|keys?|names?|accession|barcodes?|uuid|mrn|identifiers?"
)
# There are genes called IDS and NONO.
_ALONE = "id|no|nr|num|number|index|idx|name|accession|barcode|uuid|mrn|identifier"
_OF_SAMPLES, _OF_GENES = (
    re.compile(f"(?:{_MARKS})*(?:{words})(?:{words}|{_MARKS})*|{_ALONE}") for words in (_SAMPLES, _GENES)
)
_MARK = re.compile(f"(?:{_MARKS})$")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(?:[-.][A-Z0-9]+)*")
# Fewer rows count up by chance.
FEWEST_ROWS = 10
_FEW_ROWS = 3
_LONGEST_NAME = 60


def names_in_index(index: pd.Index) -> tuple[str, ...] | None:
    """The names of rows that an index holds; None where it only counts them."""
    default = index.equals(pd.RangeIndex(len(index))) and index.dtype.kind in "iu"
    return None if default or not len(index) else tuple(flat_name(name) for name in index)


def flat_name(name: object) -> str:
    """A name of several levels as one."""
    return "/".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


def is_usual_id_name(name: str) -> bool:
    """Whether a column of this name holds ids, unless its values have fractions; a blank name does."""
    plain = re.sub(r"[\s.\-:]+", "_", name.strip().lower()).strip("_")
    return not plain or plain in ID_NAMES or plain.startswith("unnamed")


def id_column(names: Iterable[str]) -> str | None:
    """The first column that is called as ids are, in any case; None where none is."""
    return next((name for name in names if name.lower() in ID_NAMES), None)


def is_id_name(name: str, *, of_genes: bool = False) -> bool:
    """Whether a name is made of words that ids are called by: ``Patient No``, or of genes ``Entrez_Gene_Id``."""
    letters = re.sub(r"[\s.\-:_#]+", "", name.lower())
    return 0 < len(letters) <= _LONGEST_NAME and bool(
        (_OF_GENES if of_genes else _OF_SAMPLES).fullmatch(letters)
    )


def find_ids(
    names: Sequence[str], frame: pd.DataFrame, known: Collection[str], *, of_genes: bool
) -> int | None:
    """Return the position of the column of ids, if the first one is such a column.

    Parameters
    ----------
    names : sequence of str
    frame : DataFrame
        Its columns are positions.
    known : collection of str
        Columns that are something else, such as the labels.
    of_genes : bool
        The rows are genes.
    """
    first = next((i for i in range(min(len(names), 3)) if names[i] not in known), None)
    if first is None or len(names) < 2 or not len(frame):
        return None
    column, name = frame.iloc[:, first], names[first]
    if is_usual_id_name(name):
        return None if column.isna().all() or _has_fractions(column) else first
    whole = whole_numbers(column)
    if is_id_name(name, of_genes=of_genes) and _tells_apart(column, whole):
        enough = len(column) >= _FEW_ROWS or _MARK.search(name.strip().lower()) is not None
        return first if enough else None
    if whole is None or len(whole) < FEWEST_ROWS or _like_a_gene(name, names, first):
        return None
    alike = is_unique if of_genes else counts_rows
    if not alike(whole):
        return None
    others = [i for i in range(len(names)) if i != first][:50]
    as_well = sum((found := whole_numbers(frame.iloc[:, i])) is not None and alike(found) for i in others)
    return first if 2 * as_well <= len(others) else None


def numbering(names: Sequence[str], frame: pd.DataFrame, known: Collection[str]) -> list[int]:
    """Positions of columns that are called like ids and hold another whole number for every sample."""
    called = [i for i, name in enumerate(names) if name not in known and name and is_id_name(name)]
    found = []
    for i in called:
        whole = whole_numbers(frame.iloc[:, i])
        if whole is not None and len(whole) >= _FEW_ROWS and is_unique(whole):
            found.append(i)
    return found


def whole_numbers(column: pd.Series) -> np.ndarray | None:
    """The values of a column as int64; None where one is missing, has a fraction, or is no number."""
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        if len(column) and _is_word(column.iat[0]):
            return None
        column = pd.Series(to_numbers(column))
    elif not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return None
    if not len(column) or column.dtype.kind == "c" or column.isna().any():
        return None
    values = column.to_numpy(dtype=np.float64)
    if not (
        np.isfinite(values).all() and (np.abs(values) < 2**53).all() and (values == np.rint(values)).all()
    ):
        return None
    return values.astype(np.int64)


def _is_word(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False


def is_unique(whole: np.ndarray) -> bool:
    """Whether no value repeats."""
    return len(np.unique(whole)) == len(whole)


def counts_rows(whole: np.ndarray) -> bool:
    """Whether values are consecutive whole numbers, each once, in any order."""
    return int(whole.max()) - int(whole.min()) == len(whole) - 1 and is_unique(whole)


def _has_fractions(column: pd.Series) -> bool:
    if column.dtype.kind != "f":
        return False
    values = column.dropna().to_numpy()
    return bool((values != np.rint(values)).any())


def _tells_apart(column: pd.Series, whole: np.ndarray | None) -> bool:
    if column.isna().any() or not column.is_unique:
        return False
    return whole is not None or not pd.api.types.is_numeric_dtype(column.dtype)


def _like_a_gene(name: str, names: Sequence[str], position: int) -> bool:
    """Whether a name could be that of a gene: a symbol, anything with digits in it, or in the pattern of the other names."""
    if _SYMBOL.fullmatch(name) or any(letter.isdigit() for letter in name):
        return True
    others = [_pattern(other) for i, other in enumerate(names[:200]) if i != position]
    return others.count(_pattern(name)) > len(others) / 2


def _pattern(name: str) -> str:
    return re.sub(r"\d+", "0", name)
