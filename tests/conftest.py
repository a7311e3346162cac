"""What holds for every test: the default backend unless another is asked for, one thread, no windows, repeatable
examples."""

from __future__ import annotations

import os

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
