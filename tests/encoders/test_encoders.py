"""Samples as networks and the linear father read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import (
    fit_image_encoder,
    fit_sequence_encoder,
    fit_text_encoder,
    have_orientation,
    places_loose,
    take,
)
from genokeras.encoders import (
    sequence as sequences,
)
from genokeras.encoders.files import encoder_from_dict
from genokeras.errors import DataError
from genokeras.features import kmer_names, one_hot, padded_codes, reverse_complement


def other_strand(word):
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_sequences_of_one_length_are_counted_by_word_and_by_place():
    data = load_sequences(["ACGT" * 5, "AAAA" * 5])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    counts = encoder.counts(encoder.rows(data)).toarray()
    words = sum(4**k for k in (4, 5, 6, 7))
    assert counts.shape == (2, encoder.n_counts) == (2, words + 20 * 4 + 19 * 16 + 18 * 64 + 7 * 64)
    assert [counts[1, i] for i in (0, 256, 256 + 1024)] == [17, 16, 15]
    assert counts[1, words : words + 80].reshape(20, 4)[:, 0].tolist() == [1.0] * 20
    assert counts[0, words + 80 : encoder.n_exact].sum() == 19 + 18
    assert counts[1, encoder.n_exact :].reshape(7, 64)[:, 0].tolist() == [5.0] * 7


def test_words_count_for_either_strand_where_both_say_the_same():
    words = ["AACGTTGCATTTGCACCAGA", "TTTTTCCCCCACGTAGGATA"]
    data = load_sequences([*words, *map(other_strand, words)])
    encoder, _ = fit_sequence_encoder(data, strands=True)
    counts = encoder.counts(encoder.rows(data)).toarray()
    assert list(encoder.linear_views) == ["counts", "even"]
    np.testing.assert_array_equal(counts[:2], counts[2:])
    assert counts[0, kmer_names(4).index("TGCA")] == 2 * "AACGTTGCATTTGCACCAGA".count("TGCA")


def test_very_many_letters_are_counted_by_short_words_alone(monkeypatch):
    monkeypatch.setattr(sequences, "_MOST_COUNTS", 100)
    encoder, _ = fit_sequence_encoder(load_sequences(["ACGTN" * 5, "AAAAT" * 5]), strands=False)
    assert encoder.words == (4,)


def test_where_time_is_short_only_shorter_words_are_counted() -> None:
    data = load_sequences(["ACGTN" * 5, "AAAAT" * 5] * 2000)
    assert fit_sequence_encoder(data, False, seconds=9.0) == fit_sequence_encoder(data, False)
    for seconds, longest in ((9.0, 7), (5.05, 5), (0.1, 4)):
        encoder, notes = fit_sequence_encoder(data, False, seconds=seconds)
        assert encoder.words[-1] == longest
        said = f"There is too little time to count words of more than {longest} letters: a longer time limit does."
        assert notes == ((said,) if longest < 7 else ())


def test_shorter_sequences_stand_in_the_middle_and_are_counted_by_word_alone():
    data = load_sequences(["A" * 20, "C" * 24])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    tensor = encoder.tensor(encoder.rows(data))
    assert tensor.shape == (2, 24, 4)
    assert tensor[0, :, 0].tolist() == [0, 0, *[1] * 20, 0, 0]
    assert encoder.n_counts == sum(4**k for k in (4, 5, 6, 7))


def test_the_second_look_at_a_sequence_is_its_other_strand():
    data = load_sequences(["AACGTNRYTG" * 2, "TTTTTCCCCC" * 2])
    encoder, _ = fit_sequence_encoder(data, strands=True)
    rows = encoder.rows(data)
    first, second = encoder.looks(rows)
    np.testing.assert_array_equal(first.tensor, encoder.tensor(rows))
    np.testing.assert_array_equal(second.tensor, one_hot(reverse_complement(rows["codes"])))
    assert first.samples.tolist() == second.samples.tolist() == [0, 1]


def test_training_on_both_strands_shows_either_of_them():
    data = load_sequences(["AAAAACCCCC" * 2] * 50)
    encoder = replace(fit_sequence_encoder(data, strands=True)[0], masked=0.0, shift=0)
    drawn = encoder.tensor(encoder.rows(data), np.random.default_rng(0))
    first, second = (look.tensor[0] for look in encoder.looks(encoder.rows(data)))
    turned = [np.array_equal(row, second) for row in drawn]
    assert 10 < sum(turned) < 40
    assert all(np.array_equal(row, first) for row, was in zip(drawn, turned, strict=True) if not was)


def test_training_hides_some_letters_and_moves_sequences_a_little():
    data = load_sequences(["AACGTTGCATGGCCATTACG"] * 200)
    encoder, _ = fit_sequence_encoder(data, strands=False, shift=3)
    drawn = encoder.tensor(encoder.rows(data), np.random.default_rng(0))
    still = encoder.tensor(encoder.rows(data))
    assert 0.08 < (drawn[:, 5:15].max(axis=2) == 0.25).mean() < 0.12
    unmoved = (drawn * still).sum(axis=2).mean(axis=1) > 0.8
    assert 0.05 < unmoved.mean() < 0.3


def test_numbers_beside_a_sequence_are_standardised_at_every_place():
    data = load_sequences(["ACGT" * 5] * 4, extra=np.array([[1.0], [2.0], [3.0], [4.0]]))
    encoder, _ = fit_sequence_encoder(data, strands=False)
    tensor = encoder.tensor(encoder.rows(data))
    assert tensor.shape == (4, 20, 5)
    np.testing.assert_allclose(tensor[:, 7, 4].std(), 1, rtol=1e-5)
    assert (tensor[:, :1, 4] == tensor[:, 1:2, 4]).all()


def test_missing_extra_numbers_are_asked_for():
    encoder, _ = fit_sequence_encoder(
        load_sequences(["ACGT" * 5] * 4, extra=np.arange(4.0)[:, None]), strands=False
    )
    with pytest.raises(DataError, match=r"Pass extra="):
        encoder.rows(load_sequences(["ACGT" * 5]))


def test_other_lengths_than_the_one_all_had_are_named():
    encoder, _ = fit_sequence_encoder(load_sequences(["ACGT" * 5] * 2), strands=False)
    with pytest.raises(DataError, match=r"20 letters each.*sample_1 \(24\)"):
        encoder.rows(load_sequences(["ACGT" * 5, "ACGT" * 6]))


def test_sequences_with_a_motif_on_one_strand_have_a_direction_and_others_have_none():
    rng = np.random.default_rng(0)

    def made(both):
        letters = rng.choice(list("ACGT"), size=(400, 30))
        codes = np.arange(400) % 2
        for i in np.flatnonzero(codes):
            motif = other_strand("GATTACAG") if both and rng.random() < 0.5 else "GATTACAG"
            letters[i, 5:13] = list(motif)
            if both:
                letters[i] = letters[i] if rng.random() < 0.5 else list(other_strand("".join(letters[i])))
        return load_sequences(["".join(row) for row in letters])

    assert have_orientation(made(both=False), np.random.default_rng(1))
    assert not have_orientation(made(both=True), np.random.default_rng(1))


def test_a_site_at_an_exact_place_is_told_from_one_that_may_be_off():
    rng = np.random.default_rng(0)
    codes = np.arange(600) % 2

    def made(off):
        letters = rng.choice(list("ACGT"), size=(600, 40))
        for i in range(600):
            # Both classes hold the site: only its place, or only the site, tells them apart.
            at = 20 + (off and rng.integers(-4, 5))
            if codes[i] or not off:
                letters[i, at + 2 * (1 - codes[i]) : at + 2 * (1 - codes[i]) + 6] = list("GATTAC")
        return padded_codes(load_sequences(["".join(row) for row in letters]), 40, "left")

    assert places_loose(made(True), codes, 3, np.random.default_rng(1))
    assert not places_loose(made(False), codes, 3, np.random.default_rng(1))


def test_images_are_scaled_to_zero_mean_and_unit_variance():
    rng = np.random.default_rng(0)
    data = load_images(rng.integers(0, 255, size=(20, 8, 8)).astype("uint8"))
    encoder = fit_image_encoder(data)
    tensor = encoder.tensor(encoder.rows(data))
    assert abs(tensor.mean()) < 1e-4
    assert abs(tensor.std() - 1) < 1e-4


def test_training_moves_images_a_little():
    data = load_images(np.pad(np.full((6, 4, 4), 255, "uint8"), ((0, 0), (4, 4), (4, 4))))
    encoder = fit_image_encoder(data)
    rows = encoder.rows(data)
    still, moved = encoder.tensor(rows), encoder.tensor(rows, np.random.default_rng(0))
    assert moved.shape == still.shape
    assert 0.3 < np.corrcoef(still.ravel(), moved.ravel())[0, 1] < 0.999


def test_images_of_another_size_are_refused():
    encoder = fit_image_encoder(load_images(np.zeros((2, 8, 8), "uint8")))
    with pytest.raises(DataError, match=r"\(8, 8, 1\).*\(9, 9, 1\)"):
        encoder.rows(load_images(np.zeros((2, 9, 9), "uint8")))


def test_texts_become_ids_of_their_words():
    data = load_texts(["one two two", "two three two one"])
    encoder, _ = fit_text_encoder(data)
    rows = encoder.rows(data)
    assert rows["tokens"][:, :5].tolist() == [[3, 2, 2, 0, 0], [2, 4, 2, 3, 0]]
    assert encoder.counts(rows).shape == (2, encoder.n_counts)


def test_where_time_is_short_parts_of_words_are_not_counted() -> None:
    data = load_texts(["a good film", "a bad film"] * 1000)
    whole, notes = fit_text_encoder(data, 9.0)
    assert len(whole.tfidf) == 2 and not notes
    encoder, notes = fit_text_encoder(data, 3.0)
    assert len(encoder.tfidf) == 1 and encoder.n_counts < whole.n_counts
    (note,) = notes
    assert note.startswith("There is too little time to count parts of words, and more than 20,000 words")


def test_training_forgets_some_words_but_invents_none():
    data = load_texts(["a b c d e f g h"] * 30)
    encoder, _ = fit_text_encoder(data)
    rows = encoder.rows(data)
    dropped = encoder.tensor(rows, np.random.default_rng(0))
    changed = dropped != rows["tokens"]
    assert 0 < changed.mean() < 0.25
    assert (dropped[changed] == 1).all()


def encoders():
    sequences = load_sequences(["ACGT" * 5] * 3, extra=np.arange(3.0)[:, None])
    images = load_images(np.arange(3 * 64, dtype="uint8").reshape(3, 8, 8))
    texts = load_texts(["one two", "two three", "three four"])
    yield fit_sequence_encoder(sequences, strands=True)[0], sequences
    yield fit_image_encoder(images), images
    yield fit_text_encoder(texts)[0], texts


@pytest.mark.parametrize(("encoder", "data"), list(encoders()), ids=["sequence", "image", "text"])
def test_an_encoder_read_back_from_json_says_the_same(encoder, data):
    again = encoder_from_dict(encoder.to_dict())
    rows = encoder.rows(data)
    np.testing.assert_array_equal(again.tensor(rows), encoder.tensor(rows))
    assert abs(again.counts(rows) - encoder.counts(rows)).max() == 0
    assert len(again.tensor(take(rows, np.array([2, 0])))) == 2


def test_numbers_beside_sequences_are_read_by_the_names_of_training() -> None:
    texts, extra = ["ACGTACGT"] * 4, pd.DataFrame({"age": [1.0, 2, 3, 4], "dose": [9.0, 8, 7, 5]})
    encoder, _ = fit_sequence_encoder(load_sequences(texts, extra=extra), strands=False)

    def read(given: object) -> np.ndarray:
        return np.asarray(encoder.rows(load_sequences(texts, extra=given))["extra"])

    np.testing.assert_array_equal(read(extra), extra)
    np.testing.assert_array_equal(read(extra[["dose", "age"]].assign(more=1.0)), extra)
    np.testing.assert_array_equal(read(extra.to_numpy()), extra)
    with pytest.raises(
        DataError, match="fitted with the extra numbers age, dose, and got age, years. Name them alike"
    ):
        read(extra.set_axis(["age", "years"], axis=1))
