from __future__ import annotations

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.features import Augmentation, fit_image_scaling, random_transforms, transform_images

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)


def test_standard_scaling_gives_zero_mean_and_unit_variance_by_channel() -> None:
    scaled = fit_image_scaling(IMAGES).apply(IMAGES)
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_only_the_given_rows_are_learnt_from() -> None:
    images = IMAGES.copy()
    images[5:] = 255
    expected = fit_image_scaling(IMAGES[:5])
    found = fit_image_scaling(images, np.arange(5))
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.factor, expected.factor)


def test_unit_scaling_of_bytes_does_not_look_at_what_occurs() -> None:
    scaling = fit_image_scaling(IMAGES // 2, kind="unit")
    np.testing.assert_allclose(scaling.apply(np.full((1, 1, 1, 3), 255, np.uint8)), 1, rtol=1e-6)


def test_unit_scaling_of_other_numbers_spans_them() -> None:
    values = (IMAGES / 10 - 5).astype("float32")
    scaled = fit_image_scaling(values, kind="unit").apply(values)
    np.testing.assert_allclose([scaled.min(), scaled.max()], [0, 1], atol=1e-5)


def test_a_channel_with_one_value_stays_finite() -> None:
    flat = np.full((3, 4, 4, 1), 9, dtype=np.uint8)
    np.testing.assert_array_equal(fit_image_scaling(flat).apply(flat), 0)


def test_scaling_is_a_rescaling_layer() -> None:
    scaling = fit_image_scaling(IMAGES)
    layer = keras.layers.Rescaling(scale=scaling.factor.tolist(), offset=scaling.offset.tolist())
    found = keras.ops.convert_to_numpy(layer(IMAGES.astype("float32")))
    np.testing.assert_allclose(scaling.apply(IMAGES), found, atol=1e-5)


def test_augmentation_is_written_and_read_as_json() -> None:
    augmentation = Augmentation(shift=0.1, rotate=10, flip_horizontal=True)
    assert Augmentation.from_json(augmentation.to_json()) == augmentation
    assert Augmentation().is_none and not augmentation.is_none


def test_no_augmentation_changes_nothing() -> None:
    transforms = random_transforms(Augmentation(), 7, 6, 5, np.random.default_rng(0))
    np.testing.assert_allclose(transform_images(IMAGES, transforms), IMAGES, atol=1e-3)


def test_flips_turn_about_half_of_the_images() -> None:
    images = np.repeat(IMAGES[:1], 200, axis=0)
    transforms = random_transforms(Augmentation(flip_horizontal=True), 200, 6, 5, np.random.default_rng(0))
    turned = np.abs(transform_images(images, transforms) - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 1e-3
    same = np.abs(transform_images(images, transforms) - images).max(axis=(1, 2, 3)) < 1e-3
    assert (turned ^ same).all() and 70 < turned.sum() < 130


def test_shifts_stay_within_their_share() -> None:
    transforms = random_transforms(Augmentation(shift=0.25), 500, 20, 40, np.random.default_rng(0))
    np.testing.assert_allclose(transforms[:, [0, 4]], 1)
    assert np.abs(transforms[:, 2]).max() <= 10 and np.abs(transforms[:, 2]).max() > 9
    assert np.abs(transforms[:, 5]).max() <= 5 and np.abs(transforms[:, 5]).max() > 4.5


def test_a_turn_by_a_right_angle_is_a_turn_of_the_array() -> None:
    image = IMAGES[:1, :5, :5]
    quarter = np.array([[0, 1, 0, -1, 0, 4, 0, 0]], dtype=np.float32)
    np.testing.assert_allclose(transform_images(image, quarter)[0], np.rot90(image[0], -1), atol=1e-3)


def test_the_reference_agrees_with_keras_on_the_device() -> None:
    augmentation = Augmentation(shift=0.2, rotate=20, zoom=0.2, flip_horizontal=True, flip_vertical=True)
    transforms = random_transforms(augmentation, 7, 6, 5, np.random.default_rng(1))
    found = keras.ops.image.affine_transform(
        IMAGES.astype("float32"),
        transforms,
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=0.0,
        data_format="channels_last",
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(found), transform_images(IMAGES, transforms), atol=0.05
    )


def test_the_same_seed_draws_the_same() -> None:
    augmentation = Augmentation(shift=0.1, rotate=5)
    first, second = (random_transforms(augmentation, 3, 8, 8, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_unusable_parameters_are_errors() -> None:
    with pytest.raises(ParameterError, match="shift must be a number from 0 to 1, got 2"):
        Augmentation(shift=2)
    with pytest.raises(
        ParameterError,
        match="parameter of augmentation must be one of .*got 'rotation'.*Did you mean 'rotate'",
    ):
        Augmentation.from_json({"rotation": 10})
    with pytest.raises(ParameterError, match="kind must be"):
        fit_image_scaling(IMAGES, kind="standart")  # type: ignore[arg-type]
