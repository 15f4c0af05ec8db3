"""Settings of an uncertainty run, with units and limits in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from engine.errors import ConfigError

Estimator = Literal["ensemble", "mc_dropout", "laplace", "natpn_flat", "natpn_matched", "counts"]
UncertaintyMeasure = Literal["variance_of_logit", "variance_of_probability", "entropy", "differential_entropy"]
UncertaintyPart = Literal["epistemic", "aleatoric", "total"]
BucketWay = Literal["count", "width"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
FROM_ENSEMBLE = ("laplace", "counts")
"""Estimators that need the networks or the score of the ensemble."""
MOST_EDGES = 99
"""Own edges at most: as many as 100 buckets have."""
SPLITTING = ("variance_of_probability", "entropy")
"""Measures that have an aleatoric and a total part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyConfig:
    """Settings of one run: split, ensemble, boundaries and evaluation."""

    seed: int = 0
    """Seed of every random stream of the run."""
    train_share: float = 0.55
    """Share of the time range (or of the rows, without times) that trains the ensemble; unused with a given score."""
    tune_share: float = 0.18
    """Next share, on which edges, thresholds and recalibrators are chosen; the rest is test."""
    members: int = 5
    """Networks in the deep ensemble, each with its own start and order of rows."""
    hidden: int = 64
    """Units in each of the two hidden layers of a network."""
    epochs: int = 4
    """Passes of every network over the training rows."""
    batch_size: int = 512
    """Rows per step."""
    learning_rate: float = 2e-3
    """Adam step at the start; falls to 0 along a cosine."""
    weight_decay: float = 1e-4
    """Decoupled L2 penalty."""
    estimators: tuple[Estimator, ...] = ("ensemble", "laplace", "counts")
    """Scorers to train, in display order; the first carries the claims. All but `mc_dropout` and `natpn_...`
    need `ensemble`; unused with a given score."""
    measure: UncertaintyMeasure = "variance_of_logit"
    """Uncertainty of a trained scorer: variance of the log-odds or of the probability, entropy, or the
    differential entropy (as a width) of a Beta distribution. `counts` has its own scale."""
    part: UncertaintyPart = "epistemic"
    """What is not known of the rate (epistemic), what chance leaves open (aleatoric), or their sum (total);
    only `variance_of_probability` and `entropy` have other parts than the epistemic one."""
    dropout: float = 0.1
    """Share of hidden units that `mc_dropout` leaves out, in training and in every pass."""
    passes: int = 20
    """Passes of `mc_dropout`, each with masks of its own that are the same for all rows."""
    prior_precision: float = 1.0
    """Precision of the Gaussian prior on the last layer of `laplace`."""
    undersampling: float = 1.0
    """Tau: training keeps all positives and one in tau negatives; 1 keeps all rows."""
    correct_undersampling: bool = True
    """Whether a score trained on fewer negatives is turned back into the rate among all rows."""
    buckets: int | None = None
    """Uncertainty buckets (K); none: chosen by cross-fitting on the tuning units, out of 1, 2, 3, 5 and 10."""
    bucket_cut: BucketWay = "count"
    """Buckets of equal row count, or of equal width between the smallest and largest tuning value. Equal widths change
    with the scale of the uncertainty (its logarithm gives other buckets, equal counts stay) and may hold no row."""
    bucket_edges: tuple[float, ...] = ()
    """Own buckets: upper edges of all but the last, rising, at most 99, on the scale of a given score's uncertainty.
    Only for data that bring score and uncertainty, and without `buckets`; empty: cut as above."""
    confidence: float = 0.9
    """Confidence at which the method `guaranteed` holds a precision target on new rows."""
    precision_targets: tuple[float, ...] = ()
    """Precision targets of the tables; empty: 3, 5, 8 and 12 times the odds of a positive on the tuning rows."""
    reliability_bins: int = 10
    """Bins of equal row count in a reliability curve, per bucket."""
    slices: tuple[str, ...] = ()
    """Columns to look at value by value; empty: with a given score every further column of text with few values."""
    resamples: int = 1000
    """Bootstrap resamples of the units behind every interval."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        _check_ranges(self)
        _check_estimators(self)
        _check_buckets(self)
        for target in self.precision_targets:
            if not 0 < target < 1:
                raise ConfigError(f"'precision_targets' holds {target!r}; each must lie between 0 and 1.")
        if list(self.precision_targets) != sorted(set(self.precision_targets)):
            raise ConfigError(f"'precision_targets' is {self.precision_targets}; give rising values without repeats.")
        if self.train_share + self.tune_share > 0.95:
            raise ConfigError(
                f"'train_share' is {self.train_share} and 'tune_share' {self.tune_share}; "
                "keep their sum at or below 0.95 so that rows are left to test on."
            )


_WHOLE = {
    "seed": (0, 2**31),
    "members": (2, 50),
    "hidden": (1, 1024),
    "epochs": (1, 1000),
    "batch_size": (8, 100_000),
    "reliability_bins": (2, 100),
    "resamples": (10, 100_000),
    "passes": (2, 500),
}
_REAL = {
    "train_share": (0.05, 0.9),
    "tune_share": (0.05, 0.9),
    "learning_rate": (1e-6, 1.0),
    "confidence": (0.51, 0.999),
    "weight_decay": (0.0, 1.0),
    "dropout": (0.01, 0.9),
    "prior_precision": (1e-6, 1e6),
    "undersampling": (1.0, 1000.0),
}


def _is_whole(value: Any, low: int, high: int) -> bool:
    """Tell whether a value is a whole number in a closed range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check_ranges(config: UncertaintyConfig) -> None:
    """Check every numeric field against its closed range."""
    for name, (low, high) in _WHOLE.items():
        value: Any = getattr(config, name)
        if not _is_whole(value, low, high):
            raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")
    for name, (least, most) in _REAL.items():
        number: Any = getattr(config, name)
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise ConfigError(f"'{name}' is {number!r}; allowed is a number from {least:g} to {most:g}.")


