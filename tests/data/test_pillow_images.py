"""Images of Pillow in memory are read as the files are that they came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genokeras.data import load_images
from genokeras.errors import DataError, DataFileError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)
PICTURE = Image.fromarray(COLOUR)


@pytest.mark.parametrize("mode", ["P", "CMYK", "1", "L", "LA", "RGBA", "I;16", "RGB", "F"])
def test_every_mode_is_read_as_its_file(mode: str, tmp_path: Path) -> None:
    picture = PICTURE.quantize(8) if mode == "P" else PICTURE.convert("L" if mode == "I;16" else mode)
    picture = picture.convert(mode)
    picture.save(tmp_path / "1.tif")
    from_file, given = load_images(tmp_path), load_images([picture])
    np.testing.assert_array_equal(given.pixels, from_file.pixels)
    assert given.pixels.dtype == from_file.pixels.dtype and given.source == "list"


def test_images_in_memory_are_turned_as_the_camera_noted() -> None:
    picture = PICTURE.copy()
    picture.getexif()[0x0112] = 6  # turn to the right
    data = load_images([picture])
    np.testing.assert_array_equal(data.pixels[0], np.rot90(COLOUR, -1))
    assert data.notes == ("1 image was turned upright, as the camera noted.",)


def test_grey_images_arrays_and_images_in_colour_may_stand_in_one_list() -> None:
    pixels = load_images([PICTURE.convert("L"), PICTURE, COLOUR]).pixels
    assert pixels.shape == (3, 6, 7, 3)
    np.testing.assert_array_equal(pixels[1], pixels[2])
    np.testing.assert_array_equal(pixels[0, ..., 0], np.asarray(PICTURE.convert("L")))


def test_images_of_several_sizes_are_named_and_resized() -> None:
    with pytest.raises(DataError, match=r"list: images have 2 sizes.*not 6 x 7 are image 1"):
        load_images([PICTURE, PICTURE.resize((4, 4))])
    assert load_images([PICTURE, PICTURE.resize((4, 4))], size=(3, 3)).pixels.shape == (2, 3, 3, 3)


def test_the_frame_that_an_image_shows_is_read(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "1.tif", save_all=True, append_images=[Image.new("RGB", (7, 6), "red")])
    with Image.open(tmp_path / "1.tif") as picture:
        picture.seek(1)
        data = load_images([picture])
    assert data.pixels[0, 0, 0].tolist() == [255, 0, 0] and data.notes == ()


def test_a_closed_image_is_named(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "1.png")
    with Image.open(tmp_path / "1.png") as picture:
        pass
    with pytest.raises(
        DataFileError, match="^image 1: the file of this image was closed before it was read. Call load"
    ):
        load_images([PICTURE, picture])


def test_a_single_image_is_told_to_come_in_a_list() -> None:
    with pytest.raises(
        DataError, match=r"expected several images, got one of Pillow: pass a list of it, \[x\]"
    ):
        load_images(PICTURE)
