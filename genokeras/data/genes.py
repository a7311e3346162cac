"""Names of genes as files have them: rows that are no genes, versions of Ensembl, repeated symbols, dates of spreadsheets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy import sparse

from genokeras.data.dataset import Matrix
from genokeras.data.readers.counts import SUMMARY_ROWS
from genokeras.data.table import Table, to_csr, to_float32
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, duplicates, listed

Duplicates = Literal["error", "sum", "mean", "first", "unique"]
_VERSION = re.compile(r"^(ENS[A-Z]*\d{11})\.\d+(_PAR_Y)?$")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
# As spreadsheets leave MARCH1, SEPT2 and DEC1: 1-Mar, Mar-01, 2001-03-01.
_DATE = re.compile(
    rf"^(?:\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{1,2}}|(?:19|20)\d\d-\d\d-\d\d(?: 00:00:00)?)$", re.IGNORECASE
)


def check_duplicates(policy: str) -> None:
    """Raise where it is not known what to do with repeated names."""
    check_choice(policy, "duplicates", get_args(Duplicates))


def without_version(name: str) -> str:
    """Return an Ensembl id without its version: ``ENSG00000141510`` of ``ENSG00000141510.18``; other names as they are."""
    found = _VERSION.match(name)
    return found.group(1) + (found.group(2) or "") if found else name


def tidy_genes(table: Table, policy: Duplicates = "error", *, ignore_versions: bool = False) -> Table:
    """Leave out what counts reads without a gene, and merge or rename repeated genes.

    Parameters
    ----------
    table : Table
    policy : {"error", "sum", "mean", "first", "unique"}
        Genes of one name are left for the check of names, added, averaged, reduced to the first, or numbered as
        ``TP53``, ``TP53-1``.
    ignore_versions : bool
        Ensembl ids lose their version first.
    """
    if table.feature_names is None:
        return table
    table = _without_summaries(table)
    if ignore_versions:
        table = replace(table, feature_names=tuple(map(without_version, table.names)))
    table = _with_note_on_dates(table)
    return table if policy == "error" else _merged(table, policy)


def _without_summaries(table: Table) -> Table:
    drop = [i for i, name in enumerate(table.names) if name in SUMMARY_ROWS]
    if not drop or len(drop) == len(table.names):
        return table
    keep = np.setdiff1d(np.arange(len(table.names)), drop)
    names = listed((table.names[i] for i in drop), 5)
    return _picked(table, keep, f"Left out, because they count reads without a gene: {names}.")


def _with_note_on_dates(table: Table) -> Table:
    dates = [name for name in table.names if _DATE.match(name)]
    if not dates or len(dates) > 0.1 * len(table.names) + 5:
        return table  # a table of days has such names by right
    note = (
        f"{counted(len(dates), 'gene name is a date', 'gene names are dates')}, such as {listed(map(repr, dates), 3)}: a "
        "spreadsheet has changed names such as MARCH1, SEPT2 or DEC1. Take the names from the original file."
    )
    return replace(table, notes=(*table.notes, note))


def _merged(table: Table, policy: Duplicates) -> Table:
    twice = duplicates(table.names)
    if not twice:
        return table
    if policy == "unique":
        names = _numbered(table.names)
        note = f"{_repeated(twice)} numbered."
        return replace(table, feature_names=names, notes=(*table.notes, note))
    names, first, group = _groups(table.names)
    if policy == "first":
        return _picked(table, first, f"{_repeated(twice)} reduced to the first of each name.")
    x = _added(table.x, group, len(names), mean=policy == "mean")
    done = "added up" if policy == "sum" else "averaged"
    return replace(table, x=x, feature_names=names, notes=(*table.notes, f"{_repeated(twice)} {done}."))


def _repeated(twice: list[str]) -> str:
    return (
        f"{counted(len(twice), 'gene name occurs', 'gene names occur')} more than once ({listed(twice, 4)}) and "
        f"{'was' if len(twice) == 1 else 'were'}"
    )


def _picked(table: Table, keep: np.ndarray, note: str) -> Table:
    x: Matrix = table.x[:, keep]
    names = tuple(table.names[i] for i in keep.tolist())
    x = to_csr(x) if sparse.issparse(x) else to_float32(x)
    return replace(table, x=x, feature_names=names, notes=(*table.notes, note))


def _groups(names: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the different names, where each comes first, and which of them each column has."""
    position: dict[str, int] = {}
    group = np.array([position.setdefault(name, len(position)) for name in names])
    return tuple(position), np.unique(group, return_index=True)[1], group


def _added(x: Matrix, group: np.ndarray, n: int, *, mean: bool) -> Matrix:
    weight = 1 / np.bincount(group)[group] if mean else np.ones(len(group))
    gather = sparse.csr_matrix((weight.astype(np.float32), (np.arange(len(group)), group)), (len(group), n))
    added = x @ gather
    return to_csr(added) if sparse.issparse(added) else to_float32(added)


def _numbered(names: tuple[str, ...]) -> tuple[str, ...]:
    taken, seen = set(names), set[str]()
    unique = []
    for name in names:
        number, candidate = 0, name
        while candidate in seen or (number and candidate in taken):
            number += 1
            candidate = f"{name}-{number}"
        seen.add(candidate)
        unique.append(candidate)
    return tuple(unique)
