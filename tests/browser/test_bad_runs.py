"""Runs as they come: with names from somebody's file, shown as text, and with tables that can no longer be read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from driver import ROOT, Reader, Server
from playwright.sync_api import expect

from engine.runs import list_runs

HOSTILE = (
    "![beacon](http://127.0.0.2:9/beacon.png)",
    "[click](javascript:alert(1))",
    "<img src='http://127.0.0.2:9/x.png' onerror='alert(1)'>",
    "<script>alert(1)</script>",
    "\u202etxt.exe",
    "x" * 10_000,
)


@pytest.fixture
def copied_run(server: Server) -> Iterator[Path]:
    """Store a copy of a graph run that a test may spoil."""
    folders = [ROOT / "sample_data" / "runs", server.runs]
    run = next(run for folder in folders if folder.is_dir() for run in list_runs(folder) if run.kind == "graph")
    copy = server.runs / f"graph-copy-{uuid4().hex[:8]}"
    shutil.copytree(run.folder, copy)
    yield copy
    shutil.rmtree(copy)


def make_hostile(copy: Path) -> None:
    """Replace every text from the data by a hostile one."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["dataset"] |= {"name": HOSTILE[0], "description": " ".join(HOSTILE), "rows": {HOSTILE[2]: 12}}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    spoil(copy / "curves" / "claims.parquet", ["effect", "segment", "comparison"], by=["n"])
    spoil(copy / "curves" / "nodes.parquet", ["name", "label", "category"], by=["in_degree", "out_degree"])


def spoil(path: Path, columns: list[str], *, by: list[str]) -> None:
    """Make the texts of the rows with the largest counts hostile: those that a page shows first."""
    table = pd.read_parquet(path)
    for place, row in enumerate(table[by].sum(axis=1).nlargest(3 * len(HOSTILE)).index):
        table.loc[row, columns] = f"{HOSTILE[place % len(HOSTILE)]} {place}"
    table.to_parquet(path, index=False)


def test_hostile_names_are_shown_as_text_and_fetch_nothing(reader: Reader, copied_run: Path) -> None:
    make_hostile(copied_run)
    asked: list[str] = []
    reader.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page = reader.open(f"?graph-run={copied_run.name}")
    expect(page.get_by_text("![beacon](http:\u200b//127.0.0.2:9/beacon.png)").first).to_be_visible()
    reader.open(f"graph?graph-run={copied_run.name}")
    expect(page.locator(".js-plotly-plot .scatterlayer text", has_text="beacon").first).to_be_visible()
    assert page.locator("img[src*='127.0.0.2']").count() == 0
    assert page.locator("a[href^='javascript'], a[href*='127.0.0.2']").count() == 0
    assert asked == []


def test_a_run_that_cannot_be_read_says_so_and_leaves_the_rest_usable(reader: Reader, copied_run: Path) -> None:
    reader.accepted = "cannot be read"
    for path in (copied_run / "curves").glob("*.parquet"):
        path.write_bytes(b"PAR1 and no more")
    page = reader.open(f"graph?graph-run={copied_run.name}")
    box = page.get_by_test_id("stAlertContentError")
    expect(box).to_contain_text(f"of run '{copied_run.name}' cannot be read; train it again.")

    reader.go("Overview")
    expect(box).to_have_count(1)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    picker = page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first.locator("input")
    picker.click()
    page.get_by_role("option").filter(has_not_text=copied_run.name).first.click()
    expect(box).to_have_count(0)
    reader.go("Directed graph")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
