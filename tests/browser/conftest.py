"""One dashboard and one browser per test process, one tab per journey, and no trouble tolerated in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from driver import Reader, Server, chromium_path, launch, serve
from playwright.sync_api import BrowserContext, sync_playwright

Scheme = Literal["light", "dark"]
NewReader = Callable[..., Reader]
# Without a graphics card every frame of a spinner or a fading part is painted by the processor that does the work.
STILL = """
addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = "*, *::before, *::after {animation: none !important; transition: none !important}";
    document.head.append(style);
});
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserContext]:
    """Start Chromium, or say why the journeys cannot be made; where that is promised to work, it fails.

    All tabs share what they have loaded, and nothing else: a session of the dashboard belongs to its tab.
    """
    path = chromium_path()
    if path is None:
        reason = "Chromium is not installed, so the pages cannot be looked at (on Debian: apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with sync_playwright() as playwright:
        chromium = launch(playwright, path)
        yield chromium.new_context()
        chromium.close()


@pytest.fixture(scope="session")
def server(browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the dashboard on the shipped runs, with an empty folder for own ones."""
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "runs").mkdir()
    with serve(folder / "runs", log=folder / "server.log") as running:
        yield running


@pytest.fixture
def no_verdicts(server: Server) -> None:
    """Start a journey without verdicts."""
    for path in server.runs.glob("reviews.sqlite*"):
        path.unlink()


@pytest.fixture
def new_reader(browser: BrowserContext, server: Server) -> Iterator[NewReader]:
    """Return a function that opens a tab; a journey with any trouble in one of its tabs fails."""
    readers: list[Reader] = []
    told = server.log.stat().st_size

    def open_tab(scheme: Scheme = "light", *, width: int = 1280, height: int = 1600) -> Reader:
        page = browser.new_page()
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.add_init_script(STILL)
        page.set_viewport_size({"width": width, "height": height})
        readers.append(Reader(page, server.url))
        return readers[-1]

    yield open_tab
    complaints = [complaint for reader in readers for complaint in reader.complaints()]
    for reader in readers:
        reader.page.close()
    # The page keeps the traceback to itself; the server's log has it.
    assert complaints == [], server.log.read_bytes()[told:].decode(errors="replace")[-4000:]


@pytest.fixture
def reader(new_reader: NewReader) -> Reader:
    """Open one tab in the light theme."""
    return new_reader()
