"""The family tree of a search: its nodes, its Graphviz source, its own layout."""

from __future__ import annotations

import itertools
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import PathPatch

from genokeras.errors import NotFittedError, ParameterError, RunFolderError
from genokeras.estimators import GenomeClassifier
from genokeras.graph import (
    AddBranch,
    AddInput,
    Deepen,
    Graph,
    HyperParameters,
    Limits,
    Morphism,
    Widen,
    linear,
    mlp,
)
from genokeras.report import search_tree, tree_figure, visualize
from genokeras.report.tree_figure import _boxes
from genokeras.searchers import Proposal, TrialResult

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot program is not installed")


def trial(
    number: int,
    graph: Graph,
    score: float,
    father: int | None = None,
    morphisms: tuple[Morphism, ...] = (),
    **hyper: float | str,
) -> TrialResult:
    proposal = Proposal(graph, HyperParameters(**hyper), father, morphisms, seed=number)  # type: ignore[arg-type]
    return TrialResult(number, proposal, "ok", score, seconds=1.0)


def grown(graph: Graph, kind: type[Morphism], place: int = 0) -> tuple[Graph, Morphism]:
    morphism = kind.sites(graph)[place]
    return morphism.apply(graph, None, np.random.default_rng(0))[0], morphism


def family() -> list[TrialResult]:
    """Two linear trials, two of an MLP, two that deepen it, one with other rates, one that failed."""
    deep, deepen = grown(mlp(2), Deepen)
    wide, widen = grown(deep, Widen)
    return [
        trial(0, linear(2), 0.5),
        trial(1, linear(2), 0.4, weight_decay=0.5),
        trial(2, mlp(2), 0.45),
        trial(3, mlp(2), 0.35, dropout=0.5),
        trial(4, deep, 0.3, 3, (deepen,)),
        trial(5, deep, 0.2, 3, (deepen,), dropout=0.5),
        trial(6, deep, 0.25, 5, (), learning_rate=0.002),
        TrialResult.failure(7, Proposal(wide, HyperParameters(), 5, (widen,)), "it broke"),
    ]


def many(n: int) -> list[TrialResult]:
    """Networks that grow from a random earlier one, each with three trials."""
    rng = np.random.default_rng(0)
    trials = [trial(0, mlp(2), 0.9)]
    for number in range(1, n):
        if number % 3 == 1:
            father = int(rng.integers(min(number, 40)))  # the others stay small enough to grow
            base = trials[father].proposal.graph
            sites = [site for kind in (Deepen, Widen, AddBranch) for site in kind.sites(base)]
            morphism = sites[int(rng.integers(len(sites)))]
            graph = morphism.apply(base, None, rng)[0]
        score, rate = rng.uniform(0.1, 1), float(rng.uniform(0.001, 0.1))
        trials.append(trial(number, graph, float(score), father, (morphism,), learning_rate=rate))
    return trials


# ---- nodes


def test_trials_of_one_network_from_one_father_share_a_node(make_run) -> None:
    tree = search_tree(make_run(family()))
    assert [[t.id for t in node.trials] for node in tree.nodes] == [[0, 1], [2, 3], [4, 5], [6], [7]]
    assert [node.father for node in tree.nodes] == [None, None, 1, 2, 2]


def test_nodes_are_named_by_morphism_and_by_what_else_is_different(make_run) -> None:
    labels = [node.label for node in search_tree(make_run(family())).nodes]
    assert labels == ["started fresh", "started fresh", "deepen", "other rates", "widen"]


def test_another_view_is_said(make_run) -> None:
    trials = [trial(0, linear(2), 0.5), trial(1, linear(2), 0.4, 0, (), view="top300")]
    assert search_tree(make_run(trials)).nodes[1].label == "other view"


def test_other_rates_of_other_rates_are_siblings(make_run) -> None:
    trials = [
        trial(0, mlp(2), 0.5),
        trial(1, mlp(2), 0.4, 0, (), dropout=0.3),
        trial(2, mlp(2), 0.3, 1, (), dropout=0.4),
    ]
    tree = search_tree(make_run(trials))
    assert [[t.id for t in node.trials] for node in tree.nodes] == [[0], [1, 2]]


