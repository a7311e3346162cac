"""A run is loaded while another process still searches it: all that reads works, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

import genokeras as gk
from genokeras.errors import RunInUseError
from tests.engine.runs import in_use
from tests.engine.tables import table

X, Y = table()


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A run of which the model and the result are not written yet."""
    how = {"folds": 2, "max_trials": 3, "searcher": "random", "random_state": 0, "verbose": 0}
    path = gk.GenomeClassifier(tmp_path / "live", **how).fit(X, Y).path_
    for name in ("result.json", "best.keras", "best.json"):
        (path / name).unlink()
    return path


def test_a_run_that_is_being_searched_is_loaded_asked_and_explained(live: Path) -> None:
    with in_use(live):
        before = sorted(live.rglob("*"))
        clf = gk.load_estimator(live)
        assert clf.stop_reason_ == "killed" and clf.n_trials_ == 3
        assert clf.score(X, Y) > 0.8
        assert clf.explain(X.iloc[:4]).values.shape[1] == X.shape[1]
        assert len(clf.predict_set(X.iloc[:3])) == 3
        assert "Delivered:" in Path(clf.report(live.parent / "report.html")).read_text("utf-8")
        assert sorted(live.rglob("*")) == before
        with pytest.raises(RunInUseError, match="is in use"):
            clf.final_fit(X, Y)
