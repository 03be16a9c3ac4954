"""What a program finds around it and what its values equal under the `evalplus` comparator: as in EvalPlus. Runs in the sandbox."""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import Sandbox
from cpu_codegen.schema import Outcome
from tests.judging.tasks import ADD, NUMBERS, judge, judge_all, statuses, task

PLAIN = task(ADD, NUMBERS, [[10, 20], [-1, -2]])
UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(add(1, 2), 3)\n"


@pytest.mark.parametrize(
    "lines",
    [
        "from multiprocessing import Pool, cpu_count",  # its process.py calls os.getcwd when it is imported
        "from concurrent.futures import ProcessPoolExecutor",
        "import tarfile, tempfile\nassert open is None and not tempfile._os.getcwd",
        "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    ],
)
def test_a_module_that_needs_a_name_to_be_imported_gets_it(sandbox: Sandbox, lines: str) -> None:
    """evalplus/eval/utils.py, reliability_guard: by then that process has imported what it needs; here imports come later."""
    assert statuses(judge(sandbox, ADD + lines, PLAIN)) == ("pass", "pass")


def test_what_was_lent_to_an_import_is_gone_after_it_even_if_it_fails(sandbox: Sandbox) -> None:
    """The names are None again, also after an import within an import and after one that found nothing."""
    after = "\nimport os, shutil, subprocess\nassert not (open or os.getcwd or os.system or shutil.move or subprocess.Popen)"
    for lines in (
        "import multiprocessing.pool, tarfile",
        "try:\n    import pip, nothing\nexcept ImportError:\n    pass",
    ):
        assert statuses(judge(sandbox, ADD + lines + after, PLAIN)) == ("pass", "pass")


@pytest.mark.parametrize(
    "code",
    [
        "def add(x, y):\n    global add\n    add = None\n    return x + y\n",
        "def add(x, y):\n    globals().clear()\n    return x + y\n",
    ],
)
def test_the_function_is_the_one_that_had_the_name_when_the_program_had_run(sandbox: Sandbox, code: str) -> None:
    """evalplus/eval/__init__.py, unsafe_execute: `fn = exec_globals[entry_point]` once, before the first input."""
    assert statuses(judge(sandbox, code, PLAIN)) == ("pass", "pass")
    assert judge(sandbox, code, PLAIN, comparator="strict").outcome is Outcome.PASSED


def test_streams_that_a_program_replaced_when_it_was_loaded_are_ours_again_in_its_calls(sandbox: Sandbox) -> None:
    """evalplus/eval/utils.py, swallow_io: once around the load, then around each call; its standard input cannot be read."""
    replaced = "import io, sys\nsys.stdin = io.StringIO('1\\n' * 99)\n"
    asks = "def add(x, y):\n    input()\n    return x + y\n"
    found = judge_all(sandbox, [replaced + asks, replaced + ADD + "input()"], PLAIN)
    assert [statuses(execution) for execution in found] == [("fail", "fail"), ("pass", "pass")]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("unittest.main()", "fail"),
        ("unittest.main(exit=False)", "fail"),
        ("unittest.main(argv=['x'], exit=False)", "pass"),
    ],
)
def test_a_program_that_runs_its_own_unit_tests(sandbox: Sandbox, call: str, status: str) -> None:
    """unittest reads EvalPlus's command line (evalplus/evaluate.py, main) and exits for options that it does not know."""
    assert statuses(judge(sandbox, UNITTEST + ADD + call, PLAIN)) == (status, status)


def test_a_program_may_recurse_as_deep_as_under_evalplus(sandbox: Sandbox) -> None:
    """evalplus/eval/__init__.py, untrusted_check: a call begins below command line, pool and process: 969 deep at most."""
    code = "def depth(n): return n and 1 + depth(n - 1)\ndef add(x, y): return x + y + 0 * depth({})\n"
    found = judge_all(sandbox, [code.format(n) for n in (962, 976)], PLAIN)
    assert [statuses(execution) for execution in found] == [("pass", "pass"), ("fail", "fail")]


HOLDERS = (
    "collections.ChainMap(d, {})",
    "collections.UserDict(d)",
    "types.MappingProxyType(d)",
    "collections.OrderedDict(d)",
)


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_mapping_that_equals_a_dict_is_right_for_one(sandbox: Sandbox, holder: str) -> None:
    """evalplus/eval/__init__.py, unsafe_execute: `out == exp`, so a merged ChainMap passes; strict wants a dict or a subclass."""
    subject = task("def f(d): return d", [[{"a": 1, "b": [2]}]], {})
    code = f"import collections, types\ndef f(d): return {holder}"
    wrong = f"import collections, types\ndef f(d):\n    d = dict(d, c=3)\n    return {holder}"
    assert judge(sandbox, code, subject, "f").base_status == "pass"
    assert judge(sandbox, wrong, subject, "f").base_status == "fail"
    assert (judge(sandbox, code, subject, "f", "strict").base_status == "pass") is ("Ordered" in holder)


def test_other_values_that_equal_plain_ones(sandbox: Sandbox) -> None:
    """A UserList equals a list and a UserString a string; numpy's empty string is the empty string; an array is no list."""
    subject = task("def f(x): return x", [[[1, 2]], [""], ["a"]], {})
    choose = "import array, collections, numpy\ndef f(x): return {} if type(x) is list else {}"
    expressions = [
        ("collections.UserList(x)", "collections.UserString(x)"),
        ("x", "numpy.str_(x)"),
        ("array.array('i', x)", "x"),
    ]
    found = judge_all(sandbox, [choose.format(*pair) for pair in expressions], subject, "f")
    assert [execution.base_status for execution in found] == ["pass", "pass", "fail"]


def test_an_array_is_a_set_of_its_items(sandbox: Sandbox) -> None:
    """evalplus/eval/__init__.py, unsafe_execute: `set(out) == set(exp)` for MBPP_OUTPUT_SET_EQ_TASKS, whatever out is."""
    subject = task("def Diff(x): return x", [[[1, 2]]], {}, suite="mbpp+", task_id="Mbpp/9000")
    code = "import array\ndef Diff(x): return array.array('q', [2, 1, 2])"
    assert judge(sandbox, code, subject, "Diff").base_status == "pass"


def test_an_array_of_one_object_equals_that_object(sandbox: Sandbox) -> None:
    """numpy makes one of an integer over 64 bits; EvalPlus takes the truth of `out == exp`, which is that of the one item."""
    subject = task("def f(x): return x", [[2**70], [5]], {})
    code = "import numpy\ndef f(x): return numpy.array({}, dtype=object)"
    found = judge_all(sandbox, [code.format(each) for each in ("[x]", "x", "[x, x]", "[x + 1]")], subject, "f")
    assert [execution.base_status for execution in found] == ["pass", "pass", "fail", "fail"]


def test_classes_without_a_module_are_no_fault_of_the_channel(sandbox: Sandbox) -> None:
    """In exec(code, {}) a class that type() makes has no __module__: raised it fails the input, returned it is not None."""
    raised = "def add(x, y): raise type('E', (Exception,), {})('no')"
    found = judge(sandbox, raised, PLAIN)
    assert (statuses(found), found.message) == (("fail", "fail"), "?.E: no")
    subject = task("def check_str(s): return s or None", [["a"]], {}, suite="mbpp+", task_id="Mbpp/9000")
    assert judge(sandbox, "def check_str(s): return type('C', (), {})()", subject, "check_str").base_status == "pass"
