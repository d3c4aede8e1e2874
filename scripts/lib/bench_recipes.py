"""Owns the measurements of recipes: quacc in a running Python, Volley as a process from start to result."""

import json
import os
import statistics
import subprocess
import sys
import time

from bench_emt import environment

ROOT = sys.argv[1]
VOLLEY = os.path.join(ROOT, "target", "release", "volley")
PEER = os.path.join(os.path.dirname(__file__), "recipe_peer.py")
ROUNDS = 3


def ours(recipe, calls):
    """The best of several processes: others who use the machine only add to a time."""
    # Elastic constants are mostly asked of the conventional cell.
    arguments = [VOLLEY, "emt", recipe, "bulk:Cu:cubic" if recipe == "elastic" else "bulk:Cu", "-o", "json"]
    arguments += ["--set", "run_static=false"] if recipe == "slabs" else []
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def theirs(recipe, calls):
    command = [os.environ["VOLLEY_BENCH_PEERS"], PEER, recipe, str(calls)]
    run = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def recipes():
    print("recipes of bulk Cu: ms, Volley as a process, quacc in process      Volley     quacc     ratio   its first call")
    for name, recipe, calls in [
        ("relax_job", "relax", 20),
        ("bulk_to_slabs_flow, no static", "slabs", 5),
        ("elastic_tensor_flow, 4 atoms", "elastic", 3),
        ("phonon_flow", "phonons", 2),
    ]:
        pairs = [(ours(recipe, calls), theirs(recipe, calls)) for _ in range(ROUNDS)]
        mine, other, first, imports = (
            statistics.median(values)
            for values in zip(*((a, b["ms"], b["first_ms"], b["imports_ms"]) for a, b in pairs), strict=True)
        )
        ratio = statistics.median(b["ms"] / a for a, b in pairs)
        print(f"  {name:<56} {mine:>9.1f} {other:>9.1f}   x {ratio:<6.0f} {first:>9.1f}", flush=True)
    print(f"  quacc's imports before that: {imports:.0f} ms", flush=True)
