"""The seccomp filter, interpreted here instruction by instruction: what it answers, on both architectures, without being loaded."""

from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path

import pytest

from cpu_codegen.sandbox.layers import seccomp, syscalls

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"),),
}
ALLOW, KILL = "allow", "kill"
PID = 4711


def answer(program: bytes, arch: int, number: int, arguments: tuple[int, ...] = ()) -> str | int:
    """What the kernel would do: "allow", "kill", or the errno that the call gets."""
    padded = [value & (1 << 64) - 1 for value in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator, position = 0, 0
    while True:
        code, if_true, if_false, constant = instructions[position]
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, constant)
        elif code == 0x54:
            accumulator &= constant
        elif code == 0x05:
            position += constant
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(constant, constant & 0xFFFF)
        else:
            holds = {0x15: accumulator == constant, 0x35: accumulator >= constant, 0x45: bool(accumulator & constant)}[
                code
            ]
            position += if_true if holds else if_false


class Filter:
    """One architecture's filter and call numbers."""

    def __init__(self, machine: str, *, scratch: bool = False) -> None:
        self.arch = syscalls.AUDIT_ARCH[machine]
        self.numbers = syscalls.numbers(machine)
        mark = struct.pack("=I", seccomp._PID_MARK)
        self.program = seccomp.build(machine, scratch=scratch).replace(mark, struct.pack("=I", PID))

    def __call__(self, name: str, *arguments: int) -> str | int:
        """The answer to a call by name."""
        return answer(self.program, self.arch, self.numbers[name], arguments)


@pytest.fixture(params=["x86_64", "aarch64"])
def verdict(request: pytest.FixtureRequest) -> Filter:
    """The filter of either architecture."""
    return Filter(request.param)


def test_the_program_is_one_that_the_kernel_takes(verdict: Filter) -> None:
    """Claim: under 4096 instructions, and every jump lands inside."""
    instructions = list(struct.iter_unpack("=HBBI", verdict.program))
    assert len(instructions) < 4096
    for position, (code, if_true, if_false, constant) in enumerate(instructions):
        targets = [constant] if code == 0x05 else [if_true, if_false] if code & 7 == 5 else []
        assert all(position + 1 + target < len(instructions) for target in targets)


def test_every_call_number_gets_an_answer(verdict: Filter) -> None:
    """Claim: no number falls through; unknown ones get ENOSYS or EPERM, never "allow"."""
    known = set(verdict.numbers.values())
    for number in range(1000):
        found = answer(verdict.program, verdict.arch, number)
        if number not in known:
            assert found in (errno.EPERM, errno.ENOSYS), number


def test_another_calling_convention_is_death(verdict: Filter) -> None:
    """Claim: 32-bit calls by `int 0x80` and calls of other machines kill the process."""
    for arch in (0x40000003, 0x40000028, 0):
        assert answer(verdict.program, arch, 0) == KILL


def test_x32_calls_are_death() -> None:
    """Claim: the second set of numbers on x86_64 is closed."""
    verdict = Filter("x86_64")
    assert answer(verdict.program, verdict.arch, 0x40000000) == KILL
    assert answer(verdict.program, verdict.arch, 0xFFFFFFFF) == KILL


def test_files_open_for_reading_only(verdict: Filter) -> None:
    """Claim: any flag that writes or creates is refused, in the low half where the kernel looks."""
    assert verdict("openat", -100, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND):
        assert verdict("openat", -100, 0, flag) == errno.EACCES
        assert verdict("openat", -100, 0, flag | 1 << 40) == errno.EACCES
    assert verdict("openat2") == errno.ENOSYS


def test_threads_but_no_processes(verdict: Filter) -> None:
    """Claim: clone with a thread's flags is allowed; without them, or with a namespace, it is not."""
    thread = 0x3D0F00
    assert verdict("clone", thread) == ALLOW
    assert verdict("clone", 17) == errno.EPERM
    assert verdict("clone", 0x4111) == errno.EPERM  # vfork
    for namespace in (0x10000000, 0x20000, 0x40000000, 0x2000000, 0x20000000, 0x80):
        assert verdict("clone", thread | namespace) == errno.EPERM
    assert verdict("clone3") == errno.ENOSYS


def test_signals_to_itself_only(verdict: Filter) -> None:
    """Claim: kill and tgkill take the process's own number and no other, groups and everybody included."""
    for name in ("kill", "tgkill"):
        assert verdict(name, PID) == ALLOW
        for other in (1, 0, -1, -PID, PID + 1):
            assert verdict(name, other) == errno.EPERM


def test_limits_may_be_read_not_set(verdict: Filter) -> None:
    """Claim: prlimit of itself without a new limit; nothing else."""
    assert verdict("prlimit64", 0, 7, 0) == ALLOW
    assert verdict("prlimit64", PID, 7, 0) == ALLOW
    assert verdict("prlimit64", 0, 7, 1) == errno.EPERM
    assert verdict("prlimit64", 0, 7, 1 << 32) == errno.EPERM
    assert verdict("prlimit64", 1, 7, 0) == errno.EPERM


