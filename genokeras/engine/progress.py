"""What a person sees while a search runs: a live display on a terminal, short lines anywhere else."""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self, final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genokeras.engine.loop import Observer
from genokeras.graph import is_linear
from genokeras.metric_names import metric_name
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.searchers.values import unused_hyper_parameters
from genokeras.tasks.objectives import Objective
from genokeras.visible import visible

LINE_WIDTH = 99
SECONDS_BETWEEN_LINES = 5.0
_WIDEST_DISPLAY = 100
_BAR_WIDTH = 36


class ProgressDisplay(Observer):
    """An observer that shows what it sees; used as a context manager around the search.

    Parameters
    ----------
    objective : Objective
    time_limit : float or None
        Seconds from now until the deadline.
    max_trials : int or None
        Trials at most, those of an earlier run included.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        objective: Objective,
        time_limit: float | None,
        max_trials: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objective = objective
        self._time_limit = time_limit
        self._max_trials = max_trials
        self._clock = clock
        self._start = clock()
        self._earlier: int | None = None
        self._history = History()
        self._trying: tuple[Proposal, ...] = ()

    @abstractmethod
    def __enter__(self) -> Self:
        """Start showing."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show how it ended, also where it ended in an exception."""

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        if self._earlier is None:
            self._earlier = len(history)
        self._history = history
        self._trying = tuple(proposals)

    def finished(self, outcomes: Sequence[object], history: History) -> None:
        self._history = history

    # ---- words

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._start

    def _time_left(self) -> str:
        if self._time_limit is None:
            return f"{clock_time(self._elapsed)} gone"
        return f"{clock_time(max(0.0, self._time_limit - self._elapsed))} left"

    def _share_done(self) -> float | None:
        """Share of the time or of the trials that is used up, whichever is larger."""
        shares = []
        if self._time_limit is not None:
            shares.append(self._elapsed / self._time_limit)
        if self._max_trials is not None:
            earlier = self._earlier or 0
            shares.append((len(self._history) - earlier) / max(1, self._max_trials - earlier))
        return min(1.0, max(shares)) if shares else None

    def _count(self) -> str:
        failed = len(self._history.failed())
        trials = f"{len(self._history)} trial{'' if len(self._history) == 1 else 's'}"
        return f"{trials} ({failed} failed)" if failed else trials

    def _label(self) -> str:
        return metric_name(self._objective.name)

    def _score(self, trial: TrialResult | None) -> str:
        """``0.082 ± 0.031``, the objective's reported value and its standard error."""
        if trial is None:
            return "none yet"
        value = f"{self._objective.value_of_loss(trial.score):.3f}"
        return f"{value} ± {trial.score_se:.3f}" if trial.score_se == trial.score_se else value

    def _best_linear(self) -> TrialResult | None:
        linear = [trial for trial in self._history.ok() if is_linear(trial.proposal.graph)]
        return min(linear, key=lambda trial: (trial.score, trial.id), default=None)


@final
class LineProgress(ProgressDisplay):
    """Plain lines, a few seconds apart at least; no colours, no control codes.

    Parameters
    ----------
    objective, time_limit, max_trials, clock
        As for :class:`ProgressDisplay`.
    console : Console
        Where they go.
    """

    def __init__(
        self,
        objective: Objective,
        time_limit: float | None,
        max_trials: int | None,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(objective, time_limit, max_trials, clock)
        self._console = console
        self._said = clock()

    def __enter__(self) -> Self:
        limits = [] if self._time_limit is None else [f"{self._time_limit:.3g} s"]
        limits += [] if self._max_trials is None else [f"{self._max_trials} trials"]
        better = "higher" if self._objective.greater_is_better else "lower"
        said = f"Searching for {' or '.join(limits) or 'as long as it takes'}"
        if self._time_limit is not None and self._time_limit <= 0:
            said = "The time was up before the search began, and the first trials are all there will be"
        self._say(f"{said}; {self._label()}, {better} is better.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say(
            f"{'Searched for' if kind is None else 'Broke off after'} {clock_time(self._elapsed)}: {self._standing()}"
        )

    def finished(self, outcomes: Sequence[object], history: History) -> None:
        super().finished(outcomes, history)
        if self._clock() - self._said >= SECONDS_BETWEEN_LINES:
            self._say(f"{self._time_left()}: {self._standing()}; tried {network_tried(self._trying)}")

    def _standing(self) -> str:
        best, linear = self._score(self._history.best()), self._best_linear()
        beside = "" if linear is None else f", linear {self._score(linear).split(' ')[0]}"
        return f"{self._count()}, best {self._label()} {best}{beside}"

    def _say(self, line: str) -> None:
        self._said = self._clock()
        line = visible(line)
        text = line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 3]}..."
        try:
            self._console.file.write(text + "\n")
            self._console.file.flush()
        except (OSError, ValueError):
            # Nobody reads any more, or the terminal cannot show a character; the search must not fail for its progress.
            return


