"""Times whole commands against a floor in the same run, and says whether each ratio is within its limit.

Every measurement runs subject and floor in turn, after one run of each that is not counted, and takes the median of
each. A limit is a ratio of the medians, so that it holds on a slow machine as on a quick one.
"""

import os
import statistics
import subprocess
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
        peak = 0
        for turn in range(runs + 1):
            for which, command in (("subject", subject), ("floor", floor)):
                seconds, resident, _ = once(command)
                if turn:
                    times[which].append(seconds)
                if which == "subject":
                    peak = max(peak, resident)
        ours, theirs = (statistics.median(times[which]) for which in ("subject", "floor"))
        ratio = ours / theirs
        spread = ", ".join(
            f"{which} {min(values):.4f}/{statistics.median(values):.4f}/{max(values):.4f} s"
            for which, values in times.items()
        )
        self._say(name, f"{ratio:.3g} of {limit:.3g} ({spread}; min/median/max of {runs})", ratio <= limit)
        if memory:
            self.bound(f"{name}, memory", peak, memory)

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
    """Seconds of wall-clock time, the peak of resident memory in bytes, and seconds of the processors, those of children too
    (0 for a function)."""
    if callable(command):
        return command(), 0, 0
    start = time.perf_counter()
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command}: exit status {child.returncode}")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
    return seconds, peak, usage.ru_utime + usage.ru_stime
