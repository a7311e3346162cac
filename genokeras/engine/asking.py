"""Ask a searcher, which may be a user's own: what it does wrong is said, and costs none of the finished trials."""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from genokeras.errors import SearchError
from genokeras.searchers import History, Proposal, Searcher
from genokeras.support.json_files import plain_json


@final
class Asker:
    """Asks a searcher and looks at what it proposes.

    Parameters
    ----------
    searcher : Searcher
    n_outputs : int, optional
        How many numbers a network must answer; by default any.
    """

    def __init__(self, searcher: Searcher, n_outputs: int | None = None) -> None:
        self._searcher = searcher
        self._n_outputs = n_outputs
        self._name = f"the searcher {type(searcher).__name__}"

    def ask(
        self, history: History, n: int, rng: np.random.Generator, seconds: float | None
    ) -> list[Proposal]:
        """New proposals, `n` at most; those that were tried, or come twice, are left out.

        Parameters
        ----------
        history : History
        n : int
        rng : numpy.random.Generator
        seconds : float or None
            How long the searcher may think; None is for as long as it likes.

        Raises
        ------
        SearchError
            If it raises, takes too long, returns no proposals at all, names a parent that there is not, proposes a network with
            other outputs than the task's, or only repeats itself.
        """
        proposals = self._checked(self._answer(history, n, rng, seconds), history)[:n]
        with self.blamed("made proposals that cannot be read"):
            fresh = _untried(proposals, history)
        if proposals and not fresh:
            raise SearchError(
                f"{self._name} proposes only what was tried already, such as "
                f"{proposals[0].graph.describe()}; ask must return new proposals, or an empty list at the end."
            )
        return fresh

    def due(self, history: History) -> list[Proposal]:
        """What the searcher wants to be trained before the search ends.

        Raises
        ------
        SearchError
            If it raises, or wants to complete a trial that lacks no folds.
        """
        with self.blamed("raised an error when the search ended"):
            return self._checked(self._searcher.finish(history), history)

    def said(self, history: History) -> Mapping[str, Any]:
        """What the searcher says about its ask, for the journal.

        Raises
        ------
        SearchError
            If it raises, or says what is no JSON.
        """
        with self.blamed("raised an error, or said what is no JSON, when it explained an ask"):
            return dict(plain_json(dict(self._searcher.explain(history))))

    @contextmanager
    def blamed(self, what: str) -> Iterator[None]:
        """Whatever is raised, an exit of the program included, is the searcher's failure; Ctrl-C and too little memory are not."""
        try:
            yield
        except (SearchError, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            raise SearchError(f"{self._name} {what}: {error!r}") from error

    def _answer(self, history: History, n: int, rng: np.random.Generator, seconds: float | None) -> Any:
        found: list[Any] = []
        raised: list[str] = []

        def run() -> None:
            try:
                found.append(self._searcher.ask(history, n, rng))
            except KeyboardInterrupt:
                if threading.current_thread() is threading.main_thread():
                    raise
                raised.append(traceback.format_exc())
            except BaseException:
                # An exit of the program is not the searcher's to decide.
                raised.append(traceback.format_exc())

        if seconds is None or math.isinf(seconds):
            run()
        else:
            # A searcher that never returns must not keep the run from being delivered.
            thread = threading.Thread(target=run, daemon=True, name="searcher")
            thread.start()
            thread.join(max(seconds, 0.0))
        if raised:
            raise SearchError(f"{self._name} raised an error when it was asked:\n{raised[0]}")
        if not found:
            raise SearchError(
                f"{self._name} did not answer in the {seconds:.1f} s that were left for the search."
            )
        return found[0]

    def _checked(self, proposals: Any, history: History) -> list[Proposal]:
        if not isinstance(proposals, (list, tuple)) or not all(isinstance(p, Proposal) for p in proposals):
            shown = f"{proposals!r:.80}"
            raise SearchError(f"{self._name} must return a list of Proposal when it is asked, got {shown}.")
        known = {trial.id for trial in history}
        lacking = {trial.id for trial in history.begun()}
        for proposal in proposals:
            if proposal.completes is not None and proposal.completes not in lacking:
                raise SearchError(
                    f"{self._name} would complete trial {proposal.completes}, which lacks no folds."
                )
            if proposal.father is not None and proposal.father not in known:
                raise SearchError(
                    f"{self._name} proposes a child of trial {proposal.father}, which there is not; "
                    f"there are {len(known)} trials."
                )
        with self.blamed("made proposals that cannot be read"):
            outputs = [proposal.graph.n_outputs for proposal in proposals]
        for proposal, got in zip(proposals, outputs, strict=True):
            if self._n_outputs not in (None, got):
                raise SearchError(
                    f"{self._name} proposes a network with {got} outputs ({proposal.graph.describe()}); this task needs "
                    f"{self._n_outputs}."
                )
        return list(proposals)


def _untried(proposals: Iterable[Proposal], history: History) -> list[Proposal]:
    """Each proposal once, without those that were tried."""
    tried = history.fingerprints()
    fresh: dict[str, Proposal] = {}
    for proposal in proposals:
        if proposal.completes is not None or proposal.fingerprint() not in tried:
            fresh.setdefault(proposal.fingerprint(), proposal)
    return list(fresh.values())
