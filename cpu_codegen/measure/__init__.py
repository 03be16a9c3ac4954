"""The efficiency of generated code, measured so that noise is never reported as a finding.

    quiet.py       the core to measure on; what disturbs a measurement
    workload.py    what a program is measured on: scaled inputs of our problems, the heaviest inputs of EvalPlus's
    timing.py      one loaded program, one window: CPU time per pass, long enough for the clock
    blocks.py      candidate and reference side by side in fresh processes, A/B/B/A, until the interval is tight
    growth.py      exponents of time and memory over the size ladder
    memory.py      peak memory, in a run of its own
    scout.py       one call per size: how far a program comes; the reference of a problem
    instructions.py  retired instructions of another process, where the kernel allows it
    cachegrind.py  instructions under valgrind, on request; _jail and _inside are its own sandbox and what runs there
    program.py     all of that for one program: the fields of one line of efficiency.jsonl
    unreached.py   lines that no test executes
    findings.py    which programs show what; records.py  a run’s figures per suite and style
    static.py      what is read off the text: radon, imports, dangerous calls, ruff
    tables.py      a run's efficiency as tables
    metrics.py     pure: EffiBench, ENAMEL, Mercury, standing; geometric means over problems
    selftest.py    programs timed against themselves: how often noise would be reported

Only programs that passed are measured, and only while no model is loaded. docs/metrics.md says what each figure means and
what it does not. Not covered: the sandbox that runs them, the statistics (stats/), the pages that show them (report/).
"""
