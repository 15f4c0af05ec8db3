"""The claims figure: one scale for every effect, and the side that the claim predicts is the right one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from engine.claims import claim_row
from engine.figures import theme
from engine.figures.overview import claim_effects


def row(claim="C1", **changes):
    """Return a claim row with some entries changed."""
    entries = {
        "effect": "MRR",
        "comparison": "dual",
        "baseline": "single",
        "segment": f"rows of {claim}",
        "value": 0.04,
        "ci_low": 0.02,
        "ci_high": 0.06,
        "n": 1200,
        "n_unit": "queries",
        "margin": 0.02,
    }
    return claim_row(claim, **(entries | changes))


CLAIMS = pd.DataFrame(
    [
        row(),
        row("C4", value=-0.04, ci_low=-0.06, ci_high=-0.02, sign=-1),
        row("C5", value=0.0, ci_low=-0.01, ci_high=0.01),
        row("C6", value=0.01, ci_low=-0.02, ci_high=0.05, sign=0),
        row("C7", value=1.0, ci_low=0.5, ci_high=2.0),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One drawn effect."""

    y: float
    x: float
    low: float
    high: float
    color: str
    symbol: str
    text: str


def marks(figure) -> list[Mark]:
    """List the effects of a figure from top to bottom, whichever trace they belong to."""
    found = [
        Mark(
            y=trace.y[place],
            x=trace.x[place],
            low=trace.x[place] - trace.error_x.arrayminus[place],
            high=trace.x[place] + trace.error_x.array[place],
            color=trace.marker.color,
            symbol=trace.marker.symbol,
            text=trace.hovertext[place],
        )
        for trace in figure.data
        for place in range(len(trace.x))
    ]
    return sorted(found, key=lambda mark: mark.y)


def test_effects_are_multiples_of_the_smallest_one_worth_having_turned_to_the_claim():
    drawn = marks(claim_effects(CLAIMS))
    np.testing.assert_allclose([mark.x for mark in drawn], [2, 2, 0, 0.5, 12])
    np.testing.assert_allclose([mark.low for mark in drawn], [1, 1, -0.5, -1, 12], atol=1e-12)
    np.testing.assert_allclose([mark.high for mark in drawn], [3, 3, 0.5, 2.5, 12], atol=1e-12)


def test_an_effect_whose_claim_names_no_direction_is_drawn_to_the_right():
    figure = claim_effects(pd.DataFrame([row("C6", value=-0.04, ci_low=-0.06, ci_high=-0.02, sign=0)]))
    (mark,) = marks(figure)
    assert (mark.x, mark.low, mark.high) == pytest.approx((2, 1, 3))
    assert "-0.0400 [-0.0600, -0.0200]" in mark.text


def test_two_effects_that_differ_in_their_baseline_only_are_told_apart():
    figure = claim_effects(pd.DataFrame([row("C4", baseline="vanilla"), row("C4", baseline="wait"), row("C1")]))
    first, second, alone = figure.layout.yaxis.ticktext
    assert "against vanilla · rows of C4" in first and "against wait · rows of C4" in second
    assert "against" not in alone


def test_verdicts_have_colour_and_shape():
    drawn = marks(claim_effects(CLAIMS))
    assert [mark.color for mark in drawn] == [theme.VERDICT[v] for v in CLAIMS["verdict"]]
    assert [mark.symbol for mark in drawn] == ["circle", "circle", "circle", "circle-open", "circle"]


def test_the_hover_tells_the_true_figures():
    text = marks(claim_effects(CLAIMS))[4].text
    assert "dual − single" in text and "1.00 [0.500, 2.00] · n 1,200 queries" in text and "supported" in text


def test_nothing_and_the_smallest_effect_are_marked():
    assert [shape.x0 for shape in claim_effects(CLAIMS).layout.shapes] == [0, 1]


def test_unmeasured_claims_are_left_out():
    holes = pd.DataFrame([row(), row("C2", value=np.nan, ci_low=np.nan, ci_high=np.nan)])
    assert len(marks(claim_effects(holes))) == 1


@pytest.mark.parametrize("claims", [CLAIMS[:0], CLAIMS[:1].assign(value=np.nan)])
def test_no_claim_says_what_to_do(claims):
    figure = claim_effects(claims)
    assert figure.layout.annotations[0].text == "No claim has been measured yet: train a run first."


def test_text_from_data_is_shown_as_text():
    link = "<a href='x'>click</a>"
    figure = claim_effects(pd.DataFrame([row(segment=link, effect=link, comparison=link, n_unit=link)]))
    assert "<a" not in figure.layout.yaxis.ticktext[0] and "<a" not in marks(figure)[0].text
    assert "&lt;a href" in figure.layout.yaxis.ticktext[0]


def test_every_effect_has_a_line_of_its_own_in_the_order_of_the_table():
    figure = claim_effects(pd.concat([CLAIMS, CLAIMS]))
    assert [mark.y for mark in marks(figure)] == list(range(10)) == list(figure.layout.yaxis.tickvals)
    assert [label[:9] for label in figure.layout.yaxis.ticktext[:5]] == [f"<b>{key}</b>" for key in CLAIMS["claim"]]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first row is on top"
