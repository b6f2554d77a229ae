"""`opsconsole checks`: what can be checked, and what each check asks for."""

import click


@click.command()
@click.option("--markdown", is_flag=True, help="As the table that the README holds.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(markdown: bool, as_json: bool) -> None:
    """List the checks: id, title, the clients they need, their settings, and whether they change anything."""
    from opsconsole.content import folder
    from opsconsole.engine.discover import discover

    checks = discover(folder("checks")).values()
    if as_json:
        import json

        click.echo(
            json.dumps(
                [
                    {
                        "id": check.id,
                        "title": check.title,
                        "needs": check.needs,
                        "may_use": check.may_use,
                        "settings": list(check.settings),
                        "acts": check.acts,
                        "diagnosis": check.diagnosis,
                    }
                    for check in checks
                ],
                indent=2,
            )
        )
        return
    if markdown:
        click.echo("| check | what it sees | asks | changes something |\n|---|---|---|---|")
        for check in checks:
            asks = ", ".join(name for name in (*check.needs, *check.may_use) if name != "effects")
            acts = "yes" if check.acts else "no"
            click.echo(f"| [`{check.id}`](runbooks/{check.id}.md) | {check.title} | {asks} | {acts} |")
        return
    width = max(len(check.id) for check in checks)
    for check in checks:
        acts = "  [changes something]" if check.acts else ""
        click.echo(f"{check.id:{width}}  {check.title}{acts}")
