"""What the cluster says of a Job whose pod did not do its work."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import lightkube
from lightkube.resources.core_v1 import Event

JOB = "kubernetes:batch/v1:Job"
"""Type of a Job as a resource."""

JOB_NAME = "batch.kubernetes.io/job-name"
"""Label of the pods of a Job."""

_KNOWN = ("BackoffLimitExceeded", "DeadlineExceeded")
"""Reasons that say no more than that the Job failed."""

_ADVICE = {
    "FailedCreate": (
        "quota or admission of the namespace refuses the pod: `pod` of the verification changes it"
    ),
    "FailedScheduling": "no node takes the pod: `pod` of the verification changes it",
    "Failed": (
        "is there such an image, and does its registry let the pod have it? `image` and `pod` of"
        " the verification change it"
    ),
}


def explain_job(client: lightkube.Client, metadata: Mapping[str, Any]) -> str:
    """Why a Job has no pod, or one that did not start, and what to do about it.

    `metadata` has the name and the namespace of the Job. Empty where the cluster says nothing.
    """
    name = str(metadata["name"])
    warnings = client.list(Event, namespace=metadata["namespace"], fields={"type": "Warning"})
    found = [
        event
        for event in warnings
        # A pod that the Job took back is gone, and its events are not.
        if f"{event.involvedObject.name}-".startswith(f"{name}-") and event.reason not in _KNOWN
    ]
    found.sort(key=lambda event: event.lastTimestamp or datetime.min.replace(tzinfo=UTC))
    said = [f"{event.reason}: {(event.message or '').strip()}" for event in found]
    advice = [_ADVICE[event.reason] for event in found if event.reason in _ADVICE]
    return "; ".join(dict.fromkeys([*said, *advice]))
