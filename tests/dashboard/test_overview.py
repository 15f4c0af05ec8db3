"""The overview tells what the chosen runs found, and goes on when one of them is broken."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from dashboard.controls.overview import claim_lines, claims_of, claims_table
from engine.runs import read_run

StoreRun = Callable[..., Path]


def page() -> None:
    from dashboard.views import overview

    overview.render()


def opened() -> AppTest:
    return AppTest.from_function(page, default_timeout=30).run()


def verdicts(app: AppTest) -> list[str]:
    return [text.split("[")[1].rstrip("]") for text in app.table[0].value["Verdict"]]


def test_verdicts_follow_the_chosen_run(store_run: StoreRun) -> None:
    store_run("graph-good", value=0.3)
    store_run("graph-bad", name="own.csv", value=-0.3)
    store_run("delay-one", "delay", value=0.01)
    app = opened()
    assert not app.exception
    assert verdicts(app) == ["supported", "inconclusive"]
    assert re.search(r"\b1 (is )?supported, 0 not supported and 1 inconclusive", app.markdown[0].value)
    app.selectbox(key="graph-run").select("graph-bad").run()
    assert verdicts(app) == ["not supported", "inconclusive"]
    app.selectbox(key="graph-run").select("graph-good").run()
    assert verdicts(app) == ["supported", "inconclusive"]


def test_an_effect_without_spread_over_few_units_is_shown_as_inconclusive(store_run: StoreRun) -> None:
    path = store_run("graph-one", value=-0.3) / "curves" / "claims.parquet"
    claims = pd.read_parquet(path)
    assert claims["verdict"].tolist() == ["not supported"]
    claims.assign(value=0.0, ci_low=0.0, ci_high=0.0, n=35).to_parquet(path, index=False)
    app = opened()
    assert verdicts(app) == ["inconclusive"] and "1 inconclusive" in app.markdown[0].value


def test_the_chart_shows_the_same_effects_as_the_table(store_run: StoreRun) -> None:
    store_run("graph-one", value=0.3)
    store_run("delay-one", "delay", value=-0.2)
    app = opened()
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    # Effects in multiples of the smallest one worth having, 0.05.
    assert {trace["name"]: [round(x, 6) for x in trace["x"]] for trace in drawn if trace["x"]} == {
        "supported": [6.0],
        "not supported": [-4.0],
    }
    assert len(app.table[0].value) == 2


def test_without_a_run_it_says_what_to_do(runs: Path) -> None:
    app = opened()
    assert not app.exception
    assert "Open **Train**" in app.info[0].value
    assert not app.get("plotly_chart")


def test_a_kind_without_a_run_leaves_the_others_alone(store_run: StoreRun) -> None:
    store_run("graph-one")
    app = opened()
    assert not app.exception
    assert [info.value for info in app.info] == ["No run yet. Open **Train** and start one."] * 2
    assert verdicts(app) == ["supported"]


def test_a_broken_run_is_told_and_leaves_the_others_alone(store_run: StoreRun) -> None:
    store_run("graph-one")
    broken = store_run("delay-one", "delay")
    (broken / "curves" / "claims.parquet").write_bytes(b"PAR1 cut off")
    app = opened()
    assert not app.exception
    assert [error.value for error in app.error] == [
        r"Table 'curves/claims' of run 'delay\-one' cannot be read; train it again."
    ]
    assert verdicts(app) == ["supported"]


def test_when_every_run_is_broken_there_is_no_verdict(store_run: StoreRun) -> None:
    broken = store_run("graph-one")
    (broken / "curves" / "claims.parquet").write_bytes(b"")
    app = opened()
    assert not app.exception
    assert len(app.error) == 1
    assert not app.table


def test_the_table_writes_effects_out_without_markup_from_the_data(store_run: StoreRun) -> None:
    run = read_run(store_run("graph-one", value=0.3))
    claims = claims_of({"graph": run}).assign(segment="<img src=x>", sign=-1)
    table = claims_table(claims)
    assert table.index.tolist() == ["**C1**"]
    assert table["Effect [95 % interval]"].iloc[0] == r"0.300 \[0.200, 0.400\] · n 40 queries"
    assert table["Measured"].iloc[0] == r"MRR on one\-way edges \(\<img src=x\>\)"
    assert table["Worth having"].iloc[0] == r"\-0.05"


def test_a_card_lists_its_claims_and_says_which_are_not_measured(store_run: StoreRun) -> None:
    claims = claims_of({"graph": read_run(store_run("graph-one", value=0.3))})
    first, second = claim_lines(pd.concat([claims, claims.assign(verdict="inconclusive")]), "graph")
    assert first.startswith("**C1** One embedding")
    assert first.endswith(":green-badge[1 supported] :gray-badge[1 inconclusive]")
    assert second.startswith("**C2** ") and second.endswith(":gray-badge[not measured]")
