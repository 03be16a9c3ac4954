"""How far a quantization strays from the largest file of its model: what 60 verdicts cannot resolve, thousands of tokens can.

    texts.py       a problem → the text that is scored: plain prompt, fence, reference; only the reference's tokens count
    divergence.py  logits → bits, KL(base ‖ quant), same top token; base log-probabilities as 16-bit values
    base.py        which of the files is the base; whether all speak the same tokens
    scoring.py     the parent's side of engine/likelihood.py: texts → tokens and figures, crashes survived
    kept.py        the files in which the base waits for the others
    ladder.py      one model in memory at a time → fidelity.jsonl, resumable per problem
    steps.py       fidelity.jsonl → figures with intervals over problems
    tables.py      the same for people and programs
    find.py        the figures that belong to given runs

Reported: bits per byte; KL in nats over the whole vocabulary, mean and 99th percentile over tokens; share of tokens whose most
likely next token is the base's. Files of another base, other token ids or another vocabulary never share a table.
"""
