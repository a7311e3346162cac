"""What a text is about, by a classifier that others, or you, have trained; keras-hub itself has no preset for topics.

    pip install 'genokeras[pretrained]'
    python examples/pretrained_topics.py FOLDER "The match ended in a draw." --topics world sports business science

FOLDER is what ``save_to_preset`` of a keras-hub ``TextClassifier`` wrote; the topics are named in the order of its classes.
"""

from __future__ import annotations

import argparse

import genokeras as gk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("text")
    parser.add_argument("--topics", nargs="+")
    arguments = parser.parse_args()
    try:
        found = (
            gk.pretrained.TopicClassifier().load(arguments.preset, arguments.topics).predict(arguments.text)
        )
    except gk.GenoKerasError as error:
        raise SystemExit(f"This example needs a preset of a text classifier: {error}") from error
    print(found)


if __name__ == "__main__":
    main()
