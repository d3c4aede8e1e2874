"""Owns the measurements of EMT: ASE, asap3 and Volley on the same rattled copper, in turn.

One thread unless said. Every process times several calls and gives the best, because others who use
the machine only add to a time; ratios are medians over rounds.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]
PROGRAM = os.path.join(ROOT, "target", "release", "examples", "emt_bench")
PEER = os.path.join(os.path.dirname(__file__), "emt_peer.py")
ROUNDS = 3
# Calls timed per process: (cold, warm) for cubes of 4 n^3 atoms.
CALLS = {3: (20, 100), 5: (20, 60), 10: (6, 20), 20: (3, 6)}


def environment():
    """One thread each, and no settings of linear algebra that would not be there elsewhere."""
    ours = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    return {key: value for key, value in os.environ.items() if key not in ours} | {"OMP_NUM_THREADS": "1"}


def volley(file, **settings):
    arguments = [f"{key}={value}" for key, value in settings.items()]
    return json.loads(subprocess.check_output([PROGRAM, file, *arguments]))


def peer(name, file, cold, warm):
    command = [os.environ["VOLLEY_BENCH_PEERS"], PEER, name, file, str(cold), str(warm)]
    run = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def rattled_copper(folder, n, silver=False):
    """A file with 4 n^3 atoms, the first of them silver if asked: asap3 then has ASE's cutoff."""
    from ase.build import bulk

    atoms = bulk("Cu", cubic=True) * (n, n, n)
    atoms.rattle(0.05, seed=1)
    if silver:
        atoms.symbols[0] = "Ag"
    path = os.path.join(folder, f"{n}{'-silver' if silver else ''}.json")
    plain = {key: getattr(atoms, key).tolist() for key in ("numbers", "positions", "pbc")}
    with open(path, "w") as file:
        json.dump({**plain, "cell": atoms.cell.array.tolist()}, file)
    return path


def against_peers(folder):
    print("energy, forces and stress of rattled Cu (asap3: no stress): ms   Volley      peer    ratio")
    rows = [
        ("asap_cutoff, asap3", "asap", False, 1),
        ("ASE's cutoff, asap3 (one Ag atom)", "asap", True, 0),
        ("ASE's cutoff, ASE", "ase", False, 0),
    ]
    for name, other, silver, asap in rows:
        worst = 0.0
        for n, (cold, warm) in CALLS.items():
            file = rattled_copper(folder, n, silver)
            calls = (cold, warm) if other == "asap" else (1, 2)
            pairs = [(volley(file, asap=asap, cold=cold, warm=warm), peer(other, file, *calls)) for _ in range(ROUNDS)]
            for kind in ("warm_ms", "cold_ms"):
                mine, theirs = (statistics.median(pair[i][kind] for pair in pairs) for i in (0, 1))
                ratio = statistics.median(a[kind] / b[kind] for a, b in pairs)
                shown = f"{ratio:8.3f}" if other == "asap" else f"  1/{1 / ratio:.0f}"
                what = f"{name}, {4 * n**3} atoms, {'reused' if kind == 'warm_ms' else 'built'}"
                print(f"  {what:<58} {mine:>9.3f} {theirs:>9.2f} {shown}", flush=True)
            worst = max(worst, *(abs(a["energy"] - b["energy"]) / (4 * n**3) for a, b in pairs))
        print(f"  {name}: greatest difference of the energies {worst:.0e} eV/atom", flush=True)


def growth(folder):
    print("growth with the number of atoms: us per atom                   reused     built  peak kB/atom")
    file = rattled_copper(folder, 3)
    run = lambda repeat: volley(file, repeat=repeat, cold=3, warm=5)
    base = run(1)["peak_kb"] or 0  # the structure itself counts, the program does not
    for repeat in (2, 4, 7, 13, 21):
        found = run(repeat)
        atoms = found["atoms"]
        reused, built = (1e3 * found[kind] / atoms for kind in ("warm_ms", "cold_ms"))
        memory = ((found["peak_kb"] or float("nan")) - base) / atoms
        print(f"  {atoms:<58} {reused:>9.3f} {built:>9.3f} {memory:>8.2f}", flush=True)


def threads(folder):
    print("two threads for one: ms                                           one       two   faster")
    file = rattled_copper(folder, 10)
    for repeat, calls in ((1, 60), (2, 20), (4, 5)):
        settings = {"repeat": repeat, "cold": 3, "warm": calls}
        pairs = [(volley(file, **settings), volley(file, threads=2, **settings)) for _ in range(ROUNDS)]
        if any(one["energy"] != two["energy"] for one, two in pairs):
            sys.exit("the energy depends on the number of threads")
        for kind, name in (("warm_ms", "reused"), ("cold_ms", "built")):
            one, two = (min(pair[i][kind] for pair in pairs) for i in (0, 1))
            what = f"{4000 * repeat**3} atoms, {name}"
            print(f"  {what:<58} {one:>9.2f} {two:>9.2f} {one / two:>8.2f}", flush=True)


def instructions(folder):
    """By the difference of two runs that differ in the number of calls only."""
    if not shutil.which("valgrind"):
        print("instructions per call: no valgrind here")
        return
    print("instructions per atom of a call (callgrind; AVX2, whatever the processor)")
    for n in (3, 10):
        file = rattled_copper(folder, n)
        for name, key in (("list reused", "warm"), ("list built", "cold")):
            few, many = (counted(file, **{"cold": 0, "warm": 0, key: calls}) for calls in (1, 3))
            print(f"  {f'{4 * n**3} atoms, {name}':<58} {(many - few) / 2 / (4 * n**3):>9.0f}", flush=True)


def counted(file, **settings):
    arguments = [f"{key}={value}" for key, value in settings.items()]
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM, file, *arguments]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return int(next(line for line in log.splitlines() if "Collected :" in line).split(":")[1])


def emt():
    with tempfile.TemporaryDirectory() as folder:
        for part in (against_peers, growth, threads, instructions):
            part(folder)
