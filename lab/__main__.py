"""The lab's command line: `python -m lab up|down|status|env|exec|logs|check`."""

import argparse
import os
import platform
import sys

from lab.errors import LabError


def main() -> None:
    """Run one command; end with status 1 and one message when it cannot be done."""
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except LabError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit("lab: interrupted; the same command goes on from here")


def _run(arguments: argparse.Namespace) -> None:
    if platform.system() != "Linux":
        raise LabError(
            f"it needs Linux, and this is {platform.system()}. A cluster with Istio in ambient "
            "mode does instead, as one of kind: docs/getting-started.md says how."
        )
    from lab.node import requirements  # noqa: PLC0415  # Linux alone has what it imports

    if arguments.command == "check" or os.geteuid():
        requirements.check()
        print("this machine can run the lab")  # noqa: T201  # the answer to `check`
        return
    from lab import commands  # noqa: PLC0415  # the check above is to work without packages

    match arguments.command:
        case "up":
            commands.up(arguments.ztunnel, dual_stack=arguments.dual_stack)
        case "down":
            commands.down()
        case "status":
            commands.status()
        case "env":
            commands.env()
        case "exec":
            commands.exec_in_node(arguments.program)
        case _:
            commands.logs(arguments.component, previous=arguments.previous, follow=arguments.follow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description="A real Kubernetes with Istio in ambient mode on this machine.",
        epilog="LAB_STATE names the state folder, LAB_CACHE the folder of built programs.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start the lab, building first what is not in the cache")
    up.add_argument(
        "--ztunnel",
        metavar="PATH|none",
        default=os.environ.get("LAB_ZTUNNEL"),
        help="a ztunnel program, plain or .xz, for a complete ambient mesh, or `none` for a lab "
        "without one, whatever the one before had (also LAB_ZTUNNEL)",
    )
    up.add_argument(
        "--dual-stack",
        action="store_true",
        help="addresses of IPv6 too, for the node, pods, Services and load balancers",
    )
    commands.add_parser("down", help="end the lab and remove all it left, its state folder too")
    commands.add_parser("status", help="what runs; exit status 1 when nothing does")
    commands.add_parser("env", help="print the exports for a shell that works on the lab")
    execute = commands.add_parser("exec", help="run a program inside the lab's node")
    execute.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM …")
    logs = commands.add_parser("logs", help="print the end of the logs, or all of one")
    logs.add_argument("component", nargs="?", help="as `status` names it, or `init`")
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what is written")
    logs.add_argument(
        "-p", "--previous", action="store_true", help="of the lab before, which ended unexpectedly"
    )
    commands.add_parser("check", help="say what this machine lacks to run a lab")
    return parser


if __name__ == "__main__":
    main()
