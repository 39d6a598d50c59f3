"""`kizuna mappings`: whether the mappings of files say what they should, before a file is landed with them."""

from __future__ import annotations

from pathlib import Path

import click

ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def mappings() -> None:
    """Declared mappings of files (docs/sources/files.md)."""


@mappings.command()
@click.argument("mapping_file", required=False, type=ExistingFile)
@click.argument("sample", required=False, type=ExistingFile)
def check(mapping_file: Path | None, sample: Path | None) -> None:
    """Check every mapping in force, or MAPPING_FILE, and show what it makes of a SAMPLE file (values masked)."""
    from kizuna.files import mapping

    try:
        found = {mapping_file.stem: mapping.load(mapping_file)} if mapping_file else mapping.load_all()
    except mapping.MappingError as error:
        raise click.ClickException(str(error)) from None
    for name, declared in found.items():
        click.echo(f"{name}: {declared.files} → raw.files__{declared.entity}, ids {declared.system}/…")
    if not found:
        click.echo(f"No mappings in {mapping.folder()} (KIZUNA_MAPPINGS)")
    if mapping_file and sample:
        _check_sample(found[mapping_file.stem], sample)


def _check_sample(declared: object, sample: Path) -> None:
    from kizuna.files.checking import check as check_sample
    from kizuna.files.formats import FileError

    try:
        report = check_sample(declared, sample)  # type: ignore[arg-type]
    except FileError as error:
        raise click.ClickException(str(error)) from None
    if report.unmapped:
        click.echo(f"Not mapped (kept in `row`): {', '.join(report.unmapped)}")
    if report.missing:
        message = f"{sample.name}: missing columns: {', '.join(report.missing)}"
        raise click.ClickException(message)
    for number, fields in enumerate(report.shown, start=1):
        click.echo(f"Row {number}: " + "  ".join(f"{name}={value}" for name, value in fields.items()))
    for reason, count in report.reasons.most_common():
        click.echo(f"Put aside: {count} × {reason}")
    click.echo(f"{report.fit_count} of {report.row_count} rows would land")
