"""What holds for every test: the default backend unless another is asked for, one thread, no windows, repeatable
examples."""

from __future__ import annotations

import gc
import os
import sys
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, ClassVar

import pytest
from hypothesis import settings

# Set before anything imports Keras or matplotlib; a run under another backend sets KERAS_BACKEND itself.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

# Networks this small train faster on one thread than on several, and `make test` has a process for every core.
for pool in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTEROP", "TF_NUM_INTRAOP"):
    os.environ.setdefault(f"{pool}_THREADS", "1")
# What JAX compiles here runs a few times at most: making it fast would take twice as long as the tests.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

# No deadline, because the first example of a test may wait for a compiler; `--hypothesis-profile=default` looks for new examples.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# Programs that the fits of a process share.
_KEPT_PROGRAMS = 200

# Files that take long, in seconds on one core: begun first, so that no core is left waiting for one of them at the end.
LONG_FILES = {
    "tests/estimators/test_sequence_classifier.py": 65,
    "tests/estimators/test_export_and_backends.py": 60,
    "tests/projects/test_project_runs.py": 50,
    "tests/engine/test_final_fit.py": 40,
    "tests/old_runs/test_old_runs.py": 40,
    "tests/estimators/test_genome_classifier.py": 36,
    "tests/old_runs/test_killed_runs.py": 34,
    "tests/projects/test_project_candidates.py": 33,
    "tests/explain/test_explained_runs.py": 30,
    "tests/estimators/test_backbone_heads.py": 25,
    "tests/enas/test_supernet.py": 25,
    "tests/test_examples.py": 25,
    "tests/projects/test_vae.py": 23,
    "tests/keras_models/test_search_strategy.py": 23,
    "tests/estimators/test_spatial_regressors.py": 23,
    "tests/keras_models/test_hyper_search.py": 22,
    "tests/exports/test_exports_on_other_backends.py": 21,
    "tests/explain/test_markers_and_files.py": 21,
    "tests/report/test_html_report.py": 20,
    "tests/training/test_steps_and_snapshots.py": 19,
    "tests/explain/test_gradients_on_every_backend.py": 16,
    "tests/training/test_packed_training.py": 16,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order inside a file, and of all other files, stays."""
    items.sort(key=lambda item: -LONG_FILES.get(item.nodeid.split("::")[0], 0))


def pytest_collection_finish() -> None:
    """Prepare what the test modules have imported by now; which of them are collected is not known before."""
    # None of it is garbage, and it is more than all that the tests make.
    gc.collect()
    gc.freeze()
    # What TensorFlow compiles here runs a few times at most, too.
    if os.environ["KERAS_BACKEND"] == "tensorflow" and "tensorflow" in sys.modules:
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    if "genokeras.training.packed" in sys.modules:
        _share_programs(sys.modules["genokeras.training.packed"].PackedTrainer)


class _Programs(OrderedDict[Hashable, Any]):
    """The programs of one trainer; it takes one that another trainer of the same settings has compiled in place of its own.

    Parameters
    ----------
    settings : TrainingSettings
    """

    compiled: ClassVar[OrderedDict[Hashable, Any]] = OrderedDict()

    def __init__(self, settings: Hashable) -> None:
        super().__init__()
        self._settings = settings

    def __setitem__(self, key: Hashable, program: Any) -> None:
        name = (self._settings, key)
        super().__setitem__(key, self.compiled.setdefault(name, program))
        self.compiled.move_to_end(name)
        if len(self.compiled) > _KEPT_PROGRAMS:
            self.compiled.popitem(last=False)


def _share_programs(trainer: Any) -> None:
    """Have all fits of a process share what they compile for the same graph, shapes and settings, as the trials of one fit do."""
    begin = trainer.__init__

    def begin_with_shared(self: Any, settings: Hashable) -> None:
        begin(self, settings)
        self._programs = _Programs(settings)

    trainer.__init__ = begin_with_shared
