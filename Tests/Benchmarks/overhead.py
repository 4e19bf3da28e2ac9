"""What Muster itself costs: a run of twenty cells on a manager that does nothing, against a shell that starts the very same
commands with the very same input, one after the other."""

import os
import shlex

from matrices import cells
from measure import once

# Writes down what it is started with, and what it reads.
RECORDER = """#!/bin/sh
number=$(($(cat {folder}/count) + 1))
echo $number >{folder}/count
cat >{folder}/$number.input
printf '%s\\0' "$@" >{folder}/$number.words
exec {folder}/nothing "$@" <{folder}/$number.input
"""


def nothing(work, name, command="multipass"):
    """A folder for PATH with the manager that does nothing, whose machines are files in it."""
    path = os.path.join(work, name)
    os.makedirs(os.path.join(path, "machines"))
    os.symlink(os.path.abspath("Tests/Benchmarks/nothing/multipass"), os.path.join(path, command))
    return path


def running(muster, work, path, matrix):
    """The command that runs a matrix there."""
    state = os.path.join(work, "state")
    return [
        "env", f"PATH={path}:{os.environ['PATH']}", muster, "run", matrix, "--quiet", "--backend", "multipass",
        "--state", state, "--cache", state, "--output", os.path.join(work, "output"),
        "--lock-file", os.path.join(work, "lock"),
    ]


def recorded(muster, work, matrix):
    """The shell script that starts what a run starts."""
    path = nothing(work, "recorded", "nothing")
    recorder = os.path.join(path, "multipass")
    with open(recorder, "w", encoding="utf-8") as file:
        file.write(RECORDER.format(folder=shlex.quote(path)))
    os.chmod(recorder, 0o755)
    with open(os.path.join(path, "count"), "w", encoding="utf-8") as file:
        file.write("0")
    once(running(muster, work, path, matrix))
    with open(os.path.join(path, "count"), encoding="utf-8") as file:
        count = int(file.read())
    lines = []
    for number in range(1, count + 1):
        with open(os.path.join(path, f"{number}.words"), "rb") as file:
            words = file.read().decode().split("\0")[:-1]
        given = os.path.join(path, f"{number}.input")
        lines.append(f"multipass {' '.join(map(shlex.quote, words))} <{shlex.quote(given)} >/dev/null 2>&1\n")
    script = os.path.join(work, "replay.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(lines + ["exit 0\n"])
    return script, count


def measure(benchmarks, muster, work):
    matrix = os.path.join(work, "overhead.yaml")
    with open(matrix, "w", encoding="utf-8") as file:
        file.write(cells(20))
    script, count = recorded(muster, work, matrix)
    path = nothing(work, "replayed")
    benchmarks.compare(
        f"muster run, 20 cells on a manager that does nothing / a shell that starts its {count} commands",
        running(muster, work, path, matrix), ["env", f"PATH={path}:{os.environ['PATH']}", "sh", script], limit=1.2,
        runs=9,
    )
