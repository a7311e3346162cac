"""Where the model's pixels lie in the picture, and what counts as a picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from genokeras.errors import DataError
from genokeras.pretrained.boxes import View
from genokeras.pretrained.pictures import is_one_picture, read_colours


def converter(size: tuple[int, int] | None, how: str = "") -> Any:
    return SimpleNamespace(
        image_size=size, crop_to_aspect_ratio=how == "crop", pad_to_aspect_ratio=how == "pad"
    )


@pytest.mark.parametrize(
    ("size", "how", "expected"),
    [
        (None, "pad", View(0, 0, 40, 20)),
        ((32, 32), "", View(0, 0, 40, 20)),
        ((32, 32), "pad", View(0, -10, 40, 40)),
        ((32, 32), "crop", View(10, 0, 20, 20)),
        ((10, 20), "crop", View(0, 0, 40, 20)),
    ],
)
def test_a_view_of_40_by_20_pixels(size: tuple[int, int] | None, how: str, expected: View) -> None:
    assert View.of(converter(size, how), 20, 40) == expected


@pytest.mark.parametrize("how", ["", "pad", "crop"])
@pytest.mark.parametrize(("height", "width"), [(40, 64), (90, 50), (33, 71)])
def test_a_bright_square_is_found_where_keras_puts_it(how: str, height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.float32)
    middle = height // 2  # which cropping leaves in
    picture[middle - 6 : middle + 4, 20:32] = 255
    seen = keras.layers.Resizing(
        128, 128, crop_to_aspect_ratio=how == "crop", pad_to_aspect_ratio=how == "pad"
    )(picture[np.newaxis])
    rows, columns = np.nonzero(np.asarray(seen)[0, ..., 0] > 127)
    corners = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]])
    view = View.of(converter((128, 128), how), height, width)
    found = view.on_picture(corners, (128, 128), (height, width))
    np.testing.assert_allclose(found, [[20, middle - 6, 32, middle + 4]], atol=1)


def test_boxes_end_where_the_picture_does() -> None:
    found = View(0, -10, 40, 40).on_picture(np.array([[-3.0, 0.0, 40.0, 32.0]]), (32, 32), (20, 40))
    np.testing.assert_array_equal(found, [[0, 0, 40, 20]])


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3), (5, 4, 4)])
def test_pictures_become_red_green_and_blue(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape)
    found = read_colours(pixels)
    assert (found.shape, found.dtype) == ((5, 4, 3), np.float32)
    np.testing.assert_array_equal(found[..., 0], pixels.reshape(5, 4, -1)[..., 0])


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((3, 8, 9)), "Channels come last"),
        (np.full((4, 4, 3), 0.5), "pass 255"),
        (np.full((4, 4, 3), 300), "got 300 to 300"),
        (np.full((4, 4, 3), np.nan), "got nan"),
        (np.zeros((4, 4, 0)), "got shape"),
        (np.full((4, 4), "red"), "dtype"),
    ],
)
def test_pixels_that_cannot_be_are_refused(pixels: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_colours(pixels)


def saved(picture: Image.Image, file: Path) -> Path:
    picture.save(file, exif=picture.getexif())
    return file


def test_a_picture_of_more_than_8_bits_is_refused_in_memory_as_in_a_file(tmp_path: Path) -> None:
    deep = Image.fromarray(np.linspace(0, 63000, 20).astype(np.uint16).reshape(5, 4))
    for given in (deep, saved(deep, tmp_path / "1.png")):
        with pytest.raises(DataError, match="pixels must be from 0 to 255: got 0 to 63000"):
            read_colours(given)


def test_a_picture_in_memory_is_turned_as_its_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    picture.getexif()[0x0112] = 6
    for given in (picture, saved(picture, tmp_path / "1.png")):
        np.testing.assert_array_equal(read_colours(given), np.rot90(pixels, -1))


def test_a_batch_of_arrays_is_several_pictures() -> None:
    assert is_one_picture(np.zeros((4, 4, 3)))
    assert not is_one_picture(np.zeros((2, 4, 4, 3)))
