"""The airline script: routes between airports, whoever flies them."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

ROUTES = pd.DataFrame(
    [("AA", "ABE", "ATL"), ("DL", "ABE", "ATL"), ("DL", "ABE", "ATL"), ("DL", "ATL", "ABE"), ("ZZ", "ATL", "ATL")],
    columns=["Airline", "Source", "Destination"],
)
AIRPORTS = pd.DataFrame(
    {
        "IATA": ["ATL", "ABE", "XXX"],
        "Name": ["Atlanta Airport", "Lehigh Airport", "No route"],
        "Type": ["large_airport", "medium_airport", "small_airport"],
    }
)


@pytest.fixture
def airline(script):
    return script("airline")


def test_a_route_is_an_edge_however_many_carriers_fly_it(airline):
    assert airline.route_edges(ROUTES).to_dict("list") == {
        "source": ["ABE", "ATL"],
        "target": ["ATL", "ABE"],
        "carriers": [2, 1],
    }


def test_airports_with_a_route_have_a_name_and_a_size(airline):
    nodes = airline.airport_nodes(AIRPORTS, ["ABE", "ATL"])
    assert nodes.to_numpy().tolist() == [
        ["ABE", "Lehigh Airport", "Medium airport"],
        ["ATL", "Atlanta Airport", "Large airport"],
    ]


def test_the_script_writes_both_tables(airline, monkeypatch, tmp_path, capsys):
    tables = {"routes.csv.gz": ROUTES, "airports.csv": AIRPORTS}
    monkeypatch.setattr(airline, "raw_table", tables.__getitem__)
    monkeypatch.setattr("sys.argv", ["airline.py", "--out", str(tmp_path)])
    airline.main()
    text = gzip.decompress((tmp_path / "airline_routes_edges.csv.gz").read_bytes())
    assert text == b"source,target,carriers\nABE,ATL,2\nATL,ABE,1\n"
    assert (tmp_path / "airline_routes_nodes.csv.gz").exists()
    assert "reciprocity: 1.0" in capsys.readouterr().err
