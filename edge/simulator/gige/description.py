"""The camera's registers, and the GenICam description (XML) that tells a client of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MANUFACTURER, MODEL, SERIAL = 0x48, 0x68, 0xD8  # GigE Vision's bootstrap registers: text of 32, 32 and 16 bytes
CURRENT_ADDRESS, DESCRIPTION_URL = 0x24, 0x200
CAPABILITY, HEARTBEAT_MS = 0x934, 0x938
TICK_HZ, CLOCK_CONTROL, CLOCK_VALUE = 0x93C, 0x944, 0x948
CONTROL = 0xA00
STREAM_PORT, PACKET_SIZE, STREAM_ADDRESS = 0xD00, 0xD04, 0xD18
LATCH = 2  # written to CLOCK_CONTROL: the clock's value can be read

WIDTH, HEIGHT, PIXEL_FORMAT, PAYLOAD = 0x10000, 0x10004, 0x10008, 0x1000C
MODE, ACQUIRE, RATE, EXPOSURE = 0x10010, 0x10014, 0x10018, 0x1001C
TRIGGER_SELECTOR, TRIGGER_MODE, TRIGGER_SOURCE, TRIGGER = 0x10020, 0x10024, 0x10028, 0x1002C
CHUNKS, CHUNK_SELECTOR, CHUNK_ENABLE = 0x10030, 0x10034, 0x10040  # one register of CHUNK_ENABLE for each chunk
DESCRIPTION = 0x40000

FORMATS = {"Mono8": 0x01080001, "BayerRG8": 0x01080009, "RGB8": 0x02180014, "BGR8": 0x02180015}
BYTES = {0x01080001: 1, 0x01080009: 1, 0x02180014: 3, 0x02180015: 3}
"""Of a pixel, by the format's number."""
CHUNK_IDS = {"Timestamp": 1, "EncoderValue": 2}
LARGEST_PX = 4096


@dataclass(frozen=True, slots=True)
class Whole:
    """A feature that is a whole number."""

    name: str
    address: int
    least: int
    most: int
    length: int = 4
    mode: str = "RW"

    def xml(self) -> str:
        """The feature and its register."""
        limits = f"<Min>{self.least}</Min><Max>{self.most}</Max>"
        feature = f'<Integer Name="{self.name}"><pValue>{self.name}Reg</pValue>{limits}</Integer>'
        return feature + _register(f"{self.name}Reg", self.address, self.length, self.mode)


@dataclass(frozen=True, slots=True)
class Real:
    """A feature that is a real number."""

    name: str
    address: int
    least: float
    most: float

    def xml(self) -> str:
        """The feature and its register."""
        place = f"<Address>{self.address}</Address><Length>4</Length><AccessMode>RW</AccessMode>"
        register = (
            f'<FloatReg Name="{self.name}Reg">{place}<pPort>Device</pPort><Endianess>BigEndian</Endianess></FloatReg>'
        )
        limits = f"<Min>{self.least:g}</Min><Max>{self.most:g}</Max>"
        return f'<Float Name="{self.name}"><pValue>{self.name}Reg</pValue>{limits}</Float>{register}'


@dataclass(frozen=True, slots=True)
class Choice:
    """A feature that is one of several words."""

    name: str
    address: int
    entries: Mapping[str, int]

    def xml(self) -> str:
        """The feature and its register."""
        entries = "".join(
            f'<EnumEntry Name="{name}"><Value>{value}</Value></EnumEntry>' for name, value in self.entries.items()
        )
        feature = f'<Enumeration Name="{self.name}">{entries}<pValue>{self.name}Reg</pValue></Enumeration>'
        return feature + _register(f"{self.name}Reg", self.address)


@dataclass(frozen=True, slots=True)
class Command:
    """A feature that is done when a number is written."""

    name: str
    address: int
    value: int

    def xml(self) -> str:
        """The feature and its register."""
        done = f"<CommandValue>{self.value}</CommandValue>"
        feature = f'<Command Name="{self.name}"><pValue>{self.name}Reg</pValue>{done}</Command>'
        return feature + _register(f"{self.name}Reg", self.address, mode="WO")


@dataclass(frozen=True, slots=True)
class Switch:
    """A feature that is on or off; index: another feature that says which of several registers it is."""

    name: str
    address: int
    index: str = ""

    def xml(self) -> str:
        """The feature and its register."""
        values = "<OnValue>1</OnValue><OffValue>0</OffValue>"
        index = f'<pIndex Offset="4">{self.index}Reg</pIndex>' if self.index else ""
        feature = f'<Boolean Name="{self.name}"><pValue>{self.name}Reg</pValue>{values}</Boolean>'
        return feature + _register(f"{self.name}Reg", self.address, index=index)


