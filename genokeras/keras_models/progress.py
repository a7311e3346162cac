"""The state of a training that is not in its model: history, the best epoch, how long nothing got better."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, final

import pandas as pd

from genokeras.errors import ParameterError
from genokeras.support.checks import check_choice

Mode = Literal["min", "max"]


@final
@dataclass(frozen=True)
class Best:
    """The checkpoint that is kept.

    Attributes
    ----------
    path : str
    score : float
        The monitored metric.
    epoch : int
        Counted from 1.
    """

    path: str
    score: float
    epoch: int


@final
@dataclass
class Progress:
    """What a resumed training needs to know.

    Attributes
    ----------
    first_rate : float
        The learning rate it began with.
    rows : list of dict
        The history, a row an epoch.
    best : Best or None
    waited : int
        Epochs since the best.
    seconds : float
        Of the epoch at hand, in processes before this one.
    """

    first_rate: float
    rows: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None
    waited: int = 0
    seconds: float = 0.0

    def add(self, row: dict[str, float], monitor: str, mode: Mode, path: str) -> bool:
        """Take note of an epoch; whether it is the best so far."""
        self.rows.append(row)
        score = row[monitor]
        better = self.best is None or (score < self.best.score if mode == "min" else score > self.best.score)
        if better and math.isfinite(score):
            self.best, self.waited = Best(path, score, int(row["epoch"])), 0
            return True
        self.waited += 1
        return False

    def frame(self) -> pd.DataFrame:
        """The history."""
        table = pd.DataFrame(self.rows)
        return table.astype({"epoch": int}) if len(table) else table

    def as_json(self) -> dict[str, Any]:
        """For the snapshot."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """From a snapshot."""
        best = found["best"]
        return cls(**{**found, "best": None if best is None else Best(**best)})


def check_monitor(monitor: str, mode: str, names: list[str], has_valid: bool) -> None:
    """
    Raises
    ------
    ParameterError
        If there will be no such metric, or it is neither to be small nor large.
    """
    check_choice(mode, "mode", ("min", "max"))
    known = [*names, *(f"val_{name}" for name in names)] if has_valid else names
    if not has_valid and str(monitor).removeprefix("val_") in names:
        raise ParameterError(
            f"monitor={monitor!r} needs validation data: pass valid=(x, y), or "
            f"monitor={str(monitor).removeprefix('val_')!r}."
        )
    check_choice(monitor, "monitor", known)
