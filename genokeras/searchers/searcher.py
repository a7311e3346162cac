"""The seam every search strategy fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from genokeras.searchers.history import History
from genokeras.searchers.values import Proposal


class Searcher(ABC):
    """A strategy: from what was tried to what to try next.

    A searcher owns no files, trains nothing and knows of no executor. It keeps no state that changes its
    answers: the same history and the same random generator give the same proposals.
    `genokeras.searchers.testing.SearcherContract` tests an implementation against all of this.
    """

    @abstractmethod
    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next.

        What one ask proposes trains together where it can: different networks that fit into one compiled program.

        Parameters
        ----------
        history : History
            All finished trials, failed ones among them, and those that are still running; may be empty.
        n : int
            How many proposals are wanted, 1 or more.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        list of Proposal
            At most `n`, none of them tried before or twice; empty where nothing is left to try.
        """

    def finish(self, history: History) -> list[Proposal]:
        """What has to be trained before the search may end: folds that its best trial lacks; nothing by default.

        Parameters
        ----------
        history : History

        Returns
        -------
        list of Proposal
            Each completes a trial, the most urgent one first.
        """
        return []

    def explain(self, history: History) -> dict[str, Any]:
        """What the journal says about the next ask, as JSON values; nothing by default."""
        return {}
