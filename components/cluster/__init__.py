"""The cluster: its provider and credentials, what it has to have, what it says of failures.

Nothing here makes an object in the cluster.
"""
