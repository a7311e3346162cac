"""What holds for every test: the default backend unless another is asked for, no windows, repeatable examples."""

from __future__ import annotations

import os

from hypothesis import settings

# Set before anything imports Keras or matplotlib; a run under another backend sets KERAS_BACKEND itself.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

# No deadline, because the first example of a test may wait for a compiler; `--hypothesis-profile=default` looks for new examples.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
