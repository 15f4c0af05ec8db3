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
}

_GRAPH: dict[str, Term] = {}

_DELAY: dict[str, Term] = {}

_UNCERTAINTY: dict[str, Term] = {}

TERMS: dict[str, Term] = _SHARED | _GRAPH | _DELAY | _UNCERTAINTY
"""Key to term; metric keys are those of the metrics tables."""
