"""What the page says of a run that was described from counts: no model was trained, so no method is judged."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboard.cache import Run
from dashboard.controls.delay import day_text, has_engagement, is_described, page_facts, stored
from dashboard.layout import number

_SETTINGS = ("attribution-days", "waiting-days", "step-days")
"""Options of `describe delay` that are settings of a training."""
_DROPPED = ("as-of", "out", "tables", "format", "backend", "table", "json")
_TRAINABLE = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def answer(run: Run) -> str:
    """Answer the page's question in one computed sentence, and one more for the end of the log."""
    facts = page_facts(run)
    day = day_text(facts["as_of"], facts["has_dates"])
    row = _row(stored(run, "asof"), facts["as_of"])
    if row is None or not facts["pending"]:
        rate = "" if row is None else f" {_percent(row.rate_seen)} of {int(row.exposures):,} exposures converted."
        return f"On {day} no label was still open: every exposure before it had its whole window.{rate}"
    if not facts["has_truth"]:
        return f"{_expected(row, f'On {day}, the end of the log,')} {_rates(row)}."
    flips = run.curve("claims").query("claim == 'C3'").iloc[0]
    return (
        f"Of the {facts['pending']:,} exposures still negative on {day}, {int(facts['flipped']):,} turned positive "
        f"later: {_percent(flips['value'])} [{_percent(flips['ci_low'])}, {_percent(flips['ci_high'])}]. "
        f"{_rates(row)}; in the end {_percent(row.rate_final)} did." + _present(run)
    )


def _row(table: pd.DataFrame, day: float) -> Any | None:
    """Return the row of all exposures on a day."""
    if table.empty:
        return None
    rows = table[(table["segment"] == "all") & ((table["as_of"] - day).abs() < 1e-6)]
    return next(rows.itertuples(), None)


def _rates(row: Any) -> str:
    """Say the rate as counted and as estimated."""
    estimated = (
        "no estimate was possible"
        if pd.isna(row.rate_estimated)
        else f"the estimate was {_percent(row.rate_estimated)} [{_percent(row.rate_estimated_low)}, "
        f"{_percent(row.rate_estimated_high)}]"
    )
    return f"By then {_percent(row.rate_seen)} of {int(row.exposures):,} exposures had converted; {estimated}"


def _expected(row: Any, start: str) -> str:
    """Say how many of the open labels are expected to flip."""
    labels = f"{start} {int(row.pending):,} labels are open"
    if pd.isna(row.flips_expected):
        return f"{labels}; nobody was followed to the end of the window, so it cannot be said how many will flip."
    low, high = number(row.flips_expected_low), number(row.flips_expected_high)
    return f"{labels} and {number(row.flips_expected)} [{low}, {high}] of them are expected to flip."


def _present(run: Run) -> str:
    """Say what is still open at the end of the log, where anything is."""
    table = stored(run, "present")
    if table.empty:
        return ""
    row = next(table[table["segment"] == "all"].itertuples())
    end = day_text(float(row.as_of), bool(page_facts(run)["has_dates"]))
    return f" {_expected(row, f'At the end of the log, on {end},')}"


def note(run: Run) -> str:
    """Say what was looked at, and that nothing was trained."""
    facts = page_facts(run)
    window = f"{facts['window_min']:g}" + (
        f" to {facts['window_max']:g}" if facts["window_max"] > facts["window_min"] else ""
    )
    units = (
        f"; {facts['units']:,} units" if facts["units"] else "; no units are named, so exposures count as independent"
    )
    count = facts["dropped"]
    many = f"{count:,} exposures without a final label are" if count != 1 else "1 exposure without a final label is"
    dropped = f" {many} left out." if count else ""
    engaged = "" if has_engagement(run) else " These data hold no engagement."
    return (
        f"Described from counts, without a training. Snapshot on {day_text(facts['as_of'], facts['has_dates'])}: "
        f"{facts['exposures']:,} earlier exposures, {facts['matured']:,} with their whole window of {window} days, "
        f"{facts['test']:,} later ones{units}.{dropped}{engaged}"
    )


def funnel_sentence(run: Run, rows: pd.DataFrame) -> str:
    """Say which share of the exposures reached every stage."""
    found = {str(row.stage): row for row in rows.itertuples()}
    parts = {
        name: f"{_percent(row.observed)} [{_percent(row.ci_low)}, {_percent(row.ci_high)}]"
        for name, row in found.items()
    }
    which = "from the snapshot day on" if page_facts(run)["has_truth"] else "whose window is over"
    return (
        f"Of {int(found['converted'].n):,} exposures {which}, {parts['engaged']} engaged by the waiting window and "
        f"{parts['converted']} converted: {parts['converted_engaged']} after engaging by then, "
        f"{parts['converted_plain']} without."
    )


def draws_note(run: Run) -> str:
    """Say what the draws behind the error of a window took together, where no units are named."""
    if not is_described(run) or page_facts(run)["units"]:
        return ""
    return " No units are named: exposures of one moment are drawn together."


def training_command(run: Run) -> str:
    """Return the command that trains on the same data; empty where a training cannot read them as they are."""
    words = list(run.manifest["command"])
    if "describe" not in words:
        return ""
    options = _options(words[words.index("describe") + 2 :])
    data = options.pop("data", [""])[0]
    if not data or "table" in options or ("/" in data and not data.lower().endswith(_TRAINABLE)) or "*" in data:
        return ""
    settings = [*options.pop("set", [])]
    settings += [f"{name.replace('-', '_')}={options.pop(name)[0]}" for name in _SETTINGS if name in options]
    command = ["python", "-m", "engine", "train", "delay", "--data", data]
    for name, values in (("column", options.pop("column", [])), ("set", settings)):
        command += [f"--{name}", *values] if values else []
    return shlex.join(command)


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    """Read the words of a command line: option to its values."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            found.setdefault(name, []).extend([value] if equals else [])
        elif name:
            found[name].append(word)
    return {name: values for name, values in found.items() if name not in _DROPPED or name == "table"}


def _percent(share: float) -> str:
    """Write a share in percent."""
    return f"{number(100 * share)} %"
