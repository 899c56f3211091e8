"""JUnit's XML, as CI servers read it: a test case for each check of each operation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from mockexec.verify.curl import Curl
from mockexec.verify.events import Event
from mockexec.verify.findings import Finding, Group
from mockexec.verify.result import Result

# What XML 1.0 cannot hold (2.2, Char).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OPERATIONS = "operations"


class JUnitReporter:
    """Writes all at the end."""

    def __init__(self, file: IO[str], curl: Curl) -> None:
        self._file = file
        self._curl = curl

    def take(self, event: Event) -> None:
        """Nothing is written on the way."""

    def finish(self, result: Result) -> None:
        """A suite of our checks and one of the operations; a failure for each root cause."""
        root = Element("testsuites", name=f"mockexec verify {result.api.name}")
        findings = list(result.groups)
        ours = [part for part in result.parts if not part.name.startswith("schemathesis")]
        names = {part.name for part in ours}
        suite = SubElement(root, "testsuite", name="checks")
        for part in ours:
            own = [group for group in findings if group.finding.check == part.name]
            self._case(suite, "checks", part.name, own, result)
        for skipped in result.skipped:
            case = SubElement(suite, "testcase", classname="checks", name=_clean(skipped.what))
            SubElement(case, "skipped", message=_clean(skipped.reason))
        for trouble in result.troubles:
            case = SubElement(suite, "testcase", classname="checks", name=_clean(trouble.where))
            SubElement(case, "error", message=_clean(trouble.message))
        rest = [group for group in findings if group.finding.check not in names]
        suite = SubElement(root, "testsuite", name=_OPERATIONS)
        for name in result.coverage.operations:
            own = [group for group in rest if group.finding.operation == name]
            self._case(suite, _OPERATIONS, name, own, result)
        other = [g for g in rest if g.finding.operation not in result.coverage.operations]
        if other:
            self._case(suite, _OPERATIONS, "elsewhere", other, result)
        _count(root)
        indent(root)
        ElementTree(root).write(self._file, encoding="unicode", xml_declaration=True)
        self._file.write("\n")

    def _case(
        self, suite: Element, kind: str, name: str, groups: Iterable[Group], result: Result
    ) -> None:
        case = SubElement(suite, "testcase", classname=kind, name=_clean(name))
        for group in groups:
            finding = group.finding
            failure = SubElement(
                case,
                "failure",
                message=_clean(finding.title),
                type=f"{finding.check} ({finding.severity})",
            )
            failure.text = _clean(self._text(finding, result))

    def _text(self, finding: Finding, result: Result) -> str:
        lines = [
            f"operation: {finding.operation}",
            f"document:  {result.place(finding)}",
            f"expected:  {finding.expected}",
            f"got:       {finding.got}",
            *(self._curl.line(exchanged) for exchanged in finding.exchanges),
        ]
        return "\n".join(lines)


def _count(root: Element) -> None:
    """Fills in the numbers that JUnit's readers show."""
    for suite in root:
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
