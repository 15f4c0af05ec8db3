"""Verdicts follow from intervals alone."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.claims import CLAIM_COLUMNS, CLAIMS, as_shown, claim_row, summary, verdict
from engine.errors import ConfigError
from engine.result import KINDS

numbers = st.floats(-1e3, 1e3)
margins = st.floats(1e-3, 1e3)


def row(**changes):
    """Return a claim row with some entries changed."""
    given_ = {
        "effect": "MRR",
        "comparison": "dual",
        "baseline": "single",
        "segment": "one-way edges",
        "value": 0.3,
        "ci_low": 0.1,
        "ci_high": 0.5,
        "n": 120,
        "n_unit": "queries",
        "margin": 0.02,
    }
    return claim_row("C1", **(given_ | changes))


@pytest.mark.parametrize(
    ("low", "high", "sign", "expected"),
    [
        (0.01, 0.05, 1, "supported"),
        (1e-9, 0.02, 1, "supported"),
        (1e-9, 0.019, 1, "not supported"),
        (0.0, 0.05, 1, "inconclusive"),
        (-0.01, 0.05, 1, "inconclusive"),
        (-0.01, 0.02, 1, "inconclusive"),
        (-0.01, 0.019, 1, "not supported"),
        (-0.09, -0.05, 1, "not supported"),
        (-0.05, -0.01, -1, "supported"),
        (-0.019, -0.01, -1, "not supported"),
        (-0.019, 0.01, -1, "not supported"),
        (-0.05, 0.01, -1, "inconclusive"),
        (0.05, 0.09, -1, "not supported"),
        (0.01, 0.05, 0, "supported"),
        (-0.05, -0.01, 0, "supported"),
        (-0.019, 0.019, 0, "not supported"),
        (0.01, 0.019, 0, "not supported"),
        (-0.019, -0.01, 0, "not supported"),
        (-0.02, 0.019, 0, "inconclusive"),
        (-0.05, 0.05, 0, "inconclusive"),
    ],
)
def test_verdicts_at_and_around_their_limits(low, high, sign, expected):
    assert verdict(low, high, margin=0.02, sign=sign) == expected


@pytest.mark.parametrize(("low", "high"), [(math.nan, 1.0), (1.0, math.nan), (1.0, math.inf), (-math.inf, -1.0)])
def test_an_interval_without_an_end_decides_nothing(low, high):
    assert verdict(low, high, margin=0.02) == "inconclusive"


@given(numbers, numbers, margins)
def test_a_claim_of_less_is_the_mirror_image_of_a_claim_of_more(one, other, margin):
    low, high = sorted((one, other))
    assert verdict(low, high, margin=margin, sign=1) == verdict(-high, -low, margin=margin, sign=-1)


@given(numbers, numbers, margins, st.sampled_from([1, -1, 0]))
def test_what_is_ruled_out_stays_ruled_out_when_it_is_known_better(one, other, margin, sign):
    low, high = sorted((one, other))
    middle = (low + high) / 2
    wide, narrow = verdict(low, high, margin=margin, sign=sign), verdict(middle, middle, margin=margin, sign=sign)
    assert wide != "not supported" or narrow == "not supported"
    # An effect above 0 may turn out too small to be worth having when it is known better, but never undecided.
    assert wide != "supported" or narrow in ("supported", "not supported")


@given(numbers, numbers, margins, st.floats(0.01, 100), st.sampled_from([1, -1, 0]))
def test_the_unit_does_not_matter(one, other, margin, factor, sign):
    low, high = sorted((one, other))
    # Stay off the limits, where rounding decides.
    if min(abs(abs(end) - limit) for end in (low, high) for limit in (0, margin)) > 1e-6:
        scaled = verdict(low * factor, high * factor, margin=margin * factor, sign=sign)
        assert verdict(low, high, margin=margin, sign=sign) == scaled


@pytest.mark.parametrize("margin", [0, -1, math.nan])
def test_a_margin_is_positive(margin):
    with pytest.raises(ConfigError, match=r"'margin' is .*; it must be above 0"):
        verdict(0, 1, margin=margin)


def test_a_sign_is_one_of_three():
    with pytest.raises(ConfigError, match="'sign' is 2; allowed are -1, 0 and 1"):
        verdict(0, 1, margin=1, sign=2)


def test_a_row_has_exactly_the_columns_of_the_table_and_a_computed_verdict():
    assert tuple(row()) == CLAIM_COLUMNS
    assert row()["verdict"] == "supported" and row(ci_low=-0.1)["verdict"] == "inconclusive"
    assert row(ci_low=-0.5, ci_high=-0.1, value=-0.3, sign=-1)["verdict"] == "supported"


@pytest.mark.parametrize(("n", "verdict"), [(3, "inconclusive"), (19, "inconclusive"), (20, "supported")])
def test_an_interval_of_a_few_units_decides_nothing(n, verdict):
    assert row(n=n, ci_low=0.4, ci_high=0.5)["verdict"] == verdict


def test_an_unknown_claim_is_refused():
    with pytest.raises(ConfigError, match="'claim' is 'C8'; allowed are C1, C2, C3, C4, C5, C6, C7"):
        claim_row("C8", **{key: value for key, value in row().items() if key not in ("claim", "verdict")})


@pytest.mark.parametrize(("n", "expected"), [(19, "inconclusive"), (20, "supported"), (0, "inconclusive")])
def test_too_few_units_decide_nothing(n, expected):
    assert row(n=n)["verdict"] == expected


def test_every_kind_has_claims_and_every_claim_is_one_sentence():
    assert {claim.kind for claim in CLAIMS.values()} == set(KINDS) and list(CLAIMS) == [f"C{i}" for i in range(1, 8)]
    assert all(key == claim.key and claim.text.endswith(".") for key, claim in CLAIMS.items())


def test_the_summary_counts_verdicts():
    rows = [row(), row(ci_low=-0.1), row(ci_low=-0.1, ci_high=0.01, value=0), row()]
    assert summary(pd.DataFrame(rows)) == (
        "Of 4 effects measured for 1 claim, 2 are supported, 1 not supported and 1 inconclusive."
    )


def test_the_summary_of_one_effect_is_in_the_singular():
    assert summary(pd.DataFrame([row()])) == (
        "Of 1 effect measured for 1 claim, 1 is supported, 0 not supported and 0 inconclusive."
    )


def test_an_interval_of_no_width_over_few_units_is_shown_as_inconclusive_and_stored_as_computed():
    cases = [(0.0, 0.0, 35), (0.0, 0.0, 99), (0.0, 0.0, 100), (-0.01, 0.0, 35), (0.2, 0.2, 35), (0.2, 0.3, 35)]
    stored = pd.DataFrame([row(ci_low=low, ci_high=high, n=n) for low, high, n in cases])
    before = stored["verdict"].tolist()
    assert before == ["not supported"] * 4 + ["supported"] * 2
    assert as_shown(stored)["verdict"].tolist() == ["inconclusive"] * 2 + before[2:4] + ["inconclusive", "supported"]
    assert stored["verdict"].tolist() == before
    none = stored.assign(verdict="")
    assert as_shown(none).equals(none), "what was not judged is not judged now"
