"""What a project says while it works, in the words of AutoGenome's logs.

Everything is logged to ``genokeras.projects`` at level INFO. :func:`show_progress` prints it plainly for those who have
not configured `logging`; a configuration that shows it already, or forbids it, wins.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, final

from genokeras.visible import visible

LOGGER_NAME = "genokeras.projects"
TRAINING, EVALUATION, PREDICTION = "Hyper & Training Search", "Evaluation", "Prediction"

_DASHES = "-" * 10
_RULE = "=" * 58
_BOX_WIDTH = 79

_logger = logging.getLogger(LOGGER_NAME)
_package = logging.getLogger("genokeras")


# ---- where it goes


@final
class _PlainHandler(logging.Handler):
    """Prints messages that nobody else shows to standard output, whatever that is by then."""

    def __init__(self, *, set_level: bool) -> None:
        super().__init__()
        self.set_level = set_level  # whether the logger's level is ours to take back

    def emit(self, record: logging.LogRecord) -> None:
        if _package.disabled or record.levelno < _package.level:
            return
        # The user's own handlers show it, if their level lets it through: then it is theirs alone.
        if _package.hasHandlers() and _package.isEnabledFor(record.levelno):
            _package.handle(record)
            return
        try:
            _write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


def show_progress(verbose: int = 1) -> None:
    """Print what projects say to standard output, once each, or stop doing so.

    Where handlers that the user set up let INFO through, messages go to them instead. A level that the user set for
    ``genokeras`` or ``genokeras.projects`` decides what is shown, and handlers for the latter who shows it.

    Parameters
    ----------
    verbose : int
        0 stops the printing; what the user set up for `logging` stays.
    """
    ours = [handler for handler in _logger.handlers if isinstance(handler, _PlainHandler)]
    if not verbose:
        for handler in ours:
            _logger.removeHandler(handler)
            _logger.propagate = True
            if handler.set_level:
                _logger.setLevel(logging.NOTSET)
        return
    if _logger.handlers:  # ours already, or the user's
        return
    handler = _PlainHandler(set_level=_logger.level == logging.NOTSET)
    if handler.set_level:
        _logger.setLevel(logging.INFO)
    _logger.addHandler(handler)
    _logger.propagate = False  # the handler passes on what others should see


def say(message: str) -> None:
    """Log a message, its control characters as codes; what other parts take as their ``log``."""
    _logger.info("%s", visible(message))


# ---- what is said


def banner(source: str | os.PathLike[str], parts: Sequence[str], ready: str) -> None:
    """Say which configuration is used, what was set up, and what comes.

    Parameters
    ----------
    source : path-like
        The configuration as it was given.
    parts : sequence of str
        As in :func:`parts_of`.
    ready : str
        As from :func:`ready_to`.
    """
    lines = [f"Use the config from {os.fspath(source)}", *(f"Initialize {part}" for part in parts)]
    edge, gap = "#" * _BOX_WIDTH, f"#{' ' * (_BOX_WIDTH - 2)}#"
    inside = ready.center(_BOX_WIDTH).rstrip()
    for line in [
        _RULE,
        *(f"{_DASHES}{line}" for line in lines),
        _RULE,
        edge,
        gap,
        gap,
        inside,
        gap,
        gap,
        edge,
    ]:
        say(line)


def parts_of(model_type: str, *, searched: bool) -> tuple[str, ...]:
    """Return the parts that a project sets up, as the banner lists them."""
    if model_type == "enas":
        return "enas class", "data_loader class"
    search = ("hyper_param_spec class",) if searched else ()
    return ("data_loader class", "Optimizer", *search, "param_spec class")


def ready_to(model_type: str, *, searched: bool) -> str:
    """Return what the banner's box says."""
    if model_type == "enas":
        return "Ready to search the best neural arch for enas model"
    aim = "search the best hyper parameters for" if searched else "train the"
    return f"Ready to {aim} {model_type} model"


def stage(name: str) -> None:
    """Say which stage begins: `TRAINING`, `EVALUATION` or `PREDICTION`."""
    say(f"{_DASHES}In {name} stage")


def pretraining(parameter: str, value: Any) -> None:
    """Say which value of a parameter is tried."""
    shown = f"{value:g}" if isinstance(value, float) else value
    say(f"Pretraining: search parameter is {parameter}, search value is {shown}")


