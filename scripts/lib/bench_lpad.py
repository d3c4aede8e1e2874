"""Owns the measurements of `lpad` on launchpads of a thousand to a million fireworks: each command as people type it,
from process start to exit, against Python's on the same database.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
import time

ROUNDS = 3
CHAIN = 10  # fireworks in each workflow
LIVE = 20  # workflows at work: their number does not grow with the launchpad
PATIENCE = 60  # seconds that Python gets for a command


def documents(first, count, newest):
    """FireWorks' documents of workflows of CHAIN fireworks, with their launches: all COMPLETED but one in twenty, which
    has FIZZLED at its last, and the `newest`, which are at work."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for number in range(first, first + count):
        ids = list(range(number * CHAIN + 1, (number + 1) * CHAIN + 1))
        at = now - datetime.timedelta(seconds=20 * (newest + LIVE - number))
        text = at.isoformat(timespec="microseconds")
        states = ["COMPLETED"] * CHAIN
        if number >= newest:
            states[3:] = ["RUNNING"] + ["WAITING"] * (CHAIN - 4)
        elif number % 20 == 0:
            states[-1] = "FIZZLED"
        fireworks, launches = [], []
        for fw_id, state in zip(ids, states):
            ran = state != "WAITING"
            fireworks.append({
                "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": ["true"]}], "formula": f"Cu{fw_id}", "n": fw_id},
                "fw_id": fw_id, "created_on": text, "updated_on": text, "name": f"relax {fw_id % 50}", "state": state,
                "launches": [fw_id] if ran else [], "archived_launches": [],
            })
            if ran:
                history = [{"state": "RUNNING", "created_on": text, "updated_on": text}]
                if state != "RUNNING":
                    history.append({"state": state, "created_on": text})
                action = {"stored_data": {"energy": -0.006}, "exit": False, "update_spec": {}, "mod_spec": [],
                          "additions": [], "detours": [], "defuse_children": False, "defuse_workflow": False}
                launches.append({
                    "launch_id": fw_id, "fw_id": fw_id, "launch_dir": f"/scratch/{fw_id}", "state": state,
                    "fworker": {"name": "w", "category": "", "query": "{}", "env": {}}, "host": "node", "ip": "127.0.0.1",
                    "trackers": [], "action": action if len(history) > 1 else None, "state_history": history,
                    "time_start": text, "time_end": text if len(history) > 1 else None, "runtime_secs": 1.0,
                })
        state = "RUNNING" if number >= newest else states[-1]
        workflow = {
            "nodes": ids, "links": {str(i): [i + 1] if i < ids[-1] else [] for i in ids},
            "parent_links": {str(i): [i - 1] for i in ids[1:]}, "metadata": {}, "name": f"workflow {number % 50}",
            "created_on": at, "updated_on": at, "state": state, "fw_states": dict(zip(map(str, ids), states)),
        }
        yield fireworks, launches, workflow


def fill(database, count):
    """Puts that many fireworks into a launchpad whose indexes are there."""
    store = database.client[database.name]
    workflows = count // CHAIN
    for first in range(0, workflows, 1000):
        some = list(documents(first, min(1000, workflows - first), workflows - LIVE))
        store.fireworks.insert_many([one for fireworks, _, _ in some for one in fireworks], ordered=False)
        store.launches.insert_many([one for _, launches, _ in some for one in launches], ordered=False)
        store.workflows.insert_many([workflow for _, _, workflow in some], ordered=False)
    store.fw_id_assigner.update_one({}, {"$set": {"next_fw_id": count + 1, "next_launch_id": count + 1}})


def launchpad(bench, database, folder, count):
    """A launchpad of that many fireworks; its my_launchpad.yaml."""
    settings = os.path.join(folder, "my_launchpad.yaml")
    with open(settings, "w") as file:
        json.dump({"host": database.uri, "name": database.name, "uri_mode": True, "user_indices": ["spec.formula"],
                   "wf_user_indices": [], "strm_lvl": "ERROR", "logdir": None}, file)
    bench.volley(settings, folder, "lpad", "admin", "tuneup")
    fill(database, count)
    return settings


