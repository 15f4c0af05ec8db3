"""Exceptions and warnings of the engine.

Every message names the field or column, what was found, what is allowed and what to do next, so that the
command line and the dashboard can show it unchanged.
"""


class EngineError(Exception):
    """Base of every error that the engine raises on purpose."""


class ConfigError(EngineError, ValueError):
    """A setting has a value that is not allowed."""


class DataError(EngineError, ValueError):
    """A table, a column or a row of the input is not what the method needs."""


class NotEnoughDataError(DataError):
    """The input is well formed but too small, or one-sided, for the method."""


class NoEdgeError(NotEnoughDataError):
    """No pair of items in a table of events has what an edge needs."""


class TrainingError(EngineError, RuntimeError):
    """Training stopped without a usable model."""


class RunError(EngineError, ValueError):
    """A run folder is missing, incomplete or of another schema version, or cannot be written."""


class UndefinedMetricWarning(UserWarning):
    """A metric has no value on this input; it is reported as NaN, never as 0."""
