"""Texts come back as they were written, or are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DataError
from engine.graph.review import PairKey, ReviewStore

KEY = PairKey(run="r", source="phone", target="case", reviewer="Ann")


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    return ReviewStore(tmp_path / "reviews.sqlite")


@pytest.mark.parametrize(
    "text", ["'); DROP TABLE verdicts; --", "=1+1", "<script>", "a\nb", "é" * 60, "\u05d0", "👩\u200d🔬", "NULL", "%s"]
)
def test_hostile_texts_come_back_as_they_were(store: ReviewStore, text: str) -> None:
    reviewer = text.replace("\n", " ")
    store.record(PairKey(run=text, source=text, target="b", reviewer=reviewer), "both", text)
    (row,) = store.history(text).to_dict("records")
    assert (row["source"], row["reviewer"], row["note"]) == (text, reviewer, text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reviewer": ""}, "'reviewer' is ''"),
        ({"reviewer": " Ann"}, "'reviewer' is ' Ann'"),
        ({"reviewer": "x" * 61}, "'reviewer' has 61 characters; at most 60"),
        ({"reviewer": "A\nB"}, r"'reviewer' holds the unprintable character U\+000A at place 2"),
        ({"reviewer": "A\u202eB"}, r"U\+202E at place 2"),
        ({"source": "\ud800"}, r"'source' holds the unprintable character U\+D800"),
        ({"source": "a\0"}, r"U\+0000 at place 2"),
        ({"target": "x" * 2001}, "'target' has 2,001 characters; at most 2,000"),
        ({"run": "  "}, "'run' is '  '"),
        ({"source": "case"}, "'source' and 'target' are both 'case'"),
    ],
)
def test_texts_that_cannot_be_kept_are_refused(change: dict[str, str], words: str) -> None:
    texts = {"run": "r", "source": "phone", "target": "case", "reviewer": "Ann"} | change
    with pytest.raises(DataError, match=words):
        PairKey(**texts)


def test_a_note_that_is_too_long_or_a_fifth_verdict_is_refused(store: ReviewStore) -> None:
    assert store.record(KEY, "both", "n" * 1000) == 1
    with pytest.raises(DataError, match="'note' has 1,001 characters; at most 1,000"):
        store.record(KEY, "both", "n" * 1001)
    for verdict in ("withdrawn", "maybe", ""):
        with pytest.raises(DataError, match="allowed are right, wrong, both, unrelated"):
            store.record(KEY, verdict)
    assert len(store.history()) == 1
