"""seccomp: the system calls that a candidate may make, with the arguments it may give. Own BPF, no library.

Stops, among others: the network of every family, new processes, signals to others, ptrace, io_uring, keyrings, shared memory
segments, opening a file for writing, chmod/utime/xattr, locks, flushing the disk, emptying the page cache under the next program.
Not covered: which files are read (it cannot see paths).

The filter is a binary search over call numbers: about 10 comparisons per call, and quick to install, because the kernel
simulates it for every call number when it is loaded.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct

from cpu_codegen.sandbox.layers import kernel, syscalls

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant
Block = list[Instruction]

_LOAD, _JUMP, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN, _AND = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_OFFSET_OF_NUMBER, _OFFSET_OF_ARCH, _X32_BIT = 0, 4, 0x40000000
_PID_MARK = 0x5AFE0001  # stands for the process's own pid until the filter is loaded
_SET_MODE_FILTER = 1

_ALLOWED = """
read write close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64
readv writev access pipe select sched_yield mremap msync dup dup2 dup3 pause nanosleep getitimer alarm setitimer getpid shutdown
getsockname getpeername getsockopt exit uname getdents getdents64 getcwd chdir fchdir readlink readlinkat umask gettimeofday
getrlimit getrusage sysinfo times getuid getgid geteuid getegid getppid getpgrp getgroups getresuid getresgid getpgid getsid
rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack statfs fstatfs getpriority sched_getparam sched_getscheduler
sched_get_priority_max sched_get_priority_min sched_getaffinity arch_prctl gettid time set_tid_address restart_syscall
clock_gettime clock_getres clock_nanosleep exit_group epoll_create epoll_create1 epoll_wait epoll_pwait epoll_pwait2 epoll_ctl
newfstatat faccessat faccessat2 pselect6 ppoll set_robust_list timerfd_create timerfd_settime timerfd_gettime eventfd eventfd2
pipe2 getcpu getrandom membarrier statx rseq close_range wait4 waitid ioprio_get preadv preadv2
""".split()

# No honest program makes these: the process is killed, and the verdict says "violation".
_FATAL = """
ptrace process_vm_readv process_vm_writev kcmp bpf perf_event_open userfaultfd keyctl add_key request_key mount umount2 pivot_root
chroot unshare setns reboot kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff iopl ioperm
open_by_handle_at io_uring_setup io_uring_enter io_uring_register pidfd_getfd settimeofday clock_settime adjtimex clock_adjtime acct
quotactl modify_ldt personality fsopen fsmount move_mount open_tree mount_setattr vmsplice
""".split()

# Added where a program has a scratch folder of its own; which folder, is for the file system layers to say.
_ALLOWED_WITH_SCRATCH = """
open openat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 truncate ftruncate fallocate fsync fdatasync
""".split()

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLONE_VM, _CLONE_THREAD, _CLONE_NAMESPACES = 0x100, 0x10000, 0x7E020080
_PRCTL_ALLOWED = (3, 15, 16, 21, 23, 39, 0x53564D41)  # names and getters
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
_FCNTL_ALLOWED = (0, 1, 2, 3, 4, 1030, 1032, 1034)  # duplicate, flags, pipe size; no locks, leases, owners
# Waiting and waking. Python never hands a priority on to the holder of a lock; the kernel's code for that is known for its bugs, as
# is that for a socket's urgent byte.
_FUTEX_ALLOWED = (0, 1, 3, 4, 5, 9, 10)
_FUTEX_OPERATION = 0x7F  # without the flags
_MSG_OOB = 1
# Advice on use, fork, huge pages, dumps, guards. None that pages memory out, which hides it from the peak, or merges it with
# that of another process, which tells of it.
_MADVISE_ALLOWED = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 22, 23, 102, 103)


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _error(number: int) -> int:
    return 0x00050000 | number


def _argument(index: int, *, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * index + (4 if high else 0))


def _if_zero_bits(index: int, mask: int, refusal: int) -> Block:
    return [_argument(index), (_IF_ANY_BIT, 1, 0, mask), _return(_ALLOW), _return(_error(refusal))]


def _if_one_of(index: int, values: tuple[int, ...], refusal: int, mask: int = 0) -> Block:
    """Allows the call when the low half of an argument, as far as a mask goes, is in `values`."""
    last = len(values) - 1
    tests = [(_IF_EQUAL, last - i, 1 if i == last else 0, value) for i, value in enumerate(values)]
    masked: Block = [(_AND, 0, 0, mask)] if mask else []
    return [_argument(index), *masked, *tests, _return(_ALLOW), _return(_error(refusal))]


def _if_null(index: int, refusal: int) -> Block:
    both_halves: Block = [(_IF_EQUAL, 0, 3, 0), _argument(index, high=True), (_IF_EQUAL, 0, 1, 0)]
    return [_argument(index), *both_halves, _return(_ALLOW), _return(_error(refusal))]


def _blocks() -> dict[str, Block]:
    """The calls that depend on their arguments."""
    thread = _CLONE_THREAD | _CLONE_VM
    own_limits: Block = [
        _argument(0),
        (_IF_EQUAL, 1, 0, 0),
        (_IF_EQUAL, 0, 5, _PID_MARK),
        *_if_null(2, errno.EPERM)[:4],
    ]
    return {
        "open": _if_zero_bits(1, _WRITING, errno.EACCES),
        "openat": _if_zero_bits(2, _WRITING, errno.EACCES),
        "clone": [
            _argument(0),
            (_AND, 0, 0, thread | _CLONE_NAMESPACES),
            (_IF_EQUAL, 0, 1, thread),
            _return(_ALLOW),
            _return(_error(errno.EPERM)),
        ],
        "clone3": [_return(_error(errno.ENOSYS))],  # its flags lie in memory; the C library falls back to clone
        "openat2": [_return(_error(errno.ENOSYS))],
        "futex": _if_one_of(1, _FUTEX_ALLOWED, errno.ENOSYS, mask=_FUTEX_OPERATION),
        "futex_waitv": [_return(_error(errno.ENOSYS))],
        "futex_wake": [_return(_error(errno.ENOSYS))],
        "futex_wait": [_return(_error(errno.ENOSYS))],
        "kill": _if_one_of(0, (_PID_MARK,), errno.EPERM),
        "tgkill": _if_one_of(0, (_PID_MARK,), errno.EPERM),
        "prlimit64": [*own_limits, _return(_ALLOW), _return(_error(errno.EPERM))],
        "prctl": _if_one_of(0, _PRCTL_ALLOWED, errno.EPERM),
        "ioctl": _if_one_of(1, _IOCTL_ALLOWED, errno.ENOTTY),
        "fcntl": _if_one_of(1, _FCNTL_ALLOWED, errno.EPERM),
        "madvise": _if_one_of(2, _MADVISE_ALLOWED, errno.EINVAL),
        # asyncio needs a stream pair; a datagram pair could send to a path, so could sendto with an address
        "socketpair": [
            _argument(0),
            (_IF_EQUAL, 0, 4, 1),
            _argument(1),
            (_AND, 0, 0, 0xF),
            (_IF_EQUAL, 0, 1, 1),
            _return(_ALLOW),
            _return(_error(errno.EACCES)),
        ],
        "sendto": [
            _argument(3),
            (_IF_ANY_BIT, 0, 1, _MSG_OOB),
            _return(_error(errno.EPERM)),
            *_if_null(4, errno.EACCES),
        ],
        "recvfrom": _if_zero_bits(3, _MSG_OOB, errno.EPERM),
    }


def _actions(machine: str, *, scratch: bool) -> dict[int, Block]:
    numbers = syscalls.numbers(machine)
    actions = {numbers[name]: [_return(_ALLOW)] for name in _ALLOWED if name in numbers}
    actions |= {numbers[name]: [_return(_KILL)] for name in _FATAL if name in numbers}
    actions |= {numbers[name]: block for name, block in _blocks().items() if name in numbers}
    if scratch:
        actions |= {numbers[name]: [_return(_ALLOW)] for name in _ALLOWED_WITH_SCRATCH if name in numbers}
    return actions


def _ranges(actions: dict[int, Block]) -> list[tuple[int, Block]]:
    """(first call number, what to do) in order; neighbours with the same answer are one range."""
    refuse: Block = [_return(_error(errno.EPERM))]
    ranges: list[tuple[int, Block]] = []
    for number in range(syscalls.NEWEST_KNOWN + 1):
        block = actions.get(number, refuse)
        if not ranges or ranges[-1][1] != block:
            ranges.append((number, block))
    return [*ranges, (syscalls.NEWEST_KNOWN + 1, [_return(_error(errno.ENOSYS))])]


def _search(ranges: list[tuple[int, Block]]) -> Block:
    """A binary search for the range that holds the call's number."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    left, right = _search(ranges[:middle]), _search(ranges[middle:])
    return [(_IF_AT_LEAST, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(left)), *left, *right]


