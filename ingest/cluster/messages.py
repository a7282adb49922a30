"""What passes between the process that stores documents and the one that speaks with the cluster: pickled, in order.

Files go one way, and for each of them an `Answer` or a `Failure` comes back, in the order in which the files went.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """The first message: the cluster's address, and what its workers are to be like.

    `encoder` is the setting that a worker loads its encoder by, `encoder_name` what that has to be called, `program`
    the version of this program, and `module` the one whose `prepare` reads files.
    """

    address: str
    encoder: str | None
    encoder_name: str
    program: str
    module: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to read."""

    data: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Workers:
    """How many workers the cluster has room for; the first comes once it is connected."""

    count: int


@dataclass(frozen=True, slots=True)
class PageDone:
    """Of the file that is to be answered next, `done` of `total` pages have been recognised."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A file is read: a pickled `Read`."""

    pickled: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A file cannot be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing can be read, or nothing more: the cluster cannot be used."""

    reason: str


Message = Workers | PageDone | Answer | Failure | Refusal
