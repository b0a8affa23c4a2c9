"""Exposes services of an Istio ambient mesh: settings, components, outputs."""

import pulumi

from components import Cluster, common_metadata, explain_failures, preflight
from components.stack.settings import Settings
from components.stack.stack import expose, outputs

settings = Settings.load()
explain_failures(settings.cluster)
if settings.preflight:
    preflight(settings.cluster, settings.preflight)
pulumi.runtime.register_resource_transform(common_metadata(settings.labels, settings.annotations))
cluster = Cluster("cluster", settings.cluster)
for name, value in outputs(expose(settings, cluster.provider)).items():
    pulumi.export(name, value)
