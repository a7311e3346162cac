"""Scores of places as files: a row a letter or word, arrays and pictures of pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.errors import ParameterError, RunFolderError
from genokeras.explain import SampleExplanation
from genokeras.report import write_explanation
from genokeras.report.place_files import place_figure, place_table


def of_letters() -> SampleExplanation:
    values = np.arange(16, dtype="float32").reshape(2, 4, 2)
    places = (tuple("ACGT"), tuple("-A-G"))
    return SampleExplanation(values, np.full((2, 2), 0.5), ("no", "yes"), ("p1", "p2"), places, "mutagenesis")


def of_words() -> SampleExplanation:
    values = np.arange(6, dtype="float32").reshape(2, 3, 1)
    places = (("call", "-", "now"), ("hi",))
    return SampleExplanation(values, np.ones((2, 1)), ("spam",), ("a", "b"), places, "leave_one_out")


def of_pixels(n: int = 3) -> SampleExplanation:
    values = np.random.default_rng(0).normal(size=(n, 4, 5, 2)).astype("float32")
    outputs = np.tile([0.2, 0.8], (n, 1))
    names = tuple(f"{i}.png" for i in range(n))
    return SampleExplanation(values, outputs, ("cat", "$dog$"), names, (), "gradient")


def test_a_row_is_a_letter_and_padding_has_none() -> None:
    table = place_table(of_letters())
    assert list(table.columns) == ["sample", "place", "letter", "no", "yes"]
    padded = table[table["sample"] == "p2"]
    assert padded["letter"].tolist() == ["A", "-", "G"] and padded["place"].tolist() == [1, 2, 3]
    assert padded["no"].tolist() == [10, 12, 14] and len(table) == 7


def test_a_row_is_a_word_and_a_dash_is_one(tmp_path: Path) -> None:
    (written,) = write_explanation(of_words(), tmp_path / "new")
    table = pd.read_csv(written)
    assert written.name == "scores.csv" and table["word"].tolist() == ["call", "-", "now", "hi"]
    assert table["spam"].tolist() == [0, 1, 2, 3] and table["place"].tolist() == [1, 2, 3, 1]


def test_pixels_are_arrays_that_need_no_unpickling(tmp_path: Path) -> None:
    explanation = of_pixels()
    (written,) = write_explanation(explanation, tmp_path)
    with np.load(written, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["values"], explanation.values)
        assert arrays["output_names"].tolist() == ["cat", "$dog$"]
        assert arrays["sample_names"].tolist() == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 1), (3, 4, 5, 3), (3, 4, 5, 2)])
def test_images_are_drawn_beside_their_scores(tmp_path: Path, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(1).integers(0, 255, size=shape).astype("uint8")
    written = write_explanation(of_pixels(), tmp_path, images=images)
    assert [path.name for path in written] == ["scores.npz", "pictures.pdf"]
    assert written[1].read_bytes().startswith(b"%PDF")


def test_twenty_images_at_most_are_drawn() -> None:
    figure = place_figure(of_pixels(30), np.zeros((30, 4, 5)))
    assert len(figure.axes) == 40 and figure.alt.startswith("20 images")


def test_other_images_than_the_explained_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="expected 3, got 2"):
        write_explanation(of_pixels(), tmp_path, images=np.zeros((2, 4, 5)))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        write_explanation(of_words(), tmp_path / "file" / "folder")
