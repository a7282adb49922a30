"""The mailbox of a chat channel: messages whose answers are made or wait to be fetched, and what was said before them.

A message is `asked` while its answer is made, `ready` while parts of that are to be delivered, then `delivered`. Everything
is in the catalog, so one process can receive a message, another its repetition and a third the request for the rest.
While a message is asked, its columns say until when (`until`) the process that makes the answer vouches for it, how often
the message has arrived (`attempts`), and what is written so far (`draft`). Nobody finishes what nobody vouches for any more:
such a message becomes ready with words that say so. What is read and then written of one user is done by one at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from vectorstore.catalog import Catalog
from vectorstore.sql import Connection, Row

MINUTE: Final = 60.0
# What a message was replied is a row of its own, under the message's name and this; no channel's names have spaces.
_SENT: Final = " sent"
_OF: Final = 'channel = ? AND "user" = ? AND message = ?'


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an answer, on its way to the user; the first has the number 0."""

    question: str
    text: str
    number: int
    last: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A question in the mailbox, with its answer's parts or what is written of it so far."""

    user: str
    message: str
    question: str
    state: str
    arrived: float
    parts: tuple[str, ...] = ()
    draft: str = ""
    vouched: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a message when it arrives.

    `sent` is what it was replied already; `wait` the seconds until its user may ask again, if that is too often.
    """

    new: bool = False
    attempts: int = 1
    sent: str | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things are kept, in seconds, and how many: `vouched` is how long one word for an answer in the making holds."""

    message: float = 600.0
    sent: float = 60.0
    vouched: float = 10.0
    conversation: float = 1800.0
    turns: int = 10
    questions_a_minute: int = 20


DEFAULT_LIFETIMES: Final = Lifetimes()


