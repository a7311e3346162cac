"""What counters of reads write: featureCounts, HTSeq, STAR, salmon, kallisto and RSEM; a sample a file, or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.frames import table_from_frame
from genokeras.data.numerals import ROUND_TRIP, to_numbers
from genokeras.data.readers.delimited import read_named, text_errors
from genokeras.data.readers.opening import bare_name, open_text
from genokeras.data.table import ReadOptions, Table, to_float32
from genokeras.errors import DataFileError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, listed

# Rows of HTSeq and STAR that count the reads which belong to no gene.
SUMMARY_ROWS = frozenset(
    [
        "__no_feature",
        "__ambiguous",
        "__too_low_aQual",
        "__not_aligned",
        "__alignment_not_unique",
        "N_unmapped",
        "N_multimapping",
        "N_noFeature",
        "N_ambiguous",
    ]
)
_FEATURE_COUNTS = ("Chr", "Start", "End", "Strand", "Length")


@dataclass(frozen=True)
class _Layout:
    """The columns of a file that holds one sample."""

    tool: str
    header: tuple[str, ...] | None
    values: dict[str, int]
    """The positions of the columns that can be read, the usual one first."""
    file_names: tuple[str, ...] = ()
    """Names that all such files have, so that the folder names the sample."""


_LAYOUTS = (
    _Layout(
        "salmon",
        ("Name", "Length", "EffectiveLength", "TPM", "NumReads"),
        {"TPM": 3, "NumReads": 4},
        ("quant.sf", "quant.genes.sf"),
    ),
    _Layout(
        "kallisto",
        ("target_id", "length", "eff_length", "est_counts", "tpm"),
        {"tpm": 4, "est_counts": 3},
        ("abundance.tsv",),
    ),
    _Layout(
        "RSEM",
        ("gene_id", "transcript_id(s)", "length", "effective_length", "expected_count", "TPM", "FPKM"),
        {"TPM": 5, "expected_count": 4, "FPKM": 6},
    ),
    _Layout(
        "RSEM (isoforms)",
        ("transcript_id", "gene_id", "length", "effective_length", "expected_count", "TPM", "FPKM", "IsoPct"),
        {"TPM": 5, "expected_count": 4, "FPKM": 6, "IsoPct": 7},
    ),
    _Layout("STAR", None, {"unstranded": 1, "forward": 2, "reverse": 3}, ("ReadsPerGene.out.tab",)),
    _Layout("HTSeq", None, {"counts": 1}),
)
_BY_TOOL = {layout.tool: layout for layout in _LAYOUTS}
_ENDINGS = re.compile(
    r"(readspergene\.out\.tab|\.genes\.results|\.isoforms\.results|\.quant\.sf|\.abundance\.tsv"
    r"|[._-](htseq|counts?|genes?)|\.(txt|tsv|tab|out|csv|sf))$",
    re.IGNORECASE,
)


def tool_of(start: Sequence[str]) -> str | None:
    """Return which counter wrote a text that starts with these lines, or None."""
    rows = [line.rstrip("\r\n").split("\t") for line in start if line.strip()]
    lines = [row for row in rows if not row[0].startswith("#")]
    if not lines:
        return None
    if rows[0][0].startswith("# Program:featureCounts") or tuple(lines[0][1:6]) == _FEATURE_COUNTS:
        return "featureCounts"
    # RSEM appends columns where it is asked for intervals.
    named = next(
        (layout.tool for layout in _LAYOUTS if layout.header and _begins(lines[0], layout.header)), None
    )
    if named is not None:
        return named
    if lines[0][0] == "N_unmapped" and len(lines[0]) == 4:
        return "STAR"
    gene_and_count = len(lines) > 1 and all(len(row) == 2 and row[1].isdecimal() for row in lines)
    return "HTSeq" if gene_and_count and not any(row[0].isdecimal() for row in lines) else None


def _begins(row: Sequence[str], header: Sequence[str]) -> bool:
    return tuple(row[: len(header)]) == tuple(header)


def read_feature_counts(path: Path, options: ReadOptions) -> Table:
    """Read the table that featureCounts writes: genes in rows, places and lengths of genes left out.

    Raises
    ------
    DataFileError, DataError
    """
    named, given = read_named(path, replace(options, delimiter="\t"))
    places = [i for i, name in enumerate(named.names[:7]) if name in _FEATURE_COUNTS]
    named = named.without(places, "This is a table of featureCounts: genes are in rows.")
    options = replace(options, transposed=True, sample_column=named.names[0])
    return table_from_frame(named, options, path.name, names_given=given)


def read_sample_counts(path: Path, tool: str, options: ReadOptions) -> Table:
    """Read a file that holds one sample.

    Parameters
    ----------
    path : Path
    tool : str
        Which counter wrote it.
    options : ReadOptions
        ``layer`` names the column, such as ``"NumReads"`` or, for STAR, ``"reverse"``.

    Raises
    ------
    DataFileError
        Where a line is short or a count is no number.
    ParameterError
        Where there is no such column.
    """
    layout = _BY_TOOL[tool]
    column = options.layer or next(iter(layout.values))
    check_choice(column, f"layer (a column of {path.name}, from {tool})", tuple(layout.values))
    with text_errors(path), open_text(path) as handle:
        frame = pd.read_csv(
            handle,
            sep="\t",
            header=None if layout.header is None else 0,
            dtype={0: str},
            comment="#",
            float_precision=ROUND_TRIP,
        )
    genes = frame.iloc[:, 0].astype(str)
    values = to_numbers(frame.iloc[:, layout.values[column]]).astype(np.float64)
    if np.isnan(values).any():
        row = int(np.isnan(values).argmax())
        raise DataFileError(f"{path.name}: {genes.iloc[row]!r} has no number in the column {column!r}.")
    kept = ~genes.isin(SUMMARY_ROWS).to_numpy()
    notes: tuple[str, ...] = (f"The values are {column!r} of {tool}.{_other_columns(layout, column)}",)
    if not kept.all():
        notes += (f"Rows that count reads without a gene were left out: {listed(genes[~kept], 5)}.",)
    x = to_float32(values[np.newaxis, kept])
    return Table(x, tuple(genes[kept]), (sample_name(path),), path.name, notes=notes)


def _other_columns(layout: _Layout, column: str) -> str:
    others = [name for name in layout.values if name != column]
    return f" layer= takes {listed(map(repr, others))} instead." if others else ""


def sample_name(path: Path) -> str:
    """Return what a file of one sample is called: its name without the tool's, or its folder's where nothing is left."""
    name = path.name[: len(bare_name(path))]
    if any(name == own for layout in _LAYOUTS for own in layout.file_names):
        return path.resolve().parent.name
    before = ""
    while before != name and name:
        before, name = name, _ENDINGS.sub("", name).rstrip("._-")
    return name or path.resolve().parent.name


def join_samples(tables: Sequence[Table], source: str) -> Table:
    """Stack tables of the same genes, in any order.

    Raises
    ------
    DataFileError
        Where a file lacks genes of the first or has others.
    """
    names = tables[0].names
    rows: list[Any] = []
    for table in tables:
        rows.append(table.x if table.names == names else _in_order(table, names, tables[0].source))
    ids = tuple(name for table in tables for name in table.ids)
    note = f"{counted(len(tables), 'file was', 'files were')} joined, named after {listed(ids, 4)}."
    notes = tuple(dict.fromkeys((note, *(text for table in tables for text in table.notes))))
    return Table(np.concatenate(rows), names, ids, source, notes=notes)


def _in_order(table: Table, names: tuple[str, ...], first: str) -> np.ndarray:
    position = {name: i for i, name in enumerate(table.names)}
    lost = [name for name in names if name not in position]
    if lost or len(table.names) != len(names):
        known = set(names)
        others = [name for name in table.names if name not in known]
        raise DataFileError(
            f"{table.source} does not hold the genes of {first}: {counted(len(lost), 'gene is', 'genes are')} missing "
            f"({listed(lost, 4) or 'none'}), {len(others)} are others ({listed(others, 4) or 'none'}). Count all samples "
            "with the same annotation."
        )
    x = table.x
    assert isinstance(x, np.ndarray)
    return x[:, [position[name] for name in names]]
