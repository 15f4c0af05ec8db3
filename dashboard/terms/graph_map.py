"""Terms for the map of both spaces and for the question what an edge changes."""

from __future__ import annotations

from dashboard.terms import Term

GRAPH_MAP: dict[str, Term] = {
    "map_quality": Term(
        label="How far the map holds",
        gloss="Trustworthiness: are the neighbours on the map near in the full space, too? Neighbours kept: share of "
        "the nearest in the full space that are nearest on the map. The random map has the same positions, shuffled. "
        "Distances are those of vectors of length 1; scores add popularity, so the best targets of a node need not be "
        "its nearest ones.",
        formula="1 − 2 ÷ (n k (2 n − 3 k − 1)) × Σ max(rank − k, 0) over the k nearest on the map",
        better="higher",
        source="Venna and Kaski (2001)",
    ),
    "shared_targets": Term(
        label="Shared targets",
        gloss="Nodes that both ends lead to, among training edges.",
        formula="|out(u) ∩ out(v)|",
    ),
    "shared_sources": Term(
        label="Shared sources",
        gloss="Nodes that lead to both ends, among training edges.",
        formula="|in(u) ∩ in(v)|",
    ),
    "two_steps": Term(
        label="Ways in two steps",
        gloss="Nodes that the first end leads to and that lead to the second one, among training edges.",
        formula="|out(u) ∩ in(v)|",
    ),
    "what_if": Term(
        label="What if",
        gloss="The two ends of the edge gather their neighbours anew with the stored weights, and what counts degrees "
        "or reciprocity follows; nothing is trained again, so a model trained with the edge could say something else.",
        formula="s = x W_s + c₁ mean of t over out-neighbours + c₂ mean of s over in-neighbours, likewise t; then "
        "popularity, activity, reciprocity and the degrees behind the direction, as after the change",
    ),
}
