"""RAM, speed, time and verdict, against numbers that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.calibration import Calibration
from cpu_codegen.plan.estimate import Plan, Room, make_plan, with_nearest
from cpu_codegen.plan.measured import Measured
from cpu_codegen.plan.memory import PROCESS_BYTES, ram
from cpu_codegen.plan.question import AsIf, parse_as_if
from cpu_codegen.plan.shape import Shape, Weights
from cpu_codegen.plan.speed import as_if, best_width, decode_rate, prefill_rate
from cpu_codegen.plan.work import work
from tests.plan.conftest import BANDWIDTH

MIB = 1 << 20


def dense(values: int = 1_000_000_000, kind: str = "q8_0", **changes: object) -> Shape:
    """A shape whose weights are all of one type."""
    facts: dict[str, object] = {
        "basis": "header", "file_bytes": None, "weights": (Weights(kind, "layer", values),), "layers": 28,
        "width": 1536, "feed_forward": 8960, "vocabulary": 151936, "context": 32768, "cell_bytes": 28 * 2 * 128 * 4,
    }  # fmt: skip
    return Shape(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("width", "feed_forward", "cells", "logged_mib"),
    [
        (896, 4864, 4096, 39.51),
        (1536, 8960, 4096, 68.51),
        (1536, 8960, 16384, 80.51),
        (2048, 11008, 4096, 84.51),
        (3584, 18944, 16384, 155.01),
        (4096, 14336, 4096, 120.01),
    ],
)
def test_compute_buffer(width: int, feed_forward: int, cells: int, logged_mib: float) -> None:
    """The compute buffer equals what llama.cpp logged for this shape (0.3.36, flash attention, 512 tokens a step)."""
    shape = dense(width=width, feed_forward=feed_forward, vocabulary=1000, cell_bytes=0)
    need = ram(shape, cells=cells, width=1)
    work_bytes = round(512 * feed_forward * 292 / 256)
    assert (need.compute_bytes - work_bytes - 4000) / MIB == pytest.approx(logged_mib, abs=0.05)


def test_a_prompt_computes_the_head_once(calibrated: Calibration) -> None:
    """512 tokens of a prompt have one output: a head as large as all layers adds one token's work, not half the time."""
    layers = dense()
    whole = dense(weights=(*layers.weights, Weights("q8_0", "head", 1_000_000_000)))
    prompts = [prefill_rate(shape, calibrated).value for shape in (layers, whole)]
    assert prompts[1] == pytest.approx(prompts[0], rel=0.02)
    single = [decode_rate(shape, calibrated).value for shape in (layers, whole)]
    assert single[1] == pytest.approx(single[0] / 2, rel=0.05)


def test_kv_cache() -> None:
    """112 MiB for 4096 tokens of a 1.5 B model, as llama.cpp logs it."""
    assert ram(dense(), cells=4096, width=1).kv_bytes == 112 * MIB


def test_cells_come_by_256() -> None:
    """As llama.cpp pads a context: 4,097 tokens keep what 4,352 do."""
    assert ram(dense(), cells=4097, width=1) == ram(dense(), cells=4352, width=1) != ram(dense(), cells=4096, width=1)


def test_ram_adds_up() -> None:
    """Weights, KV, compute and process; repacked weights count twice in the peak and once in the need."""
    shape = dense(kind="q4_k")
    need = ram(shape, cells=4096, width=1, repacked_types={"q4_k"})
    parts = need.weights_bytes + need.kv_bytes + need.compute_bytes + PROCESS_BYTES
    assert need.needed_bytes == parts
    assert need.peak_bytes == parts + shape.weight_bytes
    assert need.interval.low < parts < need.interval.high


def test_decode_is_bound_by_bandwidth(calibrated: Calibration) -> None:
    """One token reads all weights once; each head compares its query with all positions behind, whoever shares their keys."""
    shape = dense(query_values=28 * 1536)
    attention_s = 512 * 28 * 1536 * 1e-9
    expected = 1 / (shape.weight_bytes / BANDWIDTH + 28 * 20e-6 + attention_s)
    assert decode_rate(shape, calibrated).value == pytest.approx(expected, rel=1e-6)
    assert decode_rate(replace(shape, cell_bytes=6 * shape.cell_bytes), calibrated).value == pytest.approx(
        expected, rel=1e-6
    )


def test_a_prompt_attends_at_the_cost_of_prompts(calibrated: Calibration) -> None:
    """512 tokens at once use the piecewise attention's cost, streams that decode together the single token's."""
    shape, bare = dense(query_values=10**5), dense()
    more_s = 512 / prefill_rate(shape, calibrated).value - 512 / prefill_rate(bare, calibrated).value
    assert more_s == pytest.approx(512 * 256 * 10**5 * 1e-10, rel=1e-6)
    more_s = 8 / decode_rate(shape, calibrated, width=8).value - 8 / decode_rate(bare, calibrated, width=8).value
    assert more_s == pytest.approx(8 * 512 * 10**5 * 1e-9, rel=1e-6)


