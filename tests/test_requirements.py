"""The files of exact versions hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import genokeras

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
READERS = ("detection", "excel", "export", "fast", "parquet", "single-cell")


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    found = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines)
    return {_normal(match[1]): match[2] for match in found if match}


def lower_bounds(*extras: str) -> dict[str, str]:
    asked = PROJECT["dependencies"] + [line for e in extras for line in PROJECT["optional-dependencies"][e]]
    return {
        _normal(match[1]): match[2] for line in asked if (match := re.fullmatch(r"([\w.-]+)>=([\d.]+)", line))
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@pytest.mark.parametrize("name", sorted(lower_bounds(*READERS)))
def test_the_oldest_releases_are_those_that_are_asked_for(name: str) -> None:
    bound, oldest = _numbers(lower_bounds(*READERS)[name]), _numbers(pinned("oldest.txt")[name])
    assert oldest[: len(bound)] == bound, f"{name}: pyproject.toml allows {bound}, oldest.txt tries {oldest}"


@pytest.mark.parametrize("name", sorted(lower_bounds(*READERS)))
def test_the_newest_releases_are_pinned(name: str) -> None:
    assert _numbers(pinned("constraints.txt")[name]) >= _numbers(lower_bounds(*READERS)[name])


def test_the_conda_recipe_asks_for_the_same() -> None:
    text = (ROOT / "requirements" / "conda" / "meta.yaml").read_text()
    run = text.split("  run:\n")[1].split("\n\n")[0]
    asked = dict(re.findall(r"^    - ([\w-]+) >=([\d.]+)$", run, re.MULTILINE))
    names = {"python-graphviz": "graphviz", "matplotlib-base": "matplotlib"}
    assert {names.get(name, name): bound for name, bound in asked.items()} == lower_bounds()
    assert f'set version = "{genokeras.__version__}"' in text
    assert text.split("host:\n    - python ")[1].split("\n")[0] == PROJECT["requires-python"]
