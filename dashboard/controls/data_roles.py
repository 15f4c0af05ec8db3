"""Which question own data are for, what form they have, and which column plays which role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import cache
from dashboard.controls.data_source import Source
from dashboard.controls.one_of import one_of
from dashboard.layout import escape_markdown, visible
from dashboard.state import DATA, Kind
from engine.inspection import examples
from engine.inspection.roles import FORMS, LEFT_OUT, Role, guess_form, guess_roles, roles_of

QUESTIONS: dict[Kind, str] = {
    "graph": "Which way does it point?",
    "delay": "Which labels will still change?",
    "uncertainty": "How far may a score be trusted?",
}
FORM_TITLES = {
    "edges": "Links: from, to",
    "events": "Events: who, what, when",
    "exposures": "Exposures and what followed",
    "rows": "Labelled rows to train on",
    "scores": "Scores of your own model",
}
"""Form of data to what readers see."""
FORM_GLOSSES = {
    "edges": "One row per link from one thing to another, such as a recommendation, a citation or a follow.",
    "events": "One row each time somebody took something; what follows what within days becomes a link.",
    "exposures": "One row per person and exposure, such as a coupon or an advertisement, with the time of what "
    "followed. Every other column is a feature.",
    "rows": "One row per case with a label of 0 or 1. Every other column is a feature; a model learns to score them.",
    "scores": "One row per case with a label of 0 or 1, the score that a model of yours gave, and how unsure it was.",
}
GLOSSES = {
    "source": "Where the link starts: what somebody looks at.",
    "target": "Where it points: what is recommended, cited or followed.",
    "exposure_id": "Name of the exposure; its row number without it.",
    "exposure_time": "When somebody was exposed.",
    "engagement_time": "First sign of interest after the exposure; empty if none.",
    "conversion_time": "When they converted; empty if not so far.",
    "visit_time": "First visit after the exposure; no feature, it only shows how far the log reaches.",
    "segment": "Group that is shown apart; a feature too.",
    "campaign": "Cohort of the exposure; no feature.",
    "window_days": "Days in which a conversion counts; 30 for all without it.",
    "label": "What came true: 0 or 1, true or false, yes or no.",
    "score": "Predicted probability of a 1, from 0 to 1.",
    "uncertainty": "Any number that rises with doubt: the variance of several models, an entropy.",
    "split": "train, tune or test; at random without it.",
    "unit": "Whom several rows share, such as a customer; intervals resample units, and units are never split.",
}
"""Role to what its column holds, where the schema says it to engineers."""
_TIMES = "ISO dates, or numbers of days."
NOBODY = ""
"""Stands for no column; a file has no column without a name."""
_COLUMNS = 4
_NAMED = 12
"""Columns without a role that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the reader said about the columns."""

    form: str
    chosen: tuple[tuple[str, str], ...]
    """Role and column, in the order of the roles."""
    problems: tuple[str, ...]
    """Why they cannot be checked yet; parts from data not escaped."""
    by_name: tuple[str, ...]
    """Columns that play the role of their own name although nobody chose them for it."""
    others: tuple[str, ...]
    """Columns without a role."""


def choose_kind() -> Kind:
    """Let the reader choose one of the three questions."""
    return one_of("Which question do you ask?", QUESTIONS, DATA["kind"], is_kept=True)


def choose_form(kind: Kind, source: Source | None, preview: cache.Preview | None) -> str:
    """Let the reader say what form the data have; guessed once there are any.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    source : Source or None
    preview : Preview or None

    Returns
    -------
    str
        One of `FORMS` of this kind.
    """
    forms = FORMS[kind]
    if len(forms) == 1:
        return forms[0]
    # What was chosen before there were any data is taken at its word.
    guess = st.session_state.get(wanted := f"{DATA['form']}-{kind}", forms[0])
    if preview is not None and guess == forms[0]:
        guess = guess_form(kind, {look.name: look for look in preview.columns})
    chosen = st.segmented_control(
        "What does a row stand for?",
        list(forms),
        format_func=FORM_TITLES.__getitem__,
        default=guess,
        required=True,
        key=_key(DATA["form"], kind, source),
        persist_state="session",
    )
    form = chosen if chosen in forms else guess
    if source is None:
        st.session_state[wanted] = form
    return form


def choose_roles(kind: Kind, form: str, source: Source, preview: cache.Preview) -> Roles:
    """Show which column is guessed to play which role, and let the reader change it.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    form : str
    source : Source
    preview : Preview

    Returns
    -------
    Roles
    """
    names = [look.name for look in preview.columns]
    guess = guess_roles(kind, form, {look.name: look for look in preview.columns})
    roles = roles_of(kind, form)
    chosen: dict[str, str] = {}
    key = _key(form, kind, source)
    ordered = sorted(roles, key=lambda role: not role.required)
    for start in range(0, len(ordered), _COLUMNS):
        for place, role in zip(st.columns(_COLUMNS), ordered[start : start + _COLUMNS], strict=False):
            with place:
                chosen[role.name] = _one_role(role, names, guess.get(role.name, NOBODY), key)
    return settled(form, roles, names, chosen)


def settled(form: str, roles: Sequence[Role], names: Sequence[str], chosen: dict[str, str]) -> Roles:
    """Bring the choices into order and say what is wrong with them.

    Parameters
    ----------
    form : str
    roles : sequence of Role
    names : sequence of str
        Columns of the file.
    chosen : dict of str to str
        Role to column, or to `NOBODY`; a column that the file does not have counts as that.

    Returns
    -------
    Roles
    """
    given = {role.name: chosen.get(role.name, NOBODY) for role in roles}
    given = {name: column if column in names else NOBODY for name, column in given.items()}
    taken = [column for column in given.values() if column != NOBODY]
    # The engine takes a column of a role's very name for it, whatever was chosen.
    by_name = [name for name, column in given.items() if column == NOBODY and name in names and name not in taken]
    given |= {name: name for name in by_name}
    # Labelled rows need no score, and a column of this name is no feature.
    by_name += [name for name in LEFT_OUT.get(form, ()) if name in names and name not in taken]
    problems = [f"Choose the column for {title(role)}." for role in roles if role.required and not given[role.name]]
    for column in dict.fromkeys(taken):
        players = [title(role) for role in roles if given[role.name] == column]
        if len(players) > 1:
            problems.append(f"Column '{column}' is chosen for {' and '.join(players)}; a column plays one role.")
    playing = tuple((name, column) for name, column in given.items() if column != NOBODY)
    others = tuple(name for name in names if name not in dict(playing).values())
    return Roles(form=form, chosen=playing, problems=tuple(problems), by_name=tuple(by_name), others=others)


def others_text(kind: Kind, roles: Roles) -> str:
    """Say what becomes of the columns without a role; safe for markdown."""
    if not roles.others:
        return "Every column has a role."
    names = ", ".join(f"**{escape_markdown(name, limit=40)}**" for name in roles.others[:_NAMED])
    more = f" and {len(roles.others) - _NAMED:,} more" if len(roles.others) > _NAMED else ""
    if kind == "graph":
        use = "Not used"
    elif roles.form == "scores":
        use = "Not used, but for texts with few values, by which rows are looked at apart"
    else:
        use = "Features of the model, but for those that the report leaves out"
    return f"{use}: {names}{more}."


def _one_role(role: Role, names: Sequence[str], guess: str, key: str) -> str:
    """Let the reader choose the column of one role."""
    shown = {name: visible(name) for name in names}
    if len(set(shown.values())) < len(names):
        # The widget tells options apart by what is shown.
        shown = {name: name for name in names}
    nobody = "Choose a column" if role.required else "Not in my file"
    column = st.selectbox(
        title(role) + (" · needed" if role.required else ""),
        [NOBODY, *names],
        index=names.index(guess) + 1 if guess in names else 0,
        format_func=lambda name: nobody if name == NOBODY else shown[name],
        key=f"{DATA['role']}-{role.name}-{key}",
        persist_state="session",
    )
    st.caption(gloss(role))
    return str(column)


def title(role: Role) -> str:
    """Write the name of a role for readers."""
    return role.name.replace("_", " ").capitalize()


def gloss(role: Role) -> str:
    """Say in a few words what a column has to hold to play a role; safe for markdown."""
    text = GLOSSES.get(role.name) or role.description[:1].upper() + role.description[1:].rstrip(".") + "."
    return escape_markdown(f"{text} {_TIMES}" if role.kind == "time" else text, limit=300)


def role_table(kind: Kind, form: str) -> str:
    """Write as a markdown table what a file of a form has to hold."""
    rows = [
        f"| {'**' + escape_markdown(title(role)) + '**' if role.required else escape_markdown(title(role))} "
        f"| {gloss(role)} |"
        for role in sorted(roles_of(kind, form), key=lambda role: not role.required)
    ]
    return "\n".join(["| Column | What it holds |", "|:--|:--|", *rows])


def template(kind: Kind, form: str) -> bytes:
    """Return a file with the columns of a form and three lines that show how to write them."""
    return examples.template(kind, form).encode()


def example(kind: Kind, form: str) -> bytes:
    """Return a small file of a form that can be described or trained as it is."""
    return examples.example(kind, form)


def _key(word: str, kind: Kind, source: Source | None) -> str:
    """Name a choice, so that other data get other guesses."""
    return f"{word}-{kind}-{source.stamp if source else 'none'}"
