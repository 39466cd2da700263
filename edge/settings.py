"""The sections of a lane's settings: every key with its type, range and default; unknown keys are refused.

What stands beneath a key says what it is for; a unit that its name does not tell stands there in brackets. The
reference page, docs/settings.md, is made of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.core.date_forms import Order

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Millimetres = Annotated[float, Field(ge=0, le=100_000)]
CameraName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # it becomes a file's name
OpenCvSetting = Literal[
    "format", "width", "height", "rate", "exposure", "auto_exposure", "gain", "white_balance", "focus"
]
NEAR_BY = re.compile(
    r"ipc://|tcp://(localhost|127\.[0-9.]+|\[::1\]):"
)  # what needs no keys: it never leaves the machine
Port = Annotated[int, Field(ge=1, le=65_535)]
ROOT = Path(__file__).resolve().parent.parent


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LaneSettings(Section):
    """Which lane this is, and where it keeps its ledger."""

    site: Name
    """Name of the site, as in every MQTT topic: `tunnel/SITE/LANE/…`."""
    name: Name
    """Name of the lane, unlike that of any other at the site."""
    state: Path
    """Folder of the journal, the outbox and the evidence; one for each lane."""


class BrokerSettings(Section):
    """The MQTT broker; certificate and key go together, and with ca."""

    host: str = "127.0.0.1"
    """Name or address of the machine that the broker runs on."""
    port: Port = 1883
    """Where it listens: 1883 in clear, 8883 with TLS, as a rule [TCP port]."""
    ca: Path | None = None
    """Certificate of whom to trust; left out: messages go in clear, for a broker on this machine."""
    certificate: Path | None = None
    """This box's own, by `tunnel-edge certs`: the broker knows it by that."""
    key: Path | None = None
    """The secret key of the certificate."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None) or (self.certificate and not self.ca):
            raise ValueError("certificate and key go together, and with ca")
        return self


class BeltSettings(Section):
    """The belt; places are in mm downstream of the induct photoeye."""

    counts_per_mm: Annotated[float, Field(gt=0, le=1000)]
    """What the encoder counts for each mm of belt."""
    gate_mm: Millimetres
    """Place of the gate."""
    confirm_mm: Millimetres
    """Place of the eye on the reject lane that confirms a divert; downstream of the gate."""
    exit_mm: Millimetres
    """Place of the eye on the good lane; downstream of the gate."""
    scanner_mm: Millimetres = 0
    """How far the warehouse's scanner stands upstream of the induct eye."""
    view_mm: Annotated[float, Field(gt=0, le=5000)] = 400
    """Length of belt that a camera sees."""
    lead_ms: Annotated[float, Field(ge=0, le=5000)] = 150
    """Gate and network together: an item is decided so long before its window; measure it: `tunnel-edge fire`."""
    margin_mm: Annotated[float, Field(ge=0, le=1000)] = 30
    """The gate's window is this much longer than the item, at each end."""
    tolerance_mm: Annotated[float, Field(gt=0, le=1000)] = 60
    """How far from its reckoned place an item may be seen."""
    patience_mm: Annotated[float, Field(gt=0, le=5000)] = 300
    """How far an item may travel past an eye before it counts as unseen."""
    typical_length_mm: Annotated[float, Field(gt=0, le=5000)] = 200
    """An item's length until its trailing edge has passed the induct eye."""
    resync_mm: Millimetres = 0
    """Place of a second eye, which corrects slip; 0: there is none."""
    shortest_mm: Annotated[float, Field(ge=0, le=1000)] = 10
    """What is shorter is no item, but noise at the eye."""
    longest_mm: Annotated[float, Field(gt=0, le=10_000)] = 2000
    """What is longer is more than one item."""
    gap_min_mm: Annotated[float, Field(ge=0, le=5000)] = 80
    """Items that are closer than this cannot be separated: both are diverted."""
    full_speed_mm_per_s: Annotated[float, Field(ge=0, le=10_000)] = 0
    """The fastest that the belt can be a moment from now; 0: as fast as now."""
    stale_after_ms: Annotated[float, Field(gt=0, le=10_000)] = 500
    """Silence from the PLC after which its last word no longer counts."""


class ChunkSettings(Section):
    """What a GenICam camera sends with each frame, by the names in its ChunkSelector; empty: nothing is asked for."""

    encoder: str = ""
    """Counts of the belt's encoder, where it is wired to the camera too, as the PLC counts them."""
    timestamp: str = ""
    """When the exposure began."""


