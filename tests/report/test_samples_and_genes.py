"""Samples in a plane, genes over samples, and motifs as logos."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import genokeras as gk
from genokeras.errors import ParameterError
from genokeras.explain import Motif
from genokeras.report import write_report
from genokeras.report.heatmap import plot_heatmap
from genokeras.report.logos import draw_logo, letter_heights, plot_logos
from genokeras.report.motif_parts import distinct_motifs
from genokeras.report.plane import draw_plane, plane_methods, plane_of, plot_samples
from tests.report.test_html_report import Page


def groups(n: int = 40, p: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng, codes = np.random.default_rng(0), np.arange(n) % 2
    x = rng.normal(size=(n, p))
    x[:, :10] += 5.0 * codes[:, None]
    return x, np.array(["well", "ill <b>"])[codes]


def handles(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


# ---- samples


def test_components_part_what_differs_most_and_tell_their_shares() -> None:
    x, labels = groups()
    plane, names = plane_of(x)
    well, ill = plane[labels == "well", 0], plane[labels != "well", 0]
    assert max(well) < min(ill) or max(ill) < min(well)
    shares = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    assert names[0] == f"component 1 ({shares[0] / shares.sum():.0%} of the variance)"
    np.testing.assert_allclose((plane**2).sum(axis=0), shares[:2])


def test_wrong_samples_have_a_ring_and_training_samples_stand_behind() -> None:
    x, labels = groups()
    wrong = np.arange(40) < 3
    picture = plot_samples(x, labels, training=x[:7] + 1.0, wrong=wrong)
    axes = picture.axes[0]
    assert handles(axes) == ["training", "ill <b>", "well", "predicted wrong"]
    drawn = [len(one.get_offsets()) for one in axes.collections]
    assert drawn == [7, 20, 20, 3]
    assert "40 samples beside 7 training samples" in picture.alt


def test_many_classes_share_a_mark_and_numbers_a_scale() -> None:
    axes = Figure().subplots()
    draw_plane(
        axes, np.random.default_rng(0).normal(size=(60, 2)), np.array([f"c{i % 15:02}" for i in range(60)])
    )
    assert len(handles(axes)) == 13 and handles(axes)[-1] == "other classes"
    picture = plot_samples(groups()[0], np.linspace(0.0, 1.0, 40), colour_name="age $x$")
    assert picture.axes[1].get_ylabel() == "age $x$" and picture.rendered("svg")


def test_a_plane_of_umap_says_what_it_needs() -> None:
    if importlib.util.find_spec("umap") is None:
        assert plane_methods() == ("pca",)
        with pytest.raises(ParameterError, match="umap-learn"):
            plane_of(groups()[0], "umap")
    else:
        assert plane_of(groups()[0], "umap")[0].shape == (40, 2)


# ---- genes


def test_a_heatmap_keeps_classes_together_and_shows_deviations() -> None:
    x, labels = groups()
    picture = plot_heatmap(x[:, :12], [f"g{i}" for i in range(12)], labels)
    bar, axes = picture.axes[:2]
    strip = np.asarray(bar.images[0].get_array())[0]
    assert (np.diff(strip) != 0).sum() == 1  # one border between two classes
    z = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(z.std(axis=1), 1)
    # The genes that are raised in one class stand together, and are raised there.
    rows = [text.get_text() for text in axes.get_yticklabels()]
    raised = [rows.index(f"g{i}") for i in range(10)]
    assert max(raised) - min(raised) == 9
    ill = strip == 0
    assert z[np.ix_(raised, np.flatnonzero(ill))].mean() > 0.5


def test_a_heatmap_of_a_number_goes_from_low_to_high() -> None:
    x, _ = groups()
    picture = plot_heatmap(x[:, :5], list("abcde"), x[:, 0], "age")
    strip = np.asarray(picture.axes[0].images[0].get_array())[0]
    assert (np.diff(strip) >= 0).all() and "from low to high" in picture.axes[0].get_title(loc="left")


def test_a_heatmap_is_cut_to_what_can_be_seen() -> None:
    x = np.random.default_rng(0).normal(size=(400, 60))
    axes = plot_heatmap(x, [f"g{i}" for i in range(60)]).axes[1]
    assert np.asarray(axes.images[0].get_array()).shape == (40, 300)


@pytest.mark.parametrize("shape", [(2, 5), (9, 1)])
def test_too_little_for_a_heatmap_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="three samples and two genes"):
        plot_heatmap(np.zeros(shape), [f"g{i}" for i in range(shape[1])])


# ---- motifs


def motif(letters: str, sure: float = 1.0, name: str = "m") -> Motif:
    certain = np.eye(4)[["ACGT".index(letter) for letter in letters]]
    return Motif(name, sure * certain + (1 - sure) / 4, 20)


def test_letters_are_as_tall_as_what_they_say() -> None:
    np.testing.assert_allclose(letter_heights(np.full((1, 4), 0.25)), 0.0, atol=1e-9)
    np.testing.assert_allclose(letter_heights(np.eye(4)[:1])[0], [2, 0, 0, 0], atol=1e-9)
    # Two letters at even odds say one bit, half of it each.
    np.testing.assert_allclose(letter_heights(np.array([[0.5, 0.5, 0, 0]])), [[0.5, 0.5, 0, 0]], atol=1e-9)


def test_a_logo_stacks_its_letters_the_tallest_on_top() -> None:
    axes = Figure().subplots()
    draw_logo(axes, np.array([[0.7, 0.2, 0.1, 0.0]]))
    boxes = [patch.get_path().get_extents() for patch in axes.patches]
    heights = letter_heights(np.array([[0.7, 0.2, 0.1, 0.0]]))[0]
    assert len(boxes) == 3
    np.testing.assert_allclose([box.height for box in boxes], sorted(heights)[1:], atol=1e-6)
    np.testing.assert_allclose(boxes[2].y0, boxes[1].y1, atol=1e-6)
    assert boxes[2].y1 == pytest.approx(heights.sum())


def test_motifs_with_one_consensus_are_shown_once() -> None:
    found = distinct_motifs([motif("ACG", name="a"), motif("ACG", 0.9, "b"), motif("TTT", name="c")])
    assert [one.name for one in found] == ["a", "c"]
    assert "ACG (6.0 bits), TTT" in plot_logos(found).alt


@pytest.mark.slow
def test_a_report_of_sequences_shows_their_motifs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACGT"), size=(40, 30))
    letters[::2, 10:16] = list("TATAAT")
    x, y = ["".join(row) for row in letters], ["bound", "not"] * 20
    settings = {"time_limit": None, "max_trials": 5, "folds": 2, "random_state": 0, "verbose": 0}
    gk.SequenceClassifier(tmp_path / "run", **settings).fit(x, y)
    page = Page(write_report(tmp_path / "run", tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "motifs" in {one.get("id") for one in page.all("section")}
    assert any("Sequence logos of" in str(one.get("alt")) for one in page.all("img"))
