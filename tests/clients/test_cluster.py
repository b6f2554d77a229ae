"""The Kubernetes client against a stand-in of the API server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsconsole import config
from opsconsole.clients.cluster import Cluster
from opsconsole.errors import ConfigError, Nonsense, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from tests.standins.kubernetes import Deployment, kubernetes_server

OpenCluster = Callable[..., Cluster]


@pytest.fixture
def open_cluster(recorded: list[Exchange], monkeypatch: pytest.MonkeyPatch) -> OpenCluster:
    """The cluster by its kubeconfig."""

    def opened(kubeconfig: Path, *, timeout_seconds: float = 60.0, **settings: str) -> Cluster:
        from kubernetes.config import kube_config

        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        named = {"namespace": "rsolv-staging", "deployment": "staging-rsolv-platform", **settings}
        return Cluster(config.Cluster(**named), recorded.append, timeout_seconds)

    return opened


async def test_code_is_evaluated_in_a_ready_pod(
    open_cluster: OpenCluster, tmp_path: Path, recorded: list[Exchange]
) -> None:
    deployment = Deployment()
    async with kubernetes_server(deployment, tmp_path) as kubeconfig:
        assert await open_cluster(kubeconfig).eval("1 + 1") == "Rsolv.PromEx.BillingPlugin\n"
    assert deployment.executed == [("pod-ready", ["/app/bin/rsolv", "eval", "1 + 1"])]
    (exchange,) = recorded
    assert (exchange.method, exchange.error) == ("EXEC", "")
    assert "BillingPlugin" in exchange.response_body
    assert "kubernetes-token" not in str(exchange)


async def test_the_lines_of_the_log_that_match(open_cluster: OpenCluster, tmp_path: Path) -> None:
    async with kubernetes_server(Deployment(), tmp_path) as kubeconfig:
        assert await open_cluster(kubeconfig).logs("(?i)TELEMETRY") == ["two telemetry"]


async def test_a_command_that_fails_says_why(
    open_cluster: OpenCluster, tmp_path: Path, recorded: list[Exchange]
) -> None:
    deployment = Deployment(output="", complaint="(UndefinedFunctionError) no such function", exit_code=1)
    async with kubernetes_server(deployment, tmp_path) as kubeconfig:
        with pytest.raises(Nonsense, match=r"eval failed \(1\): \(UndefinedFunctionError\)"):
            await open_cluster(kubeconfig).eval("x")
    assert "UndefinedFunctionError" in recorded[0].error


async def test_no_pod_is_ready(open_cluster: OpenCluster, tmp_path: Path) -> None:
    async with kubernetes_server(Deployment(pods={"a": False, "b": False}), tmp_path) as kubeconfig:
        with pytest.raises(Unreachable, match="none of its 2 pods is ready"):
            await open_cluster(kubeconfig).eval("x")


async def test_a_deployment_that_is_not_there(open_cluster: OpenCluster, tmp_path: Path) -> None:
    async with kubernetes_server(Deployment(), tmp_path) as kubeconfig:
        with pytest.raises(Nonsense, match="404"):
            await open_cluster(kubeconfig, deployment="other").eval("x")


@pytest.mark.parametrize("status", [401, 403])
async def test_not_let_in(open_cluster: OpenCluster, tmp_path: Path, status: int) -> None:
    async with kubernetes_server(Deployment(status=status), tmp_path) as kubeconfig:
        with pytest.raises(Refused, match=str(status)):
            await open_cluster(kubeconfig).eval("x")


async def test_nobody_there(open_cluster: OpenCluster, tmp_path: Path) -> None:
    async with kubernetes_server(Deployment(), tmp_path) as kubeconfig:
        pass
    with pytest.raises(Unreachable):
        await open_cluster(kubeconfig).eval("x")


async def test_an_exec_that_never_ends(open_cluster: OpenCluster, tmp_path: Path) -> None:
    async with kubernetes_server(Deployment(hang=True), tmp_path) as kubeconfig:
        with pytest.raises(TimedOut):
            await open_cluster(kubeconfig, timeout_seconds=0.5).eval("x")


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b'{"spec": 1}', b"null", b'{"spec": {"selector": null}}']
)
async def test_damaged_answers(open_cluster: OpenCluster, tmp_path: Path, answer: bytes) -> None:
    async with kubernetes_server(Deployment(damage=answer), tmp_path) as kubeconfig:
        with pytest.raises(Nonsense):
            await open_cluster(kubeconfig).eval("x")


@pytest.mark.parametrize("text", [None, "not: [yaml", "{}", "apiVersion: v1\ncurrent-context: gone\n"])
async def test_a_kubeconfig_that_cannot_be_used(
    open_cluster: OpenCluster, tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(ConfigError, match="kubeconfig"):
        await open_cluster(tmp_path / "kubeconfig").eval("x")
