"""What is installed beside Python's own files, our problems with their solutions among it, is out of a program's reach."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.sandbox import Sandbox, tiers
from cpu_codegen.schema import Outcome
from tests.sandbox.conftest import judged

READS = "def f(path): return open(path).read()"


@pytest.fixture(scope="module")
def installation() -> Iterator[Path]:
    """A folder like a Python's without an environment of its own: packages lie among the library's files. Anybody may read it."""
    root = Path(tempfile.mkdtemp(prefix="cpu-codegen-test-"))
    root.chmod(0o755)
    for name in ("module.txt", "json/decoder.txt", "site-packages/ours/solution.txt", "site-packages/numpy/core.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("seen")
    (root / "linked").symlink_to(root / "site-packages")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module", params=["namespaces", "landlock"], ids=["Landlock alone", "namespaces alone"])
def hiding(request: pytest.FixtureRequest, installation: Path) -> Iterator[Sandbox]:
    """A sandbox on that installation."""
    plan = tiers.choose(masked=[request.param])
    packages = installation / "site-packages"
    readable = (*plan.readable, str(installation), str(packages / "numpy"))
    with Sandbox(replace(plan, readable=readable, hidden=(str(packages),)), workers=1) as sandbox:
        yield sandbox


def test_the_library_and_allowed_packages_are_read_all_others_are_not(hiding: Sandbox, installation: Path) -> None:
    """Claim: a hidden folder holds nothing but what is readable itself, by whatever path it is asked for."""
    test = f"""
for name in ("module.txt", "json/decoder.txt", "site-packages/numpy/core.txt"):
    assert f({str(installation)!r} + "/" + name) == "seen"
for name in ("site-packages/ours/solution.txt", "linked/ours/solution.txt", "json/../site-packages/ours/solution.txt"):
    try: f({str(installation)!r} + "/" + name)
    except OSError: continue
    raise AssertionError(name)
"""
    found = judged(hiding, READS, test)
    assert found.outcome is Outcome.PASSED, found


def test_where_packages_are_installed_is_hidden_here_too() -> None:
    """Claim: the folder of the running interpreter's packages is named, and so is the one that we lie in."""
    hidden = tiers.hidden_paths()
    assert os.path.realpath(sysconfig.get_path("purelib")) in hidden
    assert str(Path(tiers.__file__).resolve().parents[2]) in hidden


def test_attributes_of_files_are_not_read(installation: Path) -> None:
    """Claim: Landlock lets extended attributes through, so seccomp does not."""
    code = "import errno, os\ndef f(path):\n    try: os.getxattr(path, 'user.note')\n    except OSError as e: return e.errno"
    with Sandbox(tiers.choose(masked=["namespaces"]), workers=1) as sandbox:
        found = judged(sandbox, code, f"import errno\nassert f({str(installation)!r}) == errno.EPERM")
    assert found.outcome is Outcome.PASSED, found
