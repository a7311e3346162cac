"""Processes of other backends, and one without GenoKeras, that stay as long as the tests do.

Importing Keras and a backend takes longer than most of what is tested in a process of its own; so each kind of process starts
once, runs the code of one test after the other, and forgets Keras' state in between.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BACKENDS = ("tensorflow", "jax", "torch")

_SERVER = """
import contextlib, io, json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a library prints is no answer
sys.path[:0] = json.loads(sys.argv[1])
import keras
for line in sys.stdin:
    asked, printed, error = json.loads(line), io.StringIO(), ""
    sys.argv = ["-c", *asked["arguments"]]
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(asked["code"], "<test>", "exec"), {"__name__": "__main__"})
        except BaseException:
            error = traceback.format_exc()
    keras.utils.clear_session()
    print(json.dumps({"printed": printed.getvalue(), "error": error}), file=answers, flush=True)
"""


def optimise_less() -> None:
    """Have TensorFlow compile less thoroughly, if it is the backend: what it compiles here runs a few times at most.

    Sums may be made in another order, so two trainings that are to be equal bit by bit both need it, or neither does.
    """
    if os.environ["KERAS_BACKEND"] == "tensorflow" and "tensorflow" in sys.modules:
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@cache
def _process(backend: str, alone: bool) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    found: list[str] = [] if alone else [str(ROOT)]
    command = [sys.executable, "-I", "-c", _SERVER, json.dumps(found)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.kill)
    return process


def run_on(backend: str, code: str, *arguments: Any, alone: bool = False) -> str:
    """What code prints that runs under a backend with ``sys.argv[1:]``; the test is skipped where the backend is not installed.

    Parameters
    ----------
    backend : {"tensorflow", "jax", "torch"}
    code : str
    *arguments
        Become text.
    alone : bool
        In the process that has never imported GenoKeras, which is checked afterwards.

    Raises
    ------
    AssertionError
        With the traceback, if the code raises.
    """
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    if alone:
        code += '\nimport sys\nassert not any(name.startswith("genokeras") for name in sys.modules)\n'
    process = _process(backend, alone)
    assert process.stdin is not None and process.stdout is not None
    request = {"code": code, "arguments": [str(argument) for argument in arguments]}
    print(json.dumps(request), file=process.stdin, flush=True)
    line = process.stdout.readline()
    if not line:
        _process.cache_clear()
        raise AssertionError(f"the process of {backend} ended with code {process.wait()}")
    answer = json.loads(line)
    assert not answer["error"], answer["error"]
    return str(answer["printed"])


def dumped_on(backend: str, module: str, folder: Path) -> dict[str, np.ndarray]:
    """Arrays that ``module.main(path)`` writes as npz under a backend; in this process where that is the tests' own."""
    path = folder / f"{backend}.npz"
    if backend == os.environ["KERAS_BACKEND"]:
        importlib.import_module(module).main(str(path))
    else:
        run_on(backend, f"import sys, {module}; {module}.main(sys.argv[1])", path)
    with np.load(path) as arrays:
        return dict(arrays)


def dumped_by(module: str, folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """As `dumped_on`, for every backend that is installed."""
    installed = [backend for backend in BACKENDS if importlib.util.find_spec(backend) is not None]
    return {backend: dumped_on(backend, module, folder) for backend in installed}


def run_alone(code: str, *arguments: Any) -> str:
    """As `run_on`, on the backend of the tests, where GenoKeras is not imported."""
    return run_on(os.environ["KERAS_BACKEND"], code, *arguments, alone=True)
