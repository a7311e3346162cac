"""New images of another shape than those of the training: grey and colours are exchanged where nothing is lost, else refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genokeras.data import load_images
from genokeras.encoders import fit_image_encoder
from genokeras.errors import DataError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 5, 4, 1), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
OF_GREY, OF_COLOUR = (fit_image_encoder(load_images(pixels)) for pixels in (GREY, COLOUR))


def test_a_model_of_colours_reads_grey_images_as_three_equal_channels() -> None:
    pixels = OF_COLOUR.rows(load_images(GREY))["pixels"]
    np.testing.assert_array_equal(pixels, np.concatenate([GREY] * 3, axis=3))


def test_the_scale_of_grey_images_is_judged_by_a_model_of_colours() -> None:
    with pytest.warns(UserWarning, match="multiply them by about"):
        OF_COLOUR.rows(load_images((GREY - 128.0) / 100))


def test_a_model_of_grey_images_reads_three_equal_channels_as_one(tmp_path: Path) -> None:
    for i, pixels in enumerate(GREY):
        image = Image.fromarray(pixels[..., 0]).convert("RGB" if i else "P")
        image.save(tmp_path / f"{i}.png")
    np.testing.assert_array_equal(OF_GREY.rows(load_images(tmp_path))["pixels"], GREY)


def test_a_model_of_grey_images_names_those_in_colour() -> None:
    pixels = np.repeat(GREY, 3, axis=3)
    pixels[4] = COLOUR[4]
    with pytest.raises(
        DataError, match=r"\(5, 4, 1\) .*got \(5, 4, 3\). In colour are sample_4: save them in grey."
    ):
        OF_GREY.rows(load_images(pixels))


@pytest.mark.parametrize("pixels", [GREY, COLOUR])
def test_images_of_another_size_are_told_how_to_be_resized(pixels: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"got \(4, 4, [13]\). Resize .*size=\(5, 4\)\), .* --size 5x4."):
        OF_COLOUR.rows(load_images(pixels[:, :4]))


def test_transparency_is_not_guessed_at() -> None:
    with pytest.raises(DataError, match=r"\(5, 4, 3\) \(height, width, channels\), got \(5, 4, 4\).$"):
        OF_COLOUR.rows(load_images(np.concatenate([COLOUR, GREY], axis=3)))
