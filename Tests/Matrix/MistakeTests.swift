import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// Every mistake of a file, in one go.
struct MistakeTests {
  @Test func tellsMistakesOfTheWhole() throws {
    let file = try read(
      #"""
      muster: 2
      nmae: x
      backend: [auto, qemuu, incus, qemu, qemu]
      resources: {cpus: 0, memory: 64M, disk: 10, swap: 1G}
      timeouts: {launch: 90, step: 5min, cell: 1h30m30s}
      attempts: {launch: 0, cell: many}
      logs: 10M
      env: {1X: a, OK: , FINE: no}
      secrets: [TOKEN, TOKEN, bad-name, distro]
      vars: {version: 1.2.0, distro: x, TOKEN: y, list: [1], no-name: x}
      distros: []
      tests: {}
      setup:
        - copy: {from: a, to: /b}
        - run: echo ${distro}
          as: root
      cache: {}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:1:9-10 error: unknown version '2' of the matrix language; hint: this Muster reads version 1; a newer Muster may read it
        m.yaml:2:1-5 error: unknown key 'nmae' in the matrix; hint: did you mean 'name'?
        m.yaml:3:11-15 error: 'auto' stands alone; hint: write a list of names, or auto
        m.yaml:3:17-22 error: unknown backend 'qemuu'; hint: did you mean 'qemu'?
        m.yaml:3:37-41 error: 'qemu' is twice in the list
        m.yaml:4:19-20 error: 0 is too few CPUs; hint: 1 at least
        m.yaml:4:30-33 error: '64M' is too small for the memory of a machine; hint: 128M at least
        m.yaml:4:41-43 error: '10' is a size without a unit; hint: write 10M or 10G
        m.yaml:4:45-49 error: unknown key 'swap' in resources; hint: the keys are: cpus, memory, disk
        m.yaml:5:20-22 error: '90' is a duration without a unit; hint: write 90s or 90m
        m.yaml:5:30-34 error: '5min' is not a duration; hint: write a number and a unit (ms, s, m, h, d), such as 90s or 1h30m
        m.yaml:6:20-21 error: 0 is too few attempts; hint: 1 at least
        m.yaml:6:29-33 error: 'many' is not a whole number; hint: write it in digits, such as 2
        m.yaml:7:7-10 error: expected a mapping for 'logs', found text; hint: write {limit: 10M}
        m.yaml:8:7-9 error: '1X' cannot be the name of an environment variable; hint: use letters, digits and '_', and no digit first
        m.yaml:8:14-16 error: 'OK' has no value; hint: write "" for an empty one
        m.yaml:9:18-23 error: the secret 'TOKEN' is named twice; note at 9:11: first here
        m.yaml:9:25-33 error: 'bad-name' cannot be the name of a secret; hint: a secret is named like the environment variable that holds it, such as API_TOKEN
        m.yaml:9:35-41 error: 'distro' cannot be the name of a secret; hint: a secret is named like the environment variable that holds it, such as API_TOKEN
        m.yaml:10:24-30 error: 'distro' is a variable that every cell has; hint: use letters, digits and '_', and no digit first
        m.yaml:10:35-40 error: 'TOKEN' is a secret already; hint: use letters, digits and '_', and no digit first; note at 9:11: declared here
        m.yaml:10:51-54 error: expected text for a variable, found a list
        m.yaml:10:56-63 error: 'no-name' cannot be the name of a variable; hint: use letters, digits and '_', and no digit first
        m.yaml:11:10-12 error: expected a mapping for 'distros', found a list; hint: write {debian-12: {image: debian/12}}
        m.yaml:12:8-10 error: there are no tests
        m.yaml:14:5-9 error: 'copy' needs a machine, and 'setup' runs on the host; hint: use 'run' here, or move the step to a test
        m.yaml:15:15-24 error: '${distro}' has no value here, outside any cell
        m.yaml:16:5-7 error: 'as' makes no sense in 'setup', which runs once on the host; hint: it runs as whoever runs Muster
        m.yaml:17:1-6 error: unknown key 'cache' in the matrix; hint: the keys are: muster, name, extends, backend, backends, vars, secrets, distros, setup, tests, exclude, expect-failure, resources, timeouts, attempts, logs, env, start
        """#)
  }

  @Test func tellsMistakesInImagesOfBackends() throws {
    let file = try read(
      #"""
      muster: 1
      distros:
        a: {family: debian, image: {multipass: "no ble", orbstack: ubuntu/24.04}}
        b: {family: debian, image: {lxd: "a:b:c"}}
        c: {family: debian, image: {orbstack: "ubuntu:"}}
        d: {family: debian, image: {lima: "template:"}}
        e: {family: debian, image: {default: {default: debian/12}}}
        f: {family: debian, image: {multipass: "https://example.org:8080/x.img", lima: "template:ubuntu", incus: "-x"}}
      tests: {t: {distros: all, verify: [{run: "true"}]}}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:3:42-50 error: 'no ble' cannot be the name of an image of multipass; hint: write it as noble or daily:26.04
        m.yaml:3:62-74 error: 'ubuntu/24.04' is a name of the catalog, and none of orbstack; hint: write 'default: ubuntu/24.04'
        m.yaml:4:36-43 error: 'a:b:c' cannot be the name of an image of lxd; hint: write it as ubuntu:24.04
        m.yaml:5:41-50 error: 'ubuntu:' cannot be the name of an image of orbstack; hint: write it as ubuntu or ubuntu:noble
        m.yaml:6:37-48 error: 'template:' cannot be the name of an image of lima; hint: write it as template:ubuntu-24.04
        m.yaml:7:41-48 error: unknown key 'default' in image; hint: the keys are: url, path, debootstrap
        m.yaml:8:108-112 error: '-x' cannot be the name of an image of incus; hint: write it as images:debian/12/cloud
        """#)
  }

  @Test func tellsMistakesOfDistros() throws {
    let file = try read(
      #"""
      muster: 1
      secrets: [TOKEN]
      distros:
        Bad Name: {image: debian/12}
        debian: {image: debain/12}
        sum: {image: {url: "https://x/y.qcow2"}}
        short: {image: {url: "https://x/y.qcow2", sha256: abc}, family: debian}
        ftp: {image: {url: "ftp://x/y.qcow2", sha512: xyz}, family: debian}
        twice: {image: {url: "https://x/y", checksum: "https://x/y.sum", sha256: abc}, family: suse}
        told: {image: {path: x.qcow2}}
        family: {image: {path: x.qcow2}, family: redhat}
        both: {image: {path: x.qcow2, url: y}}
        extra: {image: {debootstrap: bookworm, sha256: abc, packges: []}}
        suite: {image: {debootstrap: bokworm}}
        secret: {image: "debian/${TOKEN}"}
        test: {image: "debian/${test}"}
        url: {image: "https://x/y.qcow2"}
        file: {image: ./y.qcow2}
        release: {image: fedora/7}
        none: {tags: [a b, all]}
        two: {image: [debian/12, fedora/44]}
        empty: {image: []}
        nothing: {image: {}}
        backend: {image: {qemuu: x, default: debian/12}}
        firmware: {image: {path: x, firmware: efi, init: cloudinit}, family: arch}
        cpu: {image: debian/12, cpu: amd64, memory: 2G}
        only: {image: arch, cpu: arm64}
        short-form: debian/12
        digest: {image: {url: "https://x/y", checksum: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}, family: suse}
      tests: {t: {verify: [{run: x}]}}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:4:3-11 error: 'Bad Name' cannot be the name of a distro; hint: use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken
        m.yaml:5:19-28 error: the catalog has no image 'debain/12'; hint: did you mean 'debian/12'?
        m.yaml:6:17-20 error: an image that is downloaded needs a checksum; hint: add 'sha256: …' or 'sha512: …', or 'checksum: URL' of a file that has it
        m.yaml:7:53-56 error: this checksum has 3 digits where 64 are needed
        m.yaml:8:22-39 error: 'ftp://x/y.qcow2' is not an address; hint: write it with https://, http:// or file:///
        m.yaml:8:49-52 error: 'xyz' is not a checksum; hint: write 128 hexadecimal digits
        m.yaml:9:68-74 error: a second checksum of one image; hint: one is enough
        m.yaml:9:76-79 error: this checksum has 3 digits where 64 are needed
        m.yaml:10:17-32 error: the family of 'told' cannot be told from its image; hint: add 'family:' with one of debian, fedora, suse, arch, alpine
        m.yaml:11:44-50 error: 'redhat' is not a family; hint: write one of: debian, fedora, suse, arch, alpine
        m.yaml:12:33-36 error: an image has either 'path' or 'url'; hint: write a list for alternatives
        m.yaml:13:42-48 error: unknown key 'sha256' in an image with 'debootstrap'; hint: the keys are: debootstrap, packages, mirror, components, firmware, init
        m.yaml:13:55-62 error: unknown key 'packges' in an image with 'debootstrap'; hint: did you mean 'packages'?
        m.yaml:14:32-39 error: unknown suite 'bokworm'; hint: did you mean 'bookworm'?
        m.yaml:15:27-35 error: the secret 'TOKEN' cannot be used in the name of an image; hint: secrets can be used in scripts, expectations and the values of 'env'
        m.yaml:16:17-33 error: '${test}' cannot be used in an image; hint: an image may differ by ${distro} and ${cpu}
        m.yaml:17:16-35 error: the catalog has no image 'https://x/y.qcow2'; hint: write {url: "…", sha256: …} for an image that is downloaded
        m.yaml:18:17-26 error: the catalog has no image './y.qcow2'; hint: write {path: ./y.qcow2} for a file
        m.yaml:19:20-28 error: the catalog has no image 'fedora/7'; hint: the catalog has fedora/43, fedora/44
        m.yaml:20:3-7 error: the distro 'none' needs an image; hint: add 'image: debian/12', or another
        m.yaml:20:17-20 error: 'a b' cannot be a tag; hint: use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken
        m.yaml:20:22-25 error: 'all' cannot be a tag; hint: use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken
        m.yaml:21:28-37 error: the images of 'two' are of two families, debian and fedora; hint: make two distros of them; note at 21:17: debian is told here
        m.yaml:22:18-20 error: a list of images that is empty
        m.yaml:23:20-22 error: an image that is empty; hint: write a name such as debian/12, or {url: …, sha256: …}
        m.yaml:24:21-26 error: unknown key 'qemuu' in image; hint: did you mean 'qemu'?
        m.yaml:25:41-44 error: 'efi' is not a firmware; hint: did you mean 'uefi'?
        m.yaml:25:52-61 error: 'cloudinit' is not a way to initialize an image; hint: did you mean 'cloud-init'?
        m.yaml:26:32-37 error: unknown architecture 'amd64'; hint: write x86_64
        m.yaml:26:39-45 error: unknown key 'memory' in a distro; hint: the keys are: image, family, tags, cpu, provision, resources, timeouts, attempts, logs, env, start
        m.yaml:27:17-21 error: the catalog has no image 'arch' for arm64, which the cell t@only asks for; hint: exclude such cells, or set 'cpu' of 'only'
        m.yaml:28:15-24 error: expected a mapping for a distro, found text; hint: write {image: debian/12}
        m.yaml:29:50-123 error: 'checksum' takes the address of a file that has the digest; hint: write the digest itself as 'sha256: …'
        """#)
  }

  @Test func tellsMistakesThatWouldPassSilently() throws {
    let file = try read(
      #"""
      muster: 1
      distros:
        bad name: {image: debian/12}
        debian-13: {image: debian/13, tags: [new, new]}
        built: {image: {debootstrap: bookworm, packages: ["-o x", "jq,curl", jq]}}
      tests:
        t:
          distros: badname
          verify:
            - []
            - {run: x, as: "a b;c"}
            - {run: x, shell: sh -c}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:3:3-11 error: 'bad name' cannot be the name of a distro; hint: use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken
        m.yaml:4:45-48 error: 'new' is twice in the list
        m.yaml:5:53-59 error: '-o x' is not the name of a package; hint: write several as a list: [one, other]
        m.yaml:5:61-70 error: 'jq,curl' is not the name of a package; hint: write several as a list: [one, other]
        m.yaml:8:14-21 error: there is no distro 'badname'; hint: there are: debian-13, built
        m.yaml:10:9-11 error: a list of steps that is empty
        m.yaml:11:22-29 error: 'a b;c' is not a user's name
        m.yaml:12:25-30 error: a shell gets its script as a file, not as text after '-c'; hint: leave '-c' out
        """#)
  }

  @Test func tellsMistakesOfTests() throws {
    let file = try read(
      #"""
      muster: 1
      vars: {version: 1.2.0}
      distros:
        debian-12: {image: debian/12}
        suse: {image: opensuse/tumbleweed, provision: [{install: [{debian: a}]}]}
      tests:
        a b: {verify: []}
        t1:
          distros: [debain-12, fam:debian, "fedora-*", debian-12 & tag:x, debian-12 suse]
          axes: {memory: [1G, 1G, "a b", 64M], cpu: [aarch64], test: [a], version: [b], empty: [], one: x}
          resources: {memory: "${memory}", cpus: "${distro}"}
          verify: {run: x}
        t2: {}
        t3: {distros: "suse & debian-12", tags: x, verify: [{run: "echo ${memory}"}], hardening: {remove: true}}
        t4: []
      exclude:
        - {test: t1}
        - {reason: x}
        - {test: t9, reason: x}
        - {test: t3, reason: x}
        - {test: t1, axes: {memry: 1G}, reason: x}
        - {test: t1, distro: family:suse, axes: {memory: 3G}, reason: x}
        - {test: family:suse, reason: ""}
      expect-failure: {test: t1}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:7:3-6 error: 'a b' cannot be the name of a test; hint: use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken
        m.yaml:7:3-6 error: the test 'a b' does nothing; hint: add 'verify' with a list of steps
        m.yaml:9:15-24 error: there is no distro 'debain-12'; hint: did you mean 'debian-12'?
        m.yaml:9:26-36 error: unknown kind of selector 'fam:'; hint: the kinds are family: and tag:
        m.yaml:9:39-47 warning: 'fedora-*' matches no distro
        m.yaml:9:62-67 warning: 'tag:x' matches no distro
        m.yaml:9:79-83 error: two names side by side in a selector; hint: write a list for either of them, or 'a & b' for both
        m.yaml:10:25-27 error: '1G' is twice in the axis 'memory'
        m.yaml:10:29-34 error: 'a b' cannot be a value of an axis: ' ' would make names of cells ambiguous; hint: values of axes have no spaces and none of [ ] , = @ & * ?
        m.yaml:10:48-55 error: unknown architecture 'aarch64'; hint: write arm64
        m.yaml:10:58-62 error: 'test' is a variable that every cell has; hint: name the axis with letters, digits and '_', unlike any variable
        m.yaml:10:69-76 error: 'version' is a variable already; hint: name the axis with letters, digits and '_', unlike any variable; note at 2:8: declared here
        m.yaml:10:90-92 error: the axis 'empty' has no values
        m.yaml:10:99-100 error: expected a list for an axis, found text; hint: write the values as a list: [one, other]
        m.yaml:11:25-36 error: '64M' is too small for the memory of a machine; hint: 128M at least
        m.yaml:11:45-54 error: '${distro}' cannot be used in the number of CPUs
        m.yaml:12:13-21 error: expected a list for 'verify', found a mapping; hint: write each step as an item: '- run: …'
        m.yaml:13:3-5 error: the test 't2' does nothing; hint: add 'verify' with a list of steps
        m.yaml:14:17-35 warning: this chooses no distro
        m.yaml:14:67-76 error: '${memory}' is an axis of the test 't1', and has no value here; hint: use it in that test, or declare it under 'vars'
        m.yaml:14:81-90 error: unknown key 'hardening' in a test; hint: the keys are: distros, tags, axes, machines, provision, verify, lifecycle, resources, timeouts, attempts, logs, env, start
        m.yaml:15:7-9 error: expected a mapping for a test, found a list; hint: write {verify: [{run: …}]}
        m.yaml:17:5-15 error: 'exclude' needs a reason; hint: add 'reason:' so that it can be judged later
        m.yaml:18:5-16 error: this does not say which cells it is for; hint: add 'test' or 'distro', or both
        m.yaml:19:12-14 error: there is no test 't9'; hint: there are: t1, t2, t3, t4
        m.yaml:21:23-28 error: no test has an axis 'memry'; hint: did you mean 'memory'?
        m.yaml:23:12-23 error: a test is of no family; hint: choose by family among distros
        m.yaml:23:33-35 error: a reason that is empty
        m.yaml:24:17-27 error: expected a list for 'expect-failure', found a mapping; hint: write {test: …, distro: …, reason: …} as an item
        """#)
  }

  @Test func tellsMistakesOfSteps() throws {
    let file = try read(
      #"""
      muster: 1
      secrets: [TOKEN]
      vars: {version: 1.2.0}
      distros: {d: {image: debian/12}, s: {image: opensuse/tumbleweed}}
      tests:
        t1:
          verify:
            - run: echo ${HOME} ${versoin} ${x:-y} ${open
            - run: a
              copy: {from: a, to: /b}
            - ruun: x
            - name: nothing
            - run: x
              name: ${TOKEN}
              exit: 256
              stdout: {equal: x, matches: "a(b", contains: ""}
              stderr: fine
              timeout: 5
              shell: []
              retry: {delay: 5s}
              cwd: tmp
              mode: x
              interval: 2s
              when: family:rpm
            - run:
            - run: "  "
            - copy: {from: a, to: b, mode: 0999, owner: "a b"}
            - copy: {from: "${TOKEN}"}
            - fetch: rel
            - fetch: {from: /a, to: ../b, optional: maybe}
            - install: [curl wget, -y]
            - install: [{debian: a}]
            - install: [{debain: a}]
            - install: []
            - install: [{debian: a}]
              when: family:debian
            - check: {file: /a, service: b}
            - check: {port: 70000, transport: sctp}
            - check: {port: x, open: maybe}
            - check: {srevice: x}
            - check: {service: x, state: activ, type: y}
            - check: {file: /x, type: absent, mode: 0644}
            - check: {user: x, exists: no, home: /x}
            - check: {package: {debian: [a, b]}}
            - check: jq
            - reboot: now
            - reboot
            - just text
            - wait: x
              retry: 3
            - flatpak: {file: x}
      """#)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == #"""
        m.yaml:8:19-26 error: unknown variable 'HOME'; hint: declare it under 'vars', or write $HOME or $${HOME} if it is the shell's
        m.yaml:8:27-37 error: unknown variable 'versoin'; hint: did you mean 'version'? declare it under 'vars', or write $versoin or $${versoin} if it is the shell's
        m.yaml:8:38-45 error: '${x:-y}' is not a variable of the matrix; hint: write $${x:-y} to leave it to the shell
        m.yaml:8:46-48 error: a '${' without its '}'; hint: write $${ for a literal '${'
        m.yaml:10:9-13 error: a step does one thing, and this is both 'run' and 'copy'; hint: write two steps; note at 9:9: 'run' is here
        m.yaml:11:9-13 error: unknown step 'ruun'; hint: did you mean 'run'?
        m.yaml:12:9-13 error: a step that does nothing; hint: a step has one of run, copy, fetch, install, check, reboot, wait, apt, rpm, aur, pypi, appimage, apk, homebrew
        m.yaml:14:15-23 error: the secret 'TOKEN' cannot be used in the name of a step; hint: secrets can be used in scripts, expectations and the values of 'env'
        m.yaml:15:15-18 error: 256 is not an exit status; hint: they go from 0 to 255
        m.yaml:16:18-23 error: unknown key 'equal' in what is expected; hint: did you mean 'equals'?
        m.yaml:16:37-42 error: 'a(b' is not a regular expression: expected ')'
        m.yaml:16:54-56 error: every output contains the empty text
        m.yaml:17:17-21 error: expected a mapping for what is expected, found text; hint: write {contains: …} or {equals: …}
        m.yaml:18:18-19 error: '5' is a duration without a unit; hint: write 5s or 5m
        m.yaml:19:16-18 error: a shell that is empty; hint: write bash, or bash -euo pipefail
        m.yaml:20:16-27 error: 'retry' needs 'count'; hint: write {count: 3, delay: 5s}
        m.yaml:21:14-17 error: 'tmp' is not a whole path in the machine; hint: start it with '/', such as /root or /tmp
        m.yaml:22:9-13 error: unknown key 'mode' in a step with 'run'; hint: the keys are: run, name, machine, when, timeout, retry, shell, as, cwd, env, exit, stdout, stderr, cache
        m.yaml:23:9-17 error: 'interval' goes with 'wait', not with 'run'
        m.yaml:24:15-25 error: unknown family 'rpm'; hint: the families are: debian, fedora, suse, arch, alpine
        m.yaml:25:13-13 error: expected text for a script, found nothing; hint: write 'run: command', or a block after '|'
        m.yaml:26:14-18 error: a script that is empty
        m.yaml:27:29-30 error: 'b' is not a whole path in the machine; hint: start it with '/', such as /root or /tmp
        m.yaml:27:38-42 error: '0999' is not a file mode; hint: write three or four octal digits, such as 0755
        m.yaml:27:51-56 error: 'a b' is not an owner; hint: write user or user:group, such as root:adm
        m.yaml:28:15-33 error: 'copy' needs 'to'
        m.yaml:28:23-31 error: the secret 'TOKEN' cannot be used in a path; hint: secrets can be used in scripts, expectations and the values of 'env'
        m.yaml:29:16-19 error: 'rel' is not a whole path in the machine; hint: start it with '/', such as /root or /tmp
        m.yaml:30:31-35 error: '../b' is not a path within the run's own folder; hint: write a relative path without '..'
        m.yaml:30:47-52 error: 'maybe' is neither true nor false; hint: write true or false
        m.yaml:31:19-28 error: 'curl wget' is not the name of a package; hint: write several as a list: [one, other]
        m.yaml:31:30-32 error: '-y' is not the name of a package
        m.yaml:32:19-30 error: no name of this package for the family 'suse', which 's' is of; hint: add 'suse: NAME', or 'suse:' with nothing if it needs none
        m.yaml:33:19-30 error: no name of this package for the family 'debian', which 'd' is of; hint: add 'debian: NAME', or 'debian:' with nothing if it needs none
        m.yaml:33:20-26 error: unknown key 'debain' in the names of a package; hint: did you mean 'debian'?
        m.yaml:34:18-20 error: a list of packages that is empty
        m.yaml:37:27-34 error: a check has one subject, and this has both 'file' and 'service'; hint: write two steps; note at 37:17: 'file' is here
        m.yaml:38:23-28 error: 70000 is not a port; hint: they go from 1 to 65535
        m.yaml:38:41-45 error: 'sctp' is not a transport; hint: write one of: tcp, udp
        m.yaml:39:23-24 error: 'x' is not a whole number; hint: write it in digits, such as 2
        m.yaml:39:32-37 error: 'maybe' is neither true nor false; hint: write true or false
        m.yaml:40:17-24 error: unknown key 'srevice' in check; hint: did you mean 'service'?
        m.yaml:41:36-41 error: 'activ' is not the state of a service; hint: did you mean 'active'?
        m.yaml:41:43-47 error: unknown key 'type' in a check of 'service'; hint: the keys are: service, state
        m.yaml:42:41-45 error: a file that is absent has no 'mode'
        m.yaml:43:38-42 error: a user who does not exist has no 'home'
        m.yaml:44:26-42 error: a check of a package needs one name for each family, not 2; hint: leave families out with 'when'
        m.yaml:45:16-18 error: expected a mapping for 'check', found text; hint: write {command: …}, {file: …}, {service: …}, …
        m.yaml:46:17-20 error: 'reboot' takes nothing; hint: write 'reboot:'
        m.yaml:47:9-15 error: expected a step, found text; hint: write 'reboot:'
        m.yaml:48:9-18 error: expected a step, found text; hint: write 'run: …' to run a command
        m.yaml:50:9-14 error: 'retry' goes with 'run', not with 'wait'
        m.yaml:51:9-16 error: unknown step 'flatpak'; hint: the steps are: run, copy, fetch, install, check, reboot, wait, apt, rpm, aur, pypi, appimage, apk, homebrew
        """#)
  }
}
