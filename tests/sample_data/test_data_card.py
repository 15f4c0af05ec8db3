"""The data card describes every file and column, and its facts are measured again."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
import pytest

from engine.datasets import BUNDLED, SAMPLE_DATA
from engine.tables import read_table

CARD = (SAMPLE_DATA / "README.md").read_text(encoding="utf-8")
FILES = sorted({name for entry in BUNDLED.values() for name in (entry.file, entry.nodes) if name})


def sections(text: str) -> Mapping[str, str]:
    """Return the text below each third-level heading that names a file."""
    parts = re.split(r"^#{2,3} (.+)$", text, flags=re.MULTILINE)
    return {title.strip("`"): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the table rows in a text, headers and rules left out."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [row for row in cells[2:] if not set("".join(row)) <= set("-:")]


FACTS = {name: float(value.replace(",", "")) for name, value in table_rows(sections(CARD)["Facts"])}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: read_table(SAMPLE_DATA / name) for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_every_column_is_described_in_its_order(tables, name):
    described = table_rows(sections(CARD)[name])
    assert [row[0] for row in described] == list(tables[name].columns)
    assert all(len(row) == 3 and len(row[2]) > 5 for row in described)


def test_the_overview_lists_every_file_with_its_data_set_and_rows(tables):
    listed = {
        row[0].strip("`"): (row[1].strip("`"), int(row[2].replace(",", ""))) for row in table_rows(CARD)[: len(FILES)]
    }
    owner = {name: entry.name for entry in BUNDLED.values() for name in (entry.file, entry.nodes) if name}
    assert listed == {name: (owner[name], len(tables[name])) for name in FILES}


def test_the_card_states_the_licences_and_their_contradiction():
    for words in ("License: MIT", "License: CC0", "simulated data", "research and educational purposes", "801"):
        assert words in CARD


def reciprocity(edges: pd.DataFrame) -> float:
    """Return the share of edges with a reverse."""
    pairs = set(zip(edges["source"], edges["target"], strict=True))
    return sum((v, u) in pairs for u, v in pairs) / len(pairs)


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Airline routes", "airline_routes"),
        ("Debian programs", "debian_programs"),
        ("Grocery categories", "journey_categories"),
        ("Product types", "journey_types"),
    ],
)
def test_facts_of_a_graph_are_as_measured(tables, title, stem):
    edges = tables[f"{stem}_edges.csv.gz"]
    used = set(edges["source"]) | set(edges["target"])
    assert FACTS[f"{title}: nodes"] == len(used) == len(tables[f"{stem}_nodes.csv.gz"])
    assert FACTS[f"{title}: edges"] == len(edges)
    assert FACTS[f"{title}: reciprocity"] == round(reciprocity(edges), 4)


def test_facts_of_the_exposures_are_as_measured(tables):
    table = tables["journey_coupons.csv.gz"]
    delay = (pd.to_datetime(table["conversion_time"]) - pd.to_datetime(table["exposure_time"])).dt.days
    measured = {
        "households": table["unit"].nunique(),
        "campaigns": table["campaign"].nunique(),
        "conversions": delay.notna().sum(),
        "share of conversions": round(delay.notna().mean(), 4),
        "median delay in days": delay.median(),
        "longest delay in days": delay.max(),
    }
    stated = {name.removeprefix("Coupon exposures: "): value for name, value in FACTS.items() if "exposures" in name}
    assert stated == measured


def test_facts_of_the_purchases_are_as_measured(tables):
    table = tables["journey_purchases.parquet"]
    windows = {"last 4": "4", "last 8": "8", "all": "all"}
    measured = {
        "households": table["unit"].nunique(),
        "categories": table["category"].nunique(),
        "share of positives": round(table["label"].mean(), 4),
    } | {
        f"bought share of visited weeks, {words}": round(table[f"k_{name}"].sum() / table[f"n_{name}"].sum(), 4)
        for words, name in windows.items()
    }
    stated = {name.removeprefix("Purchases: "): value for name, value in FACTS.items() if "Purchases" in name}
    assert stated == measured


def test_every_fact_belongs_to_a_tested_data_set():
    assert {name.partition(":")[0] for name in FACTS} == {
        "Airline routes",
        "Debian programs",
        "Grocery categories",
        "Product types",
        "Coupon exposures",
        "Purchases",
    }
