"""The command `tunnel-edge`."""


def main() -> int:
    """Run a sub-command."""
    return 0
