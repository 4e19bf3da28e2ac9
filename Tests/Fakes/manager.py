"""What the stand-ins for virtual machine managers have in common: the books of a "daemon", and machines that are real enough
to be tested: processes in mount, PID, UTS and network namespaces of their own, with disks of their own.

Needs Linux, root and util-linux. All of a manager's state is in the folder $FAKE_MANAGER; without that variable, which a
guardian does not inherit, in `NAME.state` beside the link by which PATH leads to it. In it are

  state.json      the books: {name: {"state", "pid", "start", "cpus", ...}}; a "Preparing" one is being made
  machines/NAME/  the disk of a machine: upper folders of overlays; `kill` of its process takes all in it along
  calls.log       a JSON array of arguments for each call
  faults.json     how to misbehave, read at each call; for any command of the manager in question:
                    {"list": {"rubbish": true}}             prints what nobody understands
                    {"list": {"hang": true}}                never answers; "ignoreTerm": true: nor does it end on TERM
                    {"delete": {"seconds": 3}}              takes that much longer
                    {"delete": {"fail": 3}}                 the next 3 calls fail; or "failForever": true
                    {"delete": {"error": "TEXT", "status": 2}}  says so, and does nothing; with "fail": 1 only once
                    {"delete": {"lie": true}}               says that it is done, and does nothing
                    {"restart": {"late": "TEXT"}}           fails between the stop and the start
                    {"list": {"ghosts": ["NAME"]}}          is in the list, and nowhere else
                  and for the one that makes machines (launch, create, start)
                    {"launch": {"prepareSeconds": 3}}       it is being made that long, whatever becomes of the client
                    {"launch": {"bootSeconds": 3}}          cloud-init takes that long
                    {"launch": {"fail": "TEXT", "leave": true}}  it fails; what is half made is left
                    {"launch": {"noStart": true}}           it is made, and does not start by itself

What a "daemon" does is done by a process of a session and an environment of its own, no child of the client. A machine sees as
many processors and as much memory as it was given. Its network leads to the manager's other machines and nowhere else, so
`apt-get` knows no packages but those that are installed; `systemctl` is a stand-in that knows sockets. `sudo` just does it.
Where the state's folder can hold no overlay, what a machine writes is lost with a restart.
"""

import fcntl
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.realpath(__file__))
# A person's PATH may lead to wrappers that are slow.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Failed(Exception):
    """What the client says went wrong, and the status that it ends with."""

    def __init__(self, text, status=None):
        super().__init__(text)
        self.status = status


# MARK: The books


class Books:
    """The state, locked while it is held open."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.lock = open(self.folder + "/lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            with open(self.folder + "/state.json") as file:
                self.machines = json.load(file)
        except FileNotFoundError:
            self.machines = {}
        # A machine whose init has ended by itself is stopped.
        for machine in self.machines.values():
            if machine["state"] == "Running" and not is_running(machine):
                machine["state"] = "Stopped"
        return self.machines

    def __exit__(self, kind, *rest):
        if kind is None or kind is Failed:
            with open(self.folder + "/state.json.new", "w") as file:
                json.dump(self.machines, file, indent=1)
            os.rename(self.folder + "/state.json.new", self.folder + "/state.json")
        self.lock.close()


def start_time(pid):
    """Tells a process from a later one of the same number; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        return None


def is_running(machine, which=("pid", "start")):
    return bool(machine.get(which[0])) and start_time(machine[which[0]]) == machine[which[1]]


# MARK: Machines


def boot(folder, name):
    """Starts a machine, and returns its init's process id once cloud-init has begun."""
    disk = f"{folder}/machines/{name}"
    ready, told = os.pipe()
    process = subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--net", "--mount-proc", "/usr/bin/python3", "-IS",
         FOLDER + "/manager.py", "--init", folder, name, str(told)],
        env=ENVIRONMENT, pass_fds=[told], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(disk + "/console.log", "ab"), cwd="/", start_new_session=True)
    os.close(told)
    # `unshare` holds the other end for as long as it waits for the machine.
    is_up = os.read(ready, 2) == b"up"
    os.close(ready)
    if not is_up:
        with open(disk + "/console.log") as file:
            raise Failed(f"{name}: {file.read()[-500:]}")
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        return int(file.read().split()[0])


