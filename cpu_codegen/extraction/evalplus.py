"""EvalPlus's sanitizer rebuilt for comparisons (`--extract evalplus`), its flaws included (shared notes: verdicts.md B2).

Two steps: the contiguous range of at least two lines that parses and has most non-blank lines (the first such), fences not looked
at; then only the top-level definitions that the entry point reaches by name. It drops decorated functions, helpers without
`return`, tuple assignments, calls, `try` imports. Its search is quadratic in the original; here each start line goes from the
end of the text downwards and jumps by where the parser stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cpu_codegen.schema import Extraction, Outline, OutlineItem

Parse = Callable[[str], Outline]

MAX_LINES = 1_000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def extract_evalplus(
    raw: str, *, entry_point: str, statement: str, parse: Parse, is_completion: bool = False
) -> Extraction:
    """What EvalPlus's `sanitize` keeps of an answer (of prompt + answer for a base model)."""
    text = _ANSI.sub("", statement + raw if is_completion else raw)
    code, outline = _longest_range(text, parse)
    kept = _reachable(code, outline, entry_point)
    return Extraction(code=kept or code, format_ok=False, how="evalplus", mode="evalplus")


def _longest_range(text: str, parse: Parse) -> tuple[str, Outline]:
    lines = text.split("\n")[:MAX_LINES]
    filled = [0]
    for line in lines:
        filled.append(filled[-1] + bool(line.strip()))
    best, best_outline, best_count = lines[0] if lines else "", parse(lines[0] if lines else ""), 0
    for start in range(len(lines)):
        end = len(lines)
        while end - start >= 2 and filled[end] - filled[start] > best_count:
            candidate = "\n".join(lines[start:end])
            outline = parse(candidate)
            if not outline.error:
                best, best_outline, best_count = candidate, outline, filled[end] - filled[start]
                break
            # No range that holds the offending line can parse, but the parser may name it a little early.
            end = min(end - 1, start + outline.error_line + 2) if outline.error_line else end - 1
    return best, best_outline


def _reachable(code: str, outline: Outline, entry_point: str) -> str:
    lines = code.split("\n")
    imports = [item for item in outline.items if item.kind == "import"]
    first: dict[str, OutlineItem] = {}
    for item in outline.items:
        if _counts(item):
            first.setdefault(item.defines[0], item)
    wanted, todo = set[str](), [entry_point]
    while todo:
        name = todo.pop()
        if name not in wanted and name in first:
            wanted.add(name)
            todo.extend(first[name].uses)
        elif name == entry_point:
            wanted.add(name)
    kept = [*imports, *(item for name, item in first.items() if name in wanted)]
    return "\n".join("\n".join(lines[item.first_line - 1 : item.last_line]) for item in kept)


def _counts(item: OutlineItem) -> bool:
    if item.decorated or len(item.defines) != 1:
        return False
    return item.kind in ("class", "assign") or (item.kind == "function" and item.has_return)
