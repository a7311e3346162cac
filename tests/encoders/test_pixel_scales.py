"""New images on another scale than those of the training are refused; what may be on the same one is read."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from genokeras.data import load_images
from genokeras.encoders import ImageEncoder, fit_image_encoder
from genokeras.errors import DataError
from genokeras.features import scale_of_pixels

BYTES = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
SCALES = {1: BYTES / 255, 255: BYTES, 65535: BYTES.astype(np.uint16) * 257}


@pytest.mark.parametrize("trained", SCALES)
@pytest.mark.parametrize("new", SCALES)
def test_only_images_on_the_scale_of_the_training_are_read(trained: int, new: int) -> None:
    encoder = ImageEncoder.from_dict(fit_image_encoder(load_images(SCALES[trained])).to_dict())
    if trained == new:
        encoder.rows(load_images(SCALES[new]))
        return
    with pytest.raises(
        DataError, match=f"fitted on pixels from 0 to {trained}: (multiply|divide) by"
    ) as error:
        encoder.rows(load_images(SCALES[new]))
    word, by = str(error.value).rstrip(".").rsplit(": ", 1)[1].split(" by ")
    follow = SCALES[new] * float(by) if word == "multiply" else SCALES[new] / float(by)
    encoder.rows(load_images(follow))


TWELVE_BITS = BYTES.astype(np.uint16) * 16


@pytest.mark.parametrize(
    ("trained", "new", "message"),
    [
        (
            BYTES,
            TWELVE_BITS,
            "reach 3,968, and .* fitted on pixels from 0 to 255: scale them so that white is 255.",
        ),
        (
            TWELVE_BITS,
            BYTES,
            "reach 248, .* of more than 8 bits with a mean of 2,[0-9]{3}: scale .* in training.",
        ),
        (
            TWELVE_BITS,
            BYTES / 255,
            "reach 0.972549, .* of more than 8 bits .* white is what it was in training.",
        ),
    ],
)
def test_no_factor_is_given_where_the_bits_are_not_known(
    trained: np.ndarray, new: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        fit_image_encoder(load_images(trained)).rows(load_images(new))
    assert "multiply" not in str(error.value) and "divide" not in str(error.value)


@pytest.mark.parametrize(
    ("trained", "new"),
    [
        (BYTES, np.zeros((2, 4, 4))),
        (BYTES / 200, BYTES / 100),
        (BYTES * 0.9, BYTES * 2.0),
        (BYTES - 128.0, BYTES),
        (BYTES * 6.0, BYTES),
        (BYTES, np.minimum(BYTES, 1)[:4]),
        (np.minimum(BYTES, 1), BYTES / 255),
    ],
)
def test_images_that_may_be_on_the_same_scale_are_read(trained: np.ndarray, new: np.ndarray) -> None:
    fit_image_encoder(load_images(trained)).rows(load_images(new))


BLACK_AND_WHITE = BYTES > 127
STANDARDISED = (BYTES - BYTES.mean()) / BYTES.std()
DIGITS = BYTES / 16.0  # from 0 to 16: a scale of its own


@pytest.mark.parametrize("one", [BLACK_AND_WHITE, BLACK_AND_WHITE.astype(float)])
def test_black_and_white_images_are_on_the_scale_of_1(one: np.ndarray) -> None:
    with pytest.raises(DataError, match="fitted on pixels from 0 to 255: multiply by 255"):
        fit_image_encoder(load_images(BYTES)).rows(load_images(one))
    with pytest.raises(DataError, match="fitted on pixels from 0 to 1: divide by 255"):
        fit_image_encoder(load_images(one)).rows(load_images(BYTES))
    fit_image_encoder(load_images(one)).rows(load_images(BYTES / 255))


def test_pixels_of_dtype_bool_are_on_the_scale_of_1() -> None:
    assert scale_of_pixels(np.zeros((1, 2, 2, 1), bool)) == 1


@pytest.mark.parametrize(
    ("trained", "new", "advice"),
    [
        (DIGITS, DIGITS / 16, "0.06[23] times that of the training.*multiply them by about 16.*only darker"),
        (BYTES, BLACK_AND_WHITE.astype(int), "multiply them by about 1[0-9]{2}"),
        (BLACK_AND_WHITE.astype(int), BYTES, "divide them by about 1[0-9]{2}"),
        (DIGITS, BYTES, "16 times that of the training.*divide them by about 16.*only brighter"),
        (BYTES, (BYTES - 128.0) / 100, "0.01 times that of the training.*multiply them by about 100"),
        (BYTES, STANDARDISED, "0.01[0-9]* times that of the training.*multiply them by about 7[0-9]"),
    ],
)
def test_images_of_another_spread_are_read_with_a_warning(
    trained: np.ndarray, new: np.ndarray, advice: str
) -> None:
    encoder = fit_image_encoder(load_images(trained))
    with pytest.warns(UserWarning, match=advice):
        encoder.rows(load_images(new))


@pytest.mark.parametrize(
    "new", [DIGITS / 7, DIGITS * 7, DIGITS[:4] / 16, np.zeros((6, 4, 4)), np.full((6, 4, 4), 0.1)]
)
def test_a_spread_that_pictures_may_have_is_read_without_a_warning(new: np.ndarray) -> None:
    fit_image_encoder(load_images(DIGITS)).rows(load_images(new))  # warnings are errors here


def test_an_encoder_that_does_not_know_its_scale_goes_by_the_spread() -> None:
    old = dataclasses.replace(fit_image_encoder(load_images(BYTES)), scale=None)
    with pytest.warns(UserWarning, match="multiply them by about"):
        old.rows(load_images(BYTES / 255))


def test_the_spread_is_judged_by_the_channel_that_differs_least() -> None:
    colours = np.stack([DIGITS, DIGITS, np.full_like(DIGITS, 3.0)], axis=-1)
    encoder = fit_image_encoder(load_images(colours))
    encoder.rows(load_images(colours * [1, 1 / 16, 1]))
    with pytest.warns(UserWarning, match="multiply them by about 16"):
        encoder.rows(load_images(colours / 16))


def test_one_black_and_white_image_is_read_as_within_a_batch() -> None:
    encoder = fit_image_encoder(load_images(BLACK_AND_WHITE))
    whole = encoder.rows(load_images(BLACK_AND_WHITE.astype("uint8")))["pixels"]
    one = encoder.rows(load_images(BLACK_AND_WHITE[:1].astype("uint8")))["pixels"]
    np.testing.assert_array_equal(one, whole[:1])
