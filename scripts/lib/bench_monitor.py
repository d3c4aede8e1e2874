"""Owns the measurements of `lpad monitor`, on a terminal of its own (140x40), beside what people of FireWorks type
again and again instead: `lpad get_wflows -m 20 -d more` and `lpad get_fws -d count`.
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import time

from bench_lpad import PATIENCE, launchpad

KEYS = 60  # of each kind
IDLE = 60  # seconds that an idle monitor is looked at
MANY = 20  # monitors at once


class Monitor:
    """A monitor on a terminal of its own."""

    def __init__(self, bench, settings, folder, *arguments):
        environment = dict(os.environ, VOLLEY_LAUNCHPAD=settings, HOME=folder, XDG_DATA_HOME=folder, TERM="xterm-256color")
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
        self.terminal, self.begun, self.drawn = ours, time.perf_counter(), b""
        self.process = subprocess.Popen([bench.VOLLEY, "lpad", "monitor", *arguments], cwd=folder, env=environment,
                                        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)

    def read(self, patience):
        """What is drawn until nothing more comes for so long."""
        drawn = b""
        while select.select([self.terminal], [], [], patience)[0]:
            drawn += os.read(self.terminal, 1 << 16)
        return drawn

    def until(self, words, patience=PATIENCE):
        """Milliseconds since the start of the process until these words are drawn, or have been before."""
        end = time.monotonic() + patience
        while words not in self.drawn:
            if not select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))[0]:
                sys.exit(f"{words!r} was not drawn within {patience} s, but {self.drawn[-2000:]!r}")
            self.drawn += os.read(self.terminal, 1 << 16)
        return 1e3 * (time.perf_counter() - self.begun)

    def key(self, key):
        """Milliseconds until something is drawn, and how many bytes are, in the first piece."""
        self.read(0.02)
        start = time.perf_counter()
        os.write(self.terminal, key)
        if not select.select([self.terminal], [], [], PATIENCE)[0]:
            sys.exit(f"nothing was drawn for the key {key!r}")
        passed = 1e3 * (time.perf_counter() - start)
        return passed, len(os.read(self.terminal, 1 << 16))

    def memory(self):
        """The most that it has had, in MB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

    def seconds(self):
        """The processor time that it has used."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # its end of the terminal is closed
            self.read(5)
        self.process.wait()
        os.close(self.terminal)


def asked(database):
    """How many commands of monitors the server has had, by name, and how many documents and keys it has looked at."""
    status = database.client.admin.command("serverStatus")["metrics"]
    commands = {name: count["total"] for name, count in status["commands"].items() if isinstance(count, dict) and "total" in count}
    # What drivers say by themselves, and this here.
    quiet = {"hello", "isMaster", "ismaster", "ping", "serverStatus", "buildInfo", "endSessions", "saslStart", "saslContinue"}
    return {name: count for name, count in commands.items() if name not in quiet}, status["queryExecutor"]


def idle(database, monitors, interval):
    """Looks at monitors that nobody touches; returns commands per tick of one, and what the server looked at."""
    settled = time.monotonic() + 10  # by then what was asked before is answered
    while time.monotonic() < settled:
        for monitor in monitors:
            monitor.read(0.01)
        time.sleep(0.2)
    looked_at = database.client[database.name]
    looked_at.command("profile", 2)
    before, scanned = asked(database)
    processor = sum(monitor.seconds() for monitor in monitors)
    drawn, end = 0, time.monotonic() + IDLE
    while time.monotonic() < end:
        drawn += sum(len(monitor.read(0.01)) for monitor in monitors)
        time.sleep(0.2)
    after, now = asked(database)
    news = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    looked_at.command("profile", 0)
    scans = [one["ns"].split(".", 1)[1] for one in looked_at["system.profile"].find({"planSummary": "COLLSCAN"})]
    looked_at.drop_collection("system.profile")
    scans = [name for name in scans if name != "system.profile"]
    ticks = IDLE / interval * len(monitors)
    looked = now["scannedObjects"] - scanned["scannedObjects"]
    processor = sum(monitor.seconds() for monitor in monitors) - processor
    print(f"  idle, {len(monitors)} for {IDLE} s: {sum(news.values()) / ticks:.2f} commands per tick of {interval} s "
          f"({', '.join(f'{name} {count}' for name, count in sorted(news.items()))}), collection scans: {', '.join(scans) or 'none'}; "
          f"{looked} documents looked at; {drawn / len(monitors) / IDLE:.0f} bytes/s drawn, "
          f"{1e2 * processor / len(monitors) / IDLE:.2f} % of a core each", flush=True)


def keys(name, monitor, which):
    answers = [monitor.key(key) for _ in range(KEYS // len(which)) for key in which]
    times = sorted(passed for passed, _ in answers)
    size = statistics.median(size for _, size in answers)
    print(f"  {name:<52} {statistics.median(times):>7.1f} ms, 9 of 10 within {times[len(times) * 9 // 10]:.1f}, "
          f"longest {times[-1]:.1f}   ({size:.0f} bytes)", flush=True)


def python(folder, *arguments):
    """Milliseconds that FireWorks' lpad takes."""
    lpad = os.path.join(os.path.dirname(sys.executable), "lpad")
    start = time.perf_counter()
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([lpad, *arguments], cwd=folder, capture_output=True, timeout=PATIENCE)
    return 1e3 * (time.perf_counter() - start)


