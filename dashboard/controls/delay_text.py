"""What the delayed-feedback page says: sentences computed from the stored tables of a run."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from dashboard.cache import Run
from dashboard.controls.delay import (
    Choice,
    arrival_rows,
    day_text,
    has_engagement,
    has_truth,
    page_facts,
    window_row,
)
from dashboard.controls.delay_methods import method_rows
from dashboard.layout import escape_markdown, number
from engine.delay.config import SIGNIFICANT_GAIN

_TINY = 1e-4


def answer(run: Run) -> str:
    """Answer the page's question in one computed sentence."""
    facts = page_facts(run)
    day = day_text(facts["as_of"], facts["has_dates"])
    claims = run.curve("claims").set_index("effect")
    if not facts["pending"]:
        return f"On {day} no label was still open: every exposure before it had its whole window."
    flips = claims[claims["claim"] == "C3"].iloc[0]
    rows = method_rows(run, "calibration").set_index("method")
    naive, ours = (
        f"{number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]"
        for row in (rows.loc["vanilla"], rows.loc["dress_style"])
    )
    return (
        f"Of the {facts['pending']:,} exposures still negative on {day}, {facts['flipped']:,} turned positive later: "
        f"{_percent(flips['value'])} [{_percent(flips['ci_low'])}, {_percent(flips['ci_high'])}]. A model that takes "
        f"them as negatives promises {naive} × the conversions of later exposures, ours {ours} ×."
    )


def method_note(run: Run) -> str:
    """Say what the methods saw, and what of ours is a reconstruction."""
    facts = page_facts(run)
    window = f"{facts['window_min']:g}" + (
        f" to {facts['window_max']:g}" if facts["window_max"] > facts["window_min"] else ""
    )
    count = facts["dropped"]
    many = f"{count:,} exposures without a final label are" if count != 1 else "1 exposure without a final label is"
    dropped = f" {many} left out." if count else ""
    return (
        f"Snapshot on {day_text(facts['as_of'], facts['has_dates'])}: {facts['exposures']:,} earlier exposures, "
        f"{facts['matured']:,} with their whole window of {window} days, {facts['test']:,} later ones to be judged on; "
        f"{facts['units']:,} units.{dropped} Ours is DRESS-style: the paper's formulas could not be read, so its "
        "weights are a reconstruction from exact importance weights and engagement." + _engagement_note(run)
    )


def _engagement_note(run: Run) -> str:
    """Say what the data hold of engagement, where it shapes the method."""
    if not has_engagement(run):
        return " These data hold no engagement, so it uses none."
    if page_facts(run)["has_leak"]:
        return " Conversions without engagement occur, so its entire space has a part for them."
    return ""


def signals_sentence(run: Run) -> str:
    """Say what engagement signals add here beyond static features, from the intervals of this run alone."""
    if not has_engagement(run):
        return "These data hold no engagement: what signals after the exposure add cannot be tested."
    claims = run.curve("claims")
    rows = claims[claims["claim"] == "C5"]
    words = {
        "supported": "help",
        "not supported": "add nothing worth having",
        "inconclusive": "may or may not help: the data cannot tell",
    }
    parts = [
        f"{escape_markdown(row.effect)} ({escape_markdown(row.segment)}): {_small(row.value)} "
        f"{escape_markdown(row.unit)} [{_small(row.ci_low)}, {_small(row.ci_high)}] · n {row.n:,} → signals "
        f"**{words[row.verdict]}**"
        for row in rows[rows["sign"] == -1].itertuples()
    ]
    table = run.curve("differences")
    place = (table["method"] == "dress_style") & (table["baseline"] == "entire_space") & (table["metric"] == "log_loss")
    parts += [
        f"Streaming, ours minus the same network without signals: log loss {_small(row.value)} nats "
        f"[{_small(row.ci_low)}, {_small(row.ci_high)}] · n {row.n:,}"
        for row in table[place & (table["segment"] == "all") & (table["split"] == "stream")].itertuples()
    ]
    return "Given the features known at the exposure, signals after it:  \n" + "  \n".join(parts)


