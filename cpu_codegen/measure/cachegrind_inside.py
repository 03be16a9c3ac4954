"""Runs under valgrind: loads one program and calls it as often as it is told. Text only: it is handed over with `python -c`.

Nothing of ours is importable in there, so the modules of the codec come along as sources, each after what it imports.
The first line of stdin is the request (JSON).
"""

RUNNER = r"""
import json, os, sys, types
os.close(int(sys.argv[1]))  # valgrind keeps its own copy of the log's descriptor, out of the program's reach
request = json.loads(sys.stdin.readline())
for name, source in request["codec"].items():
    package = name.rpartition(".")[0]
    for outer in (package.partition(".")[0], package):
        sys.modules.setdefault(outer, types.ModuleType(outer))
    codec = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), codec.__dict__)
    setattr(sys.modules[package], name.rpartition(".")[2], codec)
passes = [[codec.decode(args) for args in request["batch"]] for _ in range(request["passes"])]
sys.stdin.close()
module = types.ModuleType("candidate")
sys.modules["candidate"] = module
exec(compile(request["code"], "<candidate>", "exec", dont_inherit=True, optimize=0), module.__dict__)
function = module.__dict__[request["entry_point"]]
for calls in passes[1:]:
    for args in calls:
        output = function(*args)
        if hasattr(type(output), "__next__"):
            list(output)
os._exit(0)
"""
