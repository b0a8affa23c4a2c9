"""The commands beside the components: `python -m components`, or `python -m ambient_exposure`."""
# ruff: noqa: T201  (what there is, is for people to read)

import sys

from .commands import adopt, comment, manifests, recover, rewrite, show, verify
from .commands.migration import migrate

_COMMANDS = {
    "rewrite": (rewrite.main, "turn a stack file of release 2 into the form of today"),
    "adopt": (adopt.main, "take over what was made by hand"),
    "migrate": (migrate.main, "write the configuration that Ingresses and VirtualServices ask for"),
    "manifests": (manifests.main, "print a stack's objects for kubectl"),
    "comment": (comment.main, "show a preview as a comment for a pull request"),
    "show": (show.main, "draw the exposures, and say where one is broken"),
    "verify": (verify.main, "send the requests of the verifications now, without an update"),
    "recover": (recover.main, "go on after an update that was killed"),
}


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in _COMMANDS:
        del sys.argv[1]
        _COMMANDS[name][0]()
        return
    listed = "\n".join(f"  {key:10}{about}" for key, (_, about) in _COMMANDS.items())
    usage = (
        f"usage: python -m components COMMAND, one of\n{listed}\nEach explains itself by --help."
    )
    if name in ("-h", "--help"):
        print(usage)
    else:
        sys.exit(f"found command {name!r}\n{usage}")


main()