def drift_sentence(run: Run) -> str:
    """Say how far conversion and its delay have moved since the exposures that taught the weights; empty if unknown."""
    facts = page_facts(run)
    if "drift_forecast" not in facts:
        return ""
    gain, forecast = facts["drift_gain"], facts["drift_forecast"]
    if facts["drift_conversion"] == 0 and facts["drift_delay"] == 0:
        why = f"a drift would gain {number(gain)} nats of likelihood"
        if gain >= SIGNIFICANT_GAIN:
            why += f", but {_forecast_words(forecast)}"
        return (
            f"The weights of ours assume no drift since the matured exposures: {why}. To be believed it would have to "
            f"gain {SIGNIFICANT_GAIN:g}, now and in the forecast."
        )
    odds, pace = np.exp(facts["drift_conversion"]), np.exp(facts["drift_delay"])
    return (
        f"The weights of ours follow a drift since the matured exposures: per window the odds of a conversion change "
        f"by the factor {number(odds)}, and the odds that it has come by a given age by {number(pace)} "
        f"(below 1 is later). It gains {number(gain)} nats of likelihood; found half a window earlier, it would have "
        f"forecast the labels since then by {number(forecast)} nats better than no drift."
    )


def _forecast_words(forecast: float) -> str:
    """Say what became of the forecast of a drift that is not believed."""
    if forecast == 0:
        return "it is larger than what conversion and delay can be told apart by"
    change = f"{number(abs(forecast))} nats {'better' if forecast > 0 else 'worse'} than no drift"
    return f"found half a window earlier, it would have forecast the labels since then {change}"


def flip_sentence(curves: pd.DataFrame, choice: Choice) -> str:
    """Say the flip rate of every drawn group at the chosen window."""
    rows = curves[np.isclose(curves["elapsed_days"], choice.waiting_days)]
    parts = [
        f"{escape_markdown(row.key)} {_percent(row.flip)} [{_percent(row.flip_low)}, {_percent(row.flip_high)}]"
        for row in rows.itertuples()
    ]
    return f"Of the labels negative after {choice.waiting_days:g} days, so many flip: {'; '.join(parts)}."


def seen_sentence(run: Run, choice: Choice) -> str:
    """Say the share of positives seen at the chosen window: estimated, naive and final."""
    row = window_row(run, choice)
    snapshot = arrival_rows(run, choice.segment, "snapshot")
    final = f", {_percent(row.seen_final)} by their final labels" if has_truth(run) else ""
    naive = snapshot.loc[np.isclose(snapshot["elapsed_days"], choice.waiting_days), "seen_naive"].iloc[0]
    return (
        f"After {choice.waiting_days:g} days, {_percent(row.seen)} of the positives are seen by the estimate of the "
        f"snapshot day, {_percent(naive)} by naive counting{final}."
    )


def naive_sentence(run: Run, segment: str = "all") -> str:
    """Say the conversion rate that naive counting, Kaplan-Meier and the whole log give."""
    last = arrival_rows(run, segment, "snapshot").iloc[-1]
    counted = (
        f"Counted on the snapshot day: {_percent(last['converted_naive'])} of {int(last['n']):,} exposures. Estimated "
        f"from the same data: {_percent(last['converted'])} [{_percent(last['converted_low'])}, "
        f"{_percent(last['converted_high'])}]."
    )
    if not has_truth(run):
        return counted
    final = arrival_rows(run, segment, "final").iloc[-1]
    return (
        f"{counted} Over the whole log ({int(final['n']):,} exposures, later ones included): "
        f"{_percent(final['converted'])}."
    )


def _small(value: float) -> str:
    """Write a difference that may be very near to 0: two digits that count, and no power of ten."""
    if value == 0 or abs(value) >= _TINY:
        return number(value)
    return f"{value:.{1 - math.floor(math.log10(abs(value)))}f}"


def _percent(share: float) -> str:
    """Write a share in percent."""
    return f"{number(100 * share)} %"
