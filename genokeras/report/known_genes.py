"""Genes known from elsewhere, a paper's list say, and how many of a class's top genes are among them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import hypergeom

from genokeras.errors import DataError
from genokeras.explain import Explanation
from genokeras.support.wording import counted, did_you_mean, listed

COMPARED = 50


@dataclass(frozen=True)
class KnownGenes:
    """A list of genes.

    Attributes
    ----------
    title : str
        Where it comes from.
    genes : tuple of str
        Names as the data have them, each once.
    """

    title: str
    genes: tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """What the most important genes of a class and a known list have in common.

    Attributes
    ----------
    top : int
        How many of the class's genes are looked at.
    known : int
        Known genes among all genes of the data.
    shared : tuple of str
        Those in both, the most important first.
    expected : float
        How many a list drawn at random would share, on average.
    p_value : float
        How often it would share as many or more (hypergeometric).
    """

    top: int
    known: int
    shared: tuple[str, ...]
    expected: float
    p_value: float


def read_known_genes(given: str | os.PathLike[str] | Sequence[str]) -> KnownGenes:
    """Known genes from a text file or a sequence of names.

    Parameters
    ----------
    given : path-like or sequence of str
        A file has one gene a line; what stands behind ``#`` is left out, but the first such line is the list's title.

    Raises
    ------
    DataError
        If the file cannot be read, or there is no gene in the list.
    """
    if isinstance(given, str | os.PathLike):
        title, names = _read_file(Path(given))
    else:
        title, names = "the known genes", [str(name).strip() for name in given]
    genes = tuple(dict.fromkeys(name for name in names if name))
    if not genes:
        raise DataError(f"known_genes must name at least one gene, and there is none in {title!r}.")
    return KnownGenes(title, genes)


def _read_file(path: Path) -> tuple[str, list[str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"cannot read known_genes from {str(path)!r}: {reason}. Pass a text file with one gene a line, or a list of names."
        ) from error
    notes = [line.lstrip("# ").strip() for line in lines if line.startswith("#")]
    return next((note for note in notes if note), path.stem), [line.split("#")[0].strip() for line in lines]


def overlap_with(explanation: Explanation, known: KnownGenes, name: str, top: int = COMPARED) -> Overlap:
    """Compare the top genes of a class with a known list.

    Parameters
    ----------
    explanation : Explanation
    known : KnownGenes
    name : str
        The class.
    top : int, default=50
        At most half of all genes are looked at.

    Raises
    ------
    DataError
        If none of the known genes is among those of the explanation.
    """
    features = explanation.feature_names
    wanted = set(known.genes)
    n_known = sum(feature in wanted for feature in features)
    if not n_known:
        raise DataError(
            f"none of the {counted(len(known.genes), 'known gene')} ({listed(known.genes, 3)}) is among the {len(features)} genes of the "
            f"data ({listed(features, 3)}).{did_you_mean(known.genes[0], features)} Use the names that the data have."
        )
    top = max(1, min(top, len(features) // 2))
    shared = tuple(features[i] for i in explanation.order(name)[:top] if features[i] in wanted)
    p_value = float(hypergeom.sf(len(shared) - 1, len(features), n_known, top))
    return Overlap(top, n_known, shared, top * n_known / len(features), float(np.clip(p_value, 0.0, 1.0)))


def shared_with_known(explanation: Explanation, known: KnownGenes, name: str) -> str:
    """What a list has in common with a known one, in words."""
    found = overlap_with(explanation, known, name)
    missing = len(known.genes) - len(set(known.genes) & set(explanation.feature_names))
    words = (
        f"{len(found.shared)} of its top {found.top} genes are also among the {found.known} of {known.title}, where chance would have "
        f"{found.expected:.2g} (p = {found.p_value:.1g}, hypergeometric)"
    )
    words += f": {listed(found.shared, COMPARED)}." if found.shared else "."
    return words + (f" {counted(missing, 'gene')} of that list are not in the data." if missing else "")
