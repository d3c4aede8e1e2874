"""One peer of the EMT bench, called as `emt_peer.py ase|asap FILE.json COLD WARM`.

Energy and forces of a plain structure; ASE has the stress then, too, and asap3 would compute all
again for it, which is left out in its favour. Cold: a new calculator, COLD times; warm: positions
moved by 1e-4 Angstrom, list reused, WARM times. One line of JSON with the best of each in ms.
"""

import json
import sys
import time

from ase import Atoms


def once(atoms):
    start = time.perf_counter()
    atoms.get_potential_energy(), atoms.get_forces()
    return 1e3 * (time.perf_counter() - start)


def main(peer, file, cold, warm):
    if peer == "asap":
        from asap3 import EMT
    else:
        from ase.calculators.emt import EMT
    with open(file) as text:
        atoms = Atoms(**json.load(text))
    colds, warms = [], []
    for _ in range(int(cold)):
        atoms.calc = EMT()
        colds.append(once(atoms))
    energy = atoms.get_potential_energy()
    for index in range(int(warm)):
        atoms.positions += 1e-4 if index % 2 else -1e-4
        warms.append(once(atoms))
    print(json.dumps({"energy": energy, "cold_ms": min(colds), "warm_ms": min(warms)}))


main(*sys.argv[1:])
