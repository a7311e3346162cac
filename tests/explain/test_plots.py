"""What the drawings of an explanation show."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_rgba

from genokeras.errors import ParameterError
from genokeras.explain import Explanation, plot_output, plot_total
from genokeras.explain.plots import PLOT_TYPES
from tests.explain.functions import made_explanation

rng = np.random.default_rng(0)
VALUES = rng.normal(size=(9, 5, 2)) * np.array([1.0, 5.0, 0.1, 3.0, 2.0])[None, :, None]
MADE = made_explanation(VALUES, rng.normal(size=(9, 5)))


def names_of(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def drawn(explanation: Explanation, plot_type: str = "dot", output: str = "class_0", top: int = 20) -> Axes:
    return plot_output(explanation, output, plot_type, top).axes[0]


def dots_of(axes: Axes) -> list[PathCollection]:
    return [collection for collection in axes.collections if isinstance(collection, PathCollection)]


@pytest.mark.parametrize("plot_type", PLOT_TYPES)
def test_genes_are_listed_by_importance_from_top_to_bottom(plot_type: str) -> None:
    axes = drawn(MADE, plot_type, top=3)
    assert names_of(axes) == [MADE.feature_names[i] for i in MADE.order("class_0")[:3]] == ["g1", "g3", "g4"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert axes.get_title(loc="left") == "Genes for class_0"


def test_bars_are_as_long_as_the_mean_sizes() -> None:
    axes = drawn(MADE, "bar", "class_1")
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, sorted(MADE.mean_abs[:, 1], reverse=True), rtol=1e-6)
    assert axes.get_xlabel() == "mean |value| (probability)"


def test_every_sample_is_a_dot_at_its_value() -> None:
    axes = drawn(MADE)
    dots = dots_of(axes)
    assert [len(each.get_offsets()) for each in dots] == [9] * 5
    for row, gene in enumerate(MADE.order("class_0")):
        places = np.asarray(dots[row].get_offsets())
        np.testing.assert_allclose(places[:, 0], MADE.values[:, gene, 0], rtol=1e-6)
        assert np.abs(places[:, 1] - row).max() < 0.4
    assert axes.get_xlabel() == "value: what the gene adds (probability)"


def test_dots_with_the_same_value_stand_side_by_side() -> None:
    (dots,) = dots_of(drawn(made_explanation(np.ones((7, 1, 1)))))
    heights = np.asarray(dots.get_offsets())[:, 1]
    assert len(np.unique(heights)) == 7
    assert heights.mean() == pytest.approx(0.0, abs=1e-9)


def test_dots_are_coloured_by_the_rank_of_the_gene() -> None:
    data = np.array([[1.0], [1e6], [10.0]])
    (dots,) = dots_of(drawn(made_explanation(np.arange(3.0).reshape(3, 1, 1), data)))
    red, blue = dots.get_facecolors()[:, 0], dots.get_facecolors()[:, 2]
    assert np.argsort(red).tolist() == [0, 2, 1]
    assert blue[0] > blue[1]


def test_a_gene_that_never_varies_is_grey() -> None:
    (dots,) = dots_of(drawn(made_explanation(np.arange(4.0).reshape(4, 1, 1), np.full((4, 1), 3.0))))
    assert np.allclose(dots.get_facecolors(), to_rgba("#9aa5b1"))


def test_colours_are_explained_beside_all_but_bars() -> None:
    for plot_type in PLOT_TYPES:
        axes = plot_output(MADE, "class_0", plot_type).axes
        assert len(axes) == (1 if plot_type == "bar" else 2)
    assert [label.get_text() for label in axes[1].get_yticklabels()] == ["low", "high"]
    assert axes[1].get_ylabel() == "level of the gene"


def test_violins_are_widest_where_most_values_lie() -> None:
    values = np.concatenate([np.zeros(20), [0.01, -0.01, 5.0]])
    axes = drawn(made_explanation(values.reshape(-1, 1, 1)), "violin")
    (violin,) = [each for each in axes.collections if isinstance(each, PolyCollection)]
    slices = np.stack([path.vertices[:4] for path in violin.get_paths()])
    heights = np.ptp(slices[:, :, 1], axis=1)
    assert abs(slices[heights.argmax(), 0, 0]) < 0.3
    assert heights.max() == pytest.approx(0.76, abs=0.02)


def test_layers_go_from_low_levels_to_high_ones() -> None:
    values = rng.normal(size=(30, 1, 1))
    axes = drawn(made_explanation(values, values[:, :, 0]), "layered_violin")
    layers = [each for each in axes.collections if isinstance(each, PolyCollection)]
    assert len(layers) == 5
    # Low values have low levels: the centre of mass moves to the right.
    colours = np.array([each.get_facecolor()[0] for each in layers])
    assert (np.diff(colours[:, 0]) > 0).all()


@pytest.mark.parametrize("plot_type", ["violin", "layered_violin"])
@pytest.mark.parametrize("values", [np.ones(5), np.array([0.0, 1.0])])
def test_too_few_values_for_a_density_are_drawn_as_strokes(plot_type: str, values: np.ndarray) -> None:
    axes = drawn(made_explanation(values.reshape(-1, 1, 1)), plot_type)
    strokes = [line for line in axes.lines if line.get_marker() == "|"]
    assert [line.get_xdata().tolist() for line in strokes] == [values.tolist()]


def test_all_classes_are_stacked_behind_one_another() -> None:
    axes = plot_total(MADE).axes[0]
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(2, 5)
    starts = np.array([bar.get_x() for bar in axes.patches]).reshape(2, 5)
    order = MADE.order()
    np.testing.assert_allclose(widths, MADE.mean_abs[order].T)
    np.testing.assert_allclose(starts[1], widths[0])
    assert names_of(axes) == [MADE.feature_names[i] for i in order]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["class_0", "class_1"]
    assert axes.get_xlabel() == "mean |value|, summed over classes (probability)"


@pytest.mark.parametrize(
    ("explanation", "label", "total"),
    [
        (made_explanation(VALUES, output="log_odds"), "value: what the gene adds (log odds)", "(log odds)"),
        (
            made_explanation(VALUES, output="number", output_names=("age", "weight")),
            "value: what the gene adds (age)",
            "(share of the mean distance from the base)",
        ),
        (
            made_explanation(VALUES[..., :1], output="number", output_names=("age",)),
            "value: what the gene adds (age)",
            "summed over targets (age)",
        ),
    ],
)
def test_axes_say_what_values_are_measured_in(explanation: Explanation, label: str, total: str) -> None:
    assert drawn(explanation, output=explanation.output_names[0]).get_xlabel() == label
    assert plot_total(explanation).axes[0].get_xlabel().endswith(total)


@pytest.mark.parametrize("plot_type", PLOT_TYPES)
@pytest.mark.parametrize("shape", [(9, 1, 1), (1, 5, 1), (1, 1, 1)])
def test_one_gene_one_class_or_one_sample_can_be_drawn(plot_type: str, shape: tuple[int, int, int]) -> None:
    n, p, k = shape
    part = made_explanation(VALUES[:n, :p, :k])
    assert len(names_of(drawn(part, plot_type))) == p
    assert len(plot_total(part).axes[0].patches) == p


def test_of_more_classes_than_colours_the_smallest_are_drawn_as_one() -> None:
    sizes = np.array([3.0, 1.0, 8.0, 2.0, 9.0, 4.0, 7.0, 5.0, 6.0, 0.5])
    axes = plot_total(made_explanation(sizes.reshape(1, 1, 10))).axes[0]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == [f"class_{i}" for i in (0, 2, 4, 5, 6, 7, 8)] + ["3 others"]
    assert [bar.get_width() for bar in axes.patches] == [3.0, 8.0, 9.0, 4.0, 7.0, 5.0, 6.0, 3.5]
    assert len({bar.get_facecolor() for bar in axes.patches}) == 8


@pytest.mark.parametrize(
    ("name", "shown"),
    [("A" * 40, "A" * 27 + "…"), ("a$b$", r"a\$b\$"), ("a\nb\tc", "a b c"), ("x\U0001f9ecy", "x□y")],
)
def test_names_are_shown_as_they_are_written(name: str, shown: str) -> None:
    part = made_explanation(VALUES[:, :1, :1], output_names=(name,), output="number")
    assert drawn(part, output=name).get_xlabel() == f"value: what the gene adds ({shown})"


@pytest.mark.parametrize(
    ("output", "plot_type", "message"),
    [("class_9", "dot", "there is no class 'class_9'"), ("class_0", "violins", "Did you mean 'violin'")],
)
def test_unknown_drawings_are_refused(output: str, plot_type: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        plot_output(MADE, output, plot_type)
