"""A finished run as reports read it: all but the Keras model, which takes seconds to load and is not needed."""

from __future__ import annotations

from typing import Any

from genokeras.data.wording import counted
from genokeras.errors import RunFolderError
from genokeras.report.sources import finished_history, run_folder
from genokeras.runs import TrialStore
from genokeras.runs.fitted import RESULT_FILE, FittedRun, read_delivery


def finished_run(run: Any) -> FittedRun:
    """A run read from its folder; its ``model`` is None.

    Raises
    ------
    NotFittedError, ParameterError, RunFolderError
        If it is no run, or was never finished.
    """
    if isinstance(run, FittedRun):
        return run
    folder = run_folder(run)
    kind = folder.settings.get("kind")
    if kind is not None:
        raise RunFolderError(
            f"{str(folder.path)!r} holds a run of {kind}s; reports and their curves are of GenomeClassifier's runs. Its "
            "leaderboard, history_ and explain, and gk.visualize, work on any."
        )
    if not folder.has(RESULT_FILE):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before it chose its ensemble. "
            "GenomeClassifier.load(path) finishes it from the trials it has."
        )
    history = finished_history(folder)
    reason = str(folder.read_json(RESULT_FILE)["stop_reason"])
    return FittedRun(folder, TrialStore(folder).read_problem(), history, read_delivery(folder), None, reason)


def recipe(run: FittedRun) -> list[str]:
    """What is delivered, in words, the winning network first."""
    best = run.history.ranked()[0]
    hyper = best.proposal.hyper
    words = [
        f"Best network: trial {best.id}, {best.proposal.graph.describe()}; {best.n_parameters:,} parameters, learning rate "
        f"{hyper.learning_rate:g}, weight decay {hyper.weight_decay:g}, dropout {hyper.dropout:g}, activation "
        f"{hyper.activation}, view {hyper.view!r}.",
    ]
    refitted = run.folder.read_json(RESULT_FILE).get("final_fit")
    if refitted is not None:
        words.append(
            f"Delivered: the network of trial {refitted['trial']}, trained anew on {counted(refitted['rows'], 'sample')}. The "
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


def loading(run: FittedRun) -> list[tuple[str, str]]:
    """Listings that load the model: a title and the code of each."""
    name = run.folder.path.name
    own = (
        f"import genokeras as gk\n\nclf = gk.GenomeClassifier.load({name!r})  # the run folder\n"
        'clf.predict("new_samples.csv")  # genes are matched by name'
    )
    keras = (
        "import json\nfrom pathlib import Path\n\nimport keras\n\n"
        f"run = Path({name!r})  # the run folder\n"
        'model = keras.saving.load_model(run / "best.keras", compile=False)\n'
        'about = json.loads((run / "best.json").read_text(encoding="utf-8"))\n'
        'x = table[about["feature_names"]].to_numpy("float32")  # a pandas table, samples by genes\n'
        'names = [about["classes"][i] for i in model.predict(x).argmax(axis=1)]'
    )
    return [("With GenoKeras", own), ("With Keras alone", keras)]
