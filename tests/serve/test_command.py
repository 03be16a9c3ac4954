"""`run --engine URL` as a user types it: against llama-cpp-python's real server, and against a stand-in that changes or fails."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.cli import app
from cpu_codegen.engine.served import Retries, ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.errors import UsageError
from cpu_codegen.packaged import demo_model
from cpu_codegen.schema import FinishReason, Request
from tests.line.support import COMMAND, lines
from tests.serve.standin import StandIn, chunk, pieces, status

Run = Callable[..., subprocess.CompletedProcess[str]]
QUICK = ["--limit", "2", "--efficiency-budget", "0", "-o", "json"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches of these tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def command(home: Path, tmp_path: Path) -> Run:
    """`command("run", …)` in a folder of its own."""
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME")
    env = {**os.environ, **{name: str(home / name) for name in names}, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=200, check=False
        )

    return run


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama-cpp-python's own server with the demo model."""
    for package in ("fastapi", "uvicorn", "sse_starlette", "starlette_context", "pydantic_settings"):
        pytest.importorskip(package)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--model", str(demo_model()), "--model_alias", "served-demo", "--host", "127.0.0.1", "--port", str(port)]
    words += [
        "--n_ctx",
        "2048",
        "--n_threads",
        "1",
        "--n_threads_batch",
        "1",
        "--logits_all",
        "false",
        "--verbose",
        "false",
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "llama_cpp.server", *words], stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v1/models", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(log.read_text(errors="replace")[-2000:])


# ── the real server ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.model
def test_a_real_server_gives_the_verdicts_of_our_own_engine(command: Run, tmp_path: Path, real: str) -> None:
    """Greedy, the demo model, both ways: the same problems, the same verdicts, answers cut at the same place."""
    scope = ["--limit", "3", "--style", "plain,cot", "--efficiency-budget", "0", "-o", "json"]
    served = command("run", "--engine", real, "--out", "served", *scope)
    assert served.returncode == 0, served.stderr
    own = command("run", "-m", "demo", "-t", "1", "--parallel", "1", "--out", "own", *scope)
    assert own.returncode == 0, own.stderr
    verdicts = [
        {(r["problem_id"], r["style"]): r["outcome"] for r in lines(tmp_path / run / "results.jsonl")}
        for run in ("served", "own")
    ]
    assert verdicts[0] == verdicts[1]
    assert len(verdicts[0]) == 6
    assert "passed" in verdicts[0].values()
    ends = [{r["finish_reason"] for r in lines(tmp_path / run / "generations.jsonl")} for run in ("served", "own")]
    assert ends[0] == ends[1]
    manifest = json.loads((tmp_path / "served" / "manifest.json").read_text())
    assert manifest["model"]["name"] == "served-demo"
    assert manifest["model"]["sha256"].startswith("served:served-demo:")
    assert manifest["engine"]["timings"] == "client-side"
    assert manifest["engine"]["width"] == 1
    assert all(g["peak_rss_bytes"] > 10_000_000 for g in lines(tmp_path / "served" / "generations.jsonl"))
    compared = command("compare", "served", "own", "--across", "-o", "json")
    assert compared.returncode == 0, compared.stderr


@pytest.mark.model
def test_a_prompt_over_a_real_servers_context_is_an_answer(real: str) -> None:
    """The server ends the stream without a word; asked plainly it says why, and the next request goes on."""
    engine = ServedEngine(look(parse_address(real)), retries=Retries(attempts=2, back_off_s=0.01))
    long, short = (
        Request(key, text, add_special=False, seed=1, max_tokens=4)
        for key, text in (("long", "word " * 5000), ("short", "Hello"))
    )
    found = {one.key: one.finish_reason for one in engine.run([long, short])}
    engine.close()
    assert found["long"] is FinishReason.PROMPT_TOO_LONG
    assert found["short"] in (FinishReason.LENGTH, FinishReason.EOS)


# ── the stand-in ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_against_a_server_is_a_run_like_any_other(command: Run, tmp_path: Path, server: StandIn) -> None:
    """Folder, verdicts, page; the summary says whose clock the times are by."""
    result = command("run", "--engine", f"{server.url}/v1", "--out", "r", *QUICK)
    assert result.returncode == 0, result.stderr
    assert len(lines(tmp_path / "r" / "results.jsonl")) == 2
    page = (tmp_path / "r" / "report.html").read_text()
    assert "client-side" in page
    report = command("report", "r")
    assert "client-side" in report.stdout
    again = command("run", "--engine", server.url, "--out", "r", *QUICK)
    assert again.returncode == 0
    assert len(server.requests) == 2


