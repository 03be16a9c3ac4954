"""The scratch folder, which programs have only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import Outcome
from tests.sandbox.conftest import judged

SCRATCH_BYTES = 1 << 20


@pytest.fixture(scope="module", params=[[], ["landlock"]], ids=["tier A", "tier B"])
def roomy(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox with 1 MiB of scratch."""
    try:
        sandbox = open_sandbox(scratch_bytes=SCRATCH_BYTES, masked=request.param)
    except MachineError as error:
        pytest.skip(f"no namespaces here: {error}")
    with sandbox:
        yield sandbox


def test_files_can_be_made_read_and_removed_there(roomy: Sandbox) -> None:
    """Claim: temporary files and folders work as on any machine."""
    code = """import os, tempfile
def f(x):
    with tempfile.TemporaryDirectory() as folder, open(folder + "/a", "w") as file:
        file.write("b" * x)
        file.flush()
        os.mkdir(folder + "/b")
        os.replace(folder + "/a", folder + "/b/a")
        os.rename(folder + "/b/a", folder + "/c")
        size = os.path.getsize(folder + "/c")
    return size + 1 + len(os.listdir("."))
"""
    assert judged(roomy, code).outcome is Outcome.PASSED


def test_the_quota_holds_in_one_file_and_in_many(roomy: Sandbox) -> None:
    """Claim: neither one large file nor many files exceed the size; the program gets an error and nothing more."""
    code = """import os
def f(x):
    total = 0
    try:
        for n in range(100):
            with open(str(n), "wb") as file:
                total += file.write(b"x" * 100_000)
    except OSError:
        pass
    return total <= (1 << 20) + 100_000
"""
    assert judged(roomy, code, "assert f(2) is True").outcome is Outcome.PASSED
    one = "def f(x):\n with open('a', 'wb', buffering=0) as file: return file.write(b'x' * (4 << 20))"
    assert judged(roomy, one, "assert f(2) < (1 << 20) + 4096").outcome is not Outcome.HARNESS_ERROR


def test_nothing_is_left_for_the_next_program(roomy: Sandbox) -> None:
    """Claim: the folder is empty for every job, whatever the one before left, folders without permissions included."""
    litter = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').write('left')\nos.mkdir('shut', 0)\ndef f(x): return 3"
    looks = "import os\ndef f(x): return 3 + len(os.listdir('.'))"
    for _ in range(2):
        assert judged(roomy, litter).outcome is Outcome.PASSED
        assert judged(roomy, looks).outcome is Outcome.PASSED


def test_there_is_no_writing_anywhere_else(roomy: Sandbox) -> None:
    """Claim: the attacks of the proof fail with a scratch folder too; links out of it lead nowhere."""
    assert roomy.isolation.properties["writes"].endswith("rlimits")
    code = "import os\ndef f(x):\n os.symlink('/etc/passwd', 'l')\n return 3 if open('l').read() else 0"
    assert judged(roomy, code).outcome is Outcome.ERROR


def test_by_default_nothing_is_writable(box: Sandbox) -> None:
    """Claim: without being asked for there is no scratch folder."""
    code = "import tempfile\ndef f(x):\n tempfile.TemporaryFile()\n return 3"
    assert judged(box, code).outcome is Outcome.ERROR


def test_without_namespaces_a_scratch_folder_is_refused() -> None:
    """Claim: a quota that cannot be enforced is not offered."""
    with pytest.raises(MachineError, match="needs namespaces"):
        open_sandbox(scratch_bytes=1, masked=["namespaces"])


def test_folders_deeper_than_any_path_are_removed_too(roomy: Sandbox) -> None:
    """Claim: a folder in a folder, three thousand times, some of them shut, neither stays nor ends the fork server."""
    pids = roomy.server_pids()
    code = "import os\nfor n in range(3000):\n os.mkdir('d'); os.chdir('d')\n if n % 9 == 0: os.mkdir('shut', 0)\n"
    code += "def f(x): return 3"
    assert judged(roomy, code).outcome is Outcome.PASSED
    looks = "import os\ndef f(x): return 3 + len(os.listdir('.'))"
    assert judged(roomy, looks).outcome is Outcome.PASSED
    assert roomy.server_pids() == pids
