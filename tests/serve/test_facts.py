"""What a server tells of itself: which model, which kind of server, and a hash that only a change changes."""

from __future__ import annotations

from typing import Any

import pytest

from cpu_codegen.engine.served_facts import is_local, look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.errors import UnavailableError, UsageError
from tests.serve.standin import StandIn, status

PROPS: dict[str, Any] = {
    "default_generation_settings": {"n_ctx": 4096, "params": {"seed": 1}},
    "total_slots": 4,
    "model_path": "/models/a.gguf",
    "chat_template": "{{ messages }}",
    "build_info": "b9000-abc",
}


def seen(server: StandIn, wanted: str = "") -> Any:
    """What `look` finds."""
    return look(parse_address(server.url), wanted)


def test_one_model_needs_no_name(server: StandIn) -> None:
    """-m is optional when the server has one."""
    assert seen(server).model == "small"


def test_several_models_need_one(server: StandIn) -> None:
    """The error lists them."""
    server.models = [{"id": "a"}, {"id": "b"}]
    with pytest.raises(UsageError, match="several models: a, b"):
        seen(server)
    assert seen(server, "b").model == "b"
    with pytest.raises(UsageError, match="no model 'c'"):
        seen(server, "c")


def test_ollamas_latest_may_be_left_out(server: StandIn) -> None:
    """`-m coder` finds coder:latest."""
    server.models = [{"id": "coder:latest"}, {"id": "b"}]
    assert seen(server, "coder").model == "coder:latest"


def test_a_server_without_a_model_is_unavailable(server: StandIn) -> None:
    """Exit 4."""
    server.models = []
    with pytest.raises(UnavailableError, match="serves no model"):
        seen(server)


def test_the_hash_stays_while_the_same_is_served(server: StandIn) -> None:
    """Times of creation, counters and the number of slots are no part of it."""
    server.paths["/props"] = PROPS
    before = seen(server)
    server.models[0]["created"] = 99
    server.paths["/props"] = {**PROPS, "total_slots": 1, "is_sleeping": True}
    after = seen(server)
    assert before.hash == after.hash
    assert (before.slots, after.slots) == (4, 1)
    assert before.ctx_tokens == 4096


@pytest.mark.parametrize("field", ["model_path", "chat_template", "build_info"])
def test_the_hash_changes_with_what_is_served(server: StandIn, field: str) -> None:
    """Another file, template or build is another identity."""
    server.paths["/props"] = PROPS
    before = seen(server).hash
    server.paths["/props"] = {**PROPS, field: "another"}
    assert seen(server).hash != before


def test_ollama_is_known_by_its_digest(server: StandIn) -> None:
    """/api/tags holds the digest, /api/show the template and parameters."""
    server.models = [{"id": "coder:7b", "created": 5, "owned_by": "library"}]
    tag = {"name": "coder:7b", "digest": "d" * 64, "size": 4_000, "modified_at": "now"}
    server.paths |= {
        "/api/tags": {"models": [tag]},
        "/api/version": {"version": "0.30.1"},
        "/api/show": {"template": "T", "parameters": "num_ctx 4096", "modified_at": "now"},
    }
    before = seen(server)
    assert (before.kind, before.build, before.size_bytes) == ("Ollama", "0.30.1", 4000)
    server.paths["/api/tags"] = {"models": [{**tag, "modified_at": "later"}]}
    assert seen(server).hash == before.hash
    server.paths["/api/tags"] = {"models": [{**tag, "digest": "e" * 64}]}
    assert seen(server).hash != before.hash


def test_lm_studio_tells_its_quantization(server: StandIn) -> None:
    """/api/v0/models; whether it is loaded just now does not matter."""
    entry = {"id": "small", "quantization": "Q4_K_M", "arch": "qwen2", "state": "loaded", "loaded_context_length": 8192}
    server.paths["/api/v0/models"] = {"data": [entry]}
    before = seen(server)
    assert (before.kind, before.ctx_tokens) == ("LM Studio", 8192)
    server.paths["/api/v0/models"] = {"data": [{**entry, "state": "not-loaded"}]}
    assert seen(server).hash == before.hash


@pytest.mark.parametrize(
    "nonsense", [[], {"data": 5}, {"data": [5, {"id": 7}]}, {"default_generation_settings": 1}, None]
)
def test_nonsense_from_a_side_path_says_nothing(server: StandIn, nonsense: Any) -> None:
    """/v1/models alone is enough."""
    for path in ("/props", "/api/tags", "/api/v0/models", "/openapi.json"):
        server.paths[path] = nonsense
    assert seen(server).model == "small"


@pytest.mark.parametrize("listed", [[], {"data": {}}, "x", None])
def test_nonsense_for_a_list_of_models_is_unavailable(
    server: StandIn, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4, not a traceback."""
    monkeypatch.setattr("cpu_codegen.engine.served_facts.ask", lambda *a: listed)
    with pytest.raises(UnavailableError, match="no list of models"):
        seen(server)


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_taken_for_no_other_kind(server: StandIn, code: int) -> None:
    """Its answers would stand under another identity, and the next session would be refused: exit 4 and try again."""
    server.paths["/props"] = status(code)
    with pytest.raises(UnavailableError, match=f"{code}: reason {code}"):
        look(parse_address(server.url))
    server.paths["/props"] = status(500)
    assert look(parse_address(server.url)).kind == "a server"


def test_this_machine_is_known_as_such() -> None:
    """Loopback is here; a documentation address is not."""
    assert is_local("127.0.0.1")
    assert is_local("localhost")
    assert not is_local("192.0.2.7")


def test_the_short_name_is_the_files(server: StandIn) -> None:
    """For folders and tables."""
    server.models = [{"id": "/models/deep/Qwen2.5-Coder-Q4_K_M.gguf"}]
    assert seen(server).short_name == "Qwen2.5-Coder-Q4_K_M"
