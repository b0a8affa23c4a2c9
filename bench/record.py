"""Notes when the engine says what: the times in its own event log are whole seconds."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_EVENTS = {"resourcePreEvent": "begin", "resOutputsEvent": "end", "resOpFailedEvent": "end"}


def record(events: Iterable[bytes], file: Path) -> None:
    """Write the time of each event that tells of a resource, and of begin and end, to a file.

    Of a resource that is its URN and what is done with it, nothing of its properties.
    """
    notes: list[dict[str, Any]] = [{"time": time.time()}]
    for line in events:
        now, event = time.time(), json.loads(line)
        for kind in event.keys() & _EVENTS:
            about = event[kind]["metadata"]
            note = {"what": _EVENTS[kind], "urn": about["urn"], "operation": about["op"]}
            notes.append({"time": now, **note})
    notes.append({"time": time.time()})
    file.write_text("".join(f"{json.dumps(note)}\n" for note in notes), encoding="utf-8")
