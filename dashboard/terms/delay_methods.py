"""Terms for the methods that learn from labels which still change: what each is trained on."""

from __future__ import annotations

from dashboard.terms import Term

DELAY_METHODS: dict[str, Term] = {
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
    "pretrained": Term(
        label="Pre-trained",
        gloss="Trained once on an old block whose labels were final, then left as it is: what standing still costs.",
        source="baseline of Yang et al. (2021), arXiv 2012.03245",
    ),
    "vanilla_win": Term(
        label="Vanilla, two rows",
        gloss="Reads the label after the waiting window and adds late conversions as further rows, without weights.",
        formula="learns p ÷ (1 + p_dp) instead of p",
        source="baseline of Yang et al. (2021), arXiv 2012.03245",
    ),
    "fnc": Term(
        label="FNC",
        gloss="Trains on the doubled rows of FNW without weights and corrects the probability afterwards.",
        formula="p = b ÷ (1 − b), b the probability on the doubled rows",
        source="Ktena et al. (2019), arXiv 1907.06558",
    ),
    "defer": Term(
        label="DEFER",
        gloss="Reads every label twice, after the waiting window and when it is final, and weights both rows.",
        formula="w+ = f ÷ (f − ½ p_dp), w− = (1 − f) ÷ (1 − f + ½ p_dp)",
        source="Gu et al. (2021), arXiv 2104.14121",
    ),
    "defuse": Term(
        label="DEFUSE",
        gloss="The rows of ES-DFM; a negative counts partly as the positive that it may become.",
        formula="w+ = 1 + p_dp at once, 1 when late; negative: z p_dp ℓ1 + (1 − z)(1 + p_dp) ℓ0",
        source="Chen et al. (2022), arXiv 2202.06472",
    ),
    "fsiw": Term(
        label="FSIW",
        gloss="One row per exposure as it stands on the snapshot day; positives stand for those still to come.",
        formula="w+ = 1 ÷ P(seen by now | y = 1), w− = P(y = 0 | unseen)",
        source="Yasui et al. (2020), arXiv 2002.02068",
    ),
    "ulc": Term(
        label="ULC",
        gloss="One row per exposure; a second network says how likely a negative flips, and the label becomes that.",
        formula="positive ℓ1; negative w ℓ1 + (1 − w) ℓ0",
        source="Wang et al. (2023), arXiv 2307.12756",
    ),
    "dfm": Term(
        label="DFM",
        gloss="Probability and delay in one likelihood, the delay exponential with a rate that depends on features.",
        formula="converted: p λ e^(−λ d); not yet: 1 − p + p e^(−λ age)",
        source="Chapelle (2014)",
    ),
    "nndf": Term(
        label="nnDF",
        gloss="Estimates the loss of the false negatives from older exposures and takes it out, never below zero.",
        formula="ℓ1 of the positives seen and of late ones of older rows + max(0, ℓ0 of the rest − ℓ0 of those late)",
        source="Kato and Yasui (2022), arXiv 2009.13092",
    ),
    "esdf": Term(
        label="ESDF",
        gloss="Engagement and conversion over all exposures with the delay in slots of days, fitted by "
        "expectation–maximisation.",
        source="Wang et al. (2021), arXiv 2011.11826",
    ),
    "entire_space": Term(
        label="Entire space, no signals",
        gloss="The network of ours, engagement and conversion over all exposures, with weights that do not know the "
        "engagement: what ours gains over it is what the signals buy.",
        source="after ESMM, Ma et al. (2018)",
    ),
}
"""Key of a method to its term."""
