"""The shape of the source: what may stand where, and who may do what."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
SOURCE_FOLDERS = ("config", "stores", "quotes", "deliveries", "tests")
TOP_LEVEL = {
    *("manage.py", "pyproject.toml", "requirements.txt", "templates", "Makefile"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *SOURCE_FOLDERS,
}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "services", "managers", "lib", "tools"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
STATUS_WRITERS = {"deliveries/transitions/work.py", "quotes/offers.py", "stores/orders.py"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project: what Git knows, or would take in."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip("not a Git checkout")
    return tuple(Path(line) for line in result.stdout.splitlines() if (ROOT / line).exists())


@cache
def modules() -> tuple[Path, ...]:
    """Every module written by hand."""
    return tuple(path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def in_source(path: Path) -> bool:
    return path.parts[0] != "tests"


def test_top_level_holds_nothing_else() -> None:
    assert {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")} <= TOP_LEVEL


def test_there_is_something_to_look_at() -> None:
    assert {path.parts[0] for path in modules()} >= set(SOURCE_FOLDERS)


def test_every_module_opens_with_one_sentence() -> None:
    def opens_well(path: Path) -> bool:
        first_line = (ast.get_docstring(tree(path)) or "").partition("\n\n")[0].strip()
        return first_line.endswith((".", "?", ":", "`"))

    assert [str(path) for path in modules() if not opens_well(path)] == []


def test_every_name_says_something() -> None:
    words = {str(path): {path.stem, *path.parent.parts} for path in modules()}
    assert [path for path, names in words.items() if names & NAMES_THAT_SAY_NOTHING] == []


def test_files_and_functions_are_short() -> None:
    long = [str(path) for path in modules() if len((ROOT / path).read_text().splitlines()) > LONGEST_FILE]
    long += [
        f"{path}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_only_one_module_reads_the_environment() -> None:
    def reads(path: Path) -> bool:
        return any(
            (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and isinstance(node.ctx, ast.Load))
            and not _sets_a_default(path, node)
            for node in ast.walk(tree(path))
        )

    assert [str(path) for path in modules() if in_source(path) and reads(path)] == ["config/environment.py"]


def _sets_a_default(path: Path, environ: ast.Attribute) -> bool:
    """`os.environ.setdefault(...)` as a statement, as every Django entry point has it, gives a value and reads none."""
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "setdefault"
        and node.value.func.value is environ
        for node in ast.walk(tree(path))
    )


def test_only_their_owners_assign_a_status() -> None:
    def targets(node: ast.AST) -> list[ast.expr]:
        if isinstance(node, ast.Assign):
            return [leaf for target in node.targets for leaf in (target.elts if isinstance(target, ast.Tuple) else [target])]
        return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []

    def assigns(path: Path) -> bool:
        nodes = list(ast.walk(tree(path)))
        by_hand = any(isinstance(leaf, ast.Attribute) and leaf.attr == "status" for node in nodes for leaf in targets(node))
        in_bulk = any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("update", "update_or_create")
            and any(keyword.arg == "status" for keyword in node.keywords)
            for node in nodes
        )
        return by_hand or in_bulk

    assert [str(path) for path in modules() if in_source(path) and assigns(path) and path.as_posix() not in STATUS_WRITERS] == []
