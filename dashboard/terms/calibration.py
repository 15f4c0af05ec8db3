"""Terms for what a calibration error is made of."""

from __future__ import annotations

from dashboard.terms import Term

CALIBRATION: dict[str, Term] = {
    "ece_debiased": Term(
        label="ECE, debiased",
        gloss="ECE less what chance alone would show in bins of this size.",
        formula="2 ECE − Σ w E|gap + noise|",
        better="lower",
        source="Kumar et al. (2019)",
    ),
    "smooth_ece": Term(
        label="Smooth ECE",
        gloss="Calibration error without bins: gaps are smoothed along the score, with a width that the rows set.",
        formula="∫ |mean K(t, p)(y − p)| dt",
        better="lower",
        source="Błasiok and Nakkiran (2024), arXiv 2309.12236",
    ),
    "brier_reliability": Term(
        label="Reliability",
        gloss="Part of the Brier score: how far the rates of the bins lie from what was predicted there.",
        formula="Σ w (predicted − observed)²",
        better="lower",
        source="Murphy (1973)",
    ),
    "brier_resolution": Term(
        label="Resolution",
        gloss="Part of the Brier score: how far the rates of the bins lie from the base rate.",
        formula="Σ w (observed − base rate)²",
        better="higher",
        source="Murphy (1973)",
    ),
    "brier_uncertainty": Term(
        label="Uncertainty of the label",
        gloss="Part of the Brier score that no score can change: the variance of the label.",
        formula="base rate × (1 − base rate)",
        better="neither; the data set it",
        source="Murphy (1973)",
    ),
    "brier_within": Term(
        label="Within bins",
        gloss="Part of the Brier score that bins hide: variance of the score inside them minus twice its covariance "
        "with the label.",
        formula="Brier − reliability + resolution − uncertainty",
        better="lower",
        source="Stephenson et al. (2008)",
    ),
    "miscalibration": Term(
        label="Miscalibration (MCB)",
        gloss="What the Brier score would lose by the best recalibration that keeps the order of the scores.",
        formula="Brier(score) − Brier(isotonic)",
        better="lower",
        source="Dimitriadis et al. (2021), arXiv 2008.03033",
    ),
    "discrimination": Term(
        label="Discrimination (DSC)",
        gloss="How much better than the base rate the recalibrated score is.",
        formula="Brier(base rate) − Brier(isotonic)",
        better="higher",
        source="Dimitriadis et al. (2021), arXiv 2008.03033",
    ),
}
