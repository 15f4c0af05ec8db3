"""The pair on the desk: the list it stands in, the verdict that is given, and the way back."""

from __future__ import annotations

import streamlit as st

from dashboard.controls.graph import explore
from dashboard.controls.graph_review import Desk, put_on_desk, store
from dashboard.controls.graph_review_text import VERDICT_HELP, VERDICT_WORD, chance, pair_label, rank
from dashboard.layout import error_box, escape_markdown
from dashboard.state import REVIEW
from engine.errors import EngineError
from engine.graph.review import NOTE_LIMIT, PairKey
from engine.graph.review_evidence import Evidence, pair_evidence

PER_PAGE = 12


def pair_list(desk: Desk) -> None:
    """Draw the part of the queue around the pair on the desk; choosing one puts it there."""
    order = [int(pair) for pair in desk.queue.index]
    place = order.index(desk.at) if desk.at is not None else 0
    page = place // PER_PAGE
    some = order[page * PER_PAGE : (page + 1) * PER_PAGE]
    key = f"{REVIEW['list']}-{page}"
    st.session_state[key] = desk.at
    st.radio(
        f"Pairs {page * PER_PAGE + 1:,} to {page * PER_PAGE + len(some):,} of {len(order):,}",
        some,
        format_func=lambda pair: pair_label(desk.material.scene, desk.material.pairs.loc[pair], limit=26),
        captions=[_caption(desk, pair) for pair in some],
        key=key,
        on_change=_choose,
        args=(desk.run.id, key),
        width="stretch",
    )
    with st.container(horizontal=True):
        for label, icon, step, shortcut in (("Previous", "arrow_back", -1, "P"), ("Next", "arrow_forward", 1, "N")):
            beyond = not 0 <= place + step < len(order)
            st.button(
                label,
                icon=f":material/{icon}:",
                shortcut=shortcut,
                disabled=beyond,
                on_click=put_on_desk,
                args=(desk.run.id, desk.at if beyond else order[place + step]),
                key=f"review-{label.lower()}",
            )


def _caption(desk: Desk, pair: int) -> str:
    """Say how far apart the two directions are, and what the reviewer said."""
    row = desk.material.pairs.loc[pair]
    said = f" · **{VERDICT_WORD[desk.own[pair]]}**" if pair in desk.own else ""
    return f"rank {rank(row['rank'])}, back {rank(row['back_rank'])} · P {chance(row['probability'])}{said}"


def verdict_buttons(desk: Desk) -> None:
    """Offer the four verdicts, a note and the way back; a verdict puts the next open pair on the desk."""
    at = desk.at
    if at is None:
        return
    note_key = f"{REVIEW['note']}-{desk.run.id}-{at}-{desk.reviewer}"
    following = _following(desk, at)
    buttons = st.container(horizontal=True, gap="small")
    for number, (verdict, word) in enumerate(VERDICT_WORD.items(), start=1):
        buttons.button(
            word,
            type="primary" if desk.own.get(at) == verdict else "secondary",
            shortcut=str(number),
            disabled=not desk.reviewer,
            on_click=_give,
            args=(desk, at, verdict, note_key, following),
            # The pair is part of the key: the second click of a double click must not judge the next pair.
            key=f"review-give-{verdict}-{at}",
            help=VERDICT_HELP[verdict],
            width="stretch",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        rows = desk.verdicts[(desk.verdicts["pair"] == at) & (desk.verdicts["reviewer"] == desk.reviewer)]
        st.text_input(
            "Note",
            value=str(rows["note"].iloc[0]) if len(rows) else "",
            max_chars=NOTE_LIMIT,
            key=note_key,
            placeholder="Note, kept with the verdict (optional)",
            label_visibility="collapsed",
            disabled=not desk.reviewer,
        )
        last = _last(desk)
        st.button(
            "Undo",
            icon=":material/undo:",
            shortcut="U",
            disabled=last is None,
            on_click=_undo,
            args=(desk, last),
            key="review-undo",
            width="content",
            help="Takes your latest verdict in this run back; the one before it on that pair counts again.",
        )
    problem = st.session_state.pop(REVIEW["error"], None)
    if problem:
        error_box(problem)


def ways_to_explore(desk: Desk) -> None:
    """Offer to see either node of the pair on the desk in its neighbourhood."""
    if desk.at is None:
        return
    pair, names = desk.material.pairs.loc[desk.at], desk.material.scene.names
    with st.container(horizontal=True, gap="small"):
        for side in ("source", "target"):
            name = names[int(pair[side])]
            is_pressed = st.button(
                f"Explore {escape_markdown(name, limit=28)}",
                icon=":material/hub:",
                type="tertiary",
                on_click=explore,
                args=(name,),
                key=f"review-explore-{side}",
            )
            if is_pressed:
                # The tab belongs to the whole page, this button to a part of it.
                st.rerun()


def evidence(desk: Desk, pair: int) -> Evidence:
    """Return what the data say of a pair."""
    row = desk.material.pairs.loc[pair]
    return pair_evidence(desk.material.scene, desk.material.explained, int(row["edge"]), int(row["back_edge"]))


def _following(desk: Desk, at: int) -> int:
    """Return the next pair that the reviewer has not judged, from the one on the desk on and round the end."""
    order = [int(pair) for pair in desk.queue.index]
    place = order.index(at)
    return next((pair for pair in order[place + 1 :] + order[:place] if pair not in desk.own), at)


def _last(desk: Desk) -> int | None:
    """Return the pair that the reviewer judged last, if there is one."""
    mine = desk.verdicts[desk.verdicts["reviewer"] == desk.reviewer]
    return int(mine["pair"].iloc[-1]) if len(mine) and desk.reviewer else None


def _key(desk: Desk, pair: int) -> PairKey:
    """Name a pair of the run for the store."""
    names = desk.material.names.loc[pair]
    return PairKey(run=desk.run.id, source=names["source"], target=names["target"], reviewer=desk.reviewer)


def _give(desk: Desk, pair: int, verdict: str, note_key: str, following: int) -> None:
    """Keep a verdict."""
    try:
        store().record(_key(desk, pair), verdict, st.session_state.get(note_key) or "")
    except EngineError as error:
        st.session_state[REVIEW["error"]] = str(error)
        following = pair
    put_on_desk(desk.run.id, following)


def _undo(desk: Desk, pair: int) -> None:
    """Take a verdict back and show its pair."""
    try:
        store().take_back(_key(desk, pair))
    except EngineError as error:
        st.session_state[REVIEW["error"]] = str(error)
    put_on_desk(desk.run.id, pair)


def _choose(run_id: str, key: str) -> None:
    """Put the pair that was chosen in the list on the desk."""
    put_on_desk(run_id, st.session_state[key])


__all__ = ["evidence", "pair_list", "verdict_buttons", "ways_to_explore"]
