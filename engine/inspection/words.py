"""What people call the columns that play a role."""

from __future__ import annotations

import re
import unicodedata

_SYNONYMS: dict[tuple[str, str], str] = {
    (
        "edges",
        "source",
    ): "src, from, tail, origin, start, u, from node, source node, from id, src id, citing, "
    "follower, from product, source product, from item, source item, from user, from page",
    (
        "edges",
        "target",
    ): "dst, to, head, destination, end, v, to node, target node, to id, dst id, dest, cited, followed, "
    "to product, target product, to item, target item, to user, to page",
    ("edges", "weight"): "count, counts, n, freq, frequency, strength, support, edge weight, times, num",
    ("edges", "time"): "timestamp, ts, date, datetime, event time, event date, created at, day, when",
    ("events", "user"): "user, customer, visitor, client, household, member, account, session, shopper, person, "
    "subscriber, reader, listener, patient, uid",
    ("events", "item"): "product, sku, asin, article, movie, book, song, track, content, category, product type, "
    "stock code, good, page, title, isbn, iid",
    ("events", "time"): "timestamp, ts, date, datetime, event time, event date, order date, purchase date, "
    "transaction date, invoice date, transaction time, created at, day, when, order time, purchase time",
    ("exposures", "exposure_id"): "impression id, click id, event id, ad id, row id, exposure, impression, id",
    ("exposures", "unit"): "user, customer, visitor, client, household, member, account, person, subscriber, uid",
    ("exposures", "segment"): "group, cohort, variant, region, country, channel, device, tier",
    ("exposures", "campaign"): "campaign name, campaign id, ad group, promotion, offer",
    ("exposures", "exposure_time"): "exposed at, exposure date, impression time, impression date, impression ts, "
    "shown at, sent at, click time, click ts, click timestamp, clicked at, click date, exposure ts, served at, "
    "exposure, timestamp, ts, date, time, datetime, event time, created at",
    ("exposures", "engagement_time"): "engaged at, engagement date, opened at, open time, add to cart time, "
    "cart time, first click time, engagement ts, engagement",
    ("exposures", "visit_time"): "visited at, visit date, visit ts, visit",
    ("exposures", "conversion_time"): "converted at, conversion date, conversion ts, conversion timestamp, "
    "purchase time, purchase date, purchased at, order time, order date, bought at, redeemed at, redemption time, "
    "redemption date, sale time, signup time, conversion, purchase, paid at",
    ("exposures", "window_days"): "window, attribution window, attribution days, lookback, lookback days, "
    "conversion window",
    ("rows", "label"): "y, y true, clicked, converted, click, conversion, bought, purchased, outcome, class, "
    "is positive, is click, is conversion, is fraud, fraud, churn, churned, response, responded, truth, ground truth, "
    "actual, target, labels",
    ("scores", "score"): "p, prob, probability, pred, prediction, predicted, y pred, y score, y prob, y hat, p hat, "
    "pctr, pcvr, ctr, cvr, predicted probability, mean, model score, proba, confidence, scores, phat, yhat, "
    "model prob, model probability, model p, pred prob, pred proba, predicted prob, predicted score, prediction score, "
    "calibrated score, calibrated probability, score mean, mean score, pred mean, mean pred, ensemble mean",
    ("scores", "uncertainty"): "var, variance, std, stddev, sd, sigma, standard deviation, se, stderr, "
    "std dev, std err, standard error, entropy, doubt, uncertainties, spread, epistemic, score std, score var, "
    "pred std, pred var, prob std, prob var, score sd, pred sd, score variance, prediction variance, "
    "predictive variance, predictive std, predictive entropy, posterior std, posterior var, ensemble std, "
    "ensemble var, model std, model var, model uncertainty, score uncertainty, prediction uncertainty, "
    "epistemic uncertainty",
    ("rows", "weight"): "count, counts, n, rows, freq, frequency, sample weight, num rows, n rows",
    ("rows", "split"): "fold, part, partition, subset, set, dataset split",
    ("rows", "unit"): "user, customer, visitor, client, household, member, account, session, person, subscriber, uid",
    ("rows", "time"): "timestamp, ts, date, datetime, event time, event date, created at, day, when",
    ("rows", "week"): "week number, week no, weeknum, iso week",
}
"""Form and role to words, best first; ``id``, ``name``, ``code`` and ``key`` behind a word change nothing."""
_SAME: dict[str, str] = {"scores": "rows"}
"""Forms that share the words of another where they have none of their own."""
_TAILS = {"id", "ids", "name", "code", "key", "no", "nr", "number", "uuid"}
_HUMP = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def tokens(name: str) -> tuple[str, ...]:
    """Split a column name into its words: ``userId``, ``User ID`` and ``user_id`` are the same two.

    Parameters
    ----------
    name : str

    Returns
    -------
    tuple of str
        Without case and accents; signs separate.
    """
    plain = unicodedata.normalize("NFKD", _HUMP.sub(" ", name))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W_]+", letters.casefold()))


def likeness(name: str, form: str, role: str) -> int:
    """Say how well a column's name fits a role.

    Parameters
    ----------
    name : str
    form, role : str

    Returns
    -------
    int
        1000 the role's own name, as it is; 900 the same in another spelling; 100 to 500 a synonym, an early one more;
        0 no likeness.
    """
    if name == role:
        return 1000
    found = tokens(name)
    own = tokens(role)
    if not found:
        return 0
    if found == own or _bare(found) == own:
        return 900 if found == own else 890
    words = [tokens(part) for part in _SYNONYMS.get((form, role), _of(form, role)).split(",")]
    for place, word in enumerate(words):
        if found == word:
            return 500 - place
    for place, word in enumerate(words):
        if _bare(found) == word:
            return 400 - place
    return 0


def _of(form: str, role: str) -> str:
    """Return the words of a role in the form whose words this one shares."""
    return _SYNONYMS.get((_SAME.get(form, form), role), "")


def _bare(found: tuple[str, ...]) -> tuple[str, ...]:
    """Drop words behind a name that tell nothing about its role."""
    return found[:-1] if len(found) > 1 and found[-1] in _TAILS else found
