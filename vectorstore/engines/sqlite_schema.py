"""The catalog's tables in SQLite, and how a connection to them is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from vectorstore.engines.sqlite_text import FTS5
from vectorstore.errors import StoreDamaged, StoreError

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE documents (
    document_id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    collection TEXT NOT NULL CHECK (collection IN ('own', 'samples')),
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'removed'))
);

CREATE TABLE versions (
    document_id TEXT NOT NULL REFERENCES documents,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL,
    layout TEXT NOT NULL,
    metadata TEXT NOT NULL,
    ingested TEXT NOT NULL,
    PRIMARY KEY (document_id, version)
);
CREATE INDEX versions_by_content ON versions (sha256);

CREATE TABLE passages (
    passage_id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL REFERENCES documents,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    section TEXT NOT NULL,
    page INTEGER,
    kind TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document_id, position);

CREATE VIRTUAL TABLE passages_text USING fts5 (body, section, title);
CREATE VIRTUAL TABLE passages_terms USING fts5vocab (passages_text, row);

CREATE TABLE generations (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    highest_passage_id INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    strays TEXT NOT NULL,
    manifest TEXT NOT NULL,
    built TEXT NOT NULL
);

CREATE TABLE answers (answer_id TEXT PRIMARY KEY, asked TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE feedback (
    feedback_id INTEGER PRIMARY KEY AUTOINCREMENT,
    answer_id TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating IN (-1, 1)),
    reason TEXT NOT NULL,
    given TEXT NOT NULL
);
"""

# What each later format adds; a catalog of an earlier one gets it when it is opened.
_ADDED = {
    2: """
CREATE TABLE links (
    code TEXT PRIMARY KEY,
    document_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    expires REAL,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX links_by_place ON links (document_id, version, start, "end");

CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    made TEXT NOT NULL,
    revoked TEXT
) WITHOUT ROWID;

CREATE TABLE turns (
    turn_id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    user TEXT NOT NULL,
    question TEXT NOT NULL,
    asked REAL NOT NULL
);
CREATE INDEX turns_by_user ON turns (channel, user, asked);

CREATE TABLE messages (
    channel TEXT NOT NULL,
    user TEXT NOT NULL,
    message TEXT NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'ready', 'delivered')),
    parts TEXT NOT NULL,
    next INTEGER NOT NULL,
    arrived REAL NOT NULL,
    PRIMARY KEY (channel, user, message)
) WITHOUT ROWID;
""",
    3: """
ALTER TABLE passages ADD COLUMN context TEXT NOT NULL DEFAULT '[]';
ALTER TABLE passages ADD COLUMN clauses TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN as_read TEXT;

CREATE TABLE corrections (
    document_id TEXT NOT NULL REFERENCES documents,
    field TEXT NOT NULL,
    value TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('desk', 'sidecar')),
    made TEXT NOT NULL,
    PRIMARY KEY (document_id, field, origin)
) WITHOUT ROWID;

CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL
);
""",
    4: """
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    until REAL NOT NULL
) WITHOUT ROWID;
""",
    5: f"""
ALTER TABLE versions ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN region TEXT;
UPDATE versions SET notes = json_array_length(layout, '$.notes'), region = json_extract(metadata, '$.region');

INSERT INTO meta VALUES ('highest_passage_id', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0));

CREATE VIRTUAL TABLE texts USING {FTS5};
INSERT INTO texts (rowid, body, section, title) SELECT rowid, body, section, title FROM passages_text;
DROP TABLE passages_terms;
DROP TABLE passages_text;
ALTER TABLE texts RENAME TO passages_text;
CREATE VIRTUAL TABLE passages_terms USING fts5vocab (passages_text, row);

CREATE TABLE kept_answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    answer_id TEXT NOT NULL UNIQUE,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL
);
INSERT INTO kept_answers SELECT rowid, answer_id, asked, answer FROM answers ORDER BY rowid;
DROP TABLE answers;
ALTER TABLE kept_answers RENAME TO answers;

ALTER TABLE messages ADD COLUMN until REAL NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN draft TEXT NOT NULL DEFAULT '';
UPDATE messages SET until = json_extract(parts, '$.until'), attempts = json_extract(parts, '$.attempts'),
    draft = json_extract(parts, '$.draft'), parts = '[]' WHERE state = 'asked';

CREATE TABLE tries (
    name TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    free REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE spent (
    name TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX spent_by_name ON spent (name, at);

CREATE TABLE page_turns (
    conversation TEXT NOT NULL,
    number INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer_id TEXT NOT NULL,
    within TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (conversation, number)
) WITHOUT ROWID;

CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done')),
    begun INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL
) WITHOUT ROWID;
""",
}
SCHEMA_VERSION = max(_ADDED)


# What is made in a data folder only after its catalog.
_LATER = ("catalog.revision", "writer.json", "index", "files")


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; the tables are made where the folder is new.

    Raises:
        StoreDamaged: the file is no catalog, one of a newer version, or missing from a folder that had one.
        StoreError: the folder cannot be written, or the disk is full.
    """
    # In this order: in a new folder another process makes the catalog first.
    if (sign := _sign_of_use(path)) and not (path.exists() and path.stat().st_size):
        raise damaged(path, f"is missing or empty, and {sign} beside it says that there was one")
    try:
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < SCHEMA_VERSION:
            _bring_up(connection, path)
        elif version > SCHEMA_VERSION:
            raise StoreDamaged(
                f"The catalog {path} has format {version}, this program reads format {SCHEMA_VERSION}. "
                "Use the program version that wrote it, or another data folder (--data-dir)."
            )
        connection.execute("PRAGMA journal_mode = WAL")  # kept in the file; nothing happens if it is so
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"The catalog {path} cannot be opened: {error}. Check that the folder exists, that you may write to it "
            "and that the disk has room, or choose another with --data-dir or ZHICE_DATA_DIR."
        ) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, f"is damaged or no catalog ({error})") from error
    return connection


def damaged(path: Path, how: str) -> StoreDamaged:
    """What to raise for a catalog that cannot be used, with what to do about it."""
    return StoreDamaged(
        f"The catalog {path} {how}. Restore a backup (`zhice restore FILE --force`), or move the folder {path.parent} "
        "away and ingest your documents again."
    )


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error says that the file is damaged, and not that it is busy, full or misused."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the extended codes keep the plain one in their last byte
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _sign_of_use(path: Path) -> str:
    return next((name for name in _LATER if (path.parent / name).exists()), "")


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables that the file does not have yet, all or none."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            if sign := _sign_of_use(path):
                raise damaged(path, f"is blank, and {sign} beside it says that it was not")
            _run(connection, _TABLES)
            connection.execute("INSERT INTO meta VALUES ('revision', '0')")
        for later, tables in _ADDED.items():
            if later > version:
                _run(connection, tables)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _run(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)
