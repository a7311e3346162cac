"""``gk.pretrained`` comes when it is asked for, and keras-hub when a preset is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_package_is_reached_by_its_name_and_keras_hub_is_left_alone() -> None:
    code = (
        "import sys, genokeras as gk; before = 'genokeras.pretrained' in sys.modules; "
        "gk.pretrained.ObjectDetector; print(before, 'keras_hub' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False False"
