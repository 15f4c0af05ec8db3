"""From a package index to a graph of programs, on an index of eight packages."""

from __future__ import annotations

import csv
import gzip

import pytest

INDEX = """\
Package: player
Section: video
Installed-Size: 200
Depends: codec (>= 1.2), libc6 | libc6-alt, skin:any
Recommends: codec, subtitles
Suggests: player
Tag: role::program, use::viewing,
 interface::graphical, hardware::storage

Package: codec
Section: contrib/video
Tag: role::program

Package: subtitles
Section: video
Enhances: player, editor
Tag: role::program

Package: skin
Section: video
Tag: role::app-data

Package: editor
Section: video
Suggests: codec | player
Tag: role::program

Package: games-all
Section: games
Depends: player
Tag: role::program

Package: bundle
Section: metapackages
Depends: player
Tag: role::program

Package: everything
Section: misc
Depends: player
Tag: role::program, role::metapackage
"""


@pytest.fixture
def programs(script):
    debian = script("debian")
    return debian.select_programs(debian.parse_stanzas(INDEX.splitlines()))


def test_folded_lines_continue_their_field(script):
    first = next(script("debian").parse_stanzas(INDEX.splitlines(keepends=True)))
    assert first["Package"] == "player"
    assert first["Tag"] == "role::program, use::viewing, interface::graphical, hardware::storage"


def test_the_last_stanza_needs_no_blank_line_after_it(script):
    assert [s["Package"] for s in script("debian").parse_stanzas(["Package: a", "", "", "Package: b"])] == ["a", "b"]


@pytest.mark.parametrize(
    ("alternatives", "expected"), [("all", ["a", "b", "c", "d"]), ("first", ["a", "b", "d"])], ids=["all", "first"]
)
def test_relations_lose_versions_architectures_and_restrictions(script, alternatives, expected):
    value = "a (>= 1), b | c:any, d [amd64]"
    assert script("debian").relation_targets(value, alternatives=alternatives) == expected


def test_an_empty_relation_names_nothing(script):
    assert script("debian").relation_targets("", alternatives="all") == []


def test_programs_are_tagged_and_no_metapackage_by_tag_section_or_name(programs):
    assert sorted(programs) == ["codec", "editor", "player", "subtitles"]


def test_a_pair_has_its_strongest_relation_and_enhances_is_turned_round(script, programs):
    assert script("debian").build_edges(programs, alternatives="all") == {
        ("player", "codec"): "depends",
        ("player", "subtitles"): "recommends",
        ("editor", "codec"): "suggests",
        ("editor", "player"): "suggests",
        ("editor", "subtitles"): "enhances",
    }


def test_first_alternatives_alone_give_fewer_edges(script, programs):
    edges = script("debian").build_edges(programs, alternatives="first")
    assert ("editor", "codec") in edges
    assert ("editor", "player") not in edges


def test_a_node_keeps_content_tags_and_the_last_part_of_its_section(script, programs):
    row = script("debian").node_row
    assert row(programs["player"])["tags"] == "interface::graphical;use::viewing"
    assert row(programs["player"])["installed_size_kb"] == "200"
    assert row(programs["codec"])["section"] == "video"


def test_the_script_writes_both_tables_from_a_saved_index(script, tmp_path, monkeypatch, capsys):
    index = tmp_path / "Packages"
    index.write_text(INDEX, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["debian.py", "--index", str(index), "--out", str(tmp_path)])
    script("debian").main()
    with gzip.open(tmp_path / "debian_programs_edges.csv.gz", "rt", encoding="utf-8") as handle:
        assert [row["source"] + ">" + row["target"] for row in csv.DictReader(handle)] == [
            "editor>codec",
            "editor>player",
            "editor>subtitles",
            "player>codec",
            "player>subtitles",
        ]
    with gzip.open(tmp_path / "debian_programs_nodes.csv.gz", "rt", encoding="utf-8") as handle:
        assert [row["node"] for row in csv.DictReader(handle)] == ["codec", "editor", "player", "subtitles"]
    content = (tmp_path / "debian_programs_nodes.csv.gz").read_bytes()
    assert b"\r" not in gzip.decompress(content)
    # Bytes 4 to 7 of a gzip header are the time of writing.
    assert content[4:8] == bytes(4)
    assert "edges: 5" in capsys.readouterr().err


def test_a_machine_without_the_list_is_told_what_to_do(script, monkeypatch):
    debian = script("debian")
    monkeypatch.setattr(debian, "run_text", lambda *command: "")
    with pytest.raises(SystemExit, match="apt-get update"):
        debian.read_index(None, release="bookworm")


def test_only_the_main_archive_of_the_release_is_read(script, monkeypatch):
    debian = script("debian")
    commands = []

    def run_text(*command):
        commands.append(command)
        return "/lists/main\n" if command[0] == "apt-get" else INDEX

    monkeypatch.setattr(debian, "run_text", run_text)
    assert debian.read_index(None, release="bookworm") == INDEX.splitlines()
    # The security archive has a code name of its own, and no tags in its index.
    assert "Codename: bookworm" in commands[0]
    assert commands[1:] == [(debian.APT_HELPER, "cat-file", "/lists/main")]
