"""What Go sources tell beyond CRDs: the names of types and the order of their fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\t(?:\w+[ \t]+)?(\S*\w)[ \t]+`(.*)`", re.MULTILINE)
_LOCATION = re.compile(r"^// \$location: (\S+)$", re.MULTILINE)
_ONE_OF = re.compile(r'protobuf:"[^"]*,oneof"')


@dataclass
class Sources:
    """The structs of Go files."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    """Type of each field, as the API spells the field, by struct; of a list or map its values'."""
    locations: dict[str, str] = field(default_factory=dict)
    """Page that describes a struct, where its file names one."""
    _embedded: dict[str, list[str]] = field(default_factory=dict)

    def of(self, struct: str) -> dict[str, str]:
        """Types of all fields of a struct, in order, those of embedded structs first."""
        embedded = {
            name: type_
            for each in self._embedded.get(struct, ())
            for name, type_ in self.of(each).items()
        }
        return {**embedded, **self.fields.get(struct, {})}

    def read(self, text: str) -> None:
        """Take in a file; a struct that is known already is replaced."""
        location = _LOCATION.search(text)
        for struct, body in _STRUCT.findall(text):
            self.fields[struct], self._embedded[struct] = {}, []
            if location:
                self.locations[struct] = location[1]
            for written, tag in _FIELD.findall(body):
                type_ = re.split(r"\W", written)[-1]
                # The struct that wraps one of several alternatives is named after their owner.
                owner = struct.rstrip("_").rpartition("_")[0] if _ONE_OF.search(tag) else struct
                if tag == 'json:",inline"':
                    self._embedded[struct].append(type_)
                elif name := _spelling(tag):
                    self.fields.setdefault(owner, {})[name] = type_


def sources(files: Mapping[str, str]) -> Sources:
    """The structs of all `files`; of two with one name, that of the last file."""
    found = Sources()
    for text in files.values():
        found.read(text)
    return found


def _spelling(tag: str) -> str | None:
    """How the API spells a field, by its tag."""
    for pattern in (r"\bjson=(\w+)", r"\bname=(\w+)", r'\bjson:"(\w+)'):
        if found := re.search(pattern, tag):
            return found[1]
    return None
