"""The door for scored rows of any size: columns by role, everything checked by aggregates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from engine.errors import DataError, NotEnoughDataError
from engine.first_bad import first_bad, frequent_values
from engine.schema import NO, YES, comma_hint, label_hint, percent_hint
from engine.stripped import stripped
from engine.uncertainty.data import SCHEMA, SPLITS
from engine.uncertainty.grid import NARROW

ROLES = ("label", "score", "uncertainty", "weight", "split", "unit")
_REQUIRED = ROLES[:3]
_NUMBERS = ("score", "uncertainty", "weight")
MAX_SLICE_VALUES = 50
"""Most values of a slice column; more are no slices but ids."""
_SCORE = next(column for column in SCHEMA if column.name == "score")
_WRITTEN_OUT = 1e15
"""Whole numbers below are written without an exponent."""
_WANTED = {
    "label": "a label is 0 or 1 (or true/false, yes/no)",
    "score": "a score is a number from 0 to 1",
    "uncertainty": "an uncertainty is a finite number",
    "weight": "a weight is a whole number of at least 1, the rows that a line stands for",
    "split": f"a split is one of {', '.join(SPLITS)}",
    "unit": "a unit has a name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scored rows that passed the checks, on their backend."""

    rows: ir.Table
    """Columns ``label, score, uncertainty, weight``, if given ``split`` and ``unit``, and one per slice."""
    lines: int
    total: int
    """Sum of the weights."""
    positives: int
    slices: tuple[str, ...]
    precision: str
    """Of the column of uncertainty as it came, see `engine.uncertainty.grid.precision_of`; ``rows`` hold float64."""

    def has(self, role: str) -> bool:
        """Tell whether the data bring a column of this role."""
        return role in self.rows.columns


def scored_rows_of(
    table: ir.Table, roles: Mapping[str, str], *, source: str, slices: Sequence[str] | None = None
) -> Scored:
    """Name and check the columns of a table of scored rows without reading its rows.

    Parameters
    ----------
    table : ibis table
    roles : mapping of str to str
        Role to column name; other columns keep theirs. Roles are `ROLES`.
    source : str
        What the messages call the table.
    slices : sequence of str, optional
        Columns to tell slices by; absent, every further text or truth column with 2 to `MAX_SLICE_VALUES` values.

    Returns
    -------
    Scored

    Raises
    ------
    DataError
        If a role is unknown, a column is missing, or a value is not allowed; names the column, the value, its row and
        how many there are.
    NotEnoughDataError
        If there is no row, or one class only.

    Notes
    -----
    One scan. The row of a bad value is looked up only if there is one.
    """
    named = _named(table, roles, source)
    free = [name for name in named.columns if name not in ROLES and not name.startswith("true_")]
    chosen = _chosen(named, free, slices, source)
    columns = _columns(named) | {name: _name(named[name]).fill_null("missing") for name in chosen}
    rows = named.select(**columns)
    raw = {name: named[name] for name in ROLES if name in named.columns}
    bad = {name: _is_bad(rows[name], name) for name in raw}
    measures: dict[str, ir.Value] = {
        "rows": rows.count(),
        "total": rows.weight.sum(),
        "positives": (rows.label * rows.weight).sum(),
    }
    measures |= {f"bad {name}": test.sum() for name, test in bad.items()}
    measures |= {f"values {name}": rows[name].nunique() for name in chosen}
    found = rows.aggregate(**measures).to_pyarrow().to_pylist()[0]
    # An infinite weight has an infinite sum; it is refused below.
    facts = {k: int(v) if v and math.isfinite(v) else 0 for k, v in found.items()}
    if facts["rows"] == 0:
        raise NotEnoughDataError(f"{source} has no rows; label, score and uncertainty of some are needed.")
    for name in raw:
        if facts[f"bad {name}"]:
            raise _complaint(named, roles, name, facts[f"bad {name}"], source)
    if facts["positives"] in (0, facts["total"]):
        only = int(facts["positives"] > 0)
        raise NotEnoughDataError(f"Column 'label' of {source} is always {only}; both 0 and 1 are needed.")
    kept = tuple(_kept(chosen, facts, slices, source))
    return Scored(
        rows=rows.drop(*(name for name in chosen if name not in kept)),
        lines=facts["rows"],
        total=facts["total"],
        positives=facts["positives"],
        slices=kept,
        precision=_precision(named.uncertainty),
    )


def _named(table: ir.Table, roles: Mapping[str, str], source: str) -> ir.Table:
    """Rename columns to their roles and say which is missing."""
    listing = ", ".join(f"'{name}'" for name in table.columns[:12])
    for role, name in roles.items():
        if role not in ROLES:
            raise DataError(f"'--column {role}={name}' names no role of scored rows; it has {', '.join(ROLES)}.")
        if name not in table.columns:
            raise DataError(f"Column '{name}' (for role '{role}') is not in {source}; it has {listing}.")
        if role != name and role in table.columns and role not in roles.values():
            raise DataError(f"{source} has a column '{role}' and '{name}' is to play this role too; drop one of them.")
    named = table.rename({role: name for role, name in roles.items() if role != name})
    for role in _REQUIRED:
        if role not in named.columns:
            raise DataError(
                f"Column '{role}' is missing in {source}; it has {listing}. "
                f"Name the column that plays this role with --column {role}=NAME."
            )
    return named


