"""Pictures of networks, with the dot program and without it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras.errors import RunFolderError
from genokeras.graph import (
    Activation,
    Dense,
    Dropout,
    Graph,
    HyperParameters,
    Input,
    Layer,
    linear,
    mlp,
    multi_view,
)
from genokeras.graph.testing import random_graph
from genokeras.report import to_pdf, visualize
from genokeras.searchers import Proposal, TrialResult

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot program is not installed")


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def source(graph: Graph, tmp_path: Path, **settings: object) -> str:
    """The drawing's source, as it is written where dot is missing."""
    return to_pdf(graph, tmp_path / "drawing", **settings).read_text()  # type: ignore[arg-type]


def trial(number: int, graph: Graph, score: float, dropout: float = 0.2) -> TrialResult:
    proposal = Proposal(graph, HyperParameters(dropout=dropout), origin="father:mlp")
    return TrialResult(number, proposal, "ok", score, score_se=0.03, n_parameters=1234)


# ---- with dot


@needs_dot
def test_a_network_becomes_a_pdf_and_no_source_is_left_behind(tmp_path: Path) -> None:
    written = to_pdf(mlp(3, (64, 32)), tmp_path / "mlp.pdf", input_units=7129)
    assert written.read_bytes().startswith(b"%PDF") and list(tmp_path.iterdir()) == [written]


@needs_dot
@pytest.mark.parametrize(
    ("given", "made"), [("net", "net.pdf"), ("net.v2", "net.v2.pdf"), ("net.pdf", "net.pdf")]
)
def test_the_suffix_is_appended_where_it_is_missing(tmp_path: Path, given: str, made: str) -> None:
    assert to_pdf(linear(2), tmp_path / given) == tmp_path / made


@needs_dot
def test_grown_networks_can_be_drawn(tmp_path: Path) -> None:
    for seed in range(3):
        graph = random_graph(np.random.default_rng(seed), n_morphisms=8)
        assert (
            to_pdf(graph, tmp_path / str(seed), input_units=graph.required_input_units() or 7).suffix
            == ".pdf"
        )


@needs_dot
def test_every_searched_network_gets_one_file_best_first(make_run, caplog: pytest.LogCaptureFixture) -> None:
    run = make_run([trial(0, linear(2), 0.3), trial(1, mlp(2), 0.2), trial(2, mlp(2), 0.1, dropout=0.5)])
    with caplog.at_level(logging.WARNING):
        drawings = visualize(run)
    assert [path.name for path in drawings] == ["000002.pdf", "000000.pdf", "tree.pdf"]
    assert sorted(drawings) == sorted((run / "drawings").iterdir()) and not caplog.records


# ---- without dot


def test_the_source_is_written_where_dot_is_missing(
    no_dot: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = to_pdf(linear(2), tmp_path / "linear.pdf")
    assert written == tmp_path / "linear.gv" and written.read_text().startswith("digraph")
    assert ["apt install graphviz" in record.message for record in caplog.records] == [True]


def test_a_whole_run_warns_once_where_dot_is_missing(
    no_dot: None, make_run, caplog: pytest.LogCaptureFixture
) -> None:
    drawings = visualize(make_run([trial(0, linear(2), 0.3), trial(1, mlp(2), 0.2)]))
    assert [path.name for path in drawings] == ["000001.gv", "000000.gv", "tree.pdf"]
    assert len(caplog.records) == 1 and "apt install graphviz" in caplog.text


def test_a_dot_that_fails_is_quoted_and_the_source_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "bin" / "dot"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'Format: \"pdf\" not recognized' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))
    assert to_pdf(linear(2), tmp_path / "linear").suffix == ".gv"
    assert 'Format: "pdf" not recognized' in caplog.text


# ---- what is drawn


def test_nodes_are_tensors_with_shapes_and_edges_are_layers(no_dot: None, tmp_path: Path) -> None:
    drawn = source(mlp(3, (64,)), tmp_path, input_units=7129, activation="tanh")
    for label in ("input (None, 7129)", "(None, 64)", "logits (None, 3)"):
        assert f'label="{label}"' in drawn
    for label in ("Dense(64)", "LayerNorm", "tanh", "Dropout", "Dense(3)"):
        assert f'label=" {label} "' in drawn


