"""JAX and PyTorch write what they can, and say what they cannot: each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# A process for each backend, which compiles anew.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ABLE = {"jax": ("keras", "tf_saved_model"), "torch": ("keras", "onnx", "torchscript")}
Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Found, str]]:
    """What the process of every installed backend wrote, and what it printed; side by side, for they mostly wait."""
    running = {}
    for backend in ABLE:
        if importlib.util.find_spec(backend) is not None:
            folder = tmp_path_factory.mktemp(backend)
            command = [sys.executable, "-m", "tests.exports.exports_on_one_backend", str(folder)]
            environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
            with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
                running[folder] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=err)
    found = {}
    for folder, process in running.items():
        assert process.wait() == 0, (folder / "err").read_text()[-3000:]
        results: Found = json.loads((folder / "found.json").read_text())
        found[next(iter(results["backend"]))] = results, (folder / "out").read_text()
    return found


@pytest.fixture(params=ABLE)
def found(request: pytest.FixtureRequest, outcomes: dict[str, tuple[Found, str]]) -> tuple[str, Found, str]:
    """The backend, what its process wrote, and what it printed."""
    backend = str(request.param)
    if backend not in outcomes:
        pytest.skip(f"{backend} is not installed")
    return backend, *outcomes[backend]


@pytest.mark.parametrize("model", ["two_inputs", "ensemble"])
def test_what_a_backend_can_write_answers_as_the_model_does(
    found: tuple[str, Found, str], model: str
) -> None:
    backend, results, _ = found
    for format in ABLE[backend]:
        if format == "onnx" and importlib.util.find_spec("onnxruntime") is None:
            continue
        assert isinstance(results[model][format], float), results[model][format]
        assert results[model][format] < 1e-5


def test_what_a_backend_cannot_write_is_refused_with_what_it_can(found: tuple[str, Found, str]) -> None:
    backend, results, _ = found
    for format, text in results["ensemble"].items():
        if format not in ABLE[backend]:
            assert f"it can write {', '.join(ABLE[backend])}" in text and "KERAS_BACKEND" in text


def test_nothing_is_printed(found: tuple[str, Found, str]) -> None:
    assert found[2] == ""