def _chosen(named: ir.Table, free: Sequence[str], slices: Sequence[str] | None, source: str) -> list[str]:
    """Return the columns that may tell slices."""
    if slices is None:
        return [name for name in free if named[name].type().is_string() or named[name].type().is_boolean()]
    for name in slices:
        if name not in free:
            listing = ", ".join(f"'{other}'" for other in free[:12]) or "none"
            raise DataError(f"Slice column '{name}' is not in {source}; further columns are {listing}.")
    return list(dict.fromkeys(slices))


def _kept(chosen: Sequence[str], facts: Mapping[str, int], slices: Sequence[str] | None, source: str) -> list[str]:
    """Leave out columns with too many values, or refuse them if they were asked for."""
    many = [name for name in chosen if facts[f"values {name}"] > MAX_SLICE_VALUES]
    if many and slices is not None:
        raise DataError(
            f"Slice column '{many[0]}' of {source} has {facts[f'values {many[0]}']:,} values; at most "
            f"{MAX_SLICE_VALUES} are described. Name a coarser column."
        )
    return [name for name in chosen if 2 <= facts[f"values {name}"] <= MAX_SLICE_VALUES]


def _columns(named: ir.Table) -> dict[str, ir.Value]:
    """Return the role columns with their types; NULL where a value cannot be read."""
    columns: dict[str, ir.Value] = {name: _number(named[name]) for name in _REQUIRED}
    if named.label.type().is_string():
        text = stripped(named.label).lower()
        columns["label"] = ibis.cases((text.isin(YES), 1.0), (text.isin(NO), 0.0), else_=columns["label"])
    columns["weight"] = _number(named.weight) if "weight" in named.columns else ibis.literal(1.0)
    if "split" in named.columns:
        columns["split"] = stripped(named.split.cast("string")).lower()
    if "unit" in named.columns:
        columns["unit"] = _name(named.unit)
    return columns


def _number(column: ir.Value) -> ir.Value:
    """Return float64, NULL for NaN and for text that is no number."""
    if column.type().is_string():
        text = stripped(column).nullif("")
        # Java reads "1d" and "1f" as numbers.
        column = ibis.ifelse(text.re_search(r"[\d.][dDfF]$"), None, text).try_cast("float64")
    number = column.cast("float64")
    return number.nullif(float("nan"))


def _name(column: ir.Value) -> ir.Value:
    """Return text; whole numbers as every engine writes them, which they do not from ten million on."""
    if not column.type().is_floating():
        return column.cast("string")
    number = column.cast("float64")
    is_whole = (number % 1 == 0) & (number.abs() < _WRITTEN_OUT)
    whole = ibis.ifelse(is_whole, number, 0.0).try_cast("int64").cast("string").concat(".0")
    return ibis.ifelse(number.isnan(), None, ibis.ifelse(is_whole, whole, number.cast("string")))


def _precision(column: ir.Value) -> str:
    """Name the precision of a column as `engine.uncertainty.grid.precision_of` does."""
    name = str(column.type()).lstrip("!")  # Marks columns without missing values.
    return name if name in NARROW else "float64"


def _is_bad(value: ir.Value, name: str) -> ir.Value:
    """Tell where a value of a role is not allowed."""
    if name == "unit":
        return value.isnull()
    if name == "split":
        return value.isnull() | ~value.isin(SPLITS)
    if name == "label":
        return value.isnull() | ~value.isin([0.0, 1.0])
    if name == "weight":
        return value.isnull() | (value < 1) | (value % 1 != 0) | value.isinf()
    if name == "score":
        return value.isnull() | (value < 0) | (value > 1)
    return value.isnull() | value.isinf()


def _complaint(named: ir.Table, given: Mapping[str, str], name: str, count: int, source: str) -> DataError:
    """Look up the first bad value of a column and say what it is."""
    checked = rows_value(named, name)
    first = first_bad(named, named[name], _is_bad(checked, name))
    more = f" ({count:,} such rows)" if count > 1 else ""
    hint = comma_hint(first.value) if name in _NUMBERS else ""
    is_given = first.value is not None and first.value.strip().lower() not in ("", "nan")
    if name == "score" and is_given:
        hint = hint or _percent_hint(named, checked)
    if name == "label" and is_given:
        hint = label_hint(frequent_values(named, named.label))
    return DataError(
        f"Column '{given.get(name, name)}' of {source} has {first.shown} in data row {first.row}{more}; "
        f"{_WANTED[name]}. {hint or 'Correct or drop the rows.'}"
    )


def _percent_hint(named: ir.Table, score: ir.Value) -> str:
    """Say so if scores look like percent."""
    measures = {"n": score.count(), "low": score.min(), "high": score.max(), "beyond": (score > 1).sum()}
    ends = named.aggregate(**measures).to_pyarrow().to_pylist()[0]
    if not ends["n"]:
        return ""
    return percent_hint(_SCORE, ends["low"], ends["high"], share_beyond=ends["beyond"] / ends["n"])


def rows_value(named: ir.Table, name: str) -> ir.Value:
    """Return a role column as the checks see it."""
    return _columns(named)[name]
