"""`kizuna webhooks`: the receiver of what vendors send."""

from __future__ import annotations

import click

from kizuna import settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8020, show_default=True)
def webhooks(host: str, port: int) -> None:
    """Receive the vendors' webhooks until interrupted (docs/webhooks.md)."""
    from kizuna.webhooks import serve

    try:
        serve.run(host, port)
    except settings.SettingsError as error:
        raise click.ClickException(str(error)) from None
