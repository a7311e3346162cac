"""Pairs of features: what two genes say together, found on the training rows of each fold alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from genokeras.data.block import placed
from genokeras.features import (
    available_views,
    block_views,
    fit_block_views,
    fit_views,
    pair_correlation,
    pairs,
    standardisation,
)
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.survival import Cox
from genokeras.tasks.task import Aim, Labelled

N, P = 200, 60
TRAIN = np.stack([np.arange(N) % 5 != fold for fold in range(5)])
FIRST, SECOND = 7, 41


def genes(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(6, 2, size=(N, P)).astype("float32")


def together(x: np.ndarray) -> np.ndarray:
    """What the two genes say: nothing alone."""
    return np.asarray(((x[:, FIRST] - 6) * (x[:, SECOND] - 6)) / 4)


def aim_of(values: np.ndarray, names: tuple[str, ...], learn: Callable[[Labelled], Aim]) -> Aim:
    return learn(Labelled(values, names, tuple(f"s{i}" for i in range(len(values))), "array"))


def classes(x: np.ndarray) -> Aim:
    return Aim(Classes(2), (together(x) > 0).astype(np.int64), np.array(["a", "b"]), ())


def three_classes(x: np.ndarray) -> Aim:
    codes = np.digitize(together(x), [-0.4, 0.4])
    return Aim(Classes(3), codes, np.array(["a", "b", "c"]), ())


def numbers(x: np.ndarray) -> Aim:
    noise = np.random.default_rng(2).normal(size=(N, 1))
    return aim_of(together(x)[:, None] + noise, ("y",), Numbers.learn)


def survival(x: np.ndarray) -> Aim:
    values = np.empty((N, 2), dtype=object)
    values[:, 0] = np.random.default_rng(3).exponential(np.exp(-1.5 * together(x))) + 0.01
    values[:, 1] = (np.arange(N) % 4 > 0).astype(float)
    return aim_of(values, ("time", "event"), Cox.learn)


def strongest(statistic: np.ndarray) -> list[int]:
    return sorted(np.argsort(-statistic)[:2].tolist())


@pytest.mark.parametrize("aim", [classes, three_classes, numbers, survival])
@pytest.mark.parametrize("matrix", [np.asarray, sparse.csr_matrix])
def test_a_pair_of_which_neither_gene_says_anything_is_found_in_every_fold(
    aim: Callable[[np.ndarray], Aim], matrix: type
) -> None:
    x = genes()
    made = aim(x)
    how = matrix(x), standardisation(x), made.targets, TRAIN
    assert all(strongest(found) == [FIRST, SECOND] for found in made.task.pair(*how))
    assert not any(set(strongest(found)) & {FIRST, SECOND} for found in made.task.screen(*how)[:1])
    assert pairs.some_pair_stands_out(made.task.pair, *how)


def test_the_statistic_is_the_squared_correlation_of_the_product_with_the_targets() -> None:
    x, rows = genes(), TRAIN[0]
    targets = np.random.default_rng(1).normal(size=(N, 2))
    found = pair_correlation(x, standardisation(x), targets, TRAIN[:1])[0]
    t = targets[rows] - targets[rows].mean(axis=0)
    design = np.hstack([np.ones((len(t), 1)), t])
    z = x[rows].astype("float64")
    for _ in range(2):
        z = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
        z = np.clip(z / z.std(axis=0), -3, 3)
    for gene in (0, 19):
        others = [other for other in range(P) if other != gene]
        products = [z[:, gene] * z[:, other] for other in others]
        each = [np.mean([np.corrcoef(one, column)[0, 1] ** 2 for column in t.T]) for one in products]
        assert found[gene] == pytest.approx(max(each), rel=0.03)


def test_held_out_rows_are_not_looked_at() -> None:
    x = genes()
    codes = classes(x).targets
    before = fit_views(("paired5",), x, codes, TRAIN[:1])["paired5"].spaces[0]
    changed, others = x.copy(), codes.copy()
    changed[~TRAIN[0]], others[~TRAIN[0]] = 99.0, 0
    after = fit_views(("paired5",), changed, others, TRAIN[:1])["paired5"].spaces[0]
    assert before.columns.tolist() == after.columns.tolist()
    assert {FIRST, SECOND} <= set(before.columns.tolist())


def test_targets_that_do_not_vary_and_constant_genes_have_no_pairs() -> None:
    x = genes()
    x[:, 3] = 5.0
    x[TRAIN[0], 4] = 5.0
    codes = classes(x).targets[:, None] == np.arange(2)
    found = pair_correlation(x, standardisation(x), codes, TRAIN)
    assert not found[:, 3].any() and found[0, 4] == 0 and found[1, 4] > 0
    assert not pair_correlation(x, standardisation(x), np.ones(N), TRAIN).any()
    assert not pair_correlation(x[:, :1], standardisation(x[:, :1]), codes, TRAIN).any()


def test_a_gene_that_only_differs_between_the_classes_is_in_no_strong_pair() -> None:
    x = genes(4)
    codes = np.arange(N) % 2
    alone = pair_correlation(x, standardisation(x), codes, TRAIN[:1])[0]
    x[:, :5] += 6 * codes[:, None]
    found = pair_correlation(x, standardisation(x), codes, TRAIN[:1])[0]
    np.testing.assert_allclose(found, alone, rtol=0.3)


def test_of_very_many_genes_those_that_vary_most_and_some_of_the_others_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = genes()
    x[:, FIRST] = 6 + 5 * (x[:, FIRST] - 6)
    x[:, SECOND] = 6 + 4 * (x[:, SECOND] - 6)
    codes = (together(x) > 0).astype(float)
    monkeypatch.setattr(pairs, "_MOST_MULTIPLICATIONS", 3 * 160 * 20**2)
    found = pair_correlation(x, standardisation(x), codes, TRAIN[:1])[0]
    assert np.count_nonzero(found) == 20 and strongest(found) == [FIRST, SECOND]
    assert np.flatnonzero(found).min() < 10 and np.flatnonzero(found).max() > 50


def test_of_very_many_samples_a_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_MOST_ROWS", 100)
    x = genes()
    assert strongest(pair_correlation(x, standardisation(x), together(x), TRAIN)[0]) == [FIRST, SECOND]


def test_a_search_has_the_view_where_a_pair_stands_out_alone() -> None:
    x = genes()
    names = ("all", "paired4", "top5", "paired20")
    assert tuple(fit_views(names, x, classes(x).targets, TRAIN)) == names
    unrelated = np.random.default_rng(9).integers(2, size=N)
    assert tuple(fit_views(names, x, unrelated, TRAIN)) == ("all", "top5")
    # The only view that was asked for is there in any case.
    assert tuple(fit_views(("paired20",), x, unrelated, TRAIN)) == ("paired20",)
    assert "paired20" in available_views(21) and "paired20" not in available_views(20)


def test_pairs_across_blocks_are_found_in_the_view_of_all_of_them() -> None:
    x, blocks = genes(), placed({"rna": 30, "betas": 30})
    assert [name for name in block_views(x, blocks) if "paired" in name] == ["paired4", "paired20"]
    view = fit_block_views(("all", "paired20"), x, blocks, classes(x).targets, TRAIN)["paired20"]
    for fold, space in enumerate(view.spaces):
        assert {FIRST, SECOND} <= set(space.columns.tolist())
        np.testing.assert_allclose(space.transform(x), view.z[fold][:, : space.rank], atol=1e-4)
