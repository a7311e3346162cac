"""``load_searcher()``: a finished search as classic AutoKeras handed it out."""

from __future__ import annotations

from typing import Any

from genokeras.engine import LoadedGraph, Run, load_trial_graph


class FinishedSearch:
    """What was searched and found.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    history : list of dict
        One entry a trained model, in the order they were trained: ``model_id``, ``father_id``, ``loss`` (out of fold,
        lower is better), ``metric_value`` (the objective's reported value), ``morphisms``, ``graph``, ``hyper``,
        ``seconds``.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.history: list[dict[str, Any]] = [
            {
                "model_id": trial.id,
                "father_id": trial.proposal.father,
                "loss": trial.score,
                "metric_value": run.objective.value_of_loss(trial.score),
                "morphisms": [str(morphism) for morphism in trial.proposal.morphisms],
                "graph": trial.proposal.graph.describe(),
                "hyper": trial.proposal.hyper.to_dict(),
                "seconds": trial.seconds,
            }
            for trial in run.history.ok()
        ]

    def get_best_model_id(self) -> int:
        """Id of the best trial: of a table by the searcher's model of all scores, else by its own score."""
        return self._run.best.id

    def load_best_model(self) -> LoadedGraph:
        """The graph of the best trial, with its trained members and those of its replicates."""
        return load_trial_graph(self._run.folder, self.get_best_model_id(), replicates=True)

    def load_model_by_id(self, model_id: int) -> LoadedGraph:
        """The graph of any trial.

        Raises
        ------
        RunFolderError
            If there is no such trial.
        ParameterError
            If it is no whole number.
        """
        return load_trial_graph(self._run.folder, model_id)
