"""Drawings of networks by Graphviz: nodes are tensors with their shapes, edges are layers; and a run's family tree.

Graphviz has two halves: the Python package, which writes the drawing's source, and the ``dot`` program, which lays it
out. pip brings the first only, so without the second the source is what one gets, and one sentence on how to install
the rest.
"""

from __future__ import annotations

import logging
import os
import subprocess
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graphviz

from genokeras.engine import LoadedGraph, TrialStore
from genokeras.graph import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Dropout,
    Graph,
    HyperParameters,
    Input,
    Layer,
)
from genokeras.report.captions import Caption, trial_captions
from genokeras.report.sources import run_folder
from genokeras.report.tree_figure import tree_figure
from genokeras.support.files import write_bytes

DRAWINGS, TREE = "drawings", "tree"
INSTALL_HINT = (
    "The 'dot' program of Graphviz was not found, so drawings were written as .gv source. Install it with 'apt install "
    "graphviz', 'brew install graphviz' or 'conda install -c conda-forge graphviz' and draw again, or paste a .gv file "
    "into an online viewer."
)

_logger = logging.getLogger(__name__)

_FONT = "Helvetica"
_HEADING_WIDTH = 72
_INK, _FAINT, _PLAIN, _WON = "#1f2933", "#7b8794", "#f5f7fa", "#d9480f"
_FILLS = {"input": "#dbeafe", "output": "#dcfce7", "sum": "#fef3c7", "concat": "#ede9fe"}
_EDGES: dict[type, str] = {Dense: "#1d4ed8", Conv: "#1d4ed8", Add: "#b45309", Concat: "#6d28d9"}


def to_pdf(
    graph: Graph,
    path: str | os.PathLike[str],
    input_units: int | None = None,
    activation: str | None = None,
) -> Path:
    """Draw a network into a PDF.

    Parameters
    ----------
    graph : Graph
        One that was loaded from a run brings its width, activation and dropout along.
    path : path-like
        ``.pdf`` is appended where it is missing.
    input_units : int, optional
        Number of features the network reads, for the shapes; "features" stands in its place without it.
    activation : str, optional
        What activations that name no function of their own are labelled with.

    Returns
    -------
    pathlib.Path
        The PDF; where the ``dot`` program is missing, the ``.gv`` source beside it, and a warning says what to install.

    Raises
    ------
    RunFolderError
        If the path cannot be written.

    Examples
    --------
    >>> import genokeras as gk
    >>> gk.to_pdf(gk.load_graph("runs/leukemia/trials/000017/graph.json"), "network.pdf")  # doctest: +SKIP
    """
    hyper = None
    if isinstance(graph, LoadedGraph):
        hyper = graph.hyper
        input_units = graph.n_features if input_units is None else input_units
    caption = Caption(graph.describe(), ())
    target = Path(path) if Path(path).suffix == ".pdf" else Path(f"{os.fspath(path)}.pdf")
    written = _write(_drawing(graph, caption, input_units, activation, hyper), target)
    _warn([written])
    return written.path


def visualize(run_path: Any) -> list[Path]:
    """Draw the networks of a run, one file for each that was searched, and their family tree into its folder ``drawings``.

    Trials that differ in hyper-parameters alone share a drawing, which is named after the best of them. The title says
    what it scored, where it grew from, and whether the run chose it. In the family tree, ``tree.pdf``, generations stand from
    left to right; cells below a network are its trials, coloured by score, and its second line says by which morphism it grew.

    Parameters
    ----------
    run_path : path-like
        A run folder; or the fitted estimator.

    Returns
    -------
    list of pathlib.Path
        The drawings, best network first: PDFs or, where the ``dot`` program is missing, ``.gv`` sources. The tree comes last, and is always
        a PDF.

    Raises
    ------
    RunFolderError
        If the folder holds no run, or cannot be written.

    Examples
    --------
    >>> import genokeras as gk
    >>> gk.visualize("runs/leukemia")[0]  # doctest: +SKIP
    PosixPath('runs/leukemia/drawings/000017.pdf')
    """
    folder = run_folder(run_path)
    target = folder.path / DRAWINGS
    # Runs of sequences, images and texts name no features.
    n_features = len(folder.settings.get("feature_names", ())) or None
    history = TrialStore(folder).history()
    captions = trial_captions(folder, history)

    def draw(trial_id: int) -> _Written:
        trial, caption = captions[trial_id]
        proposal = trial.proposal
        drawing = _drawing(proposal.graph, caption, n_features, None, proposal.hyper)
        return _write(drawing, target / f"{trial_id:06d}.pdf")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        written = list(pool.map(draw, captions))
    _warn(written)
    paths = [one.path for one in written]
    if history.ok():
        paths.append(tree_figure(folder).save(target / f"{TREE}.pdf"))
    _remove_stale(target, paths)
    return paths


# ---- the picture


