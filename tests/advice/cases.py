"""Messages that give advice: who follows it gets on. What the cases share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from genokeras.errors import GenoKerasError

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"
RNG = np.random.default_rng(0)
X = RNG.normal(6, 1, (12, 3)).round(3)
TABLE = pd.DataFrame(X, columns=["TP53", "MYC", "CD3E"], index=[f"P{i}" for i in range(12)])
CLASSES = ["ill", "well"] * 6


class Reached(Exception):
    """The search would begin now: all that was given is accepted."""


class Case(NamedTuple):
    """What is done wrong in a folder, what the message says, and what is done instead."""

    name: str
    wrong: Callable[[Path], Any]
    advice: str
    right: Callable[[Path], Any]


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def csv(folder: Path, table: pd.DataFrame, name: str = "x.csv", **options: Any) -> Path:
    table.to_csv(folder / name, index_label="sample", **options)
    return folder / name


def searched(estimator: Any, *data: Any, **options: Any) -> None:
    with pytest.raises(Reached):
        estimator.set_params(verbose=0).fit(*data, **options)


def fit(estimator: Any, y: Any = CLASSES, **options: Any) -> Any:
    return searched(estimator, TABLE, y, **options)


def follow(case: Case, folder: Path) -> None:
    """Provoke the message, and do what it says."""
    with pytest.raises(GenoKerasError, match=f"(?s){case.advice}"):
        case.wrong(folder)
    case.right(folder)


def named(cases: list[Case]) -> list[Any]:
    """For ``parametrize``."""
    return [pytest.param(case, id=case.name.replace(" ", "-")) for case in cases]
