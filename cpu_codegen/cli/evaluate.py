"""What `run` and `demo` do once their options are read: say what it will take, run, render; exit 5 for harness errors."""

from __future__ import annotations

import sys
from dataclasses import replace

from cpu_codegen.config import Campaign
from cpu_codegen.deadline import deadline
from cpu_codegen.errors import to_paste
from cpu_codegen.report.formats import Format


def evaluate(campaign: Campaign, output: Format) -> None:
    """Runs the campaign and renders its summary; exit 5 at the end when some samples met a harness error."""
    from cpu_codegen import campaign as campaigns
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.cli.outlook import outlook
    from cpu_codegen.cli.render import render_page, render_run
    from cpu_codegen.cli.told import harness_errors

    ends = deadline(campaign.max_hours, campaign.until)  # from the command's start: reading the registry takes time too
    bars = Bars()
    for model in campaign.models:
        config = replace(campaign.run, model=model)
        if config.engine_url is None and model != "demo" and (line := outlook(config)):
            bars.say(line)
    try:
        path, error = campaigns.run(campaign, progress=bars, argv=sys.argv[1:], ends=ends, page=render_page)
    finally:
        bars.close()
    if error is not None:
        render_run(path, output)
        raise error
    faults = render_run(path, output, campaign.run.require)
    if faults:
        raise harness_errors(faults, to_paste("show", path, "--outcome", "harness_error"))
