"""A search as it goes on, below the cell of a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from importlib import import_module
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, final

from genokeras.engine.progress import ProgressDisplay, clock_time, network_tried, settings_tried
from genokeras.searchers import History, Proposal
from genokeras.visible import visible

SECONDS_BETWEEN = 1.0
_BAR = (
    '<div style="display:inline-block;width:14em;height:.6em;border-radius:.3em;background:rgba(128,128,128,.25);'
    'vertical-align:middle;margin-right:.8em"><div style="width:{share:.0%};height:100%;border-radius:.3em;'
    'background:#0072b2"></div></div>'
)
_CELL = 'style="text-align:left;padding:.1em 1em .1em 0;border:none"'


@final
class NotebookProgress(ProgressDisplay):
    """A small table that keeps changing, and stays there with the final state.

    It is a display of the cell, which every front end of Jupyter shows and saves; no widgets are needed.

    Parameters
    ----------
    objective, time_limit, max_trials, clock
        As for :class:`~genokeras.engine.progress.ProgressDisplay`.
    """

    _handle: Any = None
    _over: str | None = None

    def __enter__(self) -> Self:
        self._ended = Event()
        self._thread = Thread(target=self._keep_showing, daemon=True)
        # IPython may have shut the channel to the front end; the search must not fail for its progress.
        with suppress(Exception):
            display = import_module("IPython.display").display
            self._handle = display(self.content(), raw=True, display_id=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._over = "Searched" if kind is None else "Broke off"
        self._show()

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        super().trying(proposals, history)
        self._show()

    def _keep_showing(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            self._show()

    def _show(self) -> None:
        with suppress(Exception):
            self._handle.update(self.content(), raw=True)

    def content(self) -> dict[str, str]:
        """What is shown now, by its MIME type."""
        rows = self._rows()
        plain = "\n".join(f"{name:<10}{words}" for name, words in rows)
        done = None if self._over else self._share_done()
        bar = "" if done is None else _BAR.format(share=done)
        cells = [
            f"<tr><th {_CELL}>{escape(name)}</th><td {_CELL}>{bar * (not place)}{escape(words)}</td></tr>"
            for place, (name, words) in enumerate(rows)
        ]
        return {"text/html": f"<table>{''.join(cells)}</table>", "text/plain": plain}

    def _rows(self) -> list[tuple[str, str]]:
        """Names and words of the lines."""
        gone = clock_time(self._elapsed) if self._over else self._time_left()
        best, linear = self._history.best(), self._best_linear()
        rows = [(self._over or "Searching", f"{gone}, {self._count()}")]
        for name, trial in (("best", best), ("linear", linear)):
            words = f"{self._label()} {self._score(trial)}"
            if trial is not None:
                remark = "the model to beat" if name == "linear" else network_tried([trial.proposal])
                words = f"{words}, trial {trial.id}: {remark}"
            rows.append((name, words))
        if self._over is None and self._trying:
            rows.append(("trying", f"{network_tried(self._trying)}; {settings_tried(self._trying)}"))
        return [(name, visible(words)) for name, words in rows]
