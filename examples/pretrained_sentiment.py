"""How positive a text is, by a classifier that others have trained.

pip install 'genokeras[pretrained]'
python examples/pretrained_sentiment.py bert_tiny_en_uncased_sst2 "The film was a pleasure."
"""

from __future__ import annotations

import argparse

import genokeras as gk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("text")
    arguments = parser.parse_args()
    try:
        positive = gk.pretrained.SentimentAnalysis().load(arguments.preset).predict(arguments.text)
    except gk.GenoKerasError as error:
        raise SystemExit(f"This example needs a preset of a text classifier: {error}") from error
    print(f"positive by {positive:.2f}, from 0 to 1")


if __name__ == "__main__":
    main()
