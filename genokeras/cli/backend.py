"""Load Keras without the noise its backend makes while it starts."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import genokeras as gk
from genokeras.cli.answers import CLASSES, COX, HAZARD, LABELS, NUMBERS
from genokeras.cli.group import debugging
from genokeras.cli.kinds import GENES, IMAGES, SEQUENCES, TEXTS

Loaded = TypeVar("Loaded")

_FACES = {
    CLASSES: "Classifier",
    NUMBERS: "Regressor",
    LABELS: "Classifier",
    COX: "Survival",
    HAZARD: "Survival",
}

# Log lines of absl and of TensorFlow, which come before its log level counts.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ "
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|To enable the following instructions: "
)


def load_estimator(kind: str = GENES, task: str = CLASSES) -> Any:
    """Import the estimator of a kind of samples and a task, and start its backend, quietly unless ``--debug`` was given."""
    samples = {GENES: "Genome", SEQUENCES: "Sequence", IMAGES: "Image", TEXTS: "Text"}[kind]
    name = f"{samples}{_FACES[task]}"
    return _started(lambda: getattr(gk, name))


def load_run(path: Path) -> Any:
    """The estimator of a run, whatever its samples are."""
    return _started(lambda: gk.load_estimator)(path)


def load_auto() -> Callable[..., gk.Project]:
    """The same for what opens a project."""
    return _started(lambda: gk.auto)


def _started(load: Callable[[], Loaded]) -> Loaded:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if debugging():
        return load()
    with quiet_start():
        import keras

        loaded = load()
        keras.ops.zeros(1)  # devices are looked for, and lamented, with the first tensor
    # A search compiles a program for every network, which TensorFlow takes for a mistake and warns of.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return loaded


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what native code writes to standard error, and pass on all but known log lines at the end.

    Python's ``sys.stderr`` cannot do that, because native code writes to the file descriptor. If the body raises,
    everything is passed on, log lines too. What a process says that dies in the body (a library built for another
    processor, say) is lost: ``--debug`` shows it.
    """
    try:
        _flush()
        original = os.dup(2)
    except OSError:  # there is no standard error to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            _flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            lines = [line for line in held if failed or not _CHATTER.match(line)]
            if lines:
                os.write(2, b"".join(lines))


def _flush() -> None:
    if sys.__stderr__ is not None:
        sys.__stderr__.flush()