def become_init(folder, name, told):
    """The first process of a machine: mounts what is its own, prepares it, and becomes what reaps all others."""
    disk = f"{folder}/machines/{name}"
    with open(disk + "/machine.json") as file:
        machine = json.load(file)
    overlays = ["etc", "opt", "usr", "var"]
    own = ["root", "home", "srv", "mnt", "media"]
    script = [f"set -e; hostname {name}; mount --make-rprivate /"]
    for top in overlays:
        upper, work = f"{disk}/layers/{top}", f"{disk}/layers/.{top}"
        os.makedirs(upper, exist_ok=True)
        os.makedirs(work, exist_ok=True)
        mount = f"mount -t overlay overlay -o lowerdir=/{top},upperdir={upper},workdir={work} /{top}"
        if top == overlays[0]:
            # Some file systems cannot hold the upper layer of an overlay.
            folders = " ".join(f"{disk}/layers/{top} {disk}/layers/.{top}" for top in overlays)
            mount = f"{mount} 2>/dev/null || {{ mount -t tmpfs tmpfs {disk}/layers; mkdir {folders}; {mount}; }}"
        script.append(mount)
    for top in own:
        os.makedirs(f"{disk}/{top}", exist_ok=True)
        if os.path.isdir("/" + top):
            script.append(f"mount --bind {disk}/{top} /{top}")
    with open("/proc/sys/kernel/random/uuid") as source, open(disk + "/boot_id", "w") as file:
        file.write(source.read())
    with open("/proc/meminfo") as source, open(disk + "/meminfo", "w") as file:
        kibibytes = machine["memory"] >> 10
        for line in source:
            known = re.match(r"(MemTotal|MemFree|MemAvailable):", line)
            file.write(f"{known[0]} {kibibytes} kB\n" if known else line)
    for file, place in [("boot_id", "/proc/sys/kernel/random/boot_id"), ("meminfo", "/proc/meminfo")]:
        script.append(f"mount --bind {disk}/{file} {place}")
    script.append("mount -t tmpfs -o mode=755 tmpfs /run")
    # The last: the disk may be below it.
    script.append("mount -t tmpfs -o mode=1777 tmpfs /tmp")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:machine["cpus"]])
    with open(disk + "/user-data") as file:
        user_data = file.read()
    # What is copied into it lies on the host.
    with open(FOLDER + "/systemctl") as file:
        tools = {"systemctl": file.read(), "sudo": SUDO, "apt-get": APT_GET}
    subprocess.run(["sh", "-c", "\n".join(script)], check=True)
    prepare(user_data, machine, tools)
    bring_up("lo")
    os.makedirs("/run/systemd/system")
    subprocess.run(["systemctl", "--boot"], check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL)
    os.write(int(told), b"up")
    os.close(int(told))
    # It lives until it is killed, and so does all that is in it.
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.chdir("/")
    # Ignoring this has the kernel reap what is orphaned.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    seconds = machine.get("bootSeconds", 0)
    done = f"sleep {seconds}; mkdir -p /run/cloud-init; : >/run/cloud-init/done"
    if not seconds:
        os.makedirs("/run/cloud-init", exist_ok=True)
        open("/run/cloud-init/done", "w").close()
    elif os.fork() == 0:
        os.execve("/bin/sh", ["sh", "-c", done], ENVIRONMENT)
    os.execve("/bin/sleep", [f"fake-instance {name}", "infinity"], {**ENVIRONMENT, "FAKE_STATE": folder})


def address(machine):
    """Another one after each start, as from a DHCP server with a short memory."""
    pid = machine["pid"]
    return f"10.{pid >> 16}.{pid >> 8 & 255}.{pid & 255}"


def connect(machines, name):
    """Gives a machine that has started its address, and a cable to each other in the same network. The kernel removes them
    with either machine. Call it with the books open."""
    machine = machines[name]
    others = [other for other in machines.values()
              if other is not machine and is_running(other) and other.get("network") == machine.get("network")]

    def configure(one, commands):
        # That the other one has ended meanwhile is no fault of this one's.
        subprocess.run(["nsenter", "-t", str(one["pid"]), "-n", "ip", "-force", "-batch", "-"], env=ENVIRONMENT,
                       input="\n".join(commands), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def plug(one, other):
        return [f"link set to{other['pid']} up",
                f"route add {address(other)} dev to{other['pid']} src {address(one)}"]

    commands = ["link add eth0 type bridge", f"address add {address(machine)}/8 dev eth0", "link set eth0 up"]
    for other in others:
        commands.append(f"link add to{other['pid']} type veth peer name to{machine['pid']} netns {other['pid']}")
        commands += plug(machine, other)
    configure(machine, commands)
    for other in others:
        configure(other, plug(other, machine))


def bring_up(device):
    """Sets the flag IFF_UP of a network device."""
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", device.encode(), 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, request))[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", device.encode(), flags | 1))


