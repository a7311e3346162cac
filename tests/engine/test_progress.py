"""What people see of a running search."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from rich.console import Console

from genokeras.engine.progress import (
    LINE_WIDTH,
    LineProgress,
    LiveProgress,
    clock_time,
    network_tried,
    settings_tried,
)
from genokeras.engine.showing import make_observer
from genokeras.graph import AddBranch, Graph, HyperParameters, linear, mlp, multi_view
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.tasks.objectives import get_objective

CONTROL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def trial(number: int, score: float, graph: Graph | None = None, **settings: float) -> TrialResult:
    proposal = Proposal(graph or linear(2), HyperParameters(**settings))  # type: ignore[arg-type]
    return TrialResult(number, proposal, "ok", score, score_se=0.031)


HISTORY = History((trial(0, 0.2), trial(1, 0.1, mlp(2)), trial(2, 0.3)))
FAILED = TrialResult.failure(3, Proposal(linear(2), HyperParameters()), "Traceback\nTrainingError: no\n")


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def file() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(file: io.StringIO, clock: FakeClock) -> LineProgress:
    return LineProgress(get_objective("log_loss"), 60.0, None, Console(file=file), clock)


@pytest.fixture
def live(file: io.StringIO, clock: FakeClock) -> LiveProgress:
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    return LiveProgress(get_objective("log_loss"), 60.0, None, console, clock)


def watch(progress: LineProgress | LiveProgress, clock: FakeClock, seconds: float, jobs: int) -> None:
    for _ in range(jobs):
        progress.trying([HISTORY.trials[1].proposal], HISTORY)
        clock.now += seconds
        progress.finished([], HISTORY)


def shown(file: io.StringIO) -> Iterator[str]:
    """Every line that stood on the terminal at some time."""
    return iter(CONTROL_CODE.sub("", file.getvalue()).replace("\r", "\n").split("\n"))


# ---- choosing


def test_verbose_0_shows_nothing() -> None:
    assert make_observer(0, 60.0, None, "log_loss") is None


def test_a_terminal_gets_a_live_display() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    assert isinstance(make_observer(1, 60.0, None, "log_loss", console), LiveProgress)


@pytest.mark.parametrize(
    "terminal", [{"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}]
)
def test_a_file_or_a_dumb_terminal_gets_lines(terminal: dict) -> None:
    console = Console(file=io.StringIO(), **terminal)
    assert isinstance(make_observer(1, 60.0, None, "log_loss", console), LineProgress)


def test_progress_goes_to_standard_error_without_codes_even_where_colour_is_forced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    observer = make_observer(1, 60.0, None, "auc")
    assert observer is not None
    with observer:
        observer.finished([], HISTORY)
    captured = capsys.readouterr()
    assert captured.out == "" and "\x1b" not in captured.err and "best ROC AUC 0.900" in captured.err


# ---- lines


def test_lines_say_time_left_trials_best_score_linear_baseline_and_what_is_tried(
    lines: LineProgress, clock: FakeClock, file: io.StringIO
) -> None:
    watch(lines, clock, seconds=6.0, jobs=1)
    assert (
        file.getvalue()
        == "0:54 left: 3 trials, best log loss 0.100 ± 0.031, linear 0.200; tried linear + [64]\n"
    )


def test_a_line_comes_every_five_seconds_at_most(
    lines: LineProgress, clock: FakeClock, file: io.StringIO
) -> None:
    watch(lines, clock, seconds=0.5, jobs=40)
    assert len(file.getvalue().splitlines()) == 4


def test_no_time_that_is_left_is_said_in_words(clock: FakeClock, file: io.StringIO) -> None:
    with LineProgress(get_objective("log_loss"), -1.6, None, Console(file=file, width=200), clock):
        pass
    assert file.getvalue().startswith(
        "The time was up before the search began, and the first trials are all "
    )


def test_lines_begin_and_end_with_what_was_asked_and_what_was_found(
    lines: LineProgress, clock: FakeClock, file: io.StringIO
) -> None:
    with lines:
        watch(lines, clock, seconds=1.0, jobs=2)
    assert file.getvalue().splitlines() == [
        "Searching for 60 s; log loss, lower is better.",
        "Searched for 0:02: 3 trials, best log loss 0.100 ± 0.031, linear 0.200",
    ]


def test_an_exception_passes_and_is_told_from_an_end(lines: LineProgress, file: io.StringIO) -> None:
    with pytest.raises(KeyboardInterrupt), lines:
        raise KeyboardInterrupt
    assert file.getvalue().splitlines()[-1] == "Broke off after 0:00: 0 trials, best log loss none yet"


def test_failed_trials_are_counted(lines: LineProgress, clock: FakeClock, file: io.StringIO) -> None:
    clock.now = 10.0
    lines.finished([], HISTORY.append(FAILED))
    assert "4 trials (1 failed)" in file.getvalue()


def test_lines_are_short_and_plain(lines: LineProgress, clock: FakeClock, file: io.StringIO) -> None:
    wide = mlp(2, widths=(64,) * 40)
    clock.now = 10.0
    lines.trying([Proposal(wide, HyperParameters())], HISTORY)
    lines.finished([], HISTORY)
    assert max(map(len, file.getvalue().splitlines())) == LINE_WIDTH and "\x1b" not in file.getvalue()


def test_a_closed_file_does_not_end_the_search(lines: LineProgress, file: io.StringIO) -> None:
    file.close()
    with lines:
        lines.finished([], HISTORY)


# ---- live


def test_the_live_display_shows_the_search(live: LiveProgress, clock: FakeClock, file: io.StringIO) -> None:
    with live:
        watch(live, clock, seconds=6.0, jobs=2)
    text = "\n".join(shown(file))
    for part in (
        "0:54 left",
        "3 trials",
        "0.100 ± 0.031",
        "0.200 ± 0.031",
        "trying",
        "linear + [64]",
        "lr 0.01",
    ):
        assert part in text


def test_the_live_display_fits_80_columns(live: LiveProgress, clock: FakeClock, file: io.StringIO) -> None:
    wide = History((trial(0, 0.1, mlp(2, widths=(64,) * 40)),))
    with live:
        live.trying([wide.trials[0].proposal], wide)
        live.finished([], wide)
        live.trying([wide.trials[0].proposal], wide)
    assert max(len(line) for line in shown(file)) <= 80


def test_the_live_display_ends_with_its_final_state(
    live: LiveProgress, clock: FakeClock, file: io.StringIO
) -> None:
    with live:
        watch(live, clock, seconds=6.0, jobs=2)
    last = [line.rstrip() for line in shown(file) if line.strip()][-3:]
    assert last == [
        "Searched  0:12, 3 trials",
        "best      log loss 0.100 ± 0.031  trial 1, linear + [64]",
        "linear    log loss 0.200 ± 0.031  trial 0, the model to beat",
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_live_display_gives_the_cursor_back_whatever_happens(
    live: LiveProgress, file: io.StringIO, error: type[BaseException]
) -> None:
    with pytest.raises(error), live:
        raise error
    text = file.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l") and "Broke off" in text


def test_the_live_display_leaves_the_scrollback_alone(
    live: LiveProgress, clock: FakeClock, file: io.StringIO
) -> None:
    with live:
        watch(live, clock, seconds=6.0, jobs=5)
    climbed, descended = file.getvalue().count("\x1b[1A"), file.getvalue().count("\n")
    assert climbed < descended and "\x1b[2J" not in file.getvalue() and "\x1b[?1049h" not in file.getvalue()


def test_trials_of_an_earlier_run_do_not_count_as_progress(file: io.StringIO, clock: FakeClock) -> None:
    console = Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    live = LiveProgress(get_objective("log_loss"), None, len(HISTORY) + 4, console, clock)
    live.trying([], HISTORY)
    assert live._share_done() == 0.0
    live.finished([], HISTORY.append(trial(3, 0.5)))
    assert live._share_done() == 0.25


# ---- words


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0:00"), (65.0, "1:05"), (7200.0, "2:00:00")])
def test_times_are_written_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock_time(seconds) == text


def test_a_child_is_described_by_its_morphism_and_its_father() -> None:
    branch = AddBranch(64)
    child = Proposal(branch.edit(linear(2)), HyperParameters(), father=7, morphisms=(branch,))
    assert network_tried([child]) == "linear + [64] by add_branch of trial 7"


def test_all_views_that_a_network_reads_are_shown() -> None:
    several = Proposal(multi_view(2, ("log",), (64,)), HyperParameters(view="top300"))
    assert settings_tried([several]).endswith("views top300, log")


def test_packed_trials_show_all_their_values_and_leave_out_what_the_graph_does_not_read() -> None:
    hypers = [HyperParameters(learning_rate=rate, weight_decay=0.1) for rate in (0.01, 0.003, 0.01)]
    assert (
        settings_tried([Proposal(linear(2), hyper) for hyper in hypers]) == "lr 0.003/0.01, wd 0.1, view all"
    )
