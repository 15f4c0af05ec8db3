"""The tab that compares estimators: whose uncertainty tells something, and what leaving doubtful rows out gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from dashboard.cache import Run
from dashboard.controls.one_of import one_of
from dashboard.controls.thresholds import Choice
from dashboard.controls.uncertainty_units import counted, heading
from dashboard.glossary import TERMS
from dashboard.layout import number
from dashboard.state import ESTIMATORS as KEY
from engine.figures.uncertainty_estimators import Panel
from engine.uncertainty.findings import (
    AREA_GAIN,
    AREA_PREFIX,
    CORRELATION,
    CORRELATION_AT_SCORE,
    GAIN,
    PLACEBO,
    RISK_LABEL,
    TREND,
    abstention_sentence,
    information_sentence,
    informative,
)
from engine.uncertainty.names import RECALL_MARGIN, scorer_label
from engine.uncertainty.verdict_words import verdict_sentence

PANELS = (
    Panel(metric="roc_auc", title="ROC AUC"),
    Panel(metric="log_loss", title="Log loss (nats)"),
    Panel(metric=CORRELATION_AT_SCORE, title="Correlation with the error<br>at equal score", reference=0.0),
    Panel(metric=TREND, title="Positivity at equal score (points)<br>○ shuffled", reference=0.0, placebo=PLACEBO),
    Panel(metric=GAIN, title="Recall gained (points)<br>shaded: too little", reference=0.0, margin=RECALL_MARGIN),
    Panel(metric=AREA_GAIN, title="Log loss saved by leaving out<br>by uncertainty, not score", reference=0.0),
)
MEASURES = {
    "The score": {"roc_auc": "ROC AUC", "log_loss": "Log loss"},
    "What its uncertainty adds": {
        TREND: "Positivity at equal score, points",
        PLACEBO: "The same, shuffled",
        GAIN: f"Recall gained, points (worth having from {RECALL_MARGIN:g})",
        CORRELATION: "Correlation with the error",
        CORRELATION_AT_SCORE: "The same at equal score",
    },
}
ORDERS = {"uncertainty": "By uncertainty", "score_ambiguity": "By ambiguity<br>of the score", "random": "At random"}
RISKS = {"log_loss": "Log loss", "brier": "Brier score", "error": "Wrong decisions", "precision": "Precision"}
Color = Literal["green", "blue", "gray"]
VERDICTS = "Verdict"
"""Choice among the measures that lists verdicts instead."""
VERDICT_COLOR: dict[str, Color] = {"several thresholds help": "green", "a repair does the same": "blue"}
UNJUDGED = ("not judged", "one bucket")
"""Verdicts of scorers that have no several thresholds."""
NOT_JUDGED = "not judged"
VERDICT_WORDS = (
    "**Several thresholds help**: the whole interval of the gain is above 0 and reaches what is worth having. "
    "**A repair does the same**: so it is, but one threshold on a score that folds the uncertainty in finds as much, "
    "or only that one's gain is shown. "
    "**No gain**: a gain worth having is ruled out. **Open**: the data cannot tell. "
    "**Not judged**: next to all rows lie in one bucket. **One bucket**: there are no several thresholds."
)
OLDER = (
    "This run is of an older version that did not compare estimators. Open **Train** and train it again on the same "
    "data; the setting **estimators** names those to compare."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Change in positivity from the most to the least certain row at equal score, in percentage points."""

    segment: str
    value: float
    low: float
    high: float
    n: int
    placebo: str
    """The same with shuffled uncertainty, written out."""


def stored(run: Run, name: str) -> pd.DataFrame:
    """Return a stored table; empty where an older version left it out."""
    return run.curve(name) if name in run.manifest["curves"] else pd.DataFrame()


def comparison(run: Run) -> pd.DataFrame:
    """Return what estimators are compared by, without gains of scorers that have no several thresholds.

    Runs of an earlier version store a gain of 0 for these.
    """
    table, verdicts = stored(run, "estimators"), stored(run, "verdicts")
    if table.empty or verdicts.empty:
        return table
    unjudged = verdicts.loc[verdicts["verdict"].isin(UNJUDGED), "scorer"]
    effect = ["value", "ci_low", "ci_high"]
    is_open = (table["metric"] == GAIN) & table["scorer"].isin(unjudged)
    return table.assign(**{name: table[name].mask(is_open) for name in effect})


def names(run: Run) -> dict[str, str]:
    """Return the scorers of a run with their names, in the order of the run."""
    return {str(scorer): scorer_label(str(scorer)) for scorer in run.curve("scorers")["scorer"]}


def information(run: Run) -> str:
    """Say whose uncertainty tells more than its score, which may be none; empty for an older run."""
    table = stored(run, "estimators")
    return information_sentence(table) if len(table) else ""


def verdict(choice: Choice) -> tuple[str, Color, str]:
    """Return the verdict of the chosen scorer, the colour of its badge, and its sentence; empty for an older run."""
    table = stored(choice.run, "verdicts")
    own = table[table["scorer"] == choice.scorer] if len(table) else table
    if own.empty:
        return "", "gray", ""
    row = {str(key): value for key, value in own.iloc[0].items()}
    # Written anew, as older runs do not say which precisions the verdict is over.
    sentence = verdict_sentence(row, sorted(choice.run.curve("boundaries")["target"].unique()), _chosen(choice))
    return str(row["verdict"]), VERDICT_COLOR.get(str(row["verdict"]), "gray"), sentence