CLOUD_INIT = """#!/bin/sh
case "$1" in
  status)
    [ "$2" = --wait ] && while [ ! -e /run/cloud-init/done ]; do sleep 0.05; done
    if [ -e /run/cloud-init/done ]; then echo 'status: done'; else echo 'status: running'; fi ;;
  *) echo 'cloud-init 24.4-0ubuntu1~fake' ;;
esac
"""

SUDO = """#!/bin/sh
while :; do case "$1" in --) shift; break ;; -*) shift ;; *) break ;; esac; done
export HOME=/root USER=root LOGNAME=root
exec "$@"
"""

APT_GET = """#!/bin/sh
while :; do case "$1" in -o) shift 2 ;; -*) shift ;; *) break ;; esac; done
[ "$1" != install ] || for package in "$@"; do
  [ "$package" = install ] || dpkg-query -W "$package" >/dev/null 2>&1 || {
    echo "E: Unable to locate package $package" >&2
    exit 100
  }
done
"""


def prepare(user_data, machine, tools):
    """What cloud-init would do, as far as tests look at it: users with home folders; and stand-ins for what needs a
    daemon or a network."""
    if machine.get("cloudInit") and not os.path.exists("/usr/bin/cloud-init"):
        tools["cloud-init"] = CLOUD_INIT
    for name, text in tools.items():
        path = "/usr/bin/" + name
        # Not through a link that leads to somewhere else.
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)
    users = re.findall(r"^  - name: (\S+)$", user_data, re.M)
    if machine.get("user"):
        users.insert(0, machine["user"])
    number = 7000
    with open("/etc/passwd") as file:
        known = {line.split(":")[0] for line in file}
    for user in users:
        number += 1
        home = "/home/" + user
        if user in known:
            continue
        with open("/etc/passwd", "a") as file:
            file.write(f"{user}:x:{number}:{number}::{home}:/bin/sh\n")
        with open("/etc/group", "a") as file:
            file.write(f"{user}:x:{number}:\n")
        with open("/etc/shadow", "a") as file:
            file.write(f"{user}:!:19000:0:99999:7:::\n")
        os.makedirs(home, exist_ok=True)
        os.chown(home, number, number)


def end(machine, which=("pid", "start")):
    """Ends a machine's init by KILL, and returns when all that was in it is gone."""
    if not is_running(machine, which):
        return
    os.kill(machine[which[0]], signal.SIGKILL)
    while is_running(machine, which):
        time.sleep(0.002)


def end_unwritten(folder, name):
    """Ends a machine whose agent died before it could write down which process it is."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline") as file:
                if f"\0--init\0{folder}\0{name}\0" in file.read():
                    os.kill(int(number), signal.SIGKILL)
        except OSError:
            pass


def delete(folder, name):
    with Books(folder) as machines:
        machine = machines.pop(name)
        # What makes it, first.
        end(machine, ("agent", "agentStart"))
        end_unwritten(folder, name)
        end(machine)
        shutil.rmtree(f"{folder}/machines/{name}", ignore_errors=True)


def become_daemon_launching(folder, name, told, wish, faults):
    """The daemon's part of the making of a machine. Nobody may be left to hear how it went."""
    answer = {}
    books = Books(folder)
    disk = f"{folder}/machines/{name}"
    try:
        with books as machines:
            if name in machines:
                os.write(told, json.dumps({"exists": True}).encode())
                return
            pid = os.getpid()
            machines[name] = {"state": "Preparing", **wish, "agent": pid, "agentStart": start_time(pid)}
            os.makedirs(disk)
            with open(disk + "/user-data", "w") as file:
                file.write(wish.pop("seed", ""))
            with open(disk + "/machine.json", "w") as file:
                json.dump({**wish, "bootSeconds": faults.get("bootSeconds", 0)}, file)
        time.sleep(faults.get("prepareSeconds", 0))
        if faults.get("noStart"):
            with books as machines:
                machines[name]["state"] = "Stopped"
            raise Failed("noStart")
        with books as machines:
            machines[name]["state"] = "Starting"
        pid = boot(folder, name)
        with books as machines:
            machine = machines.get(name)
            if machine is None or machine["state"] != "Starting":
                # It was deleted meanwhile.
                end({"pid": pid, "start": start_time(pid)})
                raise Failed("gone")
            machine.update(state="Running", pid=pid, start=start_time(pid))
            connect(machines, name)
        if faults.get("fail"):
            if not faults.get("leave"):
                with books as machines:
                    machines[name].pop("agent")
                delete(folder, name)
            raise Failed(faults["fail"])
        while wish.get("cloudInit") and not os.path.exists(f"/proc/{pid}/root/run/cloud-init/done"):
            if start_time(pid) is None:
                raise Failed("timed out")
            time.sleep(0.02)
    except Failed as failed:
        answer = {"error": str(failed)}
        with books as machines:
            if name in machines and machines[name]["state"] in ("Preparing", "Starting"):
                del machines[name]
    try:
        os.write(told, json.dumps(answer).encode())
    except BrokenPipeError:
        pass


