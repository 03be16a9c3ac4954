"""Our own extraction: keeps the program that the model wrote, repairs only what costs it the answer, and says what.

The rules, in order; the first that finds the entry point with a body wins:
    block         the first fenced Python block that defines the entry point (as early stop decides, so stopping changes nothing)
    blocks        as above, with earlier blocks whose definitions it uses put in front
    continuation  the prompt's statement followed by the answer, where only a body came (base models)
    bare          code among prose without fences
    reasoning     code found only inside reasoning that never ended
    fallback      the first Python block, or what looks like code, without the entry point

Each rule costs a fixed number of parses of the text, so time is linear. Parsing happens in the caller's sandboxed parser.
Not covered: changing what the program does. A wrong name stays wrong, a missing import of the model's own stays missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cpu_codegen.extraction.fences import Block, find_blocks, strip_reasoning
from cpu_codegen.extraction.mends import MENDS, dedented, expand_tabs, indented, torn_body
from cpu_codegen.schema import Extraction, Outline, OutlineItem

Parse = Callable[[str], Outline]

MAX_CODE_CHARS = 256_000
MAX_BLOCKS = 200

_CODE_LINE = re.compile(
    r"(from\s+\S+\s+import\b|import\s+\w|def\s+\w+\s*\(|async\s+def\s|class\s+\w|@\w|[A-Za-z_]\w*\s*(:[^=]+)?=[^=])"
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True)
class _Found:
    code: str
    how: str
    notes: tuple[str, ...] = ()


def extract(raw: str, *, entry_point: str, statement: str, parse: Parse, is_completion: bool = False) -> Extraction:
    """The program in a raw answer. `statement` gives the imports that the prompt had; `is_completion` = raw goes on after it."""
    text = _ANSI.sub("", raw.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff"))
    answer, reasoning, unclosed = strip_reasoning(text)
    all_blocks = find_blocks(answer, MAX_BLOCKS)
    blocks = [block for block in all_blocks if block.is_python]
    finder = _Finder(entry_point, statement, parse)
    found = finder.find(answer, blocks, is_completion=is_completion)
    if unclosed and not finder.defines(found.code):
        inside = [block for block in find_blocks(reasoning, MAX_BLOCKS) if block.is_python]
        inner = finder.find(reasoning, inside, is_completion=False)
        if finder.defines(inner.code):
            found = _Found(inner.code, "reasoning", (*inner.notes, "found inside unclosed reasoning"))
    code, notes = finder.finish(found.code)
    return Extraction(
        code=code,
        format_ok=_format_ok(all_blocks, found, unclosed=unclosed) and finder.defines(code),
        how=found.how if code else "none",
        notes=(*found.notes, *notes),
        reasoning=reasoning,
    )


def _format_ok(all_blocks: list[Block], found: _Found, *, unclosed: bool) -> bool:
    return found.how == "block" and len(all_blocks) == 1 and all_blocks[0].closed and not unclosed


class _Finder:
    """Applies the rules for one entry point; remembers outlines, so that no text is parsed twice."""

    def __init__(self, entry_point: str, statement: str, parse: Parse) -> None:
        self.entry_point = entry_point
        self.statement = statement
        self._parse = parse
        self._outlines: dict[str, Outline] = {}

    def outline(self, code: str) -> Outline:
        if len(code) > MAX_CODE_CHARS:
            return Outline(error="longer than any program", error_line=1)
        if code not in self._outlines:
            self._outlines[code] = self._parse(code)
        return self._outlines[code]

    def defines(self, code: str) -> bool:
        """True when the code parses and gives the entry point a real body (a function, class or assignment)."""
        outline = self.outline(code) if code.strip() else Outline()
        return any(self.entry_point in item.defines and item.has_body for item in outline.items)

    def find(self, answer: str, blocks: list[Block], *, is_completion: bool) -> _Found:
        """The first rule that finds the entry point, else the best fallback."""
        if is_completion and not blocks:
            return self._continuation(answer) or self._bare(answer) or _Found(self.statement + answer, "continuation")
        candidates = [self._mended(block) for block in blocks]
        for index, (code, notes) in enumerate(candidates):
            if self.defines(code):
                return self._with_earlier(code, [c for c, _ in candidates[:index]], notes)
        whole = _first_to_last_fence(answer) if len(blocks) > 1 else ""
        if self.defines(whole):
            return _Found(whole, "blocks", ("a fence within the code",))
        for block in blocks:
            found = self._continuation(block.text)
            if found:
                return found
        if not blocks:
            found = self._bare(answer) or self._continuation(answer)
            if found:
                return found
        return self._fallback(answer, blocks)

    def _mended(self, block: Block) -> tuple[str, tuple[str, ...]]:
        """The block's code; tabs made even, interpreter prompts taken away, a torn end cut off, where that makes it parse."""
        code = block.text
        if not self.outline(code).error:
            return code, ()
        for change, note in MENDS:
            changed = change(code)
            if changed != code and not self.outline(changed).error:
                return changed, (note,)
        cut = self._cut_torn_end(code)
        return (cut, ("torn end cut off",)) if cut else (code, ())

    def _cut_torn_end(self, code: str) -> str:
        """Without its last top-level statement when that is torn (generation ended inside it); "" when no help."""
        lines = code.split("\n")
        starts = [i for i, line in enumerate(lines) if line and not line[0].isspace() and line[0] not in ")]}#"]
        for start in list(reversed(starts))[:3]:
            shorter = "\n".join(lines[:start]).rstrip() + "\n"
            if shorter.strip() and self.defines(shorter):
                return shorter
        return ""

    def _with_earlier(self, code: str, earlier: list[str], notes: tuple[str, ...]) -> _Found:
        """Earlier blocks that define names which this one uses and lacks go in front."""
        needed = _free_names(self.outline(code).items)
        front: list[str] = []
        for block in reversed(earlier):
            outline = self.outline(block)
            defined = {name for item in outline.items for name in item.defines}
            if not outline.error and defined & needed:
                front.insert(0, block.rstrip() + "\n\n\n")
                needed |= _free_names(outline.items)
        if not front:
            return _Found(code, "block", notes)
        return _Found("".join(front) + code, "blocks", (*notes, f"{len(front)} earlier block(s) put in front"))

    def _continuation(self, text: str) -> _Found | None:
        """Only a body came (indented, or flush left): statement + body."""
        if not text.strip():
            return None
        body = text.strip("\n")
        flush = not body[:1].isspace()
        if flush and not self._gives_back(body):
            return None
        for candidate in [indented(body)] if flush else [body, torn_body(body)]:
            code = self.statement.rstrip("\n") + "\n" + candidate + "\n"
            if self.defines(code):
                return _Found(code, "continuation", ("the prompt's signature put in front",))
        return None

    def _gives_back(self, body: str) -> bool:
        """Whether flush-left code returns or yields outside of any function: then it is a body, else a program of its own."""
        lines = body.split("\n")
        loose = [item for item in self.outline(body).items if item.kind not in ("function", "class")]
        return any(i.has_return or "yield" in " ".join(lines[i.first_line - 1 : i.last_line]) for i in loose)

    def _bare(self, answer: str) -> _Found | None:
        """Code without fences: from the first code-like line to where prose begins again."""
        for text in (answer, dedented(answer)):
            region = _code_region(text, self.entry_point)
            for change, notes in (
                (str, ()),
                (expand_tabs, ("tabs expanded",)),
                (self._cut_torn_end, ("torn end cut off",)),
            ):
                code = change(region)
                if code.strip() and self.defines(code):
                    return _Found(code, "bare", ("no fence", *notes))
        return None

    def _fallback(self, answer: str, blocks: list[Block]) -> _Found:
        """No rule found the entry point: what there is of code is run and judged all the same."""
        for block in blocks:
            if block.text.strip():
                return _Found(block.text, "fallback", ("the entry point is not defined",))
        region = _code_region(answer, self.entry_point)
        if re.search(r"^\s*(def|class|async def)\s", region, re.MULTILINE):
            return _Found(region, "fallback", ("no fence", "the entry point is not defined"))
        return _Found("", "none")

    def finish(self, code: str) -> tuple[str, tuple[str, ...]]:
        """Drops trailing example calls and adds the prompt's imports that the code uses without importing."""
        outline = self.outline(code) if code.strip() else Outline()
        if not outline.items:
            return (code if code.strip() else ""), ()
        notes: list[str] = []
        lines = code.split("\n")
        last = _last_needed_line(outline.items, self.entry_point)
        if last < outline.items[-1].last_line:
            lines, notes = lines[:last], ["trailing example calls dropped"]
            outline = self.outline("\n".join(lines) + "\n")
        missing = self._missing_imports(outline)
        if missing:
            at = _import_line(outline.items)
            lines[at:at] = missing
            notes.append("imports of the prompt added")
        return "\n".join(lines).rstrip() + "\n", tuple(notes)

    def _missing_imports(self, outline: Outline) -> list[str]:
        defined = {name for item in outline.items for name in item.defines}
        used = {name for item in outline.items for name in item.uses}
        statement = self.outline(self.statement.rstrip("\n") + "\n    pass\n")
        lines = self.statement.split("\n")
        return [
            line
            for item in statement.items
            if item.kind == "import" and (set(item.defines) & used) - defined
            for line in lines[item.first_line - 1 : item.last_line]
        ]


