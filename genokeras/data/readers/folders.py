"""Folders that hold one matrix (10x), or one file of counts for each sample."""

from __future__ import annotations

from pathlib import Path

from genokeras.data.readers.counts import join_samples, read_sample_counts, tool_of
from genokeras.data.readers.delimited import first_lines
from genokeras.data.readers.matrix_market import find_matrix, read_mtx
from genokeras.data.readers.opening import bare_name
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError
from genokeras.support.wording import listed

_COUNT_SUFFIXES = (".txt", ".tsv", ".tab", ".counts", ".count", ".sf", ".results", ".htseq")
_DEEPEST = 2


def read_folder(folder: Path, options: ReadOptions) -> Table:
    """Read a 10x folder, or join the files of counts in a folder or in the folders below it, a sample each.

    Raises
    ------
    DataFileError
        Where it holds neither, or files of several counters.
    """
    matrix = find_matrix(folder)
    if matrix is not None:
        return read_mtx(matrix, options)
    found = find_counts(folder)
    if not found:
        raise DataFileError(
            f"{folder} is a folder without matrix.mtx and without counts of HTSeq, STAR, salmon, kallisto or RSEM; expected "
            "such a folder, or a data file."
        )
    tools = sorted(set(found.values()))
    if len(tools) > 1:
        raise DataFileError(f"{folder} holds counts of {listed(tools)}: put those of one tool into a folder.")
    tables = [read_sample_counts(path, tool, options) for path, tool in found.items()]
    return join_samples(tables, folder.name)


def find_counts(folder: Path) -> dict[Path, str]:
    """Return the files of counts, each of one sample, and the tools that wrote them."""
    candidates = [
        path
        for path in sorted(folder.rglob("*"))
        if len(path.relative_to(folder).parts) <= _DEEPEST
        and not path.name.startswith(".")
        and bare_name(path).endswith(_COUNT_SUFFIXES)
        and path.is_file()
        and path.stat().st_size
    ]
    tools = {path: _tool(path) for path in candidates}
    return {path: tool for path, tool in tools.items() if tool is not None and tool != "featureCounts"}


def _tool(path: Path) -> str | None:
    try:
        return tool_of(first_lines(path))
    except DataFileError:
        return None
