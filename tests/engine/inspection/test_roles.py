"""Who plays which role, guessed from names and types."""

import pytest

from engine.errors import ConfigError
from engine.inspection.look import look_at
from engine.inspection.roles import FORMS, guess_form, guess_roles, roles_of

IDS, NUMBERS, DATES, ANSWERS = ["a1", "b2", "c3"], ["0.25", "0.5", "0.75"], ["2026-01-01", "2026-01-02", ""], ["0", "1"]


def looks(**columns):
    """Look at columns given as name to values."""
    return {name: look_at(name, values) for name, values in columns.items()}


@pytest.mark.parametrize("columns", [("src", "dst"), ("From", "To"), ("tail", "head"), ("From Product", "To Product")])
def test_edges_are_known_by_many_names(columns):
    source, target = columns
    found = looks(**{source: IDS, target: IDS, "lift": NUMBERS})
    assert guess_form("graph", found) == "edges"
    assert guess_roles("graph", "edges", found) == {"source": source, "target": target}


@pytest.mark.parametrize(
    "columns", [("user_id", "sku", "ts"), ("CustomerID", "ASIN", "eventTime"), ("Visitor", "product", "Timestamp")]
)
def test_events_are_known_by_many_names(columns):
    found = looks(**dict(zip(columns, (IDS, IDS, DATES[:2]), strict=True)))
    assert guess_form("graph", found) == "events"
    assert guess_roles("graph", "events", found) == dict(zip(("user", "item", "time"), columns, strict=True))


def test_the_roles_own_name_wins_over_a_synonym():
    found = looks(label=ANSWERS, clicked=ANSWERS, p=NUMBERS, sigma=NUMBERS)
    assert guess_roles("uncertainty", "scores", found) == {"label": "label", "score": "p", "uncertainty": "sigma"}


@pytest.mark.parametrize(
    ("score", "uncertainty"), [("model prob", "std dev"), ("PredMean", "pred_std"), ("calibrated_score", "entropy")]
)
def test_scores_of_a_model_are_known_by_many_names(score, uncertainty):
    found = looks(**{"bought": ["yes", "no"], score: NUMBERS, uncertainty: NUMBERS})
    assert guess_form("uncertainty", found) == "scores"
    assert guess_roles("uncertainty", "scores", found) == {
        "label": "bought",
        "score": score,
        "uncertainty": uncertainty,
    }


def test_dates_with_a_slip_are_the_times_that_are_meant_or_leave_them_open():
    slipped = [*DATES[:2], "2026-02-01", "soon"]
    found = looks(**{"sent at": slipped, "redeemed at": DATES})
    assert guess_roles("delay", "exposures", found) == {"exposure_time": "sent at", "conversion_time": "redeemed at"}
    german = {"gesendet": slipped, "eingelöst": DATES, "geboren": DATES[:2]}
    assert guess_roles("delay", "exposures", looks(**german)) == {}


def test_two_equally_good_columns_leave_a_role_open():
    found = looks(**{"Score": NUMBERS, "SCORE": NUMBERS, "label": ANSWERS})
    assert guess_roles("uncertainty", "scores", found) == {"label": "label"}


def test_a_label_of_three_values_is_no_label():
    assert "label" not in guess_roles("uncertainty", "rows", looks(clicked=["0", "1", "2"], age=NUMBERS))


def test_a_yes_or_no_is_nobody_whom_rows_share():
    found = looks(**{"bought?": ["yes", "no"], "member": ["no", "yes"], "customer id": ["0001", "0002"]})
    assert guess_roles("uncertainty", "rows", found) == {"unit": "customer id"} | guess_roles(
        "uncertainty", "rows", looks(**{"bought?": ["yes", "no"], "member": ["no", "yes"]})
    )


def test_two_dates_without_telling_names_are_told_by_their_gaps():
    found = looks(alpha=[*DATES[:2], "2026-01-04"], beta=DATES)
    assert guess_roles("delay", "exposures", found) == {"exposure_time": "alpha", "conversion_time": "beta"}


@pytest.mark.parametrize("form", [form for forms in FORMS.values() for form in forms])
def test_every_form_says_what_it_needs(form):
    kind = next(kind for kind, forms in FORMS.items() if form in forms)
    roles = roles_of(kind, form)
    assert any(role.required for role in roles) and all(role.description for role in roles)


def test_an_unknown_form_is_refused_with_those_that_exist():
    with pytest.raises(ConfigError, match="'--form rows' is no form of graph data; it has edges, events"):
        roles_of("graph", "rows")
