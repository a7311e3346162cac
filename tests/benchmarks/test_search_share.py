"""What a run folder says of its search: shares, lineages, graphs, compilations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality.search_share import counted_compilations, digest, facts_of, header, row, summary
from genokeras.graph import FATHERS
from genokeras.training import PackedTrainer, TrainingSettings

DEEPEN = {"kind": "deepen"}


def graph(*widths: int, first: int = 0, view: str | None = None) -> dict[str, Any]:
    """A chain of Dense layers whose ids begin at ``first``."""
    layers = [{"id": first, "kind": "input", **({"view": view} if view else {}), "inputs": []}]
    for units in widths:
        source = layers[-1]["id"]
        layers.append({"id": source + 1, "kind": "dense", "units": units, "inputs": [source]})
    return {"format": 1, "layers": layers}


def write_run(folder: Path, *trials: dict[str, Any], shares: dict[str, float] | None = None) -> Path:
    for number, trial in enumerate(trials):
        proposal = {"father": None, "morphisms": [], "origin": "father:linear", "graph": graph(2), **trial}
        place = folder / "trials" / f"{number:06d}"
        place.mkdir(parents=True)
        record = {"trial": {"id": number, "status": "ok", "proposal": proposal}}
        (place / "graph.json").write_text(json.dumps(record), encoding="utf-8")
    if shares is not None:
        (folder / "result.json").write_text(json.dumps({"shares": shares}), encoding="utf-8")
    return folder


def child(father: int, origin: str, *widths: int) -> dict[str, Any]:
    return {"father": father, "morphisms": [DEEPEN], "origin": origin, "graph": graph(*widths)}


LINEAGE = (
    {},
    {"origin": "random"},
    child(0, "bayesian", 8, 2),
    child(2, "random", 8, 8, 2),
    child(3, "bayesian", 8, 8, 8, 2),
    {**child(3, "replicate", 8, 8, 8, 2), "father": 3},
    {"origin": "hyper", "graph": graph(8, 2, first=3)},
)


def test_shares_are_of_the_trials_beyond_the_design_and_of_the_children(tmp_path: Path) -> None:
    found = facts_of(write_run(tmp_path, *LINEAGE), seconds=30, compilations=5)
    assert (found["trials"], found["beyond"], found["replicates"]) == (7, 6, 1)
    assert found["grown"] == pytest.approx(3 / 6) and found["surrogate"] == pytest.approx(2 / 3)
    assert (found["depth"], found["graphs"], found["graphs_a_minute"]) == (3, 4, 8)
    assert found["compilations"] == 5


def test_the_ensemble_counts_as_grown_where_a_child_brought_the_graph(tmp_path: Path) -> None:
    lineage = (*LINEAGE[:6], {"origin": "hyper", "graph": graph(8, 2)})
    folder = write_run(tmp_path, *lineage, shares={"1": 0.4, "5": 0.35, "6": 0.25})
    assert facts_of(folder)["ensemble"] == pytest.approx(0.6)


def test_what_a_folder_does_not_say_is_unknown(tmp_path: Path) -> None:
    found = facts_of(write_run(tmp_path, {}))
    unknown = ("grown", "surrogate", "ensemble", "compilations", "graphs_a_minute")
    assert [found[name] for name in unknown] == [None] * 5
    assert row("a run", found).split()[2:] == ["1", "-", "-", "0.0", "-", "-", "-", "-"]
    (tmp_path / "journal.jsonl").write_text('{"event": "finished", "compilations": 7}\n', encoding="utf-8")
    assert facts_of(tmp_path)["compilations"] == 7


def test_isomorphic_graphs_are_one_and_views_may_be_disregarded() -> None:
    assert digest(graph(8, 2)) == digest(graph(8, 2, first=5)) != digest(graph(8, 8, 2))
    assert digest(graph(2, view="log")) != digest(graph(2))
    assert digest(graph(2, view="log"), views=False) == digest(graph(2), views=False)


def test_the_order_of_sums_does_not_matter_but_that_of_concatenations_does() -> None:
    def joined(kind: str, *order: int) -> dict[str, Any]:
        layers = graph(3)["layers"] + [{"id": 2, "kind": "dense", "units": 4, "inputs": [0]}]
        return {"layers": [*layers, {"id": 3, "kind": kind, "inputs": list(order)}]}

    assert digest(joined("add", 1, 2)) == digest(joined("add", 2, 1))
    assert digest(joined("concat", 1, 2)) != digest(joined("concat", 2, 1))


def test_digests_tell_apart_what_fingerprints_do() -> None:
    graphs = [make(2) for make in FATHERS.values()]
    assert len({digest(each.to_dict()) for each in graphs}) == len({each.fingerprint() for each in graphs})


def test_programs_of_all_trainers_of_a_fit_are_counted_together() -> None:
    with counted_compilations() as count:
        trainers = [PackedTrainer(TrainingSettings()) for _ in range(2)]
        for trainer in trainers:
            trainer.compilations += 3
        assert count() == 6
    assert PackedTrainer(TrainingSettings()).compilations == 0


def test_the_summary_counts_deep_lineages(tmp_path: Path) -> None:
    facts = facts_of(write_run(tmp_path / "a", *LINEAGE)), facts_of(write_run(tmp_path / "b", {}))
    text = summary(list(facts))
    assert "lineages of 3 generations or more: 1 of 2 fits" in text
    assert len(text.splitlines()[0]) == len(header())
