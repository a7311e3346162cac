"""Replicates: a network on further splits into folds, from the draw of the folds to the merged model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from genokeras.data import choose_folds, further_splits
from genokeras.encoders import TableEncoder
from genokeras.engine import Run, TrialStore, fit_run, load_trial_graph, open_run, row_trial
from genokeras.engine.budget import Budget, Deadline
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.packing import ClassPacker
from genokeras.engine.problem import Problem
from genokeras.estimators.finished import FinishedSearch
from genokeras.estimators.gene_content import Genes
from genokeras.features import fit_views
from genokeras.graph import reference_forward
from genokeras.searchers import BayesianSearcher, History, Proposal, Searcher
from genokeras.support import RunFolder
from genokeras.tasks.calibration import fit_calibration
from genokeras.training import TrainingSettings
from tests.engine.runs import mlp_proposal, several_views_proposal
from tests.engine.tables import prepare, settings, table

X, Y = table()
WEIGHTED = "weighted2000"
SPLITS = (0, 1, 2)


class Listed(Searcher):
    """Proposes what is on a list."""

    def __init__(self, proposals: Sequence[Proposal]) -> None:
        self.proposals = proposals

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        return list(self.proposals[len(history) : len(history) + n])


def replicated() -> list[Proposal]:
    """A network of two views on three splits, and another one on the first."""
    first = several_views_proposal()
    again = [replace(first, split=split, seed=split, origin="replicate") for split in SPLITS[1:]]
    return [first, *again, mlp_proposal(rate=1e-6)]


def searched(path: Path, **changes: object) -> Run:
    proposals = replicated()
    asked = settings(path, max_trials=len(proposals), **changes)
    return fit_run(prepare(X, Y), asked, lambda problem, arcs: Listed(proposals), Budget(None))


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Its views are fitted where they are first read, and kept in memory."""
    prepared = prepare(X, Y)
    made = prepared.make(Budget(None))
    assert made.further is not None
    return replace(made, further=replace(made.further, fit=prepared.fit_view))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return searched(tmp_path_factory.mktemp("replicates") / "run")


# ---- the splits


def test_further_splits_hold_out_other_rows_and_every_row_once(problem: Problem) -> None:
    assert problem.n_splits == 4
    seen = {problem.of_split(split, ()).held_out.tobytes() for split in range(4)}
    assert len(seen) == 4
    for split in range(4):
        part = problem.of_split(split, ())
        np.testing.assert_array_equal(part.held_out.sum(axis=0), 1)
        np.testing.assert_array_equal(part.train, ~part.held_out)
        assert all(np.bincount(problem.targets[rows]).tolist() == [6, 6] for rows in part.held_out)


@pytest.mark.parametrize(
    ("n", "folds", "groups", "count"),
    [
        (24, 3, None, 3),
        (24, 24, None, 0),
        (24, 3, 3, 0),
        (24, 3, 8, 3),
        (20_001, None, None, 0),
        (5001, 5, None, 0),
    ],
    ids=["plain", "each row alone", "as many groups as folds", "groups", "one hold-out", "many samples"],
)
def test_there_are_further_splits_where_the_rule_allows_others(
    n: int, folds: int | None, groups: int | None, count: int
) -> None:
    names = None if groups is None else np.arange(n) % groups

    def draw(seed: int):
        return choose_folds(n, None, names, folds, seed)

    found = further_splits(draw(0), draw, 0)
    assert len(found) == count
    if names is not None:
        for split in found:
            assert all(len(set(rows[names == group])) == 1 for rows in split.held_out for group in set(names))


def test_only_runs_with_further_splits_have_the_arm(problem: Problem) -> None:
    wanted = settings(Path("unused"), searcher="bayesian").wanted
    for given, splits in ((problem, 4), (replace(problem, further=None), 1)):
        searcher = Genes().searcher(wanted, given, ())
        assert isinstance(searcher, BayesianSearcher) and searcher.splits == splits


# ---- row spaces


