"""Weight-sharing search: train the shared weights once, then score many arcs a second by them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genokeras.enas.controllers import CONTROLLERS, Controller, State, get_controller
from genokeras.enas.settings import SearchData, SupernetSettings
from genokeras.enas.slicing import SharedWeights
from genokeras.enas.supernet import Progress, Supernet
from genokeras.errors import ParameterError, SearchError
from genokeras.graph.arcs import Arc, ArcSpace
from genokeras.support.checks import check_choice, check_whole

logger = logging.getLogger(__name__)

LARGEST_ENUMERATED = 1000
MONITORS = ("loss", "accuracy")


@dataclass(frozen=True)
class EnasSettings:
    """How a search goes.

    Parameters
    ----------
    supernet : SupernetSettings
    controller : {"reinforce", "random", "evolution", "enumerate"}, optional
        Who says which arcs are scored. By default all of them are where there are 1,000 at most, and otherwise the LSTM
        policy says.
    controller_args : mapping
        Arguments of the controller.
    max_arcs : int
        Different arcs to score at most; a space that is enumerated is scored whole.
    max_asks : int
        How often the controller is asked at most: one that has settled asks for the same arcs again.
    monitor : {"loss", "accuracy"}
        What ranks arcs, on held-out rows; of two equally accurate the one of the lower loss comes first.

    Raises
    ------
    ParameterError
        If a name is unknown or a number is below 1.
    """

    supernet: SupernetSettings = SupernetSettings()  # noqa: RUF009 - a frozen value
    controller: str | None = None
    controller_args: Mapping[str, Any] = field(default_factory=dict)
    max_arcs: int = 2000
    max_asks: int = 120
    monitor: str = "loss"

    def __post_init__(self) -> None:
        if self.controller is not None:
            check_choice(self.controller, "controller", CONTROLLERS)
        check_choice(self.monitor, "monitor", MONITORS)
        if self.monitor == "accuracy" and self.supernet.loss != "cross_entropy":
            raise ParameterError("monitor 'accuracy' is for classes; with loss='mse' it must be 'loss'.")
        for name in ("max_arcs", "max_asks"):
            check_whole(getattr(self, name), name)


@dataclass(frozen=True)
class EnasResult:
    """What a search found.

    Attributes
    ----------
    arcs : tuple of Arc
        All that were scored, each once, the best first.
    loss, accuracy : numpy.ndarray
        ``(arcs,)`` on held-out rows, by shared weights; accuracies are NaN without classes.
    controller : str
        Its name.
    controller_state : dict of str to numpy.ndarray
        For an npz file, and ``Controller.restore``.
    weights : SharedWeights
    compilations, steps, best_step : int
        Programs compiled; steps that the shared weights were trained; the step of ``weights``, which is the best one.
    seconds : float
    """

    arcs: tuple[Arc, ...]
    loss: np.ndarray
    accuracy: np.ndarray
    controller: str
    controller_state: State
    weights: SharedWeights
    compilations: int
    steps: int
    best_step: int
    seconds: float

    @property
    def n_scored(self) -> int:
        return len(self.arcs)

    def top(self, k: int) -> tuple[Arc, ...]:
        """The best ``k`` arcs.

        Raises
        ------
        ParameterError
            If ``k`` is below 1, or fewer arcs were scored.
        """
        check_whole(k, "k (of scored arcs)", 1, len(self.arcs))
        return self.arcs[:k]


def check_top_k(top_k: int, space: ArcSpace) -> None:
    """Raise ParameterError where a space has no ``top_k`` arcs."""
    check_whole(top_k, f"top_k_candidates (arcs of {space.n_layers} layers)", 1, space.size)


class EnasSearch:
    """Efficient neural architecture search by shared weights (Pham et al. 2018, arXiv:1802.03268).

    The shared weights are trained first, on arcs drawn fairly; the controller looks for the best arcs under them then. In
    the paper the two take turns, and the policy decides what is trained: arcs it prefers look better for being trained
    more. Fairly trained weights rank arcs more as training from scratch does (Chu et al. 2021, arXiv:1907.01845).

    Parameters
    ----------
    space : ArcSpace
    settings : EnasSettings, optional
    """

    def __init__(self, space: ArcSpace, settings: EnasSettings | None = None) -> None:
        self.space = space
        self.settings = settings or EnasSettings()
        # Bad arguments of a controller are found before anything is trained.
        self._controller()

    def run(
        self,
        data: SearchData,
        should_stop: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] = logger.info,
        stop_training: Callable[[], bool] | None = None,
    ) -> EnasResult:
        """Search.

        Parameters
        ----------
        data : SearchData
        should_stop : callable
            Looked at between compiled calls; some arcs are scored in any case.
        log : callable
            Takes lines of text.
        stop_training : callable, optional
            Ends the training of the shared weights only; by default ``should_stop`` does.

        Raises
        ------
        TrainingError
            If the training loss is not finite.
        SearchError
            If no arc's held-out loss is finite.
        """
        started = time.perf_counter()
        net = Supernet(self.space, data, self.settings.supernet)
        controller = self._controller()
        log(self._plan(controller))
        net.train(stop_training or should_stop, _told(log, data, self.settings.supernet))
        scores = self._explore(net, controller, should_stop, log)
        arcs, loss, accuracy = self._ranked(scores)
        seconds = time.perf_counter() - started
        log(f"enas train time : {seconds / 60:.2f} minutes.")
        return EnasResult(
            arcs=arcs,
            loss=loss,
            accuracy=accuracy,
            controller=controller.name,
            controller_state=controller.state(),
            weights=net.weights(),
            compilations=net.compilations,
            steps=net.steps_done,
            best_step=net.best_step,
            seconds=seconds,
        )

    def _controller(self) -> Controller:
        name = self.settings.controller
        if name is None:
            name = "enumerate" if self.space.size <= LARGEST_ENUMERATED else "reinforce"
        rng = np.random.default_rng([self.settings.supernet.seed, 4])
        arguments = self.settings.controller_args if name == self.settings.controller else {}
        return get_controller(name, self.space, rng, **arguments)

    def _plan(self, controller: Controller) -> str:
        if controller.name == "enumerate":
            return f"the space has {self.space.size:,} arcs: all of them are scored once the shared weights are trained"
        return (
            f"the space has {self.space.size:,} arcs: the controller {controller.name!r} looks for the best of them once "
            "the shared weights are trained"
        )

    def _explore(
        self,
        net: Supernet,
        controller: Controller,
        should_stop: Callable[[], bool],
        log: Callable[[str], None],
    ) -> dict[Arc, tuple[float, float]]:
        """Loss and accuracy of every arc that the controller asked for."""
        found: dict[Arc, tuple[float, float]] = {}
        enumerated = controller.name == "enumerate"
        asks = 0
        while enumerated or (len(found) < self.settings.max_arcs and asks < self.settings.max_asks):
            asked = controller.ask(net.arcs_at_once)
            if not asked:
                break
            asks += 1
            new = [arc for arc in dict.fromkeys(asked) if arc not in found]
            scores = net.score(new)
            found |= zip(new, zip(scores.loss.tolist(), scores.accuracy.tolist(), strict=True), strict=True)
            rewards = np.array([self._reward(*found[arc]) for arc in asked])
            controller.tell(asked, rewards)
            best = asked[int(np.argmax(rewards))]
            log(f"({str(best)!r}, {_shown(*found[best])})")
            if should_stop():
                break
        return found

    def _reward(self, loss: float, accuracy: float) -> float:
        """Between 0 and 1: accuracy, the geometric mean probability of the true class, or ``1 / (1 + mse)``.

        The second is what the paper takes for language, a constant over the perplexity.
        """
        if not np.isfinite(loss):
            return 0.0
        if self.settings.monitor == "accuracy":
            return accuracy
        return float(np.exp(-loss)) if self.settings.supernet.loss == "cross_entropy" else 1 / (1 + loss)

    def _ranked(
        self, scores: Mapping[Arc, tuple[float, float]]
    ) -> tuple[tuple[Arc, ...], np.ndarray, np.ndarray]:
        arcs = [arc for arc, (loss, _) in scores.items() if np.isfinite(loss)]
        if not arcs:
            raise SearchError(
                f"the held-out loss of none of {len(scores)} arcs is finite under the shared weights; look for extreme "
                "values in the data, or lower the learning rate."
            )
        loss, accuracy = np.array([scores[arc] for arc in arcs]).T
        keys = (loss, -accuracy) if self.settings.monitor == "accuracy" else (loss,)
        order = np.lexsort(keys)
        return tuple(arcs[i] for i in order), loss[order], accuracy[order]


def _shown(loss: float, accuracy: float) -> float:
    return round(loss if np.isnan(accuracy) else accuracy, 6)


def _told(
    log: Callable[[str], None], data: SearchData, settings: SupernetSettings
) -> Callable[[Progress], None]:
    rows = int(data.train.any(axis=0).sum())
    batch, started = min(rows, settings.batch_size), time.perf_counter()

    def watch(progress: Progress) -> None:
        seen = progress.step * batch
        log(
            f"step: {progress.step}(global step: {progress.step})\t"
            f"sample/sec: {seen / (time.perf_counter() - started):.3f}\t"
            f"{_held_out(progress)}\tepoch: {seen / rows:.3f}\t"
            f"l2 loss: {progress.penalty:.3f}\tch_step: 0.000\tchild loss: {progress.loss:.3f}"
        )

    return watch


def _held_out(progress: Progress) -> str:
    if np.isnan(progress.held_out_accuracy):
        return f"mse: {progress.held_out_loss:.3f}"
    return f"acc: {progress.held_out_accuracy:.3f}"
