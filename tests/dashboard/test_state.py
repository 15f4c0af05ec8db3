"""Keys of the session and of the address bar."""

import ast
import re
from pathlib import Path

from dashboard import state

SOURCES = sorted(Path(state.__file__).parent.rglob("*.py"))


def spelled() -> list[str]:
    """List every key of `state`: texts, and the values of its mappings, except titles."""
    found: list[str] = []
    for name, value in vars(state).items():
        if name.isupper() and name != "RUN_TITLE":
            found += [value] if isinstance(value, str) else list(value.values()) if isinstance(value, dict) else []
    return found


def test_no_two_keys_are_the_same() -> None:
    keys = spelled()
    assert len(keys) >= 8
    assert len(set(keys)) == len(keys)


def test_keys_are_words_that_need_no_quoting_in_an_address() -> None:
    assert [key for key in spelled() if not re.fullmatch(r"[a-z][a-z0-9-]*", key)] == []


def test_every_kind_has_a_page_title_and_a_run_key() -> None:
    from engine.result import KINDS

    assert tuple(state.RUN) == tuple(state.RUN_TITLE) == KINDS


def test_a_widget_in_the_address_bar_takes_its_key_from_the_state_module() -> None:
    loose = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and any(word.arg == "bind" for word in node.keywords):
                key = next((word.value for word in node.keywords if word.arg == "key"), None)
                if key is None or isinstance(key, ast.Constant | ast.JoinedStr):
                    loose.append(f"{path.name}:{node.lineno}")
    assert loose == []


def test_no_page_passes_html_or_scripts() -> None:
    found = [path.name for path in SOURCES if re.search(r"unsafe_allow|st\.html|components\.v1", path.read_text())]
    assert found == []
