"""Columns among the genes that may be none: they number the samples, are called like clinical data, or differ in kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from genokeras.data.id_columns import FEWEST_ROWS, is_id_name
from genokeras.support.wording import counted, listed

_CLINICAL = frozenset(
    [
        "age",
        "sex",
        "gender",
        "ethnicity",
        "bmi",
        "weight",
        "height",
        "stage",
        "grade",
        "status",
        "event",
        "censored",
        "censoring",
        "time",
        "survival",
        "followup",
        "os",
        "pfs",
        "dfs",
        "rfs",
        "alive",
        "death",
        "died",
        "relapse",
        "recurrence",
        "metastasis",
        "smoker",
        "smoking",
        "menopause",
        "label",
        "labels",
        "class",
        "classes",
        "outcome",
        "diagnosis",
        "treatment",
        "therapy",
        "response",
        "responder",
        "batch",
        "cohort",
        "date",
        "year",
        "years",
        "days",
        "months",
    ]
)
_DIGIT = re.compile(r"\d")
_FEWEST_COLUMNS = 10
_ROWS_AT_ONCE = 64
_MOST_NAMED = 8
_MOST_ODD = 20
_LEAST_FILLED = 0.1


def kinds_note(x: np.ndarray, names: Sequence[str], names_given: bool) -> tuple[str, ...]:
    """Say which few columns of ``(n_samples, n_features)`` may be no genes; without names only those that number samples."""
    if len(x) < FEWEST_ROWS or x.shape[1] < 2:
        return ()
    whole = _whole(x)
    counting = _counting(x, whole)
    odd: dict[int, str] = {i: "numbers the samples" for i in counting}
    if names_given and x.shape[1] >= _FEWEST_COLUMNS:
        for i in _few_among_fractions(x, whole):
            odd.setdefault(i, "whole numbers among fractions")
        for i in _called_otherwise(names):
            odd.setdefault(i, "its name")
    if not odd:
        return ()
    called = listed((f"{names[i]!r} ({why})" for i, why in sorted(odd.items())), _MOST_NAMED)
    what = "leave it out of x" if not names_given else "leave out what is none with drop_columns= (--drop)"
    return (
        f"{counted(len(odd), 'column')} of {x.shape[1]:,} may be no gene: {called}. "
        f"{'It was' if len(odd) == 1 else 'They were'} taken as such; {what}.",
    )


def _whole(x: np.ndarray) -> np.ndarray:
    """Positions of columns without a fraction; what is missing has none."""
    columns = np.arange(x.shape[1])
    for start in range(0, len(x), _ROWS_AT_ONCE):
        block = x[start : start + _ROWS_AT_ONCE]
        block = block if len(columns) == x.shape[1] else block[:, columns]
        columns = columns[((block == np.rint(block)) | np.isnan(block)).all(axis=0)]
        if not len(columns):
            break
    return columns


def _counting(x: np.ndarray, whole: np.ndarray) -> list[int]:
    """Columns of consecutive whole numbers, each once; none where there are many, because these are ranks."""
    values = x[:, whole]
    spread = values.max(axis=0) - values.min(axis=0) if len(whole) else np.empty(0)
    candidates = whole[spread == len(x) - 1]
    found = [int(i) for i in candidates if len(np.unique(x[:, i])) == len(x)]
    return found if len(found) <= max(1, x.shape[1] // 10) else []


def _few_among_fractions(x: np.ndarray, whole: np.ndarray) -> list[int]:
    if not 0 < len(whole) <= x.shape[1] // 10:
        return []
    values = x[:, whole]
    varied = np.fmax.reduce(values, axis=0) > np.fmin.reduce(values, axis=0)
    # Genes that hardly any sample expresses have few values, whole by chance.
    filled = (values != 0).mean(axis=0) >= _LEAST_FILLED
    found = whole[varied & filled].tolist()
    return found if len(found) <= _MOST_ODD else []


def _called_otherwise(names: Sequence[str]) -> list[int]:
    # Most genes have a digit, and these words have none.
    words = [i for i, name in enumerate(names) if not _DIGIT.search(name)]
    found = [i for i in words if _is_clinical(names[i]) or is_id_name(names[i])]
    return found if len(found) <= len(names) // 10 else []


def _is_clinical(name: str) -> bool:
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return bool(words) and set(words) <= _CLINICAL
