"""What others are told while a search runs: callbacks of their own, and those of Keras, for which a trial is an epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np

from genokeras.engine.jobs import Outcome
from genokeras.engine.loop import Observer
from genokeras.engine.run import Run
from genokeras.errors import ParameterError
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.support import RunFolder
from genokeras.support.wording import cause
from genokeras.tasks.objectives import Objective

# Callbacks of Keras that need the network while it trains.
_OF_ONE_NETWORK = (
    "BackupAndRestore",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
)


@dataclass(frozen=True)
class SearchStart:
    """What is known when a search begins.

    Attributes
    ----------
    path : str
        The run folder.
    objective : str
    greater_is_better : bool
    settings : mapping
        Of ``run.json``: searcher, seed, folds and so on; JSON values.
    n_earlier : int
        Trials of the run that is gone on with.
    """

    path: str
    objective: str
    greater_is_better: bool
    settings: Mapping[str, Any]
    n_earlier: int


@dataclass(frozen=True)
class FinalFitStart:
    """What is known when a final fit begins.

    Attributes
    ----------
    path : str
        The run folder.
    trial : TrialResult
        The best trial of the search, whose network is trained.
    n_samples : int
    retrain : bool
        Whether it starts from fresh weights.
    """

    path: str
    trial: TrialResult
    n_samples: int
    retrain: bool


class SearchCallback:
    """Is told how a search goes; a subclass overrides what it wants to know. ``callbacks=[...]`` of any estimator takes it.

    It is called in the process that searches, between two jobs; and by ``final_fit``. One that raises an exception is left out from then on,
    with a warning: a search does not end because a server of charts cannot be reached.

    Attributes
    ----------
    stop : bool
        Set to True, it ends the search, which delivers what it has; ``stop_reason_`` is then "callback".

    Examples
    --------
    >>> import genokeras as gk
    >>> class Enough(gk.SearchCallback):
    ...     def on_trial_end(self, trial, logs):
    ...         self.stop = logs.get("best", 1.0) < 0.1
    >>> clf = gk.GenomeClassifier(callbacks=[Enough()])
    """

    stop: bool = False

    def on_search_begin(self, start: SearchStart) -> None:
        """The data are prepared, and the run folder is there."""

    def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
        """A trial came back from training.

        Parameters
        ----------
        trial : TrialResult
        logs : mapping of str to float
            ``loss`` and ``val_loss``, on training and held-out rows at the step that was kept; ``score`` and ``best``, the objective out of
            fold of this trial and the best so far; ``seconds``, ``parameters``. Of a failed trial ``seconds`` alone.
        """

    def on_search_end(self, run: Run) -> None:
        """The model is chosen, calibrated and written; ``run.delivery.estimate`` is the estimate."""

    def on_final_fit_begin(self, start: FinalFitStart) -> None:
        """``final_fit`` has read its samples, and training begins. ``stop`` is not looked at: it trains for as long as the search found best."""

    def on_final_fit_end(self, run: Run, scores: Mapping[str, float]) -> None:
        """The new model is written in place of the ensemble.

        Parameters
        ----------
        run : Run
        scores : mapping of str to float
            ``final_evaluation_``, the scores of the test samples; empty where ``final_fit`` got none.
        """


class SearchedModel:
    """What a callback of Keras has for a model during a search: nothing but ``stop_training``."""

    stop_training: bool = False


@final
class KerasCallback(SearchCallback):
    """A callback of Keras during a search: an epoch is a trial, and training is the whole search.

    ``on_train_begin``, ``on_epoch_begin``, ``on_epoch_end`` and ``on_train_end`` are called. Many networks train side by side inside of one
    compiled loop, which gives no events of batches and no network to look at; ``model.stop_training`` ends the search. A final fit has no
    epochs to tell of and is not told of: a ``CSVLogger`` would empty the file that it wrote of the search.
    """

    def __init__(self, callback: Any) -> None:
        name = type(callback).__name__
        if name in _OF_ONE_NETWORK and type(callback).__module__.startswith("keras."):
            beside = {
                "TensorBoard": " gk.TensorBoard is there for searches.",
                "ModelCheckpoint": " The run folder keeps all trials.",
            }
            raise ParameterError(
                f"keras.callbacks.{name} works on one network while it trains, and a search trains many side by side."
                f"{beside.get(name, '')}"
            )
        self.callback = callback
        self.model = SearchedModel()
        self._epoch = 0

    @property
    def stop(self) -> bool:  # type: ignore[override]
        return self.model.stop_training

    def on_search_begin(self, start: SearchStart) -> None:
        self.model.stop_training, self._epoch = False, start.n_earlier
        self.callback.set_params({"epochs": None, "steps": None, "verbose": 0})
        # No keras.Model, which the setter of some callbacks insists on.
        self.callback.set_model(self.model)
        self.callback.on_train_begin({})

    def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
        self.callback.on_epoch_begin(self._epoch, {})
        self.callback.on_epoch_end(self._epoch, dict(logs))
        self._epoch += 1

    def on_search_end(self, run: Run) -> None:
        self.callback.on_train_end({})


def search_callbacks(callbacks: Any) -> tuple[SearchCallback, ...]:
    """``callbacks`` of an estimator, checked.

    Raises
    ------
    ParameterError
        If they are no sequence of callbacks of a search or of Keras, or one of Keras works on one network.
    """
    if callbacks is None:
        return ()
    if not isinstance(callbacks, list | tuple):
        raise ParameterError(f"callbacks must be a list, got {type(callbacks).__name__}.")
    found: list[SearchCallback] = []
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.Callback):
            found.append(KerasCallback(callback))
        elif isinstance(callback, SearchCallback):
            found.append(callback)
        else:
            raise ParameterError(
                "callbacks are instances of keras.callbacks.Callback or genokeras.SearchCallback, such as gk.TensorBoard('logs'): got "
                f"{callback!r}."
            )
    return tuple(found)


@final
class Watchers(Observer):
    """Calls callbacks of a search or of a final fit, and leaves those out that fail.

    Parameters
    ----------
    callbacks : sequence of SearchCallback
    folder : RunFolder
    objective : Objective
    """

    def __init__(self, callbacks: Sequence[SearchCallback], folder: RunFolder, objective: Objective) -> None:
        self._callbacks = list(callbacks)
        self._folder = folder
        self._objective = objective

    def begin(self, history: History) -> None:
        """The search begins."""
        name, better = self._objective.name, self._objective.greater_is_better
        settings = {key: value for key, value in self._folder.settings.items() if key not in _LONG}
        start = SearchStart(str(self._folder.path), name, better, settings, len(history))
        self._each("on_search_begin", lambda callback: callback.on_search_begin(start))

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        """Nobody is told."""

    def finished(self, outcomes: Sequence[Outcome], history: History) -> None:
        best = history.best()
        for outcome in outcomes:
            logs = logs_of(outcome, self._objective, best)
            self._each(
                "on_trial_end", lambda one, trial=outcome.result, logs=logs: one.on_trial_end(trial, logs)
            )

    def end(self, run: Run) -> None:
        """The run is finished."""
        self._each("on_search_end", lambda callback: callback.on_search_end(run))

    def begin_final_fit(self, start: FinalFitStart) -> None:
        """A final fit begins to train."""
        self._each("on_final_fit_begin", lambda callback: callback.on_final_fit_begin(start))

    def end_final_fit(self, run: Run, scores: Mapping[str, float]) -> None:
        """Its model is written."""
        self._each("on_final_fit_end", lambda callback: callback.on_final_fit_end(run, scores))

    @property
    def stop(self) -> bool:
        return any(callback.stop for callback in self._callbacks)

    def _each(self, event: str, call: Callable[..., None]) -> None:
        for callback in list(self._callbacks):
            try:
                call(callback)
            except Exception as error:  # of anybody's code
                self._callbacks.remove(callback)
                name = type(getattr(callback, "callback", callback)).__name__
                said = f"the callback {name} failed in {event} and is not called any more: {cause(error)}"
                self._folder.record("callback_failed", callback=name, during=event, error=cause(error))
                what = "final fit" if "final_fit" in event else "search"
                warnings.warn(f"The {what} goes on, but {said}", stacklevel=2)


# Entries of run.json with one value for each feature, sample or block.
_LONG = ("feature_names", "groups", "blocks", "notes", "fingerprint")


def logs_of(outcome: Outcome, objective: Objective, best: TrialResult | None) -> dict[str, float]:
    """What callbacks are told of a trial in numbers; see `SearchCallback.on_trial_end`."""
    trial = outcome.result
    if trial.status != "ok":
        return {"seconds": trial.seconds}
    logs = {"score": objective.value_of_loss(trial.score)}
    if best is not None:
        logs["best"] = objective.value_of_loss(best.score)
    if len(outcome.curve):
        kept = outcome.curve[np.argmin(np.abs(outcome.curve[:, 0] - trial.step))]
        logs |= {"loss": float(kept[1]), "val_loss": float(kept[2])}
    logs |= {"seconds": trial.seconds, "parameters": float(trial.n_parameters)}
    return {name: float(value) for name, value in logs.items()}
