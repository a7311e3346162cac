"""Every block of code of the documentation runs, page by page (`make test-docs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genokeras.graph.testing import MorphismContract
from genokeras.searchers import Searcher
from genokeras.searchers.testing import SearcherContract
from tests.docs.pages import SECONDS, Block, blocks, make_files, pages, run_python, run_shell, shorter

RUN = {"python": 1, "sh": 1}
PAGES = [
    page for page in pages() if any(block.language in RUN and not block.not_run for block in blocks(page))
]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.not_run:
            continue
        if block.language == "python":
            run_python(block, names)
        elif block.language == "sh":
            run_shell(block, tmp_path)


def test_what_contributing_adds_passes_its_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks("CONTRIBUTING.md"):
        if block.language == "python":
            run_python(block, names)

    class OfSearcher(SearcherContract):
        def make_searcher(self) -> Searcher:
            return names["Widths"](n_outputs=2)

    class OfMorphism(MorphismContract):
        morphism = names["AddDropout"]

    for contract in (OfSearcher(), OfMorphism()):
        tests = [name for name in dir(contract) if name.startswith("test_")]
        assert len(tests) > 4
        for name in tests:
            getattr(contract, name)()


def test_time_limits_are_cut_and_given() -> None:
    names: dict[str, Any] = {"gk": _Pretended()}
    run_python(
        Block("p", 1, "python", "a = gk.GenomeClassifier(path='r')\nb = gk.fit(time_limit=600)\n"), names
    )
    assert names["a"] == {"path": "r", "time_limit": SECONDS} and names["b"] == {"time_limit": SECONDS}
    run_python(Block("p", 1, "python", "a = gk.GenomeClassifier(max_trials=2, time_limit=None)"), names)
    assert names["a"] == {"max_trials": 2, "time_limit": None}
    assert shorter("genokeras fit a.tsv --out r") == f"genokeras fit --time-limit {SECONDS:g} a.tsv --out r"
    assert shorter("genokeras fit a.tsv --time-limit 600") == f"genokeras fit a.tsv --time-limit {SECONDS:g}"
    assert shorter("genokeras fit a.tsv --max-trials 2").endswith("fit a.tsv --max-trials 2")
    assert (shorter("make demo"), shorter("pip install ."), shorter("ls")) == ("", "", "ls")


def test_a_block_that_fails_says_where(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"docs/p.md:7: exit code 3"):
        run_shell(Block("docs/p.md", 7, "sh", "true\nexit 3\n"), tmp_path)
    with pytest.raises(
        AssertionError, match=r"docs/p.md:7: genokeras predict nowhere x.csv\nError: the run folder"
    ):
        run_shell(Block("docs/p.md", 7, "sh", "genokeras predict nowhere x.csv  # gone\n"), tmp_path)
    with pytest.raises(ZeroDivisionError) as caught:
        run_python(Block("docs/p.md", 7, "python", "\n1 / 0\n"), {})
    assert caught.traceback[-1].lineno == 8 and str(caught.traceback[-1].path).endswith("docs/p.md")


class _Pretended:
    def __getattr__(self, name: str) -> Any:
        return lambda **given: given
