"""The final fit: one architecture, all rows, the length and the schedule that the folds found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from genokeras.encoders import Rows, fit_table_encoder, predict
from genokeras.engine import AllRows, Run, final_fit, open_run
from genokeras.engine.final_fit import SEEDS, steps_behind
from genokeras.engine.run import FINAL_WEIGHTS, RESULT_FILE
from genokeras.errors import DataError, ParameterError
from genokeras.features import RowSpace
from genokeras.graph import Graph, HyperParameters
from genokeras.searchers import History, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.calibration import Calibration, fit_sharpness
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import _RIDGE_PENALTY
from genokeras.training import NetworkSettings, Plan, Samples, Trainee, train_member
from genokeras.training.members import rate_share, train_whole
from tests.engine.runs import (
    cnn_proposal,
    counts_proposal,
    expression,
    linear_proposal,
    mlp_proposal,
    problem_of_classes,
    problem_of_images,
    problem_of_numbers,
    several_views_proposal,
    trained,
    untrained,
)

N = 24
X, CODES = expression()
STILL = 1e-12  # a learning rate that moves nothing


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """Final fits of one graph share its compiled network, as the folds of a search do."""
    made: dict[Any, Trainee] = {}

    def trainee(graph: Graph, hyper: HyperParameters, loss: Any) -> Trainee:
        key = graph, hyper.activation, type(loss), str(loss.get_config())
        if key not in made:
            made[key] = Trainee(graph, hyper, loss)
        made[key].use(hyper)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("genokeras.engine.final_fit"), "Trainee", trainee)
        yield


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Run:
    """One network with a hidden layer."""
    return trained(tmp_path_factory.mktemp("runs") / "run", problem_of_classes(), [mlp_proposal()])


@pytest.fixture(scope="module")
def still(tmp_path_factory) -> Run:
    """As `classes`, but nothing moves the weights any more."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_classes(), [mlp_proposal(rate=STILL)])


@pytest.fixture(scope="module")
def linear(tmp_path_factory) -> Run:
    """A ridge regression of two numbers."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_numbers(), [linear_proposal(2)])


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Run:
    return trained(
        tmp_path_factory.mktemp("runs") / "run",
        problem_of_images(),
        [cnn_proposal()],
        True,
        {"max_iter_num": 2},
    )


@pytest.fixture(scope="module")
def counted(tmp_path_factory) -> Run:
    """The linear model of images."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return trained(path, problem_of_images(), [counts_proposal()], True)


def fitted(
    run: Run,
    tmp_path,
    targets: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    retrain: bool = True,
    x: Any = None,
    name: str = "final",
    **trainer_args: Any,
) -> Run:
    """A final fit on the run's own samples, in a copy of its folder."""
    folder = run.folder.copy_to(tmp_path / name)
    table = run.kind == "genome"
    rows: Rows = {"features": X if x is None else x} if table else run.problem.rows
    known = run.problem.targets if targets is None else targets
    data = AllRows(rows, known, np.ones(len(known)) if weight is None else weight)
    return final_fit(replace(run, folder=folder), data, trainer_args or None, retrain)


@pytest.fixture(scope="module")
def fresh(classes, tmp_path_factory) -> Run:
    """The final fit of `classes` without further arguments; no test may change its folder."""
    return fitted(classes, tmp_path_factory.mktemp("fits"))


def answers(run: Run, seed: int = 5) -> np.ndarray:
    """What a run's model says of new samples."""
    if run.kind == "genome":
        return np.asarray(keras.ops.convert_to_numpy(run.model(expression(seed=seed)[0])))
    encoder = run.problem.encoder
    return predict(run.model, encoder, run.problem.rows)


