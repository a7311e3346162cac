"""The report: one page that stands on its own, whatever the genes and classes are called."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.explain import Additivity, Explanation, Stability
from genokeras.report import report_card, write_report
from genokeras.report.data_checks import CheckedSamples, about_directions, alike, directions
from genokeras.report.estimate import verdict
from genokeras.report.finished import finished_run, recipe
from genokeras.report.genes import gene_parts
from genokeras.report.page import Pictures
from genokeras.support import RunFolder
from tests.report.small_runs import NASTY, named_run

VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """Tags with attributes, the text, and whether every tag is closed in its turn."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def explanation(n: int = 12) -> Explanation:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, 40, 2)).astype("float32") * (np.arange(40) < 5)[None, :, None]
    return Explanation(
        values=values,
        base_values=np.full((n, 2), 0.5),
        data=rng.normal(size=(n, 40)).astype("float32"),
        feature_names=(NASTY, *(f"g{i}" for i in range(1, 40))),
        output_names=("well", "ill <b>"),
        sample_ids=tuple(map(str, range(n))),
        outputs=np.full((n, 2), 0.5),
        additivity=Additivity(0.0, 0.0, 1.0),
        method="expected_gradients",
        output="probability",
    )


def parsed(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def table_of_samples(n: int = 24) -> pd.DataFrame:
    x = np.random.default_rng(1).normal(size=(n, 40))
    return pd.DataFrame(x, columns=[NASTY, *(f"g{i}" for i in range(1, 40))])


@pytest.fixture(scope="module")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `run`; no test may change it."""
    return named_run(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def plain(kept_run: Path) -> Path:
    """Its report, with the model card beside it."""
    return write_report(kept_run, kept_run.parent / "mine.html")


@pytest.fixture(scope="module")
def explained(kept_run: Path) -> Path:
    """Its report with an explanation."""
    return write_report(kept_run, kept_run.parent / "new" / "report.html", explanation=explanation())


# ---- the page


def test_the_report_is_well_formed_and_loads_nothing(explained: Path) -> None:
    path = explained
    content, page = path.read_text(encoding="utf-8"), parsed(path)
    assert page.open == [] and path.stat().st_size < 3_000_000
    assert content.count("<script") == 1 and not re.search(r"https?://|@import|url\(", content)
    links = [str(a.get("href")) for a in page.all("a")]
    assert links and {link[1:] for link in links} == {s.get("id") for s in page.all("section")}
    assert not page.all("link") and not page.all("iframe")


def test_every_picture_has_a_text_alternative_and_lies_inside(explained: Path) -> None:
    pictures = parsed(explained).all("img")
    assert (
        len(pictures) == 10
    )  # four of predictions, two of genes, two of the search, one each of training and samples
    assert all(str(one["src"]).startswith("data:image/") and len(one["alt"] or "") > 20 for one in pictures)


def test_names_do_no_harm_and_are_shown_as_they_are(explained: Path) -> None:
    page = parsed(explained)
    assert page.all("script") == [{}] and not page.all("b")
    assert f"Note on {NASTY}." in page.text and "Genes for ill <b> (up) against well (down)" in page.text
    assert page.text.count(NASTY) >= 2


def test_tables_scroll_by_themselves_where_the_window_is_narrow(plain: Path) -> None:
    page = parsed(plain)
    wide = [one for one in page.all("div") if one.get("class") == "wide"]
    assert len(wide) == len(page.all("table")) >= 4 and all(one["aria-label"] for one in wide)
    assert any(one.get("name") == "viewport" for one in page.all("meta"))


def test_the_estimate_stands_beside_linear_model_and_chance(plain: Path) -> None:
    text = parsed(plain).text
    assert "log loss 0.200 0.100 to 0.300 0.250 0.690 lower" in text
    assert "expect a log loss of 0.200" in text and "seed" in text and "load_model" in text


def test_without_an_explanation_there_is_no_part_on_genes(run: Path, tmp_path: Path) -> None:
    page = parsed(write_report(run, tmp_path / "r.html", x=table_of_samples()))
    assert not {"genes", "validation"} & {one.get("id") for one in page.all("section")}


def test_markers_are_compared_with_a_t_test_of_the_training_samples(explained: Path) -> None:
    text = parsed(explained).text
    assert "q-value" in text and "of its top 20 genes are also among the 20 of a t-test." in text


def test_markers_are_compared_with_known_genes(run: Path, tmp_path: Path) -> None:
    known = tmp_path / "paper.txt"
    known.write_text(f"# A <paper> of 1999\n{NASTY}\ng1\ng30\n")
    page = parsed(write_report(run, tmp_path / "r.html", explanation=explanation(), known_genes=known))
    assert "of its top 20 genes are also among the 3 of A <paper> of 1999" in page.text
    assert page.all("script") == [{}] and not page.all("paper")


def test_lists_are_judged_by_the_genes_that_are_shown(run: Path, tmp_path: Path) -> None:
    share, again = np.full((40, 2), 0.5), np.zeros((40, 2))
    again[:3, 1] = 0.9
    judged = Stability(
        output_names=("well", "ill <b>"),
        top=5,
        n_lists=6,
        frequency=share,
        like_frequency=2 * share,
        importance=np.abs(explanation().values).mean(axis=0),
        index=np.array([0.1, 0.9]),
        again=again,
        limit=np.array([0.3, 0.3]),
    )
    text = parsed(write_report(run, tmp_path / "r.html", explanation=explanation(), stability=judged)).text
    assert text.count("Stable: 3 of these 5 genes") == 1 and "noise: none" not in text
    assert "50% (100%) yes" in text and "50% (100%) –" in text


def test_one_trial_is_enough(run: Path, tmp_path: Path) -> None:
    for file in (run / "trials" / "000000").iterdir():
        file.unlink()
    (run / "trials" / "000000").rmdir()
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps(result | {"shares": {"1": 1.0}}))
    assert "The best 1 of 1 trials" in parsed(write_report(run, tmp_path / "r.html")).text


def test_the_report_needs_no_graphviz(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(parsed(write_report(run, tmp_path / "r.html")).all("img")) == 8


def test_two_reports_of_a_run_are_the_same(kept_run: Path, plain: Path, tmp_path: Path) -> None:
    assert write_report(kept_run, tmp_path / "mine.html").read_bytes() == plain.read_bytes()


def test_the_only_script_is_the_one_that_the_page_allows_by_its_digest(plain: Path) -> None:
    content = plain.read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", content, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', content)
    assert script is not None and policy is not None
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(policy.group(1))
    assert "default-src 'none'" in html.unescape(policy.group(1))


def test_three_classes_have_a_list_each(run: Path, tmp_path: Path) -> None:
    two = explanation()
    three = replace(
        two,
        values=np.concatenate([two.values, two.values[:, :, :1]], axis=2),
        outputs=np.full((12, 3), 1 / 3),
        base_values=np.full((12, 3), 1 / 3),
        output_names=("well", "ill <b>", "dead"),
    )
    text = Page("\n".join(gene_parts(three, None, None, Pictures()))).text
    assert [f"Genes for {name} #" in text for name in ("well", "ill <b>", "dead")] == [True] * 3


# ---- what goes wrong


def test_an_unfinished_run_says_how_to_finish_it(make_run, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"GenomeClassifier\.load"):
        write_report(make_run([]), tmp_path / "r.html")


def test_another_suffix_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"ending in \.html, got"):
        write_report(run, tmp_path / "report.pdf")


def test_samples_without_the_genes_are_refused_before_anything_is_written(run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        write_report(run, tmp_path / "r.html", x=table_of_samples().iloc[:, :30])
    assert not (tmp_path / "r.html").exists()


# ---- sizes of pictures


def test_a_large_drawing_becomes_a_png_and_the_last_ones_words() -> None:
    figure = Figure(figsize=(2, 1))
    assert "image/svg+xml" in Pictures().figure(figure, "empty")
    assert "image/png" in Pictures(largest_drawing=10).figure(figure, "empty")
    assert "<img" not in Pictures(budget=10).figure(figure, "empty") and "empty" in Pictures(
        budget=10
    ).figure(figure, "empty")


# ---- data checks


def test_missing_values_of_given_samples_are_counted(run: Path, tmp_path: Path) -> None:
    x = table_of_samples()
    x.iloc[3, 4:6] = np.nan
    text = parsed(write_report(run, tmp_path / "r.html", x=x, y=["well", "ill <b>"] * 12)).text
    assert "Missing values in the 24 samples that were given: 2." in text
    assert "are not scored: values are missing in 1 of 24 samples" in text


def test_copies_of_samples_are_found() -> None:
    x = table_of_samples().to_numpy("float32")
    x[7] = x[2] + 1e-4
    samples = CheckedSamples(x, None, tuple(f"S{i}" for i in range(24)), "the samples")
    assert alike(samples) == [("S2", "S7")]


def test_a_direction_that_is_not_of_the_classes_may_be_a_batch() -> None:
    x = table_of_samples().to_numpy("float32")
    batch, codes = np.arange(24) // 12, np.arange(24) % 2
    x[:, :25] += 4 * batch[:, None]
    found = directions(CheckedSamples(x, codes, tuple(map(str, range(24))), "the samples"))
    assert found[0].share > 0.3 and found[0].by_class < 0.1 and found[0].by_order > 0.7
    assert "a batch, perhaps" in about_directions(found) and "order of the samples" in about_directions(found)


def test_a_direction_of_the_classes_is_no_hint() -> None:
    x = table_of_samples().to_numpy("float32")
    codes = np.arange(24) % 2
    x[:, :25] += 4 * codes[:, None]
    found = directions(CheckedSamples(x, codes, tuple(map(str, range(24))), "the samples"))[:1]
    assert found[0].by_class > 0.9 and "Nothing here points to a batch" in about_directions(found)


# ---- words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "by less than the uncertainty"),
        ({"linear_baseline": 0.4}, "clearly ahead"),
        ({"linear_baseline": 0.15}, "A linear model alone does as well"),
        ({"linear_baseline": None}, "No linear model was tried"),
        ({"interval": [0.1, 0.9]}, "Nothing says that this model is better than chance"),
        ({"value": 0.8, "interval": [0.75, 0.9]}, "Nothing says that this model is better than chance"),
        (
            {"interval": [np.nan] * 2},
            "in too few groups of samples to say how certain that is. The best linear model alone did worse.",
        ),
        ({"interval": [np.nan] * 2, "linear_baseline": 0.2}, "The best linear model alone did as well"),
        ({"interval": [np.nan] * 2, "linear_baseline": None}, "No linear model was tried"),
        ({"interval": [np.nan] * 2, "value": 0.7}, "Nothing says that this model is better than chance"),
    ],
)
def test_the_verdict_promises_no_more_than_the_interval(
    estimate: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    assert words in verdict(estimate | changes)


def test_the_verdict_says_where_the_linear_model_is_ahead(estimate: dict[str, Any]) -> None:
    accuracy = {"metric": "accuracy", "value": 0.9, "linear_baseline": 0.95, "greater_is_better": True}
    auc = {**accuracy, "metric": "roc_auc", "value": 0.97, "linear_baseline": 0.97}
    also = {"roc_auc": auc, "accuracy": accuracy}
    said = verdict(estimate | {"also": also})
    assert said.startswith("The model is better than chance. By log loss it is also ahead")
    assert said.endswith("uncertainty of the estimate; by accuracy the linear model is ahead.")
    told = verdict(estimate | {"linear_baseline": 0.4, "also": also | {"f1": {**accuracy, "metric": "f1"}}})
    assert told.endswith(
        "clearly ahead of the best linear model; by accuracy and F1 the linear model is ahead."
    )


def test_the_model_card_is_written_beside_and_escapes_names(kept_run: Path, plain: Path) -> None:
    card = plain.with_name("mine_model_card.md").read_text(encoding="utf-8")
    assert "None of the 2 trials was grown by morphism" in card
    assert card == report_card(kept_run) and "<b>" not in card and "ill &lt;b&gt; (12)" in card
    assert "| log loss | 0.200 |" in card and "keras.saving.load_model" in card


def test_a_final_fit_is_said_to_be_what_is_delivered(run: Path) -> None:
    folder = RunFolder(run)
    result = folder.read_json("result.json")
    folder.write_json("result.json", {**result, "final_fit": {"trial": 1, "rows": 24}})
    assert "trained anew on 24 samples" in report_card(run)


def test_the_report_says_how_much_was_grown_and_how_each_trial_came_up(plain: Path) -> None:
    page = parsed(plain)
    assert page.text.count("None of the 2 trials was grown by morphism; they hold 1 different network.") == 1
    assert "network views" in page.text


def test_a_best_network_of_a_higher_score_than_another_says_why(tmp_path: Path) -> None:
    path = named_run(tmp_path)
    assert not any("not chosen by its score alone" in line for line in recipe(finished_run(path)))
    result = json.loads((path / "result.json").read_text())
    (path / "result.json").write_text(json.dumps(result | {"best": 0}))
    assert any(
        "not chosen by its score alone: that of trial 1 is better" in line
        for line in recipe(finished_run(path))
    )
