"""Estimators in a notebook: what a cell shows of them, and of their search while it goes on."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.utils import estimator_html_repr

from genokeras import GenomeClassifier
from genokeras.engine.notebook_progress import NotebookProgress
from genokeras.engine.progress import LineProgress
from genokeras.engine.showing import make_observer
from genokeras.graph import HyperParameters, linear, mlp
from genokeras.report.cell import cell_html
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.support.console import in_notebook
from tests.estimators.conftest import make_study

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 3, "folds": 3, "random_state": 0}
NASTY = "<script>alert(1)</script>"
HISTORY = History(
    tuple(
        TrialResult(number, Proposal(graph, HyperParameters()), "ok", score, score_se=0.031)
        for number, (graph, score) in enumerate([(linear(2), 0.2), (mlp(2), 0.1)])
    )
)


class Cell:
    """Stands in for IPython and its display of one cell; every update is kept."""

    def __init__(self, kernel: bool = True) -> None:
        self.shown: list[dict[str, str]] = []
        self.broken = False
        self.shell = types.SimpleNamespace(**({"kernel": object()} if kernel else {}))

    def display(self, bundle: dict[str, str], raw: bool, display_id: bool) -> Cell:
        assert raw and display_id
        self.shown.append(bundle)
        return self

    def update(self, bundle: dict[str, str], raw: bool) -> None:
        assert raw
        if self.broken:
            raise OSError("the front end is gone")
        self.shown.append(bundle)


def in_a_cell(monkeypatch: pytest.MonkeyPatch, cell: Cell) -> Cell:
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: cell.shell  # type: ignore[attr-defined]
    display.display = cell.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return cell


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    return in_a_cell(monkeypatch, Cell())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = make_study(p=24)
    names = [NASTY, *(f"GENE{i}" for i in range(1, 24))]
    path = tmp_path_factory.mktemp("runs") / "run <b>"
    return GenomeClassifier(path, verbose=0, **QUICK).fit(
        pd.DataFrame(x, columns=names), np.where(y == "tumor", NASTY, y)
    )


@pytest.fixture
def as_text() -> Iterator[None]:
    with sklearn.config_context(display="text"):
        yield


# ---- what a cell shows of an estimator


def test_a_fitted_estimator_shows_its_estimate_with_interval_and_its_best_trials(
    fitted: GenomeClassifier,
) -> None:
    html, estimate = fitted._repr_mimebundle_()["text/html"], fitted.estimate_
    for one in (estimate, *estimate["also"].values()):
        low, high = one["interval"]
        assert f"{one['value']:.3f}" in html and f"{low:.3f} to {high:.3f}" in html
    assert "On new samples, expect a" in html and "better than chance" in html
    best = fitted.leaderboard().iloc[0]
    assert f"{best['score']:.3f} ± {best['se']:.3f}" in html and "The best of 3 trials" in html
    assert html.count("<tbody>") >= 2 and "has the other" not in html
    assert "Parameters" in html and "fitted to 40 samples: 2 classes" in html


def test_of_many_trials_the_best_are_shown_and_the_others_counted(fitted: GenomeClassifier) -> None:
    many = pd.concat([fitted.leaderboard()] * 3)
    html = cell_html(fitted._fitted(), "GenomeClassifier", many)
    assert "The best of 9 trials, out of fold; leaderboard() has the other 4" in html
    assert html.partition("The best of")[2].count("<tr>") == 6  # the head, and five


def test_names_from_files_are_escaped(fitted: GenomeClassifier) -> None:
    html = fitted._repr_mimebundle_()["text/html"]
    ours = html.partition("<details>")[0]
    assert NASTY not in html and "run &lt;b&gt;" in ours and "<b>" not in ours


def test_before_it_is_fitted_an_estimator_looks_as_scikit_learn_shows_it() -> None:
    clf = GenomeClassifier(max_trials=3)
    shown = clf._repr_mimebundle_()
    assert "genokeras-cell" not in shown["text/html"] and "max_trials" in shown["text/html"]
    assert shown["text/plain"] == "GenomeClassifier(max_trials=3)"
    assert len(shown["text/html"]) == pytest.approx(len(estimator_html_repr(clf)), rel=0.01)


def test_where_text_is_asked_for_there_is_no_html(fitted: GenomeClassifier, as_text: None) -> None:
    assert list(fitted._repr_mimebundle_()) == ["text/plain"] and not hasattr(fitted, "_repr_html_")


# ---- what it shows of a search


def test_a_notebook_gets_a_table_that_changes_and_a_terminal_of_ipython_does_not(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_notebook() and isinstance(make_observer(1, 60.0, None, "log_loss"), NotebookProgress)
    in_a_cell(monkeypatch, Cell(kernel=False))
    assert not in_notebook() and isinstance(make_observer(1, 60.0, None, "log_loss"), LineProgress)


def test_the_table_follows_the_search_and_says_how_it_ended(cell: Cell) -> None:
    observer = make_observer(1, None, 4, "log_loss")
    assert isinstance(observer, NotebookProgress)
    with observer:
        observer.trying([HISTORY.trials[1].proposal], HISTORY)
        during = cell.shown[-1]
    assert "width:0%" in during["text/html"] and "trying" in during["text/plain"]
    assert "log loss 0.100 ± 0.031, trial 1: linear + [64]" in during["text/plain"]
    last = cell.shown[-1]["text/plain"]
    assert last.startswith("Searched") and "2 trials" in last and "trying" not in last
    assert "trial 0: the model to beat" in last and "<div" not in cell.shown[-1]["text/html"]


def test_a_search_that_breaks_off_says_so_and_stops_showing(cell: Cell) -> None:
    observer = make_observer(1, 60.0, None, "log_loss")
    assert isinstance(observer, NotebookProgress)
    with pytest.raises(KeyboardInterrupt), observer:
        raise KeyboardInterrupt
    assert cell.shown[-1]["text/plain"].startswith("Broke off") and not observer._thread.is_alive()


def test_a_search_goes_on_where_nobody_looks_any_more(cell: Cell) -> None:
    cell.broken = True
    x, y = make_study(p=24)
    clf = GenomeClassifier(verbose=1, **QUICK).fit(x, y)
    assert clf.n_trials_ == 3 and len(cell.shown) == 1


@pytest.mark.slow
def test_a_real_kernel_shows_progress_estimator_pictures_and_axes(
    fitted: GenomeClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    sources = [
        f"import genokeras as gk; clf = gk.load_estimator({os.fspath(fitted.path_)!r}); clf",
        "clf.plot_roc()",
        "clf.plot_search()",  # after a style has ended
        "gk.plot_metric(clf)",
        "gk.GenomeClassifier(time_limit=None, max_trials=2).fit([[0.0, 1], [1, 2], [2, 0.5]] * 8, [0, 1, 1] * 8)",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(book, timeout=240, kernel_name="python3").execute()
    found = [[set(output.get("data", ())) for output in one.outputs] for one in book.cells]
    assert "text/html" in found[0][-1]
    for pictures in found[1:4]:
        assert any("image/png" in one for one in pictures)
    assert found[4] == [{"text/html", "text/plain"}] * 2 and "Searched" in str(book.cells[4].outputs[0])
