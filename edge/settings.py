"""The sections of a lane's settings: every key with its type, range and default; unknown keys are refused."""

from __future__ import annotations

import re
from pathlib import Path
from re import Pattern
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.core.date_forms import Order

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Millimetres = Annotated[float, Field(ge=0, le=100_000)]
CameraName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # it becomes a file's name
OpenCvSetting = Literal[
    "format", "width", "height", "rate", "exposure", "auto_exposure", "gain", "white_balance", "focus"
]
MEASURES = ("anomaly", "second_look", "defect", "identity", "colour")
ENCODED = ("expiry", "lot", "serial")  # what a code may say as well as print
NEAR_BY = re.compile(
    r"ipc://|tcp://(localhost|127\.[0-9.]+|\[::1\]):"
)  # what needs no keys: it never leaves the machine
Port = Annotated[int, Field(ge=1, le=65_535)]
UsualShare = Annotated[float, Field(ge=0.0001, le=0.2)]  # of rejects
Gtin = Annotated[str, Field(pattern=r"^[0-9]{8,14}$")]
VALUE_REJECTS, VALUE_INFORMS = 10.0, 1.0  # a rule that may reject an item, and one that only informs
ROOT = Path(__file__).resolve().parent.parent


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LaneSettings(Section):
    """Which lane this is, and where it keeps its ledger."""

    site: Name
    name: Name
    state: Path  # folder of the journal and the evidence pictures


class BrokerSettings(Section):
    """The MQTT broker."""

    host: str = "127.0.0.1"
    port: Port = 1883


class BeltSettings(Section):
    """Where things stand, in mm downstream of the induct photoeye; see `Geometry`."""

    counts_per_mm: Annotated[float, Field(gt=0, le=1000)]
    gate_mm: Millimetres
    confirm_mm: Millimetres
    exit_mm: Millimetres
    scanner_mm: Millimetres = 0
    view_mm: Annotated[float, Field(gt=0, le=5000)] = 400
    lead_ms: Annotated[float, Field(ge=0, le=5000)] = 150
    margin_mm: Annotated[float, Field(ge=0, le=1000)] = 30
    tolerance_mm: Annotated[float, Field(gt=0, le=1000)] = 60
    patience_mm: Annotated[float, Field(gt=0, le=5000)] = 300
    typical_length_mm: Annotated[float, Field(gt=0, le=5000)] = 200
    resync_mm: Millimetres = 0
    shortest_mm: Annotated[float, Field(ge=0, le=1000)] = 10
    longest_mm: Annotated[float, Field(gt=0, le=10_000)] = 2000
    gap_min_mm: Annotated[float, Field(ge=0, le=5000)] = 80
    full_speed_mm_per_s: Annotated[float, Field(ge=0, le=10_000)] = 0
    stale_after_ms: Annotated[float, Field(gt=0, le=10_000)] = 500


class ChunkSettings(Section):
    """What a GenICam camera sends with each frame, by the entries of its ChunkSelector; empty: nothing is asked for."""

    encoder: str = ""  # counts of the belt's encoder, where it is wired to the camera too, as the PLC counts them
    timestamp: str = ""  # when the exposure began


class LocalCamera(Section):
    """A GenICam camera, or one that OpenCV opens, at the machine that reads these settings."""

    name: CameraName
    gige: str | None = None  # its id (Vendor-Model-Serial), serial number or address
    opencv: str | None = None  # a device, an RTSP address, a GStreamer pipeline, a video file, a folder of pictures
    features: dict[str, bool | int | float | str] = {}  # of a GenICam camera, by their names, set in this order
    chunks: ChunkSettings = ChunkSettings()
    settings: dict[OpenCvSetting, float | str] = {}  # of one that OpenCV opens; `rate` is also that of a folder
    triggered: bool = False  # it exposes when it is told to, and is silent otherwise
    view: Path | None = None  # what it usually shows, by `tunnel-edge cameras learn`; None: its content is not watched
    silent_after_s: Annotated[float, Field(gt=0, le=60)] = 1.0  # a fault, unless it is triggered

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.features or self.chunks != ChunkSettings()) and self.gige is None:
            raise ValueError("features and chunks are for a gige camera")
        if self.settings and self.opencv is None:
            raise ValueError("settings are for an opencv camera")
        return self


class CameraSettings(LocalCamera):
    """A camera of the lane: on this box, or sent by a node."""

    place_mm: Millimetres
    node: Annotated[str, Field(pattern=r"^(tcp|ipc)://.+")] | None = None  # of `tunnel-edge node`, or of a feed
    node_key: Path | None = None  # the node's public key; None: a feed on this machine, without keys

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

    key: Path  # its own secret key, made by `tunnel-edge node keys`


