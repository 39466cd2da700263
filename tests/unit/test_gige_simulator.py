"""The camera in software: what it answers to commands that are wrong, and how it cuts a frame into packets."""

import socket
import struct
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from edge.core.errors import ConfigError, MalformedMessage
from edge.simulator.gige import control, description
from edge.simulator.gige.control import Registers, answered, parsed
from edge.simulator.gige.device import GigeCamera, fitted
from edge.simulator.gige.stream import Block, with_chunks

ADDRESS = "127.0.77.8"


@pytest.fixture
def camera():
    with GigeCamera(ADDRESS, "SIM08", (64, 48)) as one:
        yield one


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(2)
        one.connect((ADDRESS, control.PORT))
        yield one


def asked(client, command, said):
    client.send(struct.pack(">BBHHH", control.KEY, 1, command, len(said), 7) + said)
    answer = client.recv(2048)
    status, _, _, request = struct.unpack(">HHHH", answer[:8])
    assert request == 7
    return status, answer[8:]


def test_a_discovery_tells_who_it_is(camera, client):
    status, told = asked(client, control.DISCOVERY, b"")
    assert (status, len(told)) == (control.SUCCESS, control.DISCOVERED)
    assert told[description.SERIAL :].startswith(b"SIM08")
    assert socket.inet_ntoa(told[description.CURRENT_ADDRESS : description.CURRENT_ADDRESS + 4]) == ADDRESS


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [
        (control.READ_REGISTERS, struct.pack(">I", 0xFFFF_FFF0), control.BAD_ADDRESS),
        (control.READ_REGISTERS, b"abc", control.BAD_ADDRESS),
        (control.READ_MEMORY, struct.pack(">IHH", 2**32 - 4, 0, 400), control.BAD_ADDRESS),
        (control.WRITE_REGISTERS, struct.pack(">II", description.SERIAL, 1), control.READ_ONLY),
        (control.WRITE_MEMORY, struct.pack(">II", description.DESCRIPTION, 1), control.READ_ONLY),
        (0x7777, b"", control.NOT_IMPLEMENTED),
    ],
)
def test_what_it_cannot_do_is_said(camera, client, command, said, status):
    assert asked(client, command, said)[0] == status
    assert asked(client, control.DISCOVERY, b"")[0] == control.SUCCESS


def test_what_is_no_command_gets_no_answer_and_does_no_harm(camera, client):
    for noise in (b"", b"B", b"\xff" * 600, b"B\x01\x00\x80\xff\xff\x00\x07"):
        client.send(noise)
    assert asked(client, control.DISCOVERY, b"")[0] == control.SUCCESS


def test_only_one_client_controls_it(camera, client):
    assert asked(client, control.WRITE_REGISTERS, struct.pack(">II", description.CONTROL, 2))[0] == control.SUCCESS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(2)
        other.connect((ADDRESS, control.PORT))
        wish = struct.pack(">II", description.WIDTH, 32)
        assert asked(other, control.WRITE_REGISTERS, wish)[0] == control.READ_ONLY
    assert camera.size_px == (64, 48)


def test_an_address_that_is_taken_is_told(camera):
    with pytest.raises(ConfigError, match="name another address"):
        GigeCamera(ADDRESS, "SIM08", (64, 48))


def test_the_description_is_whole_and_names_each_feature_once():
    names = [
        one.get("Name") for one in ET.fromstring(description.description()) if one.tag.endswith(("Integer", "Float"))
    ]
    assert len(names) == len(set(names)) > 5


def test_what_is_no_gvcp_is_refused():
    for noise in (b"", bytes(8), struct.pack(">BBHHH", control.KEY, 1, 2, 9, 1)):
        with pytest.raises(MalformedMessage):
            parsed(noise)
    assert answered(2, 1, b"x") == b"\x00\x00\x00\x03\x00\x01\x00\x01x"


def test_a_frame_is_cut_into_packets_that_fit():
    payload = with_chunks(bytes(10_000), {1: bytes(8)})
    packets = Block(5, 77, description.FORMATS["Mono8"], (100, 100), payload, True).packets(1500)
    assert [header[4] for header, _ in packets] == [1, *[3] * (len(packets) - 2), 2]
    assert b"".join(bytes(body) for _, body in packets[1:-1]) == payload
    assert all(len(header) + len(body) <= 1500 - 28 for header, body in packets)


def test_the_payload_is_as_long_as_the_registers_say():
    registers = Registers(ADDRESS, "S", (100, 50), "BGR8", lambda: 0)
    assert registers.payload == 15_000
    registers[description.CHUNKS] = registers[description.CHUNK_ENABLE] = 1
    assert registers.payload == len(with_chunks(bytes(15_000), {1: bytes(8)}))


def test_a_picture_of_another_size_is_fitted():
    white = np.full((100, 50, 3), 255, np.uint8)
    assert fitted(white, (50, 100)) is white
    small = fitted(white, (40, 40))
    assert small.shape == (40, 40, 3)
    assert (small[:, 10:30].min(), small[:, :9].max()) == (255, 0)
