"""The base of the error tree, and the shelf's own errors.

    ZhiceError
    ├── StoreError
    │   ├── StoreLocked         another process is writing to this data folder
    │   ├── StoreUnavailable    the database does not answer
    │   ├── EncoderMismatch     the data folder was built with another encoder
    │   ├── StoreDamaged        the catalog is damaged or missing, or has lost what was acknowledged
    │   ├── UnknownDocument     no such document, or no such version of it
    │   └── InvalidCorrection   a field of a document cannot be set to that
    ├── EncoderUnavailable      the encoder that was asked for cannot be loaded
    ├── UnreadableDocument      one file cannot be read              (ingest/errors.py)
    ├── ClusterUnavailable      the Ray cluster cannot do the work   (ingest/errors.py)
    └── AssistantError          a question cannot be taken           (assistant/errors.py)

Every message says what happened, to which file or setting, and what to do next.
"""

from __future__ import annotations


class ZhiceError(Exception):
    """Anything that goes wrong in a way the user can act on; its text is meant for them."""


class StoreError(ZhiceError):
    """The data folder cannot do what was asked."""


class StoreLocked(StoreError):
    """Another process is writing to the data folder."""


class StoreUnavailable(StoreError):
    """The database server cannot be reached, or has ended the connection; trying again helps once it is back."""


class EncoderMismatch(StoreError):
    """The data folder was built with another encoder than the one configured."""


class StoreDamaged(StoreError):
    """The catalog is damaged, missing from a folder in use, of a newer version, or has lost what was acknowledged."""


class UnknownDocument(StoreError):
    """No document, or no version of it, goes by this id."""


class InvalidCorrection(StoreError):
    """A document's field cannot be set to what was given."""


class EncoderUnavailable(ZhiceError):
    """The configured encoder cannot be loaded."""