@dataclass(frozen=True, slots=True)
class Text:
    """A feature that is text."""

    name: str
    address: int
    length: int

    def xml(self) -> str:
        """The register is the feature."""
        place = f"<Address>{self.address}</Address><Length>{self.length}</Length><AccessMode>RO</AccessMode>"
        return f'<StringReg Name="{self.name}">{place}<pPort>Device</pPort></StringReg>'


@dataclass(frozen=True, slots=True)
class Chunk:
    """A number that comes with each frame."""

    name: str
    length: int

    def xml(self) -> str:
        """The feature, its register and its port."""
        number, name = CHUNK_IDS[self.name], f"Chunk{self.name}"
        register = _register(f"{name}Reg", 0, self.length, "RO", f"{name}Port")
        port = f'<Port Name="{name}Port"><ChunkID>{number:x}</ChunkID></Port>'
        return f'<Integer Name="{name}"><pValue>{name}Reg</pValue></Integer>{register}{port}'


Feature = Whole | Real | Choice | Command | Switch | Text | Chunk
CHUNK_FEATURES = (Chunk("Timestamp", 8), Chunk("EncoderValue", 4))
FEATURES: tuple[Feature, ...] = (
    Text("DeviceVendorName", MANUFACTURER, 32),
    Text("DeviceModelName", MODEL, 32),
    Text("DeviceSerialNumber", SERIAL, 16),
    Whole("Width", WIDTH, 16, LARGEST_PX),
    Whole("Height", HEIGHT, 16, LARGEST_PX),
    Choice("PixelFormat", PIXEL_FORMAT, FORMATS),
    Whole("PayloadSize", PAYLOAD, 0, 2**31 - 1, mode="RO"),
    Choice("AcquisitionMode", MODE, {"Continuous": 0}),
    Command("AcquisitionStart", ACQUIRE, 1),
    Command("AcquisitionStop", ACQUIRE, 0),
    Real("AcquisitionFrameRate", RATE, 0.1, 1000),
    Real("ExposureTime", EXPOSURE, 10, 1e6),
    Choice("TriggerSelector", TRIGGER_SELECTOR, {"FrameStart": 0}),
    Choice("TriggerMode", TRIGGER_MODE, {"Off": 0, "On": 1}),
    Choice("TriggerSource", TRIGGER_SOURCE, {"Line1": 0, "Software": 1}),
    Command("TriggerSoftware", TRIGGER, 1),
    Whole("GevSCPSPacketSize", PACKET_SIZE, 576, 0xFFFF),
    Whole("GevTimestampTickFrequency", TICK_HZ, 0, 2**62, 8, "RO"),
    Command("GevTimestampControlLatch", CLOCK_CONTROL, LATCH),
    Whole("GevTimestampValue", CLOCK_VALUE, 0, 2**62, 8, "RO"),
    Switch("ChunkModeActive", CHUNKS),
    Choice("ChunkSelector", CHUNK_SELECTOR, {name: number for number, name in enumerate(CHUNK_IDS)}),
    Switch("ChunkEnable", CHUNK_ENABLE, "ChunkSelector"),
    *CHUNK_FEATURES,
)


def description() -> bytes:
    """The XML, as a client reads it from the camera's memory."""
    return "".join(_parts()).encode()


def _parts() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<RegisterDescription ModelName="Simulated" VendorName="tunnel_edge" StandardNameSpace="GEV" '
    yield 'SchemaMajorVersion="1" SchemaMinorVersion="1" SchemaSubMinorVersion="0" MajorVersion="1" MinorVersion="0" '
    yield 'SubMinorVersion="0" ProductGuid="0" VersionGuid="0" xmlns="http://www.genicam.org/GenApi/Version_1_1">'
    names = "".join(f"<pFeature>{_name(one)}</pFeature>" for one in FEATURES)
    yield f'<Category Name="Root">{names}</Category>'
    yield from (one.xml() for one in FEATURES)
    yield '<Port Name="Device"/></RegisterDescription>'


def _name(one: Feature) -> str:
    return f"Chunk{one.name}" if isinstance(one, Chunk) else one.name


def _register(name: str, address: int, length: int = 4, mode: str = "RW", port: str = "Device", index: str = "") -> str:
    place = f"<Address>{address}</Address>{index}<Length>{length}</Length><AccessMode>{mode}</AccessMode>"
    kind = "<Cachable>NoCache</Cachable><Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>"
    return f'<IntReg Name="{name}">{place}<pPort>{port}</pPort>{kind}</IntReg>'
