"""Which model should I run here, and then? What fits and is usable × what is known of its quality → at most three names.

quality.py     what own runs measured of a very file, what others published of the unquantized model: two columns
choice.py      the Pareto fronts of each column, and the names taken from them, one sentence each
deploy.py      the choice put to use: llama-server, llama-cpp-python, Ollama, with what was measured best
recommend.py   all of it for this machine
"""
