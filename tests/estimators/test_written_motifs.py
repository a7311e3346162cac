"""Motifs of a run as a MEME file: which strands they are on, and a word where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from tests.encoders.planted import planted_sequences

HOW = {"time_limit": None, "folds": 2, "random_state": 0, "verbose": 0}


@pytest.fixture(scope="module")
def directed() -> tuple[list[str], np.ndarray]:
    """Sequences that begin alike, so that they differ from their reverse complements, and their classes."""
    x, y, _ = planted_sequences(60, 40)
    return ["ATGATGATG" + letters[9:] for letters in x], y


def test_motifs_of_sequences_that_have_a_direction_are_said_to_be_of_one_strand(directed, tmp_path: Path):
    steps = {"fathers": ["small_cnn"], "trainer_args": {"max_iter_num": 2}}
    clf = gk.SequenceClassifier(tmp_path / "run", max_trials=16, searcher_args=steps, **HOW).fit(*directed)
    assert any("have a direction" in note for note in clf.notes_)
    text = clf.write_motifs(tmp_path / "motifs.meme").read_text()
    assert "\nstrands: +\n" in text and "\nMOTIF trial_" in text


def test_a_run_without_networks_warns_that_there_are_no_motifs(directed, tmp_path: Path):
    clf = gk.SequenceClassifier(tmp_path / "run", max_trials=1, **HOW).fit(*directed)
    with pytest.warns(UserWarning, match="there are no motifs in the run .*: no network was trained"):
        path = clf.write_motifs(tmp_path / "motifs.meme")
    assert "MOTIF" not in path.read_text()