def test_prefill_is_bound_by_arithmetic(calibrated: Calibration) -> None:
    """512 tokens at 50 G weights a second, beyond the largest batch measured."""
    shape = dense(cell_bytes=0, layers=0)
    assert prefill_rate(shape, calibrated).value == pytest.approx(50, rel=1e-6)


def test_batches_pay_until_arithmetic_binds(calibrated: Calibration) -> None:
    """The best width is found, within what memory allows."""
    width, rate = best_width(dense(cell_bytes=0), calibrated, widest=16)
    assert width > 1
    assert rate.value > decode_rate(dense(cell_bytes=0), calibrated).value
    assert best_width(dense(), calibrated, widest=1)[0] == 1


def test_experts_cost_what_is_touched(calibrated: Calibration) -> None:
    """One token reads its experts; many tokens read them all."""
    shape = dense(weights=(Weights("q8_0", "expert", 10**9),), experts_share=0.125, layers=0, cell_bytes=0)
    one = decode_rate(shape, calibrated).value
    assert one == pytest.approx(8 * decode_rate(dense(layers=0, cell_bytes=0), calibrated).value)
    assert decode_rate(shape, calibrated, width=16).value < 16 * one / 2


def test_a_vocabulary_alone_has_no_speed(calibrated: Calibration) -> None:
    """A file without a tensor to multiply by is planned for its memory, and nothing is divided by zero."""
    for weights in ((), (Weights("q8_0", "embedding", 10**6),), (Weights("q8_0", "layer", 0),)):
        shape = dense(weights=weights, layers=0, file_bytes=10**6)
        plan = make_plan(
            ModelSpec("x"),
            shape,
            calibrated,
            Room(10**9, 10**9),
            work(("lowcost60",), ("plain",), ModelSpec("x"), max_tokens=64),
        )
        assert (plan.verdict, plan.decode, plan.run_s) == ("fits", None, None)


def test_embedding_is_not_read(calibrated: Calibration) -> None:
    """Of an untied embedding one row is looked up: it costs memory, no time."""
    plain = dense()
    with_embedding = replace(plain, weights=(*plain.weights, Weights("q8_0", "embedding", 10**9)))
    assert decode_rate(with_embedding, calibrated).value == decode_rate(plain, calibrated).value
    assert with_embedding.weight_bytes > plain.weight_bytes


def test_unmeasured_type_borrows_and_widens(calibrated: Calibration) -> None:
    """A type without a timing takes its neighbour's by bits, with a wider interval."""
    known, borrowed = decode_rate(dense(), calibrated), decode_rate(dense(kind="iq4_xs"), calibrated)
    assert borrowed.interval.high / borrowed.value > known.interval.high / known.value


def test_noise_widens(calibrated: Calibration) -> None:
    """A calibration on a busy machine gives wide intervals."""
    noisy = replace(calibrated, types={"q8_0": replace(calibrated.types["q8_0"], spread=0.4)})
    assert decode_rate(dense(), noisy).interval.width > decode_rate(dense(), calibrated).interval.width


def test_as_if_other_memory(calibrated: Calibration) -> None:
    """Half the bandwidth halves what reads weights; twice the cores double prefill and leave decode."""
    half = as_if(calibrated, cores=None, bandwidth_bytes_s=BANDWIDTH / 2)
    shape = dense(layers=0)
    assert decode_rate(shape, half).value == pytest.approx(decode_rate(shape, calibrated).value / 2, rel=0.01)
    wide = as_if(calibrated, cores=4, bandwidth_bytes_s=None)
    assert prefill_rate(dense(cell_bytes=0), wide).value == pytest.approx(
        2 * prefill_rate(dense(cell_bytes=0), calibrated).value, rel=0.02
    )
    assert decode_rate(shape, wide).value == pytest.approx(decode_rate(shape, calibrated).value, rel=0.01)
    assert decode_rate(shape, wide).interval.width > decode_rate(shape, calibrated).interval.width


