"""Filters as motifs, and which letters, pixels or words an answer hangs on."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import fit_image_encoder, fit_sequence_encoder, fit_text_encoder
from genokeras.errors import ParameterError, RunFolderError
from genokeras.explain import Motif, SampleExplanation, explain_rows, filter_motifs, write_meme
from genokeras.graph import HyperParameters, motif_cnn, small_cnn
from genokeras.graph.templates import linear
from genokeras.networks import TrainedNetwork, merge_networks, start_weights
from genokeras.tasks.classes import Classes
from tests.encoders.planted import MOTIF, bars, planted_sequences

NETWORK = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")
COUNTED = HyperParameters(0.01, 0.01, 0.0, "relu", "counts")


def with_planted_filter(both_strands):
    """A motif network whose first filter is the planted motif."""
    graph = motif_cnn((40, 4), 2, filters=2, kernel_size=8, both_strands=both_strands)
    weights = start_weights(graph, np.random.default_rng(0))
    kernel = weights[1]["kernel"]
    kernel[0, :, :, 0] = 2 * np.eye(4)[["ACGT".index(base) for base in MOTIF]] - 0.5
    return graph, weights


@pytest.mark.parametrize("both_strands", [False, True])
def test_a_filter_becomes_the_motif_it_answers_to(both_strands):
    x, _, _ = planted_sequences(80, 40, both_strands=both_strands)
    data = load_sequences(x)
    encoder, _ = fit_sequence_encoder(data, both_strands)
    graph, weights = with_planted_filter(both_strands)
    motifs = filter_motifs(graph, weights, encoder.rows(data)["codes"], "net")
    first = next(motif for motif in motifs if motif.name == "net_0_0")
    assert first.consensus == MOTIF
    assert first.n_sites >= 40
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert [m.information for m in motifs] == sorted((m.information for m in motifs), reverse=True)


def test_a_motif_on_the_other_strand_is_turned():
    # The motif stands once on each strand; windows are read on the strand where they are found.
    turned = MOTIF[::-1].translate(str.maketrans("ACGT", "TGCA"))
    data = load_sequences(["CC" + MOTIF + "CCTC", "TCCT" + turned + "GG"])
    encoder, _ = fit_sequence_encoder(data, strands=True)
    kernel = np.zeros((1, 8, 4, 1), dtype="float32")
    kernel[0, :, :, 0] = np.eye(4)[["ACGT".index(base) for base in MOTIF]]
    for both_strands, n_sites in ((True, 2), (False, 1)):
        graph = motif_cnn((14, 4), 2, filters=1, kernel_size=8, both_strands=both_strands)
        (motif,) = filter_motifs(graph, {1: {"kernel": kernel}}, encoder.rows(data)["codes"], "net")
        assert motif.consensus == MOTIF
        assert motif.n_sites == n_sites
        assert motif.probabilities.max(axis=1).min() > 0.99


def test_only_windows_above_half_of_the_largest_answer_count():
    # Answers of a filter that counts A among four letters: 4, 3, 2 and 0; half of the largest is 2.
    data = load_sequences(["CAAAAC", "CAAACC", "CCAACC", "CCCCCC"])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    kernel = np.zeros((1, 4, 4, 1), dtype="float32")
    kernel[0, :, 0, 0] = 1.0
    graph = motif_cnn((6, 4), 2, filters=1, kernel_size=4, both_strands=False)
    (motif,) = filter_motifs(graph, {1: {"kernel": kernel}}, encoder.rows(data)["codes"], "net")
    assert motif.n_sites == 2


def test_a_filter_that_never_answers_has_no_motif():
    data = load_sequences(["ACGTACGT", "ACGGACGG"])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    graph = motif_cnn((8, 4), 2, filters=3, kernel_size=4, both_strands=False)
    weights = {1: {"kernel": np.full((1, 4, 4, 3), -1.0, dtype="float32")}}
    assert filter_motifs(graph, weights, encoder.rows(data)["codes"], "net") == []


@pytest.mark.parametrize(
    ("p", "bits"),
    [([1, 0, 0, 0], 2.0), ([0.5, 0.5, 0, 0], 1.0), ([0.25] * 4, 0.0), ([0.7, 0.1, 0.1, 0.1], 0.643220)],
)
def test_information_is_two_bits_less_the_entropy(p, bits):
    assert Motif("m", np.array([p]), 1).information == pytest.approx(bits, abs=1e-5)
    assert Motif("m", np.array([p] * 3), 1).information == pytest.approx(3 * bits, abs=1e-5)


def test_motifs_are_written_as_meme_reads_them(tmp_path):
    p = np.full((3, 4), 0.25)
    p[1] = [1, 0, 0, 0]
    lines = write_meme([Motif("net_0_0", p, 12)], tmp_path / "new" / "motifs.meme").read_text().splitlines()
    assert lines[0] == "MEME version 4"
    assert "ALPHABET= ACGT" in lines and "strands: + -" in lines
    at = lines.index("MOTIF net_0_0 AAA")
    assert lines[at + 1] == "letter-probability matrix: alength= 4 w= 3 nsites= 12 E= 0"
    assert lines[at + 3].split() == ["1.000000", "0.000000", "0.000000", "0.000000"]


def test_motifs_of_sequences_that_have_a_direction_are_of_one_strand(tmp_path):
    motif = Motif("net_0_0", np.full((3, 4), 0.25), 12)
    assert "\nstrands: +\n" in write_meme([motif], tmp_path / "motifs.meme", both_strands=False).read_text()


def test_motifs_that_cannot_be_written_say_where(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        write_meme([], tmp_path / "file" / "motifs.meme")


def sequence_model(place=7):
    """A linear model that asks for an A at one place alone."""
    data = load_sequences(["ACGT" * 5, "CCGTACGAACGTACGTACGT"])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    kernel = np.zeros((1, encoder.n_counts, 2), dtype="float32")
    kernel[0, encoder.n_words + 4 * place, 1] = 3.0
    weights = {1: {"kernel": kernel, "bias": np.zeros((1, 2), dtype="float32")}}
    return (
        merge_networks(encoder, Classes(2), [TrainedNetwork("t", linear(2), COUNTED, weights)]),
        encoder,
        data,
    )


@pytest.mark.parametrize("method", ["mutagenesis", "gradient"])
def test_the_letter_that_decides_has_the_only_score(method):
    model, encoder, data = sequence_model()
    found = explain_rows(model, encoder, encoder.rows(data), ("no", "yes"), data.names, method, Classes(2))
    assert found.values.shape == (2, 20, 2)
    scores = found.of("yes")
    assert scores[1].argmax() == 7
    np.testing.assert_allclose(np.delete(scores, 7, axis=1), 0, atol=1e-5)
    # The other sequence has a T there: an A in its place would raise the log odds.
    assert scores[0, 7] < 0 < scores[1, 7]
    np.testing.assert_allclose(scores, -found.of("no"), atol=1e-5)


def test_mutagenesis_is_the_mean_difference_to_the_other_letters():
    model, encoder, data = sequence_model()
    found = explain_rows(model, encoder, encoder.rows(data), ("no", "yes"), data.names, None, Classes(2))
    assert found.method == "mutagenesis"
    assert found.of("yes")[:, 7] == pytest.approx([-1.0, 3.0], abs=1e-4)


def test_the_top_window_holds_the_letter_that_decides():
    model, encoder, data = sequence_model()
    found = explain_rows(model, encoder, encoder.rows(data), ("no", "yes"), data.names, None, Classes(2))
    start = found.top_window("yes", 4)[1]
    assert start <= 7 < start + 4
    with pytest.raises(ParameterError, match="width from 1 to 20"):
        found.top_window("yes", 40)
    with pytest.raises(ParameterError, match="no output 'maybe'"):
        found.of("maybe")


def test_the_pixels_that_decide_have_the_scores():
    data = load_images(bars(6)[0])
    encoder = fit_image_encoder(data)
    kernel = np.zeros((1, 144, 2), dtype="float32")
    kernel[0, 30, 1] = 1.0
    weights = {1: {"kernel": kernel, "bias": np.zeros((1, 2), dtype="float32")}}
    model = merge_networks(encoder, Classes(2), [TrainedNetwork("t", linear(2), COUNTED, weights)])
    found = explain_rows(model, encoder, encoder.rows(data), ("no", "yes"), data.names, None, Classes(2))
    scores = found.of("yes").reshape(6, 144)
    assert np.flatnonzero(np.abs(scores).max(axis=0) > 1e-6).tolist() == [30]
    np.testing.assert_allclose(scores[:, 30], encoder.counts(encoder.rows(data))[:, 30], atol=1e-4)


def explained_by_fine(*texts):
    """Of a linear model that calls a text good for the word "fine"."""
    data = load_texts(list(texts))
    encoder, _ = fit_text_encoder(data)
    kernel = np.zeros((1, encoder.n_counts, 2), dtype="float32")
    kernel[0, encoder.tfidf[0].ngrams.index("fine"), 1] = 5.0
    weights = {1: {"kernel": kernel, "bias": np.zeros((1, 2), dtype="float32")}}
    model = merge_networks(encoder, Classes(2), [TrainedNetwork("t", linear(2), COUNTED, weights)])
    return explain_rows(model, encoder, encoder.rows(data), ("bad", "good"), data.names, None, Classes(2))


def test_the_word_that_decides_has_the_score():
    found = explained_by_fine("a fine film", "a dull film")
    assert found.places == (("a", "fine", "film"), ("a", "dull", "film"))
    assert found.of("good")[0].argmax() == 1
    assert np.abs(found.of("good")[1]).max() < 1e-5


def test_words_of_a_long_text_share_what_their_stretch_is_worth(monkeypatch):
    monkeypatch.setattr("genokeras.explain.attributions._MOST_STRETCHES", 4)
    found = explained_by_fine("a b c d e f g fine film x", "a dull film")
    scores = found.of("good")[0]
    assert len(found.places[0]) == 10
    # Stretches of 3, 2, 3 and 2 words: "fine" stands in the third.
    np.testing.assert_allclose(scores[5:8], scores[7], rtol=1e-6)
    assert scores[7] > 0 and np.abs(scores[[0, 1, 2, 3, 4, 8, 9]]).max() < scores[7] / 2


def test_a_method_for_other_samples_is_refused():
    model, encoder, data = sequence_model()
    with pytest.raises(ParameterError, match="'mutagenesis' or 'gradient' for sequences"):
        explain_rows(
            model, encoder, encoder.rows(data), ("no", "yes"), data.names, "leave_one_out", Classes(2)
        )


def explained(method=None, n_outputs=2, task=None):
    model, encoder, data = sequence_model()
    names = ("no", "yes")
    return explain_rows(model, encoder, encoder.rows(data), names, data.names, method, task or Classes(2))


def test_an_explanation_names_letters_samples_and_outputs():
    found = explained()
    assert found.places == (tuple("ACGT" * 5), tuple("CCGTACGAACGTACGTACGT"))
    assert found.sample_names == tuple(sequence_model()[2].names)
    np.testing.assert_allclose(found.outputs.sum(axis=1), 1.0, rtol=1e-6)
    assert found.values.dtype == np.float32


def test_gradients_and_mutagenesis_agree_on_a_linear_model_but_for_the_letters_compared():
    # Mutagenesis compares with the mean of three letters, gradients with the mean of four: 4 / 3 as much.
    mutated, gradient = explained("mutagenesis"), explained("gradient")
    np.testing.assert_allclose(mutated.values, 4 / 3 * gradient.values, atol=1e-4)


def test_an_unknown_letter_has_no_score():
    # N is compared with the mean of all four letters, which it stands for.
    model, encoder, _ = sequence_model()
    data = load_sequences(["ACGTACGNACGTACGTACGT"])
    found = explain_rows(model, encoder, encoder.rows(data), ("no", "yes"), data.names, None, Classes(2))
    assert "".join(found.places[0]).startswith("ACGTACGN")
    np.testing.assert_allclose(found.of("yes")[0, 7], 0.0, atol=1e-5)


def window(values):
    values = np.asarray(values, dtype="float32")[..., None]
    names = tuple(f"s{i}" for i in range(len(values)))
    return SampleExplanation(values, np.ones((len(values), 1)), ("t",), names, (), "gradient")


def test_the_top_window_has_the_largest_sum():
    found = window([[0, 1, 5, -9, 4, 4], [3, 3, 0, 0, 0, 5]])
    assert found.top_window("t", 1).tolist() == [2, 5]
    assert found.top_window("t", 2).tolist() == [4, 0]
    assert found.top_window("t", 6).tolist() == [0, 0]


@pytest.mark.parametrize("width", [0, 7])
def test_a_window_wider_than_the_letters_is_refused(width):
    with pytest.raises(ParameterError, match=f"width from 1 to 6, got {width}"):
        window([[0, 1, 5, -9, 4, 4]]).top_window("t", width)


def test_pixels_have_no_window():
    with pytest.raises(ParameterError, match="a window needs letters or words"):
        window(np.zeros((2, 3, 3))).top_window("t", 2)


def test_a_text_without_words_has_no_scores():
    data = load_texts(["a fine film", "a dull film"])
    encoder, _ = fit_text_encoder(data)
    kernel = np.ones((1, encoder.n_counts, 2), dtype="float32") * np.array([0.0, 1.0], dtype="float32")
    weights = {1: {"kernel": kernel, "bias": np.zeros((1, 2), dtype="float32")}}
    model = merge_networks(encoder, Classes(2), [TrainedNetwork("t", linear(2), COUNTED, weights)])
    rows = {name: array.copy() for name, array in encoder.rows(data).items()}
    rows["texts"][1] = "  "
    rows["tokens"][1] = 0
    found = explain_rows(model, encoder, rows, ("bad", "good"), data.names, None, Classes(2))
    assert found.places == (("a", "fine", "film"), ())
    assert found.values[0].any() and not found.values[1].any()


@pytest.mark.parametrize("method", ["gradient", "mutagenesis"])
def test_shorter_sequences_are_explained_by_shorter_rows_to_the_same_end(method):
    rng, lengths = np.random.default_rng(0), (20, 50, 24, 25, 72, 70)
    data = load_sequences(["".join(rng.choice(list("ACGT"), size=n)) for n in lengths])
    encoder, _ = fit_sequence_encoder(data, strands=True, window=24)
    network = small_cnn(encoder.input_shape, 2, filters=(4,), units=0)
    kernel = rng.normal(0, 0.2, size=(1, encoder.n_counts, 2)).astype("float32")
    weights = {1: {"kernel": kernel, "bias": np.zeros((1, 2), dtype="float32")}}
    trials = [
        TrainedNetwork("a", network, NETWORK, start_weights(network, rng, 2), 0.5, 2.0),
        TrainedNetwork("b", linear(2), COUNTED, weights, 0.5),
    ]
    made: list[int] = []

    def model_for(short):
        made.append(short.length)
        return merge_networks(short, Classes(2), trials)

    given = (encoder.rows(data), ("no", "yes"), data.names, method, Classes(2))
    model = merge_networks(encoder, Classes(2), trials)
    whole, found = explain_rows(model, encoder, *given), explain_rows(model, encoder, *given, model_for)
    assert made == [24, 48]
    assert found.places == whole.places and found.method == method
    np.testing.assert_allclose(found.outputs, whole.outputs, atol=1e-5)
    np.testing.assert_allclose(found.values, whole.values, atol=2e-4)