@dataclass(slots=True)
class Mailbox:
    """The messages of one channel; safe to use from several threads and processes.

    Args:
        catalog: keeps them.
        channel: the channel's name.
        lost: what is answered to a question whose answer will never be finished.
        lifetimes: how long everything is kept.
        clock: seconds since the epoch.
    """

    catalog: Catalog
    channel: str
    lost: str
    lifetimes: Lifetimes = DEFAULT_LIFETIMES
    clock: Callable[[], float] = time.time
    _tidied: float = field(default=0.0, init=False)
    # The questions that this process has taken and not answered yet.
    _own: set[tuple[str, str]] = field(default_factory=set, init=False)

    # receiving

    def arrive(self, user: str, message: str, question: str = "") -> Arrival:
        """Take a message in, or count it again; without a `question` it asks for the rest of an answer.

        Who takes in a new question has to `finish` or `disown` it.
        """
        now = self.clock()
        self._tidy(now)
        with self._alone(user) as connection:
            self._give_up(connection, now, user)
            sent = self._sent(connection, user, message, now)
            if sent is not None:
                return Arrival(sent=sent)
            place = (self.channel, user, message)
            row = connection.execute(f"SELECT state, attempts FROM messages WHERE {_OF}", place).fetchone()
            if row is None:
                wait = self._wait(connection, user, now) if question else 0.0
                if wait:
                    return Arrival(wait=wait)
                connection.execute(
                    'INSERT INTO messages (channel, "user", message, question, state, parts, next, arrived, until) '
                    "VALUES (?, ?, ?, ?, 'asked', '[]', 0, ?, ?)",
                    (*place, question, now, now + self.lifetimes.vouched),
                )
                if question:
                    self._own.add((user, message))
                return Arrival(new=True)
            if row["state"] != "asked":
                return Arrival()
            attempts = row["attempts"] + 1
            connection.execute(f"UPDATE messages SET attempts = ? WHERE {_OF}", (attempts, *place))
            return Arrival(attempts=attempts)

    def keep(self, user: str, message: str, body: str) -> str:
        """The reply to a message: this, unless it was replied something else already."""
        now = self.clock()
        with self._alone(user) as connection:
            sent = self._sent(connection, user, message, now)
            return self._send(connection, user, message, body, now) if sent is None else sent

    # answering

    def vouch(self) -> None:
        """The answers to what was taken in here are still being made."""
        self._vouch(list(self._own), self.clock() + self.lifetimes.vouched)

    def disown(self, *messages: tuple[str, str]) -> None:
        """The answers to these, each by user and message, will not be made here."""
        self._own.difference_update(messages)
        self._vouch(messages, 0.0)

    def ahead(self, user: str, message: str) -> bool:
        """Whether an earlier question of the same user is still being answered, by any process."""
        return (
            self.catalog.connection()
            .execute(
                'SELECT 1 FROM messages AS earlier JOIN messages AS own USING (channel, "user") '
                "WHERE channel = ? AND \"user\" = ? AND own.message = ? AND earlier.state = 'asked' "
                "AND earlier.question != '' AND earlier.until >= ? "
                "AND (earlier.arrived, earlier.message) < (own.arrived, own.message)",
                (self.channel, user, message, self.clock()),
            )
            .fetchone()
            is not None
        )

    def history(self, user: str) -> list[str]:
        """The questions of the conversation, oldest first."""
        rows = self.catalog.connection().execute(
            'SELECT question FROM turns WHERE channel = ? AND "user" = ? AND asked > ? AND asked > coalesce('
            "(SELECT max(asked) FROM turns WHERE channel = ? AND \"user\" = ? AND question = ''), 0) "
            "ORDER BY asked DESC, turn_id DESC LIMIT ?",
            (
                self.channel,
                user,
                self.clock() - self.lifetimes.conversation,
                self.channel,
                user,
                self.lifetimes.turns,
            ),
        )
        return [str(row["question"]) for row in rows][::-1]

    def start_afresh(self, user: str) -> None:
        """End the conversation; what is still being answered belongs to the one that has ended."""
        with self._alone(user) as connection:
            connection.execute('DELETE FROM turns WHERE channel = ? AND "user" = ?', (self.channel, user))
            self._turn(connection, user, "", self.clock())

    def draft(self, user: str, message: str, text: str) -> None:
        """What is written so far of an answer that is being made."""
        with self._alone(user) as connection:
            connection.execute(
                f"UPDATE messages SET draft = ? WHERE {_OF} AND state = 'asked'",
                (text, self.channel, user, message),
            )

    def finish(self, user: str, message: str, parts: Sequence[str], *, answered: bool = True) -> None:
        """The answer is made, unless its user was told already that it never will be; `answered` makes it a turn."""
        place = (self.channel, user, message)
        with self._alone(user) as connection:
            row = connection.execute(f"SELECT question, arrived FROM messages WHERE {_OF}", place).fetchone()
            done = connection.execute(
                f"UPDATE messages SET state = 'ready', parts = ?, next = 0 WHERE {_OF} "
                "AND (state = 'asked' OR (state = 'ready' AND next = 0))",
                (json.dumps(list(parts), ensure_ascii=False), *place),
            ).rowcount
            if done and answered:
                self._turn(connection, user, row["question"], row["arrived"])
        self._own.discard((user, message))

    def give_up(self) -> list[tuple[str, str]]:
        """Make ready, with the words for it, what nobody vouches for; by user and message."""
        found: list[tuple[str, str]] = []
        now = self.clock()
        for user in {row["user"] for row in self._unvouched(self.catalog.connection(), now)}:
            with self._alone(user) as connection:
                found += self._give_up(connection, now, user)
        return found

    # delivering

    def find(self, message: str, user: str | None = None) -> Entry | None:
        """A question by its message, and its user if that is known."""
        row = (
            self.catalog.connection()
            .execute(
                'SELECT * FROM messages WHERE channel = ? AND message = ? AND "user" = coalesce(?, "user")',
                (self.channel, message, user),
            )
            .fetchone()
        )
        return None if row is None else self._entry(row)

    def outstanding(self, user: str) -> str | None:
        """The message whose answer a user asks for who only says "go on".

        The oldest of which nothing was delivered, ready ones first; else the newest that has parts left.
        """
        row = (
            self.catalog.connection()
            .execute(
                "SELECT message FROM messages WHERE channel = ? AND \"user\" = ? AND question != '' AND arrived > ? "
                "AND state != 'delivered' ORDER BY next > 0, state = 'asked', "
                "CASE WHEN next = 0 THEN arrived ELSE -arrived END LIMIT 1",
                (self.channel, user, self.clock() - self.lifetimes.message),
            )
            .fetchone()
        )
        return None if row is None else str(row["message"])

    def deliver(self, user: str, asked: str, message: str, body: Callable[[Part | None], str]) -> str | None:
        """The reply to a message: the next part of the answer to `asked`, as `body` makes it; None while that is made.

        `body` is given None where no part is left. A message that was replied already gets the same again.
        """
        now = self.clock()
        with self._alone(user) as connection:
            sent = self._sent(connection, user, message, now)
            if sent is not None:
                return sent
            self._give_up(connection, now, user)
            place = (self.channel, user, asked)
            row = connection.execute(f"SELECT state FROM messages WHERE {_OF}", place).fetchone()
            if row is not None and row["state"] == "asked":
                return None
            return self._send(connection, user, message, body(self._next(connection, user, asked)), now)

    def claim(self, user: str, message: str) -> Part | None:
        """The next part of an answer, for whoever sends it; nobody else gets it unless it is put back."""
        with self._alone(user) as connection:
            return self._next(connection, user, message)

    def put_back(self, user: str, message: str, part: Part) -> None:
        """A part that was claimed could not be sent; it can be fetched again."""
        with self._alone(user) as connection:
            connection.execute(
                f"UPDATE messages SET state = 'ready', next = ? WHERE {_OF} AND next = ?",
                (part.number, self.channel, user, message, part.number + 1),
            )

    def _vouch(self, messages: Iterable[tuple[str, str]], until: float) -> None:
        # In one order everywhere, so that no two processes wait for each other's rows.
        with self.catalog.transaction(searched=False, alone=f"vouching {self.channel}") as connection:
            connection.executemany(
                f"UPDATE messages SET until = ? WHERE {_OF} AND state = 'asked'",
                [(until, self.channel, user, message) for user, message in sorted(messages)],
            )

    def _alone(self, user: str) -> AbstractContextManager[Connection]:
        """A transaction in which nobody else writes what is this user's."""
        return self.catalog.transaction(searched=False, alone=f"{self.channel} {user}")

    # within a transaction

    def _next(self, connection: Connection, user: str, message: str) -> Part | None:
        place = (self.channel, user, message)
        row = connection.execute(
            f"SELECT question, parts, next FROM messages WHERE {_OF} AND state = 'ready'", place
        ).fetchone()
        if row is None:
            return None
        parts, number = json.loads(row["parts"]), row["next"]
        last = number + 1 >= len(parts)
        connection.execute(
            f"UPDATE messages SET state = ?, next = ? WHERE {_OF}",
            ("delivered" if last else "ready", number + 1, *place),
        )
        return Part(row["question"], parts[number], number, last) if number < len(parts) else None

    def _sent(self, connection: Connection, user: str, message: str, now: float) -> str | None:
        row = connection.execute(
            f"SELECT parts FROM messages WHERE {_OF} AND arrived > ?",
            (self.channel, user, message + _SENT, now - self.lifetimes.sent),
        ).fetchone()
        return None if row is None else str(json.loads(row["parts"])[0])

    def _send(self, connection: Connection, user: str, message: str, body: str, now: float) -> str:
        values = (self.channel, user, message + _SENT, json.dumps([body], ensure_ascii=False), now)
        connection.execute(
            'INSERT INTO messages (channel, "user", message, question, state, parts, next, arrived) '
            "VALUES (?, ?, ?, '', 'delivered', ?, 1, ?) ON CONFLICT (channel, \"user\", message) "
            "DO UPDATE SET parts = excluded.parts, arrived = excluded.arrived",
            values,
        )
        return body

    def _wait(self, connection: Connection, user: str, now: float) -> float:
        """The seconds until another question is taken."""
        rows = connection.execute(
            "SELECT arrived FROM messages WHERE channel = ? AND \"user\" = ? AND question != '' AND arrived > ? "
            "ORDER BY arrived DESC LIMIT ?",
            (self.channel, user, now - MINUTE, self.lifetimes.questions_a_minute),
        ).fetchall()
        return float(rows[-1]["arrived"]) + MINUTE - now if len(rows) >= self.lifetimes.questions_a_minute else 0.0

    def _turn(self, connection: Connection, user: str, question: str, asked: float) -> None:
        connection.execute(
            'INSERT INTO turns (channel, "user", question, asked) VALUES (?, ?, ?, ?)',
            (self.channel, user, question, asked),
        )

    def _unvouched(self, connection: Connection, now: float, user: str | None = None) -> list[Row]:
        return connection.execute(
            'SELECT "user", message FROM messages WHERE channel = ? AND "user" = coalesce(?, "user") '
            "AND state = 'asked' AND question != '' AND until < ?",
            (self.channel, user, now),
        ).fetchall()

    def _give_up(self, connection: Connection, now: float, user: str) -> list[tuple[str, str]]:
        rows = self._unvouched(connection, now, user)
        # What is being made here is not given up, even where writing took so long that nobody could vouch for it.
        found = [place for row in rows if (place := (row["user"], row["message"])) not in self._own]
        lost = json.dumps([self.lost], ensure_ascii=False)
        connection.executemany(
            f"UPDATE messages SET state = 'ready', parts = ?, next = 0 WHERE {_OF}",
            [(lost, self.channel, *place) for place in found],
        )
        return found

    def _tidy(self, now: float) -> None:
        """Forget what is too old, once a minute at most."""
        if now < self._tidied + MINUTE:
            return
        self._tidied = now
        with self.catalog.transaction(searched=False, alone=f"tidying {self.channel}") as connection:
            for table, moment, seconds in (
                ("messages", "arrived", self.lifetimes.message),
                ("turns", "asked", self.lifetimes.conversation),
            ):
                connection.execute(
                    f"DELETE FROM {table} WHERE channel = ? AND {moment} < ?", (self.channel, now - seconds)
                )

    def _entry(self, row: Row) -> Entry:
        basic = (row["user"], row["message"], row["question"], row["state"], row["arrived"])
        if row["state"] == "asked":
            return Entry(*basic, draft=row["draft"], vouched=row["until"] >= self.clock())
        return Entry(*basic, parts=tuple(json.loads(row["parts"])))
