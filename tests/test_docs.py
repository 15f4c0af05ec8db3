"""What is written for people is true: commands exist, names are explained, links lead somewhere."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from dashboard.glossary import TERMS
from dashboard.state import RUN_TITLE
from engine import cli
from engine.claims import CLAIMS
from engine.datasets import BUNDLED, DEFAULT
from engine.figures.common import estimate
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL
from engine.options import build_config, describe, parse_pairs
from engine.result import KINDS
from engine.runs import list_runs
from engine.uncertainty.names import scorer_label

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "engine" / "DECISIONS.md").read_text(encoding="utf-8")
SHIPPED = list_runs(ROOT / "sample_data" / "runs")


def command(purpose: str) -> str:
    """Return one of the README's two commands."""
    found = re.search(rf"^\| {purpose} it \| `([^`]+)` \|$", README, re.MULTILINE)
    assert found, f"the README has no command to {purpose} it"
    return found[1]


def engine_commands() -> list[list[str]]:
    """Return the words of every engine command in the README's code blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[3:] for line in lines if line.startswith(".venv/bin/python -m engine ")]


@pytest.mark.parametrize("purpose", ["use", "test"])
def test_both_commands_are_one_line_that_names_a_script_of_ours(purpose):
    words = command(purpose).split()
    assert words[0] == "bash" and len(words) == 2 and os.access(ROOT / words[1], os.X_OK)
    subprocess.run(["bash", "-n", ROOT / words[1]], check=True)


def test_the_checks_of_a_change_run_exactly_the_test_command():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-1] == command("test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_scripts_of_the_project_are_sound_to_bash():
    for script in (".ci/environment", ".ci/run"):
        assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0


@pytest.mark.parametrize("words", engine_commands(), ids=" ".join)
def test_every_command_of_the_readme_is_understood(words):
    arguments = cli._parser().parse_args(words)
    if arguments.name == "train":
        config = getattr(importlib.import_module(f"engine.{arguments.kind}.config"), cli.CONFIGS[arguments.kind])
        build_config(config, parse_pairs(arguments.set, option="--set"))
        schema = importlib.import_module(f"engine.{arguments.kind}.data").SCHEMA
        assert set(parse_pairs(arguments.column, option="--column")) <= {column.name for column in schema}


def test_the_readme_shows_every_command_of_the_engine():
    names = {words[0] for words in engine_commands()}
    (known,) = (action.choices for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert names == set(known)


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_names_every_role_of_a_table(kind):
    row = next(line for line in README.splitlines() if line.startswith(f"| {kind} | `"))
    schema = importlib.import_module(f"engine.{kind}.data").SCHEMA
    unnamed = [column.name for column in schema if f"`{column.name}`" not in row]
    assert unnamed == [] or unnamed == ["visit_time"]


def links(text: str) -> list[str]:
    """Return the relative links and images of a page."""
    return [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]


@pytest.mark.parametrize("page", ["README.md", "sample_data/README.md", "engine/DECISIONS.md"])
def test_relative_links_lead_to_files(page):
    path = ROOT / page
    assert [link for link in links(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()] == []


def test_there_is_one_screenshot_per_page():
    shots = {Path(link).stem for link in links(README) if link.endswith(".png")}
    assert shots == {"overview", *RUN_TITLE}


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_explained(kind):
    config = getattr(importlib.import_module(f"engine.{kind}.config"), cli.CONFIGS[kind])
    simulation = importlib.import_module(f"engine.{kind}.simulate").SimulationConfig
    for cls in (config, simulation):
        bare = [setting.name for setting in describe(cls) if not setting.description.endswith(".")]
        assert bare == [], f"{cls.__name__} leaves fields unexplained"


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_of_an_input_is_explained(kind):
    schema = importlib.import_module(f"engine.{kind}.data").SCHEMA
    assert [column.name for column in schema if not column.description] == []


def test_every_metric_and_every_method_has_an_entry_in_the_glossary():
    assert sorted((set(METRIC_LABEL) | set(METHOD_LABEL)) - set(TERMS)) == []


@pytest.mark.parametrize("kind", ["graph", "delay"])
def test_every_method_of_the_settings_has_a_label(kind):
    methods = importlib.import_module(f"engine.{kind}.config").METHODS
    assert sorted(set(methods) - set(METHOD_LABEL)) == []


def test_every_term_says_what_it_is_in_a_sentence():
    assert [key for key, term in TERMS.items() if not term.gloss.endswith(".") or not term.label] == []


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_run_to_look_at_for_the_default_data(kind):
    assert DEFAULT[kind] in {run.manifest["dataset"]["name"] for run in SHIPPED if run.kind == kind}


def test_every_name_in_a_shipped_run_has_a_label():
    tables = [table for run in SHIPPED for table in (run.metrics, run.curve("differences"))]
    methods = {key for table in tables for key in table["method"]}
    # A rate is named by its window and prior, of which own data may have any.
    assert {key for key in methods - set(METHOD_LABEL) if scorer_label(key) == key or "rate_" not in key} == set()
    assert {key for table in tables for key in table["metric"]} - set(METRIC_LABEL) == set()


def test_every_shipped_run_is_of_bundled_data_and_of_our_command():
    for run in SHIPPED:
        assert run.manifest["dataset"]["name"] in BUNDLED
        assert run.manifest["command"][:4] == ["python", "-m", "engine", "train"]


def claims_table() -> str:
    """Write what the shipped runs of the default data found as the README shows it."""
    lines = ["| claim | effect | measured [95 % interval] | verdict |", "|---|---|---|---|"]
    for kind in KINDS:
        for run in SHIPPED:
            if run.kind == kind and run.manifest["dataset"]["name"] == DEFAULT[kind]:
                for row in run.curve("claims").itertuples():
                    found = estimate(row.value, row.ci_low, row.ci_high, row.n, unit=row.unit)
                    effect = f"{row.effect}, {row.segment}: {row.comparison} − {row.baseline}"
                    lines.append(f"| {row.claim} | {effect} | {found} {row.n_unit} | {row.verdict} |")
    return "\n".join(lines)


def test_the_readme_says_of_the_claims_what_the_shipped_runs_say():
    between = re.search(r"<!-- claims -->\n(.*?)\n?<!-- /claims -->", README, re.DOTALL)
    assert between and between[1].strip() == claims_table(), f"the README needs this table:\n{claims_table()}"


def test_every_claim_is_measured_in_a_shipped_run():
    measured = {claim for run in SHIPPED for claim in run.curve("claims")["claim"]}
    assert measured == set(CLAIMS)


def packages(path: str) -> list[str]:
    """Return the names of the packages that a requirements file asks for."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines()]
    return [re.split(r"[\[<>=~! ]", line)[0] for line in lines if line and not line.startswith("-")]


