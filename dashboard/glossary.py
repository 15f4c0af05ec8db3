"""Terms with a gloss, a formula and a source: shown on hover and on the overview."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of the field."""

    label: str
    gloss: str
    """One sentence in plain words."""
    formula: str = ""
    unit: str = ""
    source: str = ""
    better: str = ""
    """``"higher"``, ``"lower"``, a target value such as ``"1"``, or empty."""

    def help(self) -> str:
        """Return the hover text."""
        parts = [self.gloss]
        if self.formula:
            parts.append(f"Formula: {self.formula}.")
        if self.better:
            parts.append(f"Better: {self.better}.")
        if self.source:
            parts.append(f"Source: {self.source}.")
        return "  \n".join(parts)


_SHARED = {
    "interval": Term(
        label="95 % interval",
        gloss="Where the figure would land in 95 of 100 repetitions with other units of the same kind.",
        formula="2.5 and 97.5 % quantiles of a paired bootstrap over the natural unit",
        source="Efron and Tibshirani (1993)",
    ),
    "verdict": Term(
        label="Verdict",
        gloss="Supported: the whole interval is on the claimed side of 0. Not supported: the whole interval is below "
        "the smallest effect worth having. Inconclusive: neither.",
    ),
    "log_loss": Term(
        label="Log loss",
        gloss="How surprised the predictions are by the labels, on average over rows.",
        formula="−mean(y ln p + (1 − y) ln(1 − p))",
        unit="nats",
        better="lower",
    ),
    "roc_auc": Term(
        label="ROC AUC",
        gloss="How often a random positive row scores above a random negative one; ties count half.",
        formula="P(score of a positive > score of a negative)",
        better="higher",
        source="Hanley and McNeil (1982)",
    ),
    "pr_auc": Term(
        label="PR AUC",
        gloss="Precision averaged over the positives, each taken at its own rank; equals the base rate by chance.",
        formula="Σ (recall step × precision)",
        better="higher",
    ),
    "brier": Term(
        label="Brier score",
        gloss="Mean squared distance between the predicted probability and the label.",
        formula="mean((p − y)²)",
        better="lower",
        source="Brier (1950)",
    ),
    "calibration": Term(
        label="Calibration",
        gloss="Predicted positives per observed positive; above 1 the model promises too much.",
        formula="Σ p ÷ Σ y",
        better="1",
    ),
    "ece": Term(
        label="ECE",
        gloss="Mean distance between predicted and observed rate over score bins, weighted by their rows.",
        formula="Σ (n of bin ÷ n) × |mean p − positive rate|",
        better="lower",
        source="Naeini et al. (2015)",
    ),
    "precision": Term(
        label="Precision",
        gloss="Share of the selected rows that are positive.",
        formula="true positives ÷ selected",
        better="higher",
    ),
    "recall": Term(
        label="Recall",
        gloss="Share of the positive rows that are selected.",
        formula="true positives ÷ positives",
        better="higher",
    ),
    "coverage": Term(
        label="Share selected",
        gloss="Share of all rows that are selected.",
        formula="selected ÷ rows",
        better="as the use needs",
    ),
}

_GRAPH: dict[str, Term] = {}

_DELAY: dict[str, Term] = {}

_UNCERTAINTY: dict[str, Term] = {}

TERMS: dict[str, Term] = _SHARED | _GRAPH | _DELAY | _UNCERTAINTY
"""Key to term; metric keys are those of the metrics tables."""
