"""Pictures are seen in a notebook: as PNG, of their size on the page, with their words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from genokeras.report import plot_metric
from genokeras.support.figures import shown_figure
from genokeras.tuning import RangeTest

CURVES = {"loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.7, 0.6]}
RATES = np.geomspace(1e-4, 1e-1, 30)


def test_a_picture_gives_a_notebook_its_pixels_its_size_and_its_words() -> None:
    picture = plot_metric(CURVES)
    content, about = picture._repr_png_()
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        assert about["width"] == round(image.width * 96 / 150) and about["height"] < image.height
    assert about["alt"] == picture.alt and "validation rows" in picture.alt


def test_what_a_notebook_shows_is_what_is_saved(tmp_path) -> None:
    picture = plot_metric(CURVES)
    assert picture._repr_png_()[0] == picture.save(tmp_path / "loss.png").read_bytes()


def test_a_range_test_is_seen_too_and_a_picture_without_words_has_none() -> None:
    curve = 1 / (1 + RATES)
    content, about = RangeTest(RATES, curve, curve, 1e-2, "steepest").plot()._repr_png_()
    assert content.startswith(b"\x89PNG") and set(about) == {"width", "height"}
    assert shown_figure(figsize=(1, 1))._repr_png_()[1]["width"] > 0


def test_a_notebook_takes_the_picture_in_place_of_its_name() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    found, about = formatters.DisplayFormatter().format(plot_metric(CURVES))
    assert found["image/png"].startswith(b"\x89PNG") and about["image/png"]["width"] > 100
