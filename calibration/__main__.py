"""The command `tunnel-calibrate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from calibration import belt_colour, gate_command, guide, report, shelf_commands
from edge.core.errors import TunnelEdgeError

STEPS = {
    "guide": (guide.main, "a whole site, step by step; `--simulate SITE` to practise"),
    "gate": (gate_command.main, "how long before its window the gate must be told, from the daemon's last fire test"),
    "belt-colour": (belt_colour.main, "learn what the empty belt looks like to a camera"),
    "key": (shelf_commands.key, "make your key: what you accept is signed with it"),
    "board": (shelf_commands.printed, "the board that is shown to cameras, to be printed"),
    "list": (shelf_commands.listed, "what is calibrated, by whom, until when, and what is wrong with it"),
    "report": (report.main, "what is in force on one page, with pictures, to be signed off and filed"),
    "diff": (shelf_commands.diff, "what a version changed"),
    "revert": (shelf_commands.revert, "bring an older version back"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; its errors are told in one go, without a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in STEPS:
        steps = "\n".join(f"  {name:<14}{what}" for name, (_, what) in STEPS.items())
        print(f"usage: tunnel-calibrate STEP [--help]\n\n{steps}")  # noqa: T201 - the command's own voice
        return 0 if words[:1] in ([], ["--help"], ["-h"]) else 2
    try:
        return STEPS[words[0]][0](words[1:])
    except TunnelEdgeError as error:
        print(f"tunnel-calibrate {words[0]}: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
