"""The servers that some acceptance lines need; where they are not installed, those skip with a reason."""

from tests.services.conftest import chroma, nginx, postgres  # noqa: F401
