"""What holds for every test: the default backend unless another is asked for, one thread, no windows, repeatable
examples."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import pytest
from hypothesis import settings

from tests.processes import optimise_less

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

# How many new objects it takes to look for garbage among the youngest, and how many of these looks to look further.
FEWER_COLLECTIONS = (20_000, 10, 20)

# Files that take long, in seconds on one core: begun first, so that no core is left waiting for one of them at the end.
LONG_FILES = {
    "tests/old_runs/test_old_runs.py": 50,
    "tests/estimators/test_export_and_backends.py": 44,
    "tests/estimators/test_spatial_regressors.py": 40,
    "tests/estimators/test_genome_classifier.py": 38,
    "tests/cli/test_cli_commands.py": 34,
    "tests/cli/test_cli_other_samples.py": 33,
    "tests/training/test_packed_training.py": 32,
    "tests/fuzz/test_fuzz.py": 32,
    "tests/projects/test_vae.py": 32,
    "tests/training/test_backends_agree.py": 30,
    "tests/projects/test_project_runs.py": 29,
    "tests/keras_models/test_hyper_search.py": 28,
    "tests/projects/test_project_candidates.py": 27,
    "tests/keras_models/test_range_test_models.py": 26,
    "tests/report/test_html_report.py": 25,
    "tests/searchers/test_searchers.py": 25,
    "tests/keras_models/test_run_modes.py": 24,
    "tests/estimators/test_backbone_heads.py": 24,
    "tests/test_examples.py": 24,
    "tests/explain/test_explained_runs.py": 23,
    "tests/engine/test_final_fit.py": 22,
    "tests/training/test_mixed_training.py": 22,
    "tests/estimators/test_image_classifier.py": 21,
    "tests/engine/test_packing.py": 20,
    "tests/enas/test_supernet.py": 20,
    "tests/old_runs/test_killed_runs.py": 20,
    "tests/exports/test_exports_on_tensorflow.py": 19,
    "tests/keras_models/test_light_model.py": 19,
    "tests/keras_models/test_stepped_models.py": 19,
    "tests/keras_models/test_adjustable_optimizers.py": 19,
    "tests/estimators/test_sequence_classifier.py": 18,
    "tests/networks/test_convolutional_network.py": 18,
    "tests/explain/test_markers_and_files.py": 18,
    "tests/fuzz/test_fuzz_hdf5.py": 18,
    "tests/keras_models/test_light_backends.py": 18,
    "tests/engine/test_growing.py": 17,
    "tests/training/test_steps_and_snapshots.py": 16,
    "tests/graph/test_morphisms.py": 16,
    "tests/tuning/test_oracle_searcher.py": 16,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order inside a file, and of all other files, stays."""
    items.sort(key=lambda item: -LONG_FILES.get(item.nodeid.split("::")[0], 0))


def pytest_collection_finish() -> None:
    """Prepare what the test modules have imported by now; which of them are collected is not known before."""
    # None of it is garbage, and it is more than all that the tests make; looking for garbage less often spares them a twentieth of
    # their time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FEWER_COLLECTIONS)
    optimise_less()
    # Imported here, because the tests that need no Keras shall not wait for it.
    if "genokeras.training" in sys.modules:
        importlib.import_module("tests.compiled_once").share()
