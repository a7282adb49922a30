"""The `zhice` command: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fpdf import FPDF

import app
from assistant import open_assistant
from tests.conftest import PARK
from vectorstore.links import Links
from vectorstore.store import PolicyStore

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ZHICE_DATA_DIR", "ZHICE_ENCODER", "ZHICE_ADMIN_PASSWORD", "ZHICE_HOST", "ZHICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "park.txt").write_text(PARK, encoding="utf-8")
    assert app.main(["ingest", str(tmp_path / "park.txt"), "--data-dir", str(tmp_path / "kb")]) == 0
    return tmp_path / "kb"


def zhice(kb: Path, *words: str) -> int:
    return app.main([*words, "--data-dir", str(kb)])


def test_ask_prints_the_answer_with_its_source(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "ask", "园区运营机构每年最高能拿到多少奖励？") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("最高3000万元：")
    assert "“对考核优秀的园区运营机构，每年给予最高3000万元奖励”" in printed


def test_ask_json_prints_one_object_a_question(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "ask", "--json", "园区运营机构每年最高能拿到多少奖励？", "今天天气怎么样？") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["status"] for answer in answers] == ["answered", "not_found"]


def test_ask_takes_an_english_question_without_quotes(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "ask", "What", "reward", "does", "a", "park", "operator", "get?") == 0
    assert "30 million yuan" in capsys.readouterr().out


def test_ask_takes_history(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "ask", "那要提交哪些材料？", "--history", "园区运营机构怎么申请奖励？") == 0
    assert "奖励申请表" in capsys.readouterr().out


def test_list_show_remove(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "list", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["source"] == "park.txt"
    assert zhice(kb, "show", row["document_id"]) == 0
    assert PARK in capsys.readouterr().out
    assert zhice(kb, "remove", row["document_id"]) == 0
    store = PolicyStore(kb)
    assert store.catalog.records() == []
    store.close()


def test_reindex_and_doctor(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "reindex") == 0
    assert "passages encoded" in capsys.readouterr().out
    assert zhice(kb, "doctor") == 0
    assert "FAIL" not in capsys.readouterr().out


def test_eval_reports(kb: Path, tmp_path: Path, capsys: Captured) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(
        '{"question": "园区运营机构每年最高能拿到多少奖励？", "must_include": [["3000万"]]}\n', encoding="utf-8"
    )
    capsys.readouterr()
    report = tmp_path / "report.html"
    code = zhice(
        kb, "eval", str(questions), "--documents", str(tmp_path / "park.txt"), "--json", "--report", str(report)
    )
    assert code == 0
    assert json.loads(capsys.readouterr().out)["rows"][-1]["right"] == 1
    assert "1 of 1 right" in report.read_text(encoding="utf-8")


def locked_pdf(path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text="secret")
    pdf.set_encryption(owner_password="owner", user_password="user")
    pdf.output(str(path))


def huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**20)


def scanned_pdf(path: Path) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.rect(20, 20, 100, 100, style="F")
    pdf.output(str(path))


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("missing.txt", lambda path: None, "no such file"),
        ("empty.txt", lambda path: path.write_bytes(b""), "empty"),
        ("noise.txt", lambda path: path.write_bytes(bytes(range(1, 256)) * 9), "encoding"),
        ("locked.pdf", locked_pdf, "password"),
        ("scan.pdf", scanned_pdf, "text"),
        ("picture.png", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)), "damaged picture"),
        ("huge.txt", huge_file, "200 MiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_reason(
    kb: Path, tmp_path: Path, capsys: Captured, name: str, make: object, reason: str
) -> None:
    make(tmp_path / name)  # type: ignore[operator]
    capsys.readouterr()
    assert zhice(kb, "ingest", str(tmp_path / name)) == 1
    printed = capsys.readouterr()
    assert name in printed.err
    assert reason.lower() in printed.err.lower()
    assert "Traceback" not in printed.err
    assert "1 failed" in printed.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", ""], "empty"),
        (["ask", "奖" * 100_000], "100,000"),
        (["ask", "奖励？", "--as-of", "soon"], "as_of"),
    ],
)
def test_a_request_that_cannot_be_taken_is_wrong_usage(
    kb: Path, capsys: Captured, words: list[str], message: str
) -> None:
    capsys.readouterr()
    assert zhice(kb, *words) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("words", [["ask"], ["fly"], ["ingest"], ["show"], ["eval"]])
def test_an_incomplete_command_is_wrong_usage(words: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.main(words)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "remove"])
def test_an_unknown_document_is_reported(kb: Path, capsys: Captured, command: str) -> None:
    capsys.readouterr()
    assert zhice(kb, command, "dnothing") == 1
    assert "zhice list" in capsys.readouterr().err


def test_a_folder_of_another_encoder_is_reported_with_the_way_out(kb: Path, capsys: Captured) -> None:
    store = PolicyStore(kb)
    with store.catalog.transaction() as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'encoder'")
    store.close()
    capsys.readouterr()
    assert zhice(kb, "ask", "奖励？") == 1
    assert "zhice reindex" in capsys.readouterr().err
    assert zhice(kb, "reindex") == 0
    assert zhice(kb, "ask", "园区运营机构的奖励是多少？") == 0


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "park.txt").write_text(PARK, encoding="utf-8")
    assert app.main(["ingest", str(tmp_path / "park.txt"), "--data-dir", str(tmp_path / "file" / "kb")]) == 1
    assert "--data-dir" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ZHICE_PORT", "http", "ZHICE_PORT"),
        ("ZHICE_HOST", "0.0.0.0", "ZHICE_ADMIN_PASSWORD"),
        ("ZHICE_SAMPLES", "perhaps", "ZHICE_SAMPLES"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    kb: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    assert zhice(kb, "serve") == 2
    assert message in capsys.readouterr().err


def test_the_password_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured) -> None:
    from assistant.settings import Settings

    settings = Settings.from_environ({"ZHICE_ADMIN_PASSWORD": "open sesame"}, data_dir=tmp_path)
    assert "sesame" not in repr(settings)
    monkeypatch.setenv("ZHICE_ADMIN_PASSWORD", "open sesame")
    app.main(["doctor", "--data-dir", str(tmp_path)])
    assert "sesame" not in capsys.readouterr().out


def test_samples_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHICE_SAMPLES", "0")
    with open_assistant(data_dir=tmp_path) as assistant:
        assert assistant.documents() == []
        assert assistant.ask("奖励多少？").status == "not_found"


@pytest.mark.parametrize(("setting", "left"), [("", {}), ("1", {"LANGSMITH_TRACING": "true"})])
def test_nothing_is_traced_unless_it_is_asked_for(
    kb: Path, monkeypatch: pytest.MonkeyPatch, setting: str, left: dict[str, str]
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("ZHICE_TRACING", setting)
    assert zhice(kb, "list") == 0
    assert {name: value for name, value in os.environ.items() if name in app.TRACING} == left


def test_keys_are_made_listed_and_revoked(kb: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "keys", "new", "--name", "群聊机器人", "--scope", "admin") == 0
    printed = capsys.readouterr()
    key = printed.out.strip()
    assert key.startswith("zk_")
    assert key not in printed.err
    assert zhice(kb, "keys", "list") == 0
    listed = capsys.readouterr().out
    assert "群聊机器人" in listed
    assert "in force" in listed
    assert key not in listed
    key_id = listed.split()[0]
    assert zhice(kb, "keys", "revoke", key_id) == 0
    assert zhice(kb, "keys", "list") == 0
    assert "revoked 20" in capsys.readouterr().out
    assert zhice(kb, "keys", "revoke", key_id) == 1
    assert "zhice keys list" in capsys.readouterr().err


def test_a_short_link_is_revoked_like_a_key(kb: Path, capsys: Captured) -> None:
    store = PolicyStore(kb)
    links = Links(store.catalog)
    code = links.code(store.catalog.records()[0].document_id, 1, 0, 4)
    assert zhice(kb, "keys", "revoke", f"https://policy.example.cn/s/{code}") == 0
    assert links.find(code) is None
    store.close()


@pytest.mark.parametrize("words", [["keys"], ["keys", "new"], ["keys", "new", "--name", "x", "--scope", "root"]])
def test_keys_wrongly_asked_for_are_wrong_usage(words: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.main(words)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err
