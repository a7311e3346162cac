"""Pictures of 16 bits a colour, which Pillow reads with 8, and pictures on different scales."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genokeras.data import load_images
from genokeras.errors import DataError

COLOUR = np.random.default_rng(0).integers(0, 65536, (6, 5, 4, 3)).astype(np.uint16)
GREY = COLOUR[..., :1]
DARK = COLOUR >> 4  # 12 bits


def save_png(file: Path, pixels: np.ndarray) -> None:
    """Of 16 bits, which Pillow does not write in colour."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = (part(b"IHDR", head), part(b"IDAT", zlib.compress(rows)), part(b"IEND", b""))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_colours_of_16_bits_are_read_with_8_and_a_note(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", COLOUR[0])
    note = "1 image of 16 bits a colour was read with 8 bits: {}."
    data = load_images(tmp_path)
    np.testing.assert_array_equal(data.pixels[0], COLOUR[0] >> 8)
    assert data.notes == (note.format("a.png"),)
    with Image.open(tmp_path / "a.png") as picture:
        assert load_images([picture]).notes == (note.format("image 0"),)


def test_grey_of_16_bits_keeps_them_without_a_note(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", GREY[0])
    data = load_images(tmp_path)
    np.testing.assert_array_equal(data.pixels[0], GREY[0])
    assert data.notes == ()


def test_colours_in_the_lower_bits_alone_are_refused(tmp_path: Path) -> None:
    for i, pixels in enumerate(DARK):
        save_png(tmp_path / f"{i}.png", pixels)
    with pytest.raises(
        DataError, match=r"6 images have 16 bits a colour, .* reach 15 of 255: 0.png, .*as an array"
    ):
        load_images(tmp_path)
    for i in (0, 1):
        (tmp_path / f"{i}.png").unlink()
    assert len(load_images(tmp_path)) == 4  # which may happen to be dark


def test_whole_numbers_and_fractions_of_1_are_refused_together(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", GREY[0])
    Image.fromarray((GREY[1, ..., 0] / 65535).astype("float32")).save(tmp_path / "b.tif")
    with pytest.raises(
        DataError, match="1 of 2 images are fractions from 0 to 1, others whole numbers beyond: b.tif"
    ):
        load_images(tmp_path)
    Image.fromarray((GREY[1, ..., 0] / 3).astype("float32")).save(tmp_path / "b.tif")
    assert len(load_images(tmp_path)) == 2


@pytest.mark.parametrize("height", [5, 3])
def test_arrays_on_different_scales_are_refused_whatever_their_size(height: int) -> None:
    whole, unit = GREY[0, ..., 0].astype(float), GREY[1, :height, :, 0] / 65535
    with pytest.raises(DataError, match="fractions from 0 to 1, others whole numbers beyond: image 1"):
        load_images([whole, unit], size=(5, 4))
    with pytest.raises(DataError, match="1 of 2 images have more than 8 bits, the others 8: image 1"):
        load_images([(whole / 257).astype("uint8"), unit], size=(5, 4))
