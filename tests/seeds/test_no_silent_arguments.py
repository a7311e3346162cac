"""No argument is accepted and ignored: every parameter of the faces that came from elsewhere is read, and what is kept of it too.

A parameter that is passed on is read by the function that it is passed to, which is walked too; one that is kept, as an attribute, a
field or a key of a configuration, has to be read as ``.name`` by some other line. What has no effect on purpose is listed here, and
has to be said where users read of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACES = ("keras_models", "projects", "modules", "exports", "pretrained", "tuning", "streams")

# Keys of AutoGenome that are there so that its files run; examples/autogenome/README.md calls them "no effect".
NO_EFFECT = {"input_fn", "num_threads", "max_number_of_steps", "log_every_n_steps", "output_every_n_steps"}
# Sections whose content is one fixed word.
FIXED = {"type"}
# Given by Keras, by an interface with several forms, or by Python's protocols.
OF_INTERFACES = {
    "StepShell.compute_loss",
    "StepShell.compute_metrics",
    "TorchNet.save",
    "TorchNet.load_weights",
    "read_saved_model",
    "read_litert",
}
# What is returned, for users to read.
RESULTS = {"FinishedTraining", "RepeatedKey", "TrainedRecord"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files() -> list[Path]:
    return [path for face in FACES for path in sorted((ROOT / "genokeras" / face).rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods, with their qualified names."""

    def below(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield f"{prefix}{child.name}", child
                yield from below(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from below(child, f"{child.name}.")

    return below(tree(path), "")


def names_of(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    found += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return [one.arg for one in found if one.arg not in ("self", "cls") and not one.arg.startswith("_")]


def only_declares(function: ast.FunctionDef) -> bool:
    """Whether it is abstract, an overload, or says that subclasses have to write it."""
    if any(
        "abstractmethod" in ast.unparse(one) or "overload" in ast.unparse(one)
        for one in function.decorator_list
    ):
        return True
    body = [
        one
        for one in function.body
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    return all(isinstance(one, ast.Raise | ast.Pass) for one in body)


@cache
def read_in(folder: Path) -> frozenset[str]:
    """Names that some line reads as ``.name``, or by their name as text outside of the classes that declare them."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)


def readers(path: Path) -> Path:
    """Where what a file declares has to be read: the keys of a project in projects, all else in the package."""
    projects = ROOT / "genokeras" / "projects"
    return projects if projects in path.parents else ROOT / "genokeras"


@cache
def overridden() -> frozenset[str]:
    """Methods that several classes write: one of them may have no use for what another one needs."""
    seen: dict[str, int] = {}
    for path in (ROOT / "genokeras").rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                for one in node.body:
                    if isinstance(one, ast.FunctionDef) and not one.name.startswith("__"):
                        seen[one.name] = seen.get(one.name, 0) + 1
    return frozenset(name for name, count in seen.items() if count > 1)


def test_every_parameter_is_read() -> None:
    ignored = []
    for path in files():
        for name, function in functions(path):
            last = name.rsplit(".", 1)[-1]
            if (
                only_declares(function)
                or name in OF_INTERFACES
                or (last.startswith("__") and last != "__init__")
            ):
                continue
            if "." in name and last in overridden():
                continue
            read = {
                node.id
                for one in function.body
                for node in ast.walk(one)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
            ignored += [
                f"{path.relative_to(ROOT)}: {name}({one})" for one in names_of(function) if one not in read
            ]
    assert not ignored, "\n".join(ignored)


def kept(path: Path) -> Iterator[tuple[str, str]]:
    """Fields of classes, and attributes that constructors set from their parameters."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ClassDef):
            continue
        for one in node.body:
            if (
                isinstance(one, ast.AnnAssign)
                and isinstance(one.target, ast.Name)
                and "ClassVar" not in ast.unparse(one.annotation)
            ):
                yield node.name, one.target.id
            if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                parameters = set(names_of(one))
                for target in ast.walk(one):
                    if isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store):
                        given = target.attr.lstrip("_")
                        if given in parameters:
                            yield node.name, target.attr


def test_everything_that_is_kept_is_read() -> None:
    silent = {
        f"{path.relative_to(ROOT)}: {owner}.{name}"
        for path in files()
        for owner, name in kept(path)
        if name not in read_in(readers(path)) | NO_EFFECT | FIXED and owner not in RESULTS
    }
    assert not silent, "\n".join(sorted(silent))


@pytest.mark.parametrize("name", sorted(NO_EFFECT - {"input_fn"}))
def test_what_has_no_effect_is_said_to_have_none(name: str) -> None:
    page = (ROOT / "examples" / "autogenome" / "README.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|") and f"{name}`" in line]
    assert lines and all("*no effect*" in line for line in lines)
    assert name not in read_in(ROOT / "genokeras" / "projects")
