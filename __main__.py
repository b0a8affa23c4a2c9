"""Exposes a service of an Istio ambient mesh: settings, components, outputs."""

import pulumi

from components import AmbientExposure, Cluster
from components.cluster import preflight
from components.explain import explain_failures
from components.settings import Settings

settings = Settings.load()
explain_failures(settings.cluster)
if settings.preflight:
    preflight(settings.cluster, settings.preflight)
cluster = Cluster("cluster", settings.cluster)
exposure = AmbientExposure(
    settings.name, settings.exposure, pulumi.ResourceOptions(providers=[cluster.provider])
)
pulumi.export("ingressHost", exposure.host)
pulumi.export("ingressPort", exposure.port)
pulumi.export("ingressUrl", exposure.url)
pulumi.export("verified", exposure.verified)