def range_test(first: float, last: float) -> None:
    """Say between which learning rates a range test looks for one."""
    say(f"LR_RANGE_TEST From begin_lr {first:.6f} To end_lr {last:.6f}")


def chosen(parameters: Mapping[str, Any]) -> None:
    """Say which parameters are used, one a line."""
    say("Chosen parameters:")
    for name, value in parameters.items():
        say(f"  {name}: {f'{value:.6g}' if isinstance(value, float) else value}")


def running_until(step: int) -> None:
    """Say at which step training ends at the latest."""
    say(f"Running will end at step: {step}")


def trained_step(step: int, global_step: int, rate: float, figures: Mapping[str, float]) -> None:
    """Say how training stands.

    Parameters
    ----------
    step, global_step : int
        Counted from the start of this training, and of all.
    rate : float
        Samples a second.
    figures : mapping
        Named by the rows that they are of.
    """
    say(_tabbed(f"step: {step}(global step: {global_step})", f"sample/sec: {rate:.3f}", figures))


def evaluated_step(step: int, rate: float, figures: Mapping[str, float]) -> None:
    """Say how evaluation or prediction stands; `rate` is in batches a second."""
    say(_tabbed(f"step: {step}", f"batch/sec: {rate:.3f}", figures))


def evaluated(figures: Mapping[str, float], n_batches: int) -> None:
    """Say the result of an evaluation, or with no figures of a prediction."""
    shown = "\t".join(f"{name}: {value:.6g}" for name, value in figures.items())
    batches = f"[{n_batches} {'batch' if n_batches == 1 else 'batches'}]"
    say(f"{shown}\t\t{batches}" if shown else f"\t{batches}")


def plateau(step: int, figures: Mapping[str, float]) -> None:
    """Say what the network scores on the rows held out, and its loss on the others."""
    say(" ".join(["[Plateau Metric]", f"step: {step}", *(f"{k}: {v:.3f}" for k, v in figures.items())]))


def validated(step: int, figures: Mapping[str, float]) -> None:
    """Say what a candidate scores on the rows held out."""
    say(" ".join(["[VALIDATION METRICS]", f"step: {step}", *(f"{k}: {v:.3f}" for k, v in figures.items())]))


def saved(step: int | None, path: str | os.PathLike[str]) -> None:
    """Say that the best network so far, after `step` steps where that is known, was saved."""
    steps = "" if step is None else f" for {step}"
    say(f"Saving checkpoints{steps} into {os.fspath(path)}.")


def restored(path: str | os.PathLike[str]) -> None:
    """Say which saved network is used."""
    say(f"Restoring parameters from {os.fspath(path)}")


def confusion_written(path: str | os.PathLike[str]) -> None:
    """Say where the confusion matrix is."""
    say(f"Confusion matrix plot is '{os.fspath(path)}'")


def metrics_written(path: str | os.PathLike[str]) -> None:
    """Say where the metrics are."""
    say(f"Metrics file is '{os.fspath(path)}'")


def predictions_written(path: str | os.PathLike[str]) -> None:
    """Say where the predictions are."""
    say(f'Predicted values file is "{os.fspath(path)}"')


def latent_written(path: str | os.PathLike[str]) -> None:
    """Say where the latent vectors are."""
    say(f'Latent vectors file is "{os.fspath(path)}"')


def explanation_written(path: str | os.PathLike[str]) -> None:
    """Say where a picture or a table of the features' importance is."""
    name = os.path.basename(path)
    what = "importance plot is"
    if name.startswith("class_"):
        what = "importance plot for every classes is"
    elif name.endswith("features_orders.csv"):
        what = "features orders in all classes is saved in"
    elif name.endswith("shap_values.csv"):
        what = "shap_values every classes is"
    say(f"{what} '{os.fspath(path)}'")


# ---- helpers


def _tabbed(first: str, second: str, figures: Mapping[str, float]) -> str:
    return "\t".join([first, second, *(f"{name}: {value:.3f}" for name, value in figures.items())])


def _write(text: str) -> None:
    """Write to standard output, with codes for what its encoding lacks."""
    stream = sys.stdout
    if stream is None:  # a program without a console
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