def note(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.folder.read_json(RESULT_FILE)["final_fit"]
    return found


# ---- tables


@pytest.mark.parametrize("retrain", [True, False])
def test_every_view_of_a_network_is_fitted(tmp_path, retrain):
    problem = problem_of_classes(("all", "log", "top5"))
    before = untrained(tmp_path / "run", problem, several_views_proposal())
    run = fitted(before, tmp_path, retrain=retrain, max_iter_num=40)
    assert set(run.problem.encoder.spaces) >= {"all", "log"}
    found = np.asarray(keras.ops.convert_to_numpy(run.model(X)))
    assert (found.argmax(axis=1) == CODES).mean() > 0.9
    again = open_run(RunFolder(run.folder.path))
    np.testing.assert_allclose(answers(again), answers(run), atol=1e-6)


def test_a_fresh_fit_trains_several_seeds_on_all_rows(classes, fresh):
    found = note(fresh)
    assert found["members"] == SEEDS and found["rows"] == N
    assert found["trial"] == classes.best.id and found["retrain"] is True
    assert found["steps"] == max(classes.best.step, 5)
    assert (fresh.folder.path / FINAL_WEIGHTS).exists()
    assert list(fresh.folder.journal())[-1]["event"] == "final_fit"


def test_a_fresh_fit_learns_all_rows(classes, tmp_path):
    run = fitted(classes, tmp_path, max_iter_num=60)
    found = np.asarray(keras.ops.convert_to_numpy(run.model(X)))
    assert (found.argmax(axis=1) == CODES).mean() > 0.9
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_the_model_in_the_folder_is_the_new_one(classes, fresh):
    again = open_run(RunFolder(fresh.folder.path))
    np.testing.assert_allclose(answers(again), answers(fresh), atol=1e-6)
    assert abs(answers(fresh) - answers(classes)).max() > 1e-4
    assert again.delivery == classes.delivery


def test_steps_that_were_asked_for_are_taken(classes, tmp_path):
    assert note(fitted(classes, tmp_path, max_iter_num=7))["steps"] == 7


def test_the_same_seed_gives_the_same_final_fit(classes, fresh, tmp_path):
    np.testing.assert_array_equal(answers(fitted(classes, tmp_path)), answers(fresh))


def test_a_continued_fit_has_the_members_of_the_search(classes, tmp_path):
    run = fitted(classes, tmp_path, retrain=False)
    assert note(run)["members"] == classes.problem.n_folds and note(run)["retrain"] is False


def test_a_continued_fit_goes_on_from_the_weights_of_the_search(still, tmp_path):
    run = fitted(still, tmp_path, retrain=False)
    # The delivered ensemble is this trial alone; only its calibration is gone.
    p = answers(still)
    calibration = still.delivery.calibration
    np.testing.assert_allclose(calibration.apply(answers(run)), p, atol=1e-4)


def test_a_fresh_fit_does_not(still, tmp_path):
    fresh = fitted(still, tmp_path)
    calibration = still.delivery.calibration
    assert abs(calibration.apply(answers(fresh)) - answers(still)).max() > 1e-3


@pytest.mark.parametrize("retrain", [True, False])
def test_rows_without_weight_teach_nothing(classes, tmp_path, retrain):
    weight = np.where(np.arange(N) < 6, 0.0, 1.0)
    flipped = np.where(np.arange(N) < 6, 1 - CODES, CODES)
    first = fitted(classes, tmp_path, CODES, weight, retrain, name="a")
    second = fitted(classes, tmp_path, flipped, weight, retrain, name="b")
    np.testing.assert_allclose(answers(first), answers(second), atol=1e-6)


def test_weights_change_what_is_learnt(classes, fresh, tmp_path):
    weighted = fitted(classes, tmp_path, weight=np.where(CODES == 1, 20.0, 1.0))
    assert answers(weighted)[:, 1].mean() > answers(fresh)[:, 1].mean() + 0.02


def test_missing_values_are_filled_as_the_model_fills_them(tmp_path):
    medians = np.median(X, axis=0)
    run = trained(tmp_path / "run", problem_of_classes(medians=medians), [mlp_proposal()])
    holes = np.random.default_rng(0).random(X.shape) < 0.1
    first = fitted(run, tmp_path, x=np.where(holes, np.nan, X).astype("float32"), name="a")
    second = fitted(run, tmp_path, x=np.where(holes, medians, X).astype("float32"), name="b")
    np.testing.assert_allclose(answers(first), answers(second), atol=1e-5)


def test_a_screened_view_is_screened_on_all_rows(tmp_path):
    run = trained(tmp_path / "run", problem_of_classes(("top5",)), [mlp_proposal(view="top5")])
    found = fitted(run, tmp_path, max_iter_num=40)
    x = expression(seed=5)[0]
    x[:, 10:] += 100
    other = np.asarray(keras.ops.convert_to_numpy(found.model(x)))
    # The three genes that tell the classes apart are picked; few of the others are.
    assert abs(other - answers(found)).mean() < 0.4


def test_a_linear_model_of_classes_is_solved_on_all_rows(tmp_path):
    run = trained(tmp_path / "run", problem_of_classes(), [linear_proposal()])
    found = fitted(run, tmp_path)
    assert note(found)["members"] == 1
    everything = np.ones((1, N), dtype=bool)
    encoder, _ = fit_table_encoder(X, CODES, everything, ("all",), run.task.screening, run.feature_names)
    space = encoder.spaces["all"][0]
    decay = run.task.solved_decays(N, space.rank)[run.best.step - 1]
    kernel, bias = run.task.solve_linear(space.transform(X), CODES, np.ones(N), decay)
    new = space.transform(expression(seed=5)[0]) @ kernel + bias
    np.testing.assert_allclose(answers(found), run.task.answers_of(new), atol=1e-4)


def test_one_that_was_trained_in_an_older_run_is_trained_again(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(Classes, "solves_linear", lambda self, n_samples, width: False)
        run = trained(tmp_path / "run", problem_of_classes(), [linear_proposal()])
    # Even one that was best at its first scoring, behind no more steps than there are decays.
    early = replace(run.best, step=len(run.problem.solved_decays(run.best.proposal.hyper)))
    run = replace(run, history=History((early,)))
    assert note(fitted(run, tmp_path))["members"] == SEEDS


def test_an_unknown_argument_is_refused(classes, tmp_path):
    with pytest.raises(ParameterError, match="unknown trainer_args 'max_iter'. Did you mean 'max_iter_num'"):
        fitted(classes, tmp_path, max_iter=3)


# ---- linear models of numbers are solved


def ridge(run: Run, space: RowSpace, weight: np.ndarray) -> np.ndarray:
    """What scikit-learn's ridge, fitted to all rows in these coordinates, says of new rows."""
    task = run.task
    penalty = _RIDGE_PENALTY * run.best.proposal.hyper.weight_decay
    peer = Ridge(penalty * weight.sum(), solver="cholesky")
    z = space.transform(X).astype("float64")
    peer.fit(z, (run.problem.targets - task.mean) / task.sd, sample_weight=weight)
    return peer.predict(space.transform(expression(seed=5)[0])) * task.sd + task.mean


@pytest.mark.parametrize("weight", [np.ones(N), np.linspace(0, 3, N)])
def test_a_linear_model_of_numbers_is_the_ridge_regression_of_all_rows(linear, tmp_path, weight):
    run = fitted(linear, tmp_path, weight=weight)
    everything = np.ones((1, N), dtype=bool)
    encoder, _ = fit_table_encoder(
        X, linear.problem.targets, everything, ("all",), linear.task.screening, linear.feature_names
    )
    np.testing.assert_allclose(answers(run), ridge(linear, encoder.spaces["all"][0], weight), rtol=2e-3)
    assert note(run)["members"] == 1 and note(run)["steps"] == 1


def test_a_continued_ridge_is_solved_in_the_bases_of_the_folds(linear, tmp_path):
    run = fitted(linear, tmp_path, retrain=False)
    assert note(run)["members"] == linear.problem.n_folds
    peers = [ridge(linear, space, np.ones(N)) for space in linear.problem.encoder.spaces["all"]]
    np.testing.assert_allclose(answers(run), np.mean(peers, axis=0), rtol=2e-3)


# ---- how long


def history_of(*steps: int, inherit: bool = True, view: str = "all") -> History:
    """Trials that each grew from the one before."""
    trials = []
    for number, step in enumerate(steps):
        father = number - 1 if number else None
        own = view if number == len(steps) - 1 else "all"
        proposal = mlp_proposal(father=father, inherit=inherit, view=own)
        trials.append(TrialResult(number, proposal, "ok", 0.5, step=step))
    return History(tuple(trials))


@pytest.mark.parametrize(
    ("history", "steps"),
    [
        (history_of(40), 40),
        (history_of(40, 20, 15), 75),
        (history_of(40, 20, 15, inherit=False), 15),
        (history_of(40, 20, 15, view="log"), 15),
    ],
)
def test_the_steps_behind_a_trial_are_those_its_weights_took(classes, history, steps):
    assert steps_behind(replace(classes, history=history), history.trials[-1]) == steps


# ---- networks


def test_a_network_is_trained_for_as_many_epochs_as_were_asked_for(images, tmp_path):
    run = fitted(images, tmp_path, max_iter_num=3)
    noted = note(run)
    assert noted.pop("sharpness") > 0
    assert noted == {"trial": 0, "epochs": 3, "rows": N, "retrain": True}


def test_a_network_is_trained_for_as_long_as_the_folds_found_best(images, tmp_path):
    # A fold trains on half of the rows, in one batch.
    assert note(fitted(images, tmp_path))["epochs"] == images.best.step


def test_the_same_seed_trains_the_same_network(images, tmp_path):
    first, second = (fitted(images, tmp_path, name=name) for name in ("a", "b"))
    np.testing.assert_array_equal(answers(first), answers(second))
    np.testing.assert_allclose(answers(open_run(first.folder)), answers(first), atol=1e-6)


@pytest.mark.parametrize("retrain", [True, False])
def test_samples_without_weight_teach_a_network_nothing(images, tmp_path, retrain):
    weight = np.where(np.arange(N) < 6, 0.0, 1.0)
    flipped = np.where(np.arange(N) < 6, 1 - CODES, CODES)
    options: dict[str, Any] = {"weight": weight, "retrain": retrain, "max_iter_num": 3}
    first = fitted(images, tmp_path, CODES, name="a", **options)
    second = fitted(images, tmp_path, flipped, name="b", **options)
    unweighted = fitted(images, tmp_path, flipped, retrain=retrain, max_iter_num=3, name="c")
    np.testing.assert_allclose(answers(first), answers(second), atol=1e-6)
    assert abs(answers(unweighted) - answers(second)).max() > 1e-4


def test_a_continued_network_goes_on_from_the_search(tmp_path):
    problem, proposals = problem_of_images(), [cnn_proposal(rate=STILL)]
    run = trained(tmp_path / "run", problem, proposals, True, {"max_iter_num": 2})
    found = fitted(run, tmp_path, retrain=False, max_iter_num=2)
    weights = found.folder.read_arrays(FINAL_WEIGHTS)
    kernel = run.network(run.best).weights[1]["kernel"]
    np.testing.assert_allclose(weights["1.kernel"], kernel[:1], atol=1e-6)


def test_images_are_moved_where_most_folds_move_them(images, tmp_path):
    def weights(moved, name: str) -> np.ndarray:
        run = replace(images, rows=replace(images.problem, moved=moved))
        found = fitted(run, tmp_path, max_iter_num=2, name=name)
        return found.folder.read_arrays(FINAL_WEIGHTS)["1.kernel"]

    free = weights(None, "free")
    np.testing.assert_array_equal(weights(np.array([True, False]), "most"), free)
    assert abs(weights(np.array([False, False]), "none") - free).max() > 0


def test_the_linear_model_of_samples_is_fitted_once(counted, tmp_path):
    weight = np.linspace(1, 2, N)
    run = fitted(counted, tmp_path, weight=weight)
    encoder, task = run.problem.encoder, run.task
    view, counts = encoder.linear_views["counts"], encoder.counts(run.problem.rows)
    kernel, bias, steps = task.fit_view(view, counts, run.problem.targets, weight, 0.1)
    plain = task.answers_of(counts @ kernel + bias)
    np.testing.assert_allclose(answers(run), Calibration(note(run)["sharpness"]).apply(plain), atol=1e-4)
    assert note(run)["epochs"] == steps


def test_the_sharpness_of_a_final_fit_is_judged_on_rows_it_did_not_train_on(counted, tmp_path):
    problem, hyper = counted.problem, counted.best.proposal.hyper
    encoder, task, held = problem.encoder, problem.task, problem.held_out[0]
    view, counts = encoder.linear_views["counts"], encoder.counts(problem.rows)
    kernel, bias, _ = task.fit_view(
        view, counts[~held], problem.targets[~held], np.ones((~held).sum()), hyper.weight_decay
    )
    wanted = fit_sharpness(task.answers_of(counts[held] @ kernel + bias), problem.targets[held])
    assert note(fitted(counted, tmp_path))["sharpness"] == pytest.approx(wanted, rel=1e-3)


def test_a_final_fit_without_the_held_out_rows_trains_once(counted, tmp_path, monkeypatch):
    fits: list[int] = []
    fit_view = type(counted.task).fit_view

    def counting(self, view, counts, *others):
        fits.append(counts.shape[0])
        return fit_view(self, view, counts, *others)

    monkeypatch.setattr(type(counted.task), "fit_view", counting)
    apart = ~counted.problem.held_out[0]
    data = AllRows(counted.problem.rows, CODES, np.ones(N)).take(apart)
    final_fit(replace(counted, folder=counted.folder.copy_to(tmp_path / "apart")), data, None, True)
    fitted(counted, tmp_path)
    assert fits == [apart.sum(), apart.sum(), N]


# ---- the loop that trains without held-out samples


def a_trainee(run: Run) -> Trainee:
    proposal = run.best.proposal
    trainee = Trainee(proposal.graph, proposal.hyper, run.task.training_loss(0.0))
    trainee.restart(run.network(run.best).weights, 0, 0)
    return trainee


def samples_of(run: Run, weight: np.ndarray | None = None) -> Samples:
    problem = run.problem
    chosen = problem.sample_weight if weight is None else weight
    return Samples(problem.task, problem.encoder.still(), problem.rows, problem.targets, chosen)


def rates_of(trainee: Trainee) -> list[float]:
    """The learning rates that are set from now on."""
    rates: list[float] = []
    original = trainee.set_rate

    def noting(rate: float) -> None:
        rates.append(rate)
        original(rate)

    trainee.set_rate = noting  # type: ignore[method-assign]
    return rates


def test_the_rate_rises_and_falls_as_in_the_search(images):
    plan, settings = Plan(40, None), NetworkSettings(patience=1000)
    searched, whole = a_trainee(images), a_trainee(images)
    first, second = rates_of(searched), rates_of(whole)
    samples = samples_of(images)
    train_member(searched, samples, samples, plan=plan, rate=0.01, seed=0, settings=settings)
    train_whole(whole, samples, plan, 0.01, 0, settings)
    assert first == second
    assert second[0] == 0.01 * rate_share(0.0) and second[-1] == 0.01 * rate_share(1.0)


def test_every_sample_is_used_however_the_batches_fall(images):
    """Five samples in batches of two: none is left over at the end of a turn."""
    few = samples_of(images).take(np.arange(5))
    trainee = a_trainee(images)
    seen: list[np.ndarray] = []

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return getattr(few.encoder, name)

        def draw(self, rows: Rows, picked: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
            seen.append(rows["pixels"][picked])
            return few.encoder.draw(rows, picked, rng)

    noted = replace(few, encoder=Noting())  # type: ignore[arg-type]
    train_whole(trainee, noted, Plan(5, None), 0.01, 0, NetworkSettings(batch_size=2))
    shown = np.concatenate(seen)[:10]
    times = [(shown == pixels).all(axis=(1, 2, 3)).sum() for pixels in few.rows["pixels"]]
    assert times == [2] * 5


def test_all_the_steps_of_a_plan_are_taken(images):
    trainee = a_trainee(images)
    train_whole(trainee, samples_of(images), Plan(7, None), 0.01, 0, NetworkSettings())
    assert int(trainee.optimizer.iterations) == 7


# ---- samples that nothing can be learnt from


def test_samples_of_one_class_are_refused_and_the_model_stays(classes: Run, tmp_path) -> None:
    before = {path: path.read_bytes() for path in classes.folder.path.rglob("best.keras")}
    with pytest.raises(DataError, match=r"at least 2 classes: got only '.+', 24 samples\. The model is left"):
        fitted(classes, tmp_path, np.zeros(N, dtype=np.int64))
    assert {path: path.read_bytes() for path in classes.folder.path.rglob("best.keras")} == before


def test_a_class_without_samples_is_said() -> None:
    task = Classes(3)
    notes = task.check_learnable(np.array([0, 2, 2]), np.array(["ALL", "AML", "MLL"]))
    assert notes == ("No sample is of 'AML': a model that trains on these alone hardly ever predicts it.",)


def test_numbers_that_do_not_vary_are_refused(linear: Run, tmp_path) -> None:
    with pytest.raises(DataError, match="y must vary, but it is the same for all of 24 samples"):
        fitted(linear, tmp_path, np.ones_like(linear.problem.targets))


def test_genes_that_do_not_vary_are_refused(classes: Run, tmp_path) -> None:
    with pytest.raises(DataError, match="every gene has the same value in 24 samples"):
        fitted(classes, tmp_path, x=np.ones_like(X))
