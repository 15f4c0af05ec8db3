"""What the overview shows: the claims of one run per kind, and the list of stored runs."""

from __future__ import annotations

import pandas as pd

from dashboard.cache import Run
from dashboard.controls import choose_run
from dashboard.layout import escape_markdown, estimate
from engine.claims import CLAIMS, as_shown, summary
from engine.errors import EngineError
from engine.result import KINDS, Kind

_VERDICT_COLOR = {"supported": "green", "not supported": "red", "inconclusive": "gray"}


def overview_runs() -> tuple[dict[Kind, Run], dict[Kind, EngineError]]:
    """Let the reader choose one run of every kind.

    Returns
    -------
    runs : dict of str to Run
        Kinds without a run are left out.
    broken : dict of str to EngineError
        Kinds whose chosen run cannot be read, with the reason; the others stay usable.
    """
    runs: dict[Kind, Run] = {}
    broken: dict[Kind, EngineError] = {}
    for kind in KINDS:
        try:
            run = choose_run(kind)
            if run is not None:
                run.curve("claims")
                runs[kind] = run
        except EngineError as error:
            broken[kind] = error
    return runs, broken


def claims_of(runs: dict[Kind, Run]) -> pd.DataFrame:
    """Put the claims of several runs into one table, in the order of the claims.

    Parameters
    ----------
    runs : dict of str to Run

    Returns
    -------
    DataFrame
        Columns of `engine.claims.CLAIM_COLUMNS` and ``run``; verdicts from `engine.claims.as_shown`.
    """
    tables = [as_shown(run.curve("claims")).assign(run=run.id) for run in runs.values()]
    # A run without a training may measure no claim.
    found = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(found, ignore_index=True).sort_values("claim", kind="stable", ignore_index=True)


def claims_sentence(claims: pd.DataFrame) -> str:
    """Say how many of the measured effects support their claims."""
    if claims.empty:
        return "No claim is measured on these runs: they were described, not trained."
    return summary(claims)


def claim_lines(claims: pd.DataFrame, kind: Kind) -> list[str]:
    """Write each claim of one kind with how many of its effects got which verdict.

    Parameters
    ----------
    claims : DataFrame
        From `claims_of`.
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    list of str
        Markdown.
    """
    lines = []
    for key, claim in CLAIMS.items():
        if claim.kind == kind:
            counts = claims.loc[claims["claim"] == key, "verdict"].value_counts()
            badges = [
                f":{color}-badge[{counts[word]} {word}]" for word, color in _VERDICT_COLOR.items() if word in counts
            ]
            lines.append(f"**{key}** {claim.text} {' '.join(badges) or ':gray-badge[not measured]'}")
    return lines


def claims_table(claims: pd.DataFrame) -> pd.DataFrame:
    """Write the claims out for reading: claim, effect with interval and n, baseline, verdict.

    Parameters
    ----------
    claims : DataFrame
        From `claims_of`.

    Returns
    -------
    DataFrame
        Markdown, one row per effect, indexed by claim.
    """
    rows = [
        {
            "Claim": f"**{row.claim}**",
            "Measured": escape_markdown(f"{row.effect} ({row.segment})"),
            "Compared": escape_markdown(f"{row.comparison} − {row.baseline}"),
            "Effect [95 % interval]": escape_markdown(
                f"{estimate(row.value, row.ci_low, row.ci_high, row.n, unit=row.unit)} {row.n_unit}"
            ),
            "Worth having": escape_markdown(_worth(row.margin, row.sign, row.unit)),
            "Verdict": f":{_VERDICT_COLOR[row.verdict]}-badge[{row.verdict}]",
        }
        for row in claims.itertuples()
    ]
    columns = ["Claim", "Measured", "Compared", "Effect [95 % interval]", "Worth having", "Verdict"]
    return pd.DataFrame(rows, columns=columns).set_index("Claim")


def _worth(margin: float, sign: int, unit: str) -> str:
    """Write the smallest effect worth having, with the direction that the claim predicts."""
    return f"{margin * sign:+.3g}{unit}" if sign else f"±{margin:.3g}{unit}"