def _chosen(choice: Choice) -> int | None:
    """Return the cross-fitted number of buckets of the chosen scorer; nothing if none was chosen."""
    table = stored(choice.run, "bucket_choice")
    own = table[(table["scorer"] == choice.scorer) & table["chosen"]] if len(table) else table
    return int(own["buckets"].iloc[0]) if len(own) else None


def verdict_table(run: Run) -> pd.DataFrame:
    """Write the verdict of every scorer; empty for an older run."""
    table = stored(run, "verdicts")
    if table.empty:
        return table
    gains = [NOT_JUDGED if r.verdict in UNJUDGED else _cell(r) for r in table.itertuples()]
    shown = {
        "Score": [scorer_label(str(scorer)) for scorer in table["scorer"]],
        "Verdict": [str(text).capitalize() for text in table["verdict"]],
        "Recall gained at equal precision, points": gains,
        heading(run): [f"{int(n):,}" for n in table["n"]],
    }
    return pd.DataFrame(shown).set_index("Score")


def choose_measures(run: Run) -> str:
    """Let the reader choose which measures are listed."""
    options = [*MEASURES, *([VERDICTS] if len(stored(run, "verdicts")) else [])]
    return one_of("Table", {name: name for name in options}, KEY["measures"])


def measure_table(run: Run, measures: str) -> pd.DataFrame:
    """Write the estimators side by side; those whose trend is beyond chance are marked."""
    table = comparison(run)
    told = informative(table)
    found = {(row.scorer, row.metric): row for row in table.itertuples()}
    lines = []
    for scorer, name in names(run).items():
        own = {metric: found[scorer, metric] for metric in MEASURES[measures] if (scorer, metric) in found}
        if not own:
            continue
        line = {
            "Score": f"**{name}**" if scorer in told else name,
            heading(run): f"{int(next(iter(own.values())).n):,}",
        }
        for metric, label in MEASURES[measures].items():
            missing = NOT_JUDGED if metric == GAIN else "–"
            line[label] = _cell(own[metric], missing) if metric in own else "–"
        lines.append(line)
    return pd.DataFrame(lines).set_index("Score")


def _cell(row: object, missing: str = "–") -> str:
    """Write a value with its interval; a line may break between the two only."""
    value, low, high = (float(getattr(row, name)) for name in ("value", "ci_low", "ci_high"))
    return missing if value != value else f"{number(value)} [{number(low)},\u00a0{number(high)}]"


def measure_words(run: Run, measures: str) -> str:
    """Explain the measures."""
    keys = [key for key in MEASURES[measures] if key in TERMS]
    return (
        f"Test rows; {counted(run)} **Bold**: the positivity at equal score is beyond chance, "
        "given how many scores are compared.\n\n"
        + "\n".join(f"- **{TERMS[key].label}**: {TERMS[key].gloss}" for key in keys)
    )


def choose_risk() -> str:
    """Let the reader choose what is measured on the rows kept."""
    return one_of("Measured on the rows kept", RISKS, KEY["risk"])


def risk_axis(risk: str) -> str:
    """Name what is measured, with its unit."""
    units = {"log_loss": "Log loss (nats)", "error": "Share of wrong decisions"}
    return f"{units.get(risk, RISKS[risk])}, rows kept"


def risk_rows(choice: Choice, risk: str) -> pd.DataFrame:
    """Return the curves of the chosen scorer."""
    table = choice.run.curve("risk_coverage")
    return table[(table["scorer"] == choice.scorer) & (table["metric"] == risk)]


def area_rows(choice: Choice, risk: str) -> pd.DataFrame:
    """Return the mean heights of the curves of the chosen scorer, and their paired differences."""
    table = choice.run.curve("abstention")
    return table[(table["scorer"] == choice.scorer) & (table["metric"] == AREA_PREFIX + risk)]


def risk_sentence(choice: Choice, risk: str) -> str:
    """Say which order of leaving rows out wins, from the paired intervals."""
    table = choice.run.curve("abstention")
    return abstention_sentence(table[table["scorer"] == choice.scorer], risk)


def risk_label(risk: str) -> str:
    """Name what is measured inside a sentence."""
    return RISK_LABEL[risk]


def trends(choice: Choice) -> list[Trend]:
    """Return the change in positivity at equal score: all rows, then the highest scores."""
    table = stored(choice.run, "trend")
    found = []
    for segment, rows in table[table["scorer"] == choice.scorer].groupby("segment", sort=False):
        by_method = {row.method: row for row in rows.itertuples()}
        row, placebo = by_method["uncertainty"], by_method["placebo"]
        beside = f"shuffled {number(placebo.value)} [{number(placebo.ci_low)}, {number(placebo.ci_high)}] pp"
        name = "All rows" if segment == "all" else str(segment).capitalize()
        found.append(
            Trend(segment=name, value=row.value, low=row.ci_low, high=row.ci_high, n=int(row.n), placebo=beside)
        )
    return found
