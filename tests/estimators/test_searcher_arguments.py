"""What ``searcher_args`` says reaches the searcher, or is refused before anything is written."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras import GenomeClassifier, ImageClassifier, SequenceClassifier, TextClassifier
from genokeras.engine import Wanted, make_table_searcher
from genokeras.errors import ParameterError
from genokeras.searchers import BayesianSearcher, HyperSpace, RandomSearcher


@pytest.mark.parametrize(("name", "kind"), [("bayesian", BayesianSearcher), ("random", RandomSearcher)])
def test_fathers_and_inheritance_can_be_chosen(name, kind):
    searcher = make_table_searcher(
        Wanted.of(name, {"fathers": ["linear"], "inherit": False}), 3, HyperSpace()
    )
    assert isinstance(searcher, kind)
    assert [father.name for father in searcher.fathers] == ["linear"]
    assert searcher.inherit is False


def test_a_misspelt_father_is_refused_with_a_suggestion_before_anything_is_written(tmp_path):
    classifier = GenomeClassifier(tmp_path / "run", searcher_args={"fathers": ["linaer", "mlp"]}, verbose=0)
    with pytest.raises(ParameterError, match="[Dd]id you mean 'linear'"):
        classifier.fit(np.arange(100.0).reshape(20, 5), [0, 1] * 10)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("estimator", "x"),
    [
        (GenomeClassifier, np.arange(100.0).reshape(20, 5)),
        (SequenceClassifier, ["ACGTACGTAC", "TTGTACGTAC"] * 10),
        (ImageClassifier, np.arange(20 * 64).reshape(20, 8, 8).astype("uint8") % 251),
        (TextClassifier, ["good film", "bad film"] * 10),
    ],
)
def test_a_searcher_with_arguments_beside_it_is_refused_everywhere(estimator, x, tmp_path):
    searcher = RandomSearcher(n_outputs=2)
    est = estimator(
        tmp_path / "run",
        searcher=searcher,
        searcher_args={"fresh": 1.0},
        max_trials=1,
        time_limit=None,
        verbose=0,
    )
    with pytest.raises(ParameterError, match="searcher_args"):
        est.fit(x, [0, 1] * 10)
    assert not (tmp_path / "run").exists()
