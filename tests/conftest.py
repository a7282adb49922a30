"""What several test folders share: a store and a way to put policies into it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.preparing import prepare
from tests import tiny_encoder
from tests.assistant.scripted_model import ScriptedModel, scripted_model
from vectorstore.catalog import Catalog, Record
from vectorstore.place import Place
from vectorstore.store import PolicyStore

Put = Callable[..., Record]

PARK = """海州市产业园区运营机构奖励办法

第一条 市工业和信息化局每年对产业园区运营机构进行考核。

第二条 对考核优秀的园区运营机构，每年给予最高3000万元奖励。

第三条 申请奖励应当提交下列材料：
（一）奖励申请表；
（二）营业执照副本；
（三）上一年度审计报告。

第四条 本办法自2025年3月1日起施行，有效期至2029年2月28日。
"""

TALENT = """海州市青年人才安居办法

第一条 博士研究生来海州工作的，一次性给予15万元安家补贴。

第二条 硕士研究生每月发放800元租房补贴，期限为36个月。

第三条 补贴由市人力资源和社会保障局受理。
"""


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tests' own encoder."""
    return tiny_encoder.write(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def tiny_encoder_in_place(small_encoder: Path) -> Iterator[None]:
    """The tests' encoder in the place of the bundled one, here and in processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vectorstore.encoder.BUNDLED_ENCODER", small_encoder)
        patch.setenv("ZHICE_ENCODER", str(small_encoder))
        yield


@pytest.fixture(scope="session")
def endpoint() -> Iterator[ScriptedModel]:
    """A language model's endpoint on this machine; tests take `model`, which forgets what earlier ones told it."""
    with scripted_model() as running:
        yield running


@pytest.fixture
def model(endpoint: ScriptedModel) -> ScriptedModel:
    """The endpoint, told nothing yet."""
    endpoint.reset()
    return endpoint


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where the knowledge base of a test lies: in a folder; `tests/services` has it on servers."""
    return Place(tmp_path / "kb")


@pytest.fixture
def store(place: Place) -> Iterator[PolicyStore]:
    opened = PolicyStore(place)
    yield opened
    opened.close()


@pytest.fixture
def open_catalog(place: Place) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog as one more process does; all are closed at the end."""
    opened: list[Catalog] = []

    def one_more() -> Catalog:
        place.folder.mkdir(exist_ok=True)
        opened.append(Catalog(place.folder / "catalog.sqlite3", database=place.database))
        return opened[-1]

    yield one_more
    for catalog in opened:
        catalog.close()


@pytest.fixture
def put(store: PolicyStore) -> Put:
    def put_text(name: str, text: str, **options: str) -> Record:
        data = text.encode()
        document, passages = prepare(data, name)
        sha256 = hashlib.sha256(data).hexdigest()
        return store.put(document, passages, key=options.pop("key", name), sha256=sha256, **options)

    return put_text
