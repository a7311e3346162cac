"""The family tree as Graphviz source: a node is a pack of trials, its cells are coloured by score."""

from __future__ import annotations

import html
from collections.abc import Sequence

import graphviz
from matplotlib.colors import to_rgb

from genokeras.report.picture import FAINT, INK, readable_on
from genokeras.report.tree import SearchTree, TreeNode
from genokeras.report.tree_figure import LINEAR, MEMBER, WON, line_kind
from genokeras.searchers import TrialResult

_FONT = "Helvetica"
_CELLS_IN_ROW = 8
_PLAIN = "#f5f7fa"
_EDGES: dict[str, dict[str, str]] = {
    "winner": {"color": WON, "penwidth": "2.2"},
    "member": {"color": MEMBER, "penwidth": "1.5"},
    "": {},
}


def tree_source(tree: SearchTree) -> graphviz.Digraph:
    """The tree, from left to right, with its key below.

    Parameters
    ----------
    tree : SearchTree

    Returns
    -------
    graphviz.Digraph
        Drawing it takes Graphviz' ``dot`` program; its ``source`` does not.
    """
    drawing = graphviz.Digraph(
        graph_attr={
            "rankdir": "LR",
            "ranksep": "0.5",
            "nodesep": "0.18",
            "margin": "0.2",
            "fontname": _FONT,
            "fontsize": "11",
            "fontcolor": INK,
            "labelloc": "t",
            "labeljust": "l",
            "label": _key(tree),
        },
        node_attr={"shape": "plain", "fontname": _FONT, "fontsize": "11", "fontcolor": INK},
        edge_attr={
            "fontname": _FONT,
            "fontsize": "10",
            "fontcolor": INK,
            "color": "#7b8794",
            "arrowsize": "0.6",
        },
    )
    for node in tree.nodes:
        drawing.node(str(node.number), _table(tree, node))
        if node.father is not None:
            label = "\\n".join(f" {graphviz.escape(part)} " for part in node.label.split(", "))
            drawing.edge(str(node.father), str(node.number), label, **_EDGES[line_kind(tree, node)])
    return drawing


def _table(tree: SearchTree, node: TreeNode) -> str:
    ids = {trial.id for trial in node.trials}
    frame = WON if tree.winner in ids else LINEAR if tree.baseline in ids else "#9aa5b1"
    best = "all failed" if node.best is None else f"best {tree.value(node.best)}"
    count = f"{len(node.trials)} trial{'s' * (len(node.trials) != 1)}"
    lines = [
        f"<B>{html.escape(node.network)}</B>",
        f'<FONT COLOR="{FAINT}" POINT-SIZE="9">{best}, {count}</FONT>',
    ]
    if tree.winner in ids:
        lines.append(f'<FONT COLOR="{WON}"><B>WINNER: trial {tree.winner}</B></FONT>')
    if tree.baseline in ids:
        lines.append(f'<FONT COLOR="{LINEAR}">linear baseline: trial {tree.baseline}</FONT>')
    if node.networks == 1:
        lines.append(_cells(tree, node.trials))
    rows = "".join(f'<TR><TD ALIGN="LEFT" CELLPADDING="1">{line}</TD></TR>' for line in lines)
    return f'<<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{frame}" BGCOLOR="{_PLAIN}" CELLBORDER="0">{rows}</TABLE>>'


def _cells(tree: SearchTree, trials: Sequence[TrialResult]) -> str:
    """A table within the table: beside a wide heading its cells stay together."""
    rows = ""
    for start in range(0, len(trials), _CELLS_IN_ROW):
        rows += f"<TR>{''.join(_cell(tree, trial) for trial in trials[start : start + _CELLS_IN_ROW])}</TR>"
    across, down = min(len(trials), _CELLS_IN_ROW), -(-len(trials) // _CELLS_IN_ROW)
    size = f'FIXEDSIZE="TRUE" WIDTH="{30 * across + 2}" HEIGHT="{24 * down + 2}"'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0" {size}>{rows}</TABLE>'


def _cell(tree: SearchTree, trial: TrialResult) -> str:
    frame = None
    if trial.id in tree.shares:
        frame = MEMBER
    if trial.id == tree.baseline:
        frame = LINEAR
    if trial.id == tree.winner:
        frame = WON
    return _swatch(tree.colour(trial), str(trial.id) if trial.status == "ok" else "×", frame)


def _swatch(colour: str, text: str, frame: str | None) -> str:
    """A coloured cell, and around it a frame at a distance, which is seen on dark cells too."""
    ink = readable_on(to_rgb(colour))
    inner = (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD BGCOLOR="{colour}" WIDTH="22" '
        f'HEIGHT="16" FIXEDSIZE="TRUE"><FONT POINT-SIZE="8" COLOR="{ink}">{text or "&#160;"}</FONT></TD></TR></TABLE>'
    )
    width = 0 if frame is None else 1 if frame == MEMBER else 2
    return (
        f'<TD BORDER="{width}" COLOR="{frame or "#ffffff"}" WIDTH="28" HEIGHT="22" FIXEDSIZE="TRUE" '
        f'CELLPADDING="0">{inner}</TD>'
    )


def _key(tree: SearchTree) -> str:
    name = html.escape(tree.objective.name.replace("_", " "))
    cells = [f"<TD>{name}, out of fold:</TD>"]
    for colour, word in tree.legend():
        cells += [_swatch(colour, "", None), f'<TD ALIGN="LEFT">{html.escape(word)}</TD>']
    marks = [("winner", WON)]
    if tree.baseline is not None:
        marks.append(("linear baseline", LINEAR))
    if tree.shares:
        marks.append(("member of the delivered ensemble", MEMBER))
    for word, frame in marks:
        cells += [_swatch("#ffffff", "", frame), f'<TD ALIGN="LEFT">{word}</TD>']
    title = f'<TD COLSPAN="{len(cells)}" ALIGN="LEFT"><B>Family tree of the search</B></TD>'
    words = f'<TD COLSPAN="{len(cells)}" ALIGN="LEFT">{html.escape(tree.summary())}</TD>'
    return f'<<TABLE BORDER="0"><TR>{title}</TR><TR>{words}</TR><TR>{"".join(cells)}</TR></TABLE>>'
