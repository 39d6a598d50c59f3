"""Profiles: what records say of name and birth, read from the warehouse only where two of them are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from kizuna.identity import sets
from kizuna.identity.comparing import Profile
from kizuna.identity.exchange import Int8Array

if TYPE_CHECKING:
    from kizuna.identity.exchange import Column, Connection

# What nobody may know any more (erased on request) says nothing against anybody.
NOTHING = Profile()
AT_ONCE = 50_000
TEXTS = "select value_hash, value from identity.values where value_hash = any(%s)"


class Profiles(Sequence[Profile]):
    """Distinct profiles by place; the first that is asked for brings those of its neighbourhood with it."""

    def __init__(self, connection: Connection, hashes: Column) -> None:
        self._connection = connection
        self._hashes = hashes
        self._texts: dict[int, str] = {}
        self._parsed: dict[int, Profile] = {}

    @classmethod
    def of(cls, connection: Connection, hashes: Column) -> tuple[Column, Profiles]:
        """Return the place of each record's profile (-1: none; `hashes` says 0), and the profiles."""
        distinct, spots = sets.distinct_places(hashes)
        places = spots.astype(np.int32)
        none = np.searchsorted(distinct, 0)
        if none < len(distinct) and distinct[none] == 0:
            distinct = np.delete(distinct, none)
            places[places == none] = -1
            places[places > none] -= 1
        return places, cls(connection, distinct)

    def __len__(self) -> int:
        return len(self._hashes)

    @overload
    def __getitem__(self, place: int) -> Profile: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Profile]: ...
    def __getitem__(self, place: int | slice) -> Profile | Sequence[Profile]:
        """Return the profile of a place."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if place not in self._parsed:
            if place not in self._texts:
                few = len(self) <= AT_ONCE
                self.fetch(np.arange(len(self)) if few else np.array([place]))
            self._parsed[place] = Profile.parse(self._texts[place]) if self._texts[place] else NOTHING
        return self._parsed[place]

    def fetch(self, places: Column) -> None:
        """Read the texts of many places at once."""
        hashes = self._hashes[places]
        texts = dict(self._connection.execute(TEXTS, [Int8Array(hashes)]).fetchall())
        self._texts.update(zip(places.tolist(), [texts.get(one, "") for one in hashes.tolist()], strict=True))
