"""Settings out of range are refused by name."""

from __future__ import annotations

import pytest

from engine.errors import ConfigError
from engine.graph.config import GraphConfig


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "'epochs' is 0; allowed is a whole number from 1 to 10,000"),
        ({"epochs": 2.5}, "'epochs' is 2.5"),
        ({"epochs": True}, "'epochs' is True"),
        ({"learning_rate": float("nan")}, "'learning_rate' is nan"),
        ({"role_decay": -1.0}, "'role_decay' is -1.0"),
        ({"form": "other"}, "'form' is 'other'; allowed are default, paper"),
        ({"sampling": "most"}, "'sampling' is 'most'"),
        ({"methods": ("dual", "magic")}, "'methods' is 'magic'"),
        ({"methods": ("dual", "dual")}, "name every method once"),
        ({"methods": ("single",)}, "must contain 'dual', the method of the form 'default'"),
        ({"min_neighbours": 30}, "'min_neighbours' is 30; it must not exceed 'max_neighbours' 20"),
        ({"paper_layers": 2}, "'paper_layers' is 2; it must be odd"),
        ({"validation_share": 0.5, "test_share": 0.5}, "keep their sum below 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings, words):
    with pytest.raises(ConfigError) as raised:
        GraphConfig(**settings)
    assert words in str(raised.value)
