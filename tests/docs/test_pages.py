"""What can be seen of the documentation without running it: names, options, links, and what is said twice."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import genokeras
from genokeras.cli import main
from genokeras.support.extras import EXTRAS
from tests.docs.pages import ROOT, Block, blocks, pages

PAGES = pages()
DOCS = ROOT / "docs"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_EXTRA = re.compile(r"genokeras\[([a-z,-]+)\]")


def of_language(language: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language == language]


# ---- Python


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_python_compiles_and_its_names_of_genokeras_exist(block: Block) -> None:
    tree = ast.parse(block.code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("genokeras"):
            module = importlib.import_module(str(node.module))
            missing = [name.name for name in node.names if not hasattr(module, name.name)]
            assert not missing, f"{block}: {node.module} has no {missing}"
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("gk", "ag")
        ):
            assert node.attr in (*genokeras.__all__, "pretrained"), f"{block}: gk.{node.attr}"


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_calls_of_genokeras_have_arguments_that_there_are(block: Block) -> None:
    for call, function in calls(block):
        known = inspect.signature(function).parameters
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values()):
            continue
        for keyword in call.keywords:
            assert keyword.arg in known, f"{block}: {ast.unparse(call.func)} has no {keyword.arg}"


def calls(block: Block) -> Iterator[tuple[ast.Call, Any]]:
    """Calls of public names, with the methods that follow a constructor at once."""
    for node in ast.walk(ast.parse(block.code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of, name = node.func.value, node.func.attr
        if isinstance(of, ast.Name) and of.id in ("gk", "ag") and name in genokeras.__all__:
            yield node, getattr(genokeras, name)
        elif isinstance(of, ast.Call) and ast.unparse(of.func).startswith("gk."):
            made = getattr(genokeras, ast.unparse(of.func)[3:], None)
            if made is not None and hasattr(made, name):
                yield node, getattr(made, name)


# ---- the command line


def genokeras_commands() -> list[tuple[str, list[str]]]:
    found = []
    for block in of_language("sh"):
        for words in block.commands():
            words = words[1:] if words[0] == "srun" else words
            if words[0] == "genokeras":
                found.append((f"{block}: {' '.join(words)}", words[1:]))
    return found


@pytest.mark.parametrize(("shown", "words"), genokeras_commands())
def test_commands_have_options_that_there_are(shown: str, words: list[str]) -> None:
    if words[0].startswith("-"):
        assert words == ["--help"]
        return
    command = main.commands[words[0]]
    context = click.Context(command, info_name=words[0], parent=click.Context(main, info_name="genokeras"))
    if words[1:] == ["--help"]:
        return
    given, rest, _ = command.make_parser(context).parse_args(list(words[1:]))
    assert rest == []
    for parameter in command.params:
        value = given.get(str(parameter.name))
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)
        if parameter.required and parameter.name != "calls":
            assert value, f"{shown}: {parameter.name} is missing"


def test_targets_of_make_and_extras_are_those_there_are() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    targets += ["test-jax", "test-torch"]
    for block in of_language("sh"):
        for words in block.commands():
            assert words[0] != "make" or words[1] in targets, f"{block}: make {words[1]}"
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for extras in _EXTRA.findall(text):
            assert all(name in (*EXTRAS, "all") for name in extras.split(",")), page
        # zsh takes brackets without quotes for a pattern.
        assert not re.search(r"install [^\"'`\n]*genokeras\[", text), page


def test_the_commands_of_the_page_on_the_command_line_are_all_there_are() -> None:
    page = (DOCS / "how-to" / "command-line.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z]+)", page, re.MULTILINE)
    assert sorted(listed) == sorted(main.commands)


# ---- links, the site, what is said twice


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_are_there(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.is_file(), f"{page}: {link}"
        if page.startswith("docs/"):
            assert file.resolve().is_relative_to(DOCS), f"{page}: {link} is no part of the site"
        if anchor:
            assert anchor in headings(file), f"{page}: {link}"


def headings(file: Path) -> list[str]:
    source = ROOT / "CONTRIBUTING.md" if file.name == "contributing.md" else file
    titles = re.findall(r"^#+ (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles]


def test_every_page_is_in_the_navigation_once() -> None:
    listed = re.findall(
        r"[:-] ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_every_public_name_is_in_the_reference() -> None:
    shown = re.findall(
        r"^::: ([\w.]+)$",
        "\n".join(p.read_text("utf-8") for p in (DOCS / "reference").glob("*.md")),
        re.MULTILINE,
    )
    names = [name.rpartition(".")[2] for name in shown]
    missing = set(genokeras.__all__) - {"__version__"} - set(names)
    assert not missing, f"put '::: genokeras.PACKAGE.NAME' on a page of docs/reference: {missing}"
    for path in shown:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


def test_the_first_screen_shows_what_its_script_printed() -> None:
    code, output = (blocks("README.md")[0], next(b for b in blocks("README.md") if b.language == "text"))
    assert code.code == (DOCS / "quickstart.py").read_text(encoding="utf-8")
    assert output.code.rstrip() == (DOCS / "quickstart.txt").read_text(encoding="utf-8").rstrip()
    included = re.findall(r'^--8<-- "(.+)"$', (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert included == ["docs/quickstart.py", "docs/quickstart.txt"]


def test_the_citation_has_the_version_of_the_package() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {genokeras.__version__}\n" in text


def test_figures_of_the_comparison_are_those_of_the_benchmarks() -> None:
    benchmarks = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for page in ("README.md", "docs/comparison.md"):
        text = (ROOT / page).read_text(encoding="utf-8").replace("**", "")
        rows = re.findall(
            r"^\| (GenoKeras|linear SVM|logistic|random forest)[^|]*\|(.+)\|$", text, re.MULTILINE
        )
        own = {
            "GenoKeras": "genokeras",
            "linear SVM": "svm",
            "logistic": "logistic",
            "random forest": "forest",
        }
        assert len(rows) == 4, page
        for name, cells in rows:
            there = re.search(rf"^\| {own[name]} \|(.+)\|$", benchmarks, re.MULTILINE)
            assert there is not None
            known = [cell.strip() for cell in there[1].split("|")]
            for cell in [cell.strip() for cell in cells.split("|")][:-1]:
                assert cell in known, f"{page}: {name} {cell}"
