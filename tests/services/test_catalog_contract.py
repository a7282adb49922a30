"""What keys, the record of what was done, the full text and repairs promise, on PostgreSQL."""

from tests.vectorstore.test_audit import *  # noqa: F403
from tests.vectorstore.test_fulltext import *  # noqa: F403
from tests.vectorstore.test_keys import *  # noqa: F403
