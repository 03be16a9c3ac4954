"""Semi-manual grading as the survey did it: people give points by a rubric, beside the automatic verdicts.

rubric.py      what is asked, and which points may be given
grading.py     who grades what next; points stored in the run folder
agreement.py   Cohen's kappa between reviewers and against the tests, and where they differ
web.py         the same in a browser, on 127.0.0.1 only
"""
