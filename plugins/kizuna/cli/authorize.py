"""`kizuna authorize`: a person approves once at a vendor that gives its tokens to nobody else."""

from __future__ import annotations

import click

from kizuna import settings


@click.command()
@click.argument("source_name", metavar="SOURCE")
def authorize(source_name: str) -> None:
    """Approve SOURCE's connection at the vendor (OAuth with refresh tokens, like eccube) and keep the tokens."""
    from kizuna import oauth
    from kizuna.http import VendorError
    from kizuna.local import databases, vendors
    from kizuna.sources import SOURCES

    grants = {name: source.oauth for name, source in SOURCES.items() if hasattr(source, "oauth")}
    if source_name not in grants:
        message = f"{source_name!r} needs no approval: expected one of {', '.join(sorted(grants)) or 'none'}"
        raise click.ClickException(message)
    try:
        account = vendors.account(source_name)
    except settings.SettingsError as error:
        raise click.ClickException(str(error)) from None
    state = oauth.new_state()
    click.echo(f"1. As a system administrator of the shop, open:\n\n   {grants[source_name].page(account, state)}\n")
    click.echo(f"2. Approve. The browser is sent to {oauth.redirect_of(account)}?code=… (that page need not exist).")
    pasted = click.prompt("3. Paste that address, or the code in it")
    with databases.server_for_a_moment():
        try:
            grants[source_name].exchange(account, databases.warehouse_in_use(), oauth.code_in(pasted, state))
        except (VendorError, ValueError) as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"Kept. `ops.oauth_tokens` now has the tokens of {source_name}; runs renew them by themselves")
