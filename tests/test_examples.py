"""The examples run in a folder of their own, each with as little training as it allows."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """What an example prints; it runs in this process, as importing Keras takes longer than a small example."""

    def run(name: str, *arguments: str | Path) -> str:
        path = EXAMPLES / name
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        runpy.run_path(str(path), run_name="__main__")
        sys.stdout.flush()
        return capfd.readouterr().out

    return run


@pytest.mark.slow
def test_the_two_rings_are_told_apart_and_the_shell_comes_off(run_example, tmp_path: Path) -> None:
    out = run_example("two_rings.py", tmp_path / "rings", "--epochs", "2")
    assert "Keras alone:" in out and "f1_score" in out
    assert (tmp_path / "rings" / "best.keras").is_file()


@pytest.mark.slow
def test_the_classic_modules_find_networks_for_digits(run_example, tmp_path: Path) -> None:
    out = run_example("classic_modules.py", tmp_path / "modules", "--trials", "1", "--epochs", "1")
    assert "MlpModule" in out and "CnnModule" in out and "Keras alone" in out


@pytest.mark.slow
def test_the_search_on_digits_says_what_it_found_and_exports(run_example, tmp_path: Path) -> None:
    out = run_example("handwritten_digits.py", "--out", tmp_path / "digits", "--steps", "20")
    assert "Best lr" in out and "searchtime" in out and "trained for 20 steps" in out
    assert (tmp_path / "digits" / "export").is_dir() or list((tmp_path / "digits").glob("export*"))


@pytest.mark.slow
def test_the_panel_says_what_it_is_expected_to_score(run_example, tmp_path: Path) -> None:
    out = run_example("panel.py", tmp_path, "4")
    assert "six genes: balanced accuracy" in out and "TWIN" in out
    assert (tmp_path / "curve.png").is_file() and (tmp_path / "six_genes.keras").is_file()


@pytest.mark.slow
def test_two_genes_that_decide_together_are_found_and_suffice(run_example, tmp_path: Path) -> None:
    out = run_example("gene_pairs.py", "--seconds", "10", "--out", tmp_path / "pairs")
    assert "GENE7  GENE41" in out and "a model of GENE7 and GENE41 alone: 0.9" in out
    assert (tmp_path / "pairs" / "report.html").is_file()


@pytest.mark.slow
def test_stimulated_cells_get_the_labels_of_control_cells(run_example, tmp_path: Path) -> None:
    out = run_example("annotate_cells.py", tmp_path / "cells", "2")
    assert "on stimulated cells" in out and "of the new type" in out and "NK: " in out
    assert (tmp_path / "cells" / "annotated.png").is_file()
    assert (tmp_path / "cells" / "annotated.h5ad").is_file()


@pytest.mark.slow
def test_a_model_says_when_not_to_ask_it(run_example, tmp_path: Path) -> None:
    out = run_example("when_not_to_answer.py", tmp_path / "doubt", "4")
    assert "specificity" in out and "of 22 new samples" in out and "novel with exchanged genes" in out


@pytest.mark.slow
def test_thresholds_of_a_detector_are_chosen_without_training_anew(run_example, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    out = run_example("detection.py", tmp_path / "shapes", "--steps", "60", "--pictures", "80")
    assert "14 sets of thresholds tried, without training anew" in out
    assert "mean average precision on 20 fresh pictures" in out


@pytest.mark.slow
def test_made_up_texts_are_classified(run_example, tmp_path: Path) -> None:
    out = run_example("text_classification.py", tmp_path / "texts", "--seconds", "15")
    assert "right on 100 fresh reviews" in out


@pytest.mark.parametrize(
    ("name", "arguments"), [("detection", ("x.png",)), ("sentiment", ("Fine.",)), ("topics", ("Fine.",))]
)
def test_an_example_of_what_others_trained_says_what_is_missing(
    run_example, name: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="This example needs a preset of"):
        run_example(f"pretrained_{name}.py", tmp_path, *arguments)


def test_the_image_is_built_from_wheels_alone() -> None:
    lines = (EXAMPLES.parent / "Dockerfile").read_text(encoding="utf-8").splitlines()
    installs = [line for line in lines if line.startswith("RUN") and "pip" in line]
    assert installs and all("--no-index --find-links /wheels" in line for line in installs)
    assert [line for line in lines if line.startswith("COPY")] == ["COPY wheels /wheels"]


@pytest.mark.slow
def test_several_omics_says_which_block_pays(run_example, tmp_path: Path) -> None:
    out = run_example("several_omics.py", tmp_path, "8")
    assert "all together" in out and "rna alone" in out and "['rna', 'meth', 'clinical']" in out
    assert (tmp_path / "assays.keras").is_file()
