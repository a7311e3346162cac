"""Memory that runs out: smaller jobs first, then failed trials in our words; the path stays free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.engine import Deadline, Job, PackedRunner
from genokeras.engine import fit as fit_module
from genokeras.engine.testing import linear_job, small_runner
from genokeras.errors import OutOfMemoryError
from genokeras.support.memory import asked_for, is_out_of_memory
from tests.engine.tables import fit, prepare, settings, table

X, Y = table()


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


SAID = {
    "Unable to allocate 2.98 GiB for an array with shape (20000, 20000) and data type float64": "2.98 GiB",
    "OOM when allocating tensor with shape[64,3,224,224] and type float": "shape [64,3,224,224]",
    "CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 8 GiB total)": "20.00 MiB",
    "RESOURCE_EXHAUSTED: Out of memory allocating 1234 bytes.": "1234 bytes",
    "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 800 bytes": "800 bytes",
}


@pytest.mark.parametrize(("text", "size"), SAID.items())
def test_what_libraries_say_is_understood(text: str, size: str) -> None:
    assert size in asked_for(RuntimeError(text))
    assert is_out_of_memory(ResourceExhaustedError(text)) and is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError(text)) == ("memory" in text)
    assert not is_out_of_memory(ValueError(text)) and asked_for(MemoryError()) == ""


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Sizes of the jobs that a runner tries, of which those larger than ``most`` do not fit."""
    tried: list[int] = []

    def found(self: PackedRunner, job: Job, deadline: Deadline, first: int = 0) -> list[Any]:
        tried.append(len(job.ids))
        if len(job.ids) > most:
            raise MemoryError("Unable to allocate 2.98 GiB for an array with shape (20000, 20000)")
        seeds = [proposal.seed + number for number, proposal in enumerate(job.proposals, start=first)]
        return [f"trained from {seed}" for seed in seeds]

    monkeypatch.setattr(PackedRunner, "_found", found)
    return tried


@pytest.mark.parametrize(
    ("most", "sizes"), [(9, [6]), (3, [6, 3, 3]), (2, [6, 3, 1, 1, 1, 1, 1, 1]), (0, [6, 3, *[1] * 6])]
)
def test_a_job_is_tried_again_in_halves_and_then_alone(
    monkeypatch: pytest.MonkeyPatch, most: int, sizes: list[int]
) -> None:
    runner, job = small_runner(), linear_job(0, *np.linspace(0.1, 1, 6))
    tried = limited(monkeypatch, most)
    outcomes = runner.run(job, Deadline())
    assert tried == sizes and [outcome.result.id for outcome in outcomes] == list(range(6))
    errors = [outcome.result.error for outcome in outcomes]
    if most:
        assert errors == [f"trained from {number}" for number in range(6)]
    else:
        expected = r"not enough memory to train this network (2.98 GiB were asked for), even alone"
        assert all(
            error is not None and expected in error and "machine with more" in error for error in errors
        )
    if 0 < most < 6:
        tried.clear()
        runner.run(job, Deadline())
        assert max(tried) <= most


def test_parts_of_a_job_are_trained_as_the_whole_is() -> None:
    whole, parts = small_runner(), small_runner()
    job = linear_job(0, 0.1, 0.3, 1.0)
    parts._most[None] = 2
    for one, other in zip(whole.run(job, Deadline()), parts.run(job, Deadline()), strict=True):
        np.testing.assert_allclose(one.answers, other.answers, atol=1e-4)


def raising(*arguments: Any, **named: Any) -> Any:
    raise MemoryError("Unable to allocate 2.98 GiB for an array with shape (20000, 20000)")


@pytest.mark.parametrize("where", ["make", "write_problem", "search"])
def test_memory_that_runs_out_before_a_trial_is_named_and_leaves_the_path_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    prepared = prepare(X, Y)
    if where == "make":
        prepared = replace(prepared, make=raising)
    elif where == "write_problem":
        monkeypatch.setattr(fit_module, "write_problem", raising)
    else:
        monkeypatch.setattr(fit_module.SearchLoop, "run", raising)
    with pytest.raises(OutOfMemoryError, match=r"24 samples, 30 .*2.98 GiB were asked for.*same path"):
        fit(prepared, settings(tmp_path / "run"))
    monkeypatch.undo()
    assert len(fit(prepare(X, Y), settings(tmp_path / "run")).history) == 2


def test_memory_that_runs_out_behind_the_first_trials_delivers_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains, calls = fit_module.EnsembleGains.with_gain, []

    def second_raises(self: Any, outcomes: Any) -> Any:
        calls.append(outcomes)
        given: Callable[..., Any] = raising if len(calls) == 2 else gains
        return given(self, outcomes)

    monkeypatch.setattr(fit_module.EnsembleGains, "with_gain", second_raises)
    with pytest.warns(UserWarning, match="memory ran out"):
        found = fit(prepare(X, Y), settings(tmp_path / "run", max_trials=40))
    assert found.stop_reason == "memory" and found.history.ok() and found.model is not None
