"""Load Keras without the noise its backend makes while it starts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import genokeras as gk
from genokeras.cli.answers import CLASSES, COX, HAZARD, LABELS, NUMBERS
from genokeras.cli.group import debugging, warnings_said
from genokeras.cli.kinds import GENES, IMAGES, SEQUENCES, TEXTS
from genokeras.cli.places import is_model
from genokeras.quiet import quiet_start

Loaded = TypeVar("Loaded")

_FACES = {
    CLASSES: "Classifier",
    NUMBERS: "Regressor",
    LABELS: "Classifier",
    COX: "Survival",
    HAZARD: "Survival",
}


def load_estimator(kind: str = GENES, task: str = CLASSES) -> Any:
    """Import the estimator of a kind of samples and a task, and start its backend, quietly unless ``--debug`` was given."""
    samples = {GENES: "Genome", SEQUENCES: "Sequence", IMAGES: "Image", TEXTS: "Text"}[kind]
    name = f"{samples}{_FACES[task]}"
    return _started(lambda: getattr(gk, name))


def load_run(path: Path) -> Any:
    """The estimator of a run, whatever its samples are."""
    load = _started(lambda: gk.load_estimator)
    with warnings_said():
        return load(path)


def load_run_or_model(path: Path) -> Any:
    """The estimator of a run, or a model that one exported."""
    if not is_model(path.expanduser()):
        return load_run(path)
    return _started(lambda: import_module("genokeras.estimators.exported").load_exported)(path.expanduser())


def load_auto() -> Callable[..., gk.Project]:
    """The same for what opens a project."""
    return _started(lambda: gk.auto)


def _started(load: Callable[[], Loaded]) -> Loaded:
    if debugging():
        return load()
    with quiet_start():
        import keras

        loaded = load()
        keras.ops.zeros(1)  # devices are looked for, and lamented, with the first tensor
    # A search compiles a program for every network, which TensorFlow takes for a mistake and warns of.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return loaded
