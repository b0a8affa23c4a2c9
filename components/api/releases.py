"""Which releases of an API have a field."""

from typing import NamedTuple


class Releases(NamedTuple):
    """The releases that have a field; empty where there is none such."""

    standard: str = ""
    """The first one with it in the standard channel: `1.7`."""
    experimental: str = ""
    """The first one with it in the experimental channel, where that is earlier."""
    last: str = ""
    """The last one, where the newest has it no more."""

    def needed(self, title: str) -> str:
        """What has to be there of the API called `title`, to have the field."""
        standard = f"{title} {self.standard or 'of a newer version'}"
        if not self.experimental:
            return standard
        channel = f"the experimental channel of {title} {self.experimental}"
        if self.last:
            return f"{channel} to {self.last}"
        return f"{channel}, or {self.standard}" if self.standard else channel
