"""tunnel-edge: every item tracked from photoeye to diverter, judged in time, its divert confirmed."""

import os

__version__ = "0.1.0"

# ONNX Runtime (1.32) keeps a device id in the home folder and reports to its maker, unless told otherwise in time.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
