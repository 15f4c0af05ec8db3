"""Terms for the methods that are compared: what each one is trained on, or how it decides."""

from __future__ import annotations

from dashboard.terms import Term

METHODS: dict[str, Term] = {
    "oracle": Term(
        label="Oracle",
        gloss="Trained on the final labels, which nobody has on the snapshot day: what perfect foresight would give.",
    ),
    "wait": Term(
        label="Wait for the window",
        gloss="Trained on exposures whose attribution window is over: right labels, but from an older time.",
    ),
    "vanilla": Term(
        label="Vanilla",
        gloss="Trained on the labels as they stand on the snapshot day; what has not converted yet counts as negative.",
    ),
    "fnw": Term(
        label="FNW",
        gloss="Every exposure enters as a negative at once and again as a positive at its conversion; weights from the "
        "model's own probability undo the doubling.",
        formula="w+ = 1 + f, w− = (1 − f)(1 + f)",
        source="Ktena et al. (2019), arXiv 1907.06558",
    ),
    "es_dfm": Term(
        label="ES-DFM",
        gloss="Reads the label after the waiting window, adds late conversions as further rows, and weights both.",
        formula="w+ = 1 + p_dp, w− = (1 + p_dp) p_rn",
        source="Yang et al. (2021), arXiv 2012.03245",
    ),
    "exact_joint": Term(
        label="Exact weights, no signals",
        gloss="One row per exposure: a negative so far counts with the share that stays negative, and the conversion "
        "still pending counts as a positive. The same as ours, without the engagement state.",
        formula="w+ = 1, w− = p_rn, pending 1 − p_rn",
        source="own derivation, tested on closed forms",
    ),
    "kaplan_meier": Term(
        label="Kaplan–Meier by segment",
        gloss="Flip probability from the survival curve of the segment alone, without a network.",
        formula="1 − S(W) ÷ S(age)",
        source="Kaplan and Meier (1958)",
    ),
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
