"""Words, tables and figures of the asymmetry review."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from dashboard.layout import escape_markdown, number
from engine.figures.graph_network import KIND_LABEL
from engine.figures.theme import METHOD_LABEL
from engine.graph.config import TRAINED_METHODS
from engine.graph.explore import Scene
from engine.graph.readout import direction_probability
from engine.graph.review_evidence import Evidence
from engine.graph.review_pairs import PER_CATEGORY, PER_NODE, PER_QUEUE, Queue

if TYPE_CHECKING:
    from dashboard.controls.graph_review import Desk

QUEUE_LABEL: dict[Queue, str] = {
    "asymmetric": "Most asymmetric",
    "both_ways": "Recommended both ways",
    "not_replicated": "Order not replicated",
}
QUEUE_HELP: dict[Queue, str] = {
    "asymmetric": "Linked or recommended pairs of whose direction the model is surest.",
    "both_ways": "Edges that point one way, while the model lists each of the two after the other: a case belongs to a "
    "phone, but does a phone belong to a case?",
    "not_replicated": "Edges whose time order is not the same in two random halves of the users; where the model is "
    "surest comes first.",
}
CHOSEN_HELP = (
    f"At most {PER_NODE} pairs with the same source, and with the same target, so that no hub fills a list; of those "
    f"the first {PER_QUEUE}, and the first {PER_CATEGORY} of every category."
)
SHOW_LABEL = {"all": "All", "open": "To review", "done": "Reviewed"}
VERDICT_WORD: dict[str, str] = {
    "right": "Right way",
    "wrong": "Wrong way",
    "both": "Both fine",
    "unrelated": "Unrelated",
}
VERDICT_HELP = {
    "right": "It makes sense to recommend the second after the first, and not the other way round.",
    "wrong": "Only the other way round makes sense: recommend the first after the second.",
    "both": "Either makes sense after the other, so there is no direction to prefer.",
    "unrelated": "Neither makes sense after the other.",
}
HOW_TO_JUDGE = (
    "Read the arrow as *recommend the second after the first*. Judge what makes sense to a customer, not what the "
    "model or the data say: both stand below for you to question.  \n"
    + "  \n".join(f"**{VERDICT_WORD[verdict]}**: {words}" for verdict, words in VERDICT_HELP.items())
    + "  \nKeys: 1 to 4 give a verdict, U takes the last one back, P and N move. What others said of a pair is shown "
    "once you have judged it."
)
TERM_LABEL = {"popularity": "Popularity", "season": "Season", "time_order": "Time order", "rest": "Rest"}
_CARRIED = {
    "popularity": "**popularity** carries it: one of the two is simply more common",
    "season": "the **season** carries it: one of the two has its time of the year later",
    "time_order": "the **time order** carries it, and both halves of the users show it",
    "rest": "**none of the three** carries it: do not call it an order",
    "none": "**nothing to explain**: the interval includes equal chances both ways",
}
EVIDENCE_HELP = (
    "Counted in the data, not by the model. Days followed: days with the first that the second follows within the "
    "window. Lift: against the calendar; 1 is no more than chance. Halves: the same lift in two random halves of the "
    "users. A dash: the data keep no such figure for this direction."
)
METHODS_HELP = (
    "Score and rank of the pair as it is shown (⟶) and turned round (⟵). P ⟶: probability that a one-way pair points "
    "this way; it decides what the method prefers, even against the scores, which tell how likely an edge is at all. A "
    "dash: the method has no such probability and prefers the higher score. Scores of different methods have different "
    "scales; ranks compare. Training and validation edges of the same source are left out of a rank."
)
_WITH_ODDS = (*TRAINED_METHODS, "degree_head")
"""Methods whose preference is the log-odds of a direction; that of the others is a difference of scores."""
_FACTS = {
    "users": "Users",
    "followed": "Days followed",
    "share": "Share [95\u00a0%]",
    "lift": "Lift (halves)",
    "season_share": "Season",
}


def nothing(desk: Desk) -> str:
    """Say why no pair is shown, and what to do."""
    if len(desk.whole):
        return "Every pair of this selection is reviewed. Choose **All** to change a verdict, or another list."
    empty = not (desk.material.pairs[desk.name] > 0).any()
    if not empty:
        return "No pair passes the filters. Choose another category or kind, or lower the score or the support."
    if desk.name == "not_replicated":
        return (
            "The data of this run hold no evidence in two halves of the users, so nothing can be said of replication. "
            "Make the edges from events (user, item, time) and train on them."
        )
    return "This run has no such pair. Choose another list."


def pair_label(scene: Scene, pair: pd.Series, *, limit: int = 60) -> str:
    """Write a pair as an arrow, safe for markdown."""
    return " ⟶ ".join(_names(scene, pair, limit=limit))


def headline(scene: Scene, pair: pd.Series) -> str:
    """Write a pair large, the source in its colour and the target in its own."""
    # Short enough for one line: the buttons below stay where they are from pair to pair.
    source, target = _names(scene, pair, limit=34)
    return f"##### :blue[{source}] ⟶ :orange[{target}]"


def origin(pair: pd.Series) -> str:
    """Say what the data know of a pair, and the categories of its nodes."""
    way = {
        (True, True): "an edge both ways",
        (True, False): "an edge this way only",
        (False, True): "an edge the other way only",
    }.get((pair["edge"] >= 0, pair["back_edge"] >= 0), "no edge in the data")
    first, second = (escape_markdown(pair[f"{side}_category"], limit=40) for side in ("source", "target"))
    kind = KIND_LABEL[str(pair["kind"])]
    return f"{kind}: {way} · {first}" + ("" if first == second else f" ⟶ {second}")


def claim(scene: Scene, pair: pd.Series, calibration: pd.DataFrame) -> str:
    """Say which way the model prefers, how sure it is, and how often that is kept."""
    first, second = _names(scene, pair, limit=40)
    sure = max(pair["probability"], 1 - pair["probability"])
    inside = calibration[(calibration["low"] <= sure) & (sure <= calibration["high"]) & (calibration["n"] > 0)]
    kept = ""
    if len(inside):
        row = inside.iloc[-1]
        kept = (
            f" At this level it keeps {100 * row.observed:.0f} % [{100 * row.ci_low:.0f}, {100 * row.ci_high:.0f}] "
            f"of its promises (n {int(row.n):,} one-way test edges; a coin 50\u00a0%)."
        )
    return (
        f"Among {len(scene.nodes):,} nodes the model puts **{second}** at rank **{rank(pair['rank'])}** after {first}, "
        f"and {first} at rank **{rank(pair['back_rank'])}** after {second}: it points this way with probability "
        f"**{chance(pair['probability'])}**.{kept}"
    )


def explanation(scene: Scene, pair: pd.Series, found: Evidence) -> str:
    """Say how asymmetric the data are, and what carries that."""
    told = found.explanation
    first, second = _names(scene, pair, limit=40)
    if told is None:
        return "The pair is an edge in neither direction, so the data say nothing of it: only the model does."
    value, low, high = (number(math.exp(end)) for end in told.asymmetry)
    if told.basis == "degree" and pair["edge"] >= 0 and pair["back_edge"] >= 0:
        return (
            f"The pair is linked **both ways**, so there is no direction to explain. {second} has × {value} "
            f"[{low}, {high}] the in-degree of {first} (n {told.n:,} edges)."
        )
    if told.basis == "degree":
        words = "popularity alone" if told.key == "popularity" else "no clear difference in popularity"
        return (
            f"Only the graph is known, no events: {second} has **× {value}** [{low}, {high}] the in-degree of {first} "
            f"(n {told.n:,} edges): **{words}**. Season and time order cannot be told."
        )
    halves = {1.0: "the same in both halves of the users", 0.0: "not the same in both halves of the users"}
    order = halves.get(told.replicates, "not tested in halves")
    return (
        f"{second} after {first} is **× {value}** [{low}, {high}] as likely as {first} after {second} (n {told.n:,} "
        f"users): {_CARRIED[told.key]}. Its time order is {order}."
    )


def directions(scene: Scene, pair: pd.Series, found: Evidence) -> pd.DataFrame:
    """Write what the data count in both directions: one row per direction, one column per fact; safe for markdown."""
    table = found.directions
    first, second = _names(scene, pair, limit=28)
    columns = {"Edge": ["yes" if is_edge else "no" for is_edge in table["is_edge"]]}
    for column, label in _FACTS.items():
        if table[column].notna().any():
            columns[label] = [_fact(column, row) for _, row in table.iterrows()]
    for column, part in found.other.groupby("column", sort=False):
        values = part.set_index("direction")["value"]
        label = escape_markdown(str(column).replace("_", " ").capitalize(), limit=20)
        columns[label] = [escape_markdown(values.get(way, "–"), limit=40) for way in ("this", "other")]
    return pd.DataFrame(columns, index=[f"{second} after {first}", f"{first} after {second}"])


def methods(desk: Desk, pair: int) -> pd.DataFrame:
    """Write what every method says of a pair."""
    row, scores = desk.material.pairs.loc[pair], desk.material.scores
    if scores is None:
        own = {"method": desk.material.scene.form, **row[["score", "back_score", "direction", "rank", "back_rank"]]}
        table = pd.DataFrame([own])
    else:
        table = scores[scores["pair"] == pair]
    ahead = table["direction"].astype(float)
    return pd.DataFrame(
        {
            "Method": [METHOD_LABEL.get(str(method), str(method)) for method in table["method"]],
            "Prefers": ["⟶" if value > 0 else "⟵" if value < 0 else "=" for value in ahead],
            "P ⟶": [
                chance(probability) if str(method) in _WITH_ODDS else "–"
                for method, probability in zip(table["method"], direction_probability(table), strict=True)
            ],
            "Score ⟶": [number(float(value)) for value in table["score"]],
            "Score ⟵": [number(float(value)) for value in table["back_score"]],
            "Rank ⟶": [rank(value) for value in table["rank"]],
            "Rank ⟵": [rank(value) for value in table["back_rank"]],
        }
    )


def others(desk: Desk, pair: int) -> str:
    """Say what other reviewers said of a pair; shown only once a reviewer with a name has judged it."""
    rows = desk.verdicts[(desk.verdicts["pair"] == pair) & (desk.verdicts["reviewer"] != desk.reviewer)]
    if rows.empty:
        return ""
    if not desk.reviewer or pair not in desk.own:
        return f"{len(rows)} other verdict{'s' if len(rows) > 1 else ''}: shown once you have given yours."
    said = [
        f"{escape_markdown(row.reviewer, limit=30)}: {VERDICT_WORD[str(row.verdict)].lower()}"
        + (f" (“{escape_markdown(row.note, limit=80)}”)" if row.note else "")
        for row in rows.itertuples()
    ]
    return " · ".join(said)


def _names(scene: Scene, pair: pd.Series, *, limit: int = 60) -> tuple[str, str]:
    """Return what the source and the target are called, safe for markdown."""
    source, target = (escape_markdown(scene.names[pair[side]], limit=limit) for side in ("source", "target"))
    return source, target


def _fact(column: str, row: pd.Series) -> str:
    """Write one fact of one direction."""
    value = row[column]
    if math.isnan(value):
        return "–"
    if column == "users":
        return f"{value:,.0f}"
    if column == "followed":
        return f"{value:,.0f}" + ("" if math.isnan(row["days"]) else f" of {row['days']:,.0f}")
    if column == "share":
        return f"{100 * value:.1f} % [{100 * row['share_low']:.1f}, {100 * row['share_high']:.1f}]"
    if column == "season_share":
        return f"{100 * value:.1f} %"
    halves = [number(row[half]) for half in ("lift_first", "lift_second")]
    return number(value) + ("" if halves == ["–", "–"] else f" ({' / '.join(halves)})")


def chance(probability: float) -> str:
    """Write a probability; none is certain."""
    return f"{probability:.2f}" if 0.005 <= probability < 0.995 else "< 0.01" if probability < 0.5 else "> 0.99"


def rank(value: float) -> str:
    """Write a rank; ties have half ranks."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def factors(terms: pd.DataFrame) -> str:
    """Write the factors of an asymmetry in a row, for screen readers."""
    known = terms[terms["value"].notna()]
    return ", ".join(f"{TERM_LABEL[row.term].lower()} × {number(math.exp(row.value))}" for row in known.itertuples())


def claimed(shares: pd.DataFrame) -> str:
    """Say how many directions the model claims and the data have, for screen readers."""
    first = shares.iloc[0]
    return (
        f"The model claims a direction for {100 * first['value']:.0f} % of {int(first['n']):,} linked pairs; "
        f"{100 * first['one_way']:.0f} % are one-way in the data; categories: {len(shares) - 1}"
    )


def confirmed(methods: pd.DataFrame) -> str:
    """Say whose directions reviewers confirm most often, for screen readers."""
    first = methods.sort_values("value", ascending=False).iloc[0]
    method = METHOD_LABEL.get(str(first["method"]), str(first["method"]))
    return f"Of {len(methods)} methods {method} agrees with reviewers most often: {number(first['value'])}"