def test_as_if_text() -> None:
    """Sizes are those of everywhere else; what is not known is refused."""
    assert parse_as_if("ram=4G, cores=4,bandwidth=12G/s") == AsIf(4 * 10**9, 4, 12e9)
    assert parse_as_if("ram=4Gi").ram_bytes == 4 << 30
    for wrong in ("gpu=1", "cores=0", "ram=x", "cores=two", "bandwidth=0"):
        with pytest.raises(UsageError):
            parse_as_if(wrong)


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(
    calibrated: Calibration | None, gigabytes: float = 1.0, *, ram_gb: float | None = 8.0, **facts: object
) -> Plan:
    """The plan of a model of so many GB of q8_0."""
    name = str(facts.pop("name", f"m{gigabytes:g}"))
    measured = facts.pop("measured", None)
    disk = facts.pop("disk_gb", 100)
    spec = ModelSpec(name, sizes=(int(gigabytes * 1e9),), **facts)  # type: ignore[arg-type]
    shape = dense(round(gigabytes * 1e9 * 32 / 34))
    room = Room(None if ram_gb is None else int(ram_gb * 1e9), int(float(str(disk)) * 1e9))
    todo = work(("lowcost60",), ("plain",), spec, max_tokens=1024)
    assert measured is None or isinstance(measured, Measured)
    return make_plan(spec, shape, calibrated, room, todo, measured=measured)


def test_verdicts(calibrated: Calibration) -> None:
    """Fits with a margin, tight without, too big beyond, unknown where memory is."""
    assert plan(calibrated, 1).verdict == "fits"
    assert plan(calibrated, 7.3).verdict == "tight"
    big = plan(calibrated, 9)
    assert big.verdict == "too_big"
    assert "of 8.00 GB" in big.reason
    assert plan(calibrated, 1, ram_gb=None).verdict == "unknown"
    assert "disk" in plan(calibrated, 1, disk_gb=0.5).reason


def test_fitting_is_not_usable(calibrated: Calibration) -> None:
    """A model that fits and is slow is marked, and names a usable one of its family."""
    small = plan(calibrated, 1, name="small", family="a", kind="coder")
    other = plan(calibrated, 1.5, name="other", family="b", kind="coder")
    slow = plan(calibrated, 6, name="slow", family="a", kind="coder")
    assert (slow.verdict, slow.slow, slow.is_usable) == ("fits", True, False)
    plans = with_nearest([slow, other, small])
    assert plans[0].nearest == "small"


def test_measured_replaces_estimates(calibrated: Calibration) -> None:
    """Seconds per answer of an earlier run make the time; its tokens per second decide about slow."""
    run = Measured("runs/x", 1, 4.0, 2_000_000_000, 60, 200.0, 50.0)
    with_run = plan(calibrated, 1, measured=run)
    assert with_run.run_s == pytest.approx(60 * 50)
    assert with_run.slow
    assert with_run.decode is not None
    assert with_run.decode.value > 5


def test_without_llama_cpp() -> None:
    """Memory and verdict stand without any speed."""
    without = plan(None, 1)
    assert without.verdict == "fits"
    assert without.decode is None
    assert without.run_s is None


def test_unknown_model() -> None:
    """Neither shape nor length: unknown, with the reason."""
    todo = work(("lowcost60",), ("plain",), ModelSpec("x"), max_tokens=1024)
    nothing = make_plan(ModelSpec("x"), None, None, Room(1, 1), todo)
    assert (nothing.verdict, nothing.ram) == ("unknown", None)


def test_work() -> None:
    """Answers = problems × styles; one that always thinks uses its budget; an unknown suite is refused."""
    both = work(("lowcost60",), ("plain", "cot"), ModelSpec("x"), max_tokens=1024)
    assert both.answers == 120
    thinking = work(("lowcost60",), ("plain",), ModelSpec("x", thinking="always"), max_tokens=1024)
    assert thinking.answer_tokens > both.answer_tokens
    with pytest.raises(UsageError, match="no suite"):
        work(("nothing",), ("plain",), ModelSpec("x"), max_tokens=1024)


def test_slow_in_company(calibrated: Calibration) -> None:
    """Slow by a disturbed calibration is slow with a question mark, where the interval reaches what is wanted; alone it is not."""
    told = [plan(replace(calibrated, busy_cores=busy), 6) for busy in (0.0, 1.0)]
    assert [(one.slow, one.slow_in_company, one.is_usable) for one in told] == [
        (True, False, False),
        (True, True, False),
    ]
    run = Measured("runs/x", 1, 2.0, 2_000_000_000, 60, 200.0, 50.0)
    assert not plan(replace(calibrated, busy_cores=1.0), 6, measured=run).slow_in_company


def test_company_widens_upwards(calibrated: Calibration) -> None:
    """Other programs only slow a calibration down: the interval reaches up, and the value stays."""
    alone, crowded = (plan(replace(calibrated, busy_cores=busy), 1).decode for busy in (0.0, 1.0))
    assert alone is not None
    assert crowded is not None
    assert (crowded.value, crowded.interval.low) == (alone.value, alone.interval.low)
    assert crowded.interval.high == pytest.approx(3 * alone.interval.high)
