"""Verdicts of reviewers on pairs of a run, kept in one SQLite file that many processes may write to at once."""

from __future__ import annotations

import os
import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import pandas as pd

from engine.errors import DataError, RunError

Verdict = Literal["right", "wrong", "both", "unrelated"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "both", "unrelated")
"""Of a pair source → target: it points the right way, the wrong way, both ways are fine, or the two are unrelated."""
WITHDRAWN: Final = "withdrawn"
"""Entry of the history that takes a reviewer's latest verdict on a pair back."""
REVERSED = {"right": "wrong", "wrong": "right"}
"""What a verdict says of the pair the other way round; the others say the same of both."""

NOTE_LIMIT = 1000
REVIEWER_LIMIT = 60
NAME_LIMIT = 2000
"""Most characters of a note, of a reviewer's name, and of the name of a node or a run."""
WAIT_SECONDS = 20.0
"""How long a writer waits for its turn."""

HISTORY_COLUMNS = ("id", "run", "source", "target", "reviewer", "verdict", "note", "time_utc")
_VERSION = 1
_JOINERS = "\u200c\u200d"
_CREATE = f"""
CREATE TABLE IF NOT EXISTS verdicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    reviewer TEXT NOT NULL CHECK (length(reviewer) BETWEEN 1 AND {REVIEWER_LIMIT}),
    verdict TEXT NOT NULL CHECK (verdict IN ({", ".join(f"'{word}'" for word in (*VERDICTS, WITHDRAWN))})),
    note TEXT NOT NULL CHECK (length(note) <= {NOTE_LIMIT}),
    time_utc TEXT NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairKey:
    """One reviewer's view of one pair of one run."""

    run: str
    source: str
    """Name of the node that the shown arrow starts from; a verdict is about the arrow as it was shown."""
    target: str
    reviewer: str

    def __post_init__(self) -> None:
        """Refuse texts that cannot be kept or told apart."""
        for field in ("run", "source", "target"):
            _check_text(field, getattr(self, field), NAME_LIMIT)
        if self.source == self.target:
            raise DataError(f"'source' and 'target' are both '{self.source}'; a pair has two different nodes.")
        _check_text("reviewer", self.reviewer, REVIEWER_LIMIT, is_name=True)


