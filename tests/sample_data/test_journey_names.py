"""Readable names, and nothing guessed."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("FRZN BRD WHOLE FILLETS", "Frozen breaded whole fillets"),
        ("PNUT BTR/JELLY", "Peanut butter/jelly"),
        ("SEAFOOD-MISC-BREADERS/BTR MIX", "Seafood needs: breaders/batter mix"),
        ("FEM. HYGN. DEODORANTS", "Feminine hygiene deodorants"),
        ("MEAT:  HAM PPK/PRSLC", "Meat: ham prepacked/pre-sliced"),
        ("SFT DRNK SNGL SRV BTL CARB (EX", "Soft drink single serve bottle carbonated"),
        ("GRAPE JUICE (OVER 50% JUICE)", "Grape juice (over 50% juice)"),
        ("APPLES RED DELICIOUS (BULK&BAG", "Apples red delicious (bulk and bag…)"),
        ("WOMEN S GENERAL-MAGAZINE", "Women's general magazines"),
        ("AGE RESTRICTED DVD S", "Age restricted DVDs"),
        ("POPULAR 1.5LT WINES", "Popular 1.5lt wines"),
        ("SOFT DRINKS 20PK&24PK CAN CARB", "Soft drinks 20-pack and 24-pack can carbonated"),
        ("MEXICAN TACO TOSTADO SHELLS", "Mexican taco tostado shells"),
        ("BBQ SAUCE", "BBQ sauce"),
        ("MIXERS (CLUB SODA/SELTZERS)FLA", "Mixers (club soda/seltzers) fla"),
    ],
)
def test_till_names_become_readable(script, name, label):
    assert script("journey_names").type_label(name) == label


def test_an_unknown_abbreviation_stays(script):
    assert script("journey_names").type_label("DRY DOG VALUE (KLR/G") == "Dry dog value (klr/g…)"


def test_vague_labels_carry_their_category(script):
    labels = script("journey_names").type_labels({"PREMIUM": "Bacon", "PREMIUM WINES": "Wine"})
    assert labels == {"PREMIUM": "Premium (Bacon)", "PREMIUM WINES": "Premium wines"}


def test_labels_that_two_types_share_show_what_the_till_cut(script):
    labels = script("journey_names").type_labels(
        {"GRAPE JUICE (5": "Juice", "GRAPE JUICE (OV": "Juice", "MISC TEA": "Tea", "MISC. TEA": "Tea"}
    )
    assert labels["GRAPE JUICE (5"] == "Grape juice (5…)"
    assert labels["GRAPE JUICE (OV"] == "Grape juice (ov…)"
    assert labels["MISC TEA"] == "Miscellaneous tea [MISC TEA]"
    assert len(set(labels.values())) == 4


def test_category_labels_are_unique_and_clean(script):
    labels = script("journey_names").category_labels()
    assert len(labels) > 290
    assert len(set(labels.values())) == len(labels)
    for label in labels.values():
        assert label == " ".join(label.split())
        assert label != label.upper()
        assert label[0].isupper()
    assert labels["PWDR/CRYSTL DRNK MX"] == "Powdered drink mix"


def test_no_word_is_written_out_as_itself(script):
    for short, written in script("journey_names").WORD.items():
        assert short == short.lower()
        assert written != short
