"""`zhice keys`: make, list and revoke the keys that programs call with; short links are revoked here, too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assistant.settings import Settings

if TYPE_CHECKING:
    from vectorstore.audit import Audit
    from vectorstore.keys import Keys
    from vectorstore.links import Links
    from vectorstore.sessions import Sessions

SHELL = "shell"
"""Who acts in the record where somebody with the data folder in hand did something."""


def add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """Add the command; its actions, each with the function that runs it as `run`."""
    keys = commands.add_parser("keys", help="make, list and revoke the keys that programs call with")
    actions = keys.add_subparsers(title="actions", metavar="ACTION", required=True)

    new = actions.add_parser("new", help="make a key; it is shown this once")
    new.add_argument("--name", required=True, help="what the key is for")
    new.add_argument("--scope", choices=("ask", "admin"), default="ask", help="admin may also add documents")
    new.set_defaults(run=_new)
    listing = actions.add_parser("list", help="list the keys, never showing one")
    listing.set_defaults(run=_list)
    revoke = actions.add_parser("revoke", help="end a key at once")
    revoke.add_argument("id", metavar="KEY_ID", help="a key's id, as `zhice keys list` prints it; or a short link")
    revoke.set_defaults(run=_revoke)
    password = commands.add_parser("password", help="hash an administrator's password, for ZHICE_ADMIN_PASSWORD")
    password.set_defaults(run=_password)
    sign_out = commands.add_parser("sign-out", help="end every administrator's session on the page at once")
    sign_out.set_defaults(run=_sign_out)
    audit = commands.add_parser("audit", help="list what administrators and programs did, newest first")
    audit.add_argument("--limit", type=int, default=100, metavar="N", help="so many entries (100)")
    audit.set_defaults(run=_audit)
    return [new, listing, revoke, password, sign_out, audit]


def _password(_: argparse.Namespace, __: Settings) -> int:
    from getpass import getpass

    from channels.admin import hashed

    given = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not given:
        print("zhice: no password was given.", file=sys.stderr)
        return 2
    print(hashed(given))
    return 0


def _new(options: argparse.Namespace, settings: Settings) -> int:
    with _opened(settings) as (keys, _, __, audit):
        key_id, key = keys.new(options.name, [options.scope])
        audit.record(SHELL, "new key", f"{key_id} {options.name}", options.scope)
    print(key)
    print(f"zhice: this is the key {key_id}, scope {options.scope}; it is not shown again.", file=sys.stderr)
    return 0


def _list(_: argparse.Namespace, settings: Settings) -> int:
    with _opened(settings) as (keys, *__):
        for row in keys.rows():
            ended = f"revoked {row['revoked']}" if row["revoked"] else "in force"
            print(f"{row['key_id']}  {','.join(row['scopes']):5}  made {row['made']}  {ended}  {row['name']}")
    return 0


def _revoke(options: argparse.Namespace, settings: Settings) -> int:
    with _opened(settings) as (keys, links, _, audit):
        revoked = keys.revoke(options.id) or links.revoke(options.id.rpartition("/")[2])
        audit.record(SHELL, "revoke", options.id, "done" if revoked else "not in force")
    if not revoked:
        print(f"zhice: no key or link in force goes by {options.id!r}; `zhice keys list` shows keys.", file=sys.stderr)
        return 1
    print(f"{options.id} revoked")
    return 0


def _sign_out(_: argparse.Namespace, settings: Settings) -> int:
    with _opened(settings) as (_keys, _links, sessions, audit):
        ended = sessions.end_all()
        audit.record(SHELL, "sign out", "all sessions", f"{ended} ended")
    print(f"{ended} sessions ended")
    return 0


def _audit(options: argparse.Namespace, settings: Settings) -> int:
    with _opened(settings) as (*_, audit):
        for entry in audit.entries(max(1, options.limit)):
            print(f"{entry.at}  {entry.actor}  {entry.action}  {entry.target}  {entry.outcome}")
    return 0


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Keys, Links, Sessions, Audit]]:
    """Keys, links, sessions and the record of the knowledge base; a server that runs on it sees every change at its next request."""
    from vectorstore.audit import Audit
    from vectorstore.keys import Keys
    from vectorstore.links import Links
    from vectorstore.sessions import Sessions
    from vectorstore.store import PolicyStore

    store = PolicyStore(settings.place, check_encoder=False)
    try:
        yield Keys(store.catalog), Links(store.catalog), Sessions(store.catalog), Audit(store.catalog)
    finally:
        store.close()
