"""How commands end: messages, exit codes, and what they leave unimported."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main
from genokeras.cli.group import CommandGroup, debug_option, in_options
from genokeras.errors import DataError
from genokeras.interrupt import interruptible
from tests.signals import unhandled

__all__ = ["unhandled"]

ERRORS = {
    "data": DataError("S07 has no label.\nDrop it."),
    "file": PermissionError(13, "Permission denied", "out.csv"),
    "bug": ZeroDivisionError("division by zero"),
    "interrupt": KeyboardInterrupt(),
}


@click.group(cls=CommandGroup)
@debug_option
def group() -> None:
    """Commands that fail."""


@group.command()
@click.argument("kind")
@debug_option
def fail(kind: str) -> None:
    raise ERRORS[kind]


@group.command()
@click.argument("name")
def lose(name: str) -> None:
    """Imports something that drops whatever is raised within, then fits."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.Signals[name])
    interruptible(lambda: click.echo("fitted"))()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments)


def test_an_expected_error_is_one_message_and_exit_code_2() -> None:
    result = run("fail", "data")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: S07 has no label.\nDrop it.\n"


@pytest.mark.parametrize("arguments", [("--debug", "fail", "data"), ("fail", "data", "--debug")])
def test_debug_lets_the_traceback_through(arguments: tuple[str, ...]) -> None:
    assert isinstance(run(*arguments).exception, DataError)


@pytest.mark.usefixtures("unhandled")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_that_an_import_drops_ends_the_command_before_it_fits(name: str, code: int) -> None:
    result = run("lose", name)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Interrupted before there was a result." in result.stderr


def test_a_file_that_cannot_be_written_is_a_message_too() -> None:
    result = run("fail", "file")
    assert result.exit_code == 2 and "Permission denied: 'out.csv'" in result.stderr


def test_a_bug_keeps_its_traceback() -> None:
    assert isinstance(run("fail", "bug").exception, ZeroDivisionError)


def test_an_interrupt_ends_with_exit_code_130() -> None:
    result = run("fail", "interrupt")
    assert result.exit_code == 130 and "Interrupted before there was a result." in result.stderr


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Give another path, resume=True to go on.", "Give another path, --resume to go on."),
        ("Pass missing='median' to fill each.", "Pass --missing median to fill each."),
        (
            "fit with missing='median', or fill them in with gk.load_dataset(x, missing='median')",
            "fit with --missing median, or fill them in with gk.load_dataset(x, missing='median')",
        ),
        ("y='lable' is neither a column", "--target 'lable' is neither a column"),
        ("pass delimiter=';'.", "pass --delimiter ';'."),
        ("Give a path= that can be written.", "Give a --out that can be written."),
        ("key_added must be a name", "--key-added must be a name"),
        ("That is more than most_loss=0.05.", "That is more than --most-loss 0.05."),
    ],
)
def test_messages_name_options_in_place_of_arguments(said: str, shown: str) -> None:
    assert in_options(said) == shown


def test_a_closed_standard_output_is_no_crash_and_predictions_are_not_lost_in_it() -> None:
    code = (
        "import sys; sys.stdout = None\n"
        "import pandas as pd\nfrom genokeras.cli.group import CommandGroup, print_csv\nimport click\n"
        "@click.group(cls=CommandGroup)\ndef main(): pass\n"
        "@main.command()\ndef quiet(): pass\n"
        "@main.command()\ndef table(): print_csv(pd.DataFrame({'a': [1]}))\n"
        "main()"
    )

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True)

    assert (run("quiet").returncode, run("quiet").stderr) == (0, "")
    done = run("table")
    assert done.returncode == 2 and done.stderr.startswith(
        "Error: standard output is closed, so that nothing"
    )


def test_genokeras_alone_shows_the_commands() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 0
    for command in (
        "auto",
        "annotate",
        "doctor",
        "fit",
        "predict",
        "evaluate",
        "leaderboard",
        "export",
        "visualize",
    ):
        assert f"  {command} " in result.stdout


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("genokeras, version 0.")


def test_a_misspelt_option_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(main, ["fit", "data.csv", "--tarqet", "label"])
    assert result.exit_code == 2 and "--target" in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["fit"]])
def test_help_and_mistakes_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom genokeras.cli import main\n"
        f"try: main({arguments})\n"
        "except SystemExit: pass\n"
        "print([m for m in ('tensorflow', 'keras', 'jax', 'torch', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def completed(words: str) -> list[str]:
    """What bash offers for the last of these words, as the documentation has it set up."""
    code = "import sys; from genokeras.cli import main; main(prog_name='genokeras')"
    position = str(len(words.split(" ")) - 1)
    shell = {"_GENOKERAS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": position}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **shell}, capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("genokeras do", ["doctor"]),
        ("genokeras fit --searcher ", ["bayesian", "random", "enas"]),
        ("genokeras fit --objective balanced", ["balanced_accuracy"]),
    ],
)
def test_a_shell_completes_commands_and_values(words: str, offered: list[str]) -> None:
    assert completed(words) == offered