def build(machine: str | None = None, *, scratch: bool = False) -> bytes:
    """The filter as bytes, with a mark where the process's own pid belongs. `scratch`: files may be written."""
    machine = machine or kernel.machine()
    _number()
    program: Block = [
        (_LOAD, 0, 0, _OFFSET_OF_ARCH),
        (_IF_EQUAL, 1, 0, syscalls.AUDIT_ARCH[machine]),
        _return(_KILL),  # int 0x80 and other foreign calling conventions
        (_LOAD, 0, 0, _OFFSET_OF_NUMBER),
    ]
    if machine == "x86_64":
        program += [(_IF_AT_LEAST, 0, 1, _X32_BIT), _return(_KILL)]
    program += _search(_ranges(_actions(machine, scratch=scratch)))
    return b"".join(struct.pack("=HBBI", code, jt, jf, k & 0xFFFFFFFF) for code, jt, jf, k in program)


@functools.cache
def _number() -> int:
    """Of the call that loads a filter; known before the first fork, see `build`."""
    return syscalls.numbers(kernel.machine())["seccomp"]


class _Header(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def load(program: bytes) -> None:
    """Puts the calling process under the filter for ever. Needs no_new_privs."""
    program = program.replace(struct.pack("=I", _PID_MARK), struct.pack("=I", os.getpid()))
    buffer = ctypes.create_string_buffer(program, len(program))

    header = _Header(len(program) // 8, ctypes.addressof(buffer))
    kernel.syscall(_number(), ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(header))


def available() -> bool:
    """True where this kernel has seccomp filters and we have a table for this machine."""
    if kernel.machine() not in syscalls.AUDIT_ARCH:
        return False
    try:
        with open("/proc/self/status") as status:
            return "Seccomp_filters:" in (text := status.read()) or "Seccomp:" in text
    except OSError:
        return False
