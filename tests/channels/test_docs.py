"""The description of what programs call: complete, valid for its reader, and shown without a file from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from starlette.testclient import TestClient

from tests.channels.conftest import OpenPage, whole_app

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="module")
def address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(whole_app(shelf.assistant))


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(whole_app(shelf.assistant), base_url="http://127.0.0.1") as opened:
        yield opened


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from nodes(item)


def test_only_what_programs_call_is_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/ask", "/api/documents", "/v1/chat/completions", "/v1/models", "/v1/models/zhice",
    }  # fmt: skip
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"HTTPBearer": []}]
            assert "4XX" in operation["responses"]


def test_the_description_keeps_to_the_version_it_names(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.0")
    schemas = list(nodes(described["components"]["schemas"]))
    assert not [schema for schema in schemas if schema.get("type") == "null" or "const" in schema]
    assert not [schema for schema in schemas if "$ref" in schema and len(schema) > 1]
    known = described["components"]["schemas"]
    named = {node["$ref"].rpartition("/")[2] for node in nodes(described) if isinstance(node.get("$ref"), str)}
    assert named <= set(known)
    assert all(name.isalnum() or "_" in name for name in known)
    files = described["paths"]["/api/documents"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    form = known[files["$ref"].rpartition("/")[2]]
    assert form["properties"]["file"]["items"] == {"type": "string", "format": "binary"}


def test_the_page_runs_no_script_from_markup(client: TestClient) -> None:
    response = client.get("/docs")
    scripts = response.headers["content-security-policy"].split("script-src")[1].split(";")[0]
    assert scripts.split() == ["'self'"]
    assert "http" not in response.headers["content-security-policy"]
    assert "http" not in response.text


@pytest.mark.parametrize("name", ["swagger-ui.js", "..%2f__init__.py", "index.html", "swagger-ui.css.map", ""])
def test_no_other_file_of_the_package_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


@pytest.mark.browser
def test_the_page_opens_without_a_request_to_another_host(open_page: OpenPage) -> None:
    page = open_page("/docs")
    expect(page.locator(".opblock-summary-path")).to_have_count(6)
    expect(page.locator("#docs h2.title")).to_contain_text("Zhice 知策")
    page.locator(".opblock-summary", has_text="/api/ask").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(".opblock-body textarea").fill('{"question": "园区管理机构每年最高能拿到多少奖补？"}')
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response .response-col_status").first).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text("800万元")