def _check_buckets(config: UncertaintyConfig) -> None:
    """Check how uncertainty is to be cut."""
    if config.buckets is not None and not _is_whole(config.buckets, 1, 100):
        raise ConfigError(f"'buckets' is {config.buckets!r}; allowed is a whole number from 1 to 100, or none.")
    if config.bucket_cut not in get_args(BucketWay):
        raise ConfigError(f"'bucket_cut' is '{config.bucket_cut}'; allowed are {', '.join(get_args(BucketWay))}.")
    edges: tuple[Any, ...] = config.bucket_edges
    for edge in edges:
        if isinstance(edge, bool) or not isinstance(edge, int | float) or not math.isfinite(edge):
            raise ConfigError(f"'bucket_edges' holds {edge!r}; each must be a finite number.")
    if any(low >= high for low, high in pairwise(edges)):
        raise ConfigError(f"'bucket_edges' is {edges}; give rising values without repeats.")
    if len(edges) > MOST_EDGES:
        raise ConfigError(f"'bucket_edges' holds {len(edges)} values; at most {MOST_EDGES} are allowed.")
    if not edges:
        return
    if config.buckets is not None:
        raise ConfigError(
            f"'bucket_edges' makes {len(edges) + 1} buckets and 'buckets' asks for {config.buckets}; give one of them."
        )
    if config.bucket_cut != "count":
        raise ConfigError(
            f"'bucket_edges' cuts the buckets already, so 'bucket_cut={config.bucket_cut}' says nothing; leave it out."
        )


def _check_estimators(config: UncertaintyConfig) -> None:
    """Check the chosen scorers and what their uncertainty is to measure."""
    chosen = config.estimators
    unknown = [name for name in chosen if name not in ESTIMATORS]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        raise ConfigError(f"'estimators' is {chosen}; name at least one of {', '.join(ESTIMATORS)}, each of them once.")
    built_on = [name for name in chosen if name in FROM_ENSEMBLE]
    if built_on and "ensemble" not in chosen:
        raise ConfigError(f"'estimators' holds '{built_on[0]}', which is made from the ensemble; add 'ensemble' to it.")
    for name, allowed in (("measure", get_args(UncertaintyMeasure)), ("part", get_args(UncertaintyPart))):
        if getattr(config, name) not in allowed:
            raise ConfigError(f"'{name}' is '{getattr(config, name)}'; allowed are {', '.join(allowed)}.")
    if config.part != "epistemic" and config.measure not in SPLITTING:
        raise ConfigError(
            f"'part' is '{config.part}', but '{config.measure}' measures the epistemic part alone; "
            f"choose {' or '.join(SPLITTING)} as 'measure', or part epistemic."
        )
