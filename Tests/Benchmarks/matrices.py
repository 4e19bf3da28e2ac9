"""Writes the large matrices that the benchmarks read: `long` has 100,000 lines, `wide` has 100,000 cells."""

IMAGES = ["debian/12", "debian/13", "ubuntu/22.04", "ubuntu/24.04", "fedora/43", "almalinux/9", "arch"]

HEAD = """muster: 1
name: Benchmark
resources: {cpus: 2, memory: 2G, disk: 10G}
timeouts: {launch: 5m, step: 10m, cell: 30m}
vars: {version: 1.2.0}
"""


def distros(count):
    yield "distros:\n"
    for number in range(count):
        image = IMAGES[number % len(IMAGES)]
        yield f"  distro-{number}: {{image: {image}, tags: [tag-{number % 10}, even]}}\n"


def test(number):
    return f"""  test-{number}:
    distros: [tag:tag-{number % 10}, "distro-{number % 50}"]
    env: {{LANG: C.UTF-8}}
    provision:
      - install: [curl, jq]
      - copy: {{from: dist/program-{number}, to: /usr/local/bin/program, mode: "0755"}}
    verify:
      - run: program --version
        stdout: {{equals: "program ${{version}}"}}
      - name: the service answers
        run: |
          systemctl is-active program
          curl --fail http://localhost:8080/{number}
        timeout: 90s
        retry: {{count: 3, delay: 2s}}
      - check: {{service: program, state: active}}
      - check: {{file: /etc/program.conf, mode: "0644", owner: root}}
"""


def long(lines=100_000):
    parts = [HEAD, *distros(50), "tests:\n"]
    count = sum(part.count("\n") for part in parts)
    number = 0
    while count < lines:
        parts.append(test(number))
        count += parts[-1].count("\n")
        number += 1
    return "".join(parts)


def wide(distro_count=1_000, test_count=100):
    parts = [HEAD, *distros(distro_count), "tests:\n"]
    for number in range(test_count):
        parts.append(test(number).replace(f'[tag:tag-{number % 10}, "distro-{number % 50}"]', "all"))
    return "".join(parts)


def cells(count):
    """For machines that do nothing: see `nothing`."""
    parts = ["muster: 1\nresources: {cpus: 1, memory: 128M}\ndistros:\n"]
    parts += [f"  distro-{number}: {{family: debian, image: {{multipass: noble}}}}\n" for number in range(20)]
    numbers = ", ".join(map(str, range(count // 20)))
    parts.append(f'tests: {{works: {{distros: all, axes: {{number: [{numbers}]}}, verify: [{{run: "true"}}]}}}}\n')
    return "".join(parts)
