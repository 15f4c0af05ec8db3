"""Terms of the asymmetry review."""

from __future__ import annotations

from dashboard.terms import Term

REVIEW: dict[str, Term] = {
    "review_precision": Term(
        label="Precision on reviewed pairs",
        gloss="Share of the reviewed pairs whose preferred direction the reviewers call right. Both fine and unrelated "
        "count against the model; where reviewers differ, the most frequent verdict counts, and a draw is left out.",
        formula="right / (right + wrong + both fine + unrelated)",
        better="higher",
        source="Interval: Wilson (1927), pairs taken as independent",
    ),
    "review_direction": Term(
        label="Precision of the direction",
        gloss="The same share over the pairs to which the reviewers gave one direction; a coin would reach 0.5.",
        formula="right / (right + wrong)",
        better="higher",
        source="Interval: Wilson (1927), pairs taken as independent",
    ),
    "cohen_kappa": Term(
        label="Cohen's κ",
        gloss="How far two reviewers agree beyond what chance would give two people with their habits: 0 is chance, 1 "
        "is full agreement.",
        formula="(p_o − p_e) / (1 − p_e)",
        better="higher",
        source="Cohen (1960); interval: bootstrap over the pairs that both judged",
    ),
    "claimed_share": Term(
        label="Claimed directions",
        gloss="Share of the linked pairs for which the model gives one direction a probability of 0.8 or more. A pair "
        "counts for the category of either node.",
        source="Interval: Wilson (1927), pairs taken as independent",
    ),
    "lift": Term(
        label="Lift",
        gloss="How much more often the second follows the first than the calendar alone would make it: 1 is no more.",
        formula="days followed / days expected from the calendar",
    ),
    "split_half": Term(
        label="Both halves",
        gloss="The users are split in two at random and the figure is computed in each half; what is real shows in "
        "both.",
    ),
    "asymmetry_factor": Term(
        label="Asymmetry",
        gloss="How much more likely the second is after the first than the first after the second; the product of its "
        "parts: popularity, season, time order and the rest.",
        formula="P(second | first) / P(first | second)",
    ),
}
