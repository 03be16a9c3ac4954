"""The demo model's corpus: our own 60 problems, nothing else.

For each problem and style one pair: the product's exact prompt → an answer that keeps the output contract. The answer's code is the
problem's reference without its docstring; for every fourth problem it is `naive`, so that the efficiency column has something
to find. The cot answers begin with the five numbered lines of `reasoning/<slug>.md`. Reworded prompts lead to the same answers.
No wrong answer is written into the corpus: the model's mistakes come from under-training alone.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.prompts.styles import STATEMENT, fill, load_prompt_text
from cpu_codegen.schema import Problem, ProblemFileTask
from cpu_codegen.suites.lowcost60 import load_lowcost60

STYLES = ("plain", "cot")
REASONING = Path(__file__).parent / "reasoning"
NOT_PART_OF_AN_ANSWER = {"naive", "scaled", "accept", "CASES", "SIZES", "GROWTH"}

REWORDINGS = {
    "plain": (
        f"Please solve this in Python. One code block, nothing around it, for a machine with little memory.\n\n{STATEMENT}",
        f"{STATEMENT}\n\nComplete the function above. Answer with one fenced Python block.",
    ),
    "cot": (
        f"Please think in five numbered lines, then solve this in Python for a slow machine.\n\n{STATEMENT}",
        f"{STATEMENT}\n\nReason step by step about the function above, then give it in one fenced Python block.",
    ),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A user message and the assistant's answer. `exact` marks the product's own wording."""

    slug: str
    style: str
    prompt: str
    answer: str
    exact: bool


def build_pairs() -> list[Pair]:
    """All pairs, the product's wording first, in a fixed order."""
    problems = load_lowcost60()
    exact = [_pair(p, style, fill(load_prompt_text(style), p), exact=True) for p in problems for style in STYLES]
    reworded = [
        _pair(p, style, wording.replace(STATEMENT, p.statement.rstrip()), exact=False)
        for p in problems
        for style in STYLES
        for wording in REWORDINGS[style]
    ]
    return exact + reworded


def _pair(problem: Problem, style: str, prompt: str, *, exact: bool) -> Pair:
    block = f"```python\n{answer_code(problem)}\n```"
    answer = block if style == "plain" else f"{reasoning(problem)}\n\n{block}"
    return Pair(problem.entry_point, style, prompt, answer, exact)


def reasoning(problem: Problem) -> str:
    """The five numbered lines that precede a cot answer."""
    return (REASONING / f"{problem.entry_point}.md").read_text(encoding="utf-8").strip()


def answers_with_naive(slug: str) -> bool:
    """True for about every fourth problem, by its name alone."""
    return hashlib.sha256(slug.encode()).digest()[0] % 4 == 0


def answer_code(problem: Problem) -> str:
    """Imports, helpers and the function without its docstring."""
    assert isinstance(problem.task, ProblemFileTask)
    tree = ast.parse(problem.task.source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    main = functions[problem.entry_point]
    if answers_with_naive(problem.entry_point) and "naive" in functions:
        signature, main = main, functions["naive"]
        main.name, main.args, main.returns = problem.entry_point, signature.args, signature.returns
    main.body = _without_docstring(main)
    return ast.unparse(ast.Module(body=[*_needed(tree, main, problem.entry_point), main], type_ignores=[]))


def _without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _needed(tree: ast.Module, main: ast.FunctionDef, entry_point: str) -> list[ast.stmt]:
    """The module's imports, helpers and constants that `main` uses, also through each other, in their order."""
    candidates: list[tuple[set[str], ast.stmt]] = []
    for node in tree.body:
        names = _bound_names(node)
        if names and not names & {entry_point, *NOT_PART_OF_AN_ANSWER}:
            candidates.append((names, node))
    used, kept = _names(main), list[ast.stmt]()
    grown = True
    while grown:
        grown = False
        for names, node in candidates:
            if node not in kept and names & used:
                kept.append(node)
                used |= _names(node)
                grown = True
    return [_cut_import(node, used) for _, node in candidates if node in kept]


def _bound_names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return set()
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()


def _cut_import(node: ast.stmt, used: set[str]) -> ast.stmt:
    if isinstance(node, ast.Import | ast.ImportFrom):
        node.names = [alias for alias in node.names if (alias.asname or alias.name).partition(".")[0] in used]
    return node


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def corpus_sha256(pairs: list[Pair]) -> str:
    """Hex digest over all pairs; the card and the GGUF keep it, a test reports drift."""
    seen = hashlib.sha256()
    for pair in pairs:
        seen.update(f"{pair.style}\0{pair.prompt}\0{pair.answer}\0".encode())
    return seen.hexdigest()
