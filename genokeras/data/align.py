"""Bring new samples into the order of genes that a model was trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from genokeras.data.dataset import Dataset, Matrix
from genokeras.data.dropping import surplus_note
from genokeras.data.gaps import check_measured
from genokeras.data.genes import without_version
from genokeras.errors import DataError
from genokeras.support.wording import listed, loose_key


def align_features(dataset: Dataset, feature_names: Sequence[str]) -> Dataset:
    """Return `dataset` with exactly the genes `feature_names`, in that order.

    Genes in another order are reordered, surplus ones are dropped with a note. Where either side has no
    names of its own, genes go by position and only their number is checked.

    Parameters
    ----------
    dataset : Dataset
    feature_names : sequence of str
        The genes of the training data.

    Raises
    ------
    DataError
        Where genes are missing (listed), or their number is wrong.
    """
    wanted = tuple(feature_names)
    if dataset.feature_names == wanted:
        return dataset
    if not dataset.names_given or _made_up(wanted):
        return _by_position(dataset, wanted)
    position = {name: i for i, name in enumerate(dataset.feature_names)}
    if dataset.versions_ignored:
        # the model may have been trained on ids with versions
        position |= {name: position[bare] for name in wanted if (bare := without_version(name)) in position}
    missing = [name for name in wanted if name not in position]
    if missing:
        raise DataError(_missing_message(missing, dataset, len(wanted)))
    order = np.fromiter((position[name] for name in wanted), dtype=np.intp, count=len(wanted))
    chosen = set(order.tolist())
    surplus = [name for i, name in enumerate(dataset.feature_names) if i not in chosen]
    notes = dataset.notes
    if surplus:
        notes = (*notes, surplus_note(surplus))
    return dataclasses.replace(
        dataset,
        x=_columns(dataset.x, order),
        feature_names=wanted,
        notes=notes,
        medians=None if dataset.medians is None else dataset.medians[order],
    )


def align_with_fill(
    dataset: Dataset, feature_names: Sequence[str], fill: np.ndarray
) -> tuple[Dataset, tuple[str, ...]]:
    """As :func:`align_features`, where genes may be missing.

    Parameters
    ----------
    dataset : Dataset
    feature_names : sequence of str
        The genes of the training data.
    fill : ndarray of shape (n_features,)
        What missing genes are set to.

    Returns
    -------
    Dataset, tuple of str
        The samples, and the genes that were missing.

    Raises
    ------
    DataError
        Where all genes are missing, of all samples or of one, or genes go by position and their number is wrong.
    """
    wanted = tuple(feature_names)
    if not dataset.names_given or _made_up(wanted):
        return align_features(dataset, wanted), ()
    there = set(dataset.feature_names)
    if dataset.versions_ignored:
        there |= {name for name in wanted if without_version(name) in there}
    missing = tuple(name for name in wanted if name not in there)
    if not missing or len(missing) == len(wanted):
        return align_features(dataset, wanted), ()
    known = align_features(dataset, [name for name in wanted if name in there])
    check_measured(known.x, known.sample_ids, known.source)
    x = np.tile(np.asarray(fill, dtype="float32"), (dataset.n_samples, 1))
    columns = np.flatnonzero([name in there for name in wanted])
    x[:, columns] = known.x.toarray() if sparse.issparse(known.x) else known.x
    return dataclasses.replace(known, x=x, feature_names=wanted, medians=None), missing


def _columns(x: Matrix, order: np.ndarray) -> Matrix:
    return x[:, order].tocsr() if sparse.issparse(x) else np.take(x, order, axis=1)


def _made_up(names: tuple[str, ...]) -> bool:
    return all(name == f"feature_{i}" for i, name in enumerate(names))


def _by_position(dataset: Dataset, wanted: tuple[str, ...]) -> Dataset:
    if dataset.n_features != len(wanted):
        raise DataError(
            f"wrong gene count: X has {dataset.n_features} features, but GenoKeras is expecting {len(wanted)} features as input, as in "
            f"training ({dataset.source}). Pass the same genes in the same order, or data with gene names."
        )
    note = "Genes were matched by position, because one side has no gene names."
    return dataclasses.replace(dataset, feature_names=wanted, names_given=False, notes=(*dataset.notes, note))


def _missing_message(missing: list[str], dataset: Dataset, n_wanted: int) -> str:
    verb = "is" if len(missing) == 1 else "are"
    message = (
        f"{len(missing)} of the {n_wanted} genes of the training data {verb} missing in "
        f"{dataset.source}: {listed(missing)}."
    )
    loose: dict[str, str] = {}
    for name in dataset.feature_names:
        loose.setdefault(loose_key(name), name)
    close = [(name, loose[loose_key(name)]) for name in missing if loose_key(name) in loose]
    if close:
        pairs = "; ".join(f"{ours!r} for {theirs!r}" for theirs, ours in close[:3])
        also = (
            f" ({len(close)} such genes differ in case, punctuation or version only)"
            if len(close) > 3
            else ""
        )
        message += f" Did you mean {pairs}?{also}"
        if any(without_version(ours) == without_version(theirs) for theirs, ours in close):
            message += " Ensembl ids of other versions match in data loaded with ignore_versions=True (gk.load_dataset)."
    if len(missing) == n_wanted and not close:
        message += f" The data start with {listed(dataset.feature_names, 3)}: other names, or genes in rows?"
    return f"{message} Expected were all genes of the training data, in any order."
