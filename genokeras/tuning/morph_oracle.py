"""The search of this package as an oracle of KerasTuner, for tuners that people own already."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, final

import keras
import keras_tuner
import numpy as np

from genokeras.errors import ParameterError
from genokeras.graph import Graph, HyperParameters, linear
from genokeras.networks.plain import build_plain
from genokeras.searchers import BayesianSearcher, History, HyperSpace, Proposal, Searcher, TrialResult
from genokeras.support.checks import check_whole
from genokeras.support.wording import counted, listed

_RATES = ("learning_rate", "weight_decay", "dropout")
_NAMES = ("graph", *_RATES, "activation")
_HISTORY = "genokeras/"
# What networks read where nothing else is said.
_VIEW = HyperParameters().view


@final
class MorphOracle(keras_tuner.Oracle):
    """Network morphism guided by Bayesian optimisation, as an oracle for a ``keras_tuner.Tuner``.

    A trial's hyper-parameters are ``graph`` (JSON), ``learning_rate``, ``weight_decay``, ``dropout`` and ``activation``;
    `build_from_hyperparameters` makes a compiled model of them. Further ones that the hypermodel asks for are drawn at random.
    Networks train from fresh weights. What each grew from is in the trial as well, so a project that KerasTuner reloads
    (``overwrite=False``) goes on growing the same networks. On TensorFlow KerasTuner's tuners need the package ``tensorboard``.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer: classes, or numbers to predict.
    objective : str or keras_tuner.Objective, default="val_loss"
    max_trials : int or None, default=20
    searcher : Searcher, optional
        What proposes, networks with ``n_outputs`` that read what the tuner gets as ``x``; by default a `BayesianSearcher` over ``space``, from a linear model and a network with one hidden layer.
    space : HyperSpace, optional
        Rates and activations to choose from, where there is no ``searcher``. It has the usual view alone: what the tuner gets as ``x``.
    seed : int, default=0
    max_retries_per_trial, max_consecutive_failed_trials : int
        As for any oracle of KerasTuner.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> import genokeras as gk
    >>> import keras_tuner
    >>> tuner = keras_tuner.Tuner(  # doctest: +SKIP
    ...     oracle=gk.MorphOracle(n_outputs=3),
    ...     hypermodel=lambda hp: gk.build_from_hyperparameters(hp, x.shape[1]),
    ... )
    >>> tuner.search(x, y, validation_data=(x_val, y_val), epochs=20)  # doctest: +SKIP
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        objective: Any = "val_loss",
        max_trials: int | None = 20,
        searcher: Searcher | None = None,
        space: HyperSpace | None = None,
        seed: int = 0,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        self.n_outputs = check_whole(n_outputs, "n_outputs")
        check_whole(1 if max_trials is None else max_trials, "max_trials")
        check_whole(seed, "seed", 0)
        if not (searcher is None or isinstance(searcher, Searcher)):
            raise ParameterError(f"searcher must be an instance of genokeras.Searcher, got {searcher!r}.")
        if searcher is not None and space is not None:
            raise ParameterError("space is for the usual searcher: a searcher brings its own.")
        space = HyperSpace() if space is None else space
        if space.views != (_VIEW,):
            raise ParameterError(
                f"a tuner has one view of the data, {_VIEW!r}, which is x as it gets it: got a space over {space.views}. Leave views out of "
                "the space, and give the tuner the features that networks are to read."
            )
        self.searcher = BayesianSearcher(self.n_outputs, space=space) if searcher is None else searcher
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            hyperparameters=_declared(self.n_outputs, space if searcher is None else None),
            seed=seed + 1,  # a seed of 0 is none to KerasTuner
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next network; KerasTuner asks for it.

        Raises
        ------
        ParameterError
            If the searcher proposes a network with another number of outputs, or of another view than what the tuner gets as ``x``.
        """
        history = self.history()
        rng = np.random.default_rng([self.seed, len(history)])
        proposals = self.searcher.ask(history, 1, rng)
        if not proposals:
            return {"status": "STOPPED", "values": None}
        self._check_proposal(proposals[0])
        return {"status": "RUNNING", "values": self._values(proposals[0]) | self._further(rng)}

    def history(self) -> History:
        """The trials so far, as a searcher sees them; those in progress count as failed, so that none is proposed twice."""
        return History(
            tuple(self._result(number, self.trials[id]) for number, id in enumerate(self.start_order))
        )

    def get_state(self) -> dict[str, Any]:
        """What KerasTuner saves beside the trials."""
        return super().get_state() | {"n_outputs": self.n_outputs}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what KerasTuner saved.

        Raises
        ------
        ParameterError
            If those were networks with another number of outputs.
        """
        if state["n_outputs"] != self.n_outputs:
            raise ParameterError(
                f"the project's networks have {state['n_outputs']} outputs, but n_outputs is {self.n_outputs}: choose another "
                "project_name, or overwrite=True."
            )
        super().set_state(state)

    def _check_proposal(self, proposal: Proposal) -> None:
        outputs, views = proposal.graph.n_outputs, proposal.views
        if outputs != self.n_outputs:
            raise ParameterError(
                f"n_outputs is {self.n_outputs}, and the searcher proposes a network with {counted(outputs, 'output')}: make the searcher "
                f"for {self.n_outputs}, or pass n_outputs={outputs}."
            )
        if views != (_VIEW,):
            raise ParameterError(
                f"a tuner has one view of the data, {_VIEW!r}, which is x as it gets it, and the searcher proposes a network that reads "
                f"{listed(map(repr, views))}: make the searcher with a space and fathers of the view {_VIEW!r} alone."
            )

    def _values(self, proposal: Proposal) -> dict[str, Any]:
        """The proposal in scalars, which is all that KerasTuner takes."""
        whole, hyper = proposal.to_dict(), proposal.hyper
        values = {"graph": _text(whole.pop("graph"))}
        values |= {name: getattr(hyper, name) for name in (*_RATES, "activation")}
        del whole["hyper"]
        return values | {_HISTORY + "view": hyper.view, _HISTORY + "proposal": _text(whole)}

    def _further(self, rng: np.random.Generator) -> dict[str, Any]:
        """Random values of what the hypermodel asks for by itself."""
        drawn = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            if hp.name not in _NAMES and drawn.is_active(hp):
                drawn.values[hp.name] = hp.random_sample(int(rng.integers(1, 2**31 - 1)))
        return dict(drawn.values)

    def _result(self, number: int, trial: Any) -> TrialResult:
        values = trial.hyperparameters.values
        hyper = {name: values[name] for name in (*_RATES, "activation")}
        whole = json.loads(values[_HISTORY + "proposal"])
        whole |= {"graph": json.loads(values["graph"]), "hyper": hyper | {"view": values[_HISTORY + "view"]}}
        proposal = Proposal.from_dict(whole)
        if trial.status != "COMPLETED" or not math.isfinite(trial.score):
            return TrialResult.failure(number, proposal, trial.message or "it is still being trained")
        sign = -1 if self.objective.direction == "max" else 1
        return TrialResult(number, proposal, "ok", sign * float(trial.score), step=int(trial.best_step or 0))


