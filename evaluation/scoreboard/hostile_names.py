"""Names and paths made to lead out of a folder: climbing, absolute, encoded, cut by NUL, of other systems."""

from __future__ import annotations

import io
import random
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

SEED: Final = 9
MARK: Final = "zhice-escaped"
"""In every name that would write."""

_CLIMBS: Final = (
    "../", "..\\", "....//", "..././", "....\\\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "%252e%252e%252f",
    "..%252f", "..%c0%af", "%c0%ae%c0%ae/", "..%u2215", "．．/", "..／", "‥/", "..∕", "\u202e../", "..\x00/", "..;/",
    "./../", "x/../../", "/../", "..//", "..%00/",
)  # fmt: skip
_DEPTHS: Final = (1, 3, 12)
_ABSOLUTE: Final = (
    "/{0}", "//{0}", "///{0}", "/tmp/{0}",  # noqa: S108 - a name, at which nothing may be made
    "\\{0}", "\\\\localhost\\c$\\{0}", "C:\\{0}", "C:{0}", "\\\\?\\C:\\{0}",
    "file:///{0}", "file:{0}", "~/{0}", "~root/{0}", "$HOME/{0}", "${{HOME}}/{0}", "%HOME%/{0}", "$(touch {0})",
    "`touch {0}`", "|touch {0}", "-o{0}", "{0}\x00.txt", "{0}.txt\x00.exe", "a\n/{0}", "a\r\nX-Name: {0}", "{0}:stream",
    "/proc/self/cwd/{0}", "/dev/fd/1/{0}", "{0}/", "{0}/.", "./{0}", "!/{0}", "a!/../../{0}", "\ufeff/{0}", "{0}\u200b",
)  # fmt: skip
_PLAIN: Final = (
    ".", "..", "...", "", " ", "/", "\\", "\x00", "CON", "NUL.txt", "COM1", ".htaccess", "catalog.sqlite3",
    "../catalog.sqlite3", "/proc/self/environ", "/proc/self/maps", "/etc/passwd", "/etc/hostname", "/dev/zero",
    "长" * 300 + ".txt", "a" * 5_000, "../" * 1_000 + "etc/passwd", "{0}", "{0.__class__}", "%s%n",
)  # fmt: skip

# Where a server's addresses take a name.
_PREFIXES: Final = (
    "/d/", "/s/", "/zhice/", "/assets/", "/static/", "/static/js/", "/static/fonts/", "/gradio_api/file=",
    "/gradio_api/file/", "/gradio_api/upload_progress?upload_id=", "/gradio_api/heartbeat/", "/docs/", "/d/x/qr.svg?version=",
    "/gradio_api/custom_component/x/client/component/", "/gradio_api/proxy=", "/", "//", "/api/documents/", "/favicon.ico/",
)  # fmt: skip


def names(secret: Path, count: int, seed: int = SEED) -> list[str]:
    """So many different names; half of those that climb or are absolute lead to the secret, the others to new files."""
    found = [*_PLAIN]
    for number, climb in enumerate(_CLIMBS):
        for depth in _DEPTHS:
            found += [climb * depth + str(secret).lstrip("/"), f"{climb * depth}{MARK}-{number}-{depth}.txt"]
    for number, pattern in enumerate(_ABSOLUTE):
        found += [pattern.format(str(secret).lstrip("/")), pattern.format(f"{MARK}-{number}.txt")]
    found += [quote(str(secret), safe=""), quote(quote(str(secret), safe=""), safe="")]
    chance = random.Random(seed)  # noqa: S311 - variants, not secrets
    chance.shuffle(found)
    return [str(secret), *found][:count]  # what is asked for plainly is always among them


def addresses(secret: Path, count: int) -> list[str]:
    """So many request targets; what no request line can hold is percent-encoded."""
    return [
        _PREFIXES[number % len(_PREFIXES)] + quote(name[:4_000], safe="/%\\;=?&:.~$`|!{}()*@,+-_")
        for number, name in enumerate(names(secret, count, seed=SEED + 1))
    ]


def archive(entries: Sequence[tuple[str, bytes]], links: Sequence[tuple[str, str]] = ()) -> bytes:
    """A zip archive with these names exactly, whatever is in them, and links that lead to these paths."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, content in entries:
            entry = zipfile.ZipInfo()
            entry.filename = name
            opened.writestr(entry, content)
        for name, target in links:
            entry = zipfile.ZipInfo()
            entry.filename, entry.create_system = name, 3  # Unix, where there are links
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            opened.writestr(entry, target)
    return packed.getvalue()


def furnish_folder(folder: Path, secret: Path, data: Path, count: int) -> int:
    """Write a folder to take in: names that a file can have here, and links that lead out; how many entries it has."""
    folder.mkdir()
    links = {
        "out.txt": str(secret), "relative.txt": f"../{secret.parent.name}/{secret.name}", "folder": str(secret.parent),
        "twice.txt": "out.txt", "loop.txt": "loop.txt", "nowhere.txt": "/nowhere/at/all.txt", "root": "/",
        "environment.txt": "/proc/self/environ", "users.txt": "/etc/passwd", "catalog.txt": str(data / "catalog.sqlite3"),
        "zero.txt": "/dev/zero", "policy.txt.yaml": str(secret), "archive.zip": str(secret), "up": "..",
    }  # fmt: skip
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (folder / "policy.txt").write_text(said(0), encoding="utf-8")
    made = len(links)
    for number, name in enumerate(names(secret, 10 * count, seed=SEED + 2)):
        # No file has a name with a slash or a NUL in it: those come in archives and over HTTP.
        name = name.replace("/", "%2f").replace("\x00", "%00")[:60] + ".txt"
        if made < count and not (folder / name).exists():
            (folder / name).write_text(said(number), encoding="utf-8")
            made += 1
    return made


def said(number: int) -> str:
    """The text of a sound document, different for each number."""
    return f"海州市第{number}号名称管理办法\n\n第一条 对第{number}号名称给予最高{number + 10}万元奖励。\n"
