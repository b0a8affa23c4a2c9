"""What a resource's URN, id and state say, and what the engine keeps of an object."""

from dataclasses import dataclass

from lab.provider.values import Object, with_secrets

_READ_ONLY_METADATA = {
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
}
_READ_ONLY_ANNOTATIONS = {
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
}


@dataclass(frozen=True)
class Urn:
    """What a URN says: `urn:pulumi:STACK::PROJECT::PARENT$kubernetes:GROUP/VERSION:KIND::NAME`."""

    urn: str

    @property
    def name(self) -> str:
        """The resource's name in its program."""
        return self.urn.split("::", 3)[3]

    @property
    def api_version(self) -> str:
        """The `apiVersion` of the objects of the resource's type."""
        return self._token[1].removeprefix("core/")

    @property
    def kind(self) -> str:
        """The kind of the resource, such as `Namespace` or `NamespacePatch`."""
        return self._token[2]

    def patches(self, obj: Object) -> bool:
        """Whether the resource only patches an object that it does not own."""
        return self.kind == f"{obj.get('kind')}Patch"

    @property
    def _token(self) -> list[str]:
        return self.urn.split("::", 3)[2].rsplit("$", 1)[-1].split(":")


def kept(
    live: Object, inputs: Object, given: Object, manager: str, initial: str | None = None
) -> Object:
    """What the engine keeps: the live object, and what the next diff and update need to know.

    `given` are the inputs with their marks of secrecy, `manager` is the object's field manager and
    `initial` the `apiVersion` that the object was created with, that of the inputs by default.
    """
    return with_secrets(live, given) | {
        "__inputs": with_secrets(inputs, given),
        "__initialApiVersion": initial or inputs["apiVersion"],
        "__fieldManager": manager,
    }


def reference(urn: Urn, id_: str) -> Object:
    """The least that identifies an object of which only the id is known."""
    namespace, _, name = id_.rpartition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": urn.api_version, "kind": urn.kind, "metadata": metadata}


def as_inputs(live: Object) -> Object:
    """The inputs that would make the object: without its status and what the server filled in."""
    metadata = {
        key: value for key, value in live["metadata"].items() if key not in _READ_ONLY_METADATA
    }
    if "annotations" in metadata:
        metadata["annotations"] = {
            key: value
            for key, value in metadata["annotations"].items()
            if key not in _READ_ONLY_ANNOTATIONS
        }
    return {key: value for key, value in live.items() if key != "status"} | {"metadata": metadata}
