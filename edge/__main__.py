"""The command `tunnel-edge`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence

from edge import __version__
from edge.core.errors import ConfigError, TunnelEdgeError

COMMANDS = {
    "run": ("edge.app", "main", "run a lane's daemon"),
    "record": ("edge.app", "record", "run a lane's daemon, and keep what comes in"),
    "replay": ("edge.replay", "main", "give a recording to the loop again, and compare what it decides"),
    "check": ("edge.app", "check", "check a lane's settings, models and broker, without starting"),
    "demo": ("edge.demo.main", "main", "show a whole lane on this machine, with drawn or photographed items"),
    "simulate": ("edge.simulator.run", "main", "play the PLC, the cameras and the warehouse of a lane"),
    "warehouse": ("edge.simulator.wms.main", "main", "play a warehouse system, to practise with: MQTT and HTTP"),
    "clear": ("edge.operate", "clear", "say, by name, that purged items or alarms have been seen to"),
    "hold": ("edge.operate", "hold", "hold a lane, by name, so that a new calibration can come into force"),
    "challenge": ("edge.operate", "challenge", "challenge a lane with known items; list what is in doubt"),
    "fire": ("edge.operate", "fire", "fire the gate on the empty belt, by name, for `tunnel-calibrate gate`"),
    "lots": ("edge.operate", "lots", "lots that are held: list them, release one by name; what is usual"),
    "orders": ("edge.outstanding", "main", "what is owed to the warehouse: list, show; revive or close one by name"),
    "cameras": ("edge.view", "main", "the cameras of this box: list, preview, learn, measure"),
    "node": ("edge.node.main", "main", "send the cameras of this box to the box that decides; check; make keys"),
    "watch": ("edge.watch", "main", "show a lane's verdicts as they fall"),
    "explain": ("edge.explain", "main", "tell one item's whole story, with its pictures"),
    "investigate": ("edge.investigation.main", "main", "was it sound when it left? with pictures and grounds"),
    "evidence": ("edge.evidence", "main", "what was seen of items: find, show, export as an archive, check one"),
    "conformance": ("edge.conformance.main", "main", "test a PLC's program against the line protocol"),
    "certs": ("edge.certificates", "main", "a site's certificates for its broker and all who speak there"),
    "sentinel": ("edge.sentinel.main", "main", "check that what a lane's daemon decides is carried out"),
    "references": (
        "edge.learn",
        "main",
        "what normal looks like: build it from pictures, add to it, inspect, prune, undo; accept changes, grow",
    ),
    "lake": ("edge.lake.main", "main", "the ledger as Parquet tables, in a folder or an object store: export, verify"),
    "audit": ("edge.audit", "main", "is the journal what was written; who did what when; export it; the box's key"),
    "ledger": ("edge.ledger", "main", "how large the ledger is; put its old days into an archive; bring them back"),
    "complaint": ("edge.learn", "complaint", "note a customer's complaint: what was shipped is not learnt from"),
    "releases": ("edge.releases", "main", "releases that are installed: list, activate"),
    "rollback": ("edge.releases", "rollback", "run the release again that ran before"),
    "parity": ("edge.parity", "main", "whether the models of two releases answer alike; asked at each upgrade"),
    "models": ("edge.select", "main", "measure every way to run the models on this box, and keep the fastest"),
    "catalogue": ("edge.catalogue", "build", "enter a product into the catalogue, from pictures of it"),
    "text": ("edge.learn_text", "main", "learn where a product's print is, from photographs; a person accepts it"),
    "defects": ("edge.teach", "fit_defects", "fit a defect head, from labelled pictures"),
}
# Workers are the threads here: two of them with two BLAS threads each would wait for one another on two cores.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
DAEMONS = ("run", "record", "sentinel", "node")
OK, FAILED, USAGE, SETTINGS = 0, 1, 2, 78  # 78: EX_CONFIG of sysexits.h; systemd does not start it again for that


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; its errors are told in one go, without a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        return _usage(words)
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    module, function, _ = COMMANDS[words[0]]
    command: Callable[[Sequence[str]], int] = getattr(importlib.import_module(module), function)
    try:
        return command(words[1:])
    except TunnelEdgeError as error:
        print(f"tunnel-edge {words[0]}: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        return SETTINGS if isinstance(error, ConfigError) and words[0] in DAEMONS else FAILED


def _usage(words: Sequence[str]) -> int:
    """What there is; an error unless it was asked for."""
    if words[:1] == ["--version"]:
        print(f"tunnel-edge {__version__}")  # noqa: T201
        return OK
    lines = [f"  {name:<12}{what}" for name, (_, _, what) in COMMANDS.items()]
    print("usage: tunnel-edge COMMAND [--help]\n\n" + "\n".join(lines))  # noqa: T201
    return OK if words[:1] in ([], ["--help"], ["-h"]) else USAGE


if __name__ == "__main__":
    sys.exit(main())
