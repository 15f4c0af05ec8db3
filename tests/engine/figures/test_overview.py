"""The claims figure: one scale for every effect, and the side that the claim predicts is the right one."""

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


def test_effects_are_multiples_of_the_smallest_one_worth_having_turned_to_the_claim():
    figure = claim_effects(CLAIMS)
    np.testing.assert_allclose([trace.x[0] for trace in figure.data], [2, 2, 0, 0.5, 12])
    lows = [trace.x[0] - trace.error_x.arrayminus[0] for trace in figure.data]
    highs = [trace.x[0] + trace.error_x.array[0] for trace in figure.data]
    np.testing.assert_allclose(lows, [1, 1, -0.5, -1, 12], atol=1e-12)
    np.testing.assert_allclose(highs, [3, 3, 0.5, 2.5, 12], atol=1e-12)


def test_an_effect_whose_claim_names_no_direction_is_drawn_to_the_right():
    figure = claim_effects(pd.DataFrame([row("C6", value=-0.04, ci_low=-0.06, ci_high=-0.02, sign=0)]))
    assert figure.data[0].x[0] == pytest.approx(2)
    assert figure.data[0].x[0] - figure.data[0].error_x.arrayminus[0] == pytest.approx(1)
    assert "-0.0400 [-0.0600, -0.0200]" in figure.data[0].hovertemplate


def test_two_effects_that_differ_in_their_baseline_only_are_told_apart():
    figure = claim_effects(pd.DataFrame([row("C4", baseline="vanilla"), row("C4", baseline="wait"), row("C1")]))
    first, second, alone = figure.layout.yaxis.ticktext
    assert "against vanilla · rows of C4" in first and "against wait · rows of C4" in second
    assert "against" not in alone


def test_verdicts_have_colour_and_shape():
    figure = claim_effects(CLAIMS)
    assert [trace.marker.color for trace in figure.data] == [theme.VERDICT[v] for v in CLAIMS["verdict"]]
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle", "circle", "circle-open", "circle"]


def test_the_hover_tells_the_true_figures():
    text = claim_effects(CLAIMS).data[4].hovertemplate
    assert "dual − single" in text and "1.00 [0.500, 2.00] · n 1,200 queries" in text and "supported" in text


def test_nothing_and_the_smallest_effect_are_marked():
    assert [shape.x0 for shape in claim_effects(CLAIMS).layout.shapes] == [0, 1]


def test_unmeasured_claims_are_left_out():
    holes = pd.DataFrame([row(), row("C2", value=np.nan, ci_low=np.nan, ci_high=np.nan)])
    assert len(claim_effects(holes).data) == 1


@pytest.mark.parametrize("claims", [CLAIMS[:0], CLAIMS[:1].assign(value=np.nan)])
def test_no_claim_says_what_to_do(claims):
    figure = claim_effects(claims)
    assert figure.layout.annotations[0].text == "No claim has been measured yet: train a run first."


def test_text_from_data_is_shown_as_text():
    link = "<a href='x'>click</a>"
    figure = claim_effects(pd.DataFrame([row(segment=link, effect=link, comparison=link, n_unit=link)]))
    assert "<a" not in figure.layout.yaxis.ticktext[0] and "<a" not in figure.data[0].hovertemplate
    assert "&lt;a href" in figure.layout.yaxis.ticktext[0]


def test_every_effect_has_a_line_of_its_own_in_the_order_of_the_table():
    figure = claim_effects(pd.concat([CLAIMS, CLAIMS]))
    assert [trace.y[0] for trace in figure.data] == list(range(10)) == list(figure.layout.yaxis.tickvals)
    assert [label[:9] for label in figure.layout.yaxis.ticktext[:5]] == [f"<b>{key}</b>" for key in CLAIMS["claim"]]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first row is on top"
