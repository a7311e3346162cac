"""A finished run as reports read it: all but the Keras model, which takes seconds to load and is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.engine import Delivery, ScoredRows, TrialStore
from genokeras.engine.fitted import RESULT_FILE, SIDECAR_FILE, FittedRun, read_delivery
from genokeras.errors import RunFolderError
from genokeras.report.sample_kinds import GENES, SampleKind, sample_kind
from genokeras.report.sources import finished_history, run_folder
from genokeras.searchers import History
from genokeras.support import RunFolder
from genokeras.support.wording import counted
from genokeras.tasks.objectives import Objective, get_objective


@dataclass(frozen=True)
class ShapedRun:
    """A finished run of sequences, images or texts: neither its samples nor its model are read.

    Attributes
    ----------
    folder : RunFolder
    problem : ScoredRows
    history : History
    delivery : Delivery
    stop_reason : str
    """

    folder: RunFolder
    problem: ScoredRows
    history: History
    delivery: Delivery
    stop_reason: str

    @property
    def classes(self) -> np.ndarray:
        return np.asarray(self.folder.settings["classes"])

    @property
    def objective(self) -> Objective:
        return get_objective(str(self.folder.settings["settings"]["objective"]))

    def sidecar(self) -> dict[str, Any]:
        return dict(self.folder.read_json(SIDECAR_FILE))


Reported = FittedRun | ShapedRun


def kind_of(run: Reported) -> SampleKind:
    """What the samples of a run are called."""
    return sample_kind(run.folder.settings) or GENES


def finished_run(run: Any) -> Reported:
    """A run read from its folder; a `FittedRun` without its ``model`` where it is of genes.

    Raises
    ------
    NotFittedError, ParameterError, RunFolderError
        If it is no run, or was never finished.
    """
    if isinstance(run, FittedRun | ShapedRun):
        return run
    folder = run_folder(run)
    kind = sample_kind(folder.settings)
    if kind is None or folder.settings.get("task", "classes") != "classes":
        raise RunFolderError(
            f"{str(folder.path)!r} holds no run of a classifier that reports know. Its leaderboard, history_ and explain, and "
            "gk.visualize, work on any."
        )
    if not folder.has(RESULT_FILE):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before it chose its ensemble. "
            f"{kind.estimator}.load(path) finishes it from the trials it has."
        )
    history, delivery, store = finished_history(folder), read_delivery(folder), TrialStore(folder)
    reason = str(folder.read_json(RESULT_FILE)["stop_reason"])
    if kind is GENES:
        return FittedRun(folder, store.read_problem(), history, delivery, None, reason)
    return ShapedRun(folder, store.read_rows(), history, delivery, reason)


def recipe(run: Reported) -> list[str]:
    """What is delivered, in words, the winning network first."""
    best = run.history.ranked()[0]
    hyper = best.proposal.hyper
    # Networks read sequences, images and texts as they are; only genes have several views.
    view = f", view {hyper.view!r}" if isinstance(run, FittedRun) else ""
    words = [
        f"Best network: trial {best.id}, {best.proposal.graph.describe()}; {best.n_parameters:,} parameters, learning rate "
        f"{hyper.learning_rate:g}, weight decay {hyper.weight_decay:g}, dropout {hyper.dropout:g}, activation "
        f"{hyper.activation}{view}.",
    ]
    refitted = run.folder.read_json(RESULT_FILE).get("final_fit")
    if refitted is not None:
        words.append(
            f"Delivered: the network of trial {refitted['trial']}, trained anew on {counted(refitted['rows'], kind_of(run).sample)}. The "
            "scores in this report are of the search's ensemble, not of this final fit."
        )
    else:
        shares = ", ".join(f"trial {t}: {s:.0%}" for t, s in _largest(run.delivery.shares))
        more = "" if len(run.delivery.shares) <= 5 else ", and smaller shares"
        words.append(
            f"Delivered: the weighted mean of {counted(len(run.delivery.shares), 'trial')}, each with one network for each of "
            f"{counted(run.problem.n_folds, 'fold')} ({shares}{more}), merged into one Keras model and calibrated."
        )
    return words


def _largest(shares: dict[int, float]) -> list[tuple[int, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])[:5]


def loading(run: Reported) -> list[tuple[str, str]]:
    """Listings that load the model: a title and the code of each."""
    name, kind = run.folder.path.name, kind_of(run)
    by_name = "  # genes are matched by name" if kind is GENES else ""
    own = (
        f"import genokeras as gk\n\nclf = gk.{kind.estimator}.load({name!r})  # the run folder\n"
        f'clf.predict("{kind.file}"){by_name}'
    )
    reads = (
        'x = table[about["feature_names"]].to_numpy("float32")  # a pandas table, samples by genes\n'
        if kind is GENES
        else 'print(about["inputs"])  # what x has to be\n'
    )
    keras = (
        "import json\nfrom pathlib import Path\n\nimport keras\n\n"
        f"run = Path({name!r})  # the run folder\n"
        'model = keras.saving.load_model(run / "best.keras", compile=False)\n'
        'about = json.loads((run / "best.json").read_text(encoding="utf-8"))\n'
        f"{reads}"
        'names = [about["classes"][i] for i in model.predict(x).argmax(axis=1)]'
    )
    return [("With GenoKeras", own), ("With Keras alone", keras)]
