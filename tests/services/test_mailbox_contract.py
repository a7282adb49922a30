"""What a mailbox promises, on PostgreSQL."""

from tests.vectorstore.test_mailbox import *  # noqa: F403

del TestDeliveries, Deliveries  # noqa: F821 - opens catalogs of its own
