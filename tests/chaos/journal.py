"""What clients were told: every write that was acknowledged, and what must therefore be there."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True)
class Reading:
    """How something that was acknowledged is read again, and which fields of it were."""

    path: str
    headers: dict[str, str]
    fields: dict[str, Json]


@dataclass
class Journal:
    """Shared by all clients; figures count what they did."""

    figures: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    marks: dict[str, set[str]] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a figure."""
        with self._lock:
            self.figures[what] += by

    def find(self, finding: str) -> None:
        """Write down what must not be."""
        with self._lock:
            self.findings.append(finding)

    def mark(self, kind: str, mark: str) -> None:
        """A row of this kind that bears a word of its own was acknowledged: there must be exactly one."""
        with self._lock:
            self.marks.setdefault(kind, set()).add(mark)

    def expect(self, path: str, headers: dict[str, str], **fields: Json) -> None:
        """This is what was acknowledged last of the thing at `path`."""
        with self._lock:
            known = self.readings.get(path)
            self.readings[path] = Reading(path, headers, {**(known.fields if known else {}), **fields})

    def owe(self, name: str, iri: str) -> None:
        """A subscriber must have been told of this, whatever our own log says."""
        with self._lock:
            self.told.append((name, iri))
