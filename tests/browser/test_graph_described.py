"""A reader describes a graph from the command line and looks around in it without a training."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from driver import ROOT, Reader, Server
from graph_steps import NEIGHBOUR
from playwright.sync_api import expect

NAME = "described-calls"


@pytest.fixture(scope="module")
def described(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Describe calls between people, with odd column names, where the dashboard looks for runs."""
    rng = np.random.default_rng(0)
    ends = rng.integers(40, size=(3000, 2)) ** 2 // 40
    names = np.array([f"Zoë {k} & <i>co</i>" for k in range(40)], dtype=object)
    path: Path = tmp_path_factory.mktemp("calls") / "calls.csv"
    pd.DataFrame({"who calls": names[ends[:, 0]], "whom": names[ends[:, 1]]}).to_csv(path, index=False)
    words = ["describe", "graph", "--data", str(path), "--column", "source=who calls", "target=whom"]
    folder = server.runs / NAME
    subprocess.run([sys.executable, "-m", "engine", *words, "--out", str(folder)], cwd=ROOT, check=True, timeout=120)
    yield NAME
    shutil.rmtree(folder, ignore_errors=True)


def test_a_described_graph_is_read_from_its_answer_to_a_neighbour(reader: Reader, described: str) -> None:
    reader.open()
    reader.go("Directed graph")
    page = reader.open(f"graph?graph-run={described}")
    expect(page.get_by_role("heading", level=5).first).to_contain_text("point one way")
    expect(page.get_by_text("Which way do the strongest pairs point?", exact=True)).to_be_visible()
    page.get_by_role("button", name="What a training adds").click()
    expect(page.get_by_text("python -m engine train graph --data")).to_be_visible()
    page.keyboard.press("Escape")
    for tab in ("Degrees", "Nodes", "Pairs", "Explore a node"):
        page.get_by_role("tab", name=tab, exact=True).click()
        reader.drawn()
        expect(page.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")
    network = page.locator(".js-plotly-plot").filter(has_text="Observed edge").first
    network.scroll_into_view_if_needed()
    target = network.evaluate(NEIGHBOUR)
    page.mouse.click(target["x"], target["y"])
    expect(page.get_by_text(f"Around {target['name']}: what points to it")).to_be_visible()
    reader.drawn()
    search = page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first
    before = search.input_value()
    page.get_by_role("button", name="Random", exact=True).click()
    expect(search).not_to_have_value(before)
    reader.drawn()


def test_the_sidebar_leads_from_a_trained_run_to_a_described_one_and_back(reader: Reader, described: str) -> None:
    page = reader.open("graph?graph-run=debian-programs&graph-tab=Review+pairs")
    for name, text in ((described, "Described, not trained"), ("debian-programs", "edges trained")):
        field = page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").locator("input")
        field.click()
        page.get_by_role("option", name=name, exact=True).click()
        expect(page.get_by_text(text).first).to_be_visible()
        reader.drawn()


def test_the_overview_shows_a_described_run_beside_the_others(reader: Reader, described: str) -> None:
    page = reader.open(f"?graph-run={described}")
    expect(page.get_by_text("not measured").first).to_be_visible()
    expect(page.get_by_text("Measured effect of every claim, with its 95 % interval")).to_be_visible()
    reader.go("Train")
    expect(page.get_by_text("Stored runs")).to_be_visible()
