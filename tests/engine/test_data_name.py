"""What a run calls its data: shown, short, visible, and never mistaken for bundled data."""

import pytest

from engine.cli import main
from engine.data_name import checked_name
from engine.errors import ConfigError
from engine.runs import read_run

ROWS = {
    "graph": ("source,target", [f"n{u},n{(u + step) % 40}" for u in range(40) for step in (1, 2, 5)]),
    "delay": (
        "exposure_time,conversion_time",
        [f"{k % 100},{k % 100 + k % 7 if k % 3 == 0 else ''}" for k in range(300)],
    ),
    "uncertainty": (
        "label,score,uncertainty",
        [f"{int(k * 7 % 20 < k % 20)},{(k % 20 + 0.5) / 20},{k % 3 / 10}" for k in range(900)],
    ),
}


@pytest.mark.parametrize("kind", list(ROWS))
def test_a_described_run_calls_its_data_as_the_reader_wishes(kind: str, tmp_path, capsys) -> None:
    header, rows = ROWS[kind]
    (tmp_path / "own-data.csv").write_text("\n".join([header, *rows, ""]))
    words = ["describe", kind, "--data", str(tmp_path / "own-data.csv"), "--out", str(tmp_path / "own-run")]
    assert main([*words, "--name=--Käufe/../東京 <b> 2026.csv"]) == 0, capsys.readouterr().err
    assert read_run(tmp_path / "own-run").manifest["dataset"]["name"] == "--Käufe/../東京 <b> 2026.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own-data.csv", "own-run"]


def test_a_trained_run_calls_its_data_as_the_reader_wishes_and_by_their_file_otherwise(train, tmp_path) -> None:
    assert train("--name", "  links of mine ", out="named") == 0 == train(out="other")
    names = [read_run(tmp_path / run).manifest["dataset"]["name"] for run in ("named", "other")]
    assert names == ["links of mine", "edges.csv"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("  ", "'--name' has 0 characters; allowed are 1 to 80. Give a shorter or a longer name."),
        ("ä" * 81, "'--name' has 81 characters; allowed are 1 to 80. Give a shorter or a longer name."),
        ("a\nb", r"'--name' has the control character '\n' in place 2; leave such characters out."),
        ("\x1b[2J", r"'--name' has the control character '\x1b' in place 1; leave such characters out."),
        ("a\u202evsc.b", r"'--name' has the control character '\u202e' in place 2; leave such characters out."),
        ("journey-coupons", "'--name journey-coupons' is what bundled data are called; give another name."),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        checked_name(name, "own.csv")
    assert str(refused.value) == sentence


def test_bundled_data_keep_their_name(tmp_path, capsys) -> None:
    for words in (["describe", "delay", "--data", "journey-coupons"], ["train", "delay"]):
        assert main([*words, "--name", "mine", "--out", str(tmp_path / "run")]) == 2
        assert "'--data journey-coupons' is bundled and has its name already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ä" * 80, "👩\u200d🔬 data", None])
def test_any_other_name_stays_as_it_is(name: str | None) -> None:
    assert checked_name(name, "own.csv") == name == checked_name(name, None)
