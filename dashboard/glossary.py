"""Terms with a gloss, a formula and a source: shown on hover and on the overview."""

from __future__ import annotations

from dashboard.terms import Term
from dashboard.terms.calibration import CALIBRATION
from dashboard.terms.delay import DELAY
from dashboard.terms.delay_methods import DELAY_METHODS
from dashboard.terms.graph_map import GRAPH_MAP
from dashboard.terms.methods import METHODS
from dashboard.terms.neighbours import NEIGHBOURS
from dashboard.terms.ranking import RANKING
from dashboard.terms.review import REVIEW
from dashboard.terms.thresholds import THRESHOLDS
from dashboard.terms.uncertainty import UNCERTAINTY

_SHARED = {
    "interval": Term(
        label="95 % interval",
        gloss="Where the figure would land in 95 of 100 repetitions with other units of the same kind.",
        formula="2.5 and 97.5 % quantiles of a paired bootstrap over the natural unit",
        source="Efron and Tibshirani (1993)",
    ),
    "verdict": Term(
        label="Verdict",
        gloss="Not supported: the whole interval is below the smallest effect worth having, even where it is above 0. "
        "Supported: otherwise, if the whole interval is on the claimed side of 0. Inconclusive: neither.",
    ),
    "log_loss": Term(
        label="Log loss",
        gloss="How surprised the predictions are by the labels, on average over rows.",
        formula="−mean(y ln p + (1 − y) ln(1 − p))",
        unit="nats",
        better="lower",
    ),
    "roc_auc": Term(
        label="ROC AUC",
        gloss="How often a random positive row scores above a random negative one; ties count half.",
        formula="P(score of a positive > score of a negative)",
        better="higher",
        source="Hanley and McNeil (1982)",
    ),
    "pr_auc": Term(
        label="PR AUC",
        gloss="Precision averaged over the positives, each taken at its own rank; equals the base rate by chance.",
        formula="Σ (recall step × precision)",
        better="higher",
    ),
    "brier": Term(
        label="Brier score",
        gloss="Mean squared distance between the predicted probability and the label.",
        formula="mean((p − y)²)",
        better="lower",
        source="Brier (1950)",
    ),
    "calibration": Term(
        label="Calibration",
        gloss="Predicted positives per observed positive; above 1 the model promises too much.",
        formula="Σ p ÷ Σ y",
        better="1",
    ),
    "precision": Term(
        label="Precision",
        gloss="Share of the selected rows that are positive.",
        formula="true positives ÷ selected",
        better="higher",
    ),
    "recall": Term(
        label="Recall",
        gloss="Share of the positive rows that are selected.",
        formula="true positives ÷ positives",
        better="higher",
    ),
    "coverage": Term(
        label="Share selected",
        gloss="Share of all rows that are selected.",
        formula="selected ÷ rows",
        better="as the use needs",
    ),
}

