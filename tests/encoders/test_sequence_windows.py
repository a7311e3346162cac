"""Sequences of many lengths, some longer than a network reads at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.data import load_sequences
from genokeras.encoders import SequenceEncoder, fit_sequence_encoder
from genokeras.encoders import sequence as sequences
from genokeras.encoders.files import encoder_from_dict
from genokeras.encoders.windows import extents, window_counts, window_starts
from genokeras.explain import attributions, explain_rows, filter_motifs
from genokeras.features import padded_codes
from genokeras.graph import HyperParameters, motif_cnn
from genokeras.networks import TrainedNetwork, merge_networks, start_weights
from genokeras.tasks.classes import Classes
from genokeras.training import NetworkSettings, Plan, Samples, Trainee, train_member
from genokeras.training.members import mean_answers
from tests.encoders.planted import planted_sequences

WINDOW = 24
HYPER = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")
SOME = st.lists(st.text("ACGTN", min_size=1, max_size=40), min_size=1, max_size=5)


def random_sequences(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return load_sequences(["".join(rng.choice(list("ACGT"), size=n)) for n in lengths])


def windows_of(data, strands=False):
    """The encoder of sequences, as if networks read 24 letters at once, and the rows."""
    encoder, _ = fit_sequence_encoder(data, strands, window=WINDOW)
    return encoder, encoder.rows(data)


def test_windows_are_spread_evenly_from_the_first_letter_to_the_last():
    codes = padded_codes(random_sequences(30, 24, 4, 21), 30, "centre")
    assert window_counts(extents(codes)[1], 10).tolist() == [3, 3, 1, 3]
    starts = [window_starts(codes, 10, number).tolist() for number in range(3)]
    assert starts == [[0, 3, 10, 4], [10, 10, 10, 9], [20, 17, 10, 15]]


@given(SOME, st.integers(3, 12), st.sampled_from(["left", "centre", "right"]))
def test_windows_of_long_sequences_hold_all_letters_and_no_padding(given_sequences, window, align):
    codes = padded_codes(load_sequences(given_sequences), 40, align)
    first, lengths = extents(codes)
    for i, count in enumerate(window_counts(lengths, window)):
        read = np.zeros(40, dtype=bool)
        for number in range(count):
            start = window_starts(codes, window, number)[i]
            assert count == 1 or codes[i, start : start + window].all()
            read[start : start + window] = True
        assert read[first[i] : first[i] + lengths[i]].all()


def test_a_sequence_has_as_many_looks_as_hold_it():
    encoder, rows = windows_of(random_sequences(20, 24, 25, 60))
    assert (encoder.length, encoder.n_windows, encoder.input_shape) == (72, 3, (24, 4))
    looks = list(encoder.looks(rows))
    assert [look.samples.tolist() for look in looks] == [[0, 1, 2, 3], [2, 3], [3]]
    assert all(look.tensor.shape == (len(look.samples), 24, 4) for look in looks)
    assert encoder.n_looks(rows) == 7


def test_both_strands_are_looked_at_window_by_window():
    encoder, rows = windows_of(random_sequences(20, 60), strands=True)
    looks = list(encoder.looks(rows))
    assert [look.samples.tolist() for look in looks] == [[0, 1], [0, 1], [1], [1], [1], [1]]
    np.testing.assert_array_equal(looks[5].tensor, looks[4].tensor[:, ::-1, ::-1])
    assert encoder.n_looks(rows) == 8


@pytest.mark.parametrize("length", [48, 72, 120])
def test_room_beside_a_sequence_changes_nothing(length):
    data = random_sequences(20, 30, 48)
    encoder = replace(windows_of(data)[0], length=length)
    near = windows_of(data)[0]
    for found, wanted in zip(encoder.looks(encoder.rows(data)), near.looks(near.rows(data)), strict=True):
        np.testing.assert_array_equal(found.tensor, wanted.tensor)


def test_training_draws_a_window_of_letters_alone_from_long_sequences():
    data = load_sequences(["A" * 30 + "C" * 30] * 200)
    encoder = replace(windows_of(data)[0], masked=0.0)
    drawn = encoder.tensor(encoder.rows(data), np.random.default_rng(0))
    assert drawn.shape == (200, 24, 4)
    assert drawn.sum(axis=2).min() == 1
    assert set(drawn[:, :, 1].sum(axis=1)) == set(range(25))


def test_training_reads_the_whole_of_short_sequences():
    data = random_sequences(20, 60)
    encoder = replace(windows_of(data)[0], masked=0.0)
    rows = encoder.rows(data)
    drawn = encoder.tensor(rows, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[0], next(encoder.looks(rows)).tensor[0])


def test_the_middle_of_a_long_sequence_is_read_where_one_window_has_to_do():
    data = load_sequences(["A" * 18 + "C" * 24 + "A" * 18])
    encoder, rows = windows_of(data)
    assert encoder.tensor(rows)[0, :, 1].tolist() == [1.0] * 24


def test_words_of_the_whole_sequence_are_counted():
    encoder, rows = windows_of(load_sequences(["A" * 60, "A" * 20]))
    assert encoder.counts(rows)[:, 0].toarray().ravel().tolist() == [57, 17]


def test_long_sequences_are_said_to_be_read_by_windows():
    encoder, notes = fit_sequence_encoder(load_sequences(["A" * 3000, "C" * 50]), strands=False)
    assert (encoder.length, encoder.n_windows, len(notes)) == (4000, 2, 1)
    assert "1 sequence is longer than 2,000 letters" in notes[0]
    assert "windows" in encoder.describe_inputs()["sequence"]


def test_sequences_of_very_many_windows_are_cut_to_their_middle_with_a_note():
    data = load_sequences(["C" * 20 + "A" * 240 + "C" * 20, "A" * 20])
    encoder, notes = fit_sequence_encoder(data, strands=False, window=WINDOW)
    assert encoder.length == 240
    assert encoder.tensor(encoder.rows(data))[0, :, 0].all()
    assert notes[-1] == "1 sequence is longer than 240 letters: the middle 240 are read."


def test_one_very_long_sequence_among_many_is_cut():
    encoder, notes = fit_sequence_encoder(
        load_sequences(["A" * 30] * 299 + ["A" * 200]), strands=False, window=WINDOW
    )
    assert encoder.length == 48
    assert notes[-1] == "1 sequence is longer than 48 letters: the middle 48 are read."


def test_rows_are_no_longer_than_there_is_memory_for(monkeypatch):
    monkeypatch.setattr(sequences, "_MOST_PLACES", 200)
    assert windows_of(random_sequences(20, 100))[0].length == 96
    assert windows_of(random_sequences(20, 20, 20, 100))[0].length == 48


def test_encoders_written_before_there_were_windows_are_read():
    old = {
        name: value for name, value in SequenceEncoder(50, False, True).to_dict().items() if name != "window"
    }
    assert encoder_from_dict(old) == SequenceEncoder(50, False, True)


def test_a_motif_anywhere_in_long_sequences_is_learnt_from_windows():
    x, codes, _ = planted_sequences(160, 40)
    encoder, rows = windows_of(load_sequences([*x[:150], *(s[:20] for s in x[150:])]))
    samples = Samples(Classes(2), encoder, rows, codes, np.ones(160))
    trainee = Trainee(
        motif_cnn(encoder.input_shape, 2, filters=16, kernel_size=9, both_strands=False),
        HYPER,
        Classes(2).training_loss(0.0),
    )
    trainee.restart(start_weights(trainee.graph, np.random.default_rng(0)), 0, 1)
    held_out = np.arange(160) >= 100
    scorings = train_member(
        trainee,
        samples.take(~held_out),
        samples.take(held_out),
        plan=Plan(150, None),
        rate=0.01,
        seed=0,
        settings=NetworkSettings(patience=100),
    )
    assert min(scoring.held_out_loss for scoring in scorings) < 0.62
    found = mean_answers(trainee, Classes(2), encoder, rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.fixture(scope="module")
def explained():
    """A network with random weights as a model of long sequences, and two of these."""
    data = random_sequences(60, 21)
    encoder, rows = windows_of(data)
    graph = motif_cnn(encoder.input_shape, 2, filters=4, kernel_size=5, both_strands=False)
    weights = start_weights(graph, np.random.default_rng(1))
    model = merge_networks(encoder, Classes(2), [TrainedNetwork("t", graph, HYPER, weights)])

    def explain(method):
        return explain_rows(model, encoder, rows, ("no", "yes"), data.names, method, Classes(2))

    return explain, graph, weights, rows


def test_letters_of_every_window_have_scores_and_padding_has_none(explained):
    explain, _, _, rows = explained
    found = explain(None)
    assert found.method == "gradient"
    there = rows["codes"] != 0
    scores = np.abs(found.of("yes"))
    assert scores[~there].max() == 0
    assert (scores[0][there[0]].reshape(3, 20).max(axis=1) > 0).all()


def test_letters_are_exchanged_a_few_at_a_time(explained, monkeypatch):
    explain = explained[0]
    whole = explain("mutagenesis").values
    monkeypatch.setattr(attributions, "_MOST_LETTERS", 4 * 72 * 7)
    np.testing.assert_allclose(explain("mutagenesis").values, whole, atol=1e-5)
    assert np.abs(whole[0, 6:66]).max(axis=1).min() > 0


def test_motifs_are_looked_for_in_all_letters(explained):
    _, graph, weights, rows = explained
    motifs = filter_motifs(graph, weights, rows["codes"], "net")
    assert motifs
    assert all(motif.probabilities.shape == (5, 4) for motif in motifs)
