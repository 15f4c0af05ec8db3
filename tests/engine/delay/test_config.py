"""Settings outside their range are refused by name."""

from __future__ import annotations

import pytest

from engine.delay.config import METHODS, DelayConfig
from engine.errors import ConfigError


@pytest.mark.parametrize("bad", [0.0, -1.0, 1e9, "7", True])
def test_a_deadline_out_of_range_is_refused(bad):
    with pytest.raises(ConfigError, match="'counterfactual_days' is"):
        DelayConfig(counterfactual_days=bad)


def test_the_deadline_is_the_window_unless_days_are_given():
    assert DelayConfig().counterfactual_days is None
    assert DelayConfig(counterfactual_days=7.0).counterfactual_days == 7.0


def test_methods_are_named_once_and_ours_comes_last():
    assert len(set(METHODS)) == len(METHODS) and METHODS[0] == "oracle"
    assert METHODS[-2:] == ("entire_space", "dress_style")