@dataclass(frozen=True, slots=True)
class ReviewStore:
    """A file of verdicts.

    Every call is one transaction on a connection of its own, so that threads, processes and restarts need no
    agreement. The file is in write-ahead-log mode: readers never wait, writers wait for each other up to
    `WAIT_SECONDS`, and a writer that dies leaves the verdicts before its own. Entries are only ever added.
    """

    path: Path
    """Made, with its folder, by the first verdict."""

    def record(self, key: PairKey, verdict: str, note: str = "") -> int:
        """Add a verdict; it replaces the reviewer's earlier one on the pair, which stays in the history.

        Saying the same again, verdict and note, adds nothing: a button may be pressed twice.

        Parameters
        ----------
        key : PairKey
        verdict : {"right", "wrong", "both", "unrelated"}
        note : str, default ""
            At most `NOTE_LIMIT` characters.

        Returns
        -------
        int
            Number of the entry that says so, rising in the order of writing.

        Raises
        ------
        DataError
            If the verdict is none of the four or the note cannot be kept.
        RunError
            If the file cannot be written.
        """
        if verdict not in VERDICTS:
            raise DataError(f"'verdict' is '{verdict}'; allowed are {', '.join(VERDICTS)}.")
        note = note.strip()
        if note:
            _check_text("note", note, NOTE_LIMIT)
        with self._opened() as connection:
            standing = _standing(connection, key)
            if standing and standing[-1][1:] == (key.source, verdict, note):
                return standing[-1][0]
            return _append(connection, key, verdict, note)

    def take_back(self, key: PairKey) -> bool:
        """Withdraw the reviewer's latest verdict on a pair; the one before it, if any, counts again.

        Parameters
        ----------
        key : PairKey

        Returns
        -------
        bool
            False if there is no verdict to withdraw; then nothing is written.
        """
        with self._opened() as connection:
            standing = _standing(connection, key)
            if standing:
                _append(connection, key, WITHDRAWN, "")
            return bool(standing)

    def history(self, run: str | None = None) -> pd.DataFrame:
        """Return every entry, oldest first.

        Parameters
        ----------
        run : str, optional
            Only entries of this run.

        Returns
        -------
        DataFrame
            Columns `HISTORY_COLUMNS`; ``time_utc`` is ISO 8601 with its offset, +00:00. Empty if no verdict was
            ever given: reading makes no file. `RunError` if the file cannot be read or is no review store.
        """
        where, values = ("WHERE run = ?", (run,)) if run is not None else ("", ())
        query = f"SELECT {', '.join(HISTORY_COLUMNS)} FROM verdicts {where} ORDER BY id"
        rows = self._read(query, values) if self.path.exists() else []
        return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS)).astype({"id": "int64"})

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one writing transaction."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
                _use_write_ahead_log(connection)
                # A verdict that was confirmed on the page is on the disk.
                connection.execute("PRAGMA synchronous = FULL")
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    _create(connection, self.path)
                    yield connection
        except (OSError, sqlite3.Error) as error:
            raise self._unusable("written", error) from error

    def _read(self, query: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
        """Run one query."""
        try:
            try:
                return _rows(f"file:{quote(str(self.path))}?mode=rw", query, values, self.path)
            except sqlite3.OperationalError:
                # In a folder that cannot be written the shared index cannot be made; a file whose log is empty
                # may then be read as it stands.
                if os.access(self.path.parent, os.W_OK) or self.path.with_name(f"{self.path.name}-wal").exists():
                    raise
                return _rows(f"file:{quote(str(self.path))}?immutable=1", query, values, self.path)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable("read", error) from error

    def _unusable(self, what: str, error: Exception) -> RunError:
        """Say why the file cannot be used, and how to choose another."""
        return RunError(
            f"The review store '{self.path}' cannot be {what} ({error}); make it readable and writable, or name "
            "another file in the environment variable RECOMMENDER_LENS_REVIEWS and start again."
        )


def current(history: pd.DataFrame) -> pd.DataFrame:
    """Return the verdict that counts for every run, pair and reviewer.

    Parameters
    ----------
    history : DataFrame
        From `ReviewStore.history`.

    Returns
    -------
    DataFrame
        Rows of the history, in its order: per run, unordered pair and reviewer the latest that was not withdrawn.
    """
    standing: dict[tuple[str, ...], list[int]] = {}
    columns = (history[name] for name in ("run", "source", "target", "reviewer", "verdict"))
    for place, (run, source, target, reviewer, verdict) in enumerate(zip(*columns, strict=True)):
        stack = standing.setdefault((run, *sorted((source, target)), reviewer), [])
        if verdict != WITHDRAWN:
            stack.append(place)
        elif stack:
            stack.pop()
    return history.iloc[sorted(stack[-1] for stack in standing.values() if stack)].reset_index(drop=True)


def _rows(address: str, query: str, values: tuple[str, ...], path: Path) -> list[tuple[object, ...]]:
    """Open the file at an address and return the rows of a query."""
    with closing(sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        # The file exists before its table does, for the moment of the very first verdict.
        return connection.execute(query, values).fetchall() if _version(connection, path) else []


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file's layout, 0 for an empty file; refuse a later one."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, _VERSION):
        raise RunError(
            f"The review store '{path}' has version {version}; this program reads {_VERSION}. Name another file in the "
            "environment variable RECOMMENDER_LENS_REVIEWS."
        )
    return version


def _create(connection: sqlite3.Connection, path: Path) -> None:
    """Make the table of an empty file."""
    if _version(connection, path) == 0:
        connection.execute(_CREATE)
        connection.execute("CREATE INDEX IF NOT EXISTS verdicts_of_run ON verdicts (run, reviewer)")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log; where the file system has none, the rollback journal stays, as safe."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The first two writers of a new file may meet here, where SQLite does not wait by itself.
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _standing(connection: sqlite3.Connection, key: PairKey) -> list[tuple[int, str, str, str]]:
    """Return number, source, verdict and note of the entries on a pair that were not withdrawn, oldest first."""
    rows = connection.execute(
        "SELECT id, source, verdict, note FROM verdicts WHERE run = ? AND reviewer = ? AND "
        "((source = ? AND target = ?) OR (source = ? AND target = ?)) ORDER BY id",
        (key.run, key.reviewer, key.source, key.target, key.target, key.source),
    )
    stack: list[tuple[int, str, str, str]] = []
    for row in rows:
        if row[2] != WITHDRAWN:
            stack.append(row)
        elif stack:
            stack.pop()
    return stack


def _append(connection: sqlite3.Connection, key: PairKey, verdict: str, note: str) -> int:
    """Add one entry."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    done = connection.execute(
        f"INSERT INTO verdicts ({', '.join(HISTORY_COLUMNS[1:])}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key.run, key.source, key.target, key.reviewer, verdict, note, now),
    )
    return int(done.lastrowid or 0)


def _check_text(field: str, value: str, limit: int, *, is_name: bool = False) -> None:
    """Refuse a text that is empty, too long, or holds characters that no reader would see."""
    if not value.strip() or (is_name and value != value.strip()):
        raise DataError(f"'{field}' is '{value}'; give a text that neither is empty nor starts or ends with a space.")
    if len(value) > limit:
        raise DataError(f"'{field}' has {len(value):,} characters; at most {limit:,} are kept. Shorten it.")
    for place, character in enumerate(value):
        kind = unicodedata.category(character)
        hidden = kind in ("Cs", "Cc") and character not in "\n\t\r"
        if hidden or (is_name and kind in ("Cc", "Cf", "Zl", "Zp") and character not in _JOINERS):
            raise DataError(
                f"'{field}' holds the unprintable character U+{ord(character):04X} at place {place + 1}; remove it."
            )
