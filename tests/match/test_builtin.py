"""Where the built-in patterns are: beside the checkout, in the wheel, and as the copy that loads fast."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from logparse.match.load import builtin_directory, load_patterns

ROOT = Path(__file__).parents[2]


def test_checkout_location() -> None:
    assert builtin_directory() == ROOT / "patterns"


def test_stale_copy_is_not_used(tmp_path: Path) -> None:
    """A checkout whose YAML was edited uses the YAML, not the copy that was made of the old one."""
    shutil.copytree(ROOT / "logparse", tmp_path / "logparse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "patterns", tmp_path / "patterns")
    path = tmp_path / "patterns" / "queue_job.yaml"
    path.write_text(path.read_text().replace("fact: runner_stopped", "fact: runner_gone"))
    code = "from logparse.match.load import load_patterns; print(load_patterns()['runner.stopped'].kind)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "runner_gone\n"
    for name in (tmp_path / "patterns").glob("*.yaml"):
        name.unlink()
    code = "from logparse.match.load import load_patterns; load_patterns()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "holds no patterns" in done.stderr


def test_wheel_holds_the_patterns(tmp_path: Path) -> None:
    """A wheel built of this checkout holds the YAML, the schema and the copy, and loads them by itself."""
    tree = tmp_path / "tree"
    for name in ("logparse", "patterns"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    (tree / "README.md").touch()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=tree,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    expected = {f"logparse/patterns/{path.name}" for path in (ROOT / "patterns").iterdir()}
    assert expected <= names
    assert "logparse/match/builtin.json" in names
    code = (
        "from logparse.match.load import builtin_directory, load_patterns, read_builtin\n"
        "assert load_patterns(http=True).patterns == read_builtin()\n"
        "print(builtin_directory(), load_patterns().digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    where, digest = done.stdout.split()
    assert where == str(tmp_path / "site/logparse/patterns")
    assert digest == load_patterns().digest
