"""All morphisms keep what packed Keras networks of several Inputs compute, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.graph import MORPHISMS
from tests.processes import BACKENDS, dumped_on


@pytest.mark.parametrize("backend", BACKENDS)
def test_morphisms_keep_what_networks_of_several_inputs_compute(
    backend: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("morphisms")
    found = dumped_on(backend, "tests.graph.morphisms_on_one_backend", folder)
    assert found["backend"] == backend
    assert set(found["names"]) == {kind.name for kind in MORPHISMS}
    assert found["n_inputs"].max() > 2
    wrong = np.array(found["names"])[found["errors"] > 1e-5]
    assert not len(wrong), wrong
