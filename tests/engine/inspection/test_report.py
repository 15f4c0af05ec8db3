"""An inspection foresees what a training and a description would say."""

import numpy as np
import pandas as pd
import pytest

from engine.backends import open_table
from engine.datasets import load, texts_of
from engine.errors import DataError
from engine.graph.described_relation import relation_of
from engine.inspection.report import Inspection, card, inspect

PAIRS = [(f"n{u}", f"n{v}") for u in range(24) for v in range(24) if u != v and (u + 2 * v) % 5 < 2]
EDGES = pd.DataFrame(PAIRS, columns=["source", "target"])
MUTUAL = sum((v, u) in set(PAIRS) for u, v in PAIRS)


@pytest.fixture
def write(tmp_path):
    """Write a frame to a CSV and return its path."""

    def _write(frame, name="t.csv"):
        frame.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return _write


def scores(count=400, **changes):
    rng = np.random.default_rng(0)
    label = (rng.random(count) < 0.4).astype(int)
    frame = pd.DataFrame(
        {"label": label, "score": rng.random(count).round(6), "uncertainty": rng.random(count).round(6)}
    )
    return frame.assign(**changes)


def exposures(count=600):
    rng = np.random.default_rng(0)
    start = rng.integers(0, 120, count)
    frame = pd.DataFrame({"exposure_time": start, "conversion_time": start + rng.integers(0, 25, count).astype(float)})
    frame.loc[rng.random(count) < 0.6, "conversion_time"] = np.nan
    return frame.assign(age=rng.integers(18, 80, count))


def first_stop(found):
    return found.findings[found.findings["severity"] == "stops"].iloc[0]


def test_a_table_without_known_names_is_told_what_both_forms_need(write):
    frame = EDGES.set_axis(["Kunde", "Käse"], axis=1)
    stop = first_stop(inspect(write(frame), "graph"))
    assert "it has 'Kunde', 'Käse'. Edges need source and target, events need user, item and time." in stop["sentence"]


def test_good_edges_may_be_described_and_trained(write):
    found = inspect(write(EDGES), "graph")
    assert (found.form, found.rows, found.can_train, found.can_describe) == ("edges", len(PAIRS), True, True)
    assert (
        0 < MUTUAL < len(PAIRS)
        and found.balance == {"one-way": len(PAIRS) - MUTUAL, "mutual": MUTUAL}
        and found.duplicates == 0
        and len(found.findings) == 0
    )


def test_the_data_id_is_that_of_a_training(write):
    path = write(EDGES)
    assert inspect(path, "graph").data_id == load("graph", str(path)).info.data_id


def test_a_repeated_edge_stops_a_training_but_no_description(write):
    found = inspect(write(pd.concat([EDGES, EDGES.iloc[[3, 5]]])), "graph")
    stop = first_stop(found)
    assert (stop["first_row"], stop["rows"], stop["first_value"]) == (len(PAIRS) + 1, 2, " to ".join(PAIRS[3]))
    assert (found.can_train, found.can_describe, found.duplicates) == (False, True, 2)


def test_a_repeated_edge_that_is_merged_stops_nothing_and_is_told(write):
    path = write(pd.concat([EDGES, EDGES.iloc[[3, 5]]]))
    found = inspect(path, "graph", merge_repeats=True)
    assert found.can_train and found.data_id == load("graph", str(path), merge_repeats=True).info.data_id
    assert found.findings[["severity", "rows", "stops"]].to_numpy().tolist() == [["note", 2, ""]]
    assert "they are merged: weights are added" in found.findings["sentence"][0]
    few = inspect(write(pd.concat([EDGES.head(60)] * 2)), "graph", merge_repeats=True)
    assert "has 60 edges; at least 100 are needed" in first_stop(few)["sentence"]


def test_a_node_called_na_is_a_node_for_inspection_description_and_training(write):
    path = write(EDGES.replace("n3", "NA").rename(columns={"source": "von", "target": "nach"}))
    roles = {"source": "von", "target": "nach"}
    found = inspect(path, "graph", roles=roles)
    described = relation_of(open_table(path, text=texts_of("graph", roles)), roles, source="t.csv")
    trained = load("graph", str(path), roles=roles)
    assert found.columns["missing"].tolist() == [0, 0] and described.missing == 0
    assert found.columns["distinct"].tolist() == [24, 24] and len(trained.nodes) == 24


