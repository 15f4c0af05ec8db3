"""Terms of the glossary, one module per page where they are many."""

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
