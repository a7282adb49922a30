"""What is shipped to run on servers: it names settings that there are, and its limits fit the program's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from channels.asking import ANSWER_SECONDS
from channels.guard import LARGEST_UPLOAD
from ingest.queueing import PATIENCE

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
READ = {
    name
    for part in ("app.py", "assistant", "channels", "tests/services/conftest.py")
    for path in ([ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py"))
    for name in re.findall(r"ZHICE_[A-Z_]+", path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_names_settings_that_there_are(path: Path) -> None:
    named = set(re.findall(r"ZHICE_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named - READ <= {"ZHICE_DATABASE_PASSWORD", "ZHICE_"}  # which the compose file puts into the URL


@pytest.mark.parametrize(
    "path", [DEPLOY / "nginx.conf", DEPLOY / "helm/zhice/templates/web.yaml"], ids=lambda path: path.name
)
def test_proxies_wait_longer_than_the_program_takes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (seconds,) = re.findall(r"proxy.read.timeout:? \"?(\d+)", text)
    assert int(seconds) > max(ANSWER_SECONDS, PATIENCE)
    (megabytes,) = re.findall(r"(?:client_max_body_size|proxy-body-size:) (\d+)m", text)
    assert int(megabytes) * 2**20 >= LARGEST_UPLOAD


def test_the_compose_file_is_whole() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), volume
    assert services["web-1"] == services["web-2"]
    replaced = " ".join(services["proxy"]["command"])
    for address, web in (("127.0.0.1:7861", "web-1:7860"), ("127.0.0.1:7862", "web-2:7860")):
        assert f"s/{address}/{web}/" in replaced
        assert (DEPLOY / "nginx.conf").read_text(encoding="utf-8").count(address) == 2
    assert (DEPLOY / services["web-1"]["build"]["context"] / services["web-1"]["build"]["dockerfile"]).exists()


def test_the_image_is_built_from_files_that_there_are() -> None:
    for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY") and not line.startswith("COPY . "):
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line


def test_the_chart_of_helm_renders() -> None:
    helm = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
    chart = DEPLOY / "helm" / "zhice"
    for name in ("Chart.yaml", "values.yaml"):
        assert yaml.safe_load((chart / name).read_text(encoding="utf-8"))
    values = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    for path in (chart / "templates").iterdir():
        for used in re.findall(r"\.Values\.([\w.]+)", path.read_text(encoding="utf-8")):
            found = values
            for part in used.split("."):
                assert part in found, f"{path.name}: {used}"
                found = found[part]
    if helm is None:
        pytest.skip("helm is not installed; it renders the chart where it is")
    rendered = subprocess.run(
        [helm, "template", "here", str(chart)], check=True, capture_output=True, text=True, timeout=60
    )
    kinds = [each["kind"] for each in yaml.safe_load_all(rendered.stdout) if each]
    assert {"Deployment", "StatefulSet", "Service", "Ingress", "NetworkPolicy", "PodDisruptionBudget"} <= set(kinds)


@pytest.mark.parametrize("name", ["zhice@.service", "zhice-chroma.service"])
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed; it verifies its units where it is")
    unit = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
    unit = re.sub(r"/opt/zhice/bin/\w+", sys.executable, unit).replace("User=zhice", "User=root")
    there = tmp_path / name.replace("@", "@7861")
    there.write_text(unit, encoding="utf-8")
    done = subprocess.run([analyze, "verify", str(there)], capture_output=True, text=True, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if there.name in line]
    assert complaints == []
