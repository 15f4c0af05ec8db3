"""The command `describe delay`: how labels arrive, from exposures of any size."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.describe_command import add_source, opened, source_of
from engine.errors import ConfigError, NotEnoughDataError
from engine.options import parse_pairs
from engine.tables import write_table

FORMATS = ("parquet", "csv")
_EPOCH = pd.Timestamp(0, tz="UTC")


def add_delay(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    delay = kinds.add_parser("delay", help="how labels arrive")
    add_source(delay)
    delay.add_argument("--as-of", metavar="DAY", help="ISO date or day to look at (default: the last in the data)")
    delay.add_argument("--attribution-days", type=float, help="window of rows without window_days (default 30)")
    delay.add_argument("--waiting-days", type=float, help="when the label is first read (default 7)")
    delay.add_argument("--step-days", type=float, help="grid of elapsed time (default 1)")
    delay.add_argument("--out", metavar="FOLDER", help="write the tables there")
    delay.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the tables (default parquet)")
    delay.add_argument("--json", action="store_true", help="print the summary as JSON")
    delay.set_defaults(command=_describe)


def _describe(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Check the data, run the aggregates, write the tables and print what they say."""
    given = {name: getattr(arguments, name) for name in ("attribution_days", "waiting_days", "step_days")}
    settings = {name: value for name, value in given.items() if value is not None}
    config = importlib.import_module("engine.delay.config").DelayConfig(**settings)
    roles = parse_pairs(arguments.column, option="--column")
    path, source = source_of(arguments.data, roles, "delay")
    with opened(arguments, path, source) as table:
        log, as_of, tables = _tables(table, roles, source, config, arguments.as_of)
    summary = importlib.import_module("engine.delay.summary")
    found = summary.summary_of(tables, waiting_days=config.waiting_days, window_days=log.longest_window)
    if arguments.out is not None:
        _write(tables, Path(arguments.out), arguments.format)
    head = {"source": source, "exposures": log.rows, "conversions": log.conversions, "as_of": as_of}
    head |= {"first_day": log.first_day, "last_day": log.last_day, "has_dates": log.has_dates}
    if arguments.json:
        sys.stdout.write(json.dumps(head | found, indent=2) + "\n")
        return
    first, last, day = (_day(value, log.has_dates) for value in (log.first_day, log.last_day, as_of))
    sys.stdout.write(
        f"{source} · {log.rows:,} exposures, {log.conversions:,} conversions, {first} to {last} · as of {day}\n\n"
        f"{summary.text_of(found)}\n"
    )
    if arguments.out is not None:
        sys.stdout.write(f"\n{arguments.out}: {', '.join(f'{name}.{arguments.format}' for name in tables)}\n")


def _tables(
    table: Any, roles: dict[str, str], source: str, config: Any, as_of: str | None
) -> tuple[Any, float, dict[str, pd.DataFrame]]:
    """Return the checked log, the day looked at and the tables."""
    relation = importlib.import_module("engine.delay.relation")
    statistics = importlib.import_module("engine.delay.statistics")
    log = relation.exposures_of(table, roles, source=source, attribution_days=config.attribution_days)
    day = log.last_day if as_of is None else _as_day(as_of, log.has_dates)
    if not log.first_day < day:
        raise NotEnoughDataError(
            f"No exposure of {source} comes before {_day(day, log.has_dates)}; "
            f"the first is on {_day(log.first_day, log.has_dates)}. Look at a later day with --as-of."
        )
    tables = statistics.statistics_tables(
        log.exposures,
        as_of=day,
        final_day=max(day, log.last_day),
        other_days=(),
        step_days=config.step_days,
        horizon_bin=statistics.horizon_bin_of(log.longest_window, config.step_days),
        waiting_bin=int(config.waiting_days / config.step_days + 1e-9),
    )
    return log, day, tables


def _as_day(text: str, has_dates: bool) -> float:
    """Read a day as it is written in the data."""
    try:
        day = (pd.to_datetime(text, utc=True) - _EPOCH) / pd.Timedelta(days=1) if has_dates else float(text)
    except (ValueError, TypeError):
        day = math.nan
    if not math.isfinite(day):
        form = "an ISO 8601 date such as 2017-08-15" if has_dates else "a number of days, as the times of the data"
        raise ConfigError(f"'--as-of' is '{text}'; allowed is {form}.")
    return float(day)


def _day(value: float, has_dates: bool) -> str:
    """Write a day as the data do."""
    if not has_dates:
        return f"day {value:g}"
    return str((pd.Timestamp(0) + pd.Timedelta(days=value)).round("s")).removesuffix(" 00:00:00")


def _write(tables: dict[str, pd.DataFrame], folder: Path, ending: str) -> None:
    """Write every table."""
    for name, table in tables.items():
        try:
            write_table(table, folder / f"{name}.{ending}")
        except OSError as error:
            raise ConfigError(
                f"'--out {folder}' cannot be written ({error.strerror or error}); choose another."
            ) from error