def _free_names(items: tuple[OutlineItem, ...]) -> set[str]:
    defined = {name for item in items for name in item.defines}
    return {name for item in items for name in item.uses} - defined


def _last_needed_line(items: tuple[OutlineItem, ...], entry_point: str) -> int:
    """The last line that is no example: trailing statements that only call the entry point, print or read input are examples."""
    last = items[-1].last_line
    for item in reversed(items):
        uses = set(item.uses)
        is_example = item.kind == "other" and {entry_point, "print", "input"} & uses
        if item.kind == "assign" and entry_point not in item.defines:  # there is no input to read
            is_example = {"input"} & uses
        if not is_example:
            return item.last_line
        last = item.first_line - 1
    return last


def _import_line(items: tuple[OutlineItem, ...]) -> int:
    """Where an import may be put: behind a docstring and __future__ imports."""
    at = 0
    for item in items:
        if item.kind not in ("docstring", "future_import"):
            break
        at = item.last_line
    return at


def _first_to_last_fence(answer: str) -> str:
    """The text between the outermost fences, for a program whose own docstring holds some."""
    lines = answer.split("\n")
    marks = [index for index, line in enumerate(lines) if line.startswith(("```", "~~~"))]
    return "\n".join(lines[marks[0] + 1 : marks[-1]]) + "\n" if len(marks) > 1 else ""


def _code_region(text: str, entry_point: str) -> str:
    """The stretch of lines from the first code-like one to the first prose behind the entry point's definition."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if _CODE_LINE.match(line)), len(lines))
    seen_entry = False
    for index in range(start, len(lines)):
        line = lines[index]
        seen_entry = seen_entry or bool(
            re.match(rf"(async\s+)?def\s+{re.escape(entry_point)}\b|{re.escape(entry_point)}\s*=", line)
        )
        is_prose = (
            bool(line.strip()) and not line[0].isspace() and line[0] not in "#)]}\"'" and not _CODE_LINE.match(line)
        )
        if is_prose and seen_entry:
            return "\n".join(lines[start:index]).rstrip() + "\n"
    return "\n".join(lines[start:]).rstrip() + "\n"
