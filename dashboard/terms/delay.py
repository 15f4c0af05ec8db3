"""Terms of the delayed-feedback page."""

from __future__ import annotations

from dashboard.terms import Term

_RELATIVE = {
    f"relative_{metric}": Term(
        label=f"Relative {name}",
        gloss=f"Share of the way from vanilla to the oracle that a method covers in {name}; it means little where the "
        "two are close.",
        formula="(M − vanilla) ÷ (oracle − vanilla)",
        better="1",
        source="Yang et al. (2021), arXiv 2012.03245",
    )
    for metric, name in {
        "log_loss": "log loss",
        "roc_auc": "ROC AUC",
        "pr_auc": "PR AUC",
        "brier": "Brier score",
        "calibration_error": "calibration error",
    }.items()
}

DELAY: dict[str, Term] = _RELATIVE | {
    "flip_rate": Term(
        label="Flip rate",
        gloss="Share of the exposures without conversion at that age that still convert inside their window.",
        formula="φ(e) = 1 − S(W) ÷ S(e), S from Kaplan–Meier, W the attribution window",
        source="band: Greenwood's variance, log-log scale",
    ),
    "seen_share": Term(
        label="Positives already seen",
        gloss="Share of the final positives that have converted by that age.",
        formula="(1 − S(e)) ÷ (1 − S(W))",
        better="higher, at the price of older data",
    ),
    "flips_expected": Term(
        label="Expected flips",
        gloss="Labels read as negative at the waiting window that will turn positive, as estimated on the snapshot "
        "day; the interval is that of the flip rate.",
        formula="φ(e) × negatives at e",
    ),
    "ess_share": Term(
        label="Effective sample share",
        gloss="How many equally weighted rows the weighted rows are worth, as a share of them.",
        formula="(Σ w)² ÷ (n Σ w²)",
        better="higher",
        source="Kish (1965)",
    ),
    "calibration_error": Term(
        label="Calibration error",
        gloss="Distance of predicted ÷ observed positives from 1.",
        formula="|Σ p ÷ Σ y − 1|",
        better="lower",
    ),
    "mean_weight": Term(
        label="Mean weight", gloss="Average weight of the labels as seen.", formula="Σ w ÷ n", better="1"
    ),
    "max_weight": Term(
        label="Largest weight",
        gloss="One row with a large weight can steer the training.",
        formula="max w",
        better="lower",
    ),
    "clipped_share": Term(
        label="Share of weights clipped",
        gloss="Weights above the limit are cut, which trades bias for stability.",
        formula="rows with w above the limit ÷ n",
        better="lower",
    ),
    "snapshot": Term(
        label="Snapshot day",
        gloss="The day on which training takes place: conversions after it are not visible to any method but the "
        "oracle.",
    ),
    "importance_weight": Term(
        label="Importance weight",
        gloss="Factor on a row's loss that makes the labels seen so far count, on average, as the final ones would.",
        formula="positive: 1; negative: p_rn = P(stays negative | negative so far, features, engagement)",
        source="exact weights: own derivation; ES-DFM: Yang et al. (2021); FNW: Ktena et al. (2019)",
    ),
    "dress_style": Term(
        label="DRESS-style",
        gloss="Engagement and conversion over all exposures on one trunk, trained with weights that know the "
        "engagement state. The paper's own formulas could not be read: this is our reconstruction.",
        formula="r(x) = p_a(x) p(y | a, x) + (1 − p_a(x)) p(y | no a, x)",
        source="after Datta et al. (KDD 2023), ESMM and ES-DFM",
    ),
}
