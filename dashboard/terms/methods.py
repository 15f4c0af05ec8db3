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
    "greedy_merged": Term(
        label="Greedy, buckets together",
        gloss="Step by step the bucket whose next score bin holds the largest share of positives is extended.",
    ),
    "isotonic": Term(
        label="One isotonic threshold",
        gloss="One threshold that stands only where a rate that never falls with the score takes a step.",
    ),
    "mist_group": Term(
        label="MIST, whole groups",
        gloss="MIST in which all score bins of one isotonic rate are selected together or not at all.",
        source="after Arora et al. (2024), arXiv 2311.11723",
    ),
    "best_of": Term(
        label="Best of one threshold and MIST",
        gloss="Whichever of the two finds more positives on the tuning rows at the target.",
    ),
    "equal_weight_dp": Term(
        label="Equal-weight program",
        gloss="The best thresholds on score bins of equal row count, cut anew inside every bucket.",
        source="after Arora et al. (2024), arXiv 2311.11723",
    ),
    "monotone_dp": Term(
        label="Exact, rising with uncertainty",
        gloss="The best thresholds among those that never fall as uncertainty rises.",
    ),
    "guaranteed": Term(
        label="Guaranteed precision",
        gloss="Thresholds fixed on half of the tuning units and tested on the other half: on new rows the precision "
        "holds with a stated confidence, 90 % unless set otherwise.",
        source="Angelopoulos et al. (2021), arXiv 2110.01052",
    ),
    "boosted": Term(
        label="Boosted recalibrator",
        gloss="Small boosted trees fold score and uncertainty into one score, which gets one threshold.",
    ),
    "ensemble": Term(
        label="Deep ensemble",
        gloss="Several networks from different starts: the score is their mean, the uncertainty how far they disagree.",
        source="Lakshminarayanan et al. (2017), arXiv 1612.01474",
    ),
    "given": Term(label="Given score", gloss="Score and uncertainty as the data bring them; nothing is trained."),
    "mc_dropout": Term(
        label="Dropout kept on",
        gloss="One network scores every row several times, each time without some of its units; uncertainty is how "
        "far the passes disagree.",
        source="Gal and Ghahramani (2016), arXiv 1506.02142",
    ),
    "laplace": Term(
        label="Last-layer Laplace",
        gloss="One network; uncertainty is what the training rows leave open of its last layer's weights.",
        source="Daxberger et al. (2021), arXiv 2106.14806",
    ),
    "natpn_flat": Term(
        label="Posterior network, flat prior",
        gloss="One network says a rate and how many training rows lie near; where these are few, the score is drawn "
        "to one half.",
        source="Charpentier et al. (2022), arXiv 2105.04471",
    ),
    "natpn_matched": Term(
        label="Posterior network, matched prior",
        gloss="The posterior network whose scores are drawn to the base rate, not to one half, where training rows "
        "are few.",
        source="Charpentier et al. (2022), arXiv 2105.04471",
    ),
    "counts": Term(
        label="Deep ensemble, training counts",
        gloss="The ensemble's score; a row is uncertain if its categories were rare among the training rows.",
    ),
    "relative_recall_gain": Term(
        label="Recall gain",
        gloss="Difference of two recalls at equal precision in percent of the baseline's recall.",
        formula="100 (recall − baseline) ÷ baseline",
        unit="%",
        better="higher",
    ),
}
