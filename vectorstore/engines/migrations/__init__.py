"""The tables in PostgreSQL, brought to this program's format by alembic; `versions` holds one file a format."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HEAD: Final = "0001"
"""The format that this program reads and writes: the last revision in `versions`."""

VERSIONS: Final = Path(__file__).with_name("versions")


def upgrade(url: str, called: str) -> None:
    """Bring a database to the last format, all or nothing.

    Args:
        url: the database's, as `postgresql://...`.
        called: what messages call it.

    Raises:
        StoreError: the database is of a newer format, or the tables cannot be made.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError
    from sqlalchemy import create_engine, make_url, pool, text
    from sqlalchemy.exc import SQLAlchemyError

    from vectorstore.errors import StoreDamaged, StoreError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            there = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            held = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() if there else []
            if not known.issuperset(held):
                raise StoreDamaged(
                    f"The database {called} has format {', '.join(held)}, this program reads format {HEAD}. "
                    "Use the program version that wrote it, or another database."
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        raise StoreError(
            f"The tables could not be made in the database {called}: {str(error).splitlines()[0]}. "
            "The user in ZHICE_DATABASE_URL needs the right to make tables there."
        ) from error
    finally:
        engine.dispose()
