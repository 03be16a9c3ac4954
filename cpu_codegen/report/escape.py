"""One escape function for each place where untrusted text is shown: terminal, CSV, Markdown, LaTeX, HTML.

Model answers, file names and hub texts may hold control characters, terminal escapes, bidirectional overrides, markup and
spreadsheet formulas. Nothing is dropped silently: what could act is made visible.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Characters that reorder or hide text: a reader would see other code than what ran (CVE-2021-42574).
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SUSPECT = re.compile(r"[^ -~]")  # printable ASCII acts nowhere; all else is looked at
_LINK = re.compile(r"\]\s*[(\[:]")
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",  # pdflatex's default font has ¡ ¿ and a dash in their places
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\u00a0": "~",
    # our tables' own signs, which pdflatex has no letters for
    "−": "$-$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "µ": r"$\mu$",
    "·": r"$\cdot$",
    "–": "--",
    "…": r"\ldots{}",
    "\u2009": r"\,",
}

# What pdflatex sets without further packages, tried with TeX Live 2022; all other letters stop it.
_PDFLATEX = re.compile("[ -~¡-ª¬®-°²-´¶¸-º¼-ÏÑ-ÖØ-Ýß-ïñ-ýÿ-ăĆ-ďĒ-ėĚ-ĥĨ-ĭİ-ķĹ-ľŁ-ňŌ-ťŨ-űŴ-žȘ-ț‐-‒—-‖‘’“”†‡•‰€№™←-↓]")


def visible(text: str, *, keep: str = "\n\t") -> str:
    """Control, bidirectional, format, surrogate and private-use characters as `\\u{…}`; `keep` stays as it is."""
    return _SUSPECT.sub(lambda match: _shown(match[0], keep), text)


def _shown(character: str, keep: str) -> str:
    return character if character in keep or not _acts(character) else f"\\u{{{ord(character):x}}}"


def _acts(character: str) -> bool:
    if character in _BIDI:
        return True
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Co", "Zl", "Zp") or (category == "Cf" and character not in "\u200d\u00ad")


def for_terminal(text: str) -> str:
    """Safe to print: no escape sequence, no reordering. (Callers that use rich pass `rich.text.Text`, never markup.)"""
    return visible(text)


def for_csv(text: str) -> str:
    """A leading formula character gets an apostrophe, so that a spreadsheet shows it instead of computing it."""
    shown = visible(text)
    try:
        float(shown)
    except ValueError:
        return "'" + shown if shown.startswith(_FORMULA_STARTS) else shown
    return shown


def for_markdown(text: str) -> str:
    """One table cell: no pipes, line breaks, raw HTML, links or emphasis. Brackets that cannot begin a link stay: [0.70, 0.90]."""
    shown = visible(text, keep="").replace("\\u{a}", " ")
    for character in "\\`*_<>|~#!" + ("[]" if _LINK.search(shown) else ""):
        shown = shown.replace(character, "\\" + character)
    return shown


def for_latex(text: str) -> str:
    """Plain text in LaTeX: every special character escaped, letters that pdflatex lacks as `\\u{…}`, no ligatures of dashes.

    A row that began with [ or * would be read as an option of \\\\.
    """
    shown = unicodedata.normalize("NFC", visible(text, keep="").replace("\\u{a}", " "))
    escaped = "".join(_LATEX.get(c) or (c if _PDFLATEX.match(c) else _spelled(c)) for c in shown)
    escaped = re.sub("(?<=-)-", "{}-", escaped) if "--" in shown else escaped
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped.startswith(("[", "*")) else escaped


def _spelled(character: str) -> str:
    return rf"\textbackslash{{}}u\{{{ord(character):x}\}}"


def for_html(text: str) -> str:
    """Text or attribute value in HTML."""
    return html.escape(visible(text), quote=True)
