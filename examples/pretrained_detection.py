"""Objects in a picture, by a detector that others have trained.

    pip install 'genokeras[pretrained]'
    python examples/pretrained_detection.py dfine_small_coco street.jpg street_boxes.png

The preset is a name that keras-hub knows, an address (``hf://user/model``), or a folder that ``save_to_preset`` wrote; only the
folder needs no network.
"""

from __future__ import annotations

import argparse

import genokeras as gk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("picture")
    parser.add_argument("drawn", nargs="?", help="where the picture goes with its boxes")
    arguments = parser.parse_args()
    try:
        detector = gk.pretrained.ObjectDetector().load(arguments.preset)
        found = detector.predict(arguments.picture, arguments.drawn)
    except gk.GenoKerasError as error:
        raise SystemExit(f"This example needs a preset of an object detector: {error}") from error
    for one in found:
        print(f"{one.label} {one.score:.2f} at {', '.join(f'{edge:.0f}' for edge in one.box)}")


if __name__ == "__main__":
    main()
