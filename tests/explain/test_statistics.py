"""Fold changes, tests and correlations of single genes against scipy and against hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genokeras.errors import DataError
from genokeras.explain import Association, class_changes, target_correlations
from genokeras.explain.statistics import copies


def study(n: int = 18, p: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of expression, and three classes of different sizes and spreads."""
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c"])[np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])[np.arange(n) % 9]]
    x = rng.normal(8.0, 1.0, size=(n, p)) * np.where(y == "b", 1.3, 1.0)[:, None]
    return x.astype("float32"), y


@pytest.mark.parametrize("seed", range(3))
def test_p_values_are_the_larger_ones_of_welch_and_student_as_scipy_has_them(seed: int) -> None:
    x, y = study(seed=seed)
    found = class_changes(x, y, ["a", "b", "c"])
    for number, name in enumerate("abc"):
        welch, student = (
            stats.ttest_ind(x[y == name], x[y != name], equal_var=equal).pvalue for equal in (False, True)
        )
        np.testing.assert_allclose(found.p_value[:, number], np.maximum(welch, student), rtol=1e-5)


@pytest.mark.parametrize("rare", [2, 4, 8, 20])
def test_counts_that_are_mostly_zero_make_no_gene_of_a_rare_class_significant(rare: int) -> None:
    # Welch's test alone calls 643 of these genes significant of 8 samples: those where the 8 are all zero.
    x = np.random.default_rng(0).poisson(0.15, (300, 2000))
    y = np.where(np.arange(300) < rare, "rare", "rest")
    assert class_changes(x, y, ["rare"]).q_value.min() > 0.05


def test_a_rare_class_that_varies_more_than_the_rest_makes_no_gene_significant() -> None:
    # Student's test alone calls 716 of these genes significant.
    x = np.random.default_rng(0).normal(size=(200, 2000))
    y = np.where(np.arange(200) < 8, "rare", "rest")
    x[y == "rare"] *= 3.0
    assert class_changes(x, y, ["rare"]).q_value.min() > 0.05


def test_the_t_test_of_four_numbers_is_the_one_computed_by_hand() -> None:
    # Means 1 and 4, variances 2 / 2 each: t = 3 / sqrt(1 + 1) with (1 + 1)^2 / (1 + 1) = 2 degrees of freedom.
    found = class_changes([[0.0], [2.0], [3.0], [5.0]], ["a", "a", "b", "b"], ["b"])
    assert found.effect.tolist() == [[3.0]]
    t = 3.0 / np.sqrt(2.0)
    # With two degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t^2).
    assert found.p_value[0, 0] == pytest.approx(1.0 - t / np.sqrt(2.0 + t**2))


