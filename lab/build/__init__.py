"""Programs and images: fetched, verified and built from package registries into the cache.

How a thing is made belongs here, and which of several ways is taken. What runs, and on what
machine, does not: nothing here knows of `lab.node`.
"""
