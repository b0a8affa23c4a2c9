"""Exposes a service of an Istio ambient mesh: settings, components, outputs."""

import pulumi

from components import AmbientExposure, Cluster, explain_failures, preflight
from components.settings import Settings

settings = Settings.load()
explain_failures(settings.cluster)
if settings.preflight:
    preflight(settings.cluster, settings.preflight)
cluster = Cluster("cluster", settings.cluster)
exposure = AmbientExposure(
    "exposure", settings.exposure, pulumi.ResourceOptions(providers=[cluster.provider])
)
pulumi.export("ingressHost", exposure.host)
pulumi.export("ingressPort", exposure.port)
pulumi.export("ingressUrl", exposure.url)
pulumi.export("verified", exposure.verified)
