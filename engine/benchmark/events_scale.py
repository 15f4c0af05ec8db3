"""Simulated events of users with items, of any number: which item follows which, ours beside pandas."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.benchmark.scale_engine import described, opened
from engine.benchmark.scale_subject import DESCRIBE, OURS, SIMULATE, Answer, Subject, Task, question, tell
from engine.graph.events_config import EventSettings
from engine.seeding import generator

BLOCK = 1_000_000
"""Events of a file, all of the users of that file."""
ITEMS = 1000
"""Items at every size: what grows is the number of users."""
EVENTS_PER_USER = 20
DAYS = 730
FOLLOWED_SHARE = 0.2
"""Share of the events that come up to `FOLLOWED_DAYS` days after an event of the same user with the item before."""
FOLLOWED_DAYS = 20
TAIL_EXPONENT = 0.8


def write_events(folder: Path) -> Answer:
    """Write simulated events block by block: item i is often followed by item i + 1, the other way only by chance."""
    told = question(folder)
    rows, seed = told["rows"], told["seed"]
    settings = EventSettings()
    window = settings.window_days
    tell(folder, window=window, first_day=window, last_day=DAYS - 1 - window, minimum_users=settings.minimum_users)
    popularity = np.cumsum(np.arange(1, ITEMS + 1) ** -TAIL_EXPONENT)
    for number, start in enumerate(range(0, rows, BLOCK)):
        count = min(BLOCK, rows - start)
        rng = generator(seed, "benchmark", "events", str(number))
        followers = round(count * FOLLOWED_SHARE)
        user = rng.integers(max(count // EVENTS_PER_USER, 1), size=count - followers)
        item = np.searchsorted(popularity, rng.random(user.size) * popularity[-1], side="right")
        day = rng.integers(DAYS, size=user.size)
        later = np.minimum(day[:followers] + rng.integers(1, FOLLOWED_DAYS + 1, followers), DAYS - 1)
        table = {
            "user": np.concatenate([user, user[:followers]]) + start // EVENTS_PER_USER,
            "item": np.concatenate([item, (item[:followers] + 1) % ITEMS]),
            "time": np.concatenate([day, later]),
        }
        columns = {name: pa.array(values.astype(np.int32)) for name, values in table.items()}
        pq.write_table(pa.table(columns), folder / f"part-{number:05d}.parquet")
    return {}


def pairs(folder: Path) -> Answer:
    """Count who follows whom by our expression."""
    from engine.graph.described_kept import collect, kept
    from engine.graph.events_blocks import blocks_of, counted_pairs, kept_days
    from engine.graph.events_counts import item_counts, supported_pairs
    from engine.graph.events_days import Period, whole_days

    told = question(folder)
    period = Period(first_day=told["first_day"], last_day=told["last_day"], window_days=told["window"])
    users = told["minimum_users"]
    with opened(folder) as table, ExitStack() as held:
        with kept(whole_days(table)) as events:
            known = collect(events.aggregate(n=events.count(), last=events.user.max())).iloc[0]
            blocks = blocks_of(events, int(known["n"]), users=int(known["last"]) + 1, period=period)
            days = held.enter_context(kept_days(events, blocks=blocks))
        items = item_counts(days)
        chosen = held.enter_context(kept(items.filter(items.users >= users).select("item")))
        with counted_pairs(days, period, supported=chosen, n_items=ITEMS, blocks=blocks, calendar=False) as tables:
            counts = collect(supported_pairs(tables["pairs"], users))
    low, high = np.divmod(counts["pair"].to_numpy(np.int64), ITEMS)
    found = [
        pd.DataFrame(
            {"source": source, "target": target}
            | {
                name: counts[f"{side}_{name}_0"] + counts[f"{side}_{name}_1"]
                for name in ("followed", "preceded", "users")
            }
        )
        for side, source, target in (("low", low, high), ("high", high, low))
    ]
    both = pd.concat(found)
    return {"pairs": both[both["users"] >= users]}


def describe(folder: Path) -> Answer:
    """Do all that the command does."""
    return described("graph", folder)


def by_pandas(folder: Path) -> Answer:
    """Count the same by joining every user's days with themselves in memory."""
    told = question(folder)
    rows = pd.read_parquet(folder, columns=["user", "item", "time"])
    days = rows.rename(columns={"time": "day"}).drop_duplicates()
    own = days[days["day"].between(told["first_day"], told["last_day"])]
    met = own.merge(days, on="user", suffixes=("", "_near"))
    gap = met["day_near"] - met["day"]
    close = (gap != 0) & (gap.abs() <= told["window"]) & (met["item"] != met["item_near"])
    near = met[close].assign(followed=gap[close] > 0, preceded=gap[close] < 0)
    occasions = near.groupby(["user", "day", "item", "item_near"])[["followed", "preceded"]].max()
    per_user = occasions.groupby(["user", "item", "item_near"])[["followed", "preceded"]].sum()
    per_user["users"] = per_user["followed"] > 0
    found = per_user.groupby(["item", "item_near"])[["followed", "preceded", "users"]].sum().reset_index()
    found = found.rename(columns={"item": "source", "item_near": "target"})
    return {"pairs": found[found["users"] >= told["minimum_users"]]}


SUBJECT = Subject(
    kind="graph",
    data="events",
    tasks=(
        Task(tool=OURS, step=SIMULATE, work=write_events),
        Task(tool=OURS, step="pairs", work=pairs, needs=("engine.backends", "engine.graph.events_blocks")),
        Task(tool="pandas", step="pairs", work=by_pandas),
        Task(tool=OURS, step=DESCRIBE, work=describe, needs=("engine.cli", "engine.graph.described")),
    ),
    keys={"pairs": ("source", "target")},
)
