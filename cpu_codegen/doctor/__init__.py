"""`cpu-codegen doctor`: what this machine has, what holds, and what would make it faster or safer.

sections.py   the shape of a finding, and the list of sections in the order in which they are shown
hardware.py   CPU, llama.cpp's build, threads, memory, power, energy, disk
isolation.py  the sandbox, attacked for real
caches.py     models' caches, ours, downloads, calibration
software.py   Python, packages, environment variables in force

A new section is a function that returns a Section, and a line in `sections.sections`. Facts come from cpu_codegen/machine.py;
unknown reads "unknown", never a guess.
"""
