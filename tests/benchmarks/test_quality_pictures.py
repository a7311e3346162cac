"""Pictures of benchmark results: ranks, critical differences, quality against time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality.pictures import cliques, critical_difference, frame_of_latest, longest, main, points

ACCURACY = {"genokeras": 0.9, "logistic": 0.8, "majority": 0.5}


def line(tool: str, set_: str, seconds: float = 20.0, **changed: Any) -> dict[str, Any]:
    found = {"set": set_, "cohort": set_, "tool": tool, "fold": 0, "seconds": seconds, "shuffle": False}
    found |= {
        "balanced_accuracy": ACCURACY[tool],
        "log_loss": 1 - ACCURACY[tool],
        "brier": 0.1,
        "roc_auc": 0.9,
    }
    found |= {"fit_seconds": 0.9 * seconds if tool == "genokeras" else 1.0, "predict_seconds": 0.1}
    return found | {"estimate": {}, "intervals": {}, "facts": {}} | changed


def lines(seconds: tuple[float, ...] = (20.0,)) -> list[dict[str, Any]]:
    found = [line(tool, f"set{i}") for tool in ACCURACY for i in range(4)]
    return found + [line("genokeras", f"set{i}", s) for s in seconds for i in range(4)]


def test_the_critical_difference_is_that_of_the_paper():
    """Demsar (2006), section 3.2.2: four classifiers on 14 sets."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_bars_join_the_longest_runs_only():
    assert cliques([1.0, 1.5, 1.8, 3.0, 3.9, 6.0], 1.3) == [(0, 2), (2, 3), (3, 4)]


def test_a_later_line_replaces_an_earlier_one():
    frame = frame_of_latest([*lines(), line("genokeras", "set0", log_loss=0.7)])
    kept = frame[(frame["tool"] == "genokeras") & (frame["set"] == "set0")]
    assert kept["log_loss"].tolist() == [0.7]


def test_ranks_take_each_tool_at_its_longest_time_limit_and_name_it_where_it_is_heeded():
    frame = longest(frame_of_latest(lines((20.0, 60.0))))
    assert set(frame["tool"]) == {"genokeras (60 s)", "logistic", "majority"}


def test_a_tool_has_a_point_for_each_time_limit():
    means, cohorts = points(frame_of_latest(lines((20.0, 60.0))))
    assert cohorts == 4
    assert means.loc["genokeras", "fit_seconds"].tolist() == pytest.approx([18.0, 54.0])


def test_both_pictures_are_written_with_names_that_can_be_searched(tmp_path: Path):
    results = tmp_path / "results.jsonl"
    results.write_text("\n".join(json.dumps(entry) for entry in lines((20.0, 60.0))), encoding="utf-8")
    main(["--results", str(results), "--out", str(tmp_path / "pictures")])
    for name in ("critical_difference.svg", "quality_by_time.svg"):
        text = (tmp_path / "pictures" / name).read_text(encoding="utf-8")
        assert "genokeras" in text
        assert "logistic" in text


def test_one_tool_alone_is_refused():
    with pytest.raises(SystemExit, match="two tools or more"):
        frame_of_latest(lines(), ["genokeras"])
