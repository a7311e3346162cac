"""The report in a real browser, wide and narrow; skipped where there is no Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from genokeras.report import write_report
from tests.report.small_runs import named_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PROBE = """<script>addEventListener("load", () => {
  const page = document.documentElement;
  parent.postMessage(JSON.stringify({
    needed: page.scrollWidth, there: page.clientWidth,
    broken: [...document.images].filter(i => !i.naturalWidth).length,
    silent: [...document.images].filter(i => !i.alt).length,
    pictures: document.images.length,
  }), "*");
});</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's report."""
    folder = tmp_path_factory.mktemp("browsed")
    return write_report(named_run(folder), folder / "report.html")


def browse(page: Path) -> tuple[str, list[str]]:
    """The page's elements behind its scripts, and what stands on the console."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    command += [f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_console_stays_empty(report: Path) -> None:
    elements, console = browse(report)
    assert "<h1" in elements and not console
    # The policy of the page lets its one script run, which makes the heads of columns buttons.
    assert elements.count("<button>") >= 5


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_overflows_and_every_picture_speaks(report: Path, tmp_path: Path, width: int) -> None:
    # The report lets no script run, not even the one that measures it here.
    bare = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", report.read_text(encoding="utf-8"))
    frame = f'<iframe width="{width}" height="800" style="border:0" srcdoc="{html.escape(bare + PROBE)}"></iframe>'
    listen = "addEventListener('message', e => document.getElementById('found').textContent = e.data)"
    wrapped = tmp_path / "frame.html"
    wrapped.write_text(
        f'<!doctype html><meta charset="utf-8"><pre id="found"></pre><script>{listen}</script>{frame}',
        encoding="utf-8",
    )
    elements, console = browse(wrapped)
    match = re.search(r'<pre id="found">(.+?)</pre>', elements)
    assert match is not None and not console
    found = json.loads(html.unescape(match.group(1)))
    assert found["needed"] <= found["there"] <= width
    assert found["pictures"] >= 4 and not found["broken"] and not found["silent"]
