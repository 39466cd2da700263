"""GenICam cameras through Aravis: which there are, and their features by name."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from edge.core.errors import CameraFault

TOLERANCE = 0.01  # of a number that is read back: cameras round

Feature = bool | int | float | str


def aravis() -> Any:
    """The library.

    Raises:
        CameraFault: it is not installed.
    """
    try:
        import gi

        gi.require_version("Aravis", "0.8")
        return importlib.import_module("gi.repository.Aravis")
    except (ImportError, ValueError) as error:
        raise CameraFault(
            f"needs Aravis ({error}): install Debian's gir1.2-aravis-0.8, and `pip install 'tunnel-edge[gige]'`"
        ) from error


def found() -> list[dict[str, str]]:
    """The cameras that answer on the network and on USB: id, vendor, model, serial, address, protocol.

    Raises:
        CameraFault: the library is not installed.
    """
    library = aravis()
    library.update_device_list()
    asked = {
        "id": library.get_device_id,
        "vendor": library.get_device_vendor,
        "model": library.get_device_model,
        "serial": library.get_device_serial_nbr,
        "address": library.get_device_address,
        "protocol": library.get_device_protocol,
    }
    return [{name: str(ask(index)) for name, ask in asked.items()} for index in range(library.get_n_devices())]


def _set(device: Any, name: str, value: Feature) -> str:
    """Set a feature by the type of its node, and read it back; what is wrong, or empty."""
    kind = type(device.get_feature(name)).__name__
    try:
        if kind.startswith(("GcInteger", "GcFloat", "GcSwissKnife", "GcConverter")):
            return _set_number(device, name, float(value), "integer" if "Int" in kind else "float")
        if kind == "GcBoolean":
            device.set_boolean_feature_value(name, bool(value))
        elif kind == "GcEnumeration":
            entries = device.dup_available_enumeration_feature_values_as_strings(name)
            if str(value) not in entries:
                return f"does not take {name} = {value}: give one of {', '.join(entries)}"
            device.set_string_feature_value(name, str(value))
        else:
            device.set_string_feature_value(name, str(value))
    except (gobject_error(), ValueError) as error:
        return f"does not take {name} = {value} ({error})"
    return ""


def _set_number(device: Any, name: str, value: float, kind: str) -> str:
    """Cameras are asked for the range first: some take what is beyond it, and send nothing."""
    least, most = getattr(device, f"get_{kind}_feature_bounds")(name)
    if not least <= value <= most:
        return f"does not take {name} = {value:g}: give {least:g} to {most:g}"
    given = int(value) if kind == "integer" else value
    getattr(device, f"set_{kind}_feature_value")(name, given)
    kept = getattr(device, f"get_{kind}_feature_value")(name)
    off = abs(kept - given) > TOLERANCE * abs(given)
    return f"does not take {name} = {value:g}: it stays at {kept:g}" if off else ""


def _names(genicam: Any, category: str = "Root") -> Iterator[str]:
    """Of all features, category by category."""
    node = genicam.get_node(category)
    if type(node).__name__ != "GcCategory":
        yield category
        return
    for name in node.get_features():
        yield from _names(genicam, str(name))


def gobject_error() -> type[Exception]:
    """What Aravis raises."""
    error: type[Exception] = importlib.import_module("gi.repository.GLib").Error
    return error


def refused(device: Any, features: Mapping[str, Feature]) -> Iterator[str]:
    """Set all features in their order, and read each back; what is wrong with each that the camera refuses."""
    for name, value in features.items():
        if not device.is_feature_available(name):
            near = difflib.get_close_matches(name, list(_names(device.get_genicam())), 1)
            yield f"has no feature {name}" + (f": did you mean {near[0]}?" if near else "")
        elif fault := _set(device, name, value):
            yield fault


def described(device: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every feature that has a value: its name, how it stands, and what it takes."""
    for name in _names(device.get_genicam()):
        try:
            if device.is_feature_available(name) and type(device.get_feature(name)).__name__ != "GcCommand":
                yield name, (str(device.get_feature(name).get_value_as_string()), _takes(device, name))
        except (gobject_error(), AttributeError):  # it has no value just now
            continue


def _takes(device: Any, name: str) -> str:
    """A range, or words."""
    kind = type(device.get_feature(name)).__name__
    if kind == "GcEnumeration":
        return ", ".join(device.dup_available_enumeration_feature_values_as_strings(name))
    if kind in ("GcIntegerNode", "GcFloatNode"):
        least, most = getattr(device, f"get_{'integer' if 'Int' in kind else 'float'}_feature_bounds")(name)
        return f"{least:g} to {most:g}"
    return "true, false" if kind == "GcBoolean" else ""
