"""A recommendation for machines: JSON objects whose unknown values are null."""

from __future__ import annotations

from typing import Any

from cpu_codegen.recommend.choice import Candidate, Choice
from cpu_codegen.recommend.deploy import commands
from cpu_codegen.recommend.recommend import Recommendation


def as_record(found: Recommendation) -> dict[str, Any]:
    """Scores: own ones as shares of 1 with n, published ones out of 100 with setting and source; unknown is null."""
    return {
        "machine": found.machine_line,
        "basis": found.basis,
        "choices": [_choice_record(choice) for choice in found.choices],
        "at_rest": {**_choice_record(found.at_rest), "ram_bytes": found.ram_at_rest_bytes} if found.at_rest else None,
        "front": [row_record(one) for one in found.rows],
        "fitting": found.fitting,
        "no_data": found.no_data,
        "left_out": found.left_out,
        "not_named_non_commercial": found.non_commercial,
        "notes": found.notes,
        "use": {title.partition(":")[0]: text for title, text in commands(found.deployed)} if found.deployed else None,
        "use_basis": found.deployed.basis if found.deployed else None,
    }


def _choice_record(choice: Choice) -> dict[str, Any]:
    return {"model": choice.candidate.name, "basis": choice.basis, "sentence": choice.sentence}


def row_record(one: Candidate) -> dict[str, Any]:
    """One model of the fronts."""
    plan, own, told = one.plan, one.own, one.claim
    is_measured = plan.measured is not None and plan.measured.width == 1
    return {
        "model": one.name,
        "verdict": plan.verdict,
        "ram_bytes": plan.ram.needed_bytes if plan.ram else None,
        "tokens_per_s_measured": one.speed if is_measured else None,
        "tokens_per_s_estimate": plan.decode.value if plan.decode else None,
        "own": {"suite": own.suite, "pass@1": own.value, "n": own.n, "run": own.run} if own else None,
        "published": {"suite": told.suite, "value": told.value, "setting": told.setting, "source": told.source}
        if told
        else None,
    }
