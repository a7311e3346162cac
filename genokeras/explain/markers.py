"""Marker tables: the genes of each class or target, and how far each is to be trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from genokeras.errors import ParameterError
from genokeras.explain.explanation import Explanation
from genokeras.explain.stability import Stability
from genokeras.explain.statistics import Association, copies
from genokeras.support.checks import check_whole
from genokeras.support.files import written_aside
from genokeras.visible import plain_table

_GROUPED = 200


def marker_table(
    explanation: Explanation,
    *,
    stability: Stability | None = None,
    association: Association | None = None,
    top: int | None = None,
    copies_above: float = 0.95,
) -> dict[str, pd.DataFrame]:
    """Genes by importance, a table for each class or target.

    Parameters
    ----------
    explanation : Explanation
    stability : Stability, optional
        Of the same features and outputs; from `stability_of`.
    association : Association, optional
        Of the same features and outputs; from `class_changes` or `target_correlations`.
    top : int, optional
        Rows of a table; all by default.
    copies_above : float, default=0.95
        Among the first 200 genes of a table, those whose correlation exceeds this are shown as one group.

    Returns
    -------
    dict of str to DataFrame
        By output. Columns ``rank``, ``gene``, ``mean_abs``, ``mean_value``, ``direction`` ("up": more of the gene speaks for the class, or
        raises the number), ``group`` (number of a group of copies, missing for genes without a copy), ``group_size``, and where they were
        given ``stability`` (share of the lists of the top genes that name it), ``stability_with_like`` (it, or a gene that goes with it), ``found_again``
        (in both halves of the samples, beyond chance), ``log2_fold_change`` or ``pearson_r``, ``q_value``. ``attrs`` of a table hold ``output_word``
        ("class" or "target"), and of a given stability ``stability_index`` and ``verdict``, which is about the first genes, as many as a list names.

    Raises
    ------
    ParameterError
        If stability or association are of other features or outputs.
    """
    if top is not None:
        check_whole(top, "top")
    for name, other in (("stability", stability), ("association", association)):
        if other is not None:
            _check_fits(explanation, name, other)
    return {
        name: _table(explanation, number, stability, association, top, copies_above)
        for number, name in enumerate(explanation.output_names)
    }


def _check_fits(explanation: Explanation, name: str, other: Stability | Association) -> None:
    table = other.frequency if isinstance(other, Stability) else other.q_value
    missing = [output for output in explanation.output_names if output not in other.output_names]
    if len(table) != explanation.shape[1] or missing:
        outputs = "targets" if explanation.of_numbers else "classes"
        raise ParameterError(
            f"{name} must be of the features and {outputs} that were explained: expected {explanation.shape[1]} features and the "
            f"{outputs} {', '.join(explanation.output_names)}, got {len(table)} and {', '.join(other.output_names)}."
        )


def _table(
    explanation: Explanation,
    number: int,
    stability: Stability | None,
    association: Association | None,
    top: int | None,
    copies_above: float,
) -> pd.DataFrame:
    name = explanation.output_names[number]
    order = explanation.order(name)[:top]
    values = explanation.values[:, order, number]
    data = explanation.data[:, order]
    groups = np.zeros(len(order), dtype=int)
    groups[:_GROUPED] = copies(data[:, :_GROUPED], copies_above)
    sizes = np.bincount(groups)
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "gene": [explanation.feature_names[i] for i in order],
            "mean_abs": np.abs(values).mean(axis=0, dtype="float64"),
            "mean_value": values.mean(axis=0, dtype="float64"),
            "direction": _directions(data, values),
            "group": pd.array(groups, dtype="Int64"),
            "group_size": np.where(groups > 0, sizes[groups], 1),
        }
    )
    table.loc[table["group"] == 0, "group"] = pd.NA
    table.attrs["output_word"] = explanation.output_word
    if stability is not None:
        place = stability.output_names.index(name)
        table["stability"] = stability.frequency[order, place]
        table["stability_with_like"] = stability.like_frequency[order, place]
        table["found_again"] = stability.is_found_again(name, order)
        table.attrs["stability_index"] = float(stability.index[place])
        table.attrs["verdict"] = stability.verdict(name, order[: stability.top])
    if association is not None:
        place = association.output_names.index(name)
        table[association.effect_name] = association.effect[order, place]
        table["q_value"] = association.q_value[order, place]
    return table


def _directions(data: np.ndarray, values: np.ndarray) -> list[str]:
    """Whether values rise with the gene's rank ("up") or fall ("down"); "" where nothing varies, or with a single sample."""
    ranks = rankdata(data, axis=0)
    together = ((ranks - ranks.mean(axis=0)) * (values - values.mean(axis=0))).sum(axis=0)
    return ["up" if t > 0 else "down" if t < 0 else "" for t in together]


def write_marker_tables(tables: Mapping[str, pd.DataFrame], path: str | os.PathLike[str]) -> Path:
    """All the tables as one csv with a column ``class`` or ``target`` in front.

    Raises
    ------
    RunFolderError
        If the file cannot be written.
    """
    word = next((table.attrs.get("output_word", "class") for table in tables.values()), "class")
    parts = [table.assign(**{word: name}) for name, table in tables.items()]
    whole = pd.concat(parts, ignore_index=True)
    with written_aside(path) as aside:
        plain_table(whole[[word, *whole.columns.drop(word)]]).to_csv(aside, index=False)
    return Path(path)
