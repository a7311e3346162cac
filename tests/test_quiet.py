"""TensorFlow says nothing while it starts behind GenoKeras, and all of it where it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genokeras.quiet import quiet_start

NATIVE = b"I0000 00:00:1795221469.366783    9966 cudart_stub.cc:31] Could not find cuda drivers\n"


@pytest.mark.slow
def test_a_start_from_python_is_silent() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    code = "import genokeras.explain\nimport keras; keras.ops.zeros(1)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == ""


@pytest.mark.parametrize(("level", "said"), [("0", NATIVE), ("1", NATIVE), ("3", b""), (None, b"")])
def test_a_low_log_level_asks_for_all_lines(level: str | None, said: bytes, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    if level is not None:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    (tmp_path / "tensorflow.py").write_text(f"import os\nos.write(2, {NATIVE!r})\nanswer = 42\n")
    code = (
        # PyTorch looks whether it is there, and imports nothing.
        "import genokeras, sys, importlib.util\nassert importlib.util.find_spec('tensorflow')\nimport tensorflow\n"
        "print(tensorflow.answer, type(tensorflow.__loader__).__name__, type(tensorflow.__spec__.loader).__name__)\n"
        "print([one for one in sys.meta_path if 'Quiet' in type(one).__name__])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert done.stderr == said
    assert done.stdout.decode().split() == ["42", "SourceFileLoader", "SourceFileLoader", "[]"]


def test_a_tensorflow_that_fails_says_all_it_said(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    (tmp_path / "tensorflow.py").write_text(
        f"import os\nos.write(2, {NATIVE!r})\nraise ImportError('torn')\n"
    )
    code = "import genokeras, tensorflow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.returncode == 1 and done.stderr.startswith(NATIVE) and b"ImportError: torn" in done.stderr


def test_one_within_another_holds_back_once(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with quiet_start():
        with quiet_start():
            os.write(2, NATIVE + b"of numpy\n")
        os.write(2, NATIVE)
    os.write(2, b"behind\n")
    assert capfd.readouterr().err == "of numpy\nbehind\n"
