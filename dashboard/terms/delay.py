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
        "engagement state and follow a drift of conversion and delay. The paper's own formulas could not be read: "
        "this is our reconstruction.",
        formula="r(x) = p_a(x) p(y | a, x) + (1 − p_a(x)) p(y | no a, x)",
        source="after Datta et al. (KDD 2023), ESMM and ES-DFM",
    ),
    "rate_seen": Term(
        label="Conversions counted so far",
        gloss="Conversions so far by exposures so far; the exposures that are too young to have converted pull it "
        "down. The interval is Wilson's.",
        formula="conversions by that day ÷ exposures by that day",
        source="Wilson (1927)",
    ),
    "rate_estimated": Term(
        label="Honest estimate that day",
        gloss="Share of the exposures that convert within their window, estimated from what was visible on that day: "
        "at every age only exposures count that had reached it.",
        formula="1 − S(W), S from Kaplan–Meier as of that day",
        source="Kaplan and Meier (1958); interval: Greenwood's variance, log-log scale",
    ),
    "cohort_projection": Term(
        label="Projection of a week",
        gloss="Carries a week on from its last seen age with the curve of its segments over all weeks, as chain-ladder "
        "does with insurance claims; it knows nothing of a change in how fast labels arrive.",
        formula="S(a) = Σ share of segment × S_week(a₀) × S_pool(a) ÷ S_pool(a₀)",
    ),
    "window_error": Term(
        label="Error of a waiting window",
        gloss="Bias: labels read too early miss late conversions. Variance: a longer window leaves fewer labels to "
        "learn from. Staleness: they are from an older world.",
        formula="error = √((bias + staleness)² + variance); the two may cancel",
        better="lower",
    ),
    "flip_hazard": Term(
        label="Flip hazard",
        gloss="Share of the exposures still without conversion at the start of a week that convert within it; unlike "
        "the flip rate it may rise with age.",
        formula="h = 1 − Π (1 − conversions in a step ÷ at risk at its start), over the steps of the week",
        source="interval: Wilson",
    ),
    "mixture_cure": Term(
        label="Mixture cure",
        gloss="A part of the exposures never converts, and the delays of the others follow a law.",
        formula="S(t) = 1 − p + p S₀(t), S₀ exponential or Weibull",
        source="Boag (1949); DFM without features is the exponential one, Chapelle (2014)",
    ),
    "entire_space_product": Term(
        label="Entire space",
        gloss="Engagement and conversion are learned over all exposures; their product is the conversion rate.",
        formula="r(x) = p_a(x) p(y | a, x) + (1 − p_a(x)) p(y | no a, x)",
        source="after ESMM, Ma et al. (2018)",
    ),
    "selection_gap": Term(
        label="Sample-selection gap",
        gloss="A model that learns from engaged exposures alone, judged on all of them: it has never seen the others.",
        formula="metric of engaged-only − metric of entire space, all later exposures",
        source="Ma et al. (2018)",
    ),
    "realised": Term(
        label="Realised performance",
        gloss="The metric once all labels are final. Before that, it can be measured on unripe labels (naive) or "
        "estimated, each open label counted as its probability of flipping.",
        formula="estimated: E over y ~ P(flip | features, age) of the metric",
    ),
    "influence": Term(
        label="Influence of a flip",
        gloss="What one label that turns from 0 to 1 does to the model, predicted without training again.",
        formula="Δθ = (1/n) H⁻¹ [∇ℓ(x, 0) − ∇ℓ(x, 1)]",
        source="Koh and Liang (2017); for flips, own derivation",
    ),
    "what_if_delay": Term(
        label="What if",
        gloss="What every method learns from endless data of a made-up law when its auxiliary models are right: "
        "closed forms, nothing is trained.",
        formula="fixed point of the method's weighted loss per engagement state",
    ),
}
