"""The names at the top of the package: lazy, complete, and helpful when misspelt."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import genokeras

ROOT = Path(__file__).parent.parent
PUBLIC = [name for name in genokeras.__all__ if name != "__version__"]


def in_a_new_interpreter(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def names_given_to_type_checkers() -> set[str]:
    block = next(
        node
        for node in ast.parse(Path(genokeras.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        f"{node.module}.{name.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ("tensorflow", "keras", "jax", "torch", "pandas", "sklearn", "numpy", "matplotlib")
    loaded = in_a_new_interpreter(f"import genokeras, sys; print([m for m in {heavy} if m in sys.modules])")
    assert loaded == "[]"


def test_graph_and_search_are_imported_without_keras() -> None:
    code = "import genokeras, sys; genokeras.Graph; genokeras.Searcher; print('keras' in sys.modules)"
    assert in_a_new_interpreter(code) == "False"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_reached(name: str) -> None:
    assert getattr(genokeras, name).__name__ == name


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name: str) -> None:
    assert getattr(genokeras, name).__doc__


def test_public_names_are_listed_by_dir() -> None:
    assert dir(genokeras) == sorted(genokeras.__all__)


def test_type_checkers_see_the_names_where_they_are_found() -> None:
    assert names_given_to_type_checkers() == {
        f"genokeras.{home}.{name}" for name, home in genokeras._HOMES.items()
    }
    assert sorted(genokeras._HOMES) == sorted(PUBLIC)


@pytest.mark.parametrize("misspelt", ["GenomeClasifier", "genomeclassifier", "Genome_Classifier"])
def test_a_misspelt_name_is_answered_with_the_nearest(misspelt: str) -> None:
    with pytest.raises(AttributeError, match="Did you mean 'GenomeClassifier'"):
        getattr(genokeras, misspelt)


def test_a_name_like_no_other_is_answered_without_a_guess() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'qqqq'\.$"):
        genokeras.qqqq  # noqa: B018