def test_winner_and_linear_baseline_are_the_best_of_their_kind(make_run) -> None:
    tree = search_tree(make_run(family(), {"5": 0.6, "1": 0.4}))
    assert (tree.winner, tree.baseline, dict(tree.shares)) == (5, 1, {5: 0.6, 1: 0.4})
    assert "Winner: trial 5" in tree.summary() and "linear baseline: trial 1, 0.400" in tree.summary()


def test_a_father_that_is_not_there_leaves_a_root(make_run) -> None:
    deep, deepen = grown(mlp(2), Deepen)
    tree = search_tree(make_run([trial(3, deep, 0.3, 1, (deepen,))]))
    assert tree.nodes[0].father is None and tree.baseline is None


def test_better_scores_are_darker_and_failures_grey(make_run) -> None:
    tree = search_tree(make_run(family()))
    colours = {t.id: int(tree.colour(t)[1:3], 16) for t in tree.trials}
    assert colours[5] < colours[4] < colours[0]
    assert tree.colour(tree.trials[-1]) == "#cbd5e1"


def test_equal_scores_make_one_colour(make_run) -> None:
    assert len(search_tree(make_run([trial(0, linear(2), 0.5)])).legend()) == 1


def test_what_is_too_much_is_summed_up_and_the_winner_stays(make_run) -> None:
    trials = many(300)
    tree = search_tree(make_run(trials), most=20)
    assert sum(len(node.trials) for node in tree.nodes) == 300
    assert max(node.networks for node in tree.nodes) > 1 and len(tree.nodes) <= 40
    assert tree.winner in {t.id for node in tree.nodes if node.networks == 1 for t in node.trials}
    known = {node.number for node in tree.nodes}
    assert all(node.father is None or node.father in known for node in tree.nodes)
    assert len(tree.depth_first()) == len(tree.nodes)


# ---- pictures


def test_every_trial_is_a_cell_of_the_figure(make_run) -> None:
    figure = tree_figure(make_run(family(), {"5": 1.0}))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"0", "1", "2", "3", "4", "5", "6", "×", "WINNER", "linear baseline"} <= set(texts)
    assert any(text.startswith("deepen") for text in texts)


def test_generations_stand_from_left_to_right_and_fathers_in_the_middle(make_run) -> None:
    tree = search_tree(make_run(many(60)))
    boxes = {box.node.number: box for box in _boxes(tree)[0]}
    for number, box in boxes.items():
        children = [boxes[child.number] for child in tree.children.get(number, [])]
        assert all(child.x > box.x for child in children)
        if children:
            middle = (min(c.middle for c in children) + max(c.middle for c in children)) / 2
            assert abs(middle - box.middle) < max(c.height for c in [box, *children]) * len(children)
    assert len({box.x for box in boxes.values()}) == 1 + max(box.generation for box in boxes.values())


@pytest.mark.slow
def test_no_two_networks_of_a_generation_overlap(make_run) -> None:
    columns: dict[float, list[tuple[float, float]]] = {}
    for box in _boxes(search_tree(make_run(many(300))))[0]:
        columns.setdefault(box.x, []).append((box.top, box.top + box.height))
    for column in columns.values():
        ordered = sorted(column)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ordered))


@pytest.mark.slow
def test_hundreds_of_trials_take_four_inches_a_generation(make_run) -> None:
    tree = search_tree(make_run(many(300)))
    width, height = tree_figure(tree).get_size_inches()
    assert width < 3.9 * (1 + max(box.generation for box in _boxes(tree)[0])) and height < 60


@pytest.mark.slow
def test_words_of_the_figure_do_not_overlap(make_run) -> None:
    figure = tree_figure(make_run(many(60)))
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_fontsize() > 7]
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.shrunk(0.9, 0.8).overlaps(b)]
    assert not overlaps


