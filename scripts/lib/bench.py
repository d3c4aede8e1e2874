"""Owns the measurements of scripts/bench: peers and Volley in the same run, medians of ratios.

Machines are shared and noisy, so nothing here is compared with a fixed time: every figure is a
ratio of two runs that stood next to each other, or a count.
"""

import contextlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

from bench_emt import emt  # noqa: F401, called by name
from bench_lpad import lpad, lpad_million  # noqa: F401, called by name
from bench_md import md  # noqa: F401, called by name
from bench_monitor import monitor  # noqa: F401, called by name
from bench_qlaunch import qlaunch  # noqa: F401, called by name
from bench_recipes import recipes  # noqa: F401, called by name

ROOT = sys.argv[1]
VOLLEY = os.path.join(ROOT, "target", "release", "volley")
MONGO = os.environ.get("VOLLEY_TEST_MONGO")  # not there if only EMT is measured
ROUNDS = 3
# Beside the build, and removed only at the end: ext4 takes milliseconds to make a file where
# thousands have just been deleted, which would be measured in place of the launchpads.
os.makedirs(os.path.join(ROOT, "target", "bench"), exist_ok=True)
SCRATCH = tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "target", "bench"))

WRITE = {"_fw_name": "FileWriteTask", "files_to_write": [{"filename": "out", "contents": "x"}]}
SCRIPT = {"_fw_name": "ScriptTask", "script": "true"}


