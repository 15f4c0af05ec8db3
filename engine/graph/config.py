"""Settings of a directed-graph run, with units and limits in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ConfigError

Form = Literal["default", "paper"]
Sampling = Literal["full", "uniform", "adaptive", "none"]
Retrieval = Literal["exact", "faiss"]
Projection = Literal["pca", "tsne", "umap"]

TRAINED_METHODS = ("dual", "single", "paper", "adaptive", "fixed")
BASELINES = ("popularity", "cocitation", "hope", "degree_head")
"""Methods of others; the best of them on a metric is the peer to beat on it."""
METHODS = TRAINED_METHODS + BASELINES


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConfig:
    """Settings of one run: split, model, loss, sampler and evaluation."""

    seed: int = 0
    """Seed of every random stream of the run."""
    form: Form = "default"
    """Which trained form the ranked lists and projections show: our cosine form, or the paper's literal one."""
    methods: tuple[str, ...] = METHODS
    """Methods to fit on the same split; the one named by `form` must be among them."""
    features: tuple[str, ...] = ("auto",)
    """Columns of the node table that enter the trained forms; auto takes the text columns, as a number may be a count
    over the test edges, too (see `engine.graph.features.node_features`); none leaves them out."""
    feature_decay: float = 1e-5
    """L2 penalty on the matrix that turns features into node inputs."""
    dimension: int = 64
    """Length of the source vector and of the target vector of a node."""
    epochs: int = 120
    """Passes over the training edges, each with a new division into message and supervised edges."""
    learning_rate: float = 0.01
    """Adam step of the node inputs; role matrices and mix take half, scale and popularity weight three times, the
    two numbers of reciprocity ten times as much."""
    averaged_share: float = 0.5
    """Share of the epochs, the last ones, whose weights are averaged into the final ones."""
    batch_size: int | None = None
    """Supervised edges per step; 0 takes all of an epoch in one step. By default 0 up to a million training edges, and
    65,536 beyond; a run states which it was."""
    negatives: int = 512
    """Nodes drawn uniformly per step and shared by all queries as negatives of the ranking loss."""
    scale: float = 3.0
    """Start of the learned factor on the cosine (tau)."""
    message_share: float = 0.5
    """Share of the training edges that carries messages in an epoch; the others are supervised."""
    bias_decay: float = 1e-3
    """L2 penalty on the free target bias of a node."""
    role_decay: float = 0.003
    """L2 penalty on the difference of the two role matrices: higher ties source and target vector together, which can
    rank better; lower keeps them apart, so that the embeddings themselves tell a direction."""
    reversed_weight: float = 0.0
    """Weight (lambda) of the loss on reversed one-way edges in the ranking score; trades ranking for direction."""
    sampling: Sampling = "full"
    """Neighbourhoods of `dual` and `single`: all neighbours, one size for all, a size that falls with degree, or
    none: no propagation, so a node is what its own vector and its features say."""
    max_neighbours: int = 20
    """Neighbourhood size of the nodes of lowest degree (K_max)."""
    min_neighbours: int = 5
    """Smallest neighbourhood size of any node (K_min)."""
    neighbour_bias: float = 1.0
    """Sampled neighbours are drawn with probability proportional to degree to this power; 0 is uniform."""
    paper_layers: int = 3
    """Propagation layers of the paper's literal form; odd, as even numbers mix the two directions."""
    paper_negatives: int = 5
    """Negatives per training edge in the paper's literal loss; the paper does not give its number."""
    asymmetric_weight: float = 1.0
    """Weight of the direction terms in the paper's literal loss, over one-way edges and their reversals; printed as
    1."""
    validation_share: float = 0.05
    """Share of the edges kept for choices inside the baselines."""
    test_share: float = 0.20
    """Share of the edges that only the evaluation sees."""
    top_k: int = 10
    """Length of the stored ranked lists, per node and direction."""
    retrieval: Retrieval = "exact"
    """How ranked lists are found: by a blocked product, or by the package faiss where it is installed. Both look at
    every candidate and differ in the order of equal scores alone."""
    projection: Projection = "pca"
    """Map of both spaces: principal components, t-SNE (minutes beyond a few thousand nodes) or UMAP (if installed)."""
    max_queries: int = 5000
    """Most test edges that are ranked; beyond it a seeded sample of query nodes is ranked and its size stated."""
    resamples: int = 1000
    """Bootstrap resamples of the query nodes behind every interval."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        _check_ranges(self)
        if self.batch_size is not None:
            _check_whole("batch_size", self.batch_size, 0, 10_000_000)
        _choice("form", self.form, ("default", "paper"))
        _choice("sampling", self.sampling, ("full", "uniform", "adaptive", "none"))
        _choice("retrieval", self.retrieval, ("exact", "faiss"))
        _choice("projection", self.projection, ("pca", "tsne", "umap"))
        for method in self.methods:
            _choice("methods", method, METHODS)
        if len(set(self.methods)) != len(self.methods):
            raise ConfigError(f"'methods' is {self.methods}; name every method once.")
        if not self.features or (len(self.features) > 1 and {"auto", "none"} & set(self.features)):
            raise ConfigError(f"'features' is {self.features}; allowed is auto, none, or names of columns.")
        if self.shown_method not in self.methods:
            raise ConfigError(
                f"'methods' is {self.methods}; it must contain '{self.shown_method}', the method of the form "
                f"'{self.form}'."
            )
        if self.min_neighbours > self.max_neighbours:
            raise ConfigError(
                f"'min_neighbours' is {self.min_neighbours}; it must not exceed 'max_neighbours' {self.max_neighbours}."
            )
        if self.paper_layers % 2 == 0:
            raise ConfigError(f"'paper_layers' is {self.paper_layers}; it must be odd, for example 3.")
        if self.validation_share + self.test_share >= 1:
            raise ConfigError(
                f"'test_share' is {self.test_share} and 'validation_share' {self.validation_share}; "
                "together they must leave edges to train on, so keep their sum below 1."
            )

    @property
    def shown_method(self) -> str:
        """Method that the ranked lists and projections show."""
        return shown_method(self.form)


def shown_method(form: str) -> str:
    """Return the method that a form trains, as tables name it.

    Examples
    --------
    >>> shown_method("default"), shown_method("paper")
    ('dual', 'paper')
    """
    return "dual" if form == "default" else form


_WHOLE = {
    "seed": (0, 2**31),
    "dimension": (2, 1024),
    "epochs": (1, 10_000),
    "negatives": (1, 100_000),
    "max_neighbours": (1, 1000),
    "min_neighbours": (1, 1000),
    "paper_layers": (1, 9),
    "paper_negatives": (1, 100),
    "top_k": (1, 100),
    "max_queries": (1, 10_000_000),
    "resamples": (10, 100_000),
}
_REAL = {
    "learning_rate": (1e-6, 1.0),
    "scale": (0.1, 100.0),
    "message_share": (0.05, 0.95),
    "averaged_share": (0.0, 1.0),
    "bias_decay": (0.0, 1.0),
    "feature_decay": (0.0, 1.0),
    "role_decay": (0.0, 100.0),
    "reversed_weight": (0.0, 10.0),
    "asymmetric_weight": (0.0, 10.0),
    "neighbour_bias": (-2.0, 2.0),
    "validation_share": (0.01, 0.5),
    "test_share": (0.01, 0.9),
}


def _check_ranges(config: GraphConfig) -> None:
    """Check every numeric field against its closed range."""
    for name, (low, high) in _WHOLE.items():
        _check_whole(name, getattr(config, name), low, high)
    for name, (least, most) in _REAL.items():
        number: Any = getattr(config, name)
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise ConfigError(f"'{name}' is {number!r}; allowed is a number from {least:g} to {most:g}.")


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Check a whole number against its closed range."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Check a setting with a fixed list of values."""
    if value not in allowed:
        raise ConfigError(f"'{name}' is '{value}'; allowed are {', '.join(allowed)}.")
