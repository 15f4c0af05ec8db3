"""A choice of one of a few, which stands in the address bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

Key = TypeVar("Key", bound=str)


def one_of(
    label: str, options: Mapping[Key, str], key: str, *, is_label_shown: bool = True, is_kept: bool = False
) -> Key:
    """Let the reader choose; what the address names and is not among the options becomes the first.

    Parameters
    ----------
    label : str
    options : mapping of str to str
        Value to what the reader sees, the default first.
    key : str
        Of the session and of the address.
    is_label_shown : bool
    is_kept : bool, default False
        Whether the choice is still there after other pages were opened.

    Returns
    -------
    str
        One of the values.
    """
    first = next(iter(options))
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=first,
        required=True,
        key=key,
        bind="query-params",
        persist_state="session" if is_kept else None,
        label_visibility="visible" if is_label_shown else "collapsed",
    )
    return chosen if chosen in options else first
