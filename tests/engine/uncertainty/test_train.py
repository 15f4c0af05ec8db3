"""Every chosen estimator becomes a scorer of the run, from training rows alone."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.config import ESTIMATORS, UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.simulate import SimulationConfig, simulate
from engine.uncertainty.train import fit, summarise_members

SMALL = UncertaintyConfig(estimators=("ensemble",), members=3, hidden=8, epochs=2, seed=4)
ALL = UncertaintyConfig(estimators=ESTIMATORS, members=3, hidden=8, epochs=2, seed=4, passes=4)


def test_members_are_summarised_by_mean_and_variance():
    log_odds = np.array([[0.0, 2.0], [0.0, -2.0]])
    score, by_logit = summarise_members(log_odds, measure="variance_of_logit")
    assert score == pytest.approx([0.5, 0.5]) and by_logit == pytest.approx([0.0, 4.0])
    _, by_probability = summarise_members(log_odds, measure="variance_of_probability")
    assert by_probability[1] == pytest.approx((1 / (1 + np.exp(-2)) - 0.5) ** 2)
    _, total = summarise_members(log_odds, measure="variance_of_probability", part="total")
    assert total == pytest.approx([0.25, 0.25])


def test_the_same_seed_trains_the_same_scores_and_another_seed_others(as_dataset, purchases):
    prepared = prepare(as_dataset(purchases), SMALL)
    first, again = fit(prepared, SMALL).scorers["ensemble"], fit(prepared, SMALL).scorers["ensemble"]
    assert (first.score == again.score).all() and (first.uncertainty == again.uncertainty).all()
    other = fit(prepared, UncertaintyConfig(members=3, hidden=8, epochs=2, seed=5)).scorers["ensemble"]
    assert (first.score != other.score).any()


def test_training_sees_neither_tuning_nor_test_labels(as_dataset, purchases):
    prepared = prepare(as_dataset(purchases), ALL)
    flipped = purchases.copy()
    later = ~prepared.mask("train")
    flipped.loc[later, "label"] = 1 - flipped.loc[later, "label"]
    changed = prepare(as_dataset(flipped), ALL)
    others = fit(changed, ALL).scorers
    for name, scored in fit(prepared, ALL).scorers.items():
        other = others[name]
        assert (scored.score == other.score).all() and (scored.uncertainty == other.uncertainty).all()


def test_progress_is_told_after_every_epoch(as_dataset, purchases):
    told = []
    fitted = fit(prepare(as_dataset(purchases), SMALL), SMALL, on_epoch=told.append)
    assert [(record.epoch, record.epochs) for record in told] == [(1, 2), (2, 2)]
    assert len(fitted.history) == 4 and set(fitted.history["loss"]) == {"train log loss", "tune log loss"}


def test_rates_stand_beside_the_ensemble_with_both_priors(as_dataset, purchases):
    fitted = fit(prepare(as_dataset(purchases), SMALL), SMALL)
    assert list(fitted.scorers) == ["ensemble", "rate_4_flat", "rate_4_matched"]
    assert fitted.priors["rate_4_flat"] == (1.0, 1.0)
    assert fitted.priors["rate_4_matched"] == pytest.approx((1.0, 3.0), rel=0.5)


def test_the_matched_prior_is_fitted_to_tuning_histories_alone(as_dataset):
    frame = simulate(2000, SimulationConfig(prior=(1.0, 3.0), seed=2))
    changed, test = frame.copy(), frame["split"] == "test"
    changed.loc[test, "k_all"] = frame.loc[test, "n_all"]  # every test history is all positive
    first, second = (fit(prepare(as_dataset(rows), SMALL), SMALL).priors for rows in (frame, changed))
    assert first == second and first["rate_all_matched"] != (1.0, 1.0)


def test_all_estimators_become_scorers_in_the_order_asked_for(as_dataset, purchases):
    fitted = fit(prepare(as_dataset(purchases), ALL), ALL)
    assert list(fitted.scorers) == [*ESTIMATORS, "rate_4_flat", "rate_4_matched"]
    for scored in fitted.scorers.values():
        assert ((scored.score > 0) & (scored.score < 1)).all() and (scored.uncertainty >= 0).all()
        assert np.isfinite(scored.uncertainty).all() and np.unique(scored.uncertainty).size > 1
    assert set(fitted.history["stage"]) == {"ensemble", "mc_dropout", "natpn_flat", "natpn_matched"}
    assert (fitted.scorers["counts"].score == fitted.scorers["ensemble"].score).all()


def test_further_estimators_leave_the_ensemble_as_it_is(as_dataset, purchases):
    prepared = prepare(as_dataset(purchases), SMALL)
    alone, beside = (fit(prepared, config) for config in (SMALL, ALL))
    assert (alone.scorers["ensemble"].score == beside.scorers["ensemble"].score).all()
    assert (alone.scorers["ensemble"].uncertainty == beside.scorers["ensemble"].uncertainty).all()
    assert all((beside.model[name] == value).all() for name, value in alone.model.items())


def test_an_estimator_needs_no_ensemble_unless_it_is_made_from_it(as_dataset, purchases):
    config = UncertaintyConfig(estimators=("natpn_matched", "mc_dropout"), hidden=8, epochs=1, passes=3)
    fitted = fit(prepare(as_dataset(purchases), config), config)
    assert list(fitted.scorers)[:2] == ["natpn_matched", "mc_dropout"]
    assert set(fitted.history["stage"]) == {"natpn_matched", "mc_dropout"}
    assert any(name.startswith("density.") for name in fitted.model)


@pytest.mark.parametrize("part", ["aleatoric", "total"])
def test_what_chance_leaves_open_is_more_than_what_is_not_known(as_dataset, purchases, part):
    settings = dict(estimators=ESTIMATORS[:-1], members=3, hidden=8, epochs=2, passes=4, measure="entropy")
    prepared = prepare(as_dataset(purchases), UncertaintyConfig())
    chosen, epistemic = (fit(prepared, UncertaintyConfig(**settings, part=name)) for name in (part, "epistemic"))
    for name in ESTIMATORS[:-1]:
        own, other = chosen.scorers[name], epistemic.scorers[name]
        assert (own.score == other.score).all()
        assert np.median(own.uncertainty) > np.median(other.uncertainty)


def test_a_score_trained_on_fewer_negatives_is_turned_back_by_the_inverse(as_dataset, purchases):
    settings = dict(estimators=("ensemble", "natpn_flat"), members=2, hidden=8, epochs=4, undersampling=4.0)
    prepared = prepare(as_dataset(purchases), UncertaintyConfig())
    raw = fit(prepared, UncertaintyConfig(**settings, correct_undersampling=False)).scorers
    corrected = fit(prepared, UncertaintyConfig(**settings)).scorers
    for name in settings["estimators"]:
        m = raw[name].score
        np.testing.assert_allclose(corrected[name].score, m / (4 - 3 * m))
        assert (corrected[name].uncertainty == raw[name].uncertainty).all()
    rate = purchases["label"].mean()
    assert raw["ensemble"].score.mean() > 1.6 * rate
    assert corrected["ensemble"].score.mean() == pytest.approx(rate, abs=0.05)
