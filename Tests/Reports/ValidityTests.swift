import MusterExecution
import MusterHost
import Testing

@testable import MusterReports

/// The reports as their consumers read them.
@Suite struct ValidityTests {
  private let summary = SummaryFold(SampleRun.events).summary

  @Test func jsonIsRead() async throws {
    try await expectPython(
      """
      import json, sys
      summary = json.loads(sys.stdin.buffer.read().decode("utf-8"))
      assert list(summary)[:8] == ["schema", "matrix", "run", "started", "seconds", "outcome", "totals", "machines"]
      assert summary["schema"] == "muster.summary/1" and summary["started"] == "2025-11-21T04:40:00.000Z"
      assert sum(summary["totals"].values()) == len(summary["cells"]) == 11
      assert summary["machines"] == {"launched": 9, "purged": 8, "left": 1}
      for cell in summary["cells"]:
        assert {"cell", "test", "distro", "axes", "backend", "outcome", "blame", "seconds", "attempts"} <= set(cell)
        for attempt in cell["attempts"]:
          assert {"machine", "outcome", "phases", "log"} <= set(attempt)
          for phase in attempt["phases"]:
            assert list(phase) == ["phase", "seconds", "steps"]
      assert summary["cells"][3]["axes"] == {"memory": "512M", "locale": "C"}
      assert summary["cells"][4]["blame"] == "mirror"
      step = summary["cells"][1]["attempts"][0]["phases"][2]["steps"][0]
      assert step["mismatch"]["location"] == {"file": "matrix.yaml", "line": 42, "column": 27}
      assert "\\x1b[31mred" in "".join(step["tail"])
      """, input: summary.json)
  }

  @Test func everyEventIsALine() async throws {
    var json = JSONWriter()
    for event in SampleRun.events { json.line(event) }
    try await expectPython(
      """
      import json, re, sys
      lines = sys.stdin.buffer.read().decode("utf-8").split("\\n")
      assert lines.pop() == "" and json.loads(lines[0]) == {"schema": "muster.events/1"}
      events = [json.loads(line) for line in lines[1:]]
      assert len(events) == \(SampleRun.events.count), len(events)
      assert all(list(event)[:3] == ["time", "elapsed", "event"] for event in events)
      assert all(re.fullmatch("[a-z-]+", event["event"]) for event in events)
      assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for line in lines for c in line)
      """, input: EventLine.header + json.bytes)
  }

  /// By the elements, attributes and counts that Jenkins' junit-10.xsd allows.
  @Test func junitIsReadByJenkins() async throws {
    try await expectPython(
      #"""
      import re, sys, xml.etree.ElementTree as ET
      root = ET.fromstring(sys.stdin.buffer.read())
      attributes = {
        "testsuites": "name time tests failures errors",
        "testsuite": "name tests failures errors group time skipped timestamp hostname id package file log url",
        "testcase": "name time classname group", "properties": "", "property": "name value", "system-out": "",
        "failure": "type message", "error": "type message", "skipped": "type message", "flakyFailure": "type message",
      }
      children = {
        "testsuites": ["testsuite"], "testsuite": ["properties", "testcase"], "properties": ["property"],
        "testcase": ["skipped", "error", "failure", "flakyFailure", "system-out"],
      }
      for element in root.iter():
        assert set(element.attrib) <= set(attributes[element.tag].split()), element.attrib
        for child in element: assert child.tag in children[element.tag], child.tag
      time = re.compile(r"[0-9]+\.[0-9]{3}")
      total = dict(tests=0, failures=0, errors=0)
      assert [s.get("name") for s in root] == ["debian-12", "ubuntu-24.04", "ours", "fedora-44", "arch"]
      for suite in root:
        count = lambda tag: sum(1 for case in suite.iter("testcase") if case.find(tag) is not None)
        assert int(suite.get("tests")) == len(list(suite.iter("testcase")))
        for name, tag in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]:
          assert int(suite.get(name)) == count(tag), (suite.get("name"), name)
        for name in total: total[name] += int(suite.get(name))
        assert time.fullmatch(suite.get("time"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        for case in suite.iter("testcase"):
          assert case.get("name") and case.get("classname").count(".") == 1 and time.fullmatch(case.get("time"))
      assert all(int(root.get(name)) == total[name] for name in total)
      case = root.find(".//testcase[@name='apt@ubuntu-24.04']")
      text = case.find("failure").text
      for word in ["greeter --version", 'contains "1.2.0"', '"greeter 1.1.0"', "matrix.yaml:42:27", "]]>", "::error"]:
        assert word in text, word
      assert "red" in text and "[31m" not in text
      assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ufffe]", "".join(root.itertext()))
      assert root.find(".//testcase[@name='rpm@fedora-44']/error").get("type") == "mirror"
      assert len(root.findall(".//testcase[@name='flaky@debian-12']/flakyFailure")) == 1
      """#, input: try JUnit.bytes(of: summary))
  }

  /// A run without a cell, and one that was killed at once.
  @Test func emptyRuns() async throws {
    var script = EventScript()
    script.start([])
    for summary in [SummaryFold(script.events).summary, Summary()] {
      try await expectPython("import json, sys; json.load(sys.stdin)", input: summary.json)
      try await expectPython(
        "import sys, xml.etree.ElementTree as ET; assert len(ET.fromstring(sys.stdin.buffer.read())) == 0",
        input: try JUnit.bytes(of: summary))
      #expect(!Markdown.bytes(of: summary).isEmpty)
    }
  }
}
