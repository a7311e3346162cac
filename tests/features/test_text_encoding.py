from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import normalize

from genokeras.errors import DataError, ParameterError
from genokeras.features import fit_ngram_tfidf, fit_vocabulary, text_encoding

TEXTS = ["The cat sat.", "the dog SAT, the cat ran!", "Ünder the  Straße", "", "é?"]


def test_the_most_frequent_tokens_come_first_and_ties_by_name() -> None:
    vocabulary = fit_vocabulary(["b a b", "c a b"])
    assert vocabulary.tokens == ("b", "a", "c") and vocabulary.size == 5
    assert vocabulary.encode(["a c zebra b"], 6).tolist() == [[3, 4, 1, 2, 0, 0]]


def test_texts_are_cut_at_the_length() -> None:
    vocabulary = fit_vocabulary(["a b c"])
    assert vocabulary.encode(["a b c", ""], 2).tolist() == [[2, 3], [0, 0]]
    assert vocabulary.lengths(["a b c", ""]).tolist() == [3, 0]


def test_rare_tokens_are_left_out() -> None:
    assert fit_vocabulary(["a a b"], min_count=2).tokens == ("a",)
    assert fit_vocabulary(["a a b c"], max_tokens=2).tokens == ("a", "b")


@pytest.mark.parametrize("standardise", ["lower_and_strip_punctuation", "lower", "none"])
@pytest.mark.parametrize("split", ["whitespace", "character"])
def test_ids_are_those_of_the_keras_layer(standardise: str, split: str) -> None:
    vocabulary = fit_vocabulary(TEXTS, standardise=standardise, split=split)  # type: ignore[arg-type]
    layer = keras.layers.TextVectorization(
        standardize=None if standardise == "none" else standardise,
        split=split,
        output_sequence_length=9,
        vocabulary=list(vocabulary.tokens),
    )
    texts = [*TEXTS, "unseen Ä cat\tsat\nran... <b>"]
    np.testing.assert_array_equal(vocabulary.encode(texts, 9), np.asarray(layer(texts)))


@pytest.mark.parametrize(
    "options",
    [{}, {"lengths": (2, 3, 4), "standardise": "lower", "split": "character"}],
    ids=["words", "characters"],
)
def test_ngrams_are_counted_as_the_keras_layer_counts_them(options: dict[str, Any]) -> None:
    tfidf = fit_ngram_tfidf(TEXTS, min_count=1, **options)
    vocabulary = [" ".join(ngram) if tfidf.split == "character" else ngram for ngram in tfidf.ngrams]
    layer = keras.layers.TextVectorization(
        standardize=tfidf.standardise,
        split=tfidf.split,
        ngrams=tfidf.lengths,
        output_mode="count",
        vocabulary=vocabulary,
    )
    texts = ["the cat sat on the dog", "the the unseen", *TEXTS[:3]]
    counts = np.asarray(layer(texts), dtype=np.float64)[:, 1:]
    damped = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * tfidf.idf
    expected = damped / np.linalg.norm(damped, axis=1, keepdims=True)
    np.testing.assert_allclose(tfidf.transform(texts).toarray(), expected, rtol=1e-5, atol=1e-7)


def test_ngrams_of_characters_stay_within_a_word_and_see_where_it_ends() -> None:
    tfidf = fit_ngram_tfidf(["ab cd"], (2, 3), min_count=1, split="character")
    assert set(tfidf.ngrams) == {"ab", "b ", " c", "cd", "ab ", " cd"}


def is_in_a_word(ngram: str) -> bool:
    """Whether blanks stand at the edges alone, and something between them."""
    return len(ngram.split()) == 1 and not any(character.isspace() for character in ngram[1:-1])


# Blanks beyond ASCII, too: no-break, ideographic, line and file separators.
BLANKED = st.lists(st.text(alphabet="abA \t\n\u00a0\u3000\u2028\x1c.", max_size=14), min_size=1, max_size=6)


@settings(max_examples=200)
@given(BLANKED, st.sampled_from([(1, 2), (2, 3, 4), (1,)]), st.sampled_from([1, 3, 1000]))
def test_ngrams_of_characters_are_those_of_a_look_at_every_place(
    texts: list[str], lengths: tuple[int, ...], at_once: int
) -> None:
    texts = [*texts, "ab"]
    lower = [text.encode().lower().decode() for text in texts]
    places = [[text[i : i + n] for n in lengths for i in range(len(text) - n + 1)] for text in lower]
    inside = [[part for part in parts if is_in_a_word(part)] for parts in places]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_encoding, "_WORDS_AT_ONCE", at_once)
        tfidf = fit_ngram_tfidf(texts, lengths, min_count=1, standardise="lower", split="character")
        found = tfidf.transform(texts)
    assert set(tfidf.ngrams) == {part for parts in inside for part in parts}
    texts_with = [sum(ngram in parts for parts in inside) for ngram in tfidf.ngrams]
    np.testing.assert_allclose(
        tfidf.idf, np.log((1 + len(texts)) / (1 + np.array(texts_with))) + 1, rtol=1e-6
    )
    counts = np.array([[parts.count(ngram) for ngram in tfidf.ngrams] for parts in inside])
    weighted = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * tfidf.idf
    np.testing.assert_allclose(found.toarray(), normalize(weighted), rtol=1e-5, atol=1e-6)


def test_idf_is_higher_for_what_fewer_texts_hold() -> None:
    tfidf = fit_ngram_tfidf(["a b", "a c", "a"], (1,), min_count=1)
    assert tfidf.ngrams == ("a", "b", "c")
    np.testing.assert_allclose(tfidf.idf, [1, np.log(2) + 1, np.log(2) + 1], rtol=1e-6)


def test_a_text_without_words_is_a_row_of_zeros() -> None:
    tfidf = fit_ngram_tfidf(TEXTS, min_count=1)
    assert tfidf.transform(["", "the cat"])[0].nnz == 0


@settings(max_examples=25)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_any_text_is_encoded(texts: list[str]) -> None:
    ids = fit_vocabulary(TEXTS).encode(texts, 5)
    assert ids.shape == (len(texts), 5) and ids.min() >= 0
    parts = fit_ngram_tfidf(TEXTS, (2, 3), min_count=1, split="character").transform(texts)
    assert np.isfinite(parts.data).all()


def test_unusable_parameters_are_errors() -> None:
    with pytest.raises(ParameterError, match=r"split must be .* got 'char'.* Did you mean 'character'"):
        fit_vocabulary(TEXTS, split="char")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="lengths must be whole numbers of at least 1"):
        fit_ngram_tfidf(TEXTS, (0, 1))
    with pytest.raises(DataError, match="no tokens that occur at least 9 times"):
        fit_vocabulary(TEXTS, min_count=9)
    with pytest.raises(DataError, match="no n-grams: are they empty, or of punctuation alone"):
        fit_ngram_tfidf(["", "!"])
    with pytest.raises(DataError, match="no n-grams that occur at least in 9 texts: .* has 3"):
        fit_ngram_tfidf(["a", "a", "a a"], min_count=9)


def test_texts_of_one_letter_are_refused_by_what_they_lack() -> None:
    with pytest.raises(DataError, match="lengths: 2, 3.*must have a word of 2 letters or more"):
        fit_ngram_tfidf(["a", "b"], (2, 3), min_count=1, split="character")