def test_links_between_two_kinds_of_things_are_noted(write):
    found = inspect(write(EDGES.assign(target="item " + EDGES["target"])), "graph")
    assert found.can_train and found.findings["severity"].tolist() == ["note"]
    assert "No value of 'source' in t.csv is one of 'target', too" in found.findings["sentence"][0]


def test_a_loop_is_named_with_its_row_and_shown_as_written(write):
    frame = EDGES.assign(note="ok")
    frame.loc[7, ["target", "note"]] = [PAIRS[7][0], "odd"]
    found = inspect(write(frame), "graph")
    assert first_stop(found)["first_row"] == 8 and not found.can_train and found.can_describe
    line = found.offending.iloc[0]
    assert (line["row"], line["source"], line["target"], line["note"]) == (8, PAIRS[7][0], PAIRS[7][0], "odd")
    assert found.dropped["rows"].tolist() == [1]


def test_a_label_of_three_values_is_named_with_their_counts(write):
    label = ["low"] * 300 + ["mid"] * 60 + ["high"] * 40
    found = inspect(write(scores(label=label)), "uncertainty")
    sentence = first_stop(found)["sentence"]
    assert "'low' (300), 'mid' (60), 'high' (40)" in sentence and not found.can_train and not found.can_describe


def test_percent_are_recognised(write):
    frame = scores()
    found = inspect(write(frame.assign(score=(frame["score"] * 100).round(2))), "uncertainty")
    assert "looks like percent: divide the column by 100" in first_stop(found)["sentence"]
    assert not found.can_describe and not found.can_train


@pytest.mark.parametrize(("factor", "unit"), [(86_400, "seconds"), (86_400_000, "milliseconds")])
def test_a_time_in_another_unit_is_recognised(write, factor, unit):
    frame = exposures()
    times = {name: ((frame[name] + 20_000) * factor) for name in ("exposure_time", "conversion_time")}
    found = inspect(write(frame.assign(**times)), "delay")
    stop = first_stop(found)
    assert f"looks like {unit} since 1970: divide the column by {factor:,}" in stop["sentence"]
    assert stop["column"] == "exposure_time" and stop["stops"] == "both"
    # What follows from days that are none is not told as well.
    assert found.findings["severity"].tolist() == ["stops"] * len(found.findings)


def test_a_conversion_before_its_exposure_is_named(write):
    frame = exposures()
    frame.loc[4, "conversion_time"] = frame.loc[4, "exposure_time"] - 3
    stop = first_stop(inspect(write(frame), "delay"))
    assert (stop["column"], stop["first_row"], stop["rows"]) == ("conversion_time", 5, 1)


@pytest.mark.parametrize("is_tried", [True, False])
@pytest.mark.parametrize("dated", ["exposure_time", "conversion_time"])
def test_dates_beside_numbers_of_days_stop_both_with_the_sentence_of_the_training(write, dated, is_tried, monkeypatch):
    """Whether a training is tried, as with small files, or only foreseen."""
    if not is_tried:
        monkeypatch.setattr("engine.inspection.source.SMALL", 100)
    frame = exposures()
    days = pd.to_timedelta(frame[dated], unit="D")
    path = write(frame.assign(**{dated: (pd.Timestamp("2020-01-01") + days).dt.date}))
    found = inspect(path, "delay")
    stops = found.findings[found.findings["severity"] == "stops"]
    assert (found.can_train, found.can_describe, len(stops)) == (False, False, 1)
    with pytest.raises(
        DataError, match=r"give them one form: dates in all columns, or numbers of days in all\."
    ) as error:
        load("delay", str(path), roles={})
    assert stops["sentence"].iloc[0] == str(error.value)


def test_what_converts_late_is_said_and_not_counted_as_left_out(write):
    frame = exposures().sort_values("exposure_time", ignore_index=True)
    frame.loc[[3, 4], "conversion_time"] = frame.loc[[3, 4], "exposure_time"] + 45.0
    found = inspect(write(frame), "delay")
    end = np.nanmax(frame[["exposure_time", "conversion_time"]].to_numpy())
    assert found.dropped["rows"].tolist() == [int((frame["exposure_time"] + 30 > end).sum())]
    said = "Column 'conversion_time' of t.csv: 2 rows convert after their window and count as no conversion."
    assert said in found.findings["sentence"].tolist()


def test_ids_have_no_smallest_and_no_largest(write):
    frame = EDGES.assign(source=[f"00{u[1:]}" for u in EDGES["source"]], weight=np.arange(len(EDGES)))
    ends = inspect(write(frame), "graph").columns.set_index("column")[["minimum", "maximum"]]
    assert ends.loc["weight"].tolist() == [0, len(EDGES) - 1] and ends.loc[["source", "target"]].isna().all(axis=None)


