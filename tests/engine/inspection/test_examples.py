"""Examples may be used as they are, and templates name every role."""

import csv

import pytest

from engine.inspection.examples import example, template
from engine.inspection.report import inspect
from engine.inspection.roles import FORMS, roles_of

CASES = [(kind, form) for kind, forms in FORMS.items() for form in forms]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_an_example_is_known_for_what_it_is_and_may_be_trained(kind, form, tmp_path):
    (tmp_path / "t.csv").write_bytes(example(kind, form))
    found = inspect(tmp_path / "t.csv", kind)
    assert found.form == form and found.can_train, found.findings["sentence"].tolist()
    assert found.can_describe == (form != "rows")
    assert {role.name for role in roles_of(kind, form) if role.required} <= found.roles.keys()


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_an_example_is_the_same_every_time_and_small(kind, form):
    assert example(kind, form) == example(kind, form) and len(example(kind, form)) < 500_000


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_template_names_every_role_and_its_roles_are_guessed(kind, form, tmp_path):
    lines = list(csv.reader(template(kind, form).splitlines()))
    names = [role.name for role in roles_of(kind, form)]
    assert lines[0][: len(names)] == names and len(lines) == 4 and {len(line) for line in lines} == {len(lines[0])}
    (tmp_path / "t.csv").write_text(template(kind, form))
    assert inspect(tmp_path / "t.csv", kind, form=form).roles.keys() >= set(names)
