"""Run the billing service: `python -m opsconsole.lab.service --port 9568 --seed 1`.

The API key and the webhook secret come from the environment, so that no process list shows them.
"""

import argparse
import asyncio
import os

from opsconsole.lab.http import listen
from opsconsole.lab.service.app import BillingService


async def main() -> None:
    parser = argparse.ArgumentParser(prog="opsconsole.lab.service")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=1.0, help="so many times as fast, for dense traffic")
    arguments = parser.parse_args()
    service = BillingService(
        seed=arguments.seed,
        api_key=os.environ["OPSCONSOLE_LAB_API_KEY"],
        webhook_secret=os.environ["OPSCONSOLE_LAB_WEBHOOK_SECRET"],
    )
    server = await listen(service.routes(), arguments.port)
    service.verifier.warm_up()
    await asyncio.gather(service.traffic.play(arguments.pace), server.serve_forever())


if __name__ == "__main__":
    asyncio.run(main())
