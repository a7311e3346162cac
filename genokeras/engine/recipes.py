"""How to make the runner of a search, as a value that can travel to other processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from genokeras.encoders import SplitView, TableEncoder
from genokeras.engine.executor import Recipe, Runner
from genokeras.engine.jobs import Job
from genokeras.engine.methods import method_of
from genokeras.engine.problem import Problem
from genokeras.tasks.objectives import Objective

# Split and name of a view.
SplitKey = tuple[int, str]


@final
@dataclass(frozen=True, eq=False)
class SearchRecipe:
    """The runner of a search, as `Method.runner` makes it.

    Attributes
    ----------
    problem : Problem
    objective : Objective
    trainer_args : mapping or None
    time_limit : float or None
    label_smoothing : float or None
    """

    problem: Problem
    objective: Objective
    trainer_args: Mapping[str, Any] | None = None
    time_limit: float | None = None
    label_smoothing: float | None = None

    def __call__(self) -> Runner:
        return method_of(self.problem).runner(
            self.problem, self.objective, self.trainer_args, self.time_limit, self.label_smoothing
        )

    def travelling(self) -> SearchRecipe:
        """The recipe without what fits and keeps views of further splits: these are sent when a job reads them."""
        further = self.problem.further
        if further is None:
            return self
        bare = replace(further, fit=None, folder=None, _known={})
        return replace(self, problem=replace(self.problem, further=bare))

    def views_for(self, job: Job) -> dict[SplitKey, SplitView]:
        """The views of further splits that a job reads, fitted where they are not yet."""
        problem = self.problem
        if problem.further is None:
            return {}
        assert isinstance(problem.encoder, TableEncoder)
        return {
            key: problem.further.view(problem.encoder, *key)
            for key in _further_views(job)
            if key[0] < problem.n_splits and key[1] in problem.widths
        }

    def learn(self, views: Mapping[SplitKey, SplitView]) -> None:
        """Take views that were fitted elsewhere."""
        if self.problem.further is not None:
            self.problem.further.learn(views)


def travelling(recipe: Recipe) -> Recipe:
    """What is sent of a recipe."""
    return recipe.travelling() if isinstance(recipe, SearchRecipe) else recipe


def _further_views(job: Job) -> Iterable[SplitKey]:
    return dict.fromkeys(
        (proposal.split, view) for proposal in job.proposals if proposal.split for view in proposal.views
    )
