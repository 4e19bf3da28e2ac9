"""A one-cell run against the floor of a cold machine: QEMU with the very command line that Muster used, on a fresh
overlay of the same image, asked by ssh every 100 ms until a command runs."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

MATRIX = """muster: 1
resources: {cpus: 2, memory: 1G, disk: 3G}
distros:
  debian-12: {image: {debootstrap: bookworm}}
tests:
  cold: {distros: all, verify: [{run: "true"}]}
"""


def measure(benchmarks, muster, work):
    command = running(muster, work, "cold", MATRIX) + ["--cold"]
    floor = Floor.of(command)
    benchmarks.compare(
        "muster run, one cold cell / bare QEMU asked by ssh", command, floor.seconds, limit=1.1
    )


def cache():
    return os.environ.get("MUSTER_TEST_CACHE") or os.path.abspath(".build/muster-test-cache")


def running(muster, work, name, matrix):
    """The command that runs a matrix."""
    path = os.path.join(work, f"{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(matrix)
    return [
        muster, "run", path, "--quiet", "--cache", cache(), "--state", work, "--output", os.path.join(work, name),
        "--lock-file", os.path.join(work, "lock"),
    ]


def observe(command):
    """The arguments, the disk and the belongings of the machine that a run starts."""
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    found = None
    while found is None and run.poll() is None:
        time.sleep(0.05)
        found = emulator()
    if run.wait() != 0 or found is None:
        raise SystemExit("the run that is measured showed no machine")
    return found


def emulator():
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                arguments = file.read().decode().split("\0")[:-1]
            if not any(re.match(r"muster-[a-z0-9-]+-\d+-\d+-[0-9a-f]{6}$", argument) for argument in arguments):
                continue
            folder = os.readlink(f"/proc/{name}/cwd")
            disk = next(argument for argument in arguments if "node-name=disk," in argument)
            overlay = os.path.join(folder, re.search(r"file\.filename=([^,]+)", disk)[1])
            told = subprocess.run(
                ["qemu-img", "info", "-U", "--output=json", overlay], capture_output=True, check=True
            ).stdout
            return arguments, json.loads(told), Belongings(folder)
        except (OSError, StopIteration, subprocess.CalledProcessError, ValueError):
            continue
    return None


class Belongings:
    """What else a machine starts from: the firmware's variables, and the seed that cloud-init reads."""

    names = ("variables", "seed")

    def __init__(self, folder):
        self.folder = folder
        self.kept = tempfile.TemporaryDirectory()
        copy(folder, self.kept.name)


def copy(source, target):
    for name in Belongings.names:
        path = os.path.join(source, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(target, name))
        elif os.path.exists(path):
            shutil.copy(path, target)


class Floor:
    def __init__(self, machine, identity):
        self.arguments, self.image, self.belongings = machine
        self.identity = identity

    @classmethod
    def of(cls, command):
        """The floor of what a run boots: its one machine, without Muster."""
        # The first run builds the image and finds the accelerator; the second is looked at.
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return cls(observe(command), os.path.join(cache(), "identity"))

    def seconds(self):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            overlay = os.path.join(folder, "overlay")
            subprocess.run(
                ["qemu-img", "create", "-q", "-f", "qcow2", "-b", self.image["full-backing-filename"],
                 "-F", self.image["backing-filename-format"], overlay, str(self.image["virtual-size"])],
                check=True,
            )
            copy(self.belongings.kept.name, folder)
            port = free_port()
            qemu = subprocess.Popen(
                self.rewritten(folder, overlay, port), cwd=folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            try:
                while not self.answers(port):
                    if qemu.poll() is not None:
                        raise SystemExit("the bare QEMU has ended")
                    time.sleep(0.1)
                return time.perf_counter() - start
            finally:
                qemu.kill()
                qemu.wait()

    def rewritten(self, folder, overlay, port):
        """The same machine on another overlay, with its own port and console, and without what leads to Muster."""
        arguments = []
        skip = False
        for index, argument in enumerate(self.arguments):
            following = self.arguments[index + 1] if index + 1 < len(self.arguments) else ""
            if skip:
                skip = False
                continue
            if re.search(r"id=(monitor|lane-)|chardev=monitor|^virtio-serial-pci", following):
                skip = True
                continue
            argument = re.sub(r"(node-name=disk,.*file\.filename=)[^,]+", lambda m: m[1] + overlay, argument)
            argument = argument.replace(self.belongings.folder + "/", folder + "/")
            argument = re.sub(r"hostfwd=tcp:127\.0\.0\.1:\d+-:22", f"hostfwd=tcp:127.0.0.1:{port}-:22", argument)
            argument = re.sub(r"(id=console,path=).*", lambda m: m[1] + os.path.join(folder, "console"), argument)
            arguments.append(argument)
        return arguments

    def answers(self, port):
        return subprocess.run(
            ["ssh", "-F", "none", "-i", os.path.join(self.identity, "id_ed25519"), "-p", str(port),
             "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=2",
             "root@127.0.0.1", "true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        ).returncode == 0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
