"""Times whole commands against a floor in the same run, and says whether each ratio is within its limit.

Every measurement runs subject and floor in turn, after one run of each that is not counted, and takes the median of
each. A limit is a ratio of the medians, so that it holds on a slow machine as on a quick one.
"""

import shutil
import statistics
import subprocess
import tempfile
import time


class Benchmarks:
    def __init__(self):
        self.failed = []

    def _say(self, name, text, within):
        print(f"{'ok  ' if within else 'OVER'} {name}: {text}", flush=True)
        if not within:
            self.failed.append(name)

    def compare(self, name, subject, floor, limit, runs=5, memory=None):
        """`subject` and `floor` are argument lists, or functions that return seconds; `memory` is in bytes."""
        times = {"subject": [], "floor": []}
        for turn in range(runs + 1):
            for which, command in (("subject", subject), ("floor", floor)):
                seconds = once(command)
                if turn:
                    times[which].append(seconds)
        ours, theirs = (statistics.median(times[which]) for which in ("subject", "floor"))
        ratio = ours / theirs
        spread = ", ".join(
            f"{which} {min(values):.4f}/{statistics.median(values):.4f}/{max(values):.4f} s"
            for which, values in times.items()
        )
        self._say(name, f"{ratio:.3g} of {limit:.3g} ({spread}; min/median/max of {runs})", ratio <= limit)
        if memory:
            self.bound(f"{name}, memory", used(subject)[0], memory)

    def ratio(self, name, value, floor, limit, unit):
        """Two quantities that were measured by themselves."""
        ratio = value / floor
        self._say(name, f"{ratio:.3g} of {limit:.3g} ({value:.4f} {unit} / {floor:.4f} {unit})", ratio <= limit)

    def bound(self, name, value, limit):
        """A size in bytes and the most it may be."""
        self._say(name, f"{value / 1e6:.1f} MB of {limit / 1e6:.0f} MB", value <= limit)

    def check(self, name, text, holds):
        self._say(name, text, holds)


def once(command):
    """Seconds of wall-clock time of a command, or what a function returns."""
    if callable(command):
        return command()
    start = time.perf_counter()
    silently(command)
    return time.perf_counter() - start


def used(command):
    """The peak of resident memory in bytes, and seconds of the processors, of a command and of what it started.

    By GNU time, since the peak of a process is never below that of the process which started it: here Python's own.
    """
    with tempfile.NamedTemporaryFile("r") as told:
        gnu_time = shutil.which("gtime") or "/usr/bin/time"
        silently([gnu_time, "-f", "%M %U %S", "-o", told.name, *command])
        kilobytes, user, system = told.read().split()
    return int(kilobytes) * 1024, float(user) + float(system)


def silently(command):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit status {done.returncode}")
