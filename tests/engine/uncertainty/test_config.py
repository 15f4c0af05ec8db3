"""Settings outside their range are refused by name."""

from __future__ import annotations

import pytest

from engine.errors import ConfigError
from engine.options import build_config
from engine.uncertainty.config import UncertaintyConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 1.5),
        ("seed", True),
        ("members", 1),
        ("hidden", 0),
        ("epochs", 0),
        ("batch_size", 4),
        ("reliability_bins", 1),
        ("resamples", 5),
        ("train_share", 0.0),
        ("train_share", float("nan")),
        ("tune_share", 0.99),
        ("learning_rate", 0.0),
        ("learning_rate", "fast"),
        ("weight_decay", -0.1),
        ("measure", "spread"),
        ("part", "both"),
        ("part", "total"),
        ("estimators", ()),
        ("estimators", ("swag",)),
        ("estimators", ("ensemble", "ensemble")),
        ("estimators", ("laplace", "mc_dropout")),
        ("dropout", 0.0),
        ("passes", 1),
        ("prior_precision", 0.0),
        ("undersampling", 0.5),
        ("buckets", 0),
        ("buckets", 101),
        ("buckets", 2.5),
        ("bucket_cut", "quantile"),
        ("bucket_edges", (0.2, 0.1)),
        ("bucket_edges", (0.1, 0.1)),
        ("bucket_edges", (0.1, float("inf"))),
        ("bucket_edges", (float("nan"),)),
        ("bucket_edges", ("a",)),
        ("bucket_edges", tuple(range(100))),
        ("precision_targets", (0.5, 1.0)),
        ("precision_targets", (0.6, 0.5)),
        ("precision_targets", (0.5, 0.5)),
    ],
)
def test_a_setting_out_of_range_is_named(field, value):
    with pytest.raises(ConfigError, match=f"'{field}'"):
        UncertaintyConfig(**{field: value})


def test_shares_must_leave_rows_to_test_on():
    with pytest.raises(ConfigError, match=r"rows are left\s+to test on"):
        UncertaintyConfig(train_share=0.7, tune_share=0.3)


def test_the_defaults_are_allowed_and_cannot_be_changed_in_place():
    config = UncertaintyConfig()
    with pytest.raises(AttributeError):
        config.seed = 1


def test_variance_of_the_logit_has_no_aleatoric_part_and_entropy_has():
    with pytest.raises(ConfigError, match=r"choose variance_of_probability or entropy as 'measure'"):
        UncertaintyConfig(part="aleatoric")
    assert UncertaintyConfig(part="aleatoric", measure="entropy").part == "aleatoric"


def test_own_edges_stand_alone():
    assert build_config(UncertaintyConfig, {"bucket_edges": "0.01, 0.05"}).bucket_edges == (0.01, 0.05)
    with pytest.raises(ConfigError, match=r"'bucket_edges' makes 3 buckets and 'buckets' asks for 3; give one"):
        UncertaintyConfig(bucket_edges=(0.01, 0.05), buckets=3)
    with pytest.raises(ConfigError, match=r"'bucket_cut=width' says nothing; leave it out"):
        UncertaintyConfig(bucket_edges=(0.01, 0.05), bucket_cut="width")


def test_estimators_are_read_from_text_and_refused_by_name():
    config = build_config(UncertaintyConfig, {"estimators": "ensemble, natpn_flat"})
    assert config.estimators == ("ensemble", "natpn_flat")
    with pytest.raises(ConfigError, match=r"'swag'; allowed are ensemble, mc_dropout"):
        build_config(UncertaintyConfig, {"estimators": "swag"})
