from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genokeras.data import load_images
from genokeras.errors import DataError, DataFileError, ParameterError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 6, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)


def idx(values: np.ndarray, code: int = 0x08) -> bytes:
    lengths = np.array(values.shape, dtype=">u4").tobytes()
    return bytes([0, 0, code, values.ndim]) + lengths + values.tobytes()


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_arrays_get_a_channel_axis_and_keep_their_pixels() -> None:
    data = load_images(GREY, [0, 1, 0, 1, 0])
    assert data.pixels.shape == (5, 6, 4, 1) and data.pixels.dtype == np.uint8
    np.testing.assert_array_equal(data.pixels[..., 0], GREY)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [(GREY.astype("int64"), np.uint8), (GREY / 255, np.float32), (GREY.astype("int64") - 9, np.float32)],
)
def test_whole_numbers_to_255_are_bytes_and_all_else_float32(values: np.ndarray, dtype: type) -> None:
    pixels = load_images(values).pixels
    assert pixels.dtype == dtype
    np.testing.assert_allclose(pixels[..., 0], values, rtol=1e-6)


@pytest.mark.parametrize("name", ["t-images-idx3-ubyte", "t-images-idx3-ubyte.gz"])
def test_idx_files_are_read(tmp_path: Path, name: str) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack(idx(GREY)))
    labels = tmp_path / "t-labels-idx1-ubyte"
    labels.write_bytes(idx(np.arange(5, dtype=np.uint8)))
    data = load_images(tmp_path / name, labels)
    np.testing.assert_array_equal(data.pixels[..., 0], GREY)
    assert data.labels is not None and data.labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("name", "pack"), [("lab3.gz", gzip.compress), ("lab3", bytes), ("lab3.txt", bytes)])
def test_idx_labels_are_known_by_their_first_bytes(
    tmp_path: Path, name: str, pack: Callable[..., bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(idx(np.arange(5, dtype=np.uint8))))
    for path in (tmp_path / name, str(tmp_path / name)):
        assert load_images(GREY, path).labels.tolist() == [0, 1, 2, 3, 4]


def test_a_damaged_file_of_labels_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "lab3.gz").write_bytes(b"\x1f\x8b\x08damaged")
    with pytest.raises(DataFileError, match="lab3.gz: the gzip data end too early or are damaged"):
        load_images(GREY, tmp_path / "lab3.gz")


def test_idx_files_of_other_types_are_read_in_their_byte_order(tmp_path: Path) -> None:
    (tmp_path / "a.idx").write_bytes(idx((GREY / 2).astype(">f4"), 0x0D))
    np.testing.assert_array_equal(load_images(tmp_path / "a.idx").pixels[..., 0], GREY / 2)


def test_class_folders_are_labels(tmp_path: Path) -> None:
    for i, name in enumerate(["cat/1.png", "cat/2.bmp", "dog/1.png"]):
        save(tmp_path / name, COLOUR[i])
    (tmp_path / "dog" / ".hidden.png").write_bytes(b"x")
    data = load_images(tmp_path)
    np.testing.assert_array_equal(data.pixels, COLOUR[:3])
    assert data.names == ("cat/1.png", "cat/2.bmp", "dog/1.png")
    assert data.labels is not None and data.labels.tolist() == ["cat", "cat", "dog"]