def test_each_input_is_drawn_with_the_view_it_reads(no_dot: None, tmp_path: Path) -> None:
    drawn = source(multi_view(3, ("log", "top"), (64,)), tmp_path, input_units=7129)
    for label in ("input (None, 7129)", "input log (None, 7129)", "input top (None, 7129)"):
        assert f'label="{label}"' in drawn


def test_a_trial_of_several_views_names_them(no_dot: None, make_run) -> None:
    drawings = visualize(make_run([trial(0, multi_view(2, ("log",), ()), 0.3)]))
    drawn = drawings[0].read_text()
    assert "views all, log" in drawn and 'label="input all (None' in drawn


def test_a_sum_spans_an_edge_from_each_of_its_inputs(no_dot: None, tmp_path: Path) -> None:
    assert source(mlp(3, (64,)), tmp_path).count('label=" Add "') == 2


def test_shapes_are_spelled_out_where_the_number_of_features_is_unknown(no_dot: None, tmp_path: Path) -> None:
    graph = gk.Graph.from_dict(
        {
            "format": 1,
            "layers": [
                {"id": 0, "kind": "input", "inputs": []},
                {"id": 1, "kind": "dense", "units": 8, "inputs": [0]},
                {"id": 2, "kind": "concat", "inputs": [0, 1]},
                {"id": 3, "kind": "dense", "units": 2, "inputs": [2]},
            ],
        }
    )
    drawn = source(graph, tmp_path)
    assert '"input (None, features)"' in drawn and '"(None, features + 8)"' in drawn


def test_a_layer_says_its_own_function_and_rate_before_the_given_ones(no_dot: None, tmp_path: Path) -> None:
    layers = [Layer(0, Input()), Layer(1, Dense(4), (0,)), Layer(2, Activation("gelu"), (1,))]
    layers += [Layer(3, Dropout(0.5), (2,)), Layer(4, Dense(2), (3,))]
    drawn = source(Graph.build(layers), tmp_path, activation="tanh")
    assert '" gelu "' in drawn and '" Dropout(0.5) "' in drawn and "tanh" not in drawn


@pytest.mark.parametrize("hostile", ["<b>bold</b>", 'quo"te', "back\\nslash"])
def test_names_are_shown_as_they_are(no_dot: None, tmp_path: Path, hostile: str) -> None:
    drawn = source(mlp(2), tmp_path, activation=hostile)
    assert f"label=<{hostile}>" not in drawn
    escaped = hostile.replace("\\", "\\\\").replace('"', '\\"')
    assert f'label=" {escaped} "' in drawn


def test_the_caption_says_what_a_trial_scored_and_that_it_won(no_dot: None, make_run) -> None:
    run = make_run(
        [trial(0, linear(2), 0.3), trial(1, mlp(2), 0.2), trial(2, mlp(2), 0.1)], {"2": 0.75, "0": 0.25}
    )
    best, other = (path.read_text() for path in visualize(run)[:2])
    assert "Trial 2: linear + [64]" in best and "WINNER: the best of 3 trials" in best
    assert "log loss 0.100 ± 0.030 out of fold, 1,234 parameters" in best and "75% of the delivered" in best
    assert "the same network with other settings: trials 1" in best and "Dropout(0.2)" in best
    assert "WINNER" not in other and "25% of the delivered ensemble" in other


def test_a_failed_trial_is_drawn_with_its_error(no_dot: None, make_run) -> None:
    failed = TrialResult.failure(
        0, Proposal(mlp(2), HyperParameters()), "Traceback\nTrainingError: loss is nan\n"
    )
    (drawn,) = visualize(make_run([failed]))
    assert "failed: TrainingError: loss is nan" in drawn.read_text()


def test_drawings_of_an_earlier_state_of_the_run_are_removed(no_dot: None, make_run) -> None:
    run = make_run([trial(1, mlp(2), 0.2)])
    (run / "drawings").mkdir()
    for name in ("000000.gv", "000009.pdf", "mine.pdf"):
        (run / "drawings" / name).write_text("")
    visualize(run)
    assert sorted(path.name for path in (run / "drawings").glob("[0m]*")) == ["000001.gv", "mine.pdf"]


# ---- bad input


def test_a_place_that_cannot_be_written_is_named(no_dot: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        to_pdf(linear(2), tmp_path / "file" / "drawing")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not a run folder"):
        visualize(tmp_path)
