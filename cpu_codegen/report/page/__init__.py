"""One self-contained HTML page over any number of runs: opens offline, asks no server, lets no text of a model act.

data.py      what the page carries, each text once
document.py  the HTML around it: first screen, foot, Content-Security-Policy with the hashes of its own scripts and styles
*.js, *.css  what draws it, in plain files
vendor/      the D3 modules that it draws with, unmodified
"""

from cpu_codegen.report.page.document import page_html, write_page

__all__ = ["page_html", "write_page"]
