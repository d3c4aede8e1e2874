"""Owns the measurements of the queue launcher on the private Slurm: submissions against a bare loop of `sbatch` and
against FireWorks, and what a launcher that waits asks of Slurm and of the store.

The jobs may start in an hour and are cancelled before that, so that only submitting is measured.
"""

import collections
import json
import os
import statistics
import subprocess
import sys
import time
import uuid

ROOT = sys.argv[1]
VOLLEY = os.path.join(ROOT, "target", "release", "volley")
CONF = os.environ.get("VOLLEY_TEST_SLURM_CONF")
TEMPLATE = os.path.join(ROOT, "templates", "queue", "SLURM_template.txt")
PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel", "sacct")
ROUNDS = 3
JOBS = 200
PEER_JOBS = 10  # scaled to JOBS: each takes FireWorks seconds
IDLE_JOBS = 100
WRITES = {"q": "update"}  # as the profiler shows the statements of an update
WATCHED = 120  # seconds; two of the listings that are a minute apart


class Folder:
    """A folder with settings for `qlaunch`; what it has submitted is cancelled in the end."""

    def __init__(self, bench, store):
        self.bench = bench
        self.database = bench.Database().__enter__() if store == "MongoDB" else None
        self.path = bench.tempfile.mkdtemp(dir=bench.SCRATCH.name)
        self.launchpad = self.database.uri if self.database else os.path.join(self.path, "launchpad.db")
        self.environment = dict(os.environ, SLURM_CONF=CONF, HOME=self.path, XDG_DATA_HOME=self.path)
        with open(TEMPLATE) as template:
            first, rest = template.read().split("\n", 1)
        self.write("template.txt", f"{first}\n#SBATCH --begin=now+1hour\n{rest}")
        adapter = {"_fw_name": "CommonAdapter", "_fw_q_type": "SLURM", "queue": "debug"}
        adapter["_fw_template_file"] = os.path.join(self.path, "template.txt")
        adapter["rocket_launch"] = "rlaunch singleshot"
        self.write("my_qadapter.yaml", json.dumps(adapter))
        if self.database:
            self.write(
                "my_launchpad.yaml",
                json.dumps({"host": self.database.uri, "name": self.database.name, "uri_mode": True}),
            )
        self.write("my_fworker.yaml", json.dumps({"name": "bench", "category": "", "query": "{}"}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cancel()
        if self.database:
            self.database.__exit__()

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w") as file:
            file.write(text)

    def run(self, command, **more):
        return subprocess.run(
            command, cwd=self.path, env=self.environment, check=True, capture_output=True, text=True, **more
        ).stdout

    def timed(self, command):
        start = time.perf_counter()
        self.run(command)
        return time.perf_counter() - start

    def fill(self, fireworks):
        """So many READY fireworks, and none of earlier rounds."""
        path = os.path.join(self.path, "wf.yaml")
        self.bench.write_workflows(path, [(1, {}, self.bench.SCRIPT)] * fireworks)
        self.bench.volley(self.launchpad, self.path, "lpad", "reset", "--yes")
        self.bench.volley(self.launchpad, self.path, "lpad", "add", path)
        self.environment["VOLLEY_LAUNCHPAD"] = self.launchpad

    def jobs(self):
        """The ids of what was submitted from here, arrays as one."""
        lines = self.run(["squeue", "-h", "-r", "-o", "%F %Z"]).splitlines()
        return [line.split()[0] for line in lines if self.path in line]

    def queued(self):
        return len(self.jobs())

    def cancel_jobs(self):
        while jobs := self.jobs():
            self.run(["scancel", *set(jobs)])
            time.sleep(0.1)

    def cancel(self):
        """Cancels all, and begins anew with the folders."""
        self.cancel_jobs()
        for block in os.listdir(self.path):
            if block.startswith("block_"):
                os.rename(os.path.join(self.path, block), os.path.join(self.path, f"old_{uuid.uuid4().hex}"))


def ours(folder, arguments):
    """Seconds of one `qlaunch` that submits JOBS jobs, and the folders of their scripts."""
    folder.cancel()
    folder.fill(JOBS)
    seconds = folder.timed([VOLLEY, "qlaunch", *arguments, "--nlaunches", str(JOBS)])
    if folder.queued() != JOBS:
        sys.exit(f"{folder.queued()} jobs are queued, and not {JOBS}")
    return seconds


def bare_loop(folder):
    """Seconds of a shell that hands the same scripts to `sbatch`."""
    scripts = []
    for parent, _, files in os.walk(folder.path):
        if "old_" not in parent:
            scripts += [parent for name in files if name == "FW_submit.script"]
    folder.cancel_jobs()
    folder.write("folders", "".join(f"{path}\n" for path in scripts))
    loop = "while IFS= read -r dir; do cd \"$dir\" && sbatch --parsable FW_submit.script </dev/null || exit; done <folders"
    seconds = folder.timed(["bash", "-c", loop])
    assert folder.queued() == len(scripts) == JOBS, f"{folder.queued()} of {len(scripts)}"
    return seconds


def submissions(bench):
    print(f"{JOBS} submissions by `qlaunch`, process start to exit: seconds     Volley bare loop    ratio (wanted)")
    for store in ("SQLite", "MongoDB"):
        with Folder(bench, store) as folder:
            plain, reserve, array = [], [], []
            for _ in range(ROUNDS):
                mine = ours(folder, ["-r", "rapidfire"])
                reserve.append((mine, bare_loop(folder)))
                mine = ours(folder, ["rapidfire"])
                loop = bare_loop(folder)
                plain.append((mine, loop))
                # The loop of the same scripts as without arrays.
                array.append((ours(folder, ["rapidfire", "--array-size", str(JOBS)]), loop))
            for name, pairs, wanted in [
                ("a job each", plain, 1.5),
                ("-r", reserve, 1.5),
                (f"--array-size {JOBS}", array, 0.2),
            ]:
                ratio = statistics.median(a / b for a, b in pairs)
                mine, other = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
                print(f"  {f'{name}, {store}':<56} {mine:>9.2f} {other:>9.2f}   x {ratio:.2f} (<= {wanted})", flush=True)


def against_fireworks(bench):
    print(f"the same against FireWorks' `qlaunch` ({PEER_JOBS}, scaled), MongoDB         Volley FireWorks    ratio")
    qlaunch = os.path.join(os.path.dirname(sys.executable), "qlaunch")
    with Folder(bench, "MongoDB") as folder:
        for name, mode in [("a job each", []), ("-r", ["-r"])]:
            mine = ours(folder, [*mode, "rapidfire"])
            folder.cancel()
            folder.fill(JOBS)
            other = folder.timed([qlaunch, *mode, "rapidfire", "--nlaunches", str(PEER_JOBS)])
            if folder.queued() != PEER_JOBS:
                sys.exit(f"FireWorks submitted {folder.queued()} jobs, and not {PEER_JOBS}")
            other *= JOBS / PEER_JOBS
            print(f"  {name:<56} {mine:>9.2f} {other:>9.1f}   x {other / mine:.0f}", flush=True)


def count_calls(folder):
    """Puts programs before those of Slurm that note each call."""
    path = os.path.join(folder.path, "bin")
    os.makedirs(path, exist_ok=True)
    for program in PROGRAMS:
        real = which(program)
        file = os.path.join(path, program)
        with open(file, "w") as script:
            script.write(f"#!/bin/sh\necho {program} >>'{folder.path}/calls'\nexec {real} \"$@\"\n")
        os.chmod(file, 0o755)
    return dict(folder.environment, PATH=f"{path}:{os.environ['PATH']}")


def which(program):
    return subprocess.run(["which", program], check=True, capture_output=True, text=True).stdout.strip()


def calls(folder):
    try:
        with open(os.path.join(folder.path, "calls")) as file:
            return collections.Counter(file.read().split())
    except FileNotFoundError:
        return collections.Counter()


def idle(bench):
    print(f"commands a minute of an idle `qlaunch rapidfire` with {IDLE_JOBS} jobs in the queue, over {WATCHED} s")
    for store in ("SQLite", "MongoDB"):
        for name, fireworks in [("more is READY", IDLE_JOBS + 20), ("nothing is READY without a job", IDLE_JOBS)]:
            with Folder(bench, store) as folder:
                folder.fill(fireworks)
                environment = count_calls(folder)
                command = [VOLLEY, "qlaunch", "rapidfire", "-m", str(IDLE_JOBS), "--nlaunches", "infinite"]
                with open(os.path.join(folder.path, "log"), "w") as log:
                    launcher = subprocess.Popen(
                        command, cwd=folder.path, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                    )
                try:
                    while folder.queued() < IDLE_JOBS:
                        if launcher.poll() is not None:
                            sys.exit(f"qlaunch ended: {open(log.name).read()}")
                        time.sleep(0.5)
                    time.sleep(5)  # the round that filled the queue is over
                    before = calls(folder)
                    if folder.database:
                        database = folder.database.client[folder.database.name]
                        database.command("profile", 2)
                    time.sleep(WATCHED)
                    told = calls(folder) - before
                    if folder.database:
                        database.command("profile", 0)
                        commands = (next(iter(entry["command"]), "") for entry in database["system.profile"].find())
                        stored = collections.Counter(WRITES.get(name, name) for name in commands if name != "profile")
                    if launcher.poll() is not None or folder.queued() != IDLE_JOBS:
                        sys.exit(f"the queue was not as it should be: {open(log.name).read()}")
                finally:
                    launcher.terminate()
                    launcher.wait()
                rate = lambda counter: ", ".join(f"{n * 60 / WATCHED:.1f} {key}" for key, n in sorted(counter.items()))
                print(f"  {f'{name}, {store}':<52} Slurm: {rate(told) or 'none'}", flush=True)
                if folder.database:
                    print(f"  {'':<52} store: {rate(stored) or 'none'}", flush=True)


def qlaunch():
    import __main__ as bench  # what the other measurements use, too

    submissions(bench)
    print()
    against_fireworks(bench)
    print()
    idle(bench)
