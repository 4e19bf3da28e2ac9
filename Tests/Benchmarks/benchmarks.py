"""The benchmarks: `benchmarks.py MUSTER FOLDER [NAME…]`, called by run.sh with the release binary and a folder for
what they write. Exits 1 if one is above its limit."""

import os
import re
import subprocess
import sys

import cold
import matrices
import overhead
import warm
from measure import Benchmarks, used

muster, work, *chosen = sys.argv[1:]
benchmarks = Benchmarks()


def wanted(name):
    return not chosen or name in chosen


def write(name, text):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def check():
    path = write("long.yaml", matrices.long())
    benchmarks.compare(
        "muster check, 100,000 lines / libyaml reading them",
        [muster, "check", path],
        [os.path.join(work, "yaml-events"), path],
        limit=3,
        runs=9,
    )


def plan():
    path = write("wide.yaml", matrices.wide())
    printed = os.path.join(work, "plan.json")
    with open(printed, "wb") as file:
        subprocess.run([muster, "plan", path, "--format", "json"], stdout=file, check=True)
    benchmarks.compare(
        "muster plan, 100,000 cells / jq printing the plan again",
        [muster, "plan", path, "--format", "json"],
        ["jq", ".", printed],
        limit=1,
        memory=300_000_000,
    )


def cells():
    path = overhead.nothing(work, "cells")

    def run(count):
        matrix = write("cells.yaml", matrices.cells(count))
        peak, seconds = used(overhead.running(muster, work, path, matrix))
        return seconds / count, peak

    run(20)
    few, many = run(200), run(2000)
    # Of the processors: whatever else a host does makes a long run slower than a short one.
    benchmarks.ratio("2,000 cells that do nothing / 200, time of each", many[0], few[0], 1.2, "s")
    benchmarks.ratio("2,000 cells that do nothing / 200, memory", many[1] / 1e6, few[1] / 1e6, 1.25, "MB")


def start():
    benchmarks.compare(
        "muster --version / true", [muster, "--version"], ["/bin/true"], limit=10, runs=101
    )


def size():
    benchmarks.bound("the binary", os.path.getsize(muster), 20_000_000)
    if sys.platform == "linux":
        linked = subprocess.run(["ldd", muster], capture_output=True, text=True, check=True).stdout
        names = set(re.findall(r"^\s*(?:/\S*/)?([a-z0-9_+-]+)\S*\.so", linked, re.M))
        # The kernel's own page and the loader are no libraries of anybody.
        names -= {"linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64"}
        benchmarks.check("the binary links to", ", ".join(sorted(names)), names <= {"libc", "libm", "libyaml-0"})


if wanted("size"):
    size()
if wanted("start"):
    start()
if wanted("check"):
    check()
if wanted("plan"):
    plan()
if wanted("cells"):
    cells()
if wanted("overhead"):
    overhead.measure(benchmarks, muster, work)
if wanted("cold"):
    cold.measure(benchmarks, muster, work)
if wanted("warm"):
    warm.warm(benchmarks, muster, work)
if wanted("twenty"):
    warm.twenty(benchmarks, muster, work)
if wanted("clones"):
    warm.clones(benchmarks, muster, work)
if wanted("layer"):
    warm.layer(benchmarks, muster, work)
if benchmarks.failed:
    print("above the limit: " + "; ".join(benchmarks.failed), file=sys.stderr)
    sys.exit(1)
