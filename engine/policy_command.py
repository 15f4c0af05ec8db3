"""The command `policy`: take a boundary out of a run, or apply one to new rows."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from engine.runs import read_run
from engine.tables import read_table, write_table

ENDINGS = (".json", ".py")


def add_policy(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    policy = commands.add_parser("policy", help="take thresholds out of an uncertainty run, or apply them to new rows")
    verbs = policy.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=type(policy))
    export = verbs.add_parser("export", help="write the thresholds of one method")
    export.add_argument("run", metavar="RUN_DIR")
    export.add_argument("--scorer", help="score (default: the first of the run)")
    export.add_argument("--method", default="mist", help="how thresholds were placed (default mist)")
    export.add_argument("--target", type=float, help="precision target (default: the lowest of the run)")
    export.add_argument(
        "--out", required=True, metavar="FILE", help=".json: the policy; .py: a function that applies it"
    )
    export.set_defaults(command=_export)
    apply = verbs.add_parser("apply", help="judge thresholds on labelled rows")
    apply.add_argument("policy", metavar="FILE.json")
    apply.add_argument("--data", required=True, metavar="PATH", help="rows with label, score and uncertainty")
    apply.add_argument("--out", metavar="FILE", help="write the rows with a column 'selected' (.csv or .parquet)")
    apply.add_argument("--json", action="store_true", help="print JSON")
    apply.set_defaults(command=_apply)


def _export(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Write one policy."""
    target = Path(arguments.out)
    if target.suffix not in ENDINGS:
        raise ConfigError(f"'--out {target}' has the ending '{target.suffix}'; allowed are {', '.join(ENDINGS)}.")
    run = read_run(arguments.run)
    if run.kind != "uncertainty":
        raise ConfigError(f"{run.id} is a run of kind '{run.kind}'; thresholds come from runs of kind uncertainty.")
    module = importlib.import_module("engine.uncertainty.policy")
    scorer = arguments.scorer or run.curve("scorers")["scorer"].iloc[0]
    wanted = run.curve("boundaries")["target"].min() if arguments.target is None else arguments.target
    policy = module.export_policy(run, scorer=scorer, method=arguments.method, target=float(wanted))
    use = importlib.import_module("engine.uncertainty.policy_use")
    text = use.policy_code(policy) if target.suffix == ".py" else module.policy_text(policy)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"'--out {target}' cannot be written ({error.strerror}); choose another path.") from error
    sys.stdout.write(f"{target}: {policy.method} for {scorer}, {len(policy.thresholds)} thresholds\n")


def _apply(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Judge a policy on new rows."""
    try:
        text = Path(arguments.policy).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{arguments.policy}' cannot be read as text; give an exported policy.") from error
    module = importlib.import_module("engine.uncertainty.policy")
    policy = module.read_policy(text)
    rows = read_table(arguments.data)
    judged = importlib.import_module("engine.uncertainty.policy_use").judge_policy(policy, rows)
    if arguments.out is not None:
        chosen = module.apply_policy(policy, rows["score"], rows["uncertainty"])
        write_table(rows.assign(selected=chosen), Path(arguments.out))
    if arguments.json:
        found = {"verdict": judged.verdict, "target": policy.target, "selected": judged.selected}
        found["metrics"] = json.loads(judged.metrics.to_json(orient="records"))
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    goal = "no precision target" if policy.target is None else f"precision target {policy.target:g}: {judged.verdict}"
    lines = [f"{policy.method} of {policy.run} for {policy.scorer} · {judged.selected:,} rows selected · {goal}"]
    lines += [
        f"{r.metric:10} {r.value:.3f} [{r.ci_low:.3f}, {r.ci_high:.3f}] n {r.n:,}" for r in judged.metrics.itertuples()
    ]
    sys.stdout.write("\n".join(lines) + "\n")
