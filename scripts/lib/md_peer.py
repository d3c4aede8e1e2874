"""One peer of the bench of molecular dynamics, called as `md_peer.py ase|asap FILE.xyz FS BEFORE STEPS`.

Makes BEFORE steps, then STEPS on the clock. One line of JSON: ms per step, and the energy after the first ones.
asap3 has its own integrator, which is quicker than ASE's.
"""

import json
import sys
import time

from ase import units
from ase.io import read

peer, file, fs, before, steps = sys.argv[1:]
if peer == "asap":
    from asap3 import EMT
    from asap3.md.verlet import VelocityVerlet
else:
    from ase.calculators.emt import EMT
    from ase.md.verlet import VelocityVerlet

atoms = read(file)
atoms.calc = EMT()
dynamics = VelocityVerlet(atoms, timestep=float(fs) * units.fs)
dynamics.run(int(before))
energy = atoms.get_potential_energy()
start = time.perf_counter()
dynamics.run(int(steps))
seconds = time.perf_counter() - start
print(json.dumps({"ms": 1e3 * seconds / int(steps), "energy": energy}))
