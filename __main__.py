"""Exposes services of an Istio ambient mesh: configuration, components, outputs."""

import pulumi

from components.stack import expose, load, outputs

args = load()
for name, value in outputs(args, expose(args)).items():
    pulumi.export(name, value)