def test_no_locks_no_leases_no_owners(verdict: Filter) -> None:
    """Claim: fcntl keeps to descriptors and flags, so that no lock carries a message."""
    for operation in (0, 1, 2, 3, 4, 1030):
        assert verdict("fcntl", 3, operation) == ALLOW
    for operation in (5, 6, 7, 8, 10, 1024, 1025, 1026, 36, 37, 38):
        assert verdict("fcntl", 3, operation) == errno.EPERM


def test_a_stream_pair_and_nothing_that_sends_to_an_address(verdict: Filter) -> None:
    """Claim: asyncio's socket pair works; datagram pairs and sendto with an address do not."""
    assert verdict("socketpair", 1, 1 | 0o2000000) == ALLOW
    assert verdict("socketpair", 1, 2) == errno.EACCES
    assert verdict("socketpair", 2, 1) == errno.EACCES
    assert verdict("sendto", 3, 0, 0, 0, 0) == ALLOW
    assert verdict("sendto", 3, 0, 0, 0, 1) == errno.EACCES
    assert verdict("sendto", 3, 0, 0, 0, 1 << 32) == errno.EACCES


def test_what_no_honest_program_calls_is_death(verdict: Filter) -> None:
    """Claim: ptrace, other processes' memory, io_uring, bpf, keyrings, mounts and namespaces kill the process."""
    for name in (
        "ptrace",
        "process_vm_readv",
        "io_uring_setup",
        "bpf",
        "keyctl",
        "mount",
        "unshare",
        "setns",
        "userfaultfd",
    ):
        assert verdict(name) == KILL


def test_scratch_opens_files_and_nothing_else() -> None:
    """Claim: the filter for programs with a scratch folder differs in file calls alone."""
    for machine in syscalls.AUDIT_ARCH:
        plain, roomy = Filter(machine), Filter(machine, scratch=True)
        names = {name for name in plain.numbers if plain(name) != roomy(name)}
        assert names <= set(seccomp._ALLOWED_WITH_SCRATCH)
        assert roomy("openat", -100, 0, os.O_RDWR | os.O_CREAT) == ALLOW
        assert roomy("clone", 17) == errno.EPERM


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_agree_with_the_kernels_own_headers(machine: str) -> None:
    """Claim: every number in our table is the one in Linux's header, where that is installed and knows the call."""
    header = next((path for path in HEADERS[machine] if path.is_file()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(encoding="utf-8")))
    compared = 0
    for name, number in syscalls.numbers(machine).items():
        if name in defined:
            assert int(defined[name]) == number, name
            compared += 1
    assert compared > 150


def test_advice_on_memory_of_ones_own_and_none_that_hides_or_merges_it(verdict: Filter) -> None:
    """Claim: what allocators and libraries say is allowed; KSM, paging out, poisoning and collapsing are not."""
    for advice in (0, 1, 2, 3, 4, 8, 10, 14, 15, 16, 18, 102):
        assert verdict("madvise", 0, 4096, advice) == ALLOW
    for advice in (9, 12, 13, 20, 21, 24, 25, 100, 101, 1 << 31):
        assert verdict("madvise", 0, 4096, advice) == errno.EINVAL


def test_the_disk_and_the_page_cache_are_left_alone(verdict: Filter) -> None:
    """Claim: no flush, and no advice on files, which would empty the cache under the next program. Scratch files may be flushed."""
    for name in ("fsync", "fdatasync", "fadvise64"):
        assert verdict(name, 3) == errno.EPERM
    roomy = Filter("x86_64", scratch=True)
    assert (roomy("fsync", 3), roomy("fdatasync", 3), roomy("fadvise64", 3)) == (ALLOW, ALLOW, errno.EPERM)


def test_locks_wait_and_wake_and_hand_on_no_priority(verdict: Filter) -> None:
    """Claim: futex for what Python's and numpy's locks need, private or not, with any clock; its PI operations are not there."""
    for operation in (0, 1, 3, 4, 5, 9, 10):
        for flags in (0, 128, 256, 384):
            assert verdict("futex", 0, operation | flags) == ALLOW
    for operation in (2, 6, 7, 8, 11, 12, 13, 6 | 128):
        assert verdict("futex", 0, operation) == errno.ENOSYS
    for name in ("futex_waitv", "futex_wake", "futex_wait"):
        assert verdict(name) == errno.ENOSYS


def test_no_urgent_byte_and_no_calls_that_python_has_no_use_for(verdict: Filter) -> None:
    """Claim: send and recv work but for MSG_OOB; POSIX timers, protection keys and others' robust lists are shut."""
    assert (
        verdict("recvfrom", 3, 0, 9, 0x2)
        == verdict("recvfrom", 3, 0, 9, 0)
        == verdict("sendto", 3, 0, 9, 0x4000)
        == ALLOW
    )
    assert (
        verdict("recvfrom", 3, 0, 9, 1)
        == verdict("sendto", 3, 0, 9, 1)
        == verdict("sendto", 3, 0, 9, 0x4001)
        == errno.EPERM
    )
    for name in ("timer_create", "timer_settime", "pkey_alloc", "pkey_mprotect", "get_robust_list"):
        assert verdict(name) == errno.EPERM
