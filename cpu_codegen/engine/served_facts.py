"""What a server tells of itself: the model that it serves, the template, the context, its slots; and which process here it is.

Known: llama-server (/props), Ollama (/api/tags, /api/show), LM Studio (/api/v0/models), llama-cpp-python's server (/openapi.json);
of any other what /v1/models says. Only what stays the same while the same model is served is kept: its hash stands in the keys of
the answers.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from cpu_codegen.engine.served_http import API_KEY, Address, Refused, Trouble, Unready, ask
from cpu_codegen.errors import UnavailableError, UsageError
from cpu_codegen.store import digest

Kind = Literal["llama-server", "Ollama", "LM Studio", "llama-cpp-python", "a server"]

_MODEL_FIELDS = (
    "id owned_by meta digest size root parent max_model_len max_context_length quantization arch publisher "
    "compatibility_type type details"
).split()
_PROPS_FIELDS = "model_path model_alias chat_template bos_token eos_token build_info".split()
_SHOW_FIELDS = "template parameters details system capabilities".split()


@dataclass(frozen=True, slots=True)
class Served:
    """A served model. `told` is what the server says of itself and enters the hash; slots, context and pid do not.

    `slots` None = it does not say how many requests it works on at once; `pid` None = not on this machine, or not to be found.
    """

    address: Address
    model: str
    kind: Kind
    told: Mapping[str, Any] = field(default_factory=dict)
    slots: int | None = None
    ctx_tokens: int | None = None
    build: str = ""
    size_bytes: int = 0
    is_local: bool = False
    pid: int | None = None

    @property
    def hash(self) -> str:
        """Hex sha256 over all that was told."""
        return digest("served", self.model, self.kind, self.told)

    @property
    def short_name(self) -> str:
        """The last part of the id, without .gguf: for folders and tables."""
        name = PurePosixPath(self.model.replace("\\", "/")).name
        return re.sub(r"(?i)\.gguf$", "", name) or self.model

    @property
    def label(self) -> str:
        """The kind with its build: what stands in a manifest where llama.cpp's build would."""
        return f"{self.kind} {self.build}".strip()

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "url": self.address.url,
            "kind": self.kind,
            "build": self.label,
            "hash": self.hash,
            "told": dict(self.told),
            "slots": self.slots,
            "is_local": self.is_local,
        }


def look(address: Address, wanted: str = "") -> Served:
    """Asks the server. UnavailableError when it does not answer, UsageError when the model is not plain."""
    try:
        listed = ask(address, "/v1/models")
        entries = listed.get("data") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise Trouble("/v1/models: no list of models")
        entry = _chosen([e for e in entries if isinstance(e, dict) and isinstance(e.get("id"), str)], wanted)
        return _described(address, entry)
    except (Refused, Trouble) as error:
        raise no_server(address, error) from error


def no_server(address: Address, error: Exception) -> UnavailableError:
    """The error for a server that gives no good answer."""
    status = error.status if isinstance(error, Refused) else 0
    remedy = (
        f"set {API_KEY} to its key"
        if status in (401, 403)
        else "start it, or mend the address; the same command goes on"
    )
    return UnavailableError(f"the server at {address.url} gives no answer: {error}", remedy=remedy)


