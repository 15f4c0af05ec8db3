"""Keys of the session state and of the address bar: the only place where they are spelled."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["graph", "delay", "uncertainty"]

RUN: Final[dict[Kind, str]] = {"graph": "graph-run", "delay": "delay-run", "uncertainty": "uncertainty-run"}
"""Kind to the key of its run picker; the same word stands in the address bar."""

PAGES: Final = "pages"
"""Kind to page object, for links between pages; set by the entry on every run."""

JOB: Final = "job"
"""Key of the training job that the training page follows."""

RUN_TITLE: Final[dict[Kind, str]] = {
    "graph": "Directed graph",
    "delay": "Delayed feedback",
    "uncertainty": "Prediction uncertainty",
}
"""Kind to the name of its page."""

TRAIN: Final = {"kind": "train-kind", "data": "train-data", "seed": "train-seed", "setting": "train-setting"}
"""Keys of the training form."""

DATA: Final = {
    "kind": "data-kind",
    "way": "data-way",
    "file": "data-file",
    "upload": "data-upload",
    "complaint": "data-complaint",
    "path": "data-path",
    "form": "data-form",
    "role": "data-role",
    "merge": "data-merge",
    "check": "data-check",
    "seed": "data-seed",
    "job": "data-job",
}
"""Keys of the page for own data; kind and way stand in the address bar."""

DELAY: Final = {
    "window": "delay-window",
    "group": "delay-by",
    "band": "delay-band",
    "segment": "delay-segment",
    "estimator": "delay-estimator",
    "funnel": "delay-funnel",
    "day": "delay-day",
    "day_segment": "delay-day-segment",
    "cohort": "delay-cohort",
    "metric": "delay-metric",
    "baseline": "delay-against",
    "protocol": "delay-protocol",
    "stream": "delay-stream",
    "methods": "delay-methods",
    "matured": "delay-matured",
    "matured_metric": "delay-matured-metric",
    "flips": "delay-flips",
    "model": "delay-model",
    "quantity": "delay-effect",
    "weights": "delay-weights",
    "weight_segment": "delay-weight-segment",
    "clip": "delay-clip",
    "engagement": "delay-if-engagement",
    "conversion": "delay-if-conversion",
    "delay": "delay-if-delay",
    "waiting": "delay-if-window",
    "auxiliary": "delay-if-learned",
    "tab": "delay-tab",
    "detail": "delay-detail",
    "check": "delay-check",
    "playing": "delay-playing",
    "ticked": "delay-ticked",
    "triangle": "delay-triangle",
}
"""Keys of the delayed-feedback page; all but those of the player and the triangle stand in the address bar."""

UNCERTAINTY: Final = {
    "scorer": "uncertainty-scorer",
    "target": "uncertainty-precision",
    "method": "uncertainty-method",
    "map": "uncertainty-map",
    "thresholds": "uncertainty-thresholds",
    "cuts": "uncertainty-cuts",
    "edited": "uncertainty-edited",
    "slider": "uncertainty-slider",
    "all": "uncertainty-all",
    "tab": "uncertainty-tab",
}
"""Keys of the page on uncertainty; the thresholds stand in the address bar as one comma-separated text."""

EDITOR: Final = {
    "mode": "uncertainty-mode",
    "aim": "uncertainty-aim",
    "aim_slider": "uncertainty-aim-slider",
    "budget": "uncertainty-budget",
    "share": "uncertainty-budget-share",
    "value": "uncertainty-value",
    "cost": "uncertainty-cost",
    "lock": "uncertainty-lock",
    "entry": "uncertainty-entry",
    "past": "uncertainty-past",
    "future": "uncertainty-future",
    "unheard": "uncertainty-unheard",
    "said": "uncertainty-said",
    "picture": "uncertainty-picture",
    "shift": "uncertainty-shift",
    "shift_by": "uncertainty-shift-by",
    "rate": "uncertainty-new-rate",
    "tau": "uncertainty-kept",
    "kappa": "uncertainty-drift",
    "cell": "uncertainty-cell",
    "cell_bucket": "uncertainty-cell-bucket",
    "cell_scores": "uncertainty-cell-scores",
    "cohort": "uncertainty-cohort-name",
    "cohorts": "uncertainty-cohorts",
}
"""Keys of the threshold editor; mode, precision, budget, value and cost stand in the address bar."""

POLICY: Final = {
    "source": "policy-source",
    "method": "policy-method",
    "target": "policy-target",
    "file": "policy-file",
    "rows": "policy-rows",
}
"""Keys of the tab that takes thresholds out and brings them back."""

OWN_SCORES: Final = {
    "file": "own-scores-file",
    "job": "own-scores-job",
    "open": "own-scores-open",
    "buckets": "own-scores-buckets",
    "cut": "own-scores-cut",
    "edges": "own-scores-edges",
}
"""Keys of the tab for scores of the reader's own."""

RELIABILITY: Final = {
    "split": "uncertainty-rows",
    "bins": "uncertainty-bins",
    "scale": "uncertainty-rate-axes",
    "isotonic": "uncertainty-isotonic",
    "by": "uncertainty-by",
    "apart": "uncertainty-apart",
    "part": "uncertainty-reliability-part",
    "metrics": "uncertainty-metrics",
    "repair": "uncertainty-repaired",
}
"""Keys of the reliability tab; they stand in the address bar."""

ESTIMATORS: Final = {
    "part": "uncertainty-estimators-part",
    "measures": "uncertainty-measures",
    "risk": "uncertainty-risk",
}
"""Keys of the tab that compares estimators; they stand in the address bar."""

GRAPH: Final = {
    "node": "graph-node",
    "links": "graph-links",
    "kinds": "graph-kinds",
    "hops": "graph-hops",
    "score": "graph-score",
    "score_scale": "graph-score-scale",
    "category": "graph-category",
    "relation": "graph-relation",
    "node_color": "graph-node-color",
    "node_text": "graph-node-text",
    "part": "graph-part",
    "segment": "graph-segment",
    "tab": "graph-tab",
    "detail": "graph-detail",
    "check": "graph-check",
    "degree_metric": "graph-degree-metric",
    "degree_methods": "graph-degree-methods",
    "degree_segment": "graph-degree-targets",
    "trail": "graph-trail",
    "painted": "graph-painted",
    "network": "graph-network",
    "lasso": "graph-lasso",
}
"""Keys of the directed-graph page; all but the trail, the ends of the score's slider, what was painted, the chart and
the lasso (a list of positions of nodes) stand in the address bar."""

PROJECTION: Final = {
    "chart": "graph-projections",
    "run": "graph-lasso-run",
    "view": "graph-map",
    "color": "graph-color",
    "limit": "graph-points",
    "centre": "graph-centre",
}
"""Keys of the map of both spaces; the chart and the run that was lassoed do not stand in the address bar."""

WHAT_IF: Final = {"other": "graph-whatif-other", "way": "graph-whatif-way"}
"""Keys of the question what an edge changes; they stand in the address bar."""

REVIEW: Final = {
    "reviewer": "review-name",
    "queue": "review-queue",
    "category": "review-category",
    "kinds": "review-kinds",
    "show": "review-show",
    "score": "review-score",
    "support": "review-support",
    "pair": "review-pair",
    "list": "review-list",
    "note": "review-note",
    "error": "review-error",
}
"""Keys of the asymmetry review; name, queue, category, kinds and which pairs to show stand in the address bar."""
