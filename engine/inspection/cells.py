"""Read cells as a training would, in expressions: what is missing, a number, a day, a yes or a no."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from engine.schema import NO, YES
from engine.stripped import stripped
from engine.tables import MISSING

DAY_SECONDS = 86_400.0
_DATE = r"^\d{4}-\d{1,2}-\d{1,2}([T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? *(Z|[+-]\d{2}(:?\d{2})?)?)?$"
_ZONE = r"\d:\d.*?(Z|[+-]\d{2}(?::?\d{2})?)$"
"""A zone behind a clock."""
_INSTANT = "timestamp('UTC')"
_WORDS = tuple(word for word in MISSING if word)


def number_of(text: ir.Value) -> ir.Value:
    """Return the float64 that a text is, NULL if it is none; an infinity stays."""
    # DuckDB reads 1_000 as a number, a training does not.
    plain = ibis.ifelse(text.contains("_"), ibis.null("string"), text)
    return _without_nan(plain.try_cast("float64"))


def stamp_of(text: ir.Value, number: ir.Value) -> ir.Value:
    """Return the moment that a text is, in days from 1970-01-01 UTC; NULL if it is none, or a number."""
    date = ibis.ifelse(number.isnull() & text.re_search(_DATE), text, ibis.null("string"))
    return _as_days(date.try_cast(_INSTANT))


def is_whole(number: ir.Value) -> ir.Value:
    """Tell which numbers are whole; a floor would have to fit into 64 bits."""
    return ~number.isinf() & (number % 1.0 == 0)


def _without_nan(number: ir.Value) -> ir.Value:
    """Return numbers, NULL for NaN, which Ibis takes for NULL where it is compared."""
    return ibis.ifelse(number.isnan(), ibis.null("float64"), number)


def _as_days(moment: ir.Value) -> ir.Value:
    """Count days from 1970-01-01 UTC."""
    return moment.epoch_seconds().cast("float64") / DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of one column, with what its file says about them."""

    raw: ir.Value
    is_text: bool
    """Whether they are text of a delimited file, where `MISSING` words stand for missing values."""
    keeps_words: bool
    """Whether ``NA`` and its like are values all the same, as in ids and categories."""

    @property
    def is_string(self) -> bool:
        """Whether the column holds text."""
        return bool(self.raw.type().is_string())

    @property
    def is_dated(self) -> bool:
        """Whether the column has a type of date or time."""
        return bool(self.raw.type().is_timestamp() or self.raw.type().is_date() or self._is_odd_time)

    @property
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, yes or no among them."""
        return bool(self.raw.type().is_numeric() or self.raw.type().is_boolean())

    def missing(self) -> ir.Value:
        """Tell where there is no value."""
        if self.raw.type().is_null():
            return ibis.literal(True)
        if self.is_string:
            text = stripped(self.raw)
            empty = self.raw.isnull() | (text == "")
            return empty | text.isin(_WORDS) if self.is_text and not self.keeps_words else empty
        if self.raw.type().is_floating():
            return self.raw.isnull() | self.raw.isnan()
        return self.raw.isnull()

    def text(self) -> ir.Value:
        """Return cells as text without spaces around it, NULL where they are missing."""
        has_space = not (self.is_numeric or self.is_dated)
        text = self._string()
        return ibis.ifelse(self.missing(), ibis.null("string"), stripped(text) if has_space else text)

    def written(self) -> ir.Value:
        """Return cells as they are written."""
        return self._string()

    def number(self) -> ir.Value:
        """Return float64, NULL where a cell is missing or no number; an infinity stays."""
        if self.is_string:
            return number_of(self.text())
        if not self.is_numeric:
            return ibis.null("float64")
        return _without_nan(self.raw.cast("float64"))

    def stamp(self) -> ir.Value:
        """Return the moment of a date, counted in days from 1970-01-01 UTC, NULL where there is none."""
        if self.is_string:
            text = self.text()
            return stamp_of(text, number_of(text))
        if not self.is_dated:
            return ibis.null("float64")
        # What has no zone is read in UTC; DuckDB takes its calendar, ten times slower, for what has one.
        is_plain = self.raw.type().is_timestamp() and self.raw.type().timezone is None
        return _as_days(self.raw if is_plain else self.raw.cast(_INSTANT))

    def zone(self) -> ir.Value | str | None:
        """Return the zone written behind each time, NULL where there is none; of a typed column that of the type."""
        if self.is_string:
            return self.text().re_extract(_ZONE, 1).nullif("")
        kind = self.raw.type()
        return "UTC" if self._is_odd_time else kind.timezone if kind.is_timestamp() else None

    def answer(self) -> ir.Value:
        """Return 1 for yes, 0 for no, NULL for anything else."""
        text = self.text().lower()
        return ibis.cases((text.isin(YES), 1), (text.isin(NO), 0), else_=ibis.null("int64"))

    @property
    def _is_odd_time(self) -> bool:
        """Whether these are nanoseconds with a zone, which Ibis cannot name."""
        return bool(self.raw.type().is_unknown() and "TIMESTAMPTZ" in str(self.raw.type()))

    def _string(self) -> ir.Value:
        """Return cells as text."""
        if self.raw.type().is_null():
            return ibis.null("string")
        return self.raw if self.is_string else self.raw.cast("string")