@pytest.mark.parametrize("name", ["all", "leading10", "log:leading10"])
def test_a_basis_that_looks_at_no_target_serves_all_splits(problem: Problem, name: str) -> None:
    first, further = problem, problem.of_split(1, [name])
    whole = "log" if name.startswith("log") else "all"
    assert further.encoder.spaces[name][0].basis is first.encoder.spaces[whole][0].basis
    x = X.to_numpy()
    alone = fit_views((name,), x, problem.targets, further.train, problem.task.screening)[name]
    for fold, space in enumerate(alone.spaces):
        mine = further.rows[name][:, fold, : space.rank]
        np.testing.assert_allclose(mine @ mine.T, alone.z[fold] @ alone.z[fold].T, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(further.encoder.spaces[name][fold].transform(x), mine, atol=1e-4)


def test_weights_are_those_of_the_training_rows_of_the_split(problem: Problem) -> None:
    further = problem.of_split(2, [WEIGHTED])
    alone = fit_views((WEIGHTED,), X.to_numpy(), problem.targets, further.train, problem.task.screening)
    for mine, wanted in zip(further.encoder.spaces[WEIGHTED], alone[WEIGHTED].spaces, strict=True):
        np.testing.assert_array_equal(mine.projection(), wanted.projection())
    assert problem.of_split(2, [WEIGHTED]).encoder.spaces[WEIGHTED] is further.encoder.spaces[WEIGHTED]


# ---- training


def test_splits_share_a_pack(problem: Problem) -> None:
    (job,) = ClassPacker(problem, 8).jobs([replace(mlp_proposal(), split=split) for split in SPLITS], 0)
    assert [proposal.split for proposal in job.proposals] == list(SPLITS)


def test_no_row_is_scored_by_a_member_that_trained_on_it(run: Run) -> None:
    answers = TrialStore(run.folder).answers(run.history.ok()[:3])
    assert not any(np.allclose(answers[0], other, atol=1e-4) for other in answers[1:])
    x, rows = X.to_numpy(), np.arange(len(X))
    for split, found in zip(SPLITS, answers, strict=True):
        of_members = members_answers(run, split, x)
        fold = run.problem.of_split(split, ()).held_out.argmax(axis=0)
        np.testing.assert_allclose(found, of_members[fold, rows], atol=1e-4)


def test_a_split_that_there_is_not_fails_its_trial_alone(problem: Problem) -> None:
    runner = PackedRunner(problem, problem.task.objective(), TrainingSettings(loss=problem.task))
    jobs = ClassPacker(problem, 8).jobs([mlp_proposal(), replace(mlp_proposal(), split=9)], 0)
    assert [job.proposals[0].split for job in jobs] == [0, 9]
    (outcome,) = runner.run(jobs[1], Deadline())
    assert "no split 9" in str(outcome.result.error) and "there are 4" in str(outcome.result.error)


# ---- what is delivered


def members_answers(run: Run, number: int, x: np.ndarray) -> np.ndarray:
    """``(n_folds, n, n_outputs)``: what the fold members of a trial answer, in numpy."""
    trial = row_trial(run.problem, run.network(run.history.get(number)))
    z = {}
    for i, width in trial.widths.items():
        z[i] = np.zeros((len(trial.spaces[i]), len(x), width))
        for fold, space in enumerate(trial.spaces[i]):
            z[i][fold, :, : space.rank] = space.transform(x)
    logits = reference_forward(trial.graph, trial.weights, z, trial.activation)
    return np.asarray(softmax(logits, axis=-1))


def mean_answer(run: Run, trials: Sequence[int], x: np.ndarray) -> np.ndarray:
    """The mean over all fold members of these trials."""
    return np.concatenate([members_answers(run, number, x) for number in trials]).mean(axis=0)


def answered(model, x: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


def test_the_best_model_is_all_its_replicates(run: Run) -> None:
    x = table(seed=5)[0].to_numpy()
    assert run.best.id == 0
    best = FinishedSearch(run).load_best_model()
    assert [network.split for network in best.networks] == [0, 1, 2]
    mean = best.calibration.apply(mean_answer(run, SPLITS, x))
    np.testing.assert_allclose(answered(best.produce_keras_model(weights=True), x), mean, atol=1e-5)
    held = TrialStore(run.folder).answers(run.history.replicates(run.best)).mean(axis=0)
    assert best.calibration == fit_calibration(held, run.problem.targets)
    one = load_trial_graph(run.folder, 2)
    alone = one.calibration.apply(mean_answer(run, [2], x))
    np.testing.assert_allclose(answered(one.produce_keras_model(weights=True), x), alone, atol=1e-5)


def test_a_run_that_is_opened_reads_its_further_splits(run: Run) -> None:
    again = open_run(RunFolder(run.folder.path))
    x = table(seed=6)[0].to_numpy()
    np.testing.assert_allclose(mean_answer(again, SPLITS, x), mean_answer(run, SPLITS, x), atol=1e-5)
    files = sorted(path.name for path in run.folder.path.glob("split_*"))
    assert files == [f"split_{split}_view_{view}.npz" for split in SPLITS[1:] for view in (0, 2)]
    encoder = again.problem.encoder
    assert isinstance(encoder, TableEncoder)
    spaces = again.problem.of_split(1, ["log"]).encoder.spaces["log"]
    assert spaces[0].basis is encoder.spaces["log"][0].basis


def journal(run: Run) -> list[tuple]:
    events = [event for event in run.folder.journal() if event["event"] == "trial"]
    return [(event["trial"], event["split"], round(event["score"], 5)) for event in events]


def test_a_run_that_was_killed_goes_on_to_the_same_journal(run: Run, tmp_path: Path) -> None:
    """One of an earlier version, whose journal does not say what was asked for."""
    folder = run.folder.copy_to(tmp_path / "run")
    for trial in (2, 3):
        shutil.rmtree(folder.path / folder.trial_name(trial))
    events = [{name: e[name] for name in e if name != "jobs"} for e in folder.journal()]
    last = next(i for i, event in enumerate(events) if event.get("trial") == 2)
    for name in ("split_2_view_0.npz", "result.json", "journal.jsonl"):
        (folder.path / name).unlink()
    folder.record_all(events[:last])
    again = searched(folder.path, resume=True)
    assert journal(again) == journal(run)
    assert folder.has("split_2_view_0.npz")


def test_a_run_without_further_splits_is_read_as_before(run: Run, tmp_path: Path) -> None:
    folder = run.folder.copy_to(tmp_path / "run")
    arrays = folder.read_arrays("data.npz")
    del arrays["further_held_out"]
    folder.write_arrays("data.npz", arrays)
    assert open_run(folder).problem.n_splits == 1