def volley(launchpad, folder, *arguments, log=None):
    """Runs Volley; returns seconds and what it logged."""
    environment = dict(os.environ, VOLLEY_LAUNCHPAD=launchpad, HOME=folder, XDG_DATA_HOME=folder)
    if log:
        environment["RUST_LOG"] = log
    start = time.perf_counter()
    run = subprocess.run([VOLLEY, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode != 0:
        sys.exit(f"volley {' '.join(arguments)} failed:\n{run.stderr}")
    return seconds, run.stderr


@contextlib.contextmanager
def scratch():
    """A new folder."""
    yield tempfile.mkdtemp(dir=SCRATCH.name)


class Database:
    """A MongoDB database that is gone afterwards."""

    def __enter__(self):
        import pymongo

        self.client = pymongo.MongoClient(MONGO)
        self.name = f"volley_bench_{uuid.uuid4().hex}"
        self.uri = f"{MONGO}/{self.name}"
        return self

    def __exit__(self, *_):
        self.client.drop_database(self.name)


def write_workflows(path, workflows):
    """Workflows as (number of fireworks, links, task) in one file, a document each."""
    with open(path, "w") as file:
        for count, links, task in workflows:
            fws = [{"fw_id": i + 1, "spec": {"_tasks": [task]}} for i in range(count)]
            file.write("---\n" + json.dumps({"fws": fws, "links": links}) + "\n")


def volley_rate(launchpad, workflows):
    """Fireworks per second of one rapidfire, the start of the process included."""
    with scratch() as folder:
        path = os.path.join(folder, "wf.yaml")
        write_workflows(path, workflows)
        volley(launchpad, folder, "lpad", "reset", "--yes")
        volley(launchpad, folder, "lpad", "add", path)
        run = os.path.join(folder, "run")
        os.mkdir(run)
        with open(os.path.join(run, "my_fworker.yaml"), "w") as file:
            json.dump({"name": "bench", "category": "", "query": "{}", "python": sys.executable}, file)
        count = sum(workflow[0] for workflow in workflows)
        seconds, _ = volley(launchpad, run, "rlaunch", "-s", "rapidfire")
        return count / seconds


def python_launchpad(database, workflows):
    """FireWorks' own launchpad with these workflows."""
    from fireworks import Firework, LaunchPad, Workflow
    from fireworks.user_objects.firetasks.fileio_tasks import FileWriteTask
    from fireworks.user_objects.firetasks.script_task import PyTask, ScriptTask

    classes = {"FileWriteTask": FileWriteTask, "ScriptTask": ScriptTask, "PyTask": PyTask}
    launchpad = LaunchPad(host=database.uri, name=database.name, uri_mode=True, strm_lvl="CRITICAL")
    launchpad.reset("", require_password=False, max_reset_wo_password=10**9)
    for count, links, task in workflows:
        arguments = {key: value for key, value in task.items() if key != "_fw_name"}
        fws = [Firework([classes[task["_fw_name"]](arguments)], fw_id=-(i + 1)) for i in range(count)]
        links = {-int(parent): [-child for child in children] for parent, children in links.items()}
        launchpad.add_wf(Workflow(fws, links))
    return launchpad


def python_rate(database, workflows, limit=None):
    """Fireworks per second of FireWorks' own rapidfire, called inside a running Python; of the
    first `limit` where all would take too long."""
    from fireworks import FWorker
    from fireworks.core.rocket_launcher import rapidfire

    launchpad = python_launchpad(database, workflows)
    count = limit or sum(workflow[0] for workflow in workflows)
    here = os.getcwd()
    with scratch() as folder:
        os.chdir(folder)
        start = time.perf_counter()
        rapidfire(launchpad, FWorker(), nlaunches=limit or 0, strm_lvl="CRITICAL")
        seconds = time.perf_counter() - start
        os.chdir(here)
    return count / seconds


def median_ratio(name, ours, theirs):
    """Runs both in turn; prints the medians of both and of the ratios."""
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    first, second = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    print(f"  {name:<44} {first:>9.1f} {second:>9.1f}   x {ratio:.1f}", flush=True)


def throughput():
    print("fireworks per second, one worker                    Volley FireWorks     ratio")
    for name, task, ours, theirs in [("FileWriteTask", WRITE, 2000, 100), ("ScriptTask: true", SCRIPT, 1000, 100)]:
        independent = lambda count: [(1, {}, task)] * count
        with Database() as database:
            peer = lambda: python_rate(database, independent(theirs))
            median_ratio(f"{name}, MongoDB", lambda: volley_rate(database.uri, independent(ours)), peer)
            with scratch() as folder:
                sqlite = os.path.join(folder, "launchpad.db")
                mine = lambda: volley_rate(sqlite, independent(ours))
                median_ratio(f"{name}, SQLite against their MongoDB", mine, peer)


def round_trips():
    print("MongoDB commands per firework, READY to COMPLETED (Python FireWorks: 38)")
    cases = [
        ("chain of 100, one at a time", [chain(100, WRITE)]),
        ("200 independent, claimed in batches", [(1, {}, WRITE)] * 200),
        ("50 diamonds", [(4, {"1": [2, 3], "2": [4], "3": [4]}, WRITE)] * 50),
    ]
    for name, workflows in cases:
        with Database() as database, scratch() as folder:
            path = os.path.join(folder, "wf.yaml")
            write_workflows(path, workflows)
            volley(database.uri, folder, "lpad", "reset", "--yes")
            volley(database.uri, folder, "lpad", "add", path)
            _, log = volley(database.uri, folder, "rlaunch", "rapidfire", log="volley::mongo=trace")
            commands = log.count(" DEBUG ")
            count = sum(workflow[0] for workflow in workflows)
            print(f"  {name:<44} {commands / count:>9.2f}   ({commands} for {count}, all of the process)", flush=True)


def growth():
    print("one workflow of 3000 against 1000 of 3: fireworks per second      3000    3x1000     ratio")
    wide = fan(3000, WRITE)
    small = [(3, {"1": [2], "2": [3]}, WRITE)] * 1000
    with Database() as database:
        median_ratio("MongoDB", lambda: volley_rate(database.uri, [wide]), lambda: volley_rate(database.uri, small))
    with scratch() as folder:
        path = os.path.join(folder, "launchpad.db")
        median_ratio("SQLite", lambda: volley_rate(path, [wide]), lambda: volley_rate(path, small))


def fan(count, task):
    """One, `count` - 2 that wait for it, and one that waits for those."""
    inner = list(range(2, count))
    return (count, {"1": inner, **{str(i): [count] for i in inner}}, task)


def chain(count, task):
    return (count, {str(i): [i + 1] for i in range(1, count)}, task)


def shape():
    print("one workflow of 2000 against 2000 of one: fireworks per second       one   2000x1      ratio")
    independent = [(1, {}, WRITE)] * 2000
    cases = [("fan-out and fan-in", fan(2000, WRITE)), ("chain", chain(2000, WRITE))]
    with Database() as database, scratch() as folder:
        for store, launchpad in [("MongoDB", database.uri), ("SQLite", os.path.join(folder, "launchpad.db"))]:
            for name, workflow in cases:
                ours = lambda: volley_rate(launchpad, [workflow])
                median_ratio(f"{name}, {store}", ours, lambda: volley_rate(launchpad, independent))
        print("the same against FireWorks (its first 60), MongoDB                Volley FireWorks     ratio")
        for name, workflow in cases:
            theirs = lambda: python_rate(database, [workflow], 60)
            median_ratio(name, lambda: volley_rate(database.uri, [workflow]), theirs)


def adding():
    print("`lpad add` of one workflow of 10 000, process start to exit: seconds   Volley FireWorks     ratio")
    count, links, task = fan(10_000, WRITE)
    fws = [{"fw_id": i + 1, "spec": {"_tasks": [task]}} for i in range(count)]
    with Database() as database, scratch() as folder:
        with open(os.path.join(folder, "wf.json"), "w") as file:
            json.dump({"fws": fws, "links": links, "metadata": {}}, file)
        with open(os.path.join(folder, "my_launchpad.yaml"), "w") as file:
            file.write(f"host: {database.uri}\nname: {database.name}\nuri_mode: true\n")
        lpad = os.path.join(os.path.dirname(sys.executable), "lpad")

        def theirs():
            volley(database.uri, folder, "lpad", "reset", "--yes")
            start = time.perf_counter()
            subprocess.run([lpad, "add", "wf.json"], cwd=folder, capture_output=True, check=True)
            return time.perf_counter() - start

        def ours(launchpad):
            volley(launchpad, folder, "lpad", "reset", "--yes")
            return volley(launchpad, folder, "lpad", "add", "wf.json")[0]

        for name, launchpad in [("MongoDB", database.uri), ("SQLite", os.path.join(folder, "launchpad.db"))]:
            pairs = [(ours(launchpad), theirs()) for _ in range(ROUNDS)]
            ratio = statistics.median(b / a for a, b in pairs)
            first, second = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
            print(f"  {name:<64} {first:>9.2f} {second:>9.2f}   x {ratio:.1f}", flush=True)


def pytask():
    print("fireworks per second of PyTask, one worker              Volley FireWorks     ratio")
    task = {"_fw_name": "PyTask", "func": "math.hypot", "args": [3, 4]}
    with Database() as database:
        ours = lambda: volley_rate(database.uri, [(1, {}, task)] * 1000)
        median_ratio("MongoDB", ours, lambda: python_rate(database, [(1, {}, task)] * 100))


def gaps(folder):
    """Milliseconds between the scripts that have run in the same slot: what nobody has asked for."""
    found = []
    for name in os.listdir(folder):
        if name.startswith("log."):
            with open(os.path.join(folder, name)) as file:
                at = [int(line) / 1e6 for line in file]
            found += [begun - ended for ended, begun in zip(at[1::2], at[2::2], strict=False)]
    return found


def handover():
    print("end of a script to start of the next, one worker: ms (9 of 10 below)  Volley FireWorks     ratio")

    def script(folder):
        log = f"date +%s%N >> '{folder}'/log.${{VOLLEY_SLOT:-0}}"
        return {"_fw_name": "ScriptTask", "script": f"{log}; sleep 0.1; {log}"}

    def ours(launchpad, workflows, slots):
        with scratch() as folder:
            path = os.path.join(folder, "wf.yaml")
            write_workflows(path, workflows(script(folder)))
            volley(launchpad, folder, "lpad", "reset", "--yes")
            volley(launchpad, folder, "lpad", "add", path)
            volley(launchpad, folder, "rlaunch", "-s", "multi", str(slots))
            found = sorted(gaps(folder))
            return statistics.median(found), found[len(found) * 9 // 10]

    def theirs(database, workflows):
        with scratch() as folder:
            python_rate(database, workflows(script(folder)), 30)
            return statistics.median(gaps(folder))

    cases = [
        ("chain", lambda task: [chain(40, task)], 1),
        ("independent", lambda task: [(1, {}, task)] * 40, 1),
        ("independent, 4 slots", lambda task: [(1, {}, task)] * 120, 4),
        ("chains, 4 slots", lambda task: [chain(30, task)] * 4, 4),
    ]
    with Database() as database, scratch() as folder:
        for store, launchpad in [("MongoDB", database.uri), ("SQLite", os.path.join(folder, "launchpad.db"))]:
            for name, workflows, slots in cases:
                runs = [(ours(launchpad, workflows, slots), theirs(database, workflows)) for _ in range(ROUNDS)]
                ratio = statistics.median(peer / mine for (mine, _), peer in runs)
                mine, most = (statistics.median(run[0][i] for run in runs) for i in (0, 1))
                peer = statistics.median(run[1] for run in runs)
                print(f"  {name + ', ' + store:<64} {mine:>9.1f} {peer:>9.1f}   x {ratio:.1f}   ({most:.1f})", flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    chosen = sys.argv[2:] or [
        *("throughput", "round-trips", "growth", "shape", "adding", "pytask"),
        *("emt", "md", "recipes", "lpad", "monitor", "qlaunch", "handover"),
    ]
    for name in chosen:
        globals()[name.replace("-", "_")]()
        print()
