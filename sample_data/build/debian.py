"""Build the graph of Debian programs and the programs their maintainers recommend.

Reads the index of the main archive from the package lists of a Debian machine, or a saved copy
of it (``dists/bookworm/main/binary-amd64/Packages`` of any mirror, unpacked), so the result moves
with Debian's point releases. The security and update archives are left out: their indexes carry
no tags, and would hide every program that had a security update. Standard library only.

Run ``python sample_data/build/debian.py [--index FILE | --release CODENAME] [--out DIR]
[--alternatives all|first]``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from checks import edge_facts, report

APT_HELPER = "/usr/lib/apt/apt-helper"

Stanza = Mapping[str, str]
Edge = tuple[str, str]

# Strongest first: the position decides which relation names a pair that has several.
RELATIONS = ("depends", "recommends", "suggests", "enhances")
FIELD_RELATION = {
    "Pre-Depends": "depends",
    "Depends": "depends",
    "Recommends": "recommends",
    "Suggests": "suggests",
    "Enhances": "enhances",
}
METAPACKAGE_NAME = re.compile(r"^(games|science|task|med)-")
KEPT_FACETS = ("field", "game", "implemented-in", "interface", "suite", "use", "works-with")
EDGE_COLUMNS = ("source", "target", "relation")
NODE_COLUMNS = ("node", "label", "section", "installed_size_kb", "tags")


def parse_stanzas(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield one field dictionary per package; folded lines are joined by a space."""
    stanza: dict[str, str] = {}
    field = ""
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if stanza:
                yield stanza
            stanza, field = {}, ""
        elif line[0].isspace():
            stanza[field] += " " + line.strip()
        else:
            field, _, value = line.partition(":")
            stanza[field] = value.strip()
    if stanza:
        yield stanza


def relation_targets(value: str, *, alternatives: str) -> list[str]:
    """Return the package names of a relation field, without versions and architectures.

    ``"a (>= 1), b | c:any"`` gives a, b, c for ``alternatives="all"`` and a, b for "first".
    """
    names = []
    for group in value.split(","):
        options = group.split("|")
        for option in options if alternatives == "all" else options[:1]:
            name = re.split(r"[\s(:\[]", option.strip(), maxsplit=1)[0]
            if name:
                names.append(name)
    return names


def tag_list(stanza: Stanza) -> list[str]:
    """Return the debtags of a package, in the order of the index."""
    return [tag.strip() for tag in stanza.get("Tag", "").split(",") if tag.strip()]


def is_metapackage(stanza: Stanza) -> bool:
    """Tell whether a package only pulls in others (by tag, section or naming habit)."""
    return (
        "role::metapackage" in tag_list(stanza)
        or stanza.get("Section", "").endswith("metapackages")
        or bool(METAPACKAGE_NAME.match(stanza["Package"]))
    )


def select_programs(stanzas: Iterable[Stanza]) -> dict[str, Stanza]:
    """Keep packages tagged ``role::program`` that are no metapackages, by name."""
    return {
        stanza["Package"]: stanza
        for stanza in stanzas
        if "role::program" in tag_list(stanza) and not is_metapackage(stanza)
    }


def build_edges(programs: Mapping[str, Stanza], *, alternatives: str) -> dict[Edge, str]:
    """Return the strongest relation of every ordered pair of programs.

    Enhances is stored by the enhancing package and reversed here, so that every edge
    reads "who installs the source may want the target". Self-loops are dropped.
    """
    edges: dict[Edge, str] = {}
    for name, stanza in programs.items():
        for field, relation in FIELD_RELATION.items():
            for other in relation_targets(stanza.get(field, ""), alternatives=alternatives):
                if other == name or other not in programs:
                    continue
                pair = (other, name) if relation == "enhances" else (name, other)
                rank = RELATIONS.index(relation)
                if pair not in edges or rank < RELATIONS.index(edges[pair]):
                    edges[pair] = relation
    return edges


def node_row(stanza: Stanza) -> dict[str, str]:
    """Return the node table's row: names, section, size and content tags, no description."""
    kept = sorted(tag for tag in tag_list(stanza) if tag.split("::")[0] in KEPT_FACETS)
    return {
        "node": stanza["Package"],
        "label": stanza["Package"],
        "section": stanza.get("Section", "").rpartition("/")[2],
        "installed_size_kb": stanza.get("Installed-Size", ""),
        "tags": ";".join(kept),
    }


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows with a header and plain line feeds, gzipped without a time, so that the checksum is portable."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def read_index(path: Path | None, *, release: str) -> list[str]:
    """Return the lines of a saved package index, or of this machine's list of the main archive."""
    if path is not None:
        return path.read_text(encoding="utf-8").splitlines()
    wanted = ["Identifier: Packages", "Component: main", f"Codename: {release}"]
    files = run_text("apt-get", "indextargets", "--format", "$(FILENAME)", *wanted).split()
    if not files:
        raise SystemExit(f"No package list of the main archive of '{release}'; run apt-get update, or give --index.")
    return [line for file in files for line in run_text(APT_HELPER, "cat-file", file).splitlines()]


def run_text(*command: str) -> str:
    """Run a command and return what it writes."""
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout


def main() -> None:
    """Build both tables and report what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, help="unpacked Packages file of the main archive")
    parser.add_argument("--release", default="bookworm", help="code name, without --index")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--alternatives", choices=("all", "first"), default="all")
    options = parser.parse_args()
    programs = select_programs(parse_stanzas(read_index(options.index, release=options.release)))
    edges = build_edges(programs, alternatives=options.alternatives)
    used = sorted({name for pair in edges for name in pair})
    rows = ({"source": u, "target": v, "relation": r} for (u, v), r in sorted(edges.items()))
    write_csv(options.out / "debian_programs_edges.csv.gz", EDGE_COLUMNS, rows)
    nodes = (node_row(programs[name]) for name in used)
    write_csv(options.out / "debian_programs_nodes.csv.gz", NODE_COLUMNS, nodes)
    report("Debian programs", edge_facts(list(edges)))


if __name__ == "__main__":
    main()
