"""The machine that a lab is: its isolation, its Kubernetes, and what is installed into that.

What a lab needs of the host, does to it and leaves on it belongs here. Making programs and images
does not: they come from `lab.build`.
"""
