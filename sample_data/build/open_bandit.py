"""Build the control without signal: clicks on fashion items shown at random, from the Open Bandit sample.

The package ``obp`` pins old versions of others, so its wheel is read and not installed:

    pip download --no-deps obp==0.4.1
    python sample_data/build/open_bandit.py --wheel obp-0.4.1-py3-none-any.whl --out open_bandit.parquet

The tests keep the result, 60,000 impressions of seven days with 287 clicks; the measured facts go to standard error.
Provided by ZOZO, Inc., within a package under the Apache License 2.0; changed here: the six samples are stacked, the
hashed user features become short codes, affinities and propensities are left out.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import pandas as pd
from checks import report
from writing import write_parquet

Frame = pd.DataFrame

CAMPAIGNS = ("all", "men", "women")
POLICIES = ("bts", "random")
USER_FEATURES = tuple(f"user_feature_{number}" for number in range(4))
FIRST_DAY = pd.Timestamp("2019-11-24", tz="UTC")


def raw_impressions(wheel: Path) -> Frame:
    """Stack the samples of all campaigns and policies as the wheel holds them."""
    parts = []
    with zipfile.ZipFile(wheel) as archive:
        for campaign in CAMPAIGNS:
            for policy in POLICIES:
                text = archive.read(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
                wanted = ["timestamp", "item_id", "position", "click", *USER_FEATURES]
                part = pd.read_csv(io.BytesIO(text), usecols=wanted)
                parts.append(part.assign(campaign=campaign, policy=policy))
    return pd.concat(parts, ignore_index=True)


def impressions(raw: Frame) -> Frame:
    """Return one row per impression: label, day and what was known when it was shown.

    An item's number is its number within the campaign; the hour is enough of a clock to split by.
    """
    since = pd.to_datetime(raw["timestamp"], utc=True, format="ISO8601") - FIRST_DAY
    table = pd.DataFrame(
        {
            "label": raw["click"].astype("int8"),
            "time": (since.dt.total_seconds() // 3600) / 24,
            "campaign": raw["campaign"],
            "policy": raw["policy"],
            "item": raw["campaign"] + " " + raw["item_id"].astype(str),
            "position": "place " + raw["position"].astype(str),
        }
    )
    for name in USER_FEATURES:
        code, _ = pd.factorize(raw[name], sort=True)
        table[name] = [f"value {number + 1}" for number in code]
    return table.sort_values("time", kind="stable", ignore_index=True)


def main() -> None:
    """Build the table and report what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True, help="wheel of obp 0.4.1")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    options = parser.parse_args()
    table = impressions(raw_impressions(options.wheel))
    write_parquet(table, options.out)
    facts: dict[str, object] = {"impressions": len(table), "clicks": int(table["label"].sum())}
    report("Open Bandit sample", facts | {"items": table["item"].nunique(), "days": float(table["time"].max())})


if __name__ == "__main__":
    main()