@pytest.mark.parametrize("name", [*packages("requirements.txt"), *packages("tests/requirements.txt")])
def test_every_dependency_has_its_reason(name):
    assert f"`{name}`" in DECISIONS


def test_torch_is_pinned_exactly():
    assert re.search(r"^torch==\d+\.\d+\.\d+$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def decisions() -> list[str]:
    """Return the entries of the decision log."""
    return re.split(r"^## ", DECISIONS, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("entry", decisions(), ids=lambda entry: entry.splitlines()[0])
def test_a_decision_is_short_dated_and_complete(entry):
    title, *lines = [line for line in entry.splitlines() if line.strip()]
    assert re.match(r"\d{4}-\d\d-\d\d · \S", title) and len(lines) <= 10
    for part in ("Context", "Decision", "Rejected", "Consequence"):
        assert any(line.startswith(f"**{part}.** ") for line in lines), f"{part} is missing"


def test_decisions_are_in_the_order_of_their_dates():
    dates = [entry[:10] for entry in decisions()]
    assert dates == sorted(dates)


def test_the_data_card_names_every_file_beside_it():
    card = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in (ROOT / "sample_data").iterdir() if path.is_file() and path.name != "README.md"]
    files += [file for entry in BUNDLED.values() for file in (entry.file, entry.nodes) if file]
    assert [name for name in files if f"`{name}`" not in card] == []


def test_the_licence_is_apache_2_to_the_letter():
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_changes_use_the_words_of_keep_a_changelog():
    changes = README.partition("\n## Changes\n")[2]
    headings = re.findall(r"^### (.+)$", changes, re.MULTILINE)
    assert headings and set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
