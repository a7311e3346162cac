"""Several tools on sets of images and texts: who is asked for what, and what is remembered of it."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.quality.peers import HERE, Peer
from benchmarks.quality.spatial import Tool, evaluate_set, find_tools, peer_tool, table_of
from benchmarks.quality.spatial_growth import growth_table, summary
from benchmarks.quality.spatial_sets import Round, SpatialSet
from genokeras.data import load_sequences, load_texts

WORKERS = HERE / "workers"


def texts(n: int = 12) -> SpatialSet:
    data = load_texts([f"call me {'free' if i % 2 else 'later'} {i}" for i in range(n)])
    parts = np.array(["train"] * 6 + ["valid"] * 2 + ["test"] * (n - 8))
    return SpatialSet("tiny", "text", data, np.arange(n) % 2, ("ham", "spam"), parts)


def sequences() -> SpatialSet:
    codes = np.arange(12) % 2
    return dataclasses.replace(texts(), kind="sequence", data=load_sequences(["ACGT"] * 12, y=codes))


def tool_that_counts(calls: list[str], name: str) -> Tool:
    def score(data: SpatialSet, part: Round, seconds: float, seed: int) -> dict[str, Any]:
        calls.append(name)
        return {"mcc": 0.5, "accuracy": 0.75, "error": 0.25, "fit_seconds": seconds, "trials": 3}

    return score


def peer_of(folder: Path, body: str) -> Peer:
    lines = "\n    ".join(body.strip().splitlines())
    script = folder / "worker.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(WORKERS)!r})\nimport numpy as np\n"
        f"from serving import Result, serve\ndef fit(task):\n    {lines}\nserve(fit)\n"
    )
    return Peer(Path(sys.executable), script)


def test_each_tool_has_a_line_and_is_not_run_again(tmp_path: Path) -> None:
    calls: list[str] = []
    tools = {name: tool_that_counts(calls, name) for name in ("genokeras", "autokeras")}
    results = tmp_path / "lines.jsonl"
    lines = list(evaluate_set(texts(), tools, 5.0, None, results))
    assert [line["tool"] for line in lines] == calls == ["genokeras", "autokeras"]
    assert list(evaluate_set(texts(), tools, 5.0, None, results)) == []
    assert len(list(evaluate_set(texts(), tools, 6.0, None, results))) == 2


def test_each_seed_has_a_line(tmp_path: Path) -> None:
    tools, results = {"genokeras": tool_that_counts([], "genokeras")}, tmp_path / "lines.jsonl"
    found = [line for seed in (0, 1, 0) for line in evaluate_set(texts(), tools, 5.0, None, results, seed)]
    assert [line["seed"] for line in found] == [0, 1]


def test_growing_is_compared_with_templates_on_the_rounds_and_seeds_of_both() -> None:
    line = {"set": "tiny", "round": 0, "seconds": 5.0, "tool": "genokeras", "log_loss": 0.2, "accuracy": 0.9}
    facts = {"best_is_grown": True, "grown_share": 0.4, "grown_seconds": 3.0, "trained_seconds": 5.0}
    templates = {**line, "tool": "templates", "log_loss": 0.3, "best_is_grown": False}
    table = growth_table([{**line, **facts}, {**line, **facts, "seed": 1, "log_loss": 9.0}, templates])
    assert table.loc[("tiny", 5.0), ["log_loss", "log_loss_templates", "grown_time"]].tolist() == [
        0.2,
        0.3,
        0.6,
    ]
    assert summary(table).startswith("Ahead in log loss on 1 of 1 sets; the best trial was grown on 1;")


def test_a_line_that_names_no_tool_is_one_of_genokeras(tmp_path: Path) -> None:
    calls: list[str] = []
    tools = {name: tool_that_counts(calls, name) for name in ("genokeras", "autokeras")}
    results = tmp_path / "lines.jsonl"
    results.write_text(json.dumps({"set": "tiny", "round": 0, "seconds": 5.0}) + "\n")
    list(evaluate_set(texts(), tools, 5.0, None, results))
    assert calls == ["autokeras"]


def test_autokeras_is_not_asked_for_sequences(tmp_path: Path) -> None:
    calls: list[str] = []
    tools = {name: tool_that_counts(calls, name) for name in ("genokeras", "autokeras")}
    list(evaluate_set(sequences(), tools, 5.0, None, tmp_path / "lines.jsonl"))
    assert calls == ["genokeras"]


def test_a_peer_gets_training_and_validation_texts_as_an_array_of_strings(tmp_path: Path) -> None:
    peer = peer_of(
        tmp_path,
        """
assert task.x.dtype.kind == "U" and len(task.x) == 8 and task.x[1] == "call me free 1"
predict = lambda x: np.eye(2)[[int("free" in text) for text in x]] * 0.8 + 0.1
return Result(predict, {"log_loss": 0.25}, {"networks": 4, "best": "a small one"})
""",
    )
    part = Round(np.arange(6), np.arange(6, 8), np.arange(8, 12))
    line = peer_tool(peer)(texts(), part, 5.0, 0)
    assert (line["accuracy"], line["mcc"], line["estimate"], line["trials"]) == (1.0, 1.0, 0.25, 4)
    assert line["best"] == "a small one" and "failed" not in line


def test_a_peer_that_fails_says_why_and_is_scored_as_class_frequencies(tmp_path: Path) -> None:
    part = Round(np.arange(6), np.arange(6, 8), np.arange(8, 12))
    line = peer_tool(peer_of(tmp_path, "raise MemoryError('too large')"))(texts(), part, 5.0, 0)
    assert line["failed"] == "exit code 1: MemoryError: too large"
    assert line["roc_auc"] == 0.5 and line["trials"] is None


def test_the_table_has_a_row_for_each_tool_and_the_goal_of_the_set() -> None:
    line = {"set": "mnist10k", "round": 0, "seconds": 60.0, "accuracy": 0.9, "trials": 2}
    rows = table_of([line, {**line, "tool": "autokeras", "accuracy": 0.8, "trials": None}]).splitlines()
    assert len(rows) == 4 and "genokeras" in rows[3] and "autokeras" in rows[2]
    assert "NaN" in rows[2] and "0.9" in rows[3]


def test_autokeras_without_its_environment_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="autokeras has no finished environment"):
        find_tools(["genokeras", "autokeras"], tmp_path)
    assert list(find_tools(["genokeras", "templates"], None)) == ["genokeras", "templates"]


def test_the_worker_for_images_and_texts_needs_no_genokeras() -> None:
    assert "genokeras" not in (WORKERS / "fit_autokeras_spatial.py").read_text()
