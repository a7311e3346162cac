"""How a command ends: errors as one message, Ctrl-C and closed pipes in silence."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

import genokeras as gk
from genokeras.interrupt import Interruption
from genokeras.quiet import LEVEL, LOUD
from genokeras.visible import visible

if TYPE_CHECKING:
    import pandas as pd

# Of Ctrl-C, and of SIGTERM and SIGUSR1, where no model was delivered.
INTERRUPTED, TERMINATED = 130, 143
_DEBUG = "genokeras.debug"

# How messages of the library spell an argument -> how the command line does.
_SPELLINGS: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"\bresume=True": "--resume",
    r"\btransposed=True": "--transposed",
    # What is done in Python stays as it is.
    r"(?<!load_dataset\(x, )\bmissing='median'": "--missing median",
    r"\bdelimiter=": "--delimiter ",
    r"\bdecimal=": "--decimal ",
    r"\bduplicates='sum', 'mean', 'first' or 'unique' \(gk.load_dataset, --duplicates\)": "--duplicates sum, mean, first or unique",
    r"\bignore_versions=True \(gk.load_dataset\)": "--ignore-versions",
    r"\bsample_column=": "--sample-column",
    r"\blayer=": "--layer ",
    r"\bmodality=": "--modality ",
    r"\bsheet=": "--sheet ",
    r"\bdrop_columns= \(--drop\)": "--drop",
    # There are no such options: columns have names that are known.
    r"\bName the column with (sequence|text)_column=": r"Rename the column to '\1'",
    r"\bmissing_genes='impute'": "--missing-genes impute",
    r"\bmost_loss=": "--most-loss ",
    r"\bfalse_alarms=": "--false-alarms ",
    r"\b(key_added|false_alarms|most_loss)(?= must be)": lambda found: f"--{found[1].replace('_', '-')}",
    r"\banother key_added than": "another --key-added than",
    r"\bpath=": "--out",
    r"\by=(?=')": "--target ",
    r"\bpass y as an array, ": "pass --target as ",
    r"\bCall train\(\) first": "Call train first",
}

Command = TypeVar("Command", bound=Callable[..., Any])

# At its end Python would look through all that the backend has made for what nobody needs any more, which takes up to two seconds.
atexit.register(gc.freeze)


class Failure(click.ClickException):
    """One message on standard error, exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        return visible(super().format_message())


def say(text: str = "", err: bool = False) -> None:
    """Print text, the control characters of names in it as codes."""
    click.echo(visible(text), err=err)


class CommandGroup(click.Group):
    """Commands whose expected errors end in a message, not in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            # From here on: imports take seconds, and Python drops many an exception that is raised within.
            with Interruption(), _plain_warnings():
                result = super().invoke(ctx)
            # A closed pipe is noticed here rather than in the interpreter's last breath.
            if sys.stdout is not None:
                sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            raise _interrupted(INTERRUPTED) from None
        except SystemExit as end:
            if end.code != TERMINATED:
                raise
            raise _interrupted(TERMINATED) from None
        except click.UsageError as error:
            said = error.format_message()
            if visible(said) == said:
                raise
            raise click.UsageError(visible(said), error.ctx) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if debugging(ctx) or not _expected(error):
                raise
            raise Failure(in_options(str(error))) from error


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Warnings are one sentence on standard error, without the line of code that they come from."""
    usual = warnings.formatwarning

    def plain(message: Any, category: type[Warning], *place: Any, **line: Any) -> str:
        if category is not UserWarning:
            return usual(message, category, *place, **line)
        return f"{in_options(visible(str(message)))}\n"

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _interrupted(code: int) -> click.exceptions.Exit:
    say("\nInterrupted before there was a result.", err=True)
    return click.exceptions.Exit(code)


def print_csv(table: pd.DataFrame) -> None:
    """Write a table to standard output as csv, without its index."""
    if sys.stdout is None:
        raise Failure(
            "standard output is closed, so that nothing could be printed: leave it open, or redirect it to a file."
        )
    table.to_csv(sys.stdout, index=False)


def debug_option(command: Command) -> Command:
    """Add ``--debug`` to a command."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show tracebacks of errors, and what the backend prints.",
    )(command)


def debugging(ctx: click.Context | None = None) -> bool:
    """Whether ``--debug`` was given."""
    current = ctx or click.get_current_context(silent=True)
    return bool(current and current.meta.get(_DEBUG))


def in_options(message: str) -> str:
    """A message of the library with its arguments spelled as options."""
    for argument, option in _SPELLINGS.items():
        message = re.sub(argument, option, message)
    return message


@contextmanager
def warnings_said() -> Iterator[None]:
    """Warnings of what is done within are said on standard error, once it is done."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        yield
    for one in said:
        say(in_options(str(one.message)), err=True)


def _remember(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_DEBUG] = True
        os.environ.setdefault(LEVEL, LOUD)


def _expected(error: Exception) -> bool:
    """Errors raised on purpose, and files that cannot be read or written; a closed pipe is click's to handle."""
    if isinstance(error, OSError):
        return error.errno != errno.EPIPE
    return isinstance(error, gk.GenoKerasError)
