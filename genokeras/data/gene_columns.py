"""Tables with genes in rows: which columns describe the genes and are no samples."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from genokeras.data.id_columns import FEWEST_ROWS, is_id_name, is_unique, whole_numbers
from genokeras.support.wording import listed

# No sample is called like the first; like the second, none where another column describes genes, too.
_PROPERTIES = frozenset(
    [
        "length",
        "genelength",
        "transcriptlength",
        "effectivelength",
        "efflength",
        "effectivelen",
        "genelen",
        "exonlength",
        "exoniclength",
        "basepairs",
        "chr",
        "chrom",
        "chromosome",
        "chromosomename",
        "gc",
        "gccontent",
        "percentgc",
        "percentagegenegccontent",
        "biotype",
    ]
)
_PLACES = frozenset(
    [
        "start",
        "end",
        "stop",
        "strand",
        "width",
        "position",
        "pos",
        "location",
        "begin",
        "bp",
        "startposition",
        "endposition",
        "txstart",
        "txend",
        "cdsstart",
        "cdsend",
        "genestart",
        "geneend",
        "tss",
        "cytoband",
        "band",
        "exons",
        "exoncount",
        "nexons",
        "nprobes",
        "rank",
    ]
)


def describing(names: Sequence[str], frame: pd.DataFrame, text: Sequence[int]) -> list[int]:
    """Positions of columns of numbers that describe genes: ids, lengths and places of featureCounts or cBioPortal, say.

    Parameters
    ----------
    names : sequence of str
    frame : DataFrame
        Genes in rows; its columns are positions.
    text : sequence of int
        Positions of columns of text, which describe genes in any case.
    """
    others = sorted(set(range(len(names))).difference(text))
    plain = {i: re.sub(r"[^a-z]+", "", names[i].lower()) for i in others}
    sure = [
        i for i, name in plain.items() if name in _PROPERTIES or _holds_gene_ids(names[i], frame.iloc[:, i])
    ]
    places = [i for i, name in plain.items() if name in _PLACES and _is_whole(frame.iloc[:, i])]
    return sorted([*sure, *(places if sure or text or len(places) > 1 else [])])


def id_like_note(names: Sequence[str], frame: pd.DataFrame) -> tuple[str, ...]:
    """A note on columns, few among many, that hold another whole number for each gene, as ids do."""
    if len(frame) < FEWEST_ROWS or len(names) < 3:
        return ()
    found = []
    for i in range(len(names)):
        whole = whole_numbers(frame.iloc[:, i])
        if whole is not None and is_unique(whole):
            found.append(i)
        if len(found) > max(1, len(names) // 20):  # numbers of large range hardly repeat among few genes
            return ()
    if not found:
        return ()
    called = listed((repr(names[i]) for i in found), 5)
    return (
        f"{called} {'holds' if len(found) == 1 else 'hold'} another whole number for every gene, as ids do, and "
        f"{'was read as a sample' if len(found) == 1 else 'were read as samples'}; leave out what is none with "
        "drop_columns= (--drop).",
    )


def _holds_gene_ids(name: str, column: pd.Series) -> bool:
    """Whether a column is called like ids of genes and holds whole numbers that hardly repeat; some genes have none."""
    if not is_id_name(name, of_genes=True):
        return False
    whole = whole_numbers(column.dropna())
    return whole is not None and len(set(whole.tolist())) > 0.9 * len(whole)


def _is_whole(column: pd.Series) -> bool:
    return whole_numbers(column.dropna()) is not None
