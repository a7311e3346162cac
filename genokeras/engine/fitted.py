"""A fitted run: everything an estimator needs after ``fit`` or ``load``, as one value over the run folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from scipy import sparse

from genokeras.data import Dataset
from genokeras.engine.delivery import (
    Delivery,
    OutOfFold,
    deliver,
    ensemble_model,
    ensemble_out_of_fold,
)
from genokeras.engine.problem import Problem
from genokeras.engine.store import TrialStore
from genokeras.errors import RunFolderError
from genokeras.searchers import History
from genokeras.support.folder import RunFolder
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.objectives import Objective, get_objective

MODEL_FILE, SIDECAR_FILE, RESULT_FILE = "best.keras", "best.json", "result.json"


class FinishedRun(Protocol):
    """What tables, curves and files say of a finished run, whatever its samples are; see `FittedRun`."""

    @property
    def folder(self) -> RunFolder: ...

    @property
    def history(self) -> History: ...

    @property
    def delivery(self) -> Delivery: ...

    @property
    def classes(self) -> np.ndarray: ...

    @property
    def objective(self) -> Objective: ...

    def sidecar(self) -> dict[str, Any]:
        """What a file beside an exported model says of its inputs and classes."""


@dataclass(frozen=True)
class FittedRun:
    """A run with at least one trained trial, and what is delivered from it.

    Attributes
    ----------
    folder : RunFolder
    problem : Problem
    history : History
    delivery : Delivery
    model : keras.Model
        Raw features in, class probabilities out.
    stop_reason : str
        Why the search ended.
    """

    folder: RunFolder
    problem: Problem
    history: History
    delivery: Delivery
    model: Any
    stop_reason: str

    @property
    def classes(self) -> np.ndarray:
        return np.asarray(self.folder.settings["classes"])

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(self.folder.settings["feature_names"])

    @property
    def objective(self) -> Objective:
        return get_objective(str(self.folder.settings["settings"]["objective"]))

    def sidecar(self) -> dict[str, Any]:
        return {
            "classes": self.classes.tolist(),
            "feature_names": list(self.feature_names),
            "missing": "median" if self.problem.medians is not None else "error",
        }


def finish(
    folder: RunFolder,
    problem: Problem,
    history: History,
    seed: int,
    groups: np.ndarray | None,
    stop_reason: str,
    max_seconds: float | None = None,
) -> FittedRun:
    """Choose, estimate, merge and write what the run delivers."""
    store = TrialStore(folder)
    objective = get_objective(str(folder.settings["settings"]["objective"]))
    delivery = deliver(store, problem, history, objective, seed, groups, max_seconds)
    model = ensemble_model(store, problem, delivery)
    run = FittedRun(folder, problem, history, delivery, model, stop_reason)
    write_model(model, folder.path / MODEL_FILE, run)
    shares = {str(trial): share for trial, share in delivery.shares.items()}
    result = {"estimate": delivery.estimate, "shares": shares, "calibration": asdict(delivery.calibration)}
    folder.write_json(RESULT_FILE, {**result, "stop_reason": stop_reason})
    folder.record("finished", reason=stop_reason, trials=len(history), value=delivery.estimate["value"])
    return run


def open_run(folder: RunFolder) -> FittedRun:
    """Read a run back; one that never finished is delivered from the trials it has.

    Raises
    ------
    RunFolderError
        If no trial of the run ever finished.
    """
    store = TrialStore(folder)
    if not folder.has("data.npz"):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before its first trial: there is nothing to load."
        )
    problem, history = store.read_problem(), store.history()
    if not history.ok():
        raise RunFolderError(
            f"no trial of the run {str(folder.path)!r} has finished: there is nothing to load."
        )
    if not (folder.has(RESULT_FILE) and folder.has(MODEL_FILE)):
        return finish(folder, problem, history, int(folder.settings["seed"]), read_groups(folder), "killed")
    result = folder.read_json(RESULT_FILE)
    model = keras.saving.load_model(folder.path / MODEL_FILE, compile=False)
    return FittedRun(folder, problem, history, read_delivery(folder), model, str(result["stop_reason"]))


def read_delivery(folder: RunFolder) -> Delivery:
    """What a finished run delivers, its model apart.

    Raises
    ------
    RunFolderError
        If the run is not finished.
    """
    result = folder.read_json(RESULT_FILE)
    shares = {int(trial): float(share) for trial, share in result["shares"].items()}
    return Delivery(shares, Calibration(**result["calibration"]), result["estimate"])


def out_of_fold(folder: RunFolder) -> OutOfFold:
    """Out-of-fold predictions of the ensemble that a finished run delivers; the Keras model is not loaded.

    A final fit trains on all rows and has none of its own.

    Raises
    ------
    RunFolderError
        If the run was stopped before it was finished.
    """
    if not folder.has(RESULT_FILE):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before it chose its ensemble. "
            "gk.load_estimator(path) finishes it from the trials it has."
        )
    store = TrialStore(folder)
    return ensemble_out_of_fold(store, store.read_rows(), read_delivery(folder))


def shown_objective(folder: RunFolder) -> Objective:
    """The objective by which the trials of a run were scored: its name and its direction, to show values with.

    A run may be scored by a metric that only its user has; such an objective can compute no value.
    """
    held = folder.settings.get("metric")
    if held is None:
        return get_objective(str(folder.settings["settings"]["objective"]))
    return Objective(str(held["name"]), bool(held["greater_is_better"]), _of_its_user)


def _of_its_user(*_: Any) -> np.ndarray:
    raise TypeError("a metric of the user's own: its values are known, the function is not")


def read_groups(folder: RunFolder) -> np.ndarray | None:
    """``(n_samples,)`` group numbers of the run, or None."""
    groups = folder.settings.get("groups")
    return None if groups is None else np.asarray(groups)


def write_model(model: Any, path: Path, run: FinishedRun) -> None:
    """Save a delivered model, and beside it a JSON file with what its numbers mean.

    Raises
    ------
    RunFolderError
        If the place cannot be written.
    """
    aside = path.with_name(f".{path.stem}.part.keras")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(aside)
        aside.replace(path)
        write_sidecar(path, run)
    except OSError as error:
        raise RunFolderError(f"cannot write the model to {str(path)!r}: {error}.") from error
    finally:
        aside.unlink(missing_ok=True)


def sidecar_path(model: Path) -> Path:
    """The JSON file that belongs to an exported model: ``model.json``, beside a folder of that name too."""
    return model.with_name(f"{model.name}.json") if model.is_dir() else model.with_suffix(".json")


def write_sidecar(model: Path, run: FinishedRun) -> Path:
    """Write what the numbers of an exported model mean into a JSON file beside it: classes, genes, estimate, versions.

    Raises
    ------
    OSError
        If the place cannot be written.
    """
    sidecar = {
        "format": 1,
        **run.sidecar(),
        "estimate": run.delivery.estimate,
        "versions": versions(),
    }
    path = sidecar_path(model)
    path.write_text(json.dumps(sidecar, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    names = ("genokeras", "keras", "numpy", "scikit-learn", "scipy")
    found = {"backend": keras.backend.backend()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def data_fingerprint(dataset: Dataset, codes: np.ndarray) -> str:
    """Hex digest of values, labels and names: a resumed run has to see the same data."""
    digest = hashlib.sha256()
    parts = (
        [dataset.x.data, dataset.x.indices, dataset.x.indptr] if sparse.issparse(dataset.x) else [dataset.x]
    )
    for part in [*parts, codes]:
        digest.update(np.ascontiguousarray(part).view(np.uint8).data)
    digest.update("\0".join(dataset.feature_names).encode())
    return digest.hexdigest()[:32]
