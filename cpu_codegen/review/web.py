"""Grading in a browser: one page on 127.0.0.1, plain forms, no script.

Only who knows the random token gets anything; requests for another host (DNS rebinding) or from another site are refused; the page
carries a policy that allows no script and no request elsewhere. Model text is escaped.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cpu_codegen.counts import count_of
from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.report.escape import for_html
from cpu_codegen.report.page.document import inline_source
from cpu_codegen.review.grading import Grading, Sample

MAX_FORM_BYTES = 20_000
STYLE = """
:root { color-scheme: light dark; }
body { background: Canvas; color: CanvasText; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
* { box-sizing: border-box; } h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; } pre { font-size: .9rem; }
h1, code { overflow-wrap: anywhere; }
pre { background: rgb(128 128 128 / 12%); padding: .6rem; overflow: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 60vh; }
fieldset { border: 1px solid; border-radius: 6px; margin: .6rem 0; }
label { margin-right: 1rem; padding: .4rem 0; display: inline-block; }
label:has(textarea) { display: block; margin: 0; }
a { display: inline-block; min-height: 1.5rem; }
textarea { width: 100%; font: inherit; } button { font: inherit; padding: .4rem 1rem; min-height: 2.5rem; }
"""


class Server(ThreadingHTTPServer):
    """Serves one reviewer's grading. `url` is what to open."""

    daemon_threads = True

    def __init__(self, grading: Grading, statement: Callable[[Sample], str], port: int = 0) -> None:
        self.grading = grading
        self.statement = statement
        self.token = secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def host(self) -> str:
        """The only Host that is answered."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """The page with its token."""
        return f"http://{self.host}/?token={self.token}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30

    def do_GET(self) -> None:
        """The next answer to grade."""
        parts = urlsplit(self.path)
        fields = parse_qs(parts.query)
        if self._refused(fields) or parts.path != "/":
            self._send(HTTPStatus.FORBIDDEN, _page("Forbidden", "<p>Open the address that the terminal printed.</p>"))
            return
        asked = {name: fields.get(name, [""])[0] for name in ("graded", "after", "again")}
        self._send(HTTPStatus.OK, grading_page(self.server, **asked))

    def do_POST(self) -> None:
        """Points for one answer; then the next one."""
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > MAX_FORM_BYTES:
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _page("Too large", "<p>Nothing was stored.</p>"))
            return
        form = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"))
        if self._refused(form):
            self._send(HTTPStatus.FORBIDDEN, _page("Forbidden", "<p>Open the address that the terminal printed.</p>"))
            return
        try:
            self._grade(form)
        except (CpuCodegenError, ValueError) as error:
            self._send(HTTPStatus.BAD_REQUEST, _page("Not stored", _refusal(self.server, error, form)))
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        key = form.get("key", [""])[0]
        query = {"token": self.server.token, "graded": key, "after": key}
        self.send_header("Location", f"/?{urlencode(query)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _grade(self, form: dict[str, list[str]]) -> None:
        grading = self.server.grading
        points = {c.name: float(form.get(c.name, ["nan"])[0]) for c in grading.rubric.criteria}
        grading.give(form.get("key", [""])[0], points, form.get("note", [""])[0])

    def _refused(self, fields: dict[str, list[str]]) -> bool:
        """True for another host, another site or a wrong token."""
        origin = self.headers.get("Origin")
        token = fields.get("token", [""])[0]
        return (
            self.headers.get("Host") != self.server.host
            or origin not in (None, f"http://{self.server.host}")
            or self.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
            or not hmac.compare_digest(token.encode(), self.server.token.encode())
        )

    def _send(self, status: HTTPStatus, html: str) -> None:
        data = html.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """The token is in the address, so nothing is logged."""


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {inline_source(STYLE)}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _refusal(server: Server, error: Exception, form: dict[str, list[str]]) -> str:
    """Why nothing was stored, what would be, and the ways on."""
    key, remedy = form.get("key", [""])[0], getattr(error, "remedy", None)
    why = f"<p>{for_html(str(error))}</p>" + (f"<p>try: {for_html(remedy)}</p>" if remedy else "")
    return f"{why}<p>{_link(server, 'back to this answer', again=key)} · {_link(server, 'the next one', after=key)}</p>"


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{for_html(title)}</title><style>{STYLE}</style></head><body><main><h1>{for_html(title)}</h1>{body}</main></body></html>"
    )


def grading_page(server: Server, *, graded: str = "", after: str = "", again: str = "") -> str:
    """One answer with the rubric as a form: the next behind `after`, or `again` one that was graded.

    Blind: the tests' outcome is that of the answer just `graded`, never of this one.
    """
    grading = server.grading
    left = grading.left()
    before = _before(server, graded)
    sample = next((one for one in grading.samples if one["key"] == again), None) or grading.next(after)
    if sample is None:
        next_step = "<p>The terminal's Ctrl-C ends; then: <code>cpu-codegen review RUN --summary</code></p>"
        done = f"Nothing is left: {count_of(len(grading.samples), 'answer')} graded."
        return _page("Done", f"<p>{done}</p>{before}{next_step}")
    verdict = (
        ""
        if grading.blind
        else f"<p>tests: <strong>{for_html(sample['outcome'] or 'not judged yet')}</strong></p>{_failure(sample)}"
    )
    body = (
        f"{before}<p>{len(left)} of {len(grading.samples)} left · {for_html(sample['style'])} · "
        f"{_link(server, 'skip this answer', after=sample['key'])}</p>"
        f"{_text('Statement', server.statement(sample))}{_text('Answer', sample['text'][:200_000])}"
        f"{verdict}{_form(server, sample)}"
    )
    return _page(sample["problem_id"], body)


def _text(name: str, text: str) -> str:
    """A text under its heading; it scrolls by itself, so the keyboard reaches it and a screen reader has a name for it."""
    return f'<h2>{name}</h2><pre tabindex="0" role="region" aria-label="{name}">{for_html(text)}</pre>'


def _before(server: Server, key: str) -> str:
    """The answer just graded: blind, what the tests say of it; else a way back to correct a slip.

    Only of an answer that this reviewer has graded: the address is no way round blindness.
    """
    grading = server.grading
    known = {grade["generation"] for grade in grading.grades() if grade["reviewer"] == grading.reviewer}
    for sample in grading.samples if key in known else ():
        if sample["key"] == key:
            name = for_html(sample["problem_id"])
            if grading.blind:
                return f"<p>{name}, just graded; tests: {for_html(sample['outcome'] or 'not judged yet')}</p>"
            return f"<p>{name}: stored. {_link(server, 'grade it again', again=key)}</p>"
    return ""


def _link(server: Server, words: str, **query: str) -> str:
    return f'<a href="/?{for_html(urlencode({"token": server.token, **query}))}">{words}</a>'


def _failure(sample: Sample) -> str:
    failure = sample.get("failure") or {}
    return "".join(f"<p>{name}: <code>{for_html(str(failure[name]))}</code></p>" for name in failure)


def _form(server: Server, sample: Sample) -> str:
    fields = "".join(
        f"<fieldset><legend>{for_html(criterion.question)}</legend>"
        + "".join(
            f'<label><input type="radio" name="{criterion.name}" value="{point:g}" required> {point:g}</label>'
            for point in criterion.points
        )
        + "</fieldset>"
        for criterion in server.grading.rubric.criteria
    )
    return (
        f'<form method="post" action="/"><input type="hidden" name="token" value="{server.token}">'
        f'<input type="hidden" name="key" value="{for_html(sample["key"])}">{fields}'
        '<label>note<textarea name="note" rows="2" maxlength="2000"></textarea></label>'
        "<button>store and go on</button></form>"
    )
