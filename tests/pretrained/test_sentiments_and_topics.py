"""Text classifiers loaded from presets saved here: probabilities, names, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from genokeras.errors import DataError, NotFittedError, ParameterError
from genokeras.pretrained import SentimentAnalysis, TopicClassifier

TEXTS = ["a great film", "the match was dull.", "films"]
TOPICS = ["film", "sports", "weather"]


@pytest.fixture(scope="module")
def sentiments(two_classes: Path) -> SentimentAnalysis:
    return SentimentAnalysis().load(two_classes)


@pytest.fixture(scope="module")
def topics(three_classes: Path) -> TopicClassifier:
    return TopicClassifier().load(str(three_classes), TOPICS)


def test_several_texts_get_the_probability_that_the_saved_task_gives(
    sentiments: SentimentAnalysis, two_classes: Path, hub: Any
) -> None:
    logits = hub.models.TextClassifier.from_preset(str(two_classes)).predict(TEXTS, verbose=0)
    found = sentiments.predict(TEXTS)
    np.testing.assert_allclose(found, expit(logits[:, 1] - logits[:, 0]), rtol=1e-5)
    assert np.ptp(found) > 0.01


def test_one_text_gets_a_number(sentiments: SentimentAnalysis) -> None:
    found = sentiments.predict(TEXTS[0])
    assert isinstance(found, float)
    assert found == pytest.approx(sentiments.predict(TEXTS)[0], abs=1e-6)


def test_the_first_class_may_be_the_positive_one(sentiments: SentimentAnalysis, two_classes: Path) -> None:
    flipped = SentimentAnalysis().load(two_classes, positive=0)
    np.testing.assert_allclose(flipped.predict(TEXTS), 1 - sentiments.predict(TEXTS), atol=1e-6)


def test_three_classes_are_no_sentiment(three_classes: Path) -> None:
    with pytest.raises(ParameterError, match="tells 3 classes apart"):
        SentimentAnalysis().load(three_classes)


def test_topics_are_the_likeliest_names(topics: TopicClassifier) -> None:
    shares = topics.predict_proba(TEXTS)
    assert shares.shape == (3, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert topics.predict(TEXTS) == [TOPICS[i] for i in shares.argmax(axis=1)]


def test_one_text_has_one_topic(topics: TopicClassifier) -> None:
    assert topics.predict(TEXTS[0]) == topics.predict(TEXTS[:1])[0]
    assert topics.predict_proba(TEXTS[0]).shape == (3,)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (None, "has 3 classes.*got none"),
        (["a", "b"], "got 2: a, b"),
        (["a", "b", "a"], "a occurs more than once"),
    ],
)
def test_topics_must_fit_the_classes(three_classes: Path, names: list[str] | None, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        TopicClassifier().load(three_classes, names)


@pytest.mark.parametrize("model", [SentimentAnalysis(), TopicClassifier()])
def test_nothing_is_predicted_before_load(model: SentimentAnalysis | TopicClassifier) -> None:
    with pytest.raises(NotFittedError, match=rf"{type(model).__name__}\(\).load\(preset\)"):
        model.predict("a text")


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ("  ", "1 text is empty, of 1: number 0"),
        (["good", "", "\n"], "2 texts are empty, of 3: number 1, 2"),
        (["good", 3], "1 item is none: 1"),
        ([], "got none"),
        (7, "got int"),
        (b"good", "got bytes"),
    ],
)
def test_what_is_no_text_is_refused(sentiments: SentimentAnalysis, x: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sentiments.predict(x)
