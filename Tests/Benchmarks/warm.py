"""Cells whose machines resume from templates: against bare QEMU that boots, and whether they are machines of their own."""

import glob
import os
import re
import subprocess

from cold import Floor, cache, running

HEAD = "muster: 1\nresources: {cpus: 2, memory: 1G, disk: 3G}\n"


def ordinary():
    """An image as distros publish them, with cloud-init, that starts by UEFI: the tests on real machines make it."""
    disk = os.path.join(cache(), "cloud-bookworm", "disk.qcow2")
    if not os.path.exists(disk):
        raise SystemExit(f"there is no '{disk}': run 'Tests/run.sh --filter anImageOfADistro' first")
    return f"{{image: {{path: {disk}, firmware: uefi, init: cloud-init}}, family: debian}}"


BUILT = "{image: {debootstrap: bookworm}}"


def one(distro):
    return f"{HEAD}distros: {{debian: {distro}}}\ntests: {{warm: {{distros: all, verify: [{{run: 'true'}}]}}}}\n"


def warm(benchmarks, muster, work):
    command = running(muster, work, "warm", one(ordinary()))
    floor = Floor.of(command + ["--cold"])
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    benchmarks.compare(
        "muster run, one warm cell / bare QEMU that boots", command, floor.seconds, limit=1 / 50, runs=5
    )


def twenty(benchmarks, muster, work):
    floors = []
    for name, distro in (("one", ordinary()), ("other", BUILT)):
        floors.append(Floor.of(running(muster, work, name, one(distro)) + ["--cold"]))
    tests = "".join(f"  t{number}: {{distros: all, verify: [{{run: 'true'}}]}}\n" for number in range(10))
    matrix = f"{HEAD}distros:\n  one: {ordinary()}\n  other: {BUILT}\ntests:\n{tests}"
    command = running(muster, work, "twenty", matrix)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    # A boot of each, ten times.
    benchmarks.compare(
        "muster run, twenty warm cells / twenty boots of bare QEMU", command,
        lambda: sum(floor.seconds() for floor in floors) * 10, limit=1 / 30, runs=3,
    )


def clones(benchmarks, muster, work):
    script = (
        "date +%s.%N; head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' '; cat /etc/machine-id; "
        "cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub"
    )
    numbers = ", ".join(str(number) for number in range(100))
    matrix = (
        f"{HEAD}distros: {{debian: {BUILT}}}\ntests:\n  clone:\n    distros: all\n    axes: {{n: [{numbers}]}}\n"
        f"    verify: [{{run: \"{script}\"}}]\n"
    )
    output = os.path.join(work, "clones")
    subprocess.run(running(muster, work, "clones", matrix), check=True, stdin=subprocess.DEVNULL)
    told, late = [[], [], []], []
    for path in glob.glob(os.path.join(glob.escape(output), "cells", "*", "attempt-1", "verify-1-*.log")):
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file if not re.match(r"[#$]", line)]
        # The log was written last just after the clock was read.
        late.append(abs(os.stat(path).st_mtime - float(lines[0])))
        for values, line in zip(told, lines[1:4]):
            values.append(line)
    for name, values in zip(("random bytes", "machine ids", "host keys"), told):
        benchmarks.check(
            f"100 clones, {name}", f"{len(set(values))} of {len(values)} distinct",
            len(values) == 100 and len(set(values)) == 100,
        )
    benchmarks.check("100 clones, the clock", f"at most {max(late):.2f} s off", len(late) == 100 and max(late) <= 1)


def layer(benchmarks, muster, work):
    matrix = (
        f"{HEAD}distros: {{debian: {BUILT}}}\ntests:\n  layer:\n    distros: all\n"
        "    provision: [{install: [jq, rsync], cache: true}]\n    verify: [{run: rsync --version}]\n"
    )
    command = running(muster, work, "layer", matrix)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    benchmarks.compare(
        "muster run, a cell whose packages are kept / one that installs them", command, command + ["--no-cache"],
        limit=1 / 20, runs=3,
    )
