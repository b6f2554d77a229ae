"""A stand-in for a Kubernetes API server: one deployment, its pods, exec over v4.channel.k8s.io, logs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

STDOUT, STDERR, ERROR = b"\x01", b"\x02", b"\x03"


@dataclass
class Deployment:
    """What the stand-in serves. `pods` are names and whether they are ready; `status` other than 200 is
    what every request is answered with; `hang` never ends an exec."""

    name: str = "staging-rsolv-platform"
    namespace: str = "rsolv-staging"
    pods: dict[str, bool] = field(default_factory=lambda: {"pod-starting": False, "pod-ready": True})
    output: str = "Rsolv.PromEx.BillingPlugin\n"
    complaint: str = ""
    exit_code: int = 0
    log: str = "one\ntwo telemetry\nthree\n"
    status: int = 200
    hang: bool = False
    damage: bytes | None = None
    executed: list[tuple[str, list[str]]] = field(default_factory=list)


@asynccontextmanager
async def kubernetes_server(deployment: Deployment, folder: Path) -> AsyncIterator[Path]:
    """Serve the deployment on loopback; yields the path of a kubeconfig for it."""
    server = _Handlers(deployment)
    application = web.Application(middlewares=[server.refuse])
    space = f"/namespaces/{deployment.namespace}"
    application.router.add_get(f"/apis/apps/v1{space}/deployments/{{name}}", server.deployment)
    application.router.add_get(f"/api/v1{space}/pods", server.pods)
    application.router.add_get(f"/api/v1{space}/pods/{{pod}}/exec", server.execute)
    application.router.add_get(f"/api/v1{space}/pods/{{pod}}/log", server.log)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        config = folder / "kubeconfig"
        config.write_text(json.dumps(_kubeconfig(f"http://{host}:{port}")))
        yield config
    finally:
        await runner.cleanup()


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "kubernetes-token"}}],
    }


class _Handlers:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    @property
    def refuse(self) -> Any:
        @web.middleware
        async def refuse(request: web.Request, handler: Any) -> web.StreamResponse:
            if self._deployment.damage is not None:
                return web.Response(body=self._deployment.damage, content_type="application/json")
            if self._deployment.status != 200:
                return web.json_response({"kind": "Status", "message": "no"}, status=self._deployment.status)
            answer: web.StreamResponse = await handler(request)
            return answer

        return refuse

    async def deployment(self, request: web.Request) -> web.Response:
        if request.match_info["name"] != self._deployment.name:
            return web.json_response({"kind": "Status", "message": "not found"}, status=404)
        labels = {"app": self._deployment.name}
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
        return web.json_response(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}
        )

    async def pods(self, request: web.Request) -> web.Response:
        assert request.query["labelSelector"] == f"app={self._deployment.name}"
        items = [
            {
                "metadata": {"name": name},
                "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
            }
            for name, ready in self._deployment.pods.items()
        ]
        return web.json_response({"apiVersion": "v1", "kind": "PodList", "items": items})

    async def execute(self, request: web.Request) -> web.WebSocketResponse:
        channel = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await channel.prepare(request)
        self._deployment.executed.append((request.match_info["pod"], request.query.getall("command")))
        if self._deployment.hang:
            await channel.receive()
        await channel.send_bytes(STDOUT + self._deployment.output.encode())
        await channel.send_bytes(STDERR + self._deployment.complaint.encode())
        await channel.send_bytes(ERROR + json.dumps(self._verdict()).encode())
        await channel.close()
        return channel

    def _verdict(self) -> dict[str, Any]:
        code = self._deployment.exit_code
        if not code:
            return {"metadata": {}, "status": "Success"}
        causes = [{"reason": "ExitCode", "message": str(code)}]
        return {
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "details": {"causes": causes},
        }

    async def log(self, request: web.Request) -> web.Response:
        assert request.query["tailLines"] == "500"
        return web.Response(text=self._deployment.log)
