"""Numbers as what networks answer: standardised inside, in their units outside."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge

from genokeras.data import choose_folds, load_images
from genokeras.encoders import fit_image_encoder, moves_matter
from genokeras.errors import DataError
from genokeras.tasks.known import read_task
from genokeras.tasks.linear import fit_ridge
from genokeras.tasks.numbers import Numbers, numbers_like
from genokeras.tasks.task import Labelled
from tests.encoders.planted_numbers import bar_places, brightness

TARGETS = np.array([[1.0, 300.0], [2.0, 100.0], [6.0, 200.0]])


def test_targets_are_standardised_and_answers_brought_back():
    task = numbers_like(TARGETS)
    inside = task.training_targets(TARGETS)
    assert inside.dtype == np.float32
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(inside.std(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(task.answers_of(inside), TARGETS, rtol=1e-5)


def test_the_layer_in_the_model_answers_as_the_array_does():
    task, outputs = numbers_like(TARGETS), np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    layer = keras.ops.convert_to_numpy(task.answer_tensor(outputs))
    np.testing.assert_allclose(layer, task.answers_of(outputs), rtol=1e-5)


def test_row_losses_count_all_targets_alike_whatever_their_units():
    task = numbers_like(TARGETS)
    off = TARGETS + np.array(task.sd) * [1.0, 2.0]
    np.testing.assert_allclose(task.row_losses(off, TARGETS), np.full(3, 2.5))


def test_explanations_take_differences_of_the_numbers_themselves():
    assert numbers_like(TARGETS).explained(TARGETS) is TARGETS


def test_a_target_far_off_pulls_no_harder_than_one_standard_deviation():
    loss = numbers_like(TARGETS[:, :1]).training_loss(0.0)
    near, far = (float(loss([[0.0]], [[float(error)]])) for error in (0.5, 10.0))
    assert near == pytest.approx(0.125) and far == pytest.approx(9.5)


def test_the_task_comes_back_from_json():
    task = numbers_like(TARGETS)
    again = read_task(json.loads(json.dumps(task.to_dict())))
    assert again == task and isinstance(again, Numbers) and again.n_outputs == 2


@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_ridge_is_that_of_the_normal_equations(is_sparse):
    rng = np.random.default_rng(0)
    x, y, weight = (
        rng.normal(size=(50, 6)).astype("float32"),
        rng.normal(3, 1, size=(50, 2)),
        rng.integers(1, 4, 50),
    )
    given = sparse.csr_matrix(x) if is_sparse else x
    kernel, bias, iterations = fit_ridge(given, y, weight.astype(float), 0.3, scaling=0.0)
    expected = Ridge(0.3 * weight.sum(), solver="cholesky").fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(kernel, expected.coef_.T, atol=1e-3)
    np.testing.assert_allclose(bias, expected.intercept_, atol=1e-3)
    assert kernel.dtype == np.float32 and iterations > 0


def test_a_scaled_ridge_reads_columns_as_they_are():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2)) * [1.0, 1000.0]
    y = x[:, :1] + x[:, 1:] / 1000
    kernel, bias, _ = fit_ridge(x.astype("float32"), y, np.ones(80), 1e-6, scaling=1.0)
    np.testing.assert_allclose(x @ kernel + bias, y, atol=1e-2)


def test_numbers_are_split_as_classes_are_by_size():
    assert choose_folds(900, None, None, None, 0, places=1000).n_folds == 3
    many = choose_folds(2500, None, None, None, 0, places=1000)
    assert many.n_folds == 1 and many.held_out.sum() == 500
    assert choose_folds(2500, None, None, 4, 0, places=1000).n_folds == 4
    groups = np.arange(3000) // 100
    folds = choose_folds(3000, None, groups, None, 0, places=1000)
    assert set(groups[folds.held_out[0]]).isdisjoint(groups[folds.train[0]])


@pytest.mark.parametrize(("study", "matter"), [(bar_places, True), (brightness, False)])
def test_whether_moves_matter_is_told_from_the_data(study, matter):
    x, y = study(150)
    data = load_images(x)
    encoder = fit_image_encoder(data)
    targets = ((y - y.mean()) / y.std())[:, None]
    assert moves_matter(encoder, encoder.rows(data), targets, np.random.default_rng(0)) is matter


def test_of_too_few_images_moves_are_left_alone():
    data = load_images(bar_places(4)[0])
    encoder = fit_image_encoder(data)
    assert moves_matter(encoder, encoder.rows(data), np.eye(4)[:, :1], np.random.default_rng(0))


def test_targets_are_put_in_order_by_name_and_other_names_are_refused() -> None:
    task, names = numbers_like(np.array([[1.0, 2.0], [3.0, 5.0]])), np.array(["age", "weight"])
    values = np.array([[70.0, 50.0], [80.0, 60.0]])

    def read(*columns: str) -> list[list[float]]:
        found: list[list[float]] = task.read(Labelled(values, columns, ("s0", "s1"), "table"), names).tolist()
        return found

    assert read("weight", "age") == [[50, 70], [60, 80]]
    assert read("y_0", "y_1") == read("0", "1") == read("age", "weight") == values.tolist()
    with pytest.raises(
        DataError,
        match="y has the columns weight, age_years .table., and the model was fitted to age, weight: which is which. Missing is 'age'. "
        "Rename the columns",
    ):
        read("weight", "age_years")
    with pytest.raises(DataError, match="Missing are 'age', 'weight'"):
        read("Gewicht", "Alter")
