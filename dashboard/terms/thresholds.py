"""Terms of the threshold editor, of policies and of cohorts."""

from __future__ import annotations

from dashboard.terms import Term

THRESHOLDS: dict[str, Term] = {
    "f1": Term(
        label="F1",
        gloss="One figure for precision and recall together: high only if both are.",
        formula="2 TP ÷ (2 TP + FP + FN)",
        unit="share",
        better="higher",
        source="Interval: Wilson (1927) for TP ÷ (TP + FP + FN), of which F1 is a rising function",
    ),
    "rate_at_the_cut": Term(
        label="Positive at the cut",
        gloss="Rate of positives among the tuning rows of a bucket whose scores lie nearest to the threshold, at least "
        "40 of them: what the next rows to enter or leave are worth. At the best boundary the buckets have about the "
        "same.",
        formula="positives ÷ rows of the score bins around the cut",
    ),
    "optimism": Term(
        label="Optimism",
        gloss="How much better a boundary looks on the rows it was chosen on than on rows it has not seen.",
        formula="share on the tuning rows − share on the test rows",
        better="0",
        source="Interval: Newcombe (1998), two independent shares",
    ),
    "headroom": Term(
        label="Room to improve",
        gloss="How many percent more positives any boundary over the same buckets and score bins could find at the "
        "same precision on the tuning rows, at most.",
        formula="⌊linear bound⌋ ÷ positives found − 1",
        unit="percent",
    ),
    "prior_shift": Term(
        label="Shift of the base rate",
        gloss="Positives become more or less frequent while positives and negatives each keep their scores. Recall "
        "stays; precision changes with the odds.",
        formula="precision′ = κ p ÷ (κ p + 1 − p), κ the factor on the odds of a positive",
        source="Saerens et al. (2002)",
    ),
    "policy": Term(
        label="Policy",
        gloss="The thresholds with the edges of their buckets, where they come from and what they achieved: all that "
        "is needed to apply them elsewhere and to judge them again.",
    ),
    "cohort": Term(
        label="Cohort",
        gloss="A named group of test rows: a cell of the confusion matrix, a bucket, a range of scores.",
    ),
}
