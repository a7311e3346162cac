"""The family tree as a Matplotlib figure: GenoKeras' layout, which needs no program and stays readable when tall.

Every node is a row, indented below its father; its trials are a strip of cells, coloured by score, all strips starting
at the same place so that they can be compared.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from genokeras.report.class_names import name_width
from genokeras.report.picture import COLOURS, FAINT, INK, Picture, house_style, readable_on
from genokeras.report.tree import SearchTree, TreeNode, search_tree
from genokeras.searchers import TrialResult

WON, LINEAR, MEMBER = COLOURS[1], COLOURS[0], INK
# Inches.
_MARGIN, _INDENT, _ROW, _CELL, _GAP = 0.12, 0.26, 0.42, 0.22, 0.035
_HEAD, _VALUE_WIDTH, _LONGEST_TEXT = 1.14, 1.75, 4.6
_CELLS_IN_ROW = 16
_LINE, _SUMMARY_WIDTH = 0.16, 130
_MOST_NUMBERED = 999
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
class _Row:
    node: TreeNode
    depth: int
    top: float
    height: float


@house_style()
def tree_figure(run: Any) -> Picture:
    """Draw the family tree of a search.

    Parameters
    ----------
    run : path-like, fitted estimator or SearchTree

    Returns
    -------
    Picture
        As tall as it has to be; about 10 inches wide.

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
    rows = _rows(tree)
    summary = textwrap.wrap(tree.summary(), _SUMMARY_WIDTH)
    cells_from = _MARGIN + min(max(_text_width(row) for row in rows), _LONGEST_TEXT) + 0.15
    in_row = min(_CELLS_IN_ROW, max(len(_cells_of(row.node)) for row in rows))
    width = max(cells_from + in_row * _CELL + _VALUE_WIDTH, 8.6)
    above = _LINE * (len(summary) - 1)  # what more than one line of summary takes
    bottom = rows[-1].top + rows[-1].height + _MARGIN
    figure = Picture(figsize=(width, above + bottom))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(bottom, -above))
    axes.set_axis_off()
    _write_head(axes, tree, summary)
    for row in rows:
        _write_row(axes, tree, row, cells_from)
    _draw_lines(axes, tree, rows)
    figure.alt = f"Family tree of the search. {tree.summary()}"
    return figure


def _rows(tree: SearchTree) -> list[_Row]:
    rows, top = [], _HEAD
    for node, depth in tree.depth_first():
        strips = -(-len(_cells_of(node)) // _CELLS_IN_ROW)
        height = max(_ROW, strips * _CELL + 0.12)
        rows.append(_Row(node, depth, top, height))
        top += height
    return rows


def _cells_of(node: TreeNode) -> tuple[TrialResult, ...]:
    """The trials that get a cell: of a node that stands for others, the best one alone."""
    if node.networks == 1:
        return node.trials
    return (node.best,) if node.best is not None else ()


def _text_width(row: _Row) -> float:
    name = name_width(row.node.network) * _NAME_SIZE
    return row.depth * _INDENT + _CHARACTER * max(name, len(_origin(row.node)) * _LABEL_SIZE) / _POINTS + 0.1


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
    name = tree.objective.name.replace("_", " ")
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


def _write_row(axes: Axes, tree: SearchTree, row: _Row, cells_from: float) -> None:
    node, x = row.node, _MARGIN + row.depth * _INDENT
    longest = int((cells_from - x) * _POINTS / (_CHARACTER * _NAME_SIZE))
    name = node.network if len(node.network) <= longest else f"{node.network[: longest - 1]}…"
    axes.text(x, row.top + 0.12, name, fontsize=_NAME_SIZE, va="center")
    axes.text(x, row.top + 0.28, _origin(node), fontsize=_LABEL_SIZE, color=FAINT, va="center")
    cells = _cells_of(node)
    for place, trial in enumerate(cells):
        line, column = divmod(place, _CELLS_IN_ROW)
        _write_cell(axes, tree, trial, cells_from + column * _CELL, row.top + 0.06 + line * _CELL)
    if (best := node.best) is not None:
        at = cells_from + min(len(cells), _CELLS_IN_ROW) * _CELL + 0.08
        _write_value(axes, tree, node, best, at, row.top + 0.06 + (_CELL - _GAP) / 2)


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
    if trial.id <= _MOST_NUMBERED:
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


def _draw_lines(axes: Axes, tree: SearchTree, rows: list[_Row]) -> None:
    """From below each father's name across to its children's; those of the winner and the largest members stand out."""
    placed = {row.node.number: row for row in rows}
    for row in rows:
        father = placed.get(row.node.father) if row.node.father is not None else None
        if father is None:
            continue
        x, y = _MARGIN + father.depth * _INDENT + 0.08, row.top + 0.12
        xs, ys = (x, x, _MARGIN + row.depth * _INDENT - 0.04), (father.top + 0.37, y, y)
        colour, width, order = _LINES[line_kind(tree, row.node)]
        axes.plot(xs, ys, color=colour, linewidth=width, solid_capstyle="round", zorder=order)


def line_kind(tree: SearchTree, node: TreeNode) -> str:
    """What the line that leads to a node is part of: ``"winner"``, ``"member"`` or ``""``."""
    if node.number in tree.winners_line:
        return "winner"
    return "member" if node.number in tree.members_lines else ""
