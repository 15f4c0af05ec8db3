"""Terms of reliability, recalibration and the comparison of estimators."""

from __future__ import annotations

from dashboard.terms import Term

UNCERTAINTY: dict[str, Term] = {
    "corp_curve": Term(
        label="Isotonic curve (CORP)",
        gloss="The reliability curve without bins: the rate that never falls with the score and fits best; the band is "
        "95 % under resampled units.",
        source="Dimitriadis et al. (2021), arXiv 2008.03033",
    ),
    "bias": Term(
        label="Bias",
        gloss="Bias is the mean score minus the observed rate; above 0 the score promises too much.",
        formula="mean score − positives ÷ rows",
        unit="percentage points",
        better="0",
    ),
    "isotonic_repair": Term(
        label="Isotonic recalibration",
        gloss="Isotonic recalibration replaces the score by the rate that tuning rows of that score show, never "
        "falling with the score.",
        source="Zadrozny and Elkan (2002)",
    ),
    "temperature_repair": Term(
        label="Temperature scaling",
        gloss="Temperature scaling divides the log-odds of every score by one number; above 1 it takes confidence "
        "back.",
        formula="sigmoid(log-odds ÷ T)",
        source="Guo et al. (2017), arXiv 1706.04599",
    ),
    "recall_gain": Term(
        label="Recall gain",
        gloss="Recall that a threshold per uncertainty bucket adds over one threshold at equal test precision, mean "
        "over the precision targets; one positive in fifty, 2 points, is the least worth having.",
        formula="recall(MIST) − recall(one threshold)",
        unit="percentage points of recall",
        better="higher",
    ),
    "error_correlation": Term(
        label="Correlation with the error",
        gloss="Correlation of the rank of the uncertainty with the squared error of the score.",
        formula="corr(rank of u, (score − label)²)",
        better="higher",
    ),
    "error_correlation_at_equal_score": Term(
        label="Correlation with the error at equal score",
        gloss="The same once what the score explains is taken out of both: 0 means that the uncertainty knows no more "
        "of the error than the score does.",
        formula="corr(u − f(score), error − g(score)), f and g piecewise linear",
        better="higher",
    ),
    "risk_coverage": Term(
        label="Risk-coverage curve",
        gloss="What is measured on the rows that are kept, while more and more doubtful rows are left out.",
        source="El-Yaniv and Wiener (2010)",
    ),
    "score_ambiguity": Term(
        label="Ambiguity of the score",
        gloss="Closeness of the score to one half for log loss and Brier score, to the threshold for decisions: what "
        "the score alone says about its own errors.",
    ),
    "abstention_area": Term(
        label="Mean over all shares",
        gloss="Mean height of the risk-coverage curve: what is measured on the rows kept, averaged over keeping 5, 10, "
        "… 100 % of them.",
        formula="mean over shares kept of the value on the rows kept",
    ),
}
