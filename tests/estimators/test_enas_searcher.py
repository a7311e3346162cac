"""``searcher="enas"``: arcs that shared weights rank are fathers of the search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genokeras import GenomeClassifier
from genokeras.errors import ParameterError, RunFolderError
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph

ARGS = {"child_num_layers": 2, "max_search_channel": 10, "top_k_candidates": 2, "variants": 2}


def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 60)).astype("float32"), np.arange(40) % 2
    x[:, :5] += 1.5 * y[:, None]
    return x, y


def classifier(path: Path, **arguments: object) -> GenomeClassifier:
    args = {**ARGS, "trainer_args": {"max_iter_num": 20}}
    return GenomeClassifier(
        str(path),
        searcher="enas",
        searcher_args=args,
        folds=2,
        max_trials=16,
        time_limit=None,
        verbose=0,
        **arguments,
    )


def test_the_best_arcs_are_tried_exported_and_remembered(tmp_path: Path) -> None:
    x, y = samples()
    clf = classifier(tmp_path / "run").fit(x, y)
    held = clf._run.folder.read_json("arcs.json")
    assert held["n_scored"] == 50 and len(held["arcs"]) == 2
    space = ArcSpace(2, 10)
    tried = {trial.proposal.graph.fingerprint() for trial in clf._run.history}
    assert {arc_to_graph(Arc.parse(text), space, 2).fingerprint() for text in held["arcs"]} <= tried
    assert clf.predict_proba(x).shape == (40, 2)
    assert clf.score(x, y) > 0.8


def test_arcs_of_other_arguments_are_not_taken_for_these(tmp_path: Path) -> None:
    clf = classifier(tmp_path / "run", resume=True).set_params(max_trials=2).fit(*samples())
    before = (tmp_path / "run" / "arcs.json").read_bytes()
    clf.set_params(max_trials=4, searcher_args={**clf.searcher_args, "max_search_channel": 20})
    with pytest.raises(
        RunFolderError, match="searched its arcs with max_search_channel=10, and max_search_channel=20 is"
    ):
        clf.fit(*samples())
    assert (tmp_path / "run" / "arcs.json").read_bytes() == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"child_num_layers": 0}, "n_layers"),
        ({"max_search_channel": 4}, "max_channel"),
        (
            {"child_num_layers": 1, "top_k_candidates": 6},
            "top_k_candidates .* must be a whole number from 1 to 5",
        ),
        ({"controller": "lstm"}, "unknown controller 'lstm'"),
        ({"child_layers": 3}, "unknown searcher_args 'child_layers'"),
        ({"fathers": ["mlp"]}, "finds its fathers itself"),
    ],
)
def test_bad_values_are_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, object], message: str
) -> None:
    clf = GenomeClassifier(str(tmp_path / "run"), searcher="enas", searcher_args=wrong, verbose=0)
    with pytest.raises(ParameterError, match=message):
        clf.fit(*samples())
    assert not (tmp_path / "run").exists()
