"""A deployment in Kubernetes, through the official client and the user's kubeconfig."""

import asyncio
import importlib
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from opsconsole import config
from opsconsole.clients.evidence import KEPT_BYTES, next_id
from opsconsole.errors import ConfigError, Nonsense, OpsconsoleError, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from opsconsole.redaction import excerpt

_T = TypeVar("_T")
_CLOSE_WITHIN_SECONDS = 0.5


class Cluster:
    """One deployment. `record` takes every call; `timeout_seconds` bounds each."""

    def __init__(
        self, settings: config.Cluster, record: Callable[[Exchange], None], timeout_seconds: float = 30.0
    ) -> None:
        self._settings = settings
        self._record = record
        self._timeout_seconds = timeout_seconds
        self._where = f"cluster {settings.namespace}/{settings.deployment}"

    async def eval(self, code: str) -> str:
        """What the running application prints for `code`, by its release's own `eval`.

        Raises Unseen where the cluster, a ready pod or the answer is not to be had; Nonsense where the
        command fails, with what it said.
        """
        return await self._ask("EXEC", f"{self._settings.release} eval {code!r}", lambda: self._eval(code))

    async def logs(self, pattern: str, lines: int = 500) -> list[str]:
        """The lines that match a regular expression among the last `lines` of each ready pod."""
        wanted = re.compile(pattern)
        text = await self._ask("LOGS", f"last {lines} lines", lambda: self._logs(lines))
        return [line for line in text.splitlines() if wanted.search(line)]

    async def close(self) -> None:
        """Nothing is kept open between calls."""

    async def _ask(self, method: str, what: str, work: Callable[[], str]) -> str:
        await asyncio.to_thread(
            importlib.import_module, "kubernetes.stream"
        )  # slow, and not the cluster's fault
        at, began, answer, failure = time.time(), time.monotonic(), "", ""
        try:
            async with asyncio.timeout(self._timeout_seconds + 1.0):
                answer = await asyncio.to_thread(_translated, work, self._where)
            return answer
        except TimeoutError:
            failure = f"no answer within {self._timeout_seconds:g} s"
            raise TimedOut(failure, where=self._where) from None
        except OpsconsoleError as error:
            failure = error.message
            raise
        finally:
            self._record(
                Exchange(
                    id=next_id(), server="cluster", method=method,
                    url=f"kubernetes://{self._settings.namespace}/deployment/{self._settings.deployment}",
                    request_body=what, response_body=excerpt(answer, KEPT_BYTES),
                    response_bytes=len(answer.encode()), at=at, seconds=time.monotonic() - began,
                    error=failure,
                )
            )  # fmt: skip

    def _eval(self, code: str) -> str:
        from kubernetes.stream import stream

        api = self._api()
        command = [self._settings.release, "eval", code]
        pod = self._ready_pods(api)[0]
        session = stream(
            api.connect_get_namespaced_pod_exec, pod, self._settings.namespace, command=command,
            **self._container(), stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False,
            _request_timeout=self._timeout_seconds,
        )  # fmt: skip
        try:
            session.run_forever(timeout=self._timeout_seconds)
            if session.is_open():
                raise TimedOut(f"no answer within {self._timeout_seconds:g} s", where=f"{self._where} {pod}")
            output, complaint, code_of_exit = session.read_stdout(), session.read_stderr(), session.returncode
        finally:
            session.close(timeout=_CLOSE_WITHIN_SECONDS)
        if code_of_exit != 0:
            said = excerpt(" ".join((complaint or output).split()), 300)
            raise Nonsense(
                f"{' '.join(command[:2])} failed ({code_of_exit}): {said}", where=f"{self._where} {pod}"
            )
        return str(output)

    def _logs(self, lines: int) -> str:
        api = self._api()
        return "\n".join(
            api.read_namespaced_pod_log(
                pod, self._settings.namespace, tail_lines=lines, **self._container(),
                _request_timeout=self._timeout_seconds,
            )
            for pod in self._ready_pods(api)
        )  # fmt: skip

    def _api(self) -> Any:
        import yaml
        from kubernetes import client
        from kubernetes import config as kubeconfig

        try:
            settings = client.Configuration()
            kubeconfig.load_kube_config(  # type: ignore[no-untyped-call]
                context=self._settings.context or None, client_configuration=settings
            )
        except (kubeconfig.ConfigException, yaml.YAMLError, OSError, TypeError, ValueError) as error:
            raise ConfigError(
                f"the kubeconfig cannot be used: {error}", where=self._where,
                hint="`kubectl config get-contexts` shows what there is; name one with context = \"…\"",
            ) from error  # fmt: skip
        settings.retries = False
        return client.CoreV1Api(client.ApiClient(settings))

    def _ready_pods(self, api: Any) -> list[str]:
        from kubernetes import client

        deployment = client.AppsV1Api(api.api_client).read_namespaced_deployment(
            self._settings.deployment, self._settings.namespace, _request_timeout=self._timeout_seconds
        )
        labels = deployment.spec.selector.match_labels or {}
        pods = api.list_namespaced_pod(
            self._settings.namespace, label_selector=",".join(f"{k}={v}" for k, v in labels.items()),
            _request_timeout=self._timeout_seconds,
        )  # fmt: skip
        ready = [pod.metadata.name for pod in pods.items if labels and _is_ready(pod)]
        if not ready:
            raise Unreachable(f"none of its {len(pods.items)} pods is ready", where=self._where)
        return ready

    def _container(self) -> dict[str, str]:
        return {"container": self._settings.container} if self._settings.container else {}


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or ()
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


def _translated(work: Callable[[], str], where: str) -> str:
    """Do the work; what goes wrong in the official client becomes an error of ours."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError, NewConnectionError
    from urllib3.exceptions import TimeoutError as ConnectionTimeout

    try:
        return work()
    except OpsconsoleError:
        raise
    except ApiException as error:
        reason = f"the API server answered {error.status}: {error.reason}"
        if error.status in (401, 403):
            raise Refused(reason, where=where, hint="`kubectl auth can-i create pods/exec` tells") from error
        if not error.status:
            raise Unreachable(excerpt(f"no connection: {error.reason}", 300), where=where) from error
        raise Nonsense(reason, where=where) from error
    except (HTTPError, OSError) as error:
        if isinstance(error, ConnectionTimeout) and not isinstance(error, NewConnectionError):
            raise TimedOut(excerpt(f"no answer: {error}", 300), where=where) from error
        raise Unreachable(excerpt(f"no connection: {error}", 300), where=where) from error
    except Exception as error:
        raise Nonsense(
            excerpt(f"answered what cannot be read: {type(error).__name__}: {error}", 300), where=where
        ) from error