def _chosen(entries: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    names = [entry["id"] for entry in entries]
    if not names:
        raise UnavailableError("the server serves no model", remedy="load one there")
    if not wanted and len(names) == 1:
        return entries[0]
    for entry in entries:
        if entry["id"] in (wanted, f"{wanted}:latest"):
            return entry
    what = f"no model {wanted!r} at the server" if wanted else "the server has several models"
    raise UsageError(f"{what}: {', '.join(names[:20])}", remedy=f"-m {names[0]}, or another of them")


def _described(address: Address, entry: dict[str, Any]) -> Served:
    """The first kind of server whose own way of telling gets an answer of the right form. Unready where one may come later."""
    told: dict[str, Any] = {"model": _only(entry, _MODEL_FIELDS)}
    found = Served(address, entry["id"], "a server", told, size_bytes=_size(entry))
    for describe in (_llama_server, _ollama, _lm_studio, _llama_cpp_python):
        try:
            more = describe(address, entry["id"], told)
        except Unready:
            raise  # another kind would be another identity, and other keys
        except (Refused, Trouble):
            continue
        if more is not None:
            found = more
            break
    local = is_local(address.host)
    pid = listening_process(address.port) if local else None
    return Served(
        address=address,
        model=found.model,
        kind=found.kind,
        told=found.told,
        slots=found.slots,
        ctx_tokens=found.ctx_tokens,
        build=found.build,
        size_bytes=found.size_bytes or _size(entry),
        is_local=local,
        pid=pid,
    )


def _llama_server(address: Address, model: str, told: dict[str, Any]) -> Served | None:
    props = ask(address, "/props")
    if not isinstance(props, dict) or "default_generation_settings" not in props:
        return None
    defaults = props["default_generation_settings"]
    ctx = defaults.get("n_ctx") if isinstance(defaults, dict) else None
    return Served(
        address,
        model,
        "llama-server",
        {**told, "props": _only(props, _PROPS_FIELDS)},
        slots=_positive(props.get("total_slots")),
        ctx_tokens=_positive(ctx),
        build=str(props.get("build_info") or ""),
    )


def _ollama(address: Address, model: str, told: dict[str, Any]) -> Served | None:
    entry = _entry(ask(address, "/api/tags"), "models", "name", model)
    if entry is None or "digest" not in entry:
        return None
    shown, version = ask(address, "/api/show", {"model": model}), ask(address, "/api/version")
    more = {"tag": _only(entry, _MODEL_FIELDS), "show": _only(shown, _SHOW_FIELDS)}
    build = str(version.get("version", "")) if isinstance(version, dict) else ""
    return Served(address, model, "Ollama", {**told, **more}, build=build, size_bytes=_size(entry))


def _lm_studio(address: Address, model: str, told: dict[str, Any]) -> Served | None:
    entry = _entry(ask(address, "/api/v0/models"), "data", "id", model)
    if entry is None:
        return None
    ctx = _positive(entry.get("loaded_context_length"))
    return Served(address, model, "LM Studio", {**told, "entry": _only(entry, _MODEL_FIELDS)}, ctx_tokens=ctx)


def _llama_cpp_python(address: Address, model: str, told: dict[str, Any]) -> Served | None:
    described = ask(address, "/openapi.json")
    info = described.get("info") if isinstance(described, dict) else None
    if not isinstance(info, dict) or "llama.cpp Python" not in str(info.get("title")):
        return None
    version = str(info.get("version") or "")
    return Served(address, model, "llama-cpp-python", {**told, "version": version}, slots=1, build=version)


def _entry(listed: Any, members: str, name: str, wanted: str) -> dict[str, Any] | None:
    """The object of a list of objects that has this name."""
    entries = listed.get(members) if isinstance(listed, dict) else None
    found = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return next((one for one in found if one.get(name) == wanted), None)


def _only(record: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record} if isinstance(record, dict) else {}


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _size(entry: dict[str, Any]) -> int:
    meta = entry.get("meta")
    return _positive(entry.get("size")) or (_positive(meta.get("size")) if isinstance(meta, dict) else None) or 0


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


def is_local(host: str) -> bool:
    """Whether the host is this machine: a loopback address, or one of its own."""
    import psutil

    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    own = {address.address.partition("%")[0] for addresses in psutil.net_if_addrs().values() for address in addresses}
    return any(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback or one in own for one in found)


def listening_process(port: int) -> int | None:
    """Who listens on a TCP port here; None where the system does not tell (another user's process)."""
    import psutil

    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return _by_process(port)  # macOS shows all processes only to root; one's own can be asked
    pids = [c.pid for c in found if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port and c.pid]
    return pids[0] if pids else None


def _by_process(port: int) -> int | None:
    import psutil

    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.Error, OSError):
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port for c in connections):
            return int(process.pid)
    return None


def peak_memory(pid: int) -> int | None:
    """The high-water marks of a process and of its children added up (Ollama loads models in children); None when it is gone."""
    import psutil

    from cpu_codegen.engine.meters import memory

    try:
        family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return None
    peaks = [m.peak_rss_bytes or m.rss_bytes for m in (memory(one) for one in family)]
    return sum(peak for peak in peaks if peak) or None
