"""Wrong command lines: exit 2, what is wrong, and what to type instead."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from cpu_codegen import cli
from cpu_codegen.errors import CpuCodegenError, UsageError


def refused(line: str) -> tuple[str, str]:
    """Message and remedy of a command line that typer does not take."""
    with pytest.raises(UsageError) as caught:
        cli.invoke(cli.app, line.split())
    assert caught.value.exit_code == 2
    return str(caught.value), caught.value.remedy or ""


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ("rnu", "cpu-codegen has no command 'rnu'", "cpu-codegen run"),
        ("frobnicate", "cpu-codegen has no command 'frobnicate'", "cpu-codegen -h lists all"),
        ("runs lst", "cpu-codegen runs has no command 'lst'", "cpu-codegen runs list"),
        ("run --stile cot", "cpu-codegen run has no option --stile", "--style"),
        ("show latest -q", "cpu-codegen show has no option -q", "cpu-codegen show -h lists all"),
        ("show", "missing argument 'RUN'", "cpu-codegen show RUN"),
        ("report", "missing argument 'RUN...'", "cpu-codegen report RUN"),
        ("run qwen2.5-coder-1.5b", "unexpected extra argument", "cpu-codegen run -m qwen2.5-coder-1.5b"),
        ("show a b", "unexpected extra argument", "cpu-codegen show -h"),
        ("run -m x --limit 0", "invalid value for '--limit': ", "cpu-codegen run -h"),
        ("run -m x --limit", "'--limit' requires an argument", "cpu-codegen run -h"),
        ("run -m x --temperature 9", "'--temperature': must be less than or equal to 5", "cpu-codegen run -h"),
        ("bench", "missing option '-m'", "cpu-codegen bench -m"),
        ("export d9", "missing option '--as': evalplus, human-eval", "cpu-codegen export RUN --as evalplus"),
        ("report latest -o xml", "'xml' is not one of 'table', 'md'", "cpu-codegen report -h"),
    ],
)
def test_what_was_meant_is_named(line: str, message: str, remedy: str) -> None:
    """The message has the word that is wrong, the remedy begins with what is nearest to it."""
    said, advised = refused(line)
    assert message in said
    assert advised.startswith(remedy)


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ("run -m demo --efficiency-budget 4x", "--efficiency-budget '4x' is no duration", "--efficiency-budget 45s"),
        ("run -m demo --max-ram 2", "'2' is 2 bytes: it lacks a unit", "2G"),
        ("run -m demo --threads 9999", "--threads 9999: this machine has", "-t "),
        ("run -m demo --draft lookup --parallel 4", "--draft guesses ahead at width 1", "--parallel 1"),
        ("run -m demo --draft lookup --temperature 0.8", "--draft guesses greedy answers ahead", "drop one of the two"),
        ("run -m demo --draft no.gguf", "no file no.gguf", "check the path"),
        ("run -m demo --parallel 300", "llama.cpp decodes at most 256 sequences together", "--parallel auto, or"),
        ("run -m demo --ids lone_tent --out new", "no problem 'lone_tent'", "--ids lone_tents"),
        ("run -m demo --prompt-file no.txt --out new", "cannot read no.txt: No such file", "--prompt-file FILE"),
        ("plan --as-if ram=4", "'4' is 4 bytes: it lacks a unit", "4G"),
        ("run -m ./no.gguf", "no file no.gguf", "check the path: no .gguf file is there"),
        ("bench -m demo -t 0", "no measuring without a thread", "-t auto"),
        ("show latset", "latset is no run folder", "latest"),
        ("show two --ids x", "two is no run folder", "cpu-codegen runs list"),
    ],
)
def test_what_a_command_refuses_names_the_option(
    line: str, message: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is loaded, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CpuCodegenError) as caught:
        cli.invoke(cli.app, line.split())
    assert message in str(caught.value)
    assert (caught.value.remedy or "").startswith(remedy)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_wrong_line_is_told_in_the_voice_of_all_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`error:` and `try:` on stderr, nothing on stdout, control characters shown."""
    monkeypatch.setattr(sys, "argv", ["cpu-codegen", "run", "--\x1b[2Jstile"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.startswith("error: cpu-codegen run has no option --\\u{1b}[2Jstile\ntry:   ")


@pytest.mark.parametrize("arguments", [[], ["runs"]])
def test_a_bare_group_shows_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with exit 2: nothing was done."""
    with pytest.raises(SystemExit) as ended:
        cli.invoke(cli.app, arguments)
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert "Commands:" in told.err


def test_help_is_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, exit 0."""
    with pytest.raises(SystemExit) as ended:
        cli.invoke(cli.app, ["runs", "rm", "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: cpu-codegen runs rm")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), typer.Abort()])
def test_ctrl_c_ends_with_130(
    raised: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the middle of a command as well as at a question."""

    def stopped() -> None:
        raise raised

    monkeypatch.setattr(sys, "argv", ["cpu-codegen", "doctor"])
    monkeypatch.setattr("cpu_codegen.cli.doctor.doctor", stopped)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "try:   the same command again" in capsys.readouterr().err


def test_a_closed_stdout_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """`… | head` is no error: exit 0."""

    def shut() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "argv", ["cpu-codegen", "doctor"])
    monkeypatch.setattr("cpu_codegen.cli.doctor.doctor", shut)
    taken: list[int] = []
    monkeypatch.setattr("os.dup2", lambda _, to: taken.append(to))
    cli.main()
    assert taken == [sys.stdout.fileno()]
