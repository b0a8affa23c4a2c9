"""The policy pack: `pulumi preview --policy-pack policy`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import getitem
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError
from rules import POLICIES, UNKNOWN, WAIVERS, Object, Policy, violations


def _plain(read: Callable[[], Any]) -> Any:
    """What is read, as plain data, `UNKNOWN` where it is not known yet."""
    try:
        value = read()
    except UnknownValueError:
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(partial(getitem, value, key)) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(partial(getitem, value, index)) for index in range(len(value))]
    return value


def _of_stack(resource: PolicyResource) -> Object:
    return Object(
        resource.resource_type,
        resource.name,
        _plain(lambda: resource.props),
        resource.parent.resource_type if resource.parent else "",
        tuple((one.resource_type, one.name) for one in resource.dependencies),
    )


def _made(policy: Policy) -> ResourceValidationPolicy | StackValidationPolicy:
    """The policy as the engine takes it."""

    def alone(args: ResourceValidationArgs, report: ReportViolation) -> None:
        one = Object(args.resource_type, args.name, _plain(lambda: args.props))
        for problem in violations(policy, one, [], args.get_config()):
            report(problem)

    def together(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = [_of_stack(resource) for resource in args.resources]
        for one, resource in zip(stack, args.resources, strict=True):
            for problem in violations(policy, one, stack, args.get_config()):
                report(problem, resource.urn)

    level = EnforcementLevel.MANDATORY if policy.mandatory else EnforcementLevel.ADVISORY
    kind, validate = (
        (StackValidationPolicy, together) if policy.whole else (ResourceValidationPolicy, alone)
    )
    return kind(
        name=policy.name,
        description=policy.description,
        validate=validate,
        enforcement_level=level,
        severity=Severity(policy.severity),
        config_schema=PolicyConfigSchema({**policy.properties, "waivers": WAIVERS}),
    )


PolicyPack("ambient-exposure", [_made(policy) for policy in POLICIES])