_GRAPH: dict[str, Term] = {
    "existence_auc": Term(
        label="Existence AUC",
        gloss="How often a held-out edge scores above a random pair without an edge; degrees alone do well here.",
        formula="P(score of an edge > score of a uniform non-edge), ties count half",
        better="higher",
        source="Hanley and McNeil (1982)",
    ),
    "existence_auc_degree_corrected": Term(
        label="Existence AUC, degree-corrected",
        gloss="As existence AUC, against non-edges whose targets are as popular as those of the edges, so that "
        "popularity alone earns about one half.",
        formula="P(score of an edge > score of a non-edge with the same source and a target drawn from the edges)",
        better="higher",
        source="Aiyappa et al. (2025)",
    ),
    "direction_auc": Term(
        label="Direction AUC",
        gloss="How often a held-out one-way edge stands above the reversal of a held-out one-way edge: by the log-odds "
        "of its direction where a method states them, by its score otherwise. One half is guessing; the degrees of the "
        "two ends alone do well here.",
        formula="P(d(u → v) > d(y → x)), u → v and x → y one-way edges, pooled, ties count half",
        better="higher",
        source="Virinchi et al. (2022)",
    ),
    "direction_auc_embeddings": Term(
        label="Direction AUC, embeddings alone",
        gloss="As direction AUC, from the inner products alone, without degrees, popularity, activity and reciprocity; "
        "one embedding per node earns one half here.",
        formula="P(s_u · t_v > s_y · t_x), u → v and x → y one-way edges, pooled, ties count half",
        better="higher",
    ),
    "direction_auc_difference": Term(
        label="Direction AUC, by difference of scores",
        gloss="As direction AUC, but every method is read by how far its score one way exceeds the other way.",
        formula="P(d > −d′), d and d′ the differences score(u → v) − score(v → u) of two edges",
        better="higher",
    ),
    "edge_score": Term(
        label="Score",
        gloss="Log-odds of an edge against a random pair, were both equally frequent; comparable between sources. The "
        "first part ranks the targets of a source. The activity of the source is the same for all its targets, so it "
        "changes no ranking; both are fitted on validation edges.",
        formula="κ (scale × cos(s_u, t_v) + popularity of v + c(u) if v → u is a known edge) + activity of u",
        source="own; cosine as in Virinchi et al. (2022), heads tested against plain logistic regression",
    ),
    "reciprocity": Term(
        label="Reciprocity",
        gloss="What the score gains where the reversal of a pair is a known edge: how far one direction promises the "
        "other. It depends on the in-degree of the source, as a node that many lead to answers few of them. Both "
        "numbers are learned; the first is then set by validation edges.",
        formula="c(u) [v → u is a training edge], c(u) = c₀ + c′ log(1 + d_in(u))",
        source="own",
    ),
    "direction_probability": Term(
        label="Points this way",
        gloss="Probability that the pair points this way if it points one way only. It starts from the degrees of both "
        "ends and adds by how much the embeddings prefer this way; fitted on one-way validation edges, checked on test "
        "edges. It is not the difference of the two scores.",
        formula="1 ÷ (1 + exp(−λ (s_u · t_v − s_v · t_u) − p_v + p_u)), p = w · (log(1 + d_in), log(1 + d_out), "
        "d_in = 0, d_out = 0)",
        source="ridge logistic regression without intercept; own",
    ),
    "dual": Term(
        label="Dual embeddings",
        gloss="Ours: every node has one vector for its role as a source and one for its role as a target. Each is made "
        "of what the node is itself and of its neighbours in both directions.",
        formula="s = x W_s + c₁ mean of t over out-neighbours + c₂ mean of s over in-neighbours, t likewise",
        source="after Virinchi et al. (2022)",
    ),
    "single": Term(
        label="Single embedding",
        gloss="The same network with one vector per node: its cosine is the same both ways, so only degrees and "
        "popularity tell directions apart.",
    ),
    "paper": Term(
        label="Paper's literal form",
        gloss="The published update rule and loss taken word for word, without our rescaling and self terms; its "
        "sampler is our reconstruction, as the paper's text was not at hand.",
        source="Virinchi et al. (2022), algorithm 1 and equation 2",
    ),
    "popularity": Term(
        label="In-degree popularity",
        gloss="Recommends to everyone the nodes with the most incoming training edges.",
        formula="d_in(v)",
    ),
    "cocitation": Term(
        label="Co-citation",
        gloss="Counts how often nodes that share targets with the query lead to the candidate.",
        formula="(A Aᵀ A)[u, v]",
    ),
    "hope": Term(
        label="HOPE",
        gloss="Factorises how many paths lead from one node to another, long ones discounted, into source and target "
        "vectors.",
        formula="S Tᵀ ≈ (I − βA)⁻¹ βA",
        source="Ou et al. (2016)",
    ),
    "degree_head": Term(
        label="Degrees only",
        gloss="A logistic regression on the in- and out-degree of both ends, fitted on one-way validation edges; it "
        "knows nothing else, and tells directions only. Our form adds the embeddings to it.",
        formula="log-odds(u → v) = w · (f_v − f_u), f = (log(1 + d_in), log(1 + d_out), d_in = 0, d_out = 0)",
    ),
    "adaptive": Term(
        label="Degree-adaptive sampling",
        gloss="The dual form with neighbourhoods that shrink as the in-degree grows; our reconstruction of a sampler "
        "whose paper was not at hand.",
        source="after BLADE (Virinchi and Saladi, KDD 2023) as others describe it",
    ),
    "fixed": Term(
        label="Fixed fan-out",
        gloss="The dual form with neighbourhoods of one size for all nodes and the same total as the adaptive ones.",
    ),
}

