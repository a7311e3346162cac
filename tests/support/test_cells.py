"""What is written for spreadsheets stays text."""

from __future__ import annotations

import pandas as pd
import pytest

from genokeras.support.cells import plain_cell, plain_table


@pytest.mark.parametrize("text", ["TP53", "-0.5", "1e-3", "+", "-", "HLA-A", ""])
def test_names_and_numbers_stay(text: str) -> None:
    assert plain_cell(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@cmd"])
def test_a_formula_becomes_text(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


def test_control_characters_are_left_out() -> None:
    assert plain_cell("S1\x1b[31m") == "S1[31m"


def test_a_table_keeps_its_numbers() -> None:
    table = plain_table(pd.DataFrame({"=a": [-1.5], "sample": ["=1+1"]}))
    assert table.to_csv(index=False) == "'=a,sample\n-1.5,'=1+1\n"
