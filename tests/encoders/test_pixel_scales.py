"""New images on another scale than those of the training are refused; what may be on the same one is read."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.data import load_images
from genokeras.encoders import ImageEncoder, fit_image_encoder
from genokeras.errors import DataError

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


@pytest.mark.parametrize(
    ("trained", "new"),
    [
        (BYTES, np.zeros((2, 4, 4))),
        (BYTES / 200, BYTES / 100),
        (BYTES * 0.9, BYTES * 2.0),
        (BYTES - 128.0, BYTES),
        (BYTES * 6.0, BYTES),
        (BYTES, np.minimum(BYTES, 1)),
    ],
)
def test_images_that_may_be_on_the_same_scale_are_read(trained: np.ndarray, new: np.ndarray) -> None:
    fit_image_encoder(load_images(trained)).rows(load_images(new))