def test_values_of_a_small_file_are_counted_and_not_estimated(write):
    frame = scores(3000, name=[f"{k:06d}" for k in range(3000)])
    found = inspect(write(frame), "uncertainty").columns.set_index("column")["distinct"]
    assert found.to_dict() == frame.nunique().to_dict()


def test_exposures_tell_their_balance_and_what_is_left_out(write):
    frame = exposures()
    found = inspect(write(frame), "delay")
    converted = int(frame["conversion_time"].notna().sum())
    assert found.balance == {"conversions": converted, "no conversion": 600 - converted}
    end = np.nanmax(frame[["exposure_time", "conversion_time"]].to_numpy())
    still_open = int((frame["exposure_time"] + 30 > end).sum())
    assert still_open in found.dropped["rows"].tolist() and found.can_train and found.can_describe


def test_a_zone_is_kept_and_a_missing_one_said(write):
    frame = exposures()
    start = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["exposure_time"], unit="D") + pd.Timedelta(hours=9)
    end = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["conversion_time"], unit="D") + pd.Timedelta(hours=9)
    plain = inspect(write(frame.assign(exposure_time=start, conversion_time=end)), "delay")
    assert plain.time["zone"] is None and any("without a zone" in text for text in plain.findings["sentence"])
    assert plain.time["first"].startswith("2026-01-01 09:00") and plain.time["unit"] == "dates"
    zoned = frame.assign(
        exposure_time=start.map(lambda t: f"{t}+02:00"), conversion_time=end.map(lambda t: f"{t}+02:00")
    )
    zoned["conversion_time"] = zoned["conversion_time"].where(frame["conversion_time"].notna())
    found = inspect(write(zoned), "delay")
    assert found.time["zone"] == "+02:00" and found.time["first"].startswith("2026-01-01 07:00")


def test_a_column_of_numbers_with_a_word_is_noted(write):
    age = ["41"] * 399 + ["old"]
    found = inspect(write(scores(age=age).drop(columns=["score", "uncertainty"])), "uncertainty")
    note = found.findings[found.findings["column"] == "age"].iloc[0]
    assert (note["severity"], note["first_row"], note["first_value"]) == ("note", 400, "old")
    assert found.form == "rows" and found.can_train and not found.can_describe


def test_a_feature_with_decimal_commas_is_noted(write):
    frame = exposures().assign(size=[f"{150 + k % 40},5" for k in range(len(exposures()))])
    found = inspect(write(frame), "delay")
    note = found.findings.set_index("column").loc["size"]
    assert found.can_train and (note["severity"], note["rows"], note["first_value"]) == ("note", len(frame), "150,5")
    assert "decimal comma in '150,5' in data row 1" in note["sentence"]


def test_exposures_whose_conversions_all_come_after_the_window_are_doubted(write):
    frame = exposures().assign(conversion_time=lambda f: f["conversion_time"] + 100)
    sentences = " ".join(inspect(write(frame), "delay").findings["sentence"])
    assert "convert after their window and count as no conversion. That is every conversion" in sentences
    frame.loc[0, "conversion_time"] = frame.loc[0, "exposure_time"]
    assert "That is every" not in " ".join(inspect(write(frame), "delay").findings["sentence"])


def test_roles_by_odd_names_are_found_and_used(write):
    frame = scores().rename(columns={"label": "Wurde geklickt?", "score": 'p "model"', "uncertainty": "écart type"})
    roles = {"label": "Wurde geklickt?", "score": 'p "model"', "uncertainty": "écart type"}
    found = inspect(write(frame), "uncertainty", roles=roles)
    assert found.can_train and found.can_describe and found.roles == roles


def test_a_column_that_is_not_there_is_refused(write):
    with pytest.raises(DataError, match=r"Column 'no' \(for role 'source'\) is not in t\.csv"):
        inspect(write(EDGES), "graph", roles={"source": "no"})


def test_json_brings_everything_back(write):
    frame = EDGES.assign(weight=-1)
    found = inspect(write(frame), "graph", form="edges", roles={"source": "source", "target": "target"})
    again = Inspection.from_json(found.to_json())
    assert again.to_json() == found.to_json() and again.findings.equals(found.findings)


def test_the_card_names_both_hashes_and_escapes_names(write):
    found = inspect(write(EDGES.assign(**{"a|b*c": 1})), "graph")
    text = card(found)
    assert found.content_hash in text and found.data_id in text and "a\\|b\\*c" in text
