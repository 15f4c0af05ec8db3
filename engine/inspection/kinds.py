"""What each kind of data asks beyond its schema: order of times, pairs of columns, enough of everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.inspection.checks import Check, more
from engine.inspection.features import features_of
from engine.inspection.inspection import Finding, Stops
from engine.inspection.staged import Staged, is_numbers
from engine.schema import mixed_forms

LATER = ("engagement_time", "visit_time", "conversion_time")
SPLITS = ("train", "tune", "test")
MINIMUM_EDGES = 100
WINDOW_DAYS = 30
"""Of the counting of events, before and after."""


def kind_checks(staged: Staged, form: str) -> Iterator[Check]:
    """Yield what rows of a form may not be beyond the schema, in the order in which a training looks.

    Parameters
    ----------
    staged : Staged
    form : str

    Yields
    ------
    Check
    """
    if form == "edges" and staged.has("source", "target"):
        yield _self_loops(staged)
    if form == "exposures" and staged.has("exposure_time"):
        given = [role for role in LATER if staged.has(role)]
        yield from _mixed(staged, given)
        alike = [role for role in given if staged.is_dated(role) == staged.is_dated("exposure_time")]
        yield from (_early(staged, role) for role in alike)
        yield from _infinities(staged, [n for n in staged.names if not n.endswith("_time")])
    if form in ("rows", "scores"):
        yield from _windows(staged)


def later_checks(staged: Staged, form: str) -> Iterator[Check]:
    """Yield what a training of labelled rows looks at last, when it splits them and encodes their features.

    Parameters
    ----------
    staged : Staged
    form : str

    Yields
    ------
    Check
    """
    if form in ("rows", "scores") and staged.has("split"):
        yield _splits(staged)
    if form == "rows":
        yield from _infinities(staged, staged.names)
        yield from _dates(staged)


def _self_loops(staged: Staged) -> Check:
    """Refuse edges from a node to itself."""
    return Check(
        column=staged.column_of["source"],
        bad=staged.value("source") == staged.value("target"),
        said=lambda shown, row, count: (
            f"Columns '{staged.column_of['source']}' and '{staged.column_of['target']}' of {staged.source} are equal "
            f"({shown}) in data row {row:,}{more(count)}; a node cannot be recommended after itself. Drop these rows."
        ),
    )


def _mixed(staged: Staged, roles: Sequence[str]) -> Iterator[Check]:
    """Refuse dates beside numbers of days."""
    timed = {role: name for role in ("exposure_time", *roles) if staged.facts[name := staged.column_of[role]].present}
    sentence = mixed_forms(staged.source, {name: staged.is_dated(role) for role, name in timed.items()})
    if sentence:
        odd = next(role for role in timed if staged.is_dated(role) != staged.is_dated("exposure_time"))
        yield Check(column=timed[odd], bad=staged.value(odd).notnull(), said=lambda *_: sentence)


def _early(staged: Staged, role: str) -> Check:
    """Refuse an event before its exposure."""
    name, start = staged.column_of[role], staged.column_of["exposure_time"]
    return Check(
        column=name,
        bad=staged.value(role) < staged.value("exposure_time"),
        said=lambda shown, row, count: (
            f"Column '{name}' ({role}) of {staged.source} has {shown} in data row {row:,}{more(count)}, before "
            f"'{start}' of the same row; an event cannot precede its exposure. Correct or drop the rows, or swap the "
            "two columns."
        ),
    )


def _infinities(staged: Staged, names: Any) -> Iterator[Check]:
    """Refuse infinite features."""
    for name in features_of(staged, names):
        facts = staged.facts[name]
        ends = [end for end in (facts.minimum, facts.maximum) if isinstance(end, float)]
        if is_numbers(facts) and any(abs(end) == float("inf") for end in ends):
            yield _infinity(staged, name)


def _infinity(staged: Staged, name: str) -> Check:
    """Refuse the infinite cells of one feature."""
    return Check(
        column=name,
        bad=staged.number(name).isinf(),
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} is infinite in data row {row:,}{more(count)}; a finite number or no "
            "value is allowed. Correct the rows, or leave the column out."
        ),
    )


def _dates(staged: Staged) -> Iterator[Check]:
    """Refuse features of a date type."""
    for name in features_of(staged, staged.names):
        if staged.cells[name].is_dated:
            yield Check(
                column=name,
                bad=~staged.raw(name).isnull(),
                said=lambda *_, name=name: (
                    f"Column '{name}' of {staged.source} holds dates, which are no feature; give it the role 'time', "
                    "or turn it into numbers of days."
                ),
            )


def _windows(staged: Staged) -> Iterator[Check]:
    """Refuse evidence columns k_w and n_w that do not fit: 0 <= k <= n."""
    for name in staged.names:
        window = name[2:]
        if not name.startswith("k_") or f"n_{window}" not in staged.names:
            continue
        yield _window(staged, name, f"n_{window}")


def _window(staged: Staged, positives: str, rows: str) -> Check:
    """Refuse positives beyond the rows that they are of."""
    k, n = staged.number(positives), staged.number(rows)
    fits = (k >= 0) & (k <= n) & ~n.isinf()
    return Check(
        column=positives,
        bad=~fits.fill_null(False),
        said=lambda shown, row, count: (
            f"Columns '{positives}' and '{rows}' of {staged.source} do not fit in data row {row:,}{more(count)}, "
            f"where the first has {shown}; needed are numbers with 0 <= {positives} <= {rows}."
        ),
    )


def _splits(staged: Staged) -> Check:
    """Refuse other names of a split."""
    name = staged.column_of["split"]
    return Check(
        column=name,
        bad=~staged.value("split").lower().isin(SPLITS),
        said=lambda shown, row, count: (
            f"Column '{name}' (split) of {staged.source} has {shown} in data row {row:,}{more(count)}; allowed are "
            f"{', '.join(SPLITS)}."
        ),
    )


def whole_table(staged: Staged, form: str, rows: int, facts: dict[str, Any]) -> Iterator[Finding]:
    """Yield what the table as a whole falls short of, given what `engine.inspection.shape` measured.

    Parameters
    ----------
    staged : Staged
    form : str
    rows : int
    facts : dict of str to Any

    Yields
    ------
    Finding
    """
    edges = facts.get("edges", rows)
    if form == "edges" and edges < MINIMUM_EDGES:
        yield _short(
            f"{staged.source} has {edges:,} edges; at least {MINIMUM_EDGES} are needed to train and test. Add edges.",
        )
    if form == "events":
        for role in ("user", "item"):
            if facts.get(f"one {role}"):
                name = staged.column_of[role]
                yield _short(
                    f"Column '{name}' ({role}) of {staged.source} has one value only; 2 are needed.", name, "both"
                )
        span = facts.get("days")
        if span is not None and span < 2 * WINDOW_DAYS:
            name = staged.column_of["time"]
            yield _short(
                f"Column '{name}' (time) of {staged.source} spans {int(span) + 1:,} days; a window of {WINDOW_DAYS} "
                f"days before and after needs at least {2 * WINDOW_DAYS + 1}. Add events.",
                name,
                "both",
            )
    if form in ("rows", "scores") and staged.has("label") and {facts.get("yes"), facts.get("no")} & {0}:
        name, only = staged.column_of["label"], int(not facts["no"])
        if facts["yes"] or facts["no"]:
            sentence = f"Column '{name}' (label) of {staged.source} is always {only}; both 0 and 1 are needed."
            yield _short(sentence, name)
    if form == "rows" and not features_of(staged, staged.names):
        yield _short(
            f"{staged.source} has neither features nor 'score' and 'uncertainty'; add one or the other.",
        )


def _short(sentence: str, column: str = "", stops: Stops = "train") -> Finding:
    """Return a finding that stops a training, or a description too."""
    return Finding(severity="stops", sentence=sentence, column=column, stops=stops)
