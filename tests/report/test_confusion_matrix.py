from __future__ import annotations

import itertools
import logging
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from genokeras.errors import ParameterError, RunFolderError
from genokeras.report.confusion import (
    confusion_counts,
    confusion_figure,
    label_codes,
    plot_confusion,
)


def cells(figure: Figure) -> dict[tuple[int, int], str]:
    """Text by (column, row)."""
    return {(int(t.get_position()[0]), int(t.get_position()[1])): t.get_text() for t in matrix_texts(figure)}


def matrix_texts(figure: Figure) -> list[Text]:
    return [text for text in figure.axes[0].texts if text.get_text().isdigit()]


def names_on(axis: Axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def diagonal(n: int, count: int = 5) -> np.ndarray:
    return np.eye(n, dtype=int) * count


def class_names(n: int) -> list[str]:
    return [f"class {i}" for i in range(n)]


def test_truth_is_counted_in_columns_and_prediction_in_rows():
    counts = confusion_counts(["a", "a", "a", "b"], ["a", "b", "b", "b"], ["a", "b"])
    assert counts.tolist() == [[1, 0], [2, 1]]


def test_codes_count_like_names():
    by_code = confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), ["a", "b"])
    assert by_code.tolist() == confusion_counts(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).tolist()


def test_classes_named_by_digits_take_names_and_codes():
    assert label_codes(["5", "7"], ["7", "5"], "truth").tolist() == [1, 0]
    assert label_codes([1, 0], ["7", "5"], "truth").tolist() == [1, 0]


def test_cells_stand_at_truth_on_x_and_prediction_on_y():
    figure = confusion_figure(np.array([[8, 1], [2, 9]]), ["a", "b"])
    assert cells(figure) == {(0, 0): "8", (1, 0): "1", (0, 1): "2", (1, 1): "9"}
    assert figure.axes[0].get_xlabel() == "truth"
    assert figure.axes[0].get_ylabel() == "prediction"


def test_shade_is_the_share_of_the_true_class():
    figure = confusion_figure(np.array([[30, 1], [10, 1]]), ["large", "small"])
    shares = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.asarray(shares), [[0.75, 0.5], [0.25, 0.5]])


def test_a_class_without_samples_has_no_shade():
    figure = confusion_figure(np.array([[3, 0], [0, 0]]), ["seen", "never seen"])
    np.testing.assert_allclose(np.asarray(figure.axes[0].collections[0].get_array()), [[1, 0], [0, 0]])


def test_digits_shrink_with_the_number_of_classes():
    sizes = [
        matrix_texts(confusion_figure(diagonal(n), class_names(n)))[0].get_fontsize() for n in (2, 5, 30)
    ]
    assert sizes[0] > sizes[1] > sizes[2] >= 6.5


@pytest.mark.parametrize("n", [2, 30])
def test_large_counts_fit_their_cells(n):
    figure = confusion_figure(diagonal(n, 1_000_000), class_names(n))
    cell = figure.axes[0].get_window_extent().width / n
    widest = max(text.get_window_extent().width for text in matrix_texts(figure))
    assert widest < cell


@pytest.mark.parametrize("right", range(1, 101, 9))
def test_digits_stand_out_from_their_cells(right):
    figure = confusion_figure(np.array([[right, 0], [100 - right, 1]]), ["a", "b"])
    shade = figure.axes[0].collections[0].to_rgba(right / 100)
    assert contrast(matrix_texts(figure)[0].get_color(), shade) >= 4.5


def contrast(one, other) -> float:
    """WCAG 2.1's ratio."""

    def luminance(colour):
        rgb = np.array(to_rgb(colour))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_zeros_are_left_out_where_there_are_many_classes():
    assert len(matrix_texts(confusion_figure(diagonal(5), class_names(5)))) == 25
    assert len(matrix_texts(confusion_figure(diagonal(30), class_names(30)))) == 30


def test_both_axes_name_the_classes():
    axes = confusion_figure(diagonal(3), ["colon", "breast", "lung"]).axes[0]
    assert names_on(axes.xaxis) == names_on(axes.yaxis) == ["colon", "breast", "lung"]


@pytest.mark.parametrize("n", [2, 5, 30])
def test_names_do_not_overlap_on_the_left(n):
    axes = confusion_figure(diagonal(n), [f"tissue {i} of the organ" for i in range(n)]).axes[0]
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))


@pytest.mark.parametrize(("n", "words"), [(2, "no"), (5, "lung"), (30, "tissue of the organ")])
def test_names_do_not_overlap_below(n, words):
    axes = confusion_figure(diagonal(n), [f"{words} {i}" for i in range(n)]).axes[0]
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize(("n", "angle"), [(2, 40), (5, 40), (30, 90)])
def test_names_too_wide_for_their_columns_are_turned(n, angle):
    axes = confusion_figure(diagonal(n), [f"tissue {i} of the organ" for i in range(n)]).axes[0]
    assert axes.get_xticklabels()[0].get_rotation() == angle


