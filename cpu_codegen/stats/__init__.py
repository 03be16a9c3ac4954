"""Statistics, pure and without numpy: every estimate comes with an interval, every comparison is paired where it can be.

    interval.py      Interval, Estimate: what the other files give back
    proportions.py   pass@k; Wilson, Clopper–Pearson; bootstrap over problems; which of them a score gets
    paired.py        exact McNemar, Tango, permutation, Holm, power: two models on the same problems
    betting.py       capital and confidence sequences: tests and intervals that may be looked at again and again
    pooled.py        ratios of sums and quantiles of tokens, with intervals over problems
    quantiles.py     a quantile by order statistics
    robust.py        Hodges–Lehmann, geometric mean: times and ratios

Formulas are named where they stand. Not covered: what is measured (measure/), what is shown (report/).
"""

from cpu_codegen.stats.betting import anytime_mean, log_capital
from cpu_codegen.stats.interval import FEWEST_PROBLEMS, Estimate, Interval
from cpu_codegen.stats.paired import (
    detectable_difference,
    holm,
    mcnemar_exact,
    mcnemar_interval,
    paired_permutation,
    power_paired,
    tango,
)
from cpu_codegen.stats.pooled import pooled_quantile, ratio_of_sums
from cpu_codegen.stats.proportions import (
    bootstrap_mean,
    clopper_pearson,
    pass_at_k,
    score_interval,
    wilson,
)
from cpu_codegen.stats.quantiles import quantile
from cpu_codegen.stats.robust import geometric_mean, hodges_lehmann, median, signed_rank_reach

__all__ = [
    "FEWEST_PROBLEMS",
    "Estimate",
    "Interval",
    "anytime_mean",
    "bootstrap_mean",
    "clopper_pearson",
    "detectable_difference",
    "geometric_mean",
    "hodges_lehmann",
    "holm",
    "log_capital",
    "mcnemar_exact",
    "mcnemar_interval",
    "median",
    "paired_permutation",
    "pass_at_k",
    "pooled_quantile",
    "power_paired",
    "quantile",
    "ratio_of_sums",
    "score_interval",
    "signed_rank_reach",
    "tango",
    "wilson",
]