def test_another_server_on_resume_is_refused(command: Run, tmp_path: Path, server: StandIn) -> None:
    """It is asked again; what it tells of itself has changed: exit 6, no answer is mixed in."""
    assert command("run", "--engine", server.url, "--out", "r", *QUICK).returncode == 0
    server.models[0]["meta"] = {"n_params": 5}
    result = command("run", "--engine", server.url, "--out", "r", "--limit", "3", "--efficiency-budget", "0")
    assert result.returncode == 6, result.stderr
    assert "what the server tells of itself" in result.stderr
    assert len(lines(tmp_path / "r" / "generations.jsonl")) == 2


def test_a_digest_stands_for_the_model(command: Run, tmp_path: Path, server: StandIn) -> None:
    """With --model-sha256 the key holds the digest, and what the server tells beside may change."""
    digest = ["--model-sha256", "ab" * 32]
    assert command("run", "--engine", server.url, *digest, "--out", "r", *QUICK).returncode == 0
    server.models[0]["meta"] = {"n_params": 5}
    result = command("run", "--engine", server.url, *digest, "--out", "r", *QUICK)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["model"]["sha256"] == "ab" * 32
    assert len(server.requests) == 2


def test_with_a_digest_answers_are_taken_over_and_without_one_never(
    command: Run, tmp_path: Path, server: StandIn
) -> None:
    """`--reuse` asks nothing again where the file is vouched for and the server is of the same kind; else it says why not."""
    digest = ["--model-sha256", "ab" * 32]
    assert command("run", "--engine", server.url, *digest, *QUICK).returncode == 0
    reused = command("run", "--engine", server.url, *digest, "--out", "again", "--reuse", *QUICK)
    assert reused.returncode == 0, reused.stderr
    assert len(server.requests) == 2
    assert all(record["reused_from"] for record in lines(tmp_path / "again" / "generations.jsonl"))
    without = command("run", "--engine", server.url, "--out", "third", "--reuse", *QUICK)
    assert without.returncode == 0, without.stderr
    assert "only with --model-sha256" in without.stderr
    assert len(server.requests) == 4


def test_a_dead_server_is_exit_4_and_the_same_command_goes_on(command: Run, tmp_path: Path, server: StandIn) -> None:
    """A refused request writes no line; once the server is well the rest comes, and no sample twice."""
    server.script = [server.play, status(403)]
    result = command("run", "--engine", server.url, "--out", "r", *QUICK)
    assert result.returncode == 4, result.stderr
    assert "CPU_CODEGEN_API_KEY" in result.stderr
    assert len(lines(tmp_path / "r" / "generations.jsonl")) == 1
    result = command("run", "--engine", server.url, "--out", "r", *QUICK)
    assert result.returncode == 0, result.stderr
    keys = [record["key"] for record in lines(tmp_path / "r" / "generations.jsonl")]
    assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--think", "100"], "--think"),
        (["--draft", "lookup"], "--draft"),
        (["--ctx", "512"], "--ctx"),
        (["-t", "2"], "--threads"),
        (["--prompt-format", "chatml"], "--prompt-format"),
        (["--model-sha256", "xyz"], "--model-sha256"),
        (["-m", "other"], "no model 'other'"),
    ],
)
def test_options_that_do_not_reach_a_server(
    server: StandIn, options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 with the option's name and what to do; nothing was generated."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said) as caught:
        app(["run", "--engine", server.url, *options, *QUICK], standalone_mode=False)
    assert caught.value.remedy
    assert not server.requests


def test_hostile_text_of_a_server_reaches_no_terminal(command: Run, server: StandIn) -> None:
    """A model's id with control characters is shown, not obeyed."""
    server.models = [{"id": "a\x1b[31mred\u202e"}, {"id": "b"}]
    result = command("run", "--engine", server.url, *QUICK)
    assert result.returncode == 2
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


def test_the_answers_text_is_kept_as_it_came(command: Run, tmp_path: Path, server: StandIn) -> None:
    """Early stop cuts behind the block; --no-early-stop keeps all."""
    scope = ["--limit", "1", "--efficiency-budget", "0", "--no-early-stop", "-o", "json"]
    assert command("run", "--engine", server.url, "--out", "r", *scope).returncode == 0
    (record,) = lines(tmp_path / "r" / "generations.jsonl")
    expected: Any = [chunk(piece)["choices"][0]["delta"]["content"] for piece in pieces()]
    assert record["text"] == "".join(expected)
