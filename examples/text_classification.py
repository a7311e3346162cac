"""A task module: texts in, their class out; the texts are made up, so that nothing has to be fetched.

python examples/text_classification.py runs/texts
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import genokeras as gk

GOOD = ("a moving film", "well acted", "I would see it again", "funny from the first minute", "a warm ending")
BAD = ("a dull film", "badly acted", "I left early", "not funny for a minute", "a cold ending")
FILLING = ("It runs for two hours.", "The hero is a cook.", "We sat in the third row.", "It rains a lot.")


def make_reviews(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Reviews of three sentences, two of which say what is thought of the film."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        kind = int(rng.integers(2))
        said = rng.choice((BAD, GOOD)[kind], 2, replace=False)
        sentences = [f"{said[0].capitalize()}.", str(rng.choice(FILLING)), f"{said[1].capitalize()}."]
        texts.append(" ".join(sentences[i] for i in rng.permutation(3)))
        labels.append(("bad", "good")[kind])
    return texts, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("text_classification"))
    parser.add_argument("--seconds", type=float, default=60, help="of the search")
    arguments = parser.parse_args()

    x_train, y_train = make_reviews(300, seed=0)
    x_test, y_test = make_reviews(100, seed=1)
    clf = gk.TextClassifier(path=arguments.folder, random_state=0)
    clf.fit(x_train, y_train, time_limit=arguments.seconds)
    print(clf.leaderboard().head(3).to_string(index=False))
    print(f"right on {len(x_test)} fresh reviews: {clf.evaluate(x_test, y_test)['accuracy']:.2f}")
    print(f"{x_test[0]!r}: {clf.predict(x_test[:1])[0]}")


if __name__ == "__main__":
    main()
