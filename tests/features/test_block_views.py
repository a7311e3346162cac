"""Views of several blocks: each standardised and weighted by itself, alone and together, in any split into folds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from genokeras.data.block import Block, placed, still_there
from genokeras.encoders.table import fit_split_view, fit_table_encoder
from genokeras.errors import ParameterError
from genokeras.features import BY_CLASS, block_of, block_views, fit_block_views

N = 30
BLOCKS = placed({"rna": 50, "betas": 25, "clinical": 3})
CODES = np.arange(N) % 2
TRAIN = np.stack([(np.arange(N) // 2) % 5 != fold for fold in range(5)])


def matrix() -> np.ndarray:
    rng = np.random.default_rng(0)
    parts = [np.exp(2 * rng.normal(size=(N, 50))), rng.uniform(size=(N, 25)), rng.normal(size=(N, 3))]
    return np.hstack(parts).astype("float32")


def test_blocks_take_turns_and_have_logarithms_where_these_suit() -> None:
    names = block_views(matrix(), BLOCKS)
    assert names[:6] == ("all", "leading10", "rna/all", "betas/all", "clinical/all", "rna/leading10")
    assert {"log", "rna/log"} <= set(names) and "betas/log" not in names and "clinical/log" not in names
    assert block_of("rna/log:top100") == "rna" and block_of("log:top100") is None


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_every_view_is_what_its_spaces_say_and_reads_its_block_alone(kind: type) -> None:
    x = matrix()
    names = block_views(x, BLOCKS)
    fitted = fit_block_views(names, kind(x), BLOCKS, CODES, TRAIN)
    for name, view in fitted.items():
        own = next((b for b in BLOCKS if b.name == block_of(name)), Block("", 0, x.shape[1]))
        for fold, space in enumerate(view.spaces):
            assert own.start <= space.columns.min() and space.columns.max() < own.stop
            np.testing.assert_allclose(space.transform(kind(x)), view.z[fold][:, : space.rank], atol=1e-4)
            assert np.mean(view.z[fold][TRAIN[fold], : space.rank] ** 2) == pytest.approx(1, abs=0.15)


def test_each_block_has_the_same_weight_in_the_view_of_all() -> None:
    space = fit_block_views(("all",), matrix(), BLOCKS, CODES, TRAIN)["all"].spaces[0]
    standardised = (matrix() - space.mean) * space.inverse_sd
    norms = [(standardised[:, block.columns] ** 2).sum(axis=1).mean() for block in BLOCKS]
    np.testing.assert_allclose(norms, 1, rtol=1e-4)


def test_a_sample_without_a_block_is_at_its_mean_and_does_not_move_it() -> None:
    x, present = matrix(), np.ones((N, 3), dtype=bool)
    present[:5, 1] = False
    x[:5, BLOCKS[1].columns] = x[5:, BLOCKS[1].columns].mean(axis=0)
    view = fit_block_views(("betas/all",), x, BLOCKS, CODES, TRAIN, present)["betas/all"]
    np.testing.assert_allclose(view.z[:, :5], 0, atol=1e-5)
    sd = x[5:, BLOCKS[1].columns].std(axis=0)
    np.testing.assert_allclose(1 / view.spaces[0].inverse_sd / 5, sd, rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["all", "log", "rna/all", "rna/log:leading10", "betas/top20", "clinical/all"]
)
def test_views_are_fitted_in_further_splits(name: str) -> None:
    x = matrix()
    names = tuple(f"g{i}" for i in range(x.shape[1]))
    encoder, _ = fit_table_encoder(x, CODES, TRAIN, (name,), BY_CLASS, names, blocks=BLOCKS)
    found = fit_split_view(x, CODES, TRAIN[:, ::-1], name, BY_CLASS, encoder)
    for fold, space in enumerate(found.spaces):
        np.testing.assert_allclose(space.transform(x), found.rows[:, fold, : space.rank], atol=1e-4)


def test_blocks_follow_columns_that_are_left_out() -> None:
    names = tuple(f"{block.name}:{i}" for block in BLOCKS for i in range(block.size))
    left = still_there(BLOCKS, names[10:75])
    assert [(block.name, block.start, block.stop) for block in left] == [("rna", 0, 40), ("betas", 40, 65)]
    with pytest.raises(ParameterError, match="is of no block"):
        fit_block_views(("mirna/all",), matrix(), BLOCKS, CODES, TRAIN)
