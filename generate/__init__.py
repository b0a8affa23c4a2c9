"""Files of this project that are made from others: a developer's tool, `python -m generate`.

`api`: types and limits of the Gateway API's and Istio's objects, from the definitions in their Go
modules. For a new release put its line into `modules.sum` (`go mod download -json MODULE@VERSION`
tells the checksum), run the command, and read the diff.

`reference`: docs/reference.md, from the docstrings.

`rights`: the roles in rbac/, from the kinds that components make.
"""
