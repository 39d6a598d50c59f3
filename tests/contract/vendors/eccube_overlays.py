"""What EC-CUBE's source says beyond the published schema, which is a dump of 2020 while the plugin is at 4.3.2.

Each piece names where it stands in github.com/EC-CUBE: the plugin eccube-api4 or the shop ec-cube (branches 4.3).
"""

from __future__ import annotations

# ec-cube: Eccube/Form/Type/Admin/Search{Order,Customer,Product}Type have the hidden fields sortkey and sorttype, and
# eccube-api4: GraphQL/Query/SearchFormQuery makes an argument of every field of these forms.
SORTING = "sortkey: String = null sorttype: String = null"
PAGE = "page: Int = 1"

# eccube-api4: the field `hello` was an example and is gone from the source.
HELLO = "hello: String\n"

# eccube-api4: GraphQL/Types takes decimals for floats and ids for texts, and PHP's json_encode writes 3960.0 as 3960.
# ec-cube: Doctrine/DBAL/Types/UTCDateTimeTzType gives times in the shop's own zone, and eccube-api4:
# GraphQL/Type/Definition/DateTimeType writes them as DateTime::ATOM.
SCALARS = {
    "Float": (int, float),
    "ID": r"\d+",
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
}


def overlaid(text: str) -> str:
    """Bring the published schema up to the source."""
    for piece, times in ((PAGE, 3), (HELLO, 1)):
        if text.count(piece) != times:
            message = f"the published schema has {piece!r} {text.count(piece)} times, expected {times}: review overlays"
            raise AssertionError(message)
    return text.replace(PAGE, f"{SORTING} {PAGE}").replace(HELLO, "")
