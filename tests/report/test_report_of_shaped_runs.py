"""The report of runs of sequences, images and texts: the same page without genes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genokeras.errors import ParameterError, RunFolderError
from genokeras.report import plot_confusion_of, report_card, write_report


def of_kind(run: Path, **changes: str) -> Path:
    """The run, as if it were of other samples: their settings, and no views of genes."""
    settings = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(settings | {"feature_names": []} | changes))
    (run / "features.npz").unlink()
    return run


@pytest.mark.parametrize(
    ("kind", "classifier"), [("sequence", "SequenceClassifier"), ("image", "ImageClassifier")]
)
def test_the_page_speaks_of_the_samples_and_of_no_genes(
    run: Path, tmp_path: Path, kind: str, classifier: str
) -> None:
    text = write_report(of_kind(run, kind=kind), tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"24 {kind}s, 2 classes. On new {kind}s, expect a log loss of 0.200" in text
    assert f"gk.{classifier}.load" in text and "genes" not in text and "view" not in text.split("</style>")[1]
    assert text.count("<img") == 7


def test_the_card_says_what_the_model_reads(run: Path) -> None:
    card = report_card(of_kind(run, kind="text"))
    assert "A classifier of texts into 2 classes" in card and "Words in, class probabilities out." in card
    assert "also for a text that" in card and "the same author" in card and "gene" not in card


def test_confusion_is_drawn_of_any_run(run: Path) -> None:
    assert plot_confusion_of(of_kind(run, kind="image")).axes


def test_lists_of_genes_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match="a run of texts, and its report is of no genes: leave out known_genes"
    ):
        write_report(of_kind(run, kind="text"), tmp_path / "r.html", known_genes=["TP53"])
    assert not (tmp_path / "r.html").exists()


def test_a_run_that_reports_do_not_know_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run of an estimator that reports know"):
        write_report(of_kind(run, kind="video"), tmp_path / "r.html")


def test_an_unfinished_run_names_the_class_that_finishes_it(run: Path, tmp_path: Path) -> None:
    (of_kind(run, kind="sequence") / "result.json").unlink()
    with pytest.raises(RunFolderError, match=r"SequenceClassifier\.load\(path\) finishes it"):
        write_report(run, tmp_path / "r.html")
