"""The supernet is what arcs' own networks are, on every backend, each in a process of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.processes import BACKENDS, dumped_by

# A process for each backend, which compiles anew.
pytestmark = pytest.mark.slow

Dumps = dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Dumps:
    """What ``enas_on_one_backend.py`` wrote, for every backend that is installed."""
    return dumped_by("tests.enas.enas_on_one_backend", tmp_path_factory.mktemp("enas"))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, dumps: Dumps) -> str:
    """Each backend in turn; skipped where it is not installed."""
    name = str(request.param)
    if name not in dumps:
        pytest.skip(f"{name} is not installed")
    assert dumps[name]["backend"] == name
    return name


def test_a_masked_supernet_computes_what_the_arcs_own_network_does(dumps: Dumps, backend: str) -> None:
    assert dumps[backend]["errors"].max() < 1e-5


@pytest.mark.parametrize("rows", ["full", "batched"])
def test_shared_weights_train_nearly_the_same_way(dumps: Dumps, backend: str, rows: str) -> None:
    first = next(iter(dumps.values()))
    np.testing.assert_allclose(dumps[backend][rows], first[rows], rtol=1e-3)


@pytest.mark.parametrize("rows", ["full", "batched"])
def test_one_program_trains_and_one_scores(dumps: Dumps, backend: str, rows: str) -> None:
    assert dumps[backend][f"{rows}_compilations"] == 2
