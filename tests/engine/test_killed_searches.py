"""A search that was killed at any moment goes on to the trials that it would have had."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.engine import Budget, Deadline, Job, LocalExecutor, Outcome, SearchLoop, TrialStore
from genokeras.engine.gains import EnsembleGains
from genokeras.engine.packing import ClassPacker, GraphPacker
from genokeras.engine.testing import small_problem
from genokeras.graph import HyperParameters, get_father, mlp
from genokeras.searchers import BayesianSearcher, History, Proposal, Searcher
from genokeras.support import RunFolder
from tests.engine.fakes import pretend

PROBLEM = small_problem()
MOST = 16


class Killed(BaseException):
    """What nobody catches."""


class Drawing(Searcher):
    """Draws networks of many sizes by the generator and by all that it is shown, the order of trials and their gains included."""

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        shown = repr([(t.id, t.status, t.score, t.gain, t.proposal.fingerprint()) for t in history])
        drawn = np.random.default_rng([zlib.crc32(shown.encode()), int(rng.integers(1000))])
        return [self._drawn(history, drawn) for _ in range(n)]

    def _drawn(self, history: History, rng: np.random.Generator) -> Proposal:
        graph = mlp(2, (int(rng.choice([8, 200])),)) if rng.random() < 0.7 else get_father("linear", 2)
        hyper = HyperParameters(weight_decay=float(rng.random()))
        father = history.trials[int(rng.integers(2))].id if history.trials else None
        return Proposal(graph, hyper, father, seed=int(rng.integers(2)), inherit=False)

    def explain(self, history: History) -> dict[str, Any]:
        return {"shares": {"all": 1.0}}


class Runner:
    """Answers that follow from the whole job; it is killed in the job of a number."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.left = kill_at

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        if self.left == 0:
            raise Killed
        self.left = None if self.left is None else self.left - 1
        whole = zlib.crc32(repr((job.ids, job.shape, [p.fingerprint() for p in job.proposals])).encode())
        return [self._answered(outcome, whole) for outcome in pretend(job)]

    def _answered(self, outcome: Outcome, seed: int) -> Outcome:
        rng = np.random.default_rng([seed, outcome.result.id])
        right = 0.5 + 0.4 * (rng.random(PROBLEM.n_samples) - 0.3)
        answers = np.where(PROBLEM.targets[:, None] == [0, 1], right[:, None], 1 - right[:, None])
        return replace(outcome, answers=answers.astype("float32"))


def search(
    folder: RunFolder, searcher: Searcher, runner: Runner, by_class: bool = True, most: int = MOST
) -> History:
    store = TrialStore(folder)
    loop = SearchLoop(
        searcher,
        LocalExecutor(lambda: runner),
        store,
        Budget(None),
        seed=3,
        max_trials=most,
        pack_size=6,
        packer=ClassPacker(PROBLEM, 4) if by_class else GraphPacker(4, PROBLEM.widths),
        gains=EnsembleGains(PROBLEM, PROBLEM.task.objective()),
    )
    return loop.run(store.history()).history


def lines(folder: RunFolder) -> list[dict[str, Any]]:
    return [event for event in folder.journal() if event["event"] == "trial"]


def killed(folder: RunFolder, searcher: Searcher, by_class: bool, job: int) -> None:
    with pytest.raises(Killed):
        search(folder, searcher, Runner(job), by_class)


@pytest.fixture(scope="module", params=[True, False], ids=["by class", "by graph"])
def whole(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, list[dict[str, Any]]]:
    folder = RunFolder.create(tmp_path_factory.mktemp("whole") / "run", {})
    history = search(folder, Drawing(), Runner(), request.param)
    assert len(history) == MOST
    assert len({event["gain"] for event in lines(folder)}) > 3
    return request.param, lines(folder)


def test_killed_in_any_of_its_jobs_it_ends_with_the_same_journal(
    whole: tuple[bool, list[dict[str, Any]]], tmp_path: Path
) -> None:
    by_class, expected = whole
    gains = [event["gain"] for event in expected]
    jobs = sum(a != b for a, b in zip(gains, [object(), *gains], strict=False))
    for job in range(0, jobs, 1 if by_class else 3):
        folder = RunFolder.create(tmp_path / str(job), {})
        killed(folder, Drawing(), by_class, job)
        # And once more behind the first job that it goes on with.
        if job + 1 < jobs:
            killed(folder, Drawing(), by_class, 1)
        search(folder, Drawing(), Runner(), by_class)
        assert lines(folder) == expected
        assert len([e for e in folder.journal() if e["event"] == "asked"]) == 3


@pytest.mark.parametrize("kept", [0, 1])
def test_a_kill_amid_the_files_of_a_job_changes_nothing_either(
    whole: tuple[bool, list[dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: int,
) -> None:
    by_class, expected = whole
    folder, record, calls = RunFolder.create(tmp_path / "run", {}), RunFolder.record_all, []

    def torn(self: RunFolder, events: list[dict[str, Any]]) -> None:
        calls.append(events)
        ids = [event.get("trial", 0) for event in events]
        if len(calls) > 3 and len(ids) > kept and ids[0]:  # the files are there, or some of them, and no line
            for trial in ids[kept:] if kept else []:
                (folder.path / folder.trial_name(trial) / "graph.json").unlink()
            raise Killed
        record(self, events)

    monkeypatch.setattr(RunFolder, "record_all", torn)
    with pytest.raises(Killed):
        search(folder, Drawing(), Runner(), by_class)
    monkeypatch.undo()
    search(folder, Drawing(), Runner(), by_class)
    assert lines(folder) == expected


def test_a_bayesian_search_goes_on_alike(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path / name, {}) for name in ("whole", "killed")]
    search(folders[0], BayesianSearcher(2), Runner())
    killed(folders[1], BayesianSearcher(2), True, 3)
    search(folders[1], BayesianSearcher(2), Runner())
    assert lines(folders[1]) == lines(folders[0])


def test_fewer_trials_than_were_asked_for_may_be_wanted(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    killed(folder, Drawing(), True, 1)
    done = len(lines(folder))
    assert len(search(folder, Drawing(), Runner(), most=done + 1)) == done + 1
    assert len(search(folder, Drawing(), Runner(), most=done)) == done + 1
    assert sorted(trial.id for trial in search(folder, Drawing(), Runner())) == list(range(MOST))


def without_jobs(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "jobs"}


def test_journals_of_earlier_versions_name_no_jobs_and_are_gone_on_with(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    killed(folder, Drawing(), True, 3)
    events = [without_jobs(event) for event in folder.journal()]
    (folder.path / "journal.jsonl").unlink()
    folder.record_all(events)
    history = search(folder, Drawing(), Runner())
    assert len(history) == MOST
    assert [trial.id for trial in history] == list(range(MOST))
