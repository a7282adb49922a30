"""What processes have to agree on, and the queue of uploads, on PostgreSQL."""

from tests.ingest.test_queueing import *  # noqa: F403
from tests.vectorstore.test_shared import *  # noqa: F403
