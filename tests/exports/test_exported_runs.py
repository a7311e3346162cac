"""What a search delivers, in other formats, from the estimator and from the command line."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, ParameterError, SequenceClassifier, TextClassifier
from genokeras.cli import main
from genokeras.exports import format_problem

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    rng = np.random.default_rng(0)
    y = np.array(["healthy", "tumor"])[np.arange(24) % 2]
    x = rng.gamma(2.0, 100.0, size=(24, 50)).astype("float32")
    x[y == "tumor", :5] *= 3
    x[3, 7] = np.nan
    steps = {"trainer_args": {"max_iter_num": 20}}
    path = tmp_path_factory.mktemp("runs") / "run"
    trials: dict[str, Any] = {"time_limit": None, "max_trials": 3, "searcher_args": steps}
    return GenomeClassifier(path, missing="median", random_state=0, verbose=0, **trials).fit(x, y)


def rows() -> np.ndarray:
    x = np.random.default_rng(1).gamma(2.0, 100.0, size=(6, 50)).astype("float32")
    x[0, 3] = np.nan
    return x


def exported(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["export", *(str(argument) for argument in arguments)])


def test_a_run_is_exported_as_onnx_with_its_labels_beside(fitted: GenomeClassifier, tmp_path: Path) -> None:
    if importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("tf2onnx") is None:
        pytest.skip("what onnx needs is not installed")
    import onnxruntime

    written = fitted.export_keras_model(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(written))
    (found,) = session.run(["probabilities"], {"features": rows()})
    np.testing.assert_allclose(found, fitted.predict_proba(rows()), atol=1e-5)
    labels = json.loads((tmp_path / "model.json").read_text())
    assert labels["classes"] == ["healthy", "tumor"] and len(labels["feature_names"]) == 50


def test_a_run_is_exported_as_a_folder_to_serve(fitted: GenomeClassifier, tmp_path: Path) -> None:
    import tensorflow as tf

    written = fitted.export_keras_model(tmp_path / "leukemia.v1", "tf_saved_model")
    serving = tf.saved_model.load(str(written)).signatures["serving_default"]
    found = serving(features=tf.constant(rows()))["probabilities"].numpy()
    np.testing.assert_allclose(found, fitted.predict_proba(rows()), atol=1e-5)
    assert written == tmp_path / "leukemia.v1" and (tmp_path / "leukemia.v1.json").exists()


@pytest.mark.parametrize("name", ["model.keras", "model", "model.v2"])
def test_a_name_without_a_known_suffix_is_a_keras_file(
    fitted: GenomeClassifier, tmp_path: Path, name: str
) -> None:
    written = fitted.export_keras_model(tmp_path / name)
    assert written.name == (name if name.endswith(".keras") else f"{name}.keras")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".keras"]


def test_an_unknown_format_is_refused_before_anything_is_written(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match="Did you mean 'onnx'"):
        fitted.export_keras_model(tmp_path / "model", "onx")
    assert not list(tmp_path.iterdir())


def test_the_command_line_exports_by_suffix(fitted: GenomeClassifier, tmp_path: Path) -> None:
    result = exported(fitted.path_, tmp_path / "model.tflite")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Wrote {tmp_path / 'model.tflite'} and {tmp_path / 'model.json'}.\n"


def test_the_command_line_exports_by_name(fitted: GenomeClassifier, tmp_path: Path) -> None:
    result = exported(fitted.path_, tmp_path / "served", "--format", "tf_saved_model")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "served" / "saved_model.pb").exists() and (tmp_path / "served.json").exists()


def test_the_command_line_says_what_the_backend_can_write(fitted: GenomeClassifier, tmp_path: Path) -> None:
    result = exported(fitted.path_, tmp_path / "model.pt")
    assert result.exit_code == 2 and "it can write keras, tf_saved_model, onnx, litert" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
@pytest.mark.parametrize("lengths", [(30, 31), (20, 60)])
def test_sequences_are_exported_for_other_programs(
    tmp_path: Path, suffix: str, lengths: tuple[int, int]
) -> None:
    if suffix == "onnx" and not all(map(importlib.util.find_spec, ("onnxruntime", "tf2onnx"))):
        pytest.skip("what onnx needs is not installed")
    rng = np.random.default_rng(0)
    x = ["".join(rng.choice(list("ACGT"), rng.integers(*lengths))) for _ in range(40)]
    x[1::2] = [one[:5] + "TATAAAAG" + one[13:] for one in x[1::2]]
    settings: dict[str, Any] = {
        "time_limit": None,
        "max_trials": 2,
        "folds": 2,
        "random_state": 0,
        "verbose": 0,
    }
    clf = SequenceClassifier(tmp_path / "run", **settings).fit(x, ["no", "yes"] * 20)
    # The export is compared with the model before it counts.
    assert clf.export_keras_model(tmp_path / f"model.{suffix}").stat().st_size > 1000


def test_models_that_read_strings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "time_limit": None,
        "max_trials": 1,
        "folds": 2,
        "random_state": 0,
        "verbose": 0,
    }
    clf = TextClassifier(tmp_path / "run", **settings).fit(["good film", "bad film"] * 20, ["p", "n"] * 20)
    for name in ("model.onnx", "model.tflite"):
        if format_problem("onnx") is None or name.endswith("tflite"):
            with pytest.raises(ParameterError, match="reads texts as they are.*Export it as .keras"):
                clf.export_keras_model(tmp_path / name)
        assert not (tmp_path / name).exists()
