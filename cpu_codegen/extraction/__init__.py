"""Raw answer → Extraction: the program that a model wrote, as it wrote it.

answer.py      ours, the default: linear time, repairs little and says what
fences.py      fenced blocks and reasoning tags, line by line
evalplus.py    EvalPlus's sanitizer rebuilt, its flaws included, for comparisons (`--extract evalplus`)
generation.py  a stored line, by the rules of its run
"""
