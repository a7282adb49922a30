"""The mailbox: who is answered, with what and how far, seen alike by every process over one catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vectorstore.catalog import Catalog
from vectorstore.mailbox import Lifetimes, Mailbox, Part

LOST = "请重新提问"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., Mailbox]


@pytest.fixture
def process(open_catalog: Callable[[], Catalog], clock: Clock) -> Open:
    """The mailbox as another process over the same catalog opens it."""

    def start(channel: str = "wechat") -> Mailbox:
        return Mailbox(open_catalog(), channel, LOST, clock=clock)

    return start


def text(part: Part | None) -> str:
    return part.text if part else "nothing"


def test_a_message_is_new_once(process: Open) -> None:
    one, other = process(), process()
    assert one.arrive("li", "1", "甲").new
    assert [other.arrive("li", "1", "甲").attempts, one.arrive("li", "1", "甲").attempts] == [2, 3]
    assert other.arrive("wang", "1", "甲").new
    assert process("wecom").arrive("li", "1", "甲").new


def test_an_answer_is_delivered_once_by_any_process(process: Open) -> None:
    one, other = process(), process()
    one.arrive("li", "1", "甲")
    assert other.deliver("li", "1", "1", text) is None
    one.finish("li", "1", ["答"])
    assert other.deliver("li", "1", "1", text) == "答"
    assert other.deliver("li", "1", "2", text) == "nothing"
    assert one.deliver("li", "1", "1", text) == "答"
    assert one.arrive("li", "1", "甲").sent == "答"


def test_a_reply_is_kept_for_a_minute(process: Open, clock: Clock) -> None:
    box = process()
    assert [box.keep("li", "1", "甲"), box.keep("li", "1", "乙")] == ["甲", "甲"]
    clock.now += 61
    assert box.keep("li", "1", "丙") == "丙"


def test_parts_are_turned_in_order_and_put_back(process: Open) -> None:
    box = process()
    box.arrive("li", "1", "甲")
    box.finish("li", "1", ["一", "二", "三"])
    assert box.claim("li", "1") == Part("甲", "一", 0, False)
    second = box.claim("li", "1")
    assert second == Part("甲", "二", 1, False)
    box.put_back("li", "1", second)
    assert [text(box.claim("li", "1")) for _ in range(3)] == ["二", "三", "nothing"]
    assert box.outstanding("li") is None
    box.put_back("li", "1", Part("甲", "三", 2, True))
    assert box.outstanding("li") == "1"


def test_what_cannot_be_sealed_is_not_delivered(process: Open) -> None:
    box = process()
    box.arrive("li", "1", "甲")
    box.finish("li", "1", ["答"])

    def fail(_: Part | None) -> str:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        box.deliver("li", "1", "1", fail)
    assert box.deliver("li", "1", "1", text) == "答"


def test_what_a_user_goes_on_with(process: Open, clock: Clock) -> None:
    box = process()
    for number in ("1", "2", "3"):
        box.arrive("li", number, "问")
        clock.now += 1
    assert box.outstanding("li") == "1"
    box.finish("li", "2", ["一", "二"])
    assert box.outstanding("li") == "2"
    box.claim("li", "2")
    assert box.outstanding("li") == "1"
    for number in ("1", "3"):
        box.finish("li", number, ["一", "二"])
        box.claim("li", number)
    assert box.outstanding("li") == "3"
    clock.now += 600
    assert box.outstanding("li") is None


def test_what_nobody_vouches_for_is_lost_and_said_so(process: Open, clock: Clock) -> None:
    killed = process()
    killed.arrive("li", "1", "甲")
    clock.now += 9
    killed.vouch()
    later = process()
    clock.now += 9
    assert later.give_up() == []
    assert later.deliver("li", "1", "2", text) is None
    clock.now += 2
    assert later.deliver("li", "1", "2", text) == LOST
    assert later.give_up() == []
    killed.finish("li", "1", ["答"])
    assert later.deliver("li", "1", "3", text) == "nothing"
    assert killed.history("li") == []


def test_a_late_answer_is_better_than_the_word_that_there_is_none(process: Open, clock: Clock) -> None:
    slow, other = process(), process()
    slow.arrive("li", "1", "甲")
    clock.now += 11
    assert other.give_up() == [("li", "1")]
    slow.finish("li", "1", ["答"])
    assert other.deliver("li", "1", "1", text) == "答"


def test_a_process_does_not_give_up_what_it_makes_itself(process: Open, clock: Clock) -> None:
    box = process()
    box.arrive("li", "1", "甲")
    clock.now += 60
    assert box.give_up() == []
    box.disown(("li", "1"))
    assert box.give_up() == [("li", "1")]


def test_a_question_waits_for_the_ones_before_it(process: Open, clock: Clock) -> None:
    one, other = process(), process()
    one.arrive("li", "2", "甲")
    other.arrive("wang", "9", "甲")
    clock.now += 1
    other.arrive("li", "1", "乙")
    assert [one.ahead("li", "2"), other.ahead("li", "1")] == [False, True]
    one.finish("li", "2", ["答"])
    assert not other.ahead("li", "1")
    one.arrive("li", "3", "丙")
    clock.now += 11
    other.arrive("li", "4", "丁")
    assert not other.ahead("li", "4")


def test_20_questions_a_minute(process: Open, clock: Clock) -> None:
    boxes = process(), process()
    for number in range(20):
        assert boxes[number % 2].arrive("li", str(number), "问").new
        clock.now += 1
    assert boxes[0].arrive("li", "20", "问").wait == 40
    assert boxes[0].arrive("wang", "20", "问").new
    assert boxes[0].arrive("li", "21").new
    clock.now += 40
    assert boxes[1].arrive("li", "20", "问").new


def test_the_conversation(process: Open, clock: Clock) -> None:
    box = process()
    for number in range(12):
        box.arrive("li", str(number), f"第{number}问")
        box.finish("li", str(number), ["答"], answered=number != 11)
        clock.now += 10
    assert process().history("li") == [f"第{number}问" for number in range(1, 11)]
    assert box.history("wang") == []
    clock.now += 1800
    assert box.history("li") == []


def test_what_was_asked_before_a_new_topic_stays_there(process: Open, clock: Clock) -> None:
    box = process()
    box.arrive("li", "1", "甲")
    clock.now += 1
    box.start_afresh("li")
    clock.now += 1
    box.arrive("li", "2", "乙")
    box.finish("li", "1", ["答"])
    box.finish("li", "2", ["答"])
    assert box.history("li") == ["乙"]


def test_what_is_old_is_forgotten(process: Open, clock: Clock) -> None:
    box = process()
    box.arrive("li", "1", "甲")
    box.finish("li", "1", ["答"])
    box.keep("li", "1", "答")
    clock.now += 1801
    process().arrive("wang", "2", "乙")
    rows = box.catalog.connection().execute('SELECT "user" FROM messages UNION ALL SELECT "user" FROM turns')
    assert [row["user"] for row in rows] == ["wang"]
    assert box.find("1") is None


def test_a_draft_is_seen_by_other_processes(process: Open) -> None:
    one, other = process(), process()
    one.arrive("li", "1", "甲")
    one.draft("li", "1", "草稿")
    found = other.find("1")
    assert found is not None
    assert (found.user, found.question, found.state, found.draft) == ("li", "甲", "asked", "草稿")
    one.finish("li", "1", ["答"])
    one.draft("li", "1", "晚了")
    found = other.find("1")
    assert found is not None
    assert (found.parts, found.draft) == (("答",), "")


def test_the_catalogs_revision_is_not_touched(process: Open) -> None:
    box = process()
    before = box.catalog.revision()
    box.arrive("li", "1", "甲")
    box.finish("li", "1", ["答"])
    assert box.catalog.revision() == before


class Deliveries(RuleBasedStateMachine):
    """However questions, answers, restarts and requests for more are mixed: no part is delivered twice or to another."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.catalog = Catalog(Path(self.folder.name) / "catalog.sqlite3")
        self.clock = Clock()
        self.boxes = [Mailbox(self.catalog, "wechat", LOST, Lifetimes(), self.clock) for _ in range(2)]
        self.asked: list[tuple[str, str]] = []
        self.delivered: list[tuple[str, str]] = []
        self.messages = 0

    @rule(user=st.sampled_from(["li", "wang"]), box=st.integers(0, 1))
    def ask(self, user: str, box: int) -> None:
        self.messages += 1
        if self.boxes[box].arrive(user, f"m{self.messages}", f"q{self.messages}").new:
            self.asked.append((user, f"m{self.messages}"))

    @rule(which=st.integers(0, 50), parts=st.integers(1, 3), box=st.integers(0, 1))
    def finish(self, which: int, parts: int, box: int) -> None:
        if self.asked:
            user, message = self.asked[which % len(self.asked)]
            entry = self.boxes[box].find(message, user)
            if entry is not None and entry.state == "asked":
                self.boxes[box].finish(user, message, [f"{user}/{message}/{number}" for number in range(parts)])

    @rule(user=st.sampled_from(["li", "wang"]), box=st.integers(0, 1))
    def more(self, user: str, box: int) -> None:
        target = self.boxes[box].outstanding(user)
        if target is not None:
            self.messages += 1
            reply = self.boxes[box].deliver(user, target, f"m{self.messages}", lambda part: part.text if part else "")
            again = self.boxes[1 - box].deliver(user, target, f"m{self.messages}", lambda part: "changed")
            assert reply is None or again == reply
            if reply and reply != LOST:
                self.delivered.append((user, reply))

    @rule(seconds=st.integers(0, 30))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(box=st.integers(0, 1))
    def restart(self, box: int) -> None:
        self.boxes[box] = Mailbox(self.catalog, "wechat", LOST, Lifetimes(), self.clock)

    @invariant()
    def no_part_twice_and_none_to_another(self) -> None:
        assert len(set(self.delivered)) == len(self.delivered)
        assert all(part.startswith(f"{user}/") for user, part in self.delivered)

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()


Deliveries.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestDeliveries = Deliveries.TestCase
