"""The cohort triangle as a heat map: seen, projected, final."""

from __future__ import annotations

import altair as alt
import pandas as pd

_PANELS = ("Seen on the snapshot day", "Seen, then projected", "Final")


def cohort_panels(table: pd.DataFrame) -> pd.DataFrame:
    """Repeat the rows of the triangle for the panels that show them.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, age_days, stage, rate, ci_low, ci_high, n``.

    Returns
    -------
    DataFrame
        The same columns and ``panel``.
    """
    stages = ({"seen"}, {"seen", "projected"}, {"final"})
    parts = [
        table[table["stage"].isin(shown)].assign(panel=panel) for panel, shown in zip(_PANELS, stages, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def cohort_heatmap(table: pd.DataFrame, *, panel_width: int = 210) -> alt.FacetChart:
    """Draw one cell per week of exposures and age; a dot marks a projection, an empty cell is not known yet.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, age_days, stage, rate, ci_low, ci_high, n``, weeks in order.
    panel_width : int, default 210
        Pixels of each of the three panels.

    Returns
    -------
    altair.FacetChart
    """
    rows = cohort_panels(table)
    weeks = list(dict.fromkeys(table["label"]))
    base = alt.Chart(rows).encode(
        x=alt.X(
            "age_days:O", title="Days since exposure", axis=alt.Axis(labelAngle=0, format=".0f", labelOverlap=True)
        ),
        y=alt.Y("label:N", title="Week of exposure, from", sort=weeks),
        tooltip=[
            alt.Tooltip("label:N", title="Week from"),
            alt.Tooltip("age_days:Q", title="Days since exposure"),
            alt.Tooltip("stage:N", title="Rate is"),
            alt.Tooltip("rate:Q", title="Converted", format=".1%"),
            alt.Tooltip("ci_low:Q", title="from", format=".1%"),
            alt.Tooltip("ci_high:Q", title="to", format=".1%"),
            alt.Tooltip("n:Q", title="n exposures", format=","),
        ],
    )
    color = alt.Color(
        "rate:Q",
        title="Converted by that age",
        scale=alt.Scale(scheme="viridis", domainMin=0),
        legend=alt.Legend(format=".0%", orient="bottom", gradientLength=260),
    )
    cells = base.mark_rect(stroke="rgba(128,136,146,0.35)", strokeWidth=0.5).encode(color=color)
    dots = (
        base.mark_circle(size=16, color="white", opacity=0.9, stroke="black", strokeWidth=0.4)
        .transform_filter(alt.datum.stage == "projected")
        .encode()
    )
    return (
        alt.layer(cells, dots)
        .properties(width=panel_width, height=max(18 * len(weeks), 160))
        .facet(column=alt.Column("panel:N", sort=list(_PANELS), title=None, header=alt.Header(labelFontSize=13)))
        .configure_view(stroke="rgba(128,136,146,0.35)")
    )
