"""Names from files do not command the terminal or the page that shows them."""

from __future__ import annotations

import io
import logging
import pickle

import pytest
from rich.console import Console

from genokeras import errors
from genokeras.cli.words import leaderboard_table
from genokeras.keras_models.epoch_log import EpochLog
from genokeras.projects import announce
from genokeras.report.card import plain
from genokeras.report.page import bullets, paragraph, table
from genokeras.visible import visible

NASTY, SHOWN = "S1\x1b[31m\x9b2J\r\u202e\udcff", r"S1\x1b[31m\x9b2J\r\u202e\udcff"


def test_control_characters_are_shown_and_letters_stay() -> None:
    assert visible(NASTY) == SHOWN
    assert visible("Gène 肺癌\ta\nb\xa0c\u200cd") == "Gène 肺癌\ta\nb\xa0c\u200cd"


@pytest.mark.parametrize(
    "kind", [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.GenoKerasError)]
)
def test_errors_show_them(kind: type[Exception]) -> None:
    error = kind(f"sample {NASTY} has no label.")
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == f"sample {SHOWN} has no label."


def test_the_page_and_the_card_show_them() -> None:
    for written in (
        paragraph(NASTY),
        bullets([NASTY]),
        table("genes", ["gene"], [[NASTY]]),
        plain(NASTY.lower()),
    ):
        assert "\x1b" not in written and r"\x1b" in written.replace("\\\\", "\\")


def test_logs_show_them(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.INFO, "genokeras.projects"):
        announce.say(NASTY)
    EpochLog(1, 1).say(NASTY)
    assert SHOWN in caplog.text and SHOWN in capsys.readouterr().err


def test_the_leaderboard_shows_them() -> None:
    import pandas as pd

    row = {"rank": 1, "model_id": 0, "father": None, "origin": "design", "score": 0.1, "se": 0.1, "gap": None}
    board = pd.DataFrame([{**row, "parameters": 3, "share": 1.0, "graph": "mlp", "views": NASTY}])
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    console.print(leaderboard_table(board, "log_loss"))
    assert SHOWN in console.file.getvalue()  # type: ignore[attr-defined]
