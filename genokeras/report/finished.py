"""A finished run as reports read it: all but the Keras model, which takes seconds to load and is not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from genokeras.engine import Run, read_problem, read_record
from genokeras.engine.block_estimates import blocks_of
from genokeras.engine.faces import estimator_name
from genokeras.engine.run import RESULT_FILE
from genokeras.errors import RunFolderError
from genokeras.report.answers import use_of_model
from genokeras.report.sample_kinds import GENES, SampleKind, sample_kind
from genokeras.report.sources import finished_history, run_folder
from genokeras.searchers import GEOMETRIC, MEAN
from genokeras.support.wording import counted, listed
from genokeras.tasks.threshold import Threshold


def kind_of(run: Run) -> SampleKind:
    """What the samples of a run are called."""
    return sample_kind(run.folder.settings) or GENES


def finished_run(run: Any) -> Run:
    """A run read from its folder, without its ``model``; samples are read of genes alone.

    Raises
    ------
    NotFittedError, ParameterError, RunFolderError
        If it is no run, is one that reports do not know, or was never finished.
    """
    if isinstance(run, Run):
        return run
    folder = run_folder(run)
    kind = sample_kind(folder.settings)
    if kind is None:
        raise RunFolderError(
            f"{str(folder.path)!r} holds no run of an estimator that reports know. Its history_, and gk.visualize, work on any."
        )
    if not folder.has(RESULT_FILE):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before it chose its ensemble. "
            f"{estimator_name(folder.settings)}.load(path) finishes it from the trials it has."
        )
    finished_history(folder)
    found = read_record(folder)
    return replace(found, rows=read_problem(folder)) if kind is GENES else found


def recipe(run: Run) -> list[str]:
    """What is delivered, in words, the winning network first."""
    best = run.best
    hyper, views = best.proposal.hyper, best.proposal.views
    # Networks read sequences, images and texts as they are; only genes have several views.
    view = f", view{'s' * (len(views) > 1)} {listed(views)}" if run.kind == "genome" else ""
    others = len(run.history.replicates(best)) - 1
    again = f" (and {counted(others, 'replicate')} of it)" if others else ""
    words = [
        f"Best network: trial {best.id}{again}, {best.proposal.graph.describe()}; {best.n_parameters:,} parameters, learning rate "
        f"{hyper.learning_rate:g}, weight decay {hyper.weight_decay:g}, dropout {hyper.dropout:g}, activation "
        f"{hyper.activation}{view}.",
    ]
    lowest = run.history.ranked()[0]
    if lowest.score < best.score:
        words.append(
            f"It was not chosen by its score alone: that of trial {lowest.id} is better, but of many scores on few samples the best is partly "
            "luck."
        )
    refitted = run.noted.get("final_fit")
    if refitted is not None:
        words.append(
            f"Delivered: the network of trial {refitted['trial']}, trained anew on {counted(refitted['rows'], kind_of(run).sample)}. The "
            "scores in this report are of the search's ensemble, not of this final fit."
        )
    else:
        shares = ", ".join(f"trial {t}: {s:.0%}" for t, s in _largest(run.delivery.shares))
        more = "" if len(run.delivery.shares) <= 5 else ", and smaller shares"
        words.append(
            f"Delivered: the weighted {_MEANS[run.delivery.pooling]} of {counted(len(run.delivery.shares), 'trial')}, each with one network for each of "
            f"{counted(run.rows.n_folds, 'fold')} ({shares}{more}), merged into one Keras model and calibrated."
        )
    return words


_MEANS = {MEAN: "mean", GEOMETRIC: "geometric mean"}


def _largest(shares: dict[int, float]) -> list[tuple[int, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])[:5]


def loading(run: Run, threshold: Threshold | None = None) -> list[tuple[str, str]]:
    """Listings that load the model and predict: a title and the code of each."""
    name, kind = run.folder.path.name, kind_of(run)
    by_name = "  # genes are matched by name" if kind is GENES else ""
    new = f'"{kind.file}"'
    if kind.arrays:
        new = f"numpy.load({new})"
    blocks = blocks_of(run) if kind is GENES else ()
    if blocks:
        new = "{" + ", ".join(f'"{block.name}": "new_{block.input_name}.tsv"' for block in blocks) + "}"
    own = (
        f"import genokeras as gk\n\nmodel = gk.{estimator_name(run.folder.settings)}.load({name!r})  # the run folder\n"
        f"model.predict({new}){by_name}"
    )
    reads = (
        'x = table[about["feature_names"]].to_numpy("float32")  # a pandas table, samples by genes\n'
        if kind is GENES
        else 'print(about["inputs"])  # what x has to be\n'
    )
    if blocks:
        reads = (
            "# tables: a pandas table for each block, samples by features; categories are columns of zeros and ones\n"
            'x = {name: tables[name][columns].to_numpy("float32") for name, columns in about["inputs"].items()}\n'
        )
    keras = (
        "import json\nfrom pathlib import Path\n\nimport keras\n\n"
        f"run = Path({name!r})  # the run folder\n"
        'model = keras.saving.load_model(run / "best.keras", compile=False)\n'
        'about = json.loads((run / "best.json").read_text(encoding="utf-8"))\n'
        f"{reads}"
        f"{use_of_model(run, threshold)}"
    )
    return [("With GenoKeras", own), ("With Keras alone", keras)]