class InspectionSettings(Section):
    """Models, references and who reads print."""

    models: Path = ROOT / "models"
    references: Path
    runtime: Path | None = None  # what `tunnel-edge models select` wrote; without one, models run as they were shipped
    belt_colours: Path | None = None  # folder of <camera>.npz; without one the whole frame is inspected
    catalogue: Path | None = (
        None  # folder of <gtin>/identity.npz and colour.npz; None: `catalogue` beside the references
    )
    candidates_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 512  # of pictures to learn from; 0: none are kept
    learn_after_days: Annotated[float, Field(ge=0, le=3650)] = 14  # shipped so long ago without complaint: sound
    layouts: Path | None = None  # folder of <gtin>/<camera>.print.toml; None: `layouts` beside the references
    date_orders: Annotated[tuple[Order, ...], Field(min_length=1)] = tuple(Order)  # as printed on this lane's products
    dissenter: Literal["", "tesseract"] = ""  # who else reads dates, and may lower their probability
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    queue: Annotated[int, Field(ge=1, le=4096)] = 64

    @property
    def products(self) -> Path:
        """Where the catalogue lies."""
        return self.catalogue or self.references.parent / "catalogue"

    @property
    def print_layouts(self) -> Path:
        """Where the layouts of print lie."""
        return self.layouts or self.references.parent / "layouts"


class RuleSettings(Section):
    """One rule of the recipe; see `Rule`."""

    check: Literal[
        "anomaly", "second_look", "defect", "identity", "colour", "code", "expiry", "lot", "serial", "size", "language"
    ]
    cameras: Annotated[tuple[CameraName, ...], Field(min_length=1, max_length=8)]
    required: bool = True
    reject_at: Annotated[float, Field(allow_inf_nan=False)] | None = None
    overkill: Annotated[float, Field(ge=0.0005, le=0.5)] | None = None
    agrees: str | None = None
    least_days: Annotated[int, Field(ge=0, le=3650)] = 0
    source: Literal["print", "code", "either", "both"] = "print"
    format: Pattern[str] | None = None  # regular expression that a whole lot or serial matches on this lane's products

    @model_validator(mode="after")
    def _asks_what_the_check_can_say(self) -> Self:
        measures = self.check in MEASURES
        if self.reject_at is not None and not measures:
            raise ValueError(f"{self.check} reads and has no score: reject_at is for {' and '.join(MEASURES)}")
        if self.overkill is not None and (self.check != "anomaly" or self.reject_at is not None):
            raise ValueError("overkill is for anomaly, and takes the place of reject_at")
        if self.agrees is not None and (measures or self.agrees != self.check):
            raise ValueError(
                f"{self.check} cannot agree with '{self.agrees}': a check that reads agrees with its own field"
            )
        if self.least_days and self.agrees != "expiry":
            raise ValueError("least_days is for a rule of expiry that agrees")
        if self.source != "print" and self.check not in ENCODED:
            raise ValueError(f"source is for {', '.join(ENCODED)}: no code says {self.check}")
        return self

    @property
    def decides(self) -> bool:
        """Whether it can reject."""
        return any(limit is not None for limit in (self.reject_at, self.overkill, self.agrees))

    value: Annotated[float, Field(gt=0, le=1000)] | None = None  # where time is short; None: by what the rule may do

    @property
    def worth(self) -> float:
        """What its answer is worth beside others; the planner puts required ones first in any case."""
        return self.value or (VALUE_REJECTS if self.decides else VALUE_INFORMS)


class LimitSettings(Section):
    """What a site bears before it is told, and before the belt is to stop; see `Limits`."""

    misses_to_stop: Annotated[int, Field(ge=1, le=100)] = 1
    unexpected_to_stop: Annotated[int, Field(ge=1, le=100)] = 3
    reject_run: Annotated[int, Field(ge=2, le=1000)] = 10
    usual_reject_share: Annotated[float, Field(ge=0, le=0.5)] = 0
    window_items: Annotated[int, Field(ge=20, le=100_000)] = 200
    slip_alarm_mm: Annotated[float, Field(gt=0, le=1000)] = 20
    challenge_every_s: Annotated[float, Field(ge=0, le=604_800)] = 0


class LotSettings(Section):
    """When the rest of a lot is to stop; see `LotLimits`. Without this section no lot is counted, and none is held."""

    usual_share: UsualShare
    products: Annotated[dict[Gtin, UsualShare], Field(max_length=100_000)] = {}
    false_holds: Annotated[float, Field(ge=1e-6, le=0.05)] = 0.001
    weak_false_holds: Annotated[float, Field(ge=1e-9, le=0.05)] = 0.0001
    least_items: Annotated[int, Field(ge=2, le=1000)] = 5
    sure: Annotated[float, Field(ge=0.9, le=1)] = 0.99
    groups: Annotated[tuple[Literal["lot", "pallet", "tote", "seller", "day"], ...], Field(min_length=1)] = (
        "lot",
        "pallet",
        "tote",
        "seller",
    )
    most_open: Annotated[int, Field(ge=100, le=1_000_000)] = 100_000


class RecipeSettings(Section):
    """What to check, and how strictly."""

    name: Name
    divert_undecided: bool = True
    rule: Annotated[tuple[RuleSettings, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _can_say_no(self) -> Self:
        if not any(rule.required and rule.decides for rule in self.rule):
            raise ValueError("no required rule has reject_at, overkill or agrees: every item would pass unseen")
        return self


class MetricsSettings(Section):
    """The Prometheus endpoint; port 0 serves none."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 9464


class CalibrationSettings(Section):
    """Where the lane's calibrations lie, and whose signatures count (public keys, hex)."""

    folder: Path | None = None  # None: it was never calibrated
    trusted: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()


class TapSettings(Section):
    """Where the ZeroMQ tap publishes verdicts."""

    endpoint: Annotated[str, Field(pattern=r"^(tcp|ipc)://.+")] = "tcp://127.0.0.1:5580"
