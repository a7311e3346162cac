"""The pages of the documentation, their blocks of code, and how these are run.

Blocks of ``python`` and ``sh`` run page by page and in order, in a folder of their own. A comment ``<!-- not run: why -->`` before a
block keeps it from that. Time limits are cut to ``GENOKERAS_DOCS_SECONDS`` (15), also where a fit names none; lines of ``pip`` and ``make`` are
left out. A page whose blocks need all folds, which a short limit may not leave time for, says so: ``<!-- limits: 45 s -->``.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from click.testing import CliRunner

from genokeras.cli import main

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("GENOKERAS_DOCS_SECONDS", "15"))
# `{.python}` is a block that the formatter leaves alone.
_FENCE = re.compile(r"^(\s*)```\{?\.?(\w*)\}?\s*$")
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
_SECONDS = re.compile(r"^<!-- limits: (\d+) s -->$", re.MULTILINE)
_LIMIT = re.compile(r"(--time-limit) (\d+)")
_SEARCHES = re.compile(r"(Classifier|Regressor|Survival)$")
_LIMITS = ("time_limit", "max_trials")


@dataclass(frozen=True)
class Block:
    """Code between two fences."""

    page: str
    line: int
    language: str
    code: str
    not_run: str = ""
    seconds: float = SECONDS

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> list[list[str]]:
        """The words of each command of a block of ``sh``; comments are left out, continued lines joined."""
        lines = self.code.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def pages() -> list[str]:
    """README.md, CONTRIBUTING.md and the pages of docs, but for those that include another or are made of docstrings."""
    own = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *(page for page in own if page != "docs/contributing.md")]


def blocks(page: str) -> list[Block]:
    """All blocks of a page that say which language they are in."""
    found: list[Block] = []
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    text = "\n".join(lines)
    limit = _SECONDS.search(text)
    seconds = max(SECONDS, float(limit[1])) if limit else SECONDS
    start, language, why = None, "", ""
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if start is None and fence:
            start, language = number, fence[2]
        elif start is not None and line.strip() == "```":
            code = "\n".join(lines[start : number - 1])
            if language and "--8<--" not in code:
                found.append(Block(page, start, language, code + "\n", why, seconds))
            start, why = None, ""
        elif start is None and line.strip():
            comment = _NOT_RUN.match(line.strip())
            why = comment[1] if comment else ""
    assert start is None, f"{page}:{start}: a block without an end"
    return found


# ---- running


class _Shorter(ast.NodeTransformer):
    """Cuts time limits, and gives one to searches that name none."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg == "time_limit" and isinstance(value, ast.Constant) and value.value:
                keyword.value = ast.Constant(min(float(value.value), self._seconds))
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if _SEARCHES.search(name) and not any(keyword.arg in _LIMITS for keyword in node.keywords):
            node.keywords.append(ast.keyword("time_limit", ast.Constant(self._seconds)))
        return node


def run_python(block: Block, names: dict[str, Any]) -> None:
    """Run a block in a namespace that blocks of a page share."""
    tree = ast.fix_missing_locations(_Shorter(block.seconds).visit(ast.parse(block.code)))
    ast.increment_lineno(tree, block.line)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what a page is told of, such as missing genes
        exec(compile(tree, str(ROOT / block.page), "exec", dont_inherit=True), names)


def shorter(line: str, seconds: float = SECONDS) -> str:
    """A line of ``sh`` as it is run: time limits cut, installations left out."""
    words = line.split()
    if words[:1] in (["pip"], ["make"]):
        return ""
    cut = _LIMIT.sub(lambda found: f"{found[1]} {min(float(found[2]), seconds):g}", line)
    if words[:2] == ["genokeras", "fit"] and not any(
        f"--{name.replace('_', '-')}" in line for name in _LIMITS
    ):
        cut = cut.replace("genokeras fit", f"genokeras fit --time-limit {seconds:g}", 1)
    return cut


def run_shell(block: Block, folder: Path) -> None:
    """Run a block: commands of ``genokeras`` in this process, which has Keras already, other blocks by bash."""
    lines = [shorter(line, block.seconds) for line in block.code.splitlines()]
    short = replace(block, code="\n".join(lines))
    commands = short.commands()
    if all(words[0] == "genokeras" for words in commands):
        for words in commands:
            done = CliRunner().invoke(main, words[1:], prog_name="genokeras")
            assert done.exit_code == 0, f"{block}: {' '.join(words)}\n{done.output}\n{done.exception!r}"
        return
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    arguments = ["bash", "-euo", "pipefail", "-c", short.code]
    ended = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, f"{block}: exit code {ended.returncode}\n{ended.stdout}\n{ended.stderr}"


# ---- files that pages name, as a reader would have them


def make_files(folder: Path) -> None:
    """``examples`` beside the page, and stand-ins of the reader's own files."""
    (folder / "examples").symlink_to(ROOT / "examples")
    rng = np.random.default_rng(0)
    for name, n in (("patients", 40), ("new_patients", 12)):
        ill = rng.random(n) < 0.5
        x = rng.normal(size=(n, 30)) + 2.0 * ill[:, None] * (np.arange(30) < 5)
        table = pd.DataFrame(x, columns=[f"GENE{i}" for i in range(30)]).round(3)
        table.insert(0, "sample", [f"{name}{i}" for i in range(n)])
        table.assign(diagnosis=np.where(ill, "ill", "well")).to_csv(
            folder / f"{name}.tsv", sep="\t", index=False
        )
    for name, n in (("cells", 90), ("new_cells", 20)):
        types = rng.choice(["B", "T"], n)
        counts = rng.poisson(1 + 3 * (types == "B")[:, None] * (np.arange(30) < 6)).astype("float32")
        obs = pd.DataFrame({"cell_type": types, "donor": np.resize([f"d{i}" for i in range(12)], n)})
        obs.index = [f"{name}{i}" for i in range(n)]
        anndata.AnnData(counts, obs, pd.DataFrame(index=[f"GENE{i}" for i in range(30)])).write_h5ad(
            folder / f"{name}.h5ad"
        )
    for name, n in (("promoters", 80), ("new_promoters", 12)):
        lines = []
        for i in range(n):
            letters = rng.choice(list("ACGT"), 40)
            if i % 2:
                letters[10:18] = list("TATAAAAG")
            lines.append(f">{name}{i} label={i % 2}\n{''.join(letters)}\n")
        (folder / f"{name}.fasta").write_text("".join(lines))
