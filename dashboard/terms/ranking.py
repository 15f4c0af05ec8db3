"""Terms for the metrics of ranked lists."""

from __future__ import annotations

from dashboard.terms import Term

RANKING: dict[str, Term] = {
    f"hit_rate_at_{k}": Term(
        label=f"HitRate@{k}",
        gloss=f"Share of held-out edges whose target is among the first {k} nodes that the model lists for the source; "
        "known targets are left out of the list.",
        formula=f"mean(rank ≤ {k})",
        better="higher",
    )
    for k in (5, 10, 20)
}
RANKING |= {
    f"mrr_at_{k}": Term(
        label=f"MRR@{k}",
        gloss=f"Mean over held-out edges of one divided by the rank of the target; a rank beyond {k} counts as zero.",
        formula=f"mean(1 / rank if rank ≤ {k} else 0)",
        better="higher",
    )
    for k in (5, 10, 20)
}
RANKING |= {
    f"ndcg_at_{k}": Term(
        label=f"NDCG@{k}",
        gloss="Mean over held-out edges of a gain that falls with the logarithm of the target's rank.",
        formula=f"mean(1 / log₂(1 + rank) if rank ≤ {k} else 0)",
        better="higher",
        source="Järvelin and Kekäläinen (2002)",
    )
    for k in (5, 10, 20)
}
RANKING |= {
    f"recall_at_{k}": Term(
        label=f"Recall@{k}",
        gloss=f"Mean over query nodes of the share of the node's held-out targets among the first {k}.",
        formula=f"mean over nodes(held-out targets with rank ≤ {k} ÷ held-out targets)",
        better="higher",
    )
    for k in (5, 10, 20)
}
RANKING |= {
    "mrr": Term(
        label="MRR",
        gloss="Mean over held-out edges of one divided by the rank of the target.",
        formula="mean(1 / rank)",
        better="higher",
        source="Voorhees (1999)",
    ),
}
