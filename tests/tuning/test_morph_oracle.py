"""The search as an oracle in a plain tuner of KerasTuner's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

import genokeras as gk
from genokeras.errors import ParameterError
from genokeras.graph import Graph, linear
from genokeras.searchers import BayesianSearcher, History, HyperSpace, RandomSearcher, Searcher

pytestmark = [
    # KerasTuner asks threads for their names in an old way.
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated:DeprecationWarning"),
]

SPACE = HyperSpace((0.01,), (0.1,), (0.2,), ("relu", "tanh"))
N_FEATURES = 12


class Tuner(keras_tuner.Tuner):
    """Without TensorBoard, which TensorFlow no longer brings along."""

    def _configure_tensorboard_dir(self, *arguments: Any) -> None:
        pass


class Quick(keras_tuner.Tuner):
    """Builds each model, and takes its size for its score."""

    def run_trial(self, trial: Any, *arguments: Any, **more: Any) -> dict[str, float]:
        return {self.oracle.objective.name: self.hypermodel.build(trial.hyperparameters).count_params() / 1e4}


def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 12)
    x = rng.normal(size=(36, N_FEATURES)).astype("float32")
    x[np.arange(36), y] += 2.0
    return x, y


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    return gk.build_from_hyperparameters(hp, N_FEATURES, metrics=["accuracy"])


def quick(folder: Path, oracle: gk.MorphOracle, build: Any = build) -> keras_tuner.Tuner:
    return Quick(oracle, build, directory=folder, project_name="morph")


def search(tuner: keras_tuner.Tuner) -> None:
    tuner.search(verbose=0)


def oracle_of(max_trials: int = 3, **arguments: Any) -> gk.MorphOracle:
    return gk.MorphOracle(3, max_trials=max_trials, space=SPACE, **arguments)


@pytest.mark.slow
def test_a_plain_tuner_searches_graphs_and_gives_the_best_model(tmp_path: Path) -> None:
    tuner = Tuner(oracle_of(2), build, directory=tmp_path, project_name="morph")
    x, y = samples()
    tuner.search(x[::2], y[::2], validation_data=(x[1::2], y[1::2]), epochs=2, verbose=0)
    history = tuner.oracle.history()
    assert [trial.status for trial in history] == ["ok"] * 2
    assert len(history.fingerprints()) == 2
    (best,) = tuner.get_best_models()
    assert best.predict(x, verbose=0).shape == (36, 3)
    loss, _ = best.evaluate(x[1::2], y[1::2], verbose=0)
    assert loss == pytest.approx(min(trial.score for trial in history), abs=1e-5)


def test_values_are_scalars_that_hold_the_graph(tmp_path: Path) -> None:
    tuner = quick(tmp_path, oracle_of(1))
    search(tuner)
    (values,) = (trial.hyperparameters.values for trial in tuner.oracle.trials.values())
    assert all(isinstance(value, (str, float)) for value in values.values())
    assert Graph.from_dict(json.loads(values["graph"])).n_outputs == 3
    assert {"learning_rate", "weight_decay", "dropout", "activation"} < set(values)


def test_children_of_a_reloaded_project_grow_from_its_trials(tmp_path: Path) -> None:
    def random_oracle(max_trials: int) -> gk.MorphOracle:
        searcher = RandomSearcher(3, fathers=["linear"], space=HyperSpace((0.01,), (0.1,)), fresh=0.0)
        return gk.MorphOracle(3, max_trials=max_trials, searcher=searcher)

    whole = quick(tmp_path / "whole", random_oracle(4))
    search(whole)
    search(quick(tmp_path / "parts", random_oracle(2)))
    reloaded = quick(tmp_path / "parts", random_oracle(4))
    assert len(reloaded.oracle.history()) == 2
    search(reloaded)
    expected, found = whole.oracle.history(), reloaded.oracle.history()
    assert len(found) == 4
    # The searcher is random, so scores do not matter to what it proposes.
    assert [trial.proposal for trial in found] == [trial.proposal for trial in expected]
    grown = [trial.proposal for trial in found if trial.proposal.father is not None]
    assert grown and all(proposal.morphisms for proposal in grown)


def test_a_project_with_other_outputs_is_refused(tmp_path: Path) -> None:
    search(quick(tmp_path, oracle_of(1)))
    with pytest.raises(ParameterError, match="networks have 3 outputs, but n_outputs is 2"):
        quick(tmp_path, gk.MorphOracle(2))


def test_a_trial_that_fails_is_a_failure_to_the_searcher(tmp_path: Path) -> None:
    def fails_once(hp: keras_tuner.HyperParameters) -> keras.Model:
        if "genokeras/proposal" in hp and not built:
            built.append(hp)
            raise RuntimeError("out of memory")
        return build(hp)

    built: list[Any] = []
    tuner = quick(tmp_path, oracle_of(2), fails_once)
    search(tuner)
    failed, ok = tuner.oracle.history()
    assert (failed.status, ok.status) == ("failed", "ok")
    assert "out of memory" in failed.error


def test_a_score_to_be_maximised_is_a_loss_to_the_searcher(tmp_path: Path) -> None:
    tuner = quick(tmp_path, oracle_of(2, objective="val_accuracy"))
    search(tuner)
    scores = [trial.score for trial in tuner.oracle.trials.values()]
    assert all(scores) and [trial.score for trial in tuner.oracle.history()] == [-score for score in scores]


def test_further_hyperparameters_are_drawn_by_the_seed(tmp_path: Path) -> None:
    def wide(hp: keras_tuner.HyperParameters) -> keras.Model:
        hp.Int("batch_size", 1, 1000)
        return build(hp)

    def sizes(folder: str, seed: int) -> list[int]:
        tuner = quick(tmp_path / folder, oracle_of(2, seed=seed), wide)
        search(tuner)
        return [trial.hyperparameters.get("batch_size") for trial in tuner.oracle.trials.values()]

    assert sizes("a", 0) == sizes("b", 0) != sizes("c", 1)


def test_a_searcher_with_nothing_left_ends_the_search(tmp_path: Path) -> None:
    class Nothing(Searcher):
        def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Any]:
            return []

    tuner = quick(tmp_path, gk.MorphOracle(3, searcher=Nothing()))
    search(tuner)
    assert not tuner.oracle.trials


def test_numbers_are_predicted_as_they_are() -> None:
    hp = gk.MorphOracle(1).get_space()
    model = gk.build_from_hyperparameters(hp, 4, loss="mse", logits=True)
    weights = [np.full((4, 1), 2.0), np.zeros(1)]
    model.set_weights(weights)
    assert model.predict(np.ones((1, 4)), verbose=0).item() == pytest.approx(8.0)


def test_one_output_is_no_probability() -> None:
    hp = gk.MorphOracle(1).get_space()
    with pytest.raises(
        ParameterError, match="one output cannot be a probability.*logits=True.*from_logits=True"
    ):
        gk.build_from_hyperparameters(hp, 4, loss="binary_crossentropy")


def test_before_the_first_trial_there_is_a_linear_model() -> None:
    hp = gk.MorphOracle(3).get_space()
    assert Graph.from_dict(json.loads(hp.get("graph"))) == linear(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_outputs": 0}, "n_outputs must be a whole number of at least 1"),
        ({"max_trials": 0}, "max_trials"),
        ({"seed": -1}, "seed"),
        ({"searcher": "bayesian"}, "searcher must be an instance of genokeras.Searcher, got 'bayesian'"),
        ({"searcher": RandomSearcher(3), "space": SPACE}, "a searcher brings its own"),
        ({"space": HyperSpace(views=("all", "log"))}, "one view of the data"),
        ({"space": HyperSpace(views=("top20",))}, "one view of the data, 'all', which is x as it gets it"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        gk.MorphOracle(**{"n_outputs": 3, **arguments})


@pytest.mark.parametrize(
    ("searcher", "message"),
    [
        (RandomSearcher(4), "n_outputs is 3, and the searcher proposes a network with 4 outputs"),
        (BayesianSearcher(1), "proposes a network with 1 output: make the searcher for 3"),
        (RandomSearcher(3, space=HyperSpace(views=("top20",))), "a network that reads 'top20'"),
    ],
)
def test_a_searcher_of_other_networks_is_refused(searcher: Searcher, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        search(quick(tmp_path, gk.MorphOracle(3, max_trials=2, searcher=searcher)))


def test_hyperparameters_of_another_oracle_are_refused() -> None:
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 0.1, 0.2)
    with pytest.raises(ParameterError, match="lack graph, weight_decay, dropout, activation"):
        gk.build_from_hyperparameters(hp, 4)
