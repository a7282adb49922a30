"""What a store promises, on PostgreSQL: the same tests as in a folder, less those of the folder's own files."""

from tests.vectorstore.test_store import *  # noqa: F403

del test_a_second_process_cannot_write_and_is_told_who_does  # noqa: F821 - by a lock on the folder; see test_postgres.py
del test_no_catalog_is_said_so, test_a_folder_that_is_a_file_is_said_so  # noqa: F821
del test_threads_that_have_ended_leave_no_file_open  # noqa: F821
del test_closing_ends_what_other_threads_read_and_not_the_process  # noqa: F821
del test_a_damaged_index_is_noticed_and_built_anew  # noqa: F821 - see test_chroma.py for one on a server
