"""What is never used, how long things may be, what is documented, and what lies at the top."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "README.md",
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
    "sample_data",
    "engine",
    "dashboard",
    "tests",
}
FORBIDDEN_IMPORTS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
FORBIDDEN_CALLS = (
    "eval",
    "exec",
    "torch.load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "os.system",
    "numpy.load",
    "np.load",
)


def use_faults(module: str, source: str) -> list[str]:
    """Return every use of something that is never used here."""
    tree = ast.parse(source)
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            faults += [f"{module} imports {name}" for name in names if name.partition(".")[0] in FORBIDDEN_IMPORTS]
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS:
            faults.append(f"{module} calls {ast.unparse(node.func)} in line {node.lineno}")
        if isinstance(node, ast.keyword) and node.arg in ("unsafe_allow_html", "unsafe_allow_javascript"):
            faults.append(f"{module} passes {node.arg}")
        if isinstance(node, ast.keyword) and node.arg == "shell" and ast.unparse(node.value) != "False":
            faults.append(f"{module} passes shell=")
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "html"
            and ast.unparse(node).startswith(("st.", "components"))
        ):
            faults.append(f"{module} writes raw HTML in line {node.lineno}")
    return faults


def size_faults(module: str, source: str) -> list[str]:
    """Return the file if it has more than 300 lines, and every function of more than 50 lines below its docstring."""
    faults = [f"{module} has {len(source.splitlines())} lines"] if len(source.splitlines()) > 300 else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > 50:
                faults.append(f"{module}.{node.name} has {lines} lines")
    return faults


def docstring_faults(module: str, source: str) -> list[str]:
    """Return the module, and every public class, function and method, that has no docstring."""
    tree = ast.parse(source)
    faults = [] if ast.get_docstring(tree) else [f"{module} has no docstring"]

    def look(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if child.name.startswith("_"):
                continue
            if not ast.get_docstring(child):
                faults.append(f"{prefix}.{child.name} has no docstring")
            if isinstance(child, ast.ClassDef):
                look(child, f"{prefix}.{child.name}")

    look(tree, module)
    return faults


def faults_of(check: Callable[[str, str], list[str]], modules: dict[str, str]) -> list[str]:
    """Apply a check to every module."""
    return [fault for module, text in modules.items() for fault in check(module, text)]


def test_nothing_unsafe_is_used(sources):
    assert faults_of(use_faults, sources("engine", "dashboard", "sample_data")) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import dump",
        "x = torch.load('m.pt')",
        "x = eval('1')",
        "exec('x = 1')",
        "x = np.load('a.npy')",
        "st.markdown('<b>', unsafe_allow_html=True)",
        "st.html('<b>x</b>')",
        "subprocess.run('ls', shell=True)",
        "os.system('ls')",
    ],
)
def test_a_planted_danger_is_caught(line):
    assert len(use_faults("m", line)) == 1


def test_files_and_functions_stay_short(sources):
    assert faults_of(size_faults, sources("engine", "dashboard", "tests", "sample_data")) == []


def test_a_planted_long_file_or_function_is_caught():
    assert size_faults("m", "x = 1\n" * 301) == ["m has 301 lines"] and size_faults("m", "x = 1\n" * 300) == []
    body = "    x = 1\n" * 51
    assert size_faults("m", f"def f():\n{body}") == ["m.f has 51 lines"]
    docstring = '    """Say.\n\n    More.\n    """\n'
    assert size_faults("m", f"def f():\n{docstring}{'    x = 1' + chr(10)}" + "    x = 1\n" * 49) == []


def test_everything_public_has_a_docstring(sources):
    assert faults_of(docstring_faults, sources("engine", "dashboard")) == []


def test_a_planted_undocumented_name_is_caught():
    source = (
        '"""M."""\ndef f(): ...\nclass C:\n    """C."""\n    def m(self): ...\n    def _p(self): ...\ndef _q(): ...\n'
    )
    assert docstring_faults("m", source) == ["m.f has no docstring", "m.C.m has no docstring"]
    assert docstring_faults("m", "x = 1") == ["m has no docstring"]


def tracked() -> list[str]:
    """Return the files that git knows of, or skip where there is no git."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a git checkout")
    return listed.stdout.splitlines()


def test_the_visible_top_level_is_what_was_agreed():
    tops = {name.split("/")[0] for name in tracked()}
    assert {name for name in tops if not name.startswith(".")} == TOP_LEVEL


def test_data_and_runs_stay_small():
    sizes = {name: (ROOT / name).stat().st_size for name in tracked() if (ROOT / name).exists()}
    shipped = sum(size for name, size in sizes.items() if name.startswith("sample_data/"))
    assert shipped <= 8_000_000, f"{shipped:,} bytes"


def test_tests_have_no_packages():
    assert list((ROOT / "tests").rglob("__init__.py")) == []