def _drawing(
    graph: Graph,
    caption: Caption,
    input_units: int | None,
    activation: str | None,
    hyper: HyperParameters | None,
) -> graphviz.Digraph:
    drawing = graphviz.Digraph(
        graph_attr={
            "rankdir": "TB",
            "ranksep": "0.28",
            "nodesep": "0.45",
            "margin": "0.2",
            "fontname": _FONT,
            "fontsize": "12",
            "fontcolor": _WON if caption.won else _INK,
            "labelloc": "t",
            "label": _text(_heading(caption)),
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fillcolor": _PLAIN,
            "color": _FAINT,
            "fontname": _FONT,
            "fontsize": "12",
            "fontcolor": _INK,
            "height": "0.32",
            "margin": "0.12,0.04",
        },
        edge_attr={
            "fontname": _FONT,
            "fontsize": "11",
            "color": _FAINT,
            "fontcolor": _INK,
            "arrowsize": "0.6",
        },
    )
    widths = _widths(graph, input_units)
    for layer in graph.layers:
        tensor = _tensor(graph, layer, widths, hyper)
        drawing.node(str(layer.id), _text(tensor), fillcolor=_fill(graph, layer))
        colour = _EDGES.get(type(layer.spec))
        style = {} if colour is None else {"color": colour, "fontcolor": colour}
        label = _text(f" {_layer_name(layer, activation, hyper)} ")
        for source in layer.inputs:
            drawing.edge(str(source), str(layer.id), label, **style)
    return drawing


def _heading(caption: Caption) -> str:
    """Wrapped, so that a long line does not widen the page; with some air below."""
    lines = [part for line in (caption.title, *caption.lines) for part in textwrap.wrap(line, _HEADING_WIDTH)]
    return "\n".join([*lines, "", ""])


def _widths(graph: Graph, input_units: int | None) -> dict[int, str]:
    """Every tensor's axes behind the first, in words where they depend on data that are not known."""
    if graph.input_shape is not None:
        return {layer: ", ".join(map(str, shape)) for layer, shape in graph.shapes().items()}
    required = graph.required_input_widths()
    known = {i: units for i in graph.inputs if (units := required.get(i, input_units)) is not None}
    if len(known) == len(graph.inputs):
        return {layer: str(units) for layer, units in graph.shapes(known).items()}
    words = {}
    once, twice = graph.shapes(1), graph.shapes(2)
    for layer, units in once.items():
        times = twice[layer] - units
        parts = [f"{times} x features" if times > 1 else "features"] if times else []
        if units > times:
            parts.append(str(units - times))
        words[layer] = " + ".join(parts)
    return words


def _tensor(graph: Graph, layer: Layer, widths: dict[int, str], hyper: HyperParameters | None) -> str:
    shape = f"(None, {widths[layer.id]})"
    if layer.id in graph.inputs:
        # One Input needs no name.
        view = graph.views(hyper.view if hyper else "")[layer.id] if len(graph.inputs) > 1 else ""
        return f"input {view} {shape}" if view else f"input {shape}"
    return f"logits {shape}" if layer.id == graph.output else shape


def _fill(graph: Graph, layer: Layer) -> str:
    if layer.id == graph.output:
        return _FILLS["output"]
    return {Input: _FILLS["input"], Add: _FILLS["sum"], Concat: _FILLS["concat"]}.get(
        type(layer.spec), _PLAIN
    )


def _layer_name(layer: Layer, activation: str | None, hyper: HyperParameters | None) -> str:
    spec = layer.spec
    if isinstance(spec, Activation):
        return spec.function or activation or (hyper.activation if hyper else "activation")
    if isinstance(spec, Dropout):
        rate = hyper.dropout if spec.rate is None and hyper else spec.rate
        return "Dropout" if rate is None else f"Dropout({rate:g})"
    return str(spec)


def _text(label: str) -> str:
    """A label that Graphviz shows as it is: no HTML, no escapes but for line ends."""
    return graphviz.escape(label).replace("\n", "\\n")


# ---- files


@dataclass(frozen=True)
class _Written:
    """A file, and why it is a ``.gv`` where it is one."""

    path: Path
    problem: str | None = None


def _write(drawing: graphviz.Digraph, target: Path) -> _Written:
    problem, content = None, b""
    try:
        content = drawing.pipe(format="pdf")
    except graphviz.ExecutableNotFound:
        problem = INSTALL_HINT
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        problem = (
            f"The 'dot' program of Graphviz failed, so drawings were written as .gv source. It said: {said}"
        )
    if problem is not None:
        target, content = target.with_suffix(".gv"), drawing.source.encode()
    return _Written(write_bytes(target, content), problem)


def _warn(written: list[_Written]) -> None:
    problems = [one.problem for one in written if one.problem is not None]
    if problems:
        _logger.warning("%s", problems[0])


def _remove_stale(folder: Path, kept: list[Path]) -> None:
    """Drawings of an earlier state of the run, when another trial was the best of its graph."""
    for kind in ("pdf", "gv"):
        for path in (*folder.glob(f"[0-9][0-9][0-9][0-9][0-9][0-9].{kind}"), folder / f"{TREE}.{kind}"):
            if path not in kept:
                path.unlink(missing_ok=True)
