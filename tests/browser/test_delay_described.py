"""Own exposures described by the command, and opened as a page without a training."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from conftest import NewReader
from delay_steps import card, open_tab, press
from driver import ROOT, Server
from playwright.sync_api import Page, expect

from engine.delay.simulate import SimulationConfig, simulate

RUN = "own-offers"
COLUMNS = {"unit": "house hold", "segment": 'Größe "x"', "exposure_time": "sent", "conversion_time": "bought"}


@pytest.fixture
def described(server: Server, tmp_path: Path) -> Iterator[Path]:
    """Describe a log with odd names that ends while labels are open, as a reader would."""
    frame = simulate(1500, SimulationConfig(seed=1))[[*COLUMNS, "engagement_time", "window_days"]]
    later = ("conversion_time", "engagement_time")
    frame = frame.assign(**{name: frame[name].where(frame[name] <= 125.0) for name in later})
    frame.rename(columns=COLUMNS).to_csv(tmp_path / "offers.csv", index=False)
    folder = server.runs / RUN
    roles = [f"{role}={name}" for role, name in COLUMNS.items()]
    words = ["describe", "delay", "--data", str(tmp_path / "offers.csv"), "--column", *roles, "--out", str(folder)]
    command = [sys.executable, "-m", "engine", *words, "--set", "asof_days=4", "resamples=20"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    yield folder
    shutil.rmtree(folder)


def test_a_described_log_opens_in_every_tab(described: Path, new_reader: NewReader) -> None:
    reader = new_reader("dark")
    page = reader.open(f"delay?delay-run={RUN}")
    expect(page.get_by_text("turned positive later").first).to_be_visible()
    expect(page.get_by_text("of them are expected to flip").first).to_be_visible()
    facts = pd.read_parquet(described / "curves" / "snapshot.parquet").iloc[0]
    expect(page.get_by_text(f"{facts['dropped']:,} exposures without a final label are left out")).to_be_visible()
    before = card(page, 0).inner_text()
    press(page, page.get_by_test_id("stSlider").locator("input[type=range]").first, *["ArrowRight"] * 3)
    expect(card(page, 0)).not_to_have_text(before, use_inner_text=True)
    reader.drawn()
    for detail in ("Hazard and delay law", "Naive or honest", "Funnel"):
        open_tab(page, detail)
        reader.drawn()
    needs_training(page)
    open_tab(page, "Day by day")
    expect(page.get_by_text("Conversion rate by day, all exposures", exact=True)).to_be_visible()
    reader.drawn()
    for tab in ("Methods", "Weights"):
        open_tab(page, tab)
        needs_training(page)
        reader.drawn()
    open_tab(page, "What if")
    expect(page.get_by_text("What every method learns", exact=True)).to_be_visible()
    reader.drawn()


def needs_training(page: Page) -> None:
    """Find the word that a model is needed, with the command that trains one on the same columns."""
    expect(page.get_by_text("need a trained model")).to_be_visible()
    code = page.get_by_test_id("stCode")
    expect(code).to_contain_text("engine train delay --data")
    expect(code).to_contain_text("'unit=house hold' 'segment=Größe \"x\"'")


def test_the_overview_counts_the_claims_that_counts_can_test(described: Path, new_reader: NewReader) -> None:
    reader = new_reader()
    page = reader.open(f"?delay-run={RUN}")
    expect(page.get_by_text("Share of negatives that flipped later").first).to_be_visible()
    expect(page.get_by_text("not measured").first).to_be_visible()
    reader.go("Train")
    expect(page.get_by_text("Stored runs", exact=True)).to_be_visible()
