"""Every term that the pages show can be looked up."""

import pytest

from dashboard.glossary import TERMS, Term
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL


@pytest.mark.parametrize("key", sorted(METRIC_LABEL))
def test_every_metric_has_a_term_with_formula_and_direction(key: str) -> None:
    term = TERMS[key]
    assert term.formula
    assert term.better


@pytest.mark.parametrize("key", sorted(METHOD_LABEL))
def test_every_method_has_a_term(key: str) -> None:
    assert key in TERMS


@pytest.mark.parametrize("key", sorted(TERMS))
def test_a_gloss_is_made_of_sentences(key: str) -> None:
    term = TERMS[key]
    assert term.label
    assert term.gloss[0].isupper() or not term.gloss[0].isalpha()
    assert term.gloss.endswith(".")


def test_the_hover_text_holds_what_is_known() -> None:
    term = Term(label="MRR", gloss="A mean.", formula="mean of 1 / rank", better="higher", source="Voorhees (1999)")
    assert term.help() == "A mean.  \nFormula: mean of 1 / rank.  \nBetter: higher.  \nSource: Voorhees (1999)."
    assert Term(label="x", gloss="Only this.").help() == "Only this."
