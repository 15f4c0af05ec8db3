"""Measure how fast the dashboard opens and answers, and take its pictures; run by hand, nothing is asserted.

    python tests/browser/measure.py [FOLDER]

prints seconds from process start to health and to the first chart of every page, milliseconds from a slider's move
to the new picture and of the server's processor for it, and the server's memory. With FOLDER it also writes a
screenshot of every page there, in light and dark, 1280 and 1920 pixels wide. It opens the shipped runs, and those in
RECOMMENDER_LENS_RUNS where that is set.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from driver import PAGES, Reader, Server, chromium_path, launch, serve
from playwright.sync_api import Browser, Page, sync_playwright

REPEATS = 10
WIDTHS = (1280, 1920)
TALLEST = 2600
CHART = ".js-plotly-plot .main-svg, [data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
SLIDERS = {"delay": ("Waiting window", "Labels still to flip"), "uncertainty": ("Move all", "The boundary")}
"""Page to the start of a slider's label and of the title of the chart that follows it."""

# Note when the key goes down and when the picture in the card of a chart has changed and been painted.
WATCH = """
title => {
    const picture = () => {
        const cards = [...document.querySelectorAll("[data-testid=stVerticalBlock]")].filter(
            card => card.innerText.startsWith(title) && card.querySelector(".js-plotly-plot, canvas"));
        const plot = cards.at(-1)?.querySelector(".js-plotly-plot .main-svg");
        return plot ? plot.outerHTML : null;
    };
    const before = picture();
    if (before === null) throw new Error("no chart titled " + title);
    window.moved = new Promise(resolve => {
        window.addEventListener("keydown", event => {
            const start = event.timeStamp;
            const look = () => {
                const now = picture();
                if (now !== null && now !== before)
                    requestAnimationFrame(() => resolve(performance.now() - start));
                else setTimeout(look, 4);
            };
            look();
        }, {capture: true, once: true});
    });
}
"""


def say(line: str) -> None:
    """Print a line at once: the next figure may take a while."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, then take pictures if a folder is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where screenshots go")
    folder = parser.parse_args().folder
    path = chromium_path()
    if path is None:
        sys.exit("Chromium is not installed (on Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        runs = Path(os.environ.get("RECOMMENDER_LENS_RUNS", Path(scratch) / "runs"))
        chromium = launch(playwright, path)
        for page in list(PAGES)[:4]:
            first_chart(chromium, runs, Path(scratch), page)
        with serve(runs, log=Path(scratch) / "server.log") as server:
            for page, (slider, chart) in SLIDERS.items():
                slider_moves(chromium, server, page, slider, chart)
            say(f"server memory after these pages: {memory(server.process.pid):.0f} MB")
            if folder is not None:
                pictures(chromium, server.url, folder)
        chromium.close()


def first_chart(chromium: Browser, runs: Path, scratch: Path, path: str) -> None:
    """Start a server, open one page of it, and time both; then open the page again in a new session."""
    with serve(runs, log=scratch / "server.log") as server:
        seconds = []
        for _ in range(2):
            tab = chromium.new_page(viewport={"width": 1280, "height": 1000})
            start = time.perf_counter()
            tab.goto(server.url + path)
            tab.locator(CHART).first.wait_for(timeout=60_000)
            seconds.append(time.perf_counter() - start)
            tab.close()
    say(
        f"{PAGES[path]}: process start to health {server.seconds_to_health:.2f} s, then to the first chart "
        f"{seconds[0]:.2f} s; first chart again in a new browser session {seconds[1]:.2f} s"
    )


def slider_moves(chromium: Browser, server: Server, path: str, slider: str, chart: str) -> None:
    """Move a slider by one step at a time and time every new picture, and what the server computes for it."""
    tab = chromium.new_page(viewport={"width": 1280, "height": 1600})
    reader = Reader(tab, server.url)
    reader.open(path)
    thumb = tab.get_by_test_id("stSlider").filter(has_text=slider).locator("input[type=range]")
    times, work = [], []
    for _ in range(REPEATS):
        reader.drawn()
        tab.wait_for_timeout(400)
        tab.evaluate(WATCH, chart)
        before = processor_milliseconds(server.process.pid)
        thumb.press("ArrowRight")
        times.append(float(tab.evaluate("window.moved")))
        reader.drawn()
        work.append(processor_milliseconds(server.process.pid) - before)
    tab.close()
    say(
        f"{PAGES[path]}: slider to new picture, median of {REPEATS}: {statistics.median(times):.0f} ms "
        f"(from {min(times):.0f} to {max(times):.0f}); processor of the server {statistics.mean(work):.0f} ms"
    )


def processor_milliseconds(pid: int) -> float:
    """Return the processor time that a process has used; the clock behind it ticks every 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def pictures(chromium: Browser, url: str, folder: Path) -> None:
    """Write a screenshot of every page in both themes and both widths, as tall as the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            tab = chromium.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
            reader = Reader(tab, url)
            for path in PAGES:
                reader.open(path)
                tab.set_viewport_size({"width": width, "height": content_height(tab)})
                reader.drawn()
                tab.wait_for_timeout(2000)
                tab.screenshot(path=folder / f"{path or 'overview'}-{scheme}-{width}.png")
                tab.set_viewport_size({"width": width, "height": 1000})
            for problem in reader.complaints():
                say(f"{scheme} {width}: {problem}")
            tab.close()


def content_height(tab: Page) -> int:
    """Return how tall a window has to be to show the whole page, up to a limit."""
    tab.wait_for_timeout(1500)
    height = tab.get_by_test_id("stMain").evaluate("node => node.scrollHeight")
    return min(max(int(height), 900), TALLEST)


if __name__ == "__main__":
    main()
