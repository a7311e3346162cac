"""What is shown while a net trains: a bar and a line per epoch on a terminal, lines alone anywhere else."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from genokeras.support.console import standard_error
from genokeras.training.steps import Position
from genokeras.visible import visible

LINE_WIDTH = 80
SECONDS_BETWEEN_LINES = 30.0
_BAR_WIDTH = 20
_NOT_SHOWN = ("epoch", "seconds")


@final
class EpochLog:
    """Writes the log; used as a context manager around training.

    Parameters
    ----------
    epochs : int
    n_batches : int or None
        Of an epoch, where known.
    verbose : int
        0 shows nothing.
    """

    def __init__(self, epochs: int, n_batches: int | None, verbose: int = 1) -> None:
        self._epochs = epochs
        self._n_batches = n_batches
        self._console = standard_error() if verbose else None
        self._last_line = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        console = self._console
        if console is not None and console.is_terminal and not console.is_dumb_terminal:
            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(_BAR_WIDTH),
                MofNCompleteColumn(),
                TextColumn("{task.fields[metrics]}"),
                console=console,
                transient=True,
            )
            self._bar.add_task("epoch", total=self._n_batches, epoch=1, metrics="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, position: Position, logs: Mapping[str, float]) -> None:
        """Show a step in the middle of an epoch."""
        if self._console is None:
            return
        values = _shown(logs)
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=position.batch, epoch=position.epoch + 1, metrics=values)
        elif time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            of = "" if self._n_batches is None else f"/{self._n_batches}"
            share = 0.0 if self._n_batches is None else position.batch / self._n_batches
            done = round(share * _BAR_WIDTH)
            bar = f"[{'=' * done}{'.' * (_BAR_WIDTH - done)}]" if self._n_batches else ""
            self.say(
                f"epoch {position.epoch + 1:>{len(str(self._epochs))}} {bar} batch {position.batch}{of} {values}"
            )

    def epoch(self, row: Mapping[str, float], best: bool) -> None:
        """Show an epoch that has ended."""
        number, of = int(row["epoch"]), self._epochs
        metrics = {name: value for name, value in row.items() if name not in _NOT_SHOWN}
        best_mark = "  best so far" if best else ""
        self.say(f"epoch {number:>{len(str(of))}}/{of}  {_shown(metrics)}  {row['seconds']:.1f} s{best_mark}")
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=0, epoch=min(number + 1, of), metrics="")

    def say(self, text: str) -> None:
        """Write a line with the time of day; a long one is wrapped."""
        if self._console is None:
            return
        self._last_line = time.monotonic()
        lines = textwrap.wrap(
            f"{datetime.now():%H:%M:%S} {visible(text)}",
            LINE_WIDTH,
            subsequent_indent=" " * 9,
            break_on_hyphens=False,
        )
        try:
            if self._bar is not None:
                self._console.print("\n".join(lines), markup=False, highlight=False)
            else:
                self._console.file.write("\n".join(lines) + "\n")
                self._console.file.flush()
        except (OSError, ValueError):
            return  # the other end is closed; training must not fail for its log


def _shown(metrics: Mapping[str, Any]) -> str:
    names = {"learning_rate": "rate"}
    # The backends give the loss of training rows a place of their own each.
    ordered = sorted(metrics.items(), key=lambda item: item[0] != "loss")
    return "  ".join(f"{names.get(name, name)} {value:.4g}" for name, value in ordered)