def by_hand(p: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg 1995: the smallest ``p_(j) m / j`` over all j from its rank upwards."""
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = [min(1.0, scaled[i:].min()) for i in range(len(p))]
    return q


def test_q_values_follow_the_formula_and_go_class_by_class() -> None:
    x, y = study(p=12)
    x[y == "a", :3] += 3.0
    found = class_changes(x, y, ["a", "b"])
    for number in range(2):
        np.testing.assert_allclose(found.q_value[:, number], by_hand(found.p_value[:, number]), rtol=1e-10)


def test_q_values_of_equal_p_values_are_equal() -> None:
    x, y = study(p=4)
    x = np.repeat(x, 2, axis=1)
    q = class_changes(x, y, ["a"]).q_value[:, 0]
    np.testing.assert_array_equal(q[::2], q[1::2])


def test_a_single_gene_has_its_p_value_as_q_value() -> None:
    x, y = study(p=1)
    found = class_changes(x, y, ["a"])
    assert found.q_value.tolist() == found.p_value.tolist()


@given(st.permutations(range(6)), st.permutations(range(18)))
def test_genes_and_samples_in_another_order_change_nothing(genes: list[int], samples: list[int]) -> None:
    x, y = study()
    plain, moved = (
        class_changes(x, y, ["a", "c"]),
        class_changes(x[samples][:, genes], y[samples], ["a", "c"]),
    )
    for name in ("effect", "p_value", "q_value"):
        np.testing.assert_allclose(getattr(moved, name), getattr(plain, name)[genes], rtol=1e-6)


def test_genes_that_differ_without_any_spread_are_certain_and_constant_ones_are_not() -> None:
    y = ["a", "a", "b", "b"]
    x = np.array([[1.0, 5.0, 0.1], [1.0, 5.0, 0.1], [2.0, 5.0, 0.1], [2.0, 5.0, 0.1]])
    assert class_changes(x, y, ["a"]).p_value[:, 0].tolist() == [0.0, 1.0, 1.0]


def test_a_class_is_compared_with_all_others_together() -> None:
    x = np.array([[1.0], [1.2], [2.0], [2.2], [6.0], [6.2]])
    found = class_changes(x, [0, 0, 1, 1, 2, 2], [0, 1, 2])
    np.testing.assert_allclose(found.effect[0], [1.1 - 4.1, 2.1 - 3.6, 6.1 - 1.6], rtol=1e-6)
    assert found.output_names == ("0", "1", "2")
    assert found.effect_name == "log2_fold_change"


@pytest.mark.parametrize("factor", [0.5, 1024.0])
def test_intensities_give_the_same_in_any_unit(factor: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.lognormal(6.0, 1.0, size=(12, 5)), np.arange(12) % 2
    plain, scaled = (class_changes(rows, y, [1], logged=False) for rows in (x, factor * x))
    np.testing.assert_allclose(scaled.effect, plain.effect, rtol=1e-4)
    np.testing.assert_allclose(scaled.p_value, plain.p_value, rtol=1e-4)


def test_zeros_and_single_negative_intensities_have_finite_fold_changes() -> None:
    x = np.array([[0.0, -30.0], [0.0, 70.0], [800.0, 420.0], [820.0, 60.0]])
    found = class_changes(x, [0, 0, 1, 1], [1])
    assert np.isfinite(found.effect).all() and (found.effect > 0).all()


def test_small_values_are_taken_for_logarithms_unless_it_is_said() -> None:
    x = np.array([[2.0], [2.0], [8.0], [8.0]]) + np.array([[0.0], [0.1], [0.0], [0.1]])
    y = [0, 0, 1, 1]
    assert class_changes(x, y, [1]).effect.item() == pytest.approx(6.0)
    assert class_changes(x, y, [1], logged=False).effect.item() == pytest.approx(np.log2(8 / 2), abs=0.3)


def test_all_zeros_are_constant_genes() -> None:
    found = class_changes(np.zeros((4, 2)), [0, 0, 1, 1], [1], logged=False)
    assert found.p_value.tolist() == [[1.0], [1.0]]
    assert found.effect.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("n_targets", [1, 3])
def test_correlations_are_pearsons_as_scipy_has_them(n_targets: int) -> None:
    x, _ = study(p=4)
    y = np.random.default_rng(1).normal(size=(18, n_targets))
    names = [f"t{i}" for i in range(n_targets)]
    found = target_correlations(x, y, names)
    for gene in range(4):
        for target in range(n_targets):
            expected = stats.pearsonr(x[:, gene], y[:, target])
            assert found.effect[gene, target] == pytest.approx(expected.statistic, abs=1e-6)
            assert found.p_value[gene, target] == pytest.approx(expected.pvalue, rel=1e-4)
    assert found.effect_name == "pearson_r"
    assert found.output_names == tuple(names)


def test_a_gene_that_is_the_target_has_r_1_and_a_constant_gene_has_none() -> None:
    y = np.array([1.0, 2.0, 4.0, 3.0])
    found = target_correlations(np.stack([y, -2 * y, np.full(4, 0.1)], axis=1), y, ["t"])
    np.testing.assert_allclose(found.effect[:, 0], [1.0, -1.0, 0.0], atol=1e-12)
    assert found.p_value[:2, 0].max() < 1e-6
    assert found.p_value[2, 0] == found.q_value[2, 0] == 1.0


@given(st.floats(0.01, 100.0), st.floats(-50.0, 50.0))
def test_a_correlation_does_not_depend_on_the_units_of_the_target(factor: float, shift: float) -> None:
    x, _ = study()
    y = np.random.default_rng(2).normal(size=18)
    plain, moved = (target_correlations(x, numbers, ["t"]) for numbers in (y, factor * y + shift))
    np.testing.assert_allclose(moved.effect, plain.effect, atol=1e-3)


def test_intensities_are_correlated_behind_a_logarithm() -> None:
    y = np.linspace(0.0, 1.0, 12)
    x = 1000.0 * np.exp(4 * y)[:, None]
    assert target_correlations(x, y, ["t"]).effect.item() > 0.999
    assert target_correlations(x, y, ["t"], logged=True).effect.item() < 0.98


@pytest.mark.parametrize(
    ("x", "y", "classes", "message"),
    [
        (np.ones((4, 2)), [0, 0, 1], [0, 1], "one label per sample: expected 4, got 3"),
        (np.ones((4, 2)), [0, 0, 0, 1], [0, 1], "0, 1 has fewer among the 4 labelled samples"),
        (np.ones((4, 2)), [0, 0, 1, 1], [0, 7], "7 has fewer"),
        # Labels are compared as text.
        (np.ones((4, 2)), [0.0, 0.0, 1.0, 1.0], [0, 1], r"the labels are 0\.0, 1\.0"),
        (np.full((4, 2), np.nan), [0, 0, 1, 1], [0, 1], "missing or infinite"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused(
    x: np.ndarray, y: list[float], classes: list[int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        class_changes(x, y, classes)


@pytest.mark.parametrize(
    ("n", "y", "targets", "message"),
    [
        (4, [1.0, 2.0, 3.0], ["t"], "one row per sample: expected 4, got 3"),
        (2, [1.0, 2.0], ["t"], "needs three samples, got 2"),
        (4, [1.0, 1.0, 1.0, 1.0], ["age"], "y must vary: age is the same for all 4 samples"),
        (4, [1.0, np.inf, 1.0, 2.0], ["t"], "y has missing or infinite values in 1 of 4 rows: 1"),
        (4, np.ones((4, 2)), ["t"], "y must have one column per target: expected 1, got 2"),
        (4, ["1", "2", "3", "4"], ["t"], "y must hold numbers"),
    ],
)
def test_targets_that_cannot_be_correlated_are_refused(
    n: int, y: object, targets: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        target_correlations(np.arange(2.0 * n).reshape(n, 2), y, targets)


def test_copies_of_copies_are_one_group() -> None:
    # Neighbours of a slowly turning direction correlate above the limit, its ends do not.
    angles = np.deg2rad([0.0, 15.0, 30.0, 90.0])
    centred = np.random.default_rng(0).normal(size=(20, 2))
    first, second = np.linalg.qr(centred - centred.mean(axis=0))[0].T
    x = np.outer(first, np.cos(angles)) + np.outer(second, np.sin(angles))
    assert abs(np.corrcoef(x.T)[0, 2]) < 0.95 < abs(np.corrcoef(x.T)[0, 1])
    assert copies(x).tolist() == [1, 1, 1, 0]


def test_groups_are_counted_from_their_first_member() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 30))
    assert copies(np.stack([b, a, a, b, a], axis=1)).tolist() == [1, 2, 2, 1, 2]


def test_constant_genes_and_two_samples_have_no_copies() -> None:
    x = np.stack([np.full(5, 3.0), np.full(5, 3.0), np.arange(5.0)], axis=1)
    assert copies(x).tolist() == [0, 0, 0]
    assert copies(np.array([[0.0, 0.0], [1.0, 1.0]])).tolist() == [0, 0]


def test_the_limit_decides_what_a_copy_is() -> None:
    x = np.array([[0.0, 0.1], [1.0, 0.8], [2.0, 2.4], [3.0, 2.9]])
    r = np.corrcoef(x.T)[0, 1]
    assert copies(x, r - 0.001).tolist() == [1, 1]
    assert copies(x, r + 0.001).tolist() == [0, 0]


def test_an_association_is_one_column_an_output() -> None:
    x, y = study(p=3)
    found = class_changes(x, y, ["c", "a"])
    assert isinstance(found, Association)
    assert found.effect.shape == found.p_value.shape == found.q_value.shape == (3, 2)
    alone = class_changes(x, y, ["a"])
    np.testing.assert_allclose(found.effect[:, 1], alone.effect[:, 0])