def measure(bench, count):
    print(f"monitor, {count} fireworks, 140x40, on a terminal")
    with bench.Database() as database, bench.scratch() as folder:
        settings = launchpad(bench, database, folder, count)
        first, full = [], []
        for _ in range(bench.ROUNDS):
            with Monitor(bench, settings, folder) as monitor:
                first.append(monitor.until(b"Overview"))
                full.append(monitor.until(b"COMPLETED"))
        peer = statistics.median(python(folder, "get_fws", "-d", "count", "-s", "COMPLETED") for _ in range(bench.ROUNDS))
        mine = statistics.median(full)
        print(f"  first screen {statistics.median(first):.0f} ms, with all counts {mine:.0f} ms; "
              f"one count of FireWorks' lpad {peer:.0f} ms: x {peer / mine:.0f}", flush=True)
        with Monitor(bench, settings, folder) as monitor:
            monitor.until(b"COMPLETED")
            idle(database, [monitor], 2)
            os.write(monitor.terminal, b"3")
            monitor.until(b"relax")
            keys("fireworks: down, up, down, half a page", monitor, [b"j", b"k", b"j", b"\x04"])
            keys("fireworks: end, beginning", monitor, [b"G", b"g"])
            keys("fireworks: another order", monitor, [b"s"])
            os.write(monitor.terminal, b"2")
            monitor.read(0.5)
            keys("workflows: down, up", monitor, [b"j", b"k"])
            idle(database, [monitor], 2)
            print(f"  memory {monitor.memory():.0f} MB", flush=True)
        with contextlib.ExitStack() as all_of_them:
            monitors = [all_of_them.enter_context(Monitor(bench, settings, folder)) for _ in range(MANY)]
            for monitor in monitors:
                monitor.until(b"COMPLETED")
            idle(database, monitors, 2)


class Server:
    """A server of its own: nobody else's commands are counted, and it may be stopped."""

    def __init__(self, bench, data):
        import pymongo

        # The one of the tests tells where its program is.
        mongod = pymongo.MongoClient(bench.MONGO).admin.command("getCmdLineOpts")["argv"][0]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen([mongod, "--dbpath", data, "--bind_ip", "127.0.0.1", "--port", str(port)],
                                        stdout=subprocess.DEVNULL)
        self.uri = f"mongodb://127.0.0.1:{port}"
        pymongo.MongoClient(self.uri).admin.command("ping")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


def away(bench, server):
    """Keys while the server does not answer."""
    print("monitor, a server that hangs")
    with bench.Database() as database, bench.scratch() as folder:
        bench.volley(database.uri, folder, "lpad", "add_scripts", "true")
        with Monitor(bench, database.uri, folder) as monitor:
            monitor.until(b"READY")
            server.process.send_signal(signal.SIGSTOP)
            keys("tabs while it hangs", monitor, [b"2", b"3", b"4", b"1"])
            server.process.send_signal(signal.SIGCONT)


def monitor():
    import __main__ as bench  # what the other measurements use, too

    with bench.scratch() as data, Server(bench, data) as server:
        bench.MONGO = server.uri
        for count in (1_000, 1_000_000):
            measure(bench, count)
        away(bench, server)
