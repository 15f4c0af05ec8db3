"""What the evaluation of a directed-graph run says in words: what tells directions, and the takeaway of each chart."""

from __future__ import annotations

import pandas as pd

from dashboard.cache import Run
from dashboard.controls.graph_summary import form, methods, metric_row, strongest_peer, too_few
from dashboard.layout import estimate, number
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL

MOSTLY = 0.9
"""Share of the gain over guessing from which on degrees tell most of the directions."""
READINGS = {
    "direction_auc": "Degrees and embeddings",
    "direction_auc_difference": "Difference of the two scores",
    "direction_auc_embeddings": "Embeddings alone",
}
"""Metric to what the direction is read from."""
LOSSES = (
    "**Ranking**: how improbable the true target is among random ones, −log of its softmax; reciprocity counts. "
    "**Reversed edges**, where that setting is above 0: one-way edges above, their reversals below a margin. "
    "**Asymmetric**: the published loss, on a scale of its own. The final weights average those of the last epochs."
)


def degree_sentence(run: Run) -> str:
    """Say how much of the direction the degrees alone explain."""
    head, ours = metric_row(run, "degree_head", "direction_auc"), metric_row(run, form(run), "direction_auc")
    if head is None or ours is None:
        return "Train the method *degree_head* as well to see how much of the direction the degrees alone explain."
    if (few := too_few(ours["n"])) or (few := too_few(head["n"])):
        return f"**{few} to say** how much of the direction the degrees alone explain."
    gain = ours["value"] - 0.5
    share = (head["value"] - 0.5) / gain if gain > 0 else 1.0
    verdict = "Direction is mostly a degree task here" if share >= MOSTLY else "Degrees do not tell it all here"
    return (
        f"**{verdict}**: the degrees of the two ends alone reach {_written(head)}, degrees and embeddings together "
        f"{_written(ours)} query nodes{_difference(run)}."
    )


def _difference(run: Run) -> str:
    """Write what the embeddings add to the degrees, on the same query nodes."""
    table = run.curve("differences")
    is_asked = (table["metric"] == "direction_auc") & (table["segment"] == "all")
    rows = table[is_asked & (table["method"] == form(run)) & (table["baseline"] == "degree_head")]
    if rows.empty:
        return ""
    first = rows.iloc[0]
    return f"; the embeddings add {number(first['value'])} [{number(first['ci_low'])}, {number(first['ci_high'])}]"


def direction_readings(run: Run) -> pd.DataFrame:
    """Write out the direction AUC of our form, the single embedding and the best other method, by what is read.

    Parameters
    ----------
    run : Run

    Returns
    -------
    DataFrame
        One row per reading; a method without that reading has a dash.
    """
    lines = []
    for metric, title in READINGS.items():
        peer = strongest_peer(run, metric)
        best = metric_row(run, peer, metric)
        lines.append(
            {
                "Read from": title,
                "Our form": _cell(metric_row(run, form(run), metric)),
                "Single embedding": _cell(metric_row(run, "single", metric)),
                "Best other method": "–" if best is None else f"{METHOD_LABEL[peer or '']} {_cell(best)}",
            }
        )
    return pd.DataFrame(lines)


def method_alt(run: Run, metric: str, segment: str) -> str:
    """Say which method leads in a metric, for screen readers."""
    table = methods(run, metric, segment)
    if table.empty:
        return f"{METRIC_LABEL[metric]}: nothing to ask of these edges"
    first = table.iloc[0]
    ours = table[table["method"] == form(run)]
    said = f"; {METHOD_LABEL[form(run)]} {number(ours['value'].iloc[0])}" if len(ours) else ""
    return (
        f"{METRIC_LABEL[metric]} of {len(table)} methods: {METHOD_LABEL[first['method']]} leads with "
        f"{number(first['value'])}{said}"
    )


def asymmetry_alt(edges: pd.DataFrame) -> str:
    """Say how many one-way and mutual edges score higher than their reversals, for screen readers."""
    parts = []
    for is_mutual, word in ((False, "one-way"), (True, "mutual")):
        rows = edges[edges["is_mutual"] == is_mutual]
        above = int((rows["score"] > rows["back_score"]).sum())
        parts.append(f"{above:,} of {len(rows):,} {word} edges")
    return f"{' and '.join(parts)} score higher than their reversals"


def reliability_alt(table: pd.DataFrame) -> str:
    """Say how far promised and kept directions lie apart, for screen readers."""
    rows = table[table["n"] > 0]
    if rows.empty:
        return "No one-way test edge"
    promised, kept = ((rows[name] * rows["n"]).sum() / rows["n"].sum() for name in ("predicted", "observed"))
    return f"Promised on average {number(promised)}, kept {number(kept)}, over {int(rows['n'].sum()):,} test edges"


def stage_title(stage: str) -> str:
    """Return the name of a training stage as a title."""
    return stage[:1].upper() + stage[1:]


def _written(found: pd.Series) -> str:
    """Write a row of the metrics out with its interval and n."""
    return estimate(found["value"], found["ci_low"], found["ci_high"], found["n"])


def _cell(found: pd.Series | None) -> str:
    """Write a row of the metrics out, or a dash."""
    return "–" if found is None else _written(found)