def build_from_hyperparameters(
    hp: keras_tuner.HyperParameters,
    n_features: int,
    *,
    loss: Any = "sparse_categorical_crossentropy",
    metrics: Sequence[Any] = (),
    logits: bool = False,
) -> keras.Model:
    """A compiled model of what `MorphOracle` proposes, for the ``build(hp)`` of a hypermodel.

    Parameters
    ----------
    hp : keras_tuner.HyperParameters
        Those of a trial.
    n_features : int
        Columns of ``x``, which should be standardised.
    loss : str or callable
        As in ``keras.Model.compile``.
    metrics : sequence
    logits : bool, default=False
        Whether the answers are the outputs of the last layer as they are, as for regression; by default they are
        probabilities of the classes.

    Returns
    -------
    keras.Model
        Made of stock layers, trained by AdamW.

    Raises
    ------
    ParameterError
        If the hyper-parameters are not those of a `MorphOracle`, or the network has one output that is not left as it is.
    """
    n_features = check_whole(n_features, "n_features")
    missing = [name for name in _NAMES if name not in hp]
    if missing:
        raise ParameterError(
            f"the hyper-parameters lack {', '.join(missing)}: they are those of a trial by MorphOracle."
        )
    hyper = HyperParameters(**{name: hp.get(name) for name in (*_RATES, "activation")})
    graph = Graph.from_dict(json.loads(hp.get("graph")))
    if graph.n_outputs == 1 and not logits:
        raise ParameterError(
            "one output cannot be a probability among classes, whose sum is 1: pass logits=True with a loss that reads logits, such "
            "as keras.losses.BinaryCrossentropy(from_logits=True), or one for numbers; or MorphOracle(n_outputs=2)."
        )
    model = build_plain(graph, n_features, hyper, logits=logits)
    optimizer = keras.optimizers.AdamW(hyper.learning_rate, weight_decay=hyper.weight_decay)
    # So that a checkpoint of the tuner finds all of its variables again.
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return model


def _declared(n_outputs: int, space: HyperSpace | None) -> keras_tuner.HyperParameters:
    """What a hypermodel may read before the first trial: a linear model, and the values to choose from."""
    usual = HyperParameters()
    hp = keras_tuner.HyperParameters()
    hp.Fixed("graph", _text(linear(n_outputs).to_dict()))
    for name in (*_RATES, "activation"):
        if space is None:
            hp.Fixed(name, getattr(usual, name))
        else:
            hp.Choice(name, list(getattr(space, name)))
    return hp


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
