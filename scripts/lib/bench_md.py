"""Owns the measurement of molecular dynamics: Volley as a process, ASE and asap3 in process, from the same start.

One thread each. Volley's time is the difference of two runs of `volley emt md`, so that what comes before the
first step and after the last one does not count, nor do the imports of the others. No frames but the first and
the last are kept. The best of several runs, and medians of ratios over rounds, as for EMT alone.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench_emt import environment

ROOT = sys.argv[1]
VOLLEY = os.path.join(ROOT, "target", "release", "volley")
PEER = os.path.join(os.path.dirname(__file__), "md_peer.py")
ROUNDS = 3
# Steps before the clock starts, and on the clock: of Volley and asap3, of ASE. For cubes of 4 n^3 atoms.
SHORT = 3
STEPS = {10: (200, 3), 20: (30, 1)}
TIMESTEP_FS = 5.0


def start(folder, n, silver):
    """A file of copper of 300 K, with its momenta; with one silver atom asap3 has ASE's cutoff."""
    import numpy as np
    from ase.build import bulk
    from ase.io import write
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    atoms = bulk("Cu", cubic=True) * (n, n, n)
    if silver:
        atoms.symbols[0] = "Ag"
    # Half of it becomes potential energy.
    MaxwellBoltzmannDistribution(atoms, temperature_K=600, rng=np.random.RandomState(1))
    path = os.path.join(folder, f"{n}{'-silver' if silver else ''}.xyz")
    write(path, atoms, format="extxyz", columns=["symbols", "positions", "momenta"])
    return path


def volley(file, steps, asap):
    """Seconds, and the energy at the end."""
    settings = {
        "steps": steps,
        "timestep_fs": TIMESTEP_FS,
        "md_params.dynamics_kwargs.loginterval": steps,
        "calc_params.asap_cutoff": json.dumps(asap),
    }
    arguments = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    begin = time.perf_counter()
    output = subprocess.check_output([VOLLEY, "emt", "md", file, "-o", "json", *arguments])
    seconds = time.perf_counter() - begin
    found = json.loads(output)
    document = found[0] if isinstance(found, list) else found
    return seconds, document["results"]["energy"]


def ours(file, steps, asap):
    short, energy = min((volley(file, SHORT, asap) for _ in range(2)), key=lambda run: run[0])
    seconds = min(volley(file, SHORT + steps, asap)[0] for _ in range(2))
    return {"ms": 1e3 * (seconds - short) / steps, "energy": energy}


def theirs(name, file, steps):
    command = [os.environ["VOLLEY_BENCH_PEERS"], PEER, name, file, str(TIMESTEP_FS), str(SHORT), str(steps)]
    run = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def md():
    print("steps of NVE, Cu of 300 K, 5 fs: steps per second                Volley      peer    ratio")
    rows = [
        ("asap_cutoff, asap3", "asap", False, True),
        ("ASE's cutoff, asap3 (one Ag atom)", "asap", True, False),
        ("ASE's cutoff, ASE", "ase", False, False),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, peer, silver, asap in rows:
            for n, (many, few) in STEPS.items():
                file = start(folder, n, silver)
                steps = many if peer == "asap" else few
                pairs = [(ours(file, many, asap), theirs(peer, file, steps)) for _ in range(ROUNDS)]
                mine, other = (statistics.median(1e3 / pair[i]["ms"] for pair in pairs) for i in (0, 1))
                ratio = statistics.median(b["ms"] / a["ms"] for a, b in pairs)
                off = max(abs(a["energy"] - b["energy"]) for a, b in pairs) / (4 * n**3)
                what = f"{name}, {4 * n**3} atoms"
                print(f"  {what:<58} {mine:>9.1f} {other:>9.2f}  x {ratio:.2f}", flush=True)
                print(f"    energies after {SHORT} steps differ by {off:.0e} eV/atom", flush=True)
