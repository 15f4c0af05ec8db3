"""Names in a run come from somebody's file: whatever they hold, they are shown as text and nothing is fetched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

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
def hostile_run(server: Server) -> Iterator[Path]:
    """Store a copy of a graph run in which every text from the data is hostile."""
    folders = [ROOT / "sample_data" / "runs", server.runs]
    run = next(run for folder in folders if folder.is_dir() for run in list_runs(folder) if run.kind == "graph")
    copy = server.runs / "graph-hostile"
    shutil.copytree(run.folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["dataset"] |= {"name": HOSTILE[0], "description": " ".join(HOSTILE), "rows": {HOSTILE[2]: 12}}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    for path in (copy / "curves").glob("*.parquet"):
        table = pd.read_parquet(path)
        for column in {"name", "category", "effect", "segment", "comparison"} & set(table.columns):
            if path.stem in ("nodes", "claims"):
                texts = [f"{HOSTILE[place % len(HOSTILE)]} {place}" for place in range(len(table))]
                table[column] = texts
        table.to_parquet(path, index=False)
    yield copy
    shutil.rmtree(copy)


def test_hostile_names_are_shown_as_text_and_fetch_nothing(reader: Reader, hostile_run: Path) -> None:
    asked: list[str] = []
    reader.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page = reader.open(f"?graph-run={hostile_run.name}")
    expect(page.get_by_text("![beacon](http://127.0.0.2:9/beacon.png)").first).to_be_visible()
    reader.page.goto(f"{reader.url}graph?graph-run={hostile_run.name}")
    reader.drawn()
    assert page.locator("img[src*='127.0.0.2']").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert asked == []