def test_grey_and_coloured_pictures_become_coloured(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", COLOUR[0])
    save(tmp_path / "b" / "1.png", COLOUR[1, :, :, 0])
    pixels = load_images(tmp_path).pixels
    assert pixels.shape == (2, 6, 7, 3)
    np.testing.assert_array_equal(pixels[1, :, :, 2], COLOUR[1, :, :, 0])


def test_transparency_is_dropped_and_grey_stays_grey(tmp_path: Path) -> None:
    save(tmp_path / "clear" / "a" / "1.png", np.dstack([COLOUR[0], COLOUR[0, :, :, 0]]))
    save(tmp_path / "grey" / "1.png", GREY[0])
    np.testing.assert_array_equal(load_images(tmp_path / "clear").pixels[0], COLOUR[0])
    grey = load_images(tmp_path / "grey")
    assert grey.pixels.shape == (1, 6, 4, 1) and grey.labels is None


def test_images_of_several_sizes_are_an_error_or_resized(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", GREY[0])
    save(tmp_path / "a" / "2.png", GREY[1])
    save(tmp_path / "b" / "1.png", GREY[2, :5])
    with pytest.raises(
        DataError, match=r"2 sizes, height x width: 6 x 4 \(2\), 5 x 4 \(1\); not 6 x 4 are b/1.png"
    ):
        load_images(tmp_path)
    data = load_images(tmp_path, size=(6, 4))
    assert data.pixels.shape == (3, 6, 4, 1) and data.notes == ("1 image was resized to 6 x 4.",)
    np.testing.assert_array_equal(data.pixels[0, :, :, 0], GREY[0])


def test_a_list_of_arrays_of_several_sizes_is_treated_alike() -> None:
    images = [COLOUR[0], COLOUR[1, :5]]
    with pytest.raises(DataError, match=r"Resize them all: gk.load_images\(..., size=\(6, 7\)\)"):
        load_images(images)
    assert load_images(images, size=(3, 3)).pixels.shape == (2, 3, 3, 3)


def test_resizing_keeps_a_flat_image_flat() -> None:
    flat = np.full((2, 8, 8, 2), 77, dtype=np.uint8)
    assert np.unique(load_images(flat, size=(5, 3)).pixels).tolist() == [77]


def test_channels_in_front_are_recognised_and_can_be_said() -> None:
    first = COLOUR.transpose(0, 3, 1, 2)
    with pytest.raises(DataError, match=r"\(5, 3, 6, 7\) looks like .*channels_first=True"):
        load_images(first)
    np.testing.assert_array_equal(load_images(first, channels_first=True).pixels, COLOUR)


@pytest.mark.parametrize(
    ("shape", "hint"), [((6, 4), "newaxis"), ((6, 7, 3), "one image in colour"), ((0, 6, 4), "got")]
)
def test_arrays_of_another_shape_are_an_error(shape: tuple[int, ...], hint: str) -> None:
    with pytest.raises(DataError, match=hint):
        load_images(np.zeros(shape))


def test_values_that_are_not_finite_are_named() -> None:
    values = GREY / 255
    values[3, 0, 0] = np.nan
    with pytest.raises(
        DataError, match=r"1 image holds values that are missing, infinite or beyond 1e\+15: image 3"
    ):
        load_images(values)


def test_text_is_no_pixel() -> None:
    with pytest.raises(DataError, match="pixels must be numbers"):
        load_images(np.full((2, 3, 3), "a"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (idx(GREY)[:-7], r"truncated: shape \(5, 6, 4\) takes 120 bytes, it holds 113"),
        (idx(GREY) + b"x", "longer than its header says"),
        (b"\x89PNG" + bytes(30), "not idx"),
        (idx(GREY)[:9], "its header of 16 bytes ends after 9"),
        (gzip.compress(idx(GREY), mtime=0)[:60], "truncated"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(9), "truncated"),
    ],
)
def test_damaged_idx_files_say_so(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "x-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(DataFileError, match=message):
        load_images(tmp_path / "x-images-idx3-ubyte")


def test_labels_and_images_that_are_exchanged_are_recognised(tmp_path: Path) -> None:
    images, labels = tmp_path / "images-idx3-ubyte", tmp_path / "labels-idx1-ubyte"
    images.write_bytes(idx(GREY))
    labels.write_bytes(idx(np.arange(5, dtype=np.uint8)))
    with pytest.raises(DataError, match="Are these the labels"):
        load_images(labels, images)
    with pytest.raises(DataError, match="are these the images"):
        load_images(images, images)


def test_another_number_of_labels_is_an_error() -> None:
    with pytest.raises(DataError, match="expected 5, got 4"):
        load_images(GREY, [0, 1, 0, 1])


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", COLOUR[0])
    (tmp_path / "a" / "2.png").write_bytes((tmp_path / "a" / "1.png").read_bytes()[:60])
    with pytest.raises(DataFileError, match=r"a/2.png is truncated, damaged or no image"):
        load_images(tmp_path)


@pytest.mark.parametrize(("name", "advice"), [("x.npy", r"x.npy'\)\."), ("x.NPZ", r"x.NPZ'\)\[name\]\.")])
def test_files_of_numpy_are_to_be_passed_as_arrays(tmp_path: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"\x93NUMPY")
    message = (
        rf"{name} is a file of NumPy: expected an idx file .* Pass its array in Python: np.load\('.*{advice}"
    )
    with pytest.raises(DataFileError, match=message):
        load_images(tmp_path / name)


def test_a_folder_without_images_and_a_single_image_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="holds no files that end in .png"):
        load_images(tmp_path)
    save(tmp_path / "1.png", GREY[0])
    with pytest.raises(DataFileError, match="a single image: pass the folder"):
        load_images(tmp_path / "1.png")


@pytest.mark.parametrize("size", [(0, 4), (4,), 4, (4.5, 4)])
def test_a_size_must_be_two_whole_numbers(size: object) -> None:
    with pytest.raises(ParameterError, match=r"size must be \(height, width\)"):
        load_images(GREY, size=size)  # type: ignore[arg-type]


def test_taken_rows_carry_everything_along() -> None:
    part = load_images(GREY, list("abcde"), groups=[1, 2, 3, 4, 5]).take(np.array([4, 1]))
    np.testing.assert_array_equal(part.pixels[..., 0], GREY[[4, 1]])
    assert part.labels is not None and part.labels.tolist() == ["e", "b"]
    assert (
        part.groups is not None and part.groups.tolist() == [5, 2] and part.names == ("sample_4", "sample_1")
    )


def test_pictures_are_turned_as_the_camera_noted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn to the right
    Image.fromarray(GREY[0]).save(tmp_path / "1.png", exif=exif)
    data = load_images(tmp_path)
    np.testing.assert_array_equal(data.pixels[0, :, :, 0], np.rot90(GREY[0], -1))
    assert data.notes == ("1 image was turned upright, as the camera noted.",)


def test_an_orientation_that_says_nothing_is_not_noted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 0
    Image.fromarray(GREY[0]).save(tmp_path / "1.png", exif=exif)
    data = load_images(tmp_path)
    np.testing.assert_array_equal(data.pixels[0, :, :, 0], GREY[0])
    assert data.notes == ()


def test_a_picture_beyond_the_limit_of_pillow_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a" / "1.png", GREY[0])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(
        DataFileError, match=r"a/1.png is larger than Pillow reads: .*24 pixels.* 20 pixels. Resize"
    ):
        load_images(tmp_path)


def test_a_stack_of_pages_is_refused_and_a_pyramid_read(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in GREY]
    (tmp_path / "p").mkdir()
    pages[0].save(tmp_path / "p" / "1.tif", save_all=True, append_images=[pages[1].resize((2, 2))])
    data = load_images(tmp_path / "p")
    np.testing.assert_array_equal(data.pixels[0, :, :, 0], GREY[0])
    assert data.notes == ("Of files with several frames the first was read: 1.tif.",)
    pages[0].save(tmp_path / "p" / "1.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DataFileError, match=r"^1.tif is a stack of 5 pages: expected one image a file"):
        load_images(tmp_path / "p")


def test_images_of_different_depths_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", GREY[0])
    save(tmp_path / "b.png", GREY[1].astype(np.uint16) * 257)
    with pytest.raises(DataError, match=r"1 of 2 images have more than 8 bits, the others 8: b.png"):
        load_images(tmp_path)
    with pytest.raises(DataError, match="different scales"):
        load_images([GREY[0], GREY[1] / 255])
    assert load_images([GREY[0], GREY[1]]).pixels.dtype == np.uint8
