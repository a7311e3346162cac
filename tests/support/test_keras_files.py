"""Models with code in them are refused, and nobody is told how to run it."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from genokeras.errors import RunFolderError
from genokeras.support.keras_files import load_keras


def test_code_in_a_model_is_refused_without_advice_to_run_it(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "a.keras")
    with pytest.raises(RunFolderError, match="holds Python code") as caught:
        load_keras(tmp_path / "a.keras")
    said = "".join(map(str, (caught.value, caught.value.__cause__, caught.value.__context__)))
    assert "safe_mode" not in said
    assert "unsafe" not in said


def test_a_model_without_code_is_loaded(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "a.keras")
    assert load_keras(tmp_path / "a.keras").output_shape == (None, 1)
