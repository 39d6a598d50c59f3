"""Mapped files: what systems with closed interfaces export, brought to the warehouse's entities by declared mappings.

docs/sources/files.md says which systems have an example to start from.

Surprises of this kind of source:
- Writers leave half a file for minutes: a file is read when it has been quiet for a while, or when its marker is there.
- The same export is sent twice under two names; the same name carries new content every night.
- Excel saves CSV as CP932; one line of a thousand is pasted from elsewhere and is in neither encoding.
- A system without a column of the last change gives records that are as old as their file.
"""

from functools import partial

from kizuna.files import mapping
from kizuna.files.entities import ENTITIES
from kizuna.files.mapped import MappedRows
from kizuna.files.source import FileSource, FileStream, Intake


def intakes_of(entity: str) -> list[Intake]:
    """Make the intakes of an entity from the mappings in force."""
    found = []
    for declared in mapping.load_all().values():
        if declared.entity == entity:
            rows = MappedRows(declared)
            found.append(Intake(declared.files, rows.record, declared.format, declared.marker, rows.check_columns))
    return found


SOURCE = FileSource(
    name="files",
    streams=tuple(FileStream(entity, intakes=partial(intakes_of, entity), updated="updated_at") for entity in ENTITIES),
)