def detach(arguments, *descriptors):
    """Starts a process that is no child of this one, with an environment and a session of its own."""
    child = os.fork()
    if child == 0:
        try:
            if os.fork() == 0:
                os.setsid()
                for number, source in enumerate(descriptors):
                    os.dup2(source, 100 + number)
                for number in range(len(descriptors)):
                    os.dup2(100 + number, number, inheritable=True)
                os.closerange(len(descriptors), 200)
                os.chdir("/")
                os.execve(arguments[0], arguments, ENVIRONMENT)
        finally:
            os._exit(127)
    os.waitpid(child, 0)


# MARK: The client


class Client:
    """A client: its commands are the methods `do_COMMAND`."""

    # The command that makes machines, and what prints rubbish in place of an answer.
    launching = "launch"
    rubbish = "Segmentation fault <html>\n{\"list\": ["
    # The status of a failure.
    status = 2
    # That of a command in the machine which a signal ended.
    killed = 255

    def __init__(self, folder, arguments):
        self.folder = folder
        self.command = arguments[0].lstrip("-") if arguments else ""
        self.rest = arguments[1:]
        self.books = Books(folder)
        with open(folder + "/calls.log", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(arguments) + "\n")

    def say(self, text):
        """Says what went wrong, as the client does."""
        print(text, file=sys.stderr)

    def run(self):
        try:
            self.faults = self.misbehave()
            command = getattr(self, "do_" + self.command, None)
            if command is None:
                self.usage(f"unknown command '{self.command}'")
            return command() or 0
        except Failed as failed:
            self.say(str(failed))
            return self.status if failed.status is None else failed.status

    def misbehave(self):
        """Does what the faults of this command say; returns them."""
        path = self.folder + "/faults.json"
        with open(self.folder + "/faults.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                with open(path) as file:
                    all_faults = json.load(file)
            except FileNotFoundError:
                return {}
            faults = all_faults.get(self.command, {})
            is_counted = isinstance(faults.get("fail"), int)
            counted = faults["fail"] if is_counted else 0
            if counted > 0:
                faults["fail"] = counted - 1
                with open(path + ".new", "w") as file:
                    json.dump(all_faults, file)
                os.rename(path + ".new", path)
        if faults.get("ignoreTerm"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if faults.get("rubbish"):
            print(self.rubbish)
            sys.stdout.flush()
            os._exit(0)
        if self.command == self.launching and not is_counted:
            return faults
        time.sleep(faults.get("seconds", 0))
        self.hang_or_fail({**faults, "error": faults.get("error") if counted or not is_counted else None}, counted > 0)
        return {**faults, "fail": None, "error": None} if is_counted else faults

    def hang_or_fail(self, faults, counted=False):
        while faults.get("hang"):
            time.sleep(3600)
        if faults.get("error"):
            raise Failed(faults["error"], faults.get("status"))
        if counted or faults.get("failForever"):
            raise Failed("Internal error: the hypervisor is not in the mood")

    def options(self, flags, valued, words=None):
        """Takes the arguments apart: `--name value`, `--name=value`."""
        found, others, index = {}, [], 0
        words = self.rest if words is None else words
        while index < len(words):
            word = words[index]
            index += 1
            name, equals, value = word.partition("=")
            if word == "--":
                others += words[index:]
                break
            if word in flags:
                found[flags[word]] = True
            elif word in valued:
                if index == len(words):
                    self.usage(f"Missing value after '{word}'.")
                found[valued[word]] = words[index]
                index += 1
            elif equals and name.startswith("--") and name in valued:
                found[valued[name]] = value
            elif word.startswith("-") and word != "-":
                self.usage(f"Unknown option '{word.lstrip('-')}'.")
            else:
                others.append(word)
        return found, others

    def usage(self, text):
        print(text, file=sys.stderr)
        raise SystemExit(1)

    def missing(self, name):
        return Failed(f'instance "{name}" does not exist')

    def machine(self, machines, name):
        """A machine that can be used."""
        machine = machines.get(name)
        if machine is None or machine["state"] == "Preparing":
            raise self.missing(name)
        return machine

    # MARK: Life and death

    def launch(self, name, wish, limit, tell=lambda: None):
        """Has the daemon make a machine, and waits for it: what it answers, or None when time is over."""
        if not self.faults.get("prepareSeconds"):
            # The request has not come to the daemon.
            self.hang_or_fail(self.faults)
        heard, told = os.pipe()
        null = os.open("/dev/null", os.O_RDWR)
        log = os.open(self.folder + "/daemon.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
        request = json.dumps([wish, self.faults])
        detach(["/usr/bin/python3", "-IS", FOLDER + "/manager.py", "--daemon-launch", self.folder, name, request],
               null, null, log, told)
        os.close(told)
        tell()
        self.hang_or_fail({"hang": self.faults.get("hang")})
        end = time.monotonic() + limit
        while not select.select([heard], [], [], max(0, end - time.monotonic()))[0]:
            return None
        return json.loads(os.read(heard, 65536) or '{"error": "gone"}')

    def start(self, name):
        with self.books as machines:
            machine = self.machine(machines, name)
            if machine["state"] == "Running":
                return
            pid = boot(self.folder, name)
            machine.update(state="Running", pid=pid, start=start_time(pid))
            connect(machines, name)

    def stop(self, name):
        with self.books as machines:
            machine = self.machine(machines, name)
            end(machine)
            machine["state"] = "Stopped"

    # MARK: Inside

    def inside(self, name, words, data=None, output=None):
        """Runs words in a machine, as a process that is none of the client's; returns its status."""
        with self.books as machines:
            pid = self.machine(machines, name)["pid"]
        (here_in, there_in), (there_out, here_out), (there_err, here_err) = [os.pipe() for _ in range(3)]
        ended, told = os.pipe()
        # `nsenter` ends by the signal that ended what it ran; the shell then says 128 and its number.
        script = 'n=$1; shift; nsenter -t "$n" -m -u -p -n -- setsid "$@" 3>&-; s=$?; exec 0<&- 1>&- 2>&-; echo $s >&3'
        with open(f"/proc/{pid}/status") as file:
            processors = re.search(r"^Cpus_allowed_list:\s*(\S+)", file.read(), re.M)[1]
        detach(["/usr/bin/taskset", "-c", processors, "/bin/sh", "-c", script, "fake-session", str(pid)] + words,
               here_in, here_out, here_err, told)
        for descriptor in [here_in, here_out, here_err, told]:
            os.close(descriptor)
        if data is None:
            os.close(there_in)
        else:
            while chunk := data.read(1 << 16):
                try:
                    os.write(there_in, chunk)
                except BrokenPipeError:
                    break
            os.close(there_in)
        open_streams = {there_out: output.fileno() if output else 1, there_err: 2}
        while open_streams:
            for descriptor in select.select(list(open_streams), [], [])[0]:
                chunk = os.read(descriptor, 1 << 16)
                if not chunk:
                    del open_streams[descriptor]
                while chunk:
                    chunk = chunk[os.write(open_streams[descriptor], chunk):]
        status = int(os.read(ended, 16) or b"255")
        return self.killed if status > 128 and status <= 192 else status


def size(text, unit=1):
    """Bytes of a size such as 2G, 512M or 1073741824B; None for what is none."""
    value = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(i?B)?", text)
    return int(float(value[1]) * unit * (1 << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[value[2]])) if value else None


def state_folder():
    """The folder of the state; None when there is none."""
    folder = os.environ.get("FAKE_MANAGER") or os.path.abspath(sys.argv[0]) + ".state"
    return folder if os.path.isdir(folder) else None


if __name__ == "__main__":
    if sys.argv[1] == "--init":
        become_init(*sys.argv[2:])
    else:
        become_daemon_launching(sys.argv[2], sys.argv[3], 3, *json.loads(sys.argv[4]))
