"""What ``searcher_args`` says reaches the searcher, or is refused before anything is written."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras import GenomeClassifier
from genokeras.engine.options import make_searcher
from genokeras.errors import ParameterError
from genokeras.searchers import BayesianSearcher, RandomSearcher


@pytest.mark.parametrize(("name", "kind"), [("bayesian", BayesianSearcher), ("random", RandomSearcher)])
def test_fathers_and_inheritance_can_be_chosen(name, kind):
    searcher = make_searcher(name, {"fathers": ["linear"], "inherit": False}, 3, ("all",))
    assert isinstance(searcher, kind)
    assert [father.name for father in searcher.fathers] == ["linear"]
    assert searcher.inherit is False


def test_a_misspelt_father_is_refused_with_a_suggestion_before_anything_is_written(tmp_path):
    classifier = GenomeClassifier(tmp_path / "run", searcher_args={"fathers": ["linaer", "mlp"]}, verbose=0)
    with pytest.raises(ParameterError, match="did you mean 'linear'"):
        classifier.fit(np.arange(100.0).reshape(20, 5), [0, 1] * 10)
    assert not (tmp_path / "run").exists()