class LocalCamera(Section):
    """A GenICam camera, or one that OpenCV opens, at the machine that reads these settings."""

    name: CameraName
    """What rules, references and calibrations call the camera."""
    gige: str | None = None
    """A GenICam camera: its id (Vendor-Model-Serial), serial number or address, by `tunnel-edge cameras list`."""
    opencv: str | None = None
    """A USB device, an RTSP address, a GStreamer pipeline (with `!`), a video file or a folder of pictures."""
    features: dict[str, bool | int | float | str] = {}
    """Of a GenICam camera, by their names and in the camera's units; set in this order."""
    chunks: ChunkSettings = ChunkSettings()
    settings: dict[OpenCvSetting, float | str] = {}
    """Of a camera that OpenCV opens, in its driver's units; `rate` (pictures a second) is also that of a folder."""
    triggered: bool = False
    """It exposes when the line tells it to, and is silent otherwise."""
    view: Path | None = None
    """What it usually shows, by `tunnel-edge cameras learn`; left out: its content is not watched."""
    silent_after_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """No picture for so long is a fault, unless the camera is triggered."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.features or self.chunks != ChunkSettings()) and self.gige is None:
            raise ValueError("features and chunks are for a gige camera")
        if self.settings and self.opencv is None:
            raise ValueError("settings are for an opencv camera")
        return self


class CameraSettings(LocalCamera):
    """A camera of the lane, on this box or sent by a node: give one of node, gige and opencv."""

    place_mm: Millimetres
    """Middle of what it sees, downstream of the induct photoeye; before the gate."""
    node: Annotated[str, Field(pattern=r"^(tcp|ipc)://.+")] | None = None
    """Where `tunnel-edge node` listens on another machine, or a feed on this one."""
    node_key: Path | None = None
    """The node's public key; left out: a feed on this machine, without keys."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(one is not None for one in (self.node, self.gige, self.opencv)) != 1:
            raise ValueError("give one of node, gige and opencv")
        if self.view and self.node:
            raise ValueError("view is for a camera on this box; a node's cameras have theirs in the node's settings")
        if self.node_key and not self.node:
            raise ValueError("node_key is for a camera of a node")
        if self.node and not self.node_key and not NEAR_BY.match(self.node):
            raise ValueError(f"{self.node} is another machine: give node_key, made by `tunnel-edge node keys`")
        return self

    @property
    def runs_free(self) -> bool:
        """It exposes all the time, whatever is before it."""
        return not self.triggered and (self.node is None or self.node_key is not None)


class NodesSettings(Section):
    """How this box makes itself known to camera nodes."""

    key: Path
    """Its own secret key, made by `tunnel-edge node keys`: nodes know it by the public half."""


class InspectionSettings(Section):
    """Models, references and who reads print."""

    models: Path = ROOT / "models"
    """Folder of the models; left out: those that came with the release."""
    references: Path
    """What normal looks like: folder of `<gtin>/<camera>.npz` and `.head.npz`, by `tunnel-edge references`."""
    runtime: Path | None = None
    """How models run on this box, by `tunnel-edge models select`; left out: as they were shipped."""
    belt_colours: Path | None = None
    """Folder of `<camera>.npz`, by `tunnel-calibrate belt-colour`; left out: the whole frame is inspected."""
    catalogue: Path | None = None
    """Folder of `<gtin>/identity.npz` and `colour.npz`; left out: `catalogue` beside the references."""
    candidates_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 512
    """Room for pictures to learn from later; 0: none are kept."""
    learn_after_days: Annotated[float, Field(ge=0, le=3650)] = 14
    """Shipped so long ago without complaint: sound, and `tunnel-edge references grow` learns from it."""
    layouts: Path | None = None
    """Folder of `<gtin>/<camera>.print.toml`, by `tunnel-edge text learn`; left out: as the catalogue."""
    date_orders: Annotated[tuple[Order, ...], Field(min_length=1)] = tuple(Order)
    """How dates are printed on this lane's products: day, month, year; a layout knows better."""
    dissenter: Literal["", "tesseract"] = ""
    """Who else reads dates, and may lower their probability, never replace them; empty: nobody."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """How many pictures are inspected at the same time [threads]."""
    queue: Annotated[int, Field(ge=1, le=4096)] = 64
    """How much may wait for the workers; what comes on top of it is skipped, and told [pictures of an item]."""

    @property
    def products(self) -> Path:
        """Where the catalogue lies."""
        return self.catalogue or self.references.parent / "catalogue"

    @property
    def print_layouts(self) -> Path:
        """Where the layouts of print lie."""
        return self.layouts or self.references.parent / "layouts"


class MetricsSettings(Section):
    """The Prometheus endpoint."""

    host: str = "127.0.0.1"
    """Address that it listens at."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 9464
    """Where it listens; 0: there is none [TCP port]."""


class CalibrationSettings(Section):
    """Where the lane's calibrations lie, whose signatures count, and from when a drift is told."""

    folder: Path | None = None
    """As given to `tunnel-calibrate guide`; left out: the lane was never calibrated."""
    trusted: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    """Public keys of those who may calibrate, by `tunnel-calibrate key`."""
    warn_days: Annotated[float, Field(ge=0, le=365)] = 14
    """So long before a calibration expires it is told."""
    scale_warn: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    """Drift of the counts from eye to eye from which it is told; half of the 0.2 % that are borne [share]."""
    colour_warn: Annotated[float, Field(gt=0, le=100)] = 2.0
    """How far a grey thing may look off, by the bare belt, until it is told; half of the 4 that are borne [ΔE00]."""
    moved_warn_mm: Annotated[float, Field(gt=0, le=100)] = 1.5
    """How far a camera's view may move on the belt until it is told; half of the 3 mm that are borne."""
    grace_days: Annotated[float, Field(ge=0, le=365)] = 7
    """So long after a calibration expired a start still believes it; a running lane goes on."""


class TapSettings(Section):
    """The ZeroMQ tap, for programs that want each verdict as it falls."""

    endpoint: Annotated[str, Field(pattern=r"^(tcp|ipc)://.+")] = "tcp://127.0.0.1:5580"
    """Where it publishes verdicts."""
