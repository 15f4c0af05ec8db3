"""The exception tree: what a caller may catch, and with which builtin."""

import pytest

from engine import errors


@pytest.mark.parametrize("name", ["ConfigError", "DataError", "NotEnoughDataError", "RunError"])
def test_bad_input_is_a_value_error_and_an_engine_error(name):
    kind = getattr(errors, name)
    assert issubclass(kind, ValueError) and issubclass(kind, errors.EngineError)


def test_too_little_data_is_a_data_error():
    assert issubclass(errors.NotEnoughDataError, errors.DataError)


def test_a_failed_training_is_no_bad_input():
    assert issubclass(errors.TrainingError, RuntimeError) and not issubclass(errors.TrainingError, ValueError)


def test_an_undefined_metric_is_a_warning_only():
    assert issubclass(errors.UndefinedMetricWarning, UserWarning)