@pytest.mark.slow
def test_sources_that_an_earlier_version_wrote_are_removed(make_run) -> None:
    run = make_run(family())
    visualize(run)
    old = run / "drawings" / "tree.gv"
    old.write_text("digraph {}")
    visualize(run)
    assert not old.exists() and (run / "drawings" / "tree.pdf").exists()


def test_a_run_whose_trials_all_failed_has_no_tree(make_run, caplog: pytest.LogCaptureFixture) -> None:
    run = make_run([TrialResult.failure(0, Proposal(linear(2), HyperParameters()), "it broke")])
    with pytest.raises(RunFolderError, match="no trial of the run .* has finished .1 failed"):
        tree_figure(run)
    with caplog.at_level(logging.ERROR):
        assert [path.stem for path in visualize(run)] == ["000000"]


def test_a_run_without_trials_has_no_tree(make_run) -> None:
    with pytest.raises(RunFolderError, match="nothing to draw"):
        tree_figure(make_run([]))


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run folder"):
        tree_figure(tmp_path)
    with pytest.raises(ParameterError, match="expected a run"):
        tree_figure(3)
    with pytest.raises(NotFittedError, match="not fitted"):
        tree_figure(GenomeClassifier())


# ---- lineages


def lineage() -> list[TrialResult]:
    """A network that deepens, reads a second view, widens and is replicated, beside a second line."""
    deep, deepen = grown(mlp(2), Deepen)
    two, add_input = grown_input(deep)
    wide, widen = grown(two, Widen)
    branch, add_branch = grown(mlp(2), AddBranch)
    replicate = Proposal(wide, HyperParameters(), 4, (widen,), seed=9, origin="replicate", split=1)
    return [
        trial(0, linear(2), 0.5),
        trial(1, mlp(2), 0.45),
        trial(2, deep, 0.4, 1, (deepen,)),
        trial(3, two, 0.3, 2, (add_input,)),
        trial(4, two, 0.28, 3, (), learning_rate=0.002),
        trial(5, wide, 0.2, 4, (widen,)),
        TrialResult(6, replicate, "ok", 0.22, seconds=1.0),
        trial(7, branch, 0.42, 1, (add_branch,)),
        trial(8, branch, 0.44, 7, (), view="log:top1000"),
    ]


def grown_input(graph: Graph) -> tuple[Graph, Morphism]:
    morphism = AddInput.sites(graph, limits=Limits(views=("log",)))[0]
    return morphism.apply(graph, None, np.random.default_rng(0))[0], morphism


def test_a_lineage_is_drawn_with_its_morphisms_and_views(make_run) -> None:
    tree = search_tree(make_run(lineage(), {"5": 0.6, "7": 0.4}))
    edges = {node.number: (node.father, node.label) for node in tree.nodes}
    assert edges[2] == (1, "deepen") and edges[3] == (2, "add_input") and edges[5] == (4, "widen")
    assert [t.id for t in tree.nodes[5].trials] == [5, 6]
    assert "main,log" in tree.nodes[3].network
    words = " ".join(text.get_text() for text in tree_figure(tree).axes[0].texts)
    assert all(name in words for name in ("deepen", "add_input", "widen", "add_branch", "main,log"))


def test_lines_of_the_winner_and_of_the_largest_members_stand_out(make_run) -> None:
    tree = search_tree(make_run(lineage(), {"5": 0.6, "7": 0.4}))
    assert tree.winners_line == {1, 2, 3, 4, 5}
    assert tree.members_lines == {1, 2, 3, 4, 5, 6}
    curves = [one for one in tree_figure(tree).axes[0].patches if isinstance(one, PathPatch)]
    widths = [curve.get_linewidth() for curve in curves]
    assert sorted(widths) == [1.0, 1.4, 2.0, 2.0, 2.0, 2.0]


def test_the_winner_is_the_trial_that_the_run_chose(make_run) -> None:
    path = make_run(lineage(), {"5": 1.0})
    (path / "result.json").write_text('{"shares": {"5": 1.0}, "best": 6}')
    said = search_tree(path).summary()
    assert search_tree(path).winner == 6 and "Winner: trial 6" in said and "(best score: trial 5, " in said
