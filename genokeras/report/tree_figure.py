"""The family tree as a Matplotlib figure: generations from left to right, every father in the middle beside its children.

A node is a network that grew in one way, with a cell for each of its trials, coloured by score. The layout is that of tidy trees
without their compaction (Reingold and Tilford 1981): a subtree has the height of its children, or of its own box where that is taller.
It needs no other program.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from genokeras.metric_names import metric_name
from genokeras.report.class_names import name_width
from genokeras.report.picture import COLOURS, FAINT, INK, Picture, house_style, readable_on
from genokeras.report.tree import SearchTree, TreeNode, search_tree
from genokeras.searchers import TrialResult

WON, LINEAR, MEMBER = COLOURS[1], COLOURS[0], INK
# Inches.
_MARGIN, _CELL, _GAP = 0.12, 0.22, 0.035
_HEAD, _VALUE_WIDTH, _SHORTEST, _LONGEST_TEXT = 1.3, 1.5, 1.7, 2.9
_BETWEEN, _APART, _TEXT = 0.55, 0.14, 0.38
_CELLS_IN_ROW = 8
_LINE, _NARROWEST = 0.16, 8.6
# Numbers within cells take most of the time of a large tree, and nobody looks for one of many hundreds there.
_MOST_NUMBERED = 300
_NAME_SIZE, _LABEL_SIZE = 8.5, 7.5
_POINTS, _CHARACTER = 72.0, 0.58


_FRAMES: dict[str, dict[str, Any]] = {
    "winner": {"edgecolor": WON, "linewidth": 1.8},
    "baseline": {"edgecolor": LINEAR, "linewidth": 1.8, "linestyle": (0, (2, 1))},
    "member": {"edgecolor": MEMBER, "linewidth": 0.9},
}


# Colour, width and place of the lines between the rows.
_LINES: dict[str, tuple[str, float, float]] = {
    "winner": (WON, 2.0, 0.6),
    "member": (MEMBER, 1.4, 0.4),
    "": ("#9aa5b1", 1.0, 0.2),
}


@dataclass(frozen=True)
class _Box:
    """Where a node stands: its left and upper corner, its height, and the generation it is of."""

    node: TreeNode
    generation: int
    x: float
    top: float
    height: float

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@house_style()
def tree_figure(run: Any) -> Picture:
    """Draw the family tree of a search.

    Parameters
    ----------
    run : path-like, fitted estimator or SearchTree

    Returns
    -------
    Picture
        As tall as its leaves and as wide as its generations need.

    Raises
    ------
    RunFolderError
        If it is no run, or none of its trials finished.

    Examples
    --------
    >>> tree_figure("runs/leukemia").save("tree.svg")  # doctest: +SKIP
    PosixPath('tree.svg')
    """
    tree = run if isinstance(run, SearchTree) else search_tree(run)
    boxes, width, bottom = _boxes(tree)
    width = max(width, _NARROWEST)
    summary = textwrap.wrap(tree.summary(), int(width * 13))
    above = _LINE * (len(summary) - 1)  # what more than one line of summary takes
    figure = Picture(figsize=(width, above + bottom))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(bottom, -above))
    axes.set_axis_off()
    _write_head(axes, tree, summary)
    _write_generations(axes, boxes)
    for box in boxes:
        _write_box(axes, tree, box)
    _draw_lines(axes, tree, boxes)
    figure.alt = f"Family tree of the search. {tree.summary()}"
    return figure


# ---- layout


def _boxes(tree: SearchTree) -> tuple[list[_Box], float, float]:
    """Every node in its place, fathers first; the width and the height of all."""
    ordered = tree.depth_first()
    widths = _widths(ordered)
    left = [_MARGIN + sum(widths[:place]) + place * _BETWEEN for place in range(len(widths))]
    heights = {node.number: _height(node) for node, _ in ordered}
    taken: dict[int, float] = {}
    for node, _ in reversed(ordered):  # children before their fathers
        below = sum(taken[child.number] for child in tree.children.get(node.number, []))
        taken[node.number] = max(heights[node.number] + _APART, below)
    tops, at = {}, _HEAD
    for root in tree.children.get(None, []):
        tops[root.number] = at
        at += taken[root.number]
    boxes = []
    for node, generation in ordered:
        top, height = tops[node.number], heights[node.number]
        boxes.append(
            _Box(node, generation, left[generation], top + (taken[node.number] - height) / 2, height)
        )
        children = tree.children.get(node.number, [])
        at_child = top + (taken[node.number] - sum(taken[child.number] for child in children)) / 2
        for child in children:
            tops[child.number] = at_child
            at_child += taken[child.number]
    return boxes, left[-1] + widths[-1] + _MARGIN, at + _MARGIN


def _widths(ordered: Sequence[tuple[TreeNode, int]]) -> list[float]:
    """Of the boxes of every generation."""
    found: dict[int, float] = {}
    for node, generation in ordered:
        found[generation] = max(found.get(generation, 0.0), _width(node))
    return [found[generation] for generation in sorted(found)]


def _width(node: TreeNode) -> float:
    text = max(name_width(node.network) * _NAME_SIZE, len(_origin(node)) * _LABEL_SIZE) * _CHARACTER / _POINTS
    cells = min(_CELLS_IN_ROW, len(_cells_of(node))) * _CELL + _VALUE_WIDTH
    return max(_SHORTEST, min(text + 0.1, _LONGEST_TEXT), cells)


def _height(node: TreeNode) -> float:
    return _TEXT + max(1, -(-len(_cells_of(node)) // _CELLS_IN_ROW)) * _CELL


def _cells_of(node: TreeNode) -> tuple[TrialResult, ...]:
    """The trials that get a cell: of a node that stands for others, the best one alone."""
    if node.networks == 1:
        return node.trials
    return (node.best,) if node.best is not None else ()


def _origin(node: TreeNode) -> str:
    count = f"{len(node.trials)} trial{'s' * (len(node.trials) != 1)}"
    return f"{node.label} · {count}"


# ---- parts


def _write_head(axes: Axes, tree: SearchTree, summary: list[str]) -> None:
    top = -_LINE * (len(summary) - 1)
    axes.text(_MARGIN, top + 0.2, "Family tree of the search", fontsize=11, va="center")
    for number, line in enumerate(summary):
        axes.text(_MARGIN, top + 0.42 + number * _LINE, line, fontsize=8, color=FAINT, va="center")
    x, y = _MARGIN, 0.62
    name = metric_name(tree.objective.name)
    x = _words(axes, x, y, f"{name}, out of fold:")
    for colour, word in tree.legend():
        axes.add_patch(Rectangle((x, y), _CELL, _CELL - _GAP, facecolor=colour))
        x = _words(axes, x + _CELL + 0.06, y, word) + 0.04
    x, y = _MARGIN, 0.88
    entries = {"winner": "winner"}
    if tree.baseline is not None:
        entries["linear baseline"] = "baseline"
    if tree.shares:
        entries["member of the delivered ensemble"] = "member"
    if any(trial.status != "ok" for trial in tree.trials):
        axes.add_patch(Rectangle((x, y), _CELL - _GAP, _CELL - _GAP, facecolor="#cbd5e1"))
        axes.text(x + (_CELL - _GAP) / 2, y + _CELL / 2 - _GAP / 2, "×", ha="center", va="center", fontsize=9)
        x = _words(axes, x + _CELL + 0.04, y, "failed") + 0.1
    for word, kind in entries.items():
        axes.add_patch(Rectangle((x, y), _CELL - _GAP, _CELL - _GAP, facecolor="white", **_FRAMES[kind]))
        x = _words(axes, x + _CELL + 0.04, y, word) + 0.1


def _words(axes: Axes, x: float, y: float, text: str) -> float:
    """Write a piece of the key; returns where the next one starts."""
    axes.text(x, y + (_CELL - _GAP) / 2, text, fontsize=8, va="center")
    return x + len(text) * 8 * 0.53 / _POINTS + 0.08


def _write_generations(axes: Axes, boxes: Sequence[_Box]) -> None:
    for generation, x in sorted({(box.generation, box.x) for box in boxes}):
        word = "first networks" if generation == 0 else f"generation {generation}"
        axes.text(x, _HEAD - 0.1, word, fontsize=_LABEL_SIZE, color=FAINT, va="center", style="italic")


def _write_box(axes: Axes, tree: SearchTree, box: _Box) -> None:
    node, x = box.node, box.x
    longest = int(_width(node) * _POINTS / (_CHARACTER * _NAME_SIZE))
    name = node.network if len(node.network) <= longest else f"{node.network[: longest - 1]}…"
    axes.text(x, box.top + 0.1, name, fontsize=_NAME_SIZE, va="center")
    axes.text(x, box.top + 0.26, _origin(node), fontsize=_LABEL_SIZE, color=FAINT, va="center")
    cells = _cells_of(node)
    for place, trial in enumerate(cells):
        line, column = divmod(place, _CELLS_IN_ROW)
        _write_cell(axes, tree, trial, x + column * _CELL, box.top + _TEXT + line * _CELL)
    if (best := node.best) is not None:
        at = x + min(len(cells), _CELLS_IN_ROW) * _CELL + 0.06
        _write_value(axes, tree, node, best, at, box.top + _TEXT + (_CELL - _GAP) / 2)


def _write_cell(axes: Axes, tree: SearchTree, trial: TrialResult, x: float, y: float) -> None:
    colour, size, inset = tree.colour(trial), _CELL - _GAP, 0.0
    style = _FRAMES["member"] if trial.id in tree.shares else None
    if trial.id == tree.baseline:
        style = _FRAMES["baseline"]
    if trial.id == tree.winner:
        style = _FRAMES["winner"]
    if style is not None:  # at a distance, so that it is seen on dark cells too
        axes.add_patch(Rectangle((x, y), size, size, facecolor="white", **style))
        inset = 0.022
    axes.add_patch(
        Rectangle((x + inset, y + inset), size - 2 * inset, size - 2 * inset, facecolor=colour, linewidth=0)
    )
    text = str(trial.id) if trial.status == "ok" else "×"
    if len(tree.trials) <= _MOST_NUMBERED or text == "×":
        ink = readable_on(to_rgb(colour))
        axes.text(x + size / 2, y + size / 2, text, fontsize=5.2, color=ink, ha="center", va="center")


def _write_value(axes: Axes, tree: SearchTree, node: TreeNode, best: TrialResult, x: float, y: float) -> None:
    ids = {trial.id for trial in node.trials}
    text = tree.value(next((trial for trial in node.trials if trial.id == tree.winner), best))
    axes.text(x, y, text, fontsize=8, va="center")
    x += (len(text) + 1) * 8 * _CHARACTER / _POINTS
    if tree.winner in ids:
        axes.text(x, y, "WINNER", fontsize=8, weight="bold", color=WON, va="center")
    elif tree.baseline in ids:
        axes.text(x, y, "linear baseline", fontsize=8, color=LINEAR, va="center")


def _draw_lines(axes: Axes, tree: SearchTree, boxes: Sequence[_Box]) -> None:
    """From each father to its children; lines of the winner and of the largest members stand out."""
    placed = {box.node.number: box for box in boxes}
    right: dict[int, float] = {}
    for box in boxes:
        right[box.generation] = max(right.get(box.generation, 0.0), box.x + _width(box.node))
    for box in boxes:
        father = placed.get(box.node.father) if box.node.father is not None else None
        if father is None:
            continue
        start, end = (right[father.generation], father.middle), (box.x - 0.06, box.middle)
        half = (start[0] + end[0]) / 2
        curve = Path(
            [start, (half, start[1]), (half, end[1]), end],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        colour, width, order = _LINES[line_kind(tree, box.node)]
        style: dict[str, Any] = {"edgecolor": colour, "linewidth": width, "zorder": order}
        axes.add_patch(PathPatch(curve, facecolor="none", capstyle="round", **style))
        if father.x + _width(father.node) < start[0]:
            axes.plot(
                (father.x + _width(father.node), start[0]),
                (father.middle, father.middle),
                color=colour,
                linewidth=width,
                zorder=order,
            )


def line_kind(tree: SearchTree, node: TreeNode) -> str:
    """What the line that leads to a node is part of: ``"winner"``, ``"member"`` or ``""``."""
    if node.number in tree.winners_line:
        return "winner"
    return "member" if node.number in tree.members_lines else ""
