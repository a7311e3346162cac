"""The state of a training that is not in its model: history, the best epoch, how long nothing improved."""

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
class EpochHistory:
    """The epochs of a training.

    Attributes
    ----------
    first_rate : float
        The learning rate at the beginning.
    rows : list of dict
        One per epoch.
    best : Best or None
    waited : int
        Epochs since the best.
    seconds : float
        Of the current epoch, in earlier processes.
    """

    first_rate: float = math.nan
    rows: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None
    waited: int = 0
    seconds: float = 0.0

    def add(self, row: dict[str, float], monitor: str, mode: Mode, path: str = "") -> bool:
        """Add an epoch.

        Parameters
        ----------
        row : dict of str to float
        monitor : str
            Says how good the epoch is; an epoch without it is never the best.
        mode : {"min", "max"}
        path : str
            Of the checkpoint, where there is one.

        Returns
        -------
        bool
            Whether it is the best epoch so far.
        """
        self.rows.append(row)
        score = row.get(monitor, math.nan)
        better = self.best is None or (score < self.best.score if mode == "min" else score > self.best.score)
        if better and math.isfinite(score):
            self.best, self.waited = Best(path, score, int(row["epoch"])), 0
            return True
        self.waited += 1
        return False

    def frame(self) -> pd.DataFrame:
        """The rows as a table."""
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


def check_monitor(monitor: str, names: list[str], has_valid: bool) -> None:
    """Check what decides which epoch is best.

    Parameters
    ----------
    monitor : str
    names : list of str
        The loss and the metrics.
    has_valid : bool
        Whether there are validation data.

    Raises
    ------
    ParameterError
        If there will be no such metric.
    """
    known = [*names, *(f"val_{name}" for name in names)] if has_valid else names
    on_train = str(monitor).removeprefix("val_")
    if not has_valid and on_train in names and on_train != monitor:
        raise ParameterError(
            f"monitor={monitor!r} needs validation data: pass valid=(x, y), or monitor={on_train!r}."
        )
    check_choice(monitor, "monitor", known)
