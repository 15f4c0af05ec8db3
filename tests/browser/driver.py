"""The dashboard as a process and Chromium as its reader, for the journeys and for the measurements."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, expect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30_000
"""Milliseconds to wait for anything: a busy machine is not a defect."""
PAGES = {
    "": "Overview",
    "graph": "Directed graph",
    "delay": "Delayed feedback",
    "uncertainty": "Prediction uncertainty",
    "data": "Your data",
    "train": "Train",
}
"""Path to the name in the navigation."""
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running dashboard."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    runs: Path
    """Folder of the runs that do not ship."""
    seconds_to_health: float


@contextlib.contextmanager
def serve(runs: Path, *, log: Path) -> Iterator[Server]:
    """Run the dashboard on a free port of this machine, with its own runs and its log in given places."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "dashboard", "--server.port", str(port)]
    started = time.perf_counter()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=os.environ | {"RECOMMENDER_LENS_RUNS": str(runs), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for_health(url, process)
        healthy = time.perf_counter() - started
        yield Server(url=url, process=process, log=log, runs=runs, seconds_to_health=healthy)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for_health(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server says that it is well."""
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(url + "_stcore/health") as reply,
        ):
            if reply.status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the dashboard does not answer at {url} (exit code {process.poll()})")


def chromium_path() -> str | None:
    """Return where Chromium is, if it is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))


@dataclass
class Reader:
    """One browser tab, with everything that went wrong in it."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    accepted: str = "\0"
    """Words of an error box that belongs to the journey, such as a precision that is missed."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("request", self._check_address)

    def _hear(self, message: ConsoleMessage) -> None:
        """Note console errors; on a page below the root Streamlit first asks for its server below that page."""
        address = urlsplit(message.location.get("url", ""))
        asked = address.path.endswith(("/_stcore/health", "/_stcore/host-config"))
        if message.type == "error" and not (asked and "404" in message.text):
            self.problems.append(f"console: {message.text} ({address.path})")

    def _check_address(self, request: Request) -> None:
        """Note a request that leaves this machine."""
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.problems.append(f"outside request: {request.url}")

    def open(self, path: str = "") -> Page:
        """Open a page of the dashboard and wait until it has drawn itself."""
        self.page.goto(self.url + path)
        return self.drawn()

    def go(self, name: str) -> Page:
        """Follow the navigation in the sidebar."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        path = next(path for path, title in PAGES.items() if title == name)
        self.page.wait_for_url(lambda url: urlsplit(url).path.strip("/") == path)
        return self.drawn()

    def drawn(self) -> Page:
        """Wait until the script has ended and nothing on the page is stale."""
        exception = self.page.get_by_test_id("stException")
        first = self.page.get_by_role("heading", level=1).or_(exception).or_(self.page.get_by_test_id("stAlert"))
        expect(first.first).to_be_visible()
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(self.page.locator("[data-stale=true]")).to_have_count(0)
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        assert exception.all_inner_texts() == []
        return self.page

    def complaints(self) -> list[str]:
        """Return what went wrong so far, with any error box or exception now on the page."""
        boxes = self.page.get_by_test_id("stException").or_(self.page.get_by_test_id("stAlertContentError"))
        texts = [text for text in boxes.all_inner_texts() if self.accepted not in text]
        return self.problems + [f"on the page: {text}" for text in texts]