def commands(count):
    """Name, and what makes the arguments of a round; a workflow is changed in one round only."""
    spare = iter(range(1, count // CHAIN))
    fresh = lambda: str(next(spare) * CHAIN)
    return [
        ("get_fws -i", lambda: ["get_fws", "-i", str(count // 2)]),
        ("get_fws -s RUNNING", lambda: ["get_fws", "-s", "RUNNING"]),
        ("get_fws -s RUNNING -d more", lambda: ["get_fws", "-s", "RUNNING", "-d", "more"]),
        ("get_wflows -m 20 -d more", lambda: ["get_wflows", "-m", "20", "-d", "more", "--rsort", "updated_on"]),
        ("get_fws -q, indexed", lambda: ["get_fws", "-q", json.dumps({"spec.formula": f"Cu{count // 3}"})]),
        ("get_fws -q, not indexed", lambda: ["get_fws", "-q", json.dumps({"spec.n": count // 3})]),
        ("get_fws -d count -s COMPLETED", lambda: ["get_fws", "-d", "count", "-s", "COMPLETED"]),
        ("report", lambda: ["report"]),
        ("set_priority", lambda: ["set_priority", "5", "-i", fresh()]),
        ("rerun_fws", lambda: ["rerun_fws", "-i", fresh()]),
        ("delete_wflows", lambda: ["delete_wflows", "-i", fresh()]),
    ]


def ours_only():
    """What FireWorks has no command for."""
    return [("status", ["status"]), ("errors", ["errors"])]


def measure(bench, count):
    print(f"{count} fireworks, process start to exit, ms            Volley FireWorks     ratio   (MongoDB commands)")
    lpad = os.path.join(os.path.dirname(sys.executable), "lpad")
    with bench.Database() as database, bench.scratch() as folder:
        settings = launchpad(bench, database, folder, count)

        def theirs(arguments):
            start = time.perf_counter()
            try:
                ran = subprocess.run([lpad, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                return None
            if ran.returncode != 0:
                sys.exit(f"FireWorks' lpad {' '.join(arguments)} failed:\n{ran.stderr}")
            return time.perf_counter() - start

        for name, arguments in commands(count):
            mine = [bench.volley(settings, folder, "lpad", *arguments())[0] for _ in range(ROUNDS)]
            _, log = bench.volley(settings, folder, "lpad", *arguments(), log="volley::mongo=trace")
            peer = [theirs(arguments())]
            # A command that takes Python half a minute is not asked for thrice.
            peer += [theirs(arguments()) for _ in range(ROUNDS - 1) if peer[0] is not None and peer[0] < 5]
            show(name, mine, None if None in peer else peer, log.count(" DEBUG "))
        for name, arguments in ours_only():
            mine = [bench.volley(settings, folder, "lpad", *arguments)[0] for _ in range(ROUNDS)]
            _, log = bench.volley(settings, folder, "lpad", *arguments, log="volley::mongo=trace")
            print(f"  {name:<44} {1e3 * statistics.median(mine):>9.1f} {'':>9}           ({log.count(' DEBUG ')})", flush=True)
        memory(bench, settings, folder, count)


def show(name, mine, peer, asked):
    first = 1e3 * statistics.median(mine)
    if peer is None:
        print(f"  {name:<44} {first:>9.1f} {'> ' + str(PATIENCE) + ' s':>9}           ({asked})", flush=True)
        return
    second = 1e3 * statistics.median(peer)
    print(f"  {name:<44} {first:>9.1f} {second:>9.1f}   x {second / first:<5.0f}   ({asked})", flush=True)


def memory(bench, settings, folder, count):
    """What `get_fws` of everything takes, as JSON in a pipe that is read at once."""
    code = ("import os, resource, subprocess, sys; "
            "ran = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE); "
            "print(ran.returncode, len(ran.stdout), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)")
    environment = dict(os.environ, VOLLEY_LAUNCHPAD=settings, HOME=folder)
    start = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", code, bench.VOLLEY, "lpad", "get_fws"], env=environment, cwd=folder,
                         capture_output=True, text=True, check=True)
    status, size, peak = ran.stdout.split()
    seconds = time.perf_counter() - start
    print(f"  get_fws of all {count}: {int(size) / 1e6:.1f} MB of JSON in {seconds:.1f} s, {peak} MB of memory (exit {status})")


def lpad():
    import __main__ as bench  # what the other measurements use, too

    for count in (1_000, 100_000):
        measure(bench, count)


def lpad_million():
    import __main__ as bench

    measure(bench, 1_000_000)
