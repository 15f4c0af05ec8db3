"""Terms for the neighbourhoods that the samplers draw."""

from __future__ import annotations

from dashboard.terms import Term

NEIGHBOURS: dict[str, Term] = {
    "fan_out": Term(
        label="Neighbourhood size K",
        gloss="Most neighbours that a node may take. It falls with in-degree along the fitted power law, so rarely "
        "linked nodes take more and hubs fewer; what one step cannot give is filled up from two steps.",
        formula="K_u = clip(round(K_max × max(d_in(u), 1)^−(α − 1)), K_min, K_max)",
        unit="nodes",
        source="after BLADE (Virinchi and Saladi, KDD 2023) as others describe it; formula our own reconstruction",
    ),
    "power_law": Term(
        label="Exponent α",
        gloss="How fast the number of nodes falls with in-degree: P(d) ∝ d^−α, fitted to the training edges.",
        formula="α = 1 + n ÷ Σ ln(d_i ÷ ½) over the n nodes with an in-edge",
        source="Clauset, Shalizi and Newman (2009), eq. 3.7 with d_min = 1",
    ),
    "fixed_fan_out": Term(
        label="Fixed size",
        gloss="One size for all nodes, spending the same total over the whole graph as the adaptive sizes; where that "
        "does not divide evenly, some nodes, drawn at random, take one more.",
        formula="Σ min(K, available) = Σ min(K_u, available)",
        unit="nodes",
    ),
    "inclusion": Term(
        label="Chance to be drawn",
        gloss="Share of repeated draws that contain the neighbour. Neighbours are drawn without replacement with "
        "chances proportional to their degree in the other role to a power (the setting *neighbour_bias*), those at "
        "one step before those at two.",
        formula="draws with the neighbour ÷ draws",
        unit="share",
        source="weighted draws without replacement after Efraimidis and Spirakis (2006)",
    ),
    "neighbourhood_study": Term(
        label="Neighbourhoods over several splits",
        gloss="Our dual form, trained anew on every split with each way to draw neighbours. Adaptive and fixed draw "
        "equally many in total. Edges of all splits are pooled; intervals resample the query nodes, one node with all "
        "its splits at once.",
        formula="mean(hit of one − hit of the other) over the same test edges",
    ),
    "no_propagation": Term(
        label="Without neighbours",
        gloss="The dual form, trained and used without messages from neighbours: a node is what its own vector and its "
        "features say.",
    ),
    "feature_neighbours": Term(
        label="Edges of similar nodes",
        gloss="A new node is given the edges of the nodes most like it in features, whatever edges of its own are "
        "known; how many of them is chosen on nodes kept for validation. Nothing is trained.",
        formula="L A Lᵀ, with L the cosines of features, rows adding up to 1",
    ),
    "cold_start": Term(
        label="Cold start",
        gloss="A fifth of the nodes is unseen in training. Each arrives with its features, with half of its edges at "
        "most, or with both; nothing is trained again. As a source it looks for targets among the nodes of training; "
        "as a target it is one of the new nodes among which a node of training chooses. Its other edges are tested.",
        formula="HitRate@10 = mean(rank ≤ 10) over the tested edges",
        source="after Virinchi et al. (2022), arXiv 2211.11583; known edges are our addition",
    ),
}