@final
class LiveProgress(ProgressDisplay):
    """A few lines at the bottom of a terminal that keep changing, and stay there with the final state.

    Parameters
    ----------
    objective, time_limit, max_trials, clock
        As for :class:`ProgressDisplay`.
    console : Console
        A terminal.
    """

    def __init__(
        self,
        objective: Objective,
        time_limit: float | None,
        max_trials: int | None,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(objective, time_limit, max_trials, clock)
        self._console = console
        self._over: str | None = None
        # Transient, because the final state is shorter and the display would leave blank lines behind. What others
        # print to a pipe must not end up on the terminal.
        self._live = Live(
            console=console,
            get_renderable=self._render,
            transient=True,
            refresh_per_second=4,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = "Searched" if kind is None else "Broke off"
        self._live.stop()
        self._console.print(self._render())

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        super().trying(proposals, history)
        self._live.refresh()

    def _render(self) -> RenderableType:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(style="bold", no_wrap=True, width=9)
        rows.add_column(
            no_wrap=True, overflow="ellipsis", width=min(self._console.width, _WIDEST_DISPLAY) - 11
        )
        rows.add_row(self._over or "Searching", self._headline())
        best, linear = self._history.best(), self._best_linear()
        rows.add_row(
            "best", self._scored(best, "green", "" if best is None else network_tried([best.proposal]))
        )
        rows.add_row("linear", self._scored(linear, "cyan", "the model to beat"))
        if self._over is None:
            rows.add_row("trying", Text(network_tried(self._trying) or "..."))
            rows.add_row("", Text(settings_tried(self._trying), style="dim"))
        return rows

    def _headline(self) -> RenderableType:
        done = self._share_done()
        if self._over is not None or done is None:
            return Text(f"{clock_time(self._elapsed)}, {self._count()}")
        line = Table.grid(padding=(0, 2))
        width = max(4, min(_BAR_WIDTH, self._console.width - 44))
        line.add_row(ProgressBar(total=1.0, completed=done, width=width), self._time_left(), self._count())
        return line

    def _scored(self, trial: TrialResult | None, style: str, remark: str) -> Text:
        text = Text.assemble(f"{self._label()} ", (self._score(trial), style))
        return text if trial is None else text.append(f"  trial {trial.id}, {remark}", style="dim")


def clock_time(seconds: float) -> str:
    """``1:05`` for 65 seconds, ``2:00:00`` for two hours."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def network_tried(proposals: Sequence[Proposal]) -> str:
    """The network that packed proposals share, and where it comes from: ``linear + [64] by widen of trial 3``."""
    if not proposals:
        return ""
    first = proposals[0]
    if first.father is None:
        return first.graph.describe()
    how = ", ".join(morphism.name for morphism in first.morphisms) or "other settings"
    return f"{first.graph.describe()} by {how} of trial {first.father}"


def settings_tried(proposals: Sequence[Proposal]) -> str:
    """Hyper-parameters of packed proposals: ``lr 0.003/0.01, wd 0.1, dropout 0.2, relu, all genes``."""
    if not proposals:
        return ""
    unused = unused_hyper_parameters(proposals[0].graph)
    hypers = [proposal.hyper for proposal in proposals]
    parts = [
        f"lr {_values(h.learning_rate for h in hypers)}",
        f"wd {_values(h.weight_decay for h in hypers)}",
    ]
    if "dropout" not in unused:
        parts.append(f"dropout {_values(h.dropout for h in hypers)}")
    if "activation" not in unused:
        parts.append(hypers[0].activation)
    views = list(dict.fromkeys(view for proposal in proposals for view in proposal.views))
    return ", ".join([*parts, f"view{'s' * (len(views) > 1)} {', '.join(views)}"])


def _values(values: Iterable[float]) -> str:
    return "/".join(f"{value:g}" for value in sorted(set(values)))
