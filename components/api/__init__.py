"""Other people's objects: the Gateway API's, Istio's and the Sail operator's.

Their types and limits, generated from their CRDs; thin resources of them; and the rules that no
schema knows. Nothing here knows what this project makes of these objects.
"""