_UNCERTAINTY: dict[str, Term] = {
    "precision": Term(
        label="Precision",
        gloss="Share of positives among the selected rows.",
        formula="TP / (TP + FP)",
        unit="share",
        better="higher",
        source="Interval of the editor: Wilson (1927), rows taken as independent",
    ),
    "recall": Term(
        label="Recall",
        gloss="Share of the positive rows that are selected.",
        formula="TP / (TP + FN)",
        unit="share",
        better="higher",
        source="Interval of the editor: Wilson (1927), rows taken as independent",
    ),
    "coverage": Term(
        label="Share selected",
        gloss="Share of all rows that a boundary selects: the size of the queue.",
        formula="(TP + FP) / n",
        unit="share",
        better="higher at equal precision",
    ),
    "recall_at_matched_precision": Term(
        label="Recall at equal precision",
        gloss="Recall where each method reaches the same precision on the very rows it is judged on, "
        "so that only its ranking counts.",
        formula="TP ÷ positives, at the largest cut with TP ÷ (TP + FP) at the target",
        unit="share",
        better="higher",
    ),
    "ece": Term(
        label="ECE",
        gloss="Mean distance between promised and observed rate over bins of equal row count; above 0 even for a "
        "calibrated score, the more so with few rows.",
        formula="Σ (n_b / n) · |mean score_b − rate_b|",
        unit="share",
        better="lower",
        source="Roelofs et al. (2022)",
    ),
    "brier": Term(
        label="Brier score",
        gloss="Mean squared distance between score and outcome.",
        formula="mean (score − label)²",
        better="lower",
        source="Brier (1950)",
    ),
    "uncertainty_bucket": Term(
        label="Uncertainty bucket",
        gloss="Rows whose score is about equally certain: as many tuning rows in each, an equal width, or own edges.",
    ),
    "positivity_trend": Term(
        label="Positivity at equal score",
        gloss="Difference in the rate of positives between the least and the most certain row of the same score. "
        "0 means that the uncertainty says nothing that the score does not say already.",
        formula="slope of the label on the rank of the uncertainty, both cleared of a piecewise linear function of the "
        "score",
        unit="percentage points",
    ),
    "mist": Term(
        label="MIST",
        gloss="Fits a rate that rises with the score in every bucket and lowers one limit on that rate. A "
        "reconstruction from public summaries; the text of the paper was not at hand.",
        source="after Arora et al. (2024), arXiv 2311.11723",
    ),
    "exact_dp": Term(
        label="Exact program",
        gloss="Finds the boundary with the most positives at a precision by dynamic programming over the counts.",
        source="own recurrence, tested against brute force",
    ),
    "placebo": Term(
        label="Placebo",
        gloss="MIST with the uncertainty shuffled among the rows: what it gains over one threshold is luck.",
    ),
    "recalibrated": Term(
        label="Recalibrator",
        gloss="A logistic regression folds score and uncertainty into one score with one threshold.",
    ),
    "matched_prior": Term(
        label="Matched prior",
        gloss="The same rate, drawn towards the base rate by a prior that was fitted to the histories of the tuning "
        "rows; no label is used.",
        formula="(k + a) / (n + a + b)",
    ),
}

TERMS: dict[str, Term] = (
    _SHARED
    | METHODS
    | CALIBRATION
    | RANKING
    | _GRAPH
    | GRAPH_MAP
    | NEIGHBOURS
    | REVIEW
    | DELAY_METHODS
    | DELAY
    | _UNCERTAINTY
    | THRESHOLDS
    | UNCERTAINTY
)
"""Key to term; metric keys are those of the metrics tables."""