def test_a_long_name_is_shortened_and_stands_in_full_beside():
    name = "acute lymphoblastic leukaemia of B-cell precursors"
    axes = confusion_figure(diagonal(2), ["ALL", name]).axes[0]
    short = names_on(axes.xaxis)[1]
    assert short.startswith("[2] acute") and len(short) < 30
    beside = next(text.get_text() for text in axes.texts if text.get_text().startswith("Full names"))
    assert " ".join(beside.split()) == f"Full names [2] {name}"


def test_long_names_with_equal_ends_stay_apart():
    names = [f"a name that begins like others, {i}, and ends like others do" for i in range(3)]
    assert len(set(names_on(confusion_figure(diagonal(3), names).axes[0].yaxis))) == 3


@pytest.mark.parametrize(
    "name", ["<b>", "$x$", "$\\frac{1}{$", "a & b", "Übergangszell-Karzinom", "β⁺", "50 %"]
)
def test_a_name_is_drawn_as_it_is(name, tmp_path):
    axes = confusion_figure(diagonal(2), [name, "other"], title=name).axes[0]
    label = axes.get_xticklabels()[0]
    assert label.get_text() == name and not label.get_parse_math()
    assert plot_confusion([0, 1], [0, 1], [name, "other"], tmp_path / "x.pdf", title=name).stat().st_size


def test_a_character_that_no_font_has_is_shown_as_its_code(caplog):
    axes = confusion_figure(diagonal(2), ["a\ue123", "line\nend"]).axes[0]
    assert names_on(axes.yaxis) == ["a\\ue123", "line\\nend"]
    assert "\\ue123" in caplog.text


def test_the_file_is_a_pdf_with_embedded_fonts(tmp_path):
    path = plot_confusion([0, 1, 1], [0, 1, 0], ["a", "b"], tmp_path / "new" / "confusion.pdf", "Title")
    content = path.read_bytes()
    assert content.startswith(b"%PDF") and b"/FontFile2" in content and b"/Type3" not in content


def test_the_same_figures_give_the_same_file(tmp_path):
    first = plot_confusion([0, 1], [0, 1], ["a", "b"], tmp_path / "1.pdf").read_bytes()
    assert first == plot_confusion([0, 1], [0, 1], ["a", "b"], tmp_path / "2.pdf").read_bytes()


def test_settings_of_matplotlib_neither_matter_nor_change(tmp_path):
    usual = plot_confusion([0, 1], [0, 1], ["a", "b"], tmp_path / "usual.pdf").read_bytes()
    with matplotlib.rc_context({"axes.grid": True, "text.usetex": True, "figure.facecolor": "red"}):
        odd = plot_confusion([0, 1], [0, 1], ["a", "b"], tmp_path / "odd.pdf").read_bytes()
        assert matplotlib.rcParams["text.usetex"] and matplotlib.rcParams["axes.grid"]
    assert odd == usual


@pytest.mark.parametrize(
    ("truth", "predicted", "said"),
    [
        ([0, 1], [0], "got 2 and 1"),
        ([], [], "needs samples"),
        ([0, 2], [0, 1], "truth must hold codes from 0 to 1, one a class; got 2"),
        ([0, -1], [0, 1], "got -1"),
        (["tumor", "normal"], ["tumour", "normal"], "truth must hold the classes .* Did you mean 'tumour'?"),
        ([[0, 1]], [[0, 1]], "one label a sample"),
        ([0.5, 1.0], [0, 1], "got '0.5', '1.0'"),
    ],
)
def test_labels_that_do_not_fit_are_refused(truth, predicted, said, tmp_path):
    with pytest.raises(ParameterError, match=said):
        plot_confusion(truth, predicted, ["tumour", "normal"], tmp_path / "x.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("classes", "said"), [(["a", "a"], "'a' occur more than once"), ([], "at least one")]
)
def test_classes_that_cannot_be_told_apart_are_refused(classes, said):
    with pytest.raises(ParameterError, match=said):
        confusion_counts([0], [0], classes)


def test_counts_that_are_not_square_are_refused():
    with pytest.raises(ParameterError, match="each of 2 classes; got shape .2, 3."):
        confusion_figure(np.ones((2, 3), dtype=int), ["a", "b"])


def test_a_path_that_is_no_pdf_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="ending in .pdf"):
        plot_confusion([0], [0], ["a"], tmp_path / "confusion.png")


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    Path(tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        plot_confusion([0], [0], ["a"], tmp_path / "file" / "confusion.pdf")


def test_nothing_is_logged_for_ordinary_names(caplog):
    with caplog.at_level(logging.DEBUG, logger="genokeras"):
        confusion_figure(diagonal(2), ["a", "b"])
    assert not caplog.records
