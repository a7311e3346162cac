"""What is wrong with a configuration: where, in words, and all of it in one message."""

from __future__ import annotations

import json
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from genokeras.errors import ConfigError
from genokeras.projects.config.text import KeyPath, path_text
from genokeras.support.wording import counted, did_you_mean, listed

_WIDTH = 110
# Problems that a message lists; a damaged file can have thousands.
_MOST_LISTED = 40


@dataclass(frozen=True)
class ConfigProblem:
    """One thing that is wrong: at which key, and a sentence that says what was expected and what came."""

    path: KeyPath
    text: str


def complain(
    problems: Sequence[ConfigProblem], source: str, lines: Mapping[KeyPath, int] | None
) -> ConfigError:
    """Return one error that lists the problems, a line each, in the order of the file.

    Parameters
    ----------
    problems : sequence of ConfigProblem
        At least one.
    source : str
        The file's name.
    lines : mapping of key path to int, optional
        Without it (a configuration from a dict) no lines are given.
    """
    any_case = {_lower(known): line for known, line in (lines or {}).items()}
    at = [_line(problem.path, lines or {}, any_case) for problem in problems]
    order = sorted(range(len(problems)), key=lambda i: at[i])
    rows = []
    for i in order[:_MOST_LISTED]:
        where = path_text(problems[i].path) or "the whole"
        place = f"line {at[i]}, {where}" if lines is not None else where
        rows.append(f"{place}: {problems[i].text}")
    if len(order) > len(rows):
        rows.append(f"... and {len(order) - len(rows)} more.")
    if len(rows) == 1:
        return ConfigError(_wrapped(f"{source}, {rows[0]}", ""))
    found = counted(len(problems), "problem")
    return ConfigError("\n".join([f"{source}: {found}", *(_wrapped(row, "  ") for row in rows)]))


def schema_problems(
    error: ValidationError, kind: type[BaseModel], others: Mapping[str, type[BaseModel]]
) -> list[ConfigProblem]:
    """Return what pydantic found, in our words.

    Parameters
    ----------
    error : ValidationError
    kind : type of BaseModel
        What was validated; its keys are what a misspelt one is compared with.
    others : mapping of str to type of BaseModel
        Where a key that is unknown here, but not there, may have strayed from; by what it is called.
    """
    found = []
    for item in error.errors(include_url=False):
        path = tuple(item["loc"])
        if item["type"] == "extra_forbidden":
            found.append(ConfigProblem(path, _unknown_key(path, kind, others)))
        else:
            found.append(
                ConfigProblem(path, _in_words(item["type"], item["input"], item.get("ctx", {}), item["msg"]))
            )
    return found


def shown(value: object) -> str:
    """Return a value as it looks in JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _wrapped(row: str, indent: str) -> str:
    return textwrap.fill(
        row,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _line(path: KeyPath, lines: Mapping[KeyPath, int], any_case: Mapping[KeyPath, int]) -> int:
    """Return the line of a key, or of what it should be in; a key may be written in another case."""
    for length in range(len(path), -1, -1):
        if path[:length] in lines:
            return lines[path[:length]]
        if _lower(path[:length]) in any_case:
            return any_case[_lower(path[:length])]
    return 0


def _lower(path: KeyPath) -> KeyPath:
    return tuple(part.lower() if isinstance(part, str) else part for part in path)


def _unknown_key(path: KeyPath, kind: type[BaseModel], others: Mapping[str, type[BaseModel]]) -> str:
    key = str(path[-1])
    here = [path_text(known) for known in _all_paths(kind) if known[-1] == key]
    if here:
        return f"unknown key here; it belongs into {listed(text.rpartition('.')[0] or 'the top' for text in here)}."
    for name, other in others.items():
        strayed = [path_text(known) for known in _all_paths(other) if known[-1] == key]
        if strayed:
            return f"unknown key; {strayed[0]} is for {name} projects."
    siblings = _keys(_section(kind, path[:-1]))
    hint = did_you_mean(key, siblings, 1)
    return f"unknown key.{hint}" if hint else f"unknown key; known are {', '.join(siblings)}."


def _keys(section: type[BaseModel] | None) -> list[str]:
    if section is None:
        return []
    return [field.alias or name for name, field in section.model_fields.items()]


def _section(kind: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    section: type[BaseModel] | None = kind
    for part in path:
        if section is None:
            return None
        section = next((below for key, below in _below(section) if key == part), None)
    return section


def _below(section: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel] | None]]:
    for name, field in section.model_fields.items():
        candidates = (field.annotation, *typing.get_args(field.annotation))
        models = (found for found in candidates if isinstance(found, type) and issubclass(found, BaseModel))
        yield field.alias or name, next(models, None)


def _all_paths(section: type[BaseModel], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, below in _below(section):
        yield (*above, key)
        if below is not None:
            yield from _all_paths(below, (*above, key))


def _in_words(kind: str, value: Any, context: Mapping[str, Any], message: str) -> str:
    if kind == "missing":
        return "missing; this key has to be given."
    if kind in _OURS:
        return message
    expected = _EXPECTED[kind](context) if kind in _EXPECTED else message[:1].lower() + message[1:]
    return f"expected {expected}, got {shown(value)}.{_remedy(kind, value, context)}"


def _remedy(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    if kind == "literal_error":
        choices = [choice.strip(" '") for choice in context["expected"].replace(" or ", ", ").split(",")]
        return did_you_mean(value, choices, 1) if isinstance(value, str) else ""
    number = kind in ("int_type", "float_type", "bool_type") and isinstance(value, str)
    return " Leave the quotes out." if number and _is_bare(value) else ""


def _is_bare(text: str) -> bool:
    try:
        return isinstance(json.loads(text), bool | int | float)
    except ValueError:
        return False


_OURS = frozenset({"selector", "folder_name", "delimiter", "distinct", "gpus"})
_EXPECTED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "model_type": lambda _: "an object, { ... }",
    "invalid_key": lambda _: "text as a key",
    "tuple_type": lambda _: "a list, [ ... ]",
    "string_type": lambda _: "text in quotes",
    "int_type": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "bool_type": lambda _: "true or false",
    "finite_number": lambda _: "a finite number",
    "string_too_short": lambda _: "some text",
    "too_short": lambda _: "a list with at least one value",
    "greater_than": lambda context: f"a number above {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number of {context['ge']:g} or more",
    "less_than": lambda context: f"a number below {context['lt']:g}",
    "less_than_equal": lambda context: f"a number of {context['le']:g} or less",
    "literal_error": lambda context: context["expected"].replace("None", "null").replace("'", '"'),
}
