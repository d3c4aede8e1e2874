"""Owns quacc's side of the recipe bench: runs a recipe in process several times and prints the best and the first, in ms.

python recipe_peer.py relax|slabs|elastic|phonons CALLS
"""

import json
import logging
import os
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
results = tempfile.mkdtemp()
os.environ["QUACC_RESULTS_DIR"] = os.environ["QUACC_SCRATCH_DIR"] = results

start = time.perf_counter()
from ase.build import bulk  # noqa: E402
from quacc.recipes.emt.core import relax_job  # noqa: E402
from quacc.recipes.emt.elastic import elastic_tensor_flow  # noqa: E402
from quacc.recipes.emt.phonons import phonon_flow  # noqa: E402
from quacc.recipes.emt.slabs import bulk_to_slabs_flow  # noqa: E402

imports = time.perf_counter() - start
recipe = {
    "relax": relax_job,
    "slabs": lambda atoms: bulk_to_slabs_flow(atoms, run_static=False),
    "elastic": elastic_tensor_flow,
    "phonons": phonon_flow,
}[sys.argv[1]]
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    recipe(bulk("Cu", cubic=sys.argv[1] == "elastic"))
    times.append(time.perf_counter() - start)
print(json.dumps({"ms": 1e3 * min(times), "first_ms": 1e3 * times[0], "imports_ms": 1e3 * imports}))
