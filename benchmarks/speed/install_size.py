"""MB that the base installation takes on disk, TensorFlow and what only TensorFlow needs aside; run by the Python of a fresh environment.

python3 -m venv fresh && fresh/bin/pip install --no-compile --constraint requirements/constraints.txt .
fresh/bin/python benchmarks/speed/install_size.py
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

ROOT, ASIDE, LARGEST = "genokeras", "tensorflow", 8


def main() -> None:
    """Print the sum with and without TensorFlow, and the largest packages of the latter."""
    everything, without = reached(ROOT, ()), reached(ROOT, (ASIDE,))
    sizes = {name: size(found) for name, found in everything.items()}
    print(f"all {sum(sizes.values()):,.0f} MB")
    print(f"without {ASIDE} and what only it needs {sum(sizes[name] for name in without):,.0f} MB")
    for name in sorted(without, key=lambda name: -sizes[name])[:LARGEST]:
        print(f"  {name} {sizes[name]:,.0f}")


def reached(root: str, left_out: tuple[str, ...]) -> dict[str, Distribution]:
    """Distributions that a package asks for, directly or through others; extras count as not asked for."""
    found: dict[str, Distribution] = {}
    waiting = [root]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found or name in left_out:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # of another system, or another Python
            continue
        asked = [text for text in found[name].requires or () if "extra ==" not in text]
        waiting += [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in asked]
    return found


def size(found: Distribution) -> float:
    """MB of its files, without what Python compiles of them."""
    files = [file.locate() for file in found.files or () if file.suffix != ".pyc"]
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


if __name__ == "__main__":
    main()
