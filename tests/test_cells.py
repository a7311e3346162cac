"""What is written for spreadsheets stays text."""

from __future__ import annotations

import pandas as pd
import pytest

from genokeras.visible import original_cell, original_table, plain_cell, plain_table


@pytest.mark.parametrize("text", ["TP53", "-0.5", "1e-3", "+", "-", "HLA-A", ""])
def test_names_and_numbers_stay(text: str) -> None:
    assert plain_cell(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@cmd"])
def test_a_formula_becomes_text(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


def test_control_characters_are_shown() -> None:
    assert plain_cell("S1\x1b[31m") == r"S1\x1b[31m"


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''+a", "-", "'a'", "TP53", "-0.5", "\t=1"])
def test_what_was_written_can_be_read_back(text: str) -> None:
    assert original_cell(plain_cell(text)) == text


def test_a_table_keeps_its_numbers() -> None:
    table = plain_table(pd.DataFrame({"=a": [-1.5], "sample": ["=1+1"]}))
    assert table.to_csv(index=False) == "'=a,sample\n-1.5,'=1+1\n"
    pd.testing.assert_frame_equal(original_table(table), pd.DataFrame({"=a": [-1.5], "sample": ["=1+1"]}))
