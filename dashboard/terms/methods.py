"""Terms for the methods that are compared: what each one is trained on, or how it decides."""

from __future__ import annotations

from dashboard.terms import Term

METHODS: dict[str, Term] = {
    "single_threshold": Term(
        label="One threshold",
        gloss="One threshold on the score for every bucket of uncertainty: the usual practice and the baseline.",
    ),
    "greedy": Term(
        label="Greedy per bucket",
        gloss="Every bucket meets the precision on its own; what one has to spare, another cannot use.",
        source="after Arora et al. (2024), arXiv 2311.11723",
    ),
    "ensemble": Term(
        label="Deep ensemble",
        gloss="Several networks from different starts: the score is their mean, the uncertainty how far they disagree.",
        source="Lakshminarayanan et al. (2017), arXiv 1612.01474",
    ),
    "given": Term(label="Given score", gloss="Score and uncertainty as the data bring them; nothing is trained."),
    "relative_recall_gain": Term(
        label="Recall gain",
        gloss="Difference of two recalls at equal precision in percent of the baseline's recall.",
        formula="100 (recall − baseline) ÷ baseline",
        unit="%",
        better="higher",
    ),
}
