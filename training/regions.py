"""The table of Chinese place names, from CC-CEDICT: `python -m training.regions --data DIR`.

One line a place: the name as it stands in Chinese, a tab, the name in English. Provinces, municipalities and cities
are listed with and without 省, 市 and the like, districts and counties only in full: 和平 alone is a word.
"""

from __future__ import annotations

import argparse
import gzip
import re
from pathlib import Path

TARGET = Path(__file__).parent.parent / "assistant" / "lexicon" / "cedict" / "regions.tsv.gz"
_ENTRY = re.compile(r"^\S+ (?P<name>\S+) \[(?P<pinyin>[^\]]+)\] /(?P<gloss>.+)/$")
_PLACE = re.compile(
    r"^(?P<english>[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)??)(?= or |,|:| [Pp]rovince| [a-z(]| District| New| Autonomous)"
    r".*?\b(?i:city|municipality|province|region|prefecture|league|district|county|capital)\b"
)
_CHINESE_ENDING = re.compile(r"(?P<base>.{2,}?)(?P<ending>维吾尔自治区|壮族自治区|回族自治区|自治区|特别行政区|省|市)$")
_FOREIGN = re.compile(
    r"Japan|Indonesia|Canada|Vietnam|Korea|India|Iran|Spain|Germany|France|Italy|Philippines|Pakistan|Thailand|"
    r"Turkey|Afghan|Mongolia prov|Russia|Ireland|Belgium|Netherlands|Poland|Switzerland|ancient|former|old name"
)
# Cities whose short name is an everyday word.
_WORDS = {
    "东方", "合作", "太平", "永和", "中和", "灯塔", "树林", "新店", "土城", "大安", "板桥", "和平", "八德", "四会", "新化",
    "江山", "桃园", "河间", "来宾", "新民", "万博", "都市", "城市", "省市", "高要", "丰原", "大里", "田营",
}  # fmt: skip
_SPECIAL = {"北京": "Beijing", "上海": "Shanghai", "天津": "Tianjin", "重庆": "Chongqing", "西藏": "Tibet",
            "香港": "Hong Kong", "澳门": "Macau", "台湾": "Taiwan", "内蒙古": "Inner Mongolia", "新疆": "Xinjiang",
            "广西": "Guangxi", "宁夏": "Ningxia", "陕西": "Shaanxi", "山西": "Shanxi"}  # fmt: skip


def places(dictionary: Path) -> dict[str, str]:
    """Chinese to English place names of a CC-CEDICT file (`.u8.gz`)."""
    found = dict(_SPECIAL)
    with gzip.open(dictionary, "rt", encoding="utf-8") as file:
        for line in file:
            entry = _ENTRY.match(line.strip())
            if entry is None or not entry["pinyin"][0].isupper() or not re.search(r"[省市区县州盟]$", entry["name"]):
                continue
            gloss = entry["gloss"].split("/")[0]
            place = _PLACE.match(gloss)
            if place is None or _FOREIGN.search(gloss) or len(entry["name"]) < 3:
                continue
            english = place["english"].strip()
            found.setdefault(entry["name"], english)
            short = _CHINESE_ENDING.match(entry["name"])
            if short and short["base"] not in _WORDS:
                found.setdefault(short["base"], english)
    return dict(sorted(found.items()))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with cedict_ts.u8.gz")
    table = places(parser.parse_args().data / "cedict_ts.u8.gz")
    text = "".join(f"{name}\t{english}\n" for name, english in table.items())
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(table)} places -> {TARGET.name}")


if __name__ == "__main__":
    main()
