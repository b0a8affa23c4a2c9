from components.api.gateway_types import (
    ReferenceGrantFrom,
    ReferenceGrantSpec,
    ReferenceGrantTo,
)

API = "gateway.networking.k8s.io"

# Misspelt fields
spec_field: ReferenceGrantSpec = {"from_": [], "to": []}  # wrong
from_field: ReferenceGrantFrom = {"group": API, "kind": "HTTPRoute", "namespaces": "a"}  # wrong
to_field: ReferenceGrantTo = {"group": "", "kind": "Service", "namespace": "a"}  # wrong
nested: ReferenceGrantSpec = {
    "from": [{"group": API, "kind": "HTTPRoute", "namespace": "httpbin"}],
    "to": [{"group": "", "kind": "Service", "names": "httpbin"}],  # wrong
}

# Wrong scalars
from_kind: ReferenceGrantFrom = {"group": API, "kind": None, "namespace": "a"}  # wrong
to_name: ReferenceGrantTo = {"group": "", "kind": "Secret", "name": ["certificate"]}  # wrong
from_list: ReferenceGrantSpec = {"from": {"group": API}, "to": []}  # wrong

# Missing fields
no_to: ReferenceGrantSpec = {"from": []}  # wrong
no_namespace: ReferenceGrantFrom = {"group": API, "kind": "Gateway"}  # wrong
no_group: ReferenceGrantTo = {"kind": "Service"}  # wrong
