"""Every error the appliance raises on purpose.

TunnelEdgeError
├── ConfigError            the configuration is wrong; all faults at once
├── ModelRefused           a model file does not match its manifest, or cannot be loaded
├── ReferencesRefused      a reference or head file is damaged or made by another model
├── CalibrationRefused     a calibration is unsigned, changed since, expired, or of another lane or camera
├── PictureUnreadable      a picture is missing, empty or no picture
├── MalformedMessage       a message from outside breaks the protocol
├── CameraFault            a camera cannot be opened, refuses a setting, or has stopped sending
├── BrokerUnreachable      no MQTT broker answers where the configuration says
├── WarehouseUnreachable   no warehouse service answers where the configuration says
├── LaneNotReady           no daemon says on the broker that it is ready for the lane
├── LaneInUse              another process has the lane's state folder
├── LaneNotTestable        another box is at work on the lane, or no PLC speaks there
├── LedgerRefused          the lane's folder cannot be written, or holds no ledger
├── ArchiveRefused         what is to be put away is not as it was written, or its archive does not take it
├── LakeRefused            there is nothing to export, nowhere to export it to, or the store does not take it
├── ItemUnknown            no item, or more than one, of the journal is meant
├── EvidenceGone           a picture was removed, was never kept, or was changed since; so was an archive
├── RecordingRefused       a recording is damaged, unfinished or of another version, or cannot be written
├── ReleaseRefused         a release is not there, or did not become ready
└── DemoFailed             a process of the demo ended badly
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


class TunnelEdgeError(Exception):
    """Base of all: its message says what is wrong and what to do next."""


class ConfigError(TunnelEdgeError):
    """The configuration is wrong; the message lists every fault."""


class ModelRefused(TunnelEdgeError):
    """A model file does not match its manifest, or cannot be loaded."""


class ReferencesRefused(TunnelEdgeError):
    """A reference or head file is damaged, or was made by another model."""


class CalibrationRefused(TunnelEdgeError):
    """A calibration is unsigned, was changed since, has expired, or is of another lane or camera."""


class PictureUnreadable(TunnelEdgeError):
    """A picture is missing, empty or no picture."""


class MalformedMessage(TunnelEdgeError):
    """A message from outside breaks the protocol.

    reason: a short word for the metrics (`too_big`, `not_json`, `field`, …).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CameraFault(TunnelEdgeError):
    """A camera cannot be opened, refuses a setting, or has stopped sending."""


class BrokerUnreachable(TunnelEdgeError):
    """No MQTT broker answers where the configuration says."""


class WarehouseUnreachable(TunnelEdgeError):
    """No warehouse service answers where the configuration says, or one of the two does not trust the other."""


class LaneNotReady(TunnelEdgeError):
    """No daemon says on the broker that it is ready for the lane."""


class LaneInUse(TunnelEdgeError):
    """Another process has the lane's state folder."""


class LaneNotTestable(TunnelEdgeError):
    """Another box is at work on the lane, or no PLC speaks there."""


class DemoFailed(TunnelEdgeError):
    """A process of the demo ended badly."""


class ReleaseRefused(TunnelEdgeError):
    """A release is not there, or did not become ready."""


class EvidenceGone(TunnelEdgeError):
    """A picture was removed, was never kept, or was changed since; so was an archive."""


class RecordingRefused(TunnelEdgeError):
    """A recording is damaged, unfinished or of another version, or cannot be written."""


class LedgerRefused(TunnelEdgeError):
    """The lane's folder cannot be written, or what lies there is no ledger."""


class ArchiveRefused(TunnelEdgeError):
    """What is to be put away of a ledger is not as it was written, or its archive is not there, or does not take it."""


class LakeRefused(TunnelEdgeError):
    """There is nothing to export, nowhere to export it to, or the store does not take it."""


class ItemUnknown(TunnelEdgeError):
    """No item, or more than one, of the journal is meant."""


def demand_all(parts: Iterable[Callable[[], object]]) -> None:
    """Try every part, though one before it failed.

    Raises:
        ConfigError: with every fault that was found.
    """
    faults = [fault for part in parts if (fault := _fault(part))]
    if faults:
        raise ConfigError("\n".join(faults))


def _fault(part: Callable[[], object]) -> str:
    """What is wrong with a part; empty if nothing is."""
    try:
        part()
    except TunnelEdgeError as error:
        return str(error)
    return ""
