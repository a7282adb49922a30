"""The bundled encoder's weights and its card, and what runs ONNX models."""

from __future__ import annotations

import os


def disable_telemetry() -> None:
    """Keep onnxruntime from reporting what it runs to its makers, as it does since 1.29; to be called before its import."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
