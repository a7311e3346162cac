"""CnnModule on images and sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import genokeras as gk
from genokeras.errors import DataError

ONE = {"max_trials": 1, "trainer_args": {"max_iter_num": 15, "batch_size": 16}, "default_model_width": 8}


def stripes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(n, 8, 8, 2)`` with a bright row (class 1) or column (class 0) in the first channel, noise in both."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(0, 0.3, (n, 8, 8, 2)).astype("float32")
    for image, label, place in zip(x, y, rng.integers(0, 8, n), strict=True):
        image[(place, slice(None)) if label else (slice(None), place)][:, 0] += 2
    return x, y


def module(path: Path, **options: Any) -> gk.CnnModule:
    told = {"loss": gk.classification_loss, "metric": gk.Accuracy, "searcher_args": ONE}
    return gk.CnnModule(path=path, random_state=0, **(told | options))


def test_channels_first_are_turned_where_the_input_shape_has_them_last(tmp_path: Path) -> None:
    x, y = stripes(96, 0)
    first = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    found = module(tmp_path / "run").fit(2, x.shape, (first, y), (first[:32], y[:32]), time_limit=None)
    x_new, y_new = stripes(40, 1)
    new = np.ascontiguousarray(np.moveaxis(x_new, -1, 1))
    assert found.evaluate((new, y_new))["accuracy"] > 0.8
    assert found.model_.input_shape == (None, 2, 8, 8)
    assert found.best_model.input_shape == (8, 8, 2)
    assert any("channels first" in note for note in found.notes_)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found.model_(new)), found.predict(new), atol=1e-5)
    again = gk.CnnModule.load(found.path_)
    np.testing.assert_allclose(again.predict(new), found.predict(new), atol=1e-6)


def test_a_search_under_a_time_limit_gives_back_what_there_is(tmp_path: Path) -> None:
    x, y = stripes(48, 0)
    found = module(tmp_path / "run", searcher_args={}, loss="binary_crossentropy", metric="AUC")
    found.fit(1, None, (x[:, :, 0], y), (x[:, :, 0], y), time_limit=3)
    assert found.stop_reason_ == "time" and found.n_trials_ >= 1
    answers = found.predict(x[:, :, 0])
    assert answers.shape == (48, 1) and answers.min() >= 0 and answers.max() <= 1
    assert "on the samples that chose it" in gk.write_report(found, tmp_path / "report.html").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("shape", [(20,), (4, 4, 4, 1)])
def test_samples_that_are_no_sequence_or_image_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = (np.zeros((6, *shape)), np.arange(6) % 2)
    with pytest.raises(DataError, match=r"\(height, width, channels\)"):
        module(tmp_path / "run").fit(2, (6, *shape), data, data)
