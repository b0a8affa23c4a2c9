"""Every command of the documents is run by a test that is named here, or listed as not run."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.test_docs import PAGES
from tests.unit.test_features import functions

TOUR = "lab/test_tour.py::test_a_newcomer_takes_the_tour"
EXAMPLES = "lab/test_examples.py::test_an_example_from_up_to_destroy"
ADOPTED = "lab/test_examples.py::test_what_is_adopted_is_left_as_it_was"
CANARY = "lab/test_examples.py::test_a_canary_gets_its_share"
YAML = "lab/test_package.py::test_a_program_in_yaml_exposes_a_service"
TYPESCRIPT = "lab/test_package.py::test_a_program_in_typescript_goes_on_with_the_stack"
DRIFT = "lab/test_binding.py::test_one_update_repairs_what_others_changed"
STACKS = "lab/test_three_stacks.py::test_applications_attach_to_what_they_do_not_own"

AS_A_READER = r"curl|url=|host=|trusting|kubectl|pulumi (stack init|config set|up)"
"""Of an example: the requests are those of its page, the stack is made and configured alike."""

RUN = [
    ("docs/tour.md", ".*", TOUR),
    ("examples/(procedure|two-services|https)/", AS_A_READER, EXAMPLES),
    ("examples/existing-service/", AS_A_READER, ADOPTED),
    ("examples/canary/", AS_A_READER, CANARY),
    ("examples/three-stacks/", f"{AS_A_READER}|cp |for ", STACKS),
    ("examples/yaml/", AS_A_READER, YAML),
    ("examples/typescript/", f"{AS_A_READER}|npx tsc", TYPESCRIPT),
    ("docs/operating.md", "PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi ", DRIFT),
    ("docs/getting-started.md", r"make up CONTEXT=NAME$", "lab/test_make.py"
     "::test_a_context_of_the_users_own_takes_the_place_of_the_lab"),
    ("", r"make up$|eval ", TOUR),
    ("docs/getting-started.md", r"pulumi (config set|up$)|curl ", TOUR),
    ("", r"python -m components (verify|show) ", TOUR),
    ("", r"pulumi preview --policy-pack", TOUR),
    ("docs/rights.md", "kubectl (apply|create (rolebinding|clusterrolebinding|token))",
     "lab/test_rights.py::test_the_deployers_rights_are_enough_and_nobody_misses_any"),
    ("docs/rights.md", "kubectl create serviceaccount",
     "lab/test_rights.py::test_the_deployers_rights_are_enough_and_nobody_misses_any"),
    ("docs/migration.md", "python -m components migrate",
     "lab/test_migrate.py::test_a_stack_answers_as_what_it_was_written_from"),
    ("CHANGELOG.md", "python -m components rewrite|pulumi preview",
     "lab/test_upgrade.py::test_an_upgrade_replaces_nothing"),
    ("docs/pull-requests.md", "pulumi preview --json|.*components comment preview.json",
     "unit/test_comment.py::test_a_command_reads_what_a_preview_printed"),
]  # fmt: skip
"""Page, command, and the test that runs it, the first that matches."""

NOT_RUN = [
    ("", r"kind |make up CONTEXT=kind|docker ", "needs Docker"),
    ("", "istioctl install|.*standard-install.yaml", "the lab has both, from other sources"),
    ("", "export PULUMI_BACKEND_URL", "each test has a backend of its own"),
    ("", "pulumi install", "would install once more what tests and tour have installed"),
    (
        "(README|docs/getting-started).md",
        "pulumi (stack init mine|up)",
        "the image is the reader's",
    ),
    ("examples/mesh/", "pulumi ", "no Sail operator runs on the lab"),
    ("examples/operator/", "kubectl ", "no Pulumi Kubernetes Operator runs on the lab"),
    ("docs/programs.md", "pulumi package add", "needs the language of the reader's program"),
    ("", "make (test|lint unit|dev)", "runs this, or what this is a part of"),
    ("", "make lock UPGRADE=yes", "changes the pins"),
]
"""Page, command, and why no test runs it, the first that matches."""


def commands() -> Iterator[tuple[str, int, str]]:
    """Page, line and text of each command in a block of shell, without its comment."""
    for path, text in PAGES.items():
        for block in re.finditer(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 1
            # What goes on in a next line, and what is handed to a command, belongs to it.
            whole = re.sub(r"\\\n *|<<END\n.*?^END$", " ", block[1], flags=re.MULTILINE | re.DOTALL)
            for one in whole.splitlines():
                line += 1
                command = re.sub(r"(^| +)# .*", "", one).strip()
                if command and command != "done":
                    yield str(path), line, command


@pytest.mark.parametrize(
    ("page", "command"),
    [pytest.param(page, text, id=f"{page}:{line}: {text}") for page, line, text in commands()],
)
def test_a_command_is_run_or_listed(page: str, command: str) -> None:
    for pages, text, test in RUN:
        if re.match(pages, page) and re.match(text, command.removeprefix(".venv/bin/")):
            path, _, function = test.partition("::")
            assert function in functions(path)
            return
    for pages, text, why in NOT_RUN:
        if re.match(pages, page) and re.match(text, command):
            pytest.skip(f"not run: {page}: {command}: {why}")
    pytest.fail(f"{command}: expected a test in RUN that runs it, or why none does in NOT_RUN")


@pytest.mark.parametrize("table", [RUN, NOT_RUN], ids=["run", "not run"])
def test_no_entry_is_for_nothing(table: list[Any]) -> None:
    found = [(page, command) for page, _, command in commands()]
    for pages, text, _ in table:
        assert any(
            re.match(pages, page) and re.match(text, command.removeprefix(".venv/bin/"))
            for page, command in found
        ), (pages, text)
