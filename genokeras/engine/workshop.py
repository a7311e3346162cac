"""Training jobs in another process than the search runs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Recipe, outcomes_of
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.recipes import SearchRecipe
from genokeras.support.precision import single_precision

# What a worker says when it can take jobs.
READY = "ready"


class Workshop:
    """A runner and what it was made of, in the process that trains.

    Parameters
    ----------
    recipe : Recipe
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        with single_precision():
            self._runner = recipe()

    def run(self, job: Job, deadline: Deadline, views: Mapping[Any, Any]) -> list[Outcome]:
        """Train a job, which reads these views of further splits."""
        if isinstance(self._recipe, SearchRecipe):
            self._recipe.learn(views)
        with single_precision():
            return outcomes_of(self._runner, job, deadline)
