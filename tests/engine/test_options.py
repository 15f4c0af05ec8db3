"""Settings from text and files."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.options import build_config, describe, parse_pairs, read_toml


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field of every type that settings have."""

    epochs: int = 5
    """Passes over the rows;
    more take longer."""
    rate: float = 0.1
    """Step."""
    name: str = "x"
    fast: bool = False
    form: Literal["dual", "paper"] = "dual"
    buckets: int | None = None
    targets: tuple[float, ...] = ()
    methods: tuple[str, ...] = field(default=("a", "b"))

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ConfigError(f"'epochs' is {self.epochs}; it must be at least 1.")


def refused(values):
    with pytest.raises(ConfigError) as caught:
        build_config(Settings, values)
    return str(caught.value)


def test_pairs_are_split_at_the_first_equals_sign():
    assert parse_pairs(["a=1", " b = x=y "], option="--set") == {"a": "1", "b": "x=y"}
    assert parse_pairs([], option="--set") == {}


@pytest.mark.parametrize("word", ["a", "=1", "a=", " = ", ""])
def test_a_word_that_is_no_pair_is_refused(word):
    with pytest.raises(ConfigError, match="is not of the form name=value; write for example --column a=b"):
        parse_pairs([word], option="--column")


def test_a_name_may_be_given_once():
    with pytest.raises(ConfigError, match="'--set' names 'a' twice; give it once"):
        parse_pairs(["a=1", "a=2"], option="--set")


def test_texts_are_read_by_the_type_of_their_field():
    texts = {
        "epochs": "7",
        "rate": "1e-3",
        "name": "007",
        "fast": "Yes",
        "form": "paper",
        "buckets": "3",
        "targets": "0.5, 0.8",
        "methods": "c",
    }
    assert build_config(Settings, texts) == Settings(
        epochs=7, rate=0.001, name="007", fast=True, form="paper", buckets=3, targets=(0.5, 0.8), methods=("c",)
    )


def test_toml_values_are_read_by_the_type_of_their_field(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('epochs = 7\nrate = 1\nfast = true\ntargets = [0.5, 0.8]\nmethods = "a,c"\nbuckets = "auto"\n')
    assert build_config(Settings, read_toml(path)) == Settings(
        epochs=7, rate=1.0, fast=True, targets=(0.5, 0.8), methods=("a", "c")
    )


@pytest.mark.parametrize("word", ["none", "auto", "None", ""])
def test_an_optional_setting_can_be_left_open(word):
    assert build_config(Settings, {"buckets": word}).buckets is None


@pytest.mark.parametrize("text", ["0.5, 0.8,", "0.5,0.8 , "])
def test_a_comma_behind_the_last_value_says_nothing(text):
    assert build_config(Settings, {"targets": text}).targets == (0.5, 0.8)


@pytest.mark.parametrize("text", [",", ",0.5", "0.5,,0.8", "0.5,,"])
def test_a_comma_without_a_value_before_it_is_refused(text):
    assert refused({"targets": text}) == "Setting 'targets' is ''; allowed is a number."


@pytest.mark.parametrize(("value", "expected"), [("", ()), (0.5, (0.5,)), ([], ())])
def test_a_list_may_be_empty_or_a_single_value(value, expected):
    assert build_config(Settings, {"targets": value}).targets == expected


def test_nothing_given_means_the_defaults():
    assert build_config(Settings, {}) == Settings()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": "5.5"}, "Setting 'epochs' is '5.5'; allowed is a whole number."),
        ({"epochs": 5.0}, "Setting 'epochs' is '5.0'; allowed is a whole number."),
        ({"epochs": True}, "Setting 'epochs' is 'True'; allowed is a whole number."),
        ({"rate": "fast"}, "Setting 'rate' is 'fast'; allowed is a number."),
        ({"rate": [1]}, "Setting 'rate' is '[1]'; allowed is a number."),
        ({"fast": "maybe"}, "Setting 'fast' is 'maybe'; allowed are true and false."),
        ({"form": "other"}, "Setting 'form' is 'other'; allowed are dual, paper."),
        ({"buckets": "three"}, "Setting 'buckets' is 'three'; allowed is a whole number."),
        ({"targets": "0.5,high"}, "Setting 'targets' is 'high'; allowed is a number."),
        ({"epochs": "0"}, "'epochs' is 0; it must be at least 1."),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_does(values, message):
    assert refused(values) == message


def test_an_unknown_setting_gets_the_nearest_name_and_the_list():
    assert refused({"epoch": 1}) == (
        "Setting 'epoch' is unknown; did you mean 'epochs'? "
        "allowed are epochs, rate, name, fast, form, buckets, targets, methods."
    )
    assert refused({"zzz": 1}).startswith("Setting 'zzz' is unknown; allowed are epochs")


def test_a_table_in_the_file_is_an_unknown_setting(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("[graph]\nepochs = 1\n")
    assert "Setting 'graph' is unknown" in refused(read_toml(path))


def test_a_missing_file_of_settings_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.toml' cannot be read \(No such file or directory\); check the path"):
        read_toml(tmp_path / "no.toml")


@pytest.mark.parametrize("content", [b"epochs 5", b"\xff\xfe", b"epochs = \n"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "s.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is not TOML"):
        read_toml(path)


def test_settings_are_described_by_the_text_below_them():
    found = {setting.name: setting for setting in describe(Settings)}
    assert list(found) == ["epochs", "rate", "name", "fast", "form", "buckets", "targets", "methods"]
    assert found["epochs"].description == "Passes over the rows; more take longer." and found["epochs"].default == 5
    assert found["name"].description == "" and found["methods"].default == ("a", "b")
    assert found["form"].choices == ("dual", "paper") and found["epochs"].choices == ()


@given(
    st.builds(
        Settings,
        epochs=st.integers(1, 10**9),
        rate=st.floats(allow_nan=False),
        fast=st.booleans(),
        form=st.sampled_from(["dual", "paper"]),
        buckets=st.none() | st.integers(),
        targets=st.lists(st.floats(allow_nan=False)).map(tuple),
    )
)
def test_settings_written_as_text_come_back(settings):
    texts = {
        "epochs": str(settings.epochs),
        "rate": repr(settings.rate),
        "fast": str(settings.fast).lower(),
        "form": settings.form,
        "buckets": str(settings.buckets),
        "targets": ",".join(map(repr, settings.targets)),
    }
    assert build_config(Settings, texts) == settings
